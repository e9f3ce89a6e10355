"""Overlap against width within a family: as the heads are, and without what they have in common."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.findings.heads import common_directions, overlap_laws
from superlaw.lm.head import Head
from superlaw.lm.measure import measure_head


def record(m: int, common: int = 0, n: int = 2000) -> dict:
    """Random rows with large parts along a few directions, both signs, whose size does not fall with width."""
    rng = np.random.default_rng(m + common)
    W = rng.normal(size=(n, m))
    W[:, :common] += 0.7 * np.sqrt(m) * rng.choice([-1, 1], (n, common))
    return measure_head(Head(f"m{m}", "W", "", W), pairs="sampled").to_dict()


def test_random_heads_fall_as_one_over_m_and_nothing_has_to_go():
    heads = [record(m) for m in (64, 128, 256)]
    laws = {law.what: law.slope.exponent for law in overlap_laws(heads)}
    assert common_directions(heads) is None
    assert laws == {"as they are": pytest.approx(1, abs=0.01), "mean row removed": pytest.approx(1, abs=0.01)}


def test_a_common_direction_hides_one_over_m_and_its_removal_shows_it():
    laws = {law.what: law.slope.exponent for law in overlap_laws([record(m, common=1) for m in (64, 128, 256)])}
    assert abs(laws["as they are"]) < 0.2
    assert laws["1 dominant direction removed"] == pytest.approx(1, abs=0.03)


def test_as_many_go_as_the_head_needs_that_needs_most_and_never_many():
    assert common_directions([record(128, 1), record(256, 2)]) == 2
    assert common_directions([record(64, 3), record(256, 1)]) is None  # 3 of 64 are not few
    assert [law.what for law in overlap_laws([record(64), record(64)])] == []
