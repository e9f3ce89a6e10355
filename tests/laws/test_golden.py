"""The numbers of fits made before the laws were rebuilt: values, intervals, covariances, words and keys of the JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from superlaw import fit_law

from .golden_cases import cases

GOLDEN = json.loads((Path(__file__).parent / "golden" / "fits.json").read_text())


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Where two records differ: keys and words at all, numbers by more than 1e-7 of themselves."""
    if isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new):
        return [d for key in old for d in differences(old[key], new[key], f"{place}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [d for i in range(len(old)) for d in differences(old[i], new[i], f"{place}[{i}]")]
    if type(old) is type(new) is float:
        # A correlation or covariance near 0 is known to the rounding of the larger ones beside it.
        return [] if old == pytest.approx(new, rel=1e-7, abs=1e-9) else [f"{place}: {old} -> {new}"]
    return [] if old == new else [f"{place}: {old} -> {new}"]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_fit_gives_the_numbers_that_it_gave(name):
    law, table, options = cases()[name]
    record = fit_law(table, law, **options).to_dict()
    record.pop("replicates", None)
    record.pop("points")
    for rounding in ("gradient", "smallest_curvature"):
        record["certificate"].pop(rounding)
    assert differences(GOLDEN[name], json.loads(json.dumps(record))) == []


def test_a_change_of_a_millionth_would_be_seen():
    assert differences({"a": 1.0, "b": "x"}, {"a": 1.000001, "b": "y"}) == [".a: 1.0 -> 1.000001", ".b: x -> y"]
