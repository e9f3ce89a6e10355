"""docs/studies/what-sets-the-exponent.md: its numbers are those of the committed runs, and of the theory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import superlaw
from superlaw.findings.exponents import CURVED
from superlaw.findings.variants import variants

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studies" / "what-sets-the-exponent.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Cells of the first table after a heading, without its own head."""
    part = PAGE.split(heading, 1)[1]
    table = re.search(r"((?:^\|.*\n)+)", part, re.M)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()[2:]]


def said(cell: str, found: dict) -> None:
    """A cell as "1.54 ± 0.14, curved" is what was found."""
    exponent, stderr = map(float, re.findall(r"[-\d.]+", cell.replace("−", "-"))[:2])
    assert exponent == pytest.approx(found["exponent"], abs=0.0051)
    assert stderr == pytest.approx(found["stderr"], abs=0.0051)
    assert ("bent" in cell) == (found["lack_of_fit"] < CURVED)


def cells(name: str) -> list[dict]:
    return variants(ROOT / "docs" / "runs" / f"{name}.csv").cells.to_dict("records")


def test_the_table_of_starts_is_that_of_the_runs():
    runs = superlaw.gather(ROOT / "docs" / "runs" / "initial-bias.csv", profiles=False)
    found = {(cell["data_exponent"], cell["initial_bias_std"]): cell for cell in cells("initial-bias")}
    table = rows("## 1.")
    assert len(table) == 4 and (runs["status"] == "ok").all() and len(runs) == 72
    for name, *losses, line in table:
        alpha, std = float(re.findall(r"α = (\d)", name)[0]), float("N(0, 1)" in name)
        here = runs[(runs["data_exponent"] == alpha) & (runs["initial_bias_std"] == std)]
        assert [float(x) for x in losses] == pytest.approx(here.groupby("width")["loss"].mean().tolist(), rel=0.006)
        said(line, found[alpha, std])


def test_the_table_of_features_is_that_of_the_runs():
    runs = superlaw.gather(ROOT / "docs" / "runs" / "features.csv", profiles=False)
    for n, start, *losses, local in rows("## 3."):
        here = runs[(runs["n_features"] == int(n.replace(",", ""))) & (runs["initial_bias_std"] == float(start != "0"))]
        loss = here.sort_values("width")["loss"].to_numpy()
        assert [float(x) for x in losses] == pytest.approx(loss, rel=0.006)
        stated = [float(x) for x in re.findall(r"\d\.\d+", local)]
        assert stated == pytest.approx(np.log2(loss[:-1] / loss[1:]), abs=0.01)


CASES = {
    "as published": {}, "α = 0": {"data_exponent": 0}, "values constant": {"values": "constant"},
    "values half-normal": {"values": "half-normal"}, "values exponential": {"values": "exponential"},
    "groups of 10, correlation 0.4": {"correlation": 0.4}, "groups of 10, correlation 0.8": {"correlation": 0.8},
    "unit rows": {"rows": "unit"}, "unit rows, α = 0": {"rows": "unit", "data_exponent": 0},
    "encoder of its own": {"tied": False}, "bias fixed at 0": {"learn_bias": False}, "γ = 1": {"weight_decay": 1},
}  # fmt: skip
PUBLISHED = {"data_exponent": 1, "weight_decay": -1, "values": "uniform", "correlation": 0, "rows": "free",
             "tied": True, "learn_bias": True, "loss_function": "squared-error", "activation": "relu"}  # fmt: skip


def test_the_table_of_variants_is_that_of_the_runs():
    found = cells("variants")
    table = rows("## 4.")
    assert [name for name, *_ in table] == list(CASES)
    for name, *starts in table:
        for std, cell in enumerate(starts):
            wanted = PUBLISHED | CASES[name] | ({"initial_bias_std": std} if name != "bias fixed at 0" else {})
            if cell:
                (one,) = (one for one in found if all(one.get(key, value) == value for key, value in wanted.items()))
                said(cell, one)


def test_the_python_of_the_page_prints_what_it_shows(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(block, "what-sets-the-exponent", "exec"), {})
    assert capsys.readouterr().out == re.findall(r"```python\n.*?```\n\n```text\n(.*?)```", PAGE, re.S)[0]


def test_theory_of_the_frames_is_as_the_page_has_it():
    for m, _, _, *theory, _ in rows("## 2."):
        kinds = ("random", "one-sided", "two-valued")
        losses = [superlaw.best_frame(1000, int(m), overlaps=kind).loss for kind in kinds]
        assert [float(x) for x in theory] == pytest.approx(losses, rel=0.006)
