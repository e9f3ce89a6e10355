"""Fits of random problems, sane and degenerate, against SciPy's best of many starts.

A failure names its problem; ``python tests/attack/random_problems.py --repeat SEED`` shows it.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
from problems import problem, superlaws
from random_problems import MUCH, compare, coordinates, objective, search

import superlaw
from superlaw.laws.profile import _Profile

SLICE = range(33, 63)  # every other of them in each test run
GOOD = (0, 3, 5, 7, 14, 21)  # laws and objectives in turn


@pytest.mark.parametrize("seed", GOOD)
def test_the_search_and_superlaw_mean_the_same_objective(seed):
    """Or else they could not be compared."""
    given = problem(seed)
    fit = superlaw.fit_law(given.table, superlaws(given.law), objective=given.objective, interval="none")
    stated = fit.to_dict()["objective"]
    values = {name: one.value for name, one in fit.params.items()}
    assert objective(given, coordinates(given).of(values)) == pytest.approx(stated, rel=1e-9)


@pytest.mark.parametrize("seed", [*SLICE[::2], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLICE[1::2])])
def test_a_certified_optimum_is_one_that_a_search_does_not_beat(seed):
    found = compare(seed, starts=8)
    assert not found.fault, f"{found.text}: {found.fault}"


def test_a_bootstrap_of_a_law_that_the_data_do_not_determine_ends_with_its_first_block():
    """It took minutes: half of the replicates never converge, and each was searched for by itself."""
    given = problem(43)
    fit = superlaw.fit_law(given.table, superlaws(given.law), objective=given.objective)
    record = fit.interval
    assert (record["replicates"], record["asked_replicates"]) == (256, 1000) and record["failed"] > 64
    assert any("no more of 1000 were drawn" in warning for warning in fit.warnings)


def test_ends_where_the_profile_jumps_or_is_rough_take_few_looks(monkeypatch):
    """They took up to 60 constrained descents for one parameter: bisections to 1e-9, and steps that led nowhere."""
    looks, held = Counter(), _Profile._held

    def counted(profile, sides):
        looks[profile.at] += 1
        return held(profile, sides)

    monkeypatch.setattr(_Profile, "_held", counted)
    given = problem(61)
    fit = superlaw.fit_law(given.table, superlaws(given.law), objective=given.objective)
    assert len(looks) == len(fit.params) and max(looks.values()) <= 30
    assert all(one.low <= one.value <= one.high for one in fit.params.values())


@pytest.mark.parametrize("seed", [84])
def test_a_better_start_that_is_given_is_not_thrown_away(seed):
    """An exponent of 20 makes a step at the smallest size: not likely, but the optimum."""
    given = problem(seed)
    best, u = search(given)
    middle = [np.log(given.table[name]).mean() for name in "xyz"]
    start = {f"c_{name}": float(np.exp(u[i] + u[3 + i] * middle[i])) for i, name in enumerate("xyz")}
    start |= {f"a_{name}": float(u[3 + i]) for i, name in enumerate("xyz")} | {"L_0": float(u[6])}
    fit = superlaw.fit_law(given.table, superlaws(given.law), objective=given.objective, interval="none", start=start)
    values = {name: one.value for name, one in fit.params.items()}
    assert objective(given, coordinates(given).of(values)) <= best * (1 + MUCH)


@pytest.mark.slow
def test_a_thousand_problems():
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(partial(compare, intervals=True), range(1000), chunksize=4))
    bad = [f"{one.text}: {one.fault}" for one in results if one.fault]
    slow = [f"{one.text}: {one.seconds:.1f} s" for one in results if one.n < 100 and one.seconds > 5]
    assert not bad and not slow, "\n".join([*bad, *slow])
