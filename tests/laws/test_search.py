"""Searches that once failed (flat losses, degenerate tables, starts thrown away), and what is claimed of them."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from superlaw import AdditiveLaw, BrokenPowerLaw, InputError, Kaplan, PowerLaw, compare_laws, fit_law
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import descend, solve, sweep


def flat_losses(seed: int) -> dict[str, np.ndarray]:
    """Widths whose losses are 10.3 but for noise."""
    rng, k = np.random.default_rng(seed), 3 + seed % 6
    return {"m": np.geomspace(8, 1024, k), "loss": 10.3 + 0.005 * rng.normal(size=k)}


# Of seeds 0 to 59 these raised "a profile keeps finding lower values than the solver", or took up to 50 s.
@pytest.mark.parametrize("seed", [2, 3, 4, 13, 19, 33, 37, 38, 44])
def test_flat_losses_are_fitted_or_said_not_to_be_within_seconds(seed):
    begun = time.process_time()
    fit = fit_law(flat_losses(seed), PowerLaw("m"))
    assert time.process_time() - begun < 5
    assert fit.warnings
    if not fit.certificate.converged:
        assert fit.warnings[0].startswith(("not converged", "no term of m is seen"))
        assert all(np.isnan(estimate.low) for estimate in fit.params.values())


def test_a_start_better_than_all_others_is_kept_though_its_exponent_is_large():
    table = flat_losses(2)
    start = {"C": 283.03909038, "a": 5.52167279, "L_0": 10.29802471}  # the profile's find; exponents ended at 5
    fit = fit_law(table, PowerLaw("m"), start=start, starts=16)
    squares = np.sum(np.log((start["C"] / table["m"] ** start["a"] + start["L_0"]) / table["loss"]) ** 2)
    assert fit.objective_value <= squares
    assert fit.certificate.converged


@pytest.mark.parametrize("objective", ["log-ls", "log-huber", "ls"])
@pytest.mark.parametrize("text", ["power:x", "broken:x", "additive:x,y", "kaplan:x,y"])
def test_no_fit_is_worse_than_a_start_that_it_was_given(text, objective):
    rng = np.random.default_rng(0)
    table = {"x": 10 ** rng.uniform(1, 4, 20), "y": 10 ** rng.uniform(1, 4, 20), "loss": 2 + rng.uniform(size=20)}
    fit = fit_law(table, text, objective=objective, interval="none")
    problem = Problem.of(fit.law, fit.data, Objective(objective))
    for _ in range(20):
        theta = problem.starts(4, rng) + 0.5 * rng.normal(size=(4, problem.p))
        theta = np.clip(theta, problem.model.lower, problem.model.upper)
        given = problem.assemble(theta)[0]
        found = solve(problem, starts=0, given=theta)
        assert found.value[0] <= np.nanmin(given) * (1 + 1e-12)


def kaplan_less(seed: int) -> dict[str, np.ndarray]:
    """Tables without the structure of Kaplan's law: noise, rising, or flat."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 40))
    N, D = 10 ** rng.uniform(6, 10, n), 10 ** rng.uniform(8, 12, n)
    noise = rng.normal(size=n)
    losses = (3 + 0.3 * noise, 3 * np.exp(0.2 * noise), 5 * (N / 1e6) ** 0.05 + 0.1 * noise, 2.5 + 1e-3 * noise)
    return {"N": N, "D": 20 * N if seed % 4 == 1 else D, "loss": np.abs(losses[seed % 4]) + 0.1}


# These took 20 to 60 s, some to end in "a profile keeps finding lower values than the solver" or a LinAlgError.
@pytest.mark.parametrize("seed", [0, 1, 3, 5, 8, 10, 13, 14])
def test_kaplans_law_says_what_it_cannot_find_in_tables_without_it(seed):
    begun = time.process_time()
    fit = fit_law(kaplan_less(seed), Kaplan())
    assert time.process_time() - begun < 5
    assert any("at its bound" in w or "not determined" in w or "not converged" in w for w in fit.warnings)


def broken_table(seed: int, n: int = 39) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, at = 10 ** rng.uniform(1, 5, n), 10 ** rng.uniform(1.5, 4.5)
    loss = 0.5 + 10 * x ** -rng.uniform(0.05, 0.4) * (1 + (x / at) ** (1 / 0.3)) ** (-0.3 * rng.uniform(0.1, 0.8))
    return {"x": x, "loss": loss * np.exp(0.02 * rng.normal(size=n))}


@pytest.mark.parametrize("seed", range(6))
def test_a_broken_law_reaches_what_200_starts_reach(seed):
    fit = fit_law(broken_table(seed), BrokenPowerLaw("x"), interval="none")
    problem = Problem.of(fit.law, fit.data, fit.objective)
    many = 2 * solve(problem, starts=200, seed=1000 + seed).value[0]
    assert fit.objective_value <= many * (1 + 1e-6) or not fit.certificate.converged


def test_a_broken_law_of_59_points_takes_seconds():
    begun = time.process_time()
    fit_law(broken_table(20, 59), BrokenPowerLaw("x"))
    assert time.process_time() - begun < 5


def test_starts_from_one_place_are_no_independent_witnesses_and_the_report_counts_places():
    x = np.array([10.0, 20, 40, 80, 160, 320])
    fit = fit_law({"x": x, "loss": 3 / x**0.5 + 1 + 0.01 * np.sin(x)}, PowerLaw("x"), starts=0,
                  start=[{"C": 3.0, "a": 0.5, "L_0": 1.0}] * 16)  # fmt: skip
    assert (fit.certificate.starts, fit.certificate.places) == (16, 1)
    assert "16 starts (from 1 places) agree" in str(fit)
    assert fit_law({"x": x, "loss": 3 / x**0.5 + 1 + 0.01 * np.sin(x)}, PowerLaw("x")).certificate.places > 3


@pytest.mark.parametrize("points", [3, 8])
def test_without_errors_nothing_is_said_of_a_gradient_nor_of_aic(points):
    x = 2.0 ** np.arange(3, 3 + points)
    fit = fit_law({"x": x, "loss": 5 / x**0.5 + 1}, PowerLaw("x"))
    report = str(fit)
    assert "scaled gradient" not in report
    assert "no errors left" in report
    assert "AIC -" not in report and "no errors for AIC" in report
    assert any("nothing is left to judge the errors by" in warning for warning in fit.warnings)
    assert fit.to_dict()["certificate"]["exact"] is True
    assert np.isnan([fit.aic, fit.bic, fit.log_likelihood]).all() and fit.certificate.gradient == 0


def test_a_law_without_errors_stands_first_without_a_number():
    x = 2.0 ** np.arange(3, 15)
    found = compare_laws({"x": x, "y": x, "loss": 5 / x**0.5 + 1}, ["kaplan:x,y", "power:x"])
    assert found.best.name == "power"
    assert found.verdict.startswith("power leaves no errors to compare laws by")


def test_a_second_kind_of_search_leaves_a_bound_that_is_a_trap():
    """x_b at its bound: from there every direct descent stays; held elsewhere and let go, the break is found."""
    table = broken_table(1)
    problem = Problem.of(BrokenPowerLaw("x"), fit_law(table, BrokenPowerLaw("x"), interval="none").data,
                         Objective("log-ls"))  # fmt: skip
    best = solve(problem, starts=64).value[0]
    # Which of these is a trap hangs on the last bit of a gradient that is 0.
    traps = [[10.0, 0.3, a_2, table["x"].max(), s, 0.5] for a_2 in (0.2, 0.25, 0.3, 0.4, 0.5) for s in (0.05, 0.3, 1.0)]
    found = descend(problem, problem.model.thetas(np.array(traps)), most=1000)
    stuck = int(np.argmax(found.value))
    assert found.value[stuck] > best * 1.01
    assert np.nanmin(sweep(problem, found.theta[stuck]).value) < best * (1 + 1e-6)


def test_a_hundred_thousand_rows_with_hubers_bootstrap_take_some_hundred_megabytes():
    """They took 6 GB."""
    rng, n = np.random.default_rng(0), 100_000
    N, D = 10 ** rng.uniform(7, 10, n), 10 ** rng.uniform(9, 12, n)
    loss = (1.7 + 400 / N**0.34 + 2000 / D**0.36) * np.exp(0.02 * rng.normal(size=n))
    tracemalloc.start()
    fit_law({"N": N, "D": D, "loss": loss}, "chinchilla", objective="log-huber", replicates=20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.7e9


def test_clusters_must_be_named_and_several():
    table = {"m": [8.0, 16, 32, 64], "loss": [3.0, 2.5, 2.2, 2.1], "run": ["a", None, "b", "b"], "one": ["a"] * 4}
    with pytest.raises(InputError, match="an empty cell in row 2, column 'run'"):
        fit_law(table, PowerLaw("m"), cluster="run")
    for interval in ("sandwich", "bootstrap"):
        with pytest.raises(InputError, match=r"one cluster \('a'\) in the column 'one'"):
            fit_law(table, PowerLaw("m"), cluster="one", interval=interval)


def test_degenerate_tables_do_not_hide_a_lower_value():
    """Duplicated rows, noise without a law, collinear sizes: against many starts of another seed."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = 10 ** rng.uniform(1, 3, 12)
        y = 20 * x if seed % 3 == 0 else 10 ** rng.uniform(1, 3, 12)
        if seed % 3 == 1:
            x, y = np.repeat(x[:6], 2), np.repeat(y[:6], 2)
        fit = fit_law(
            {"x": x, "y": y, "loss": 2 + 0.5 * rng.uniform(size=12)}, AdditiveLaw(["x", "y"]), interval="none"
        )
        problem = Problem.of(fit.law, fit.data, fit.objective)
        best = 2 * solve(problem, starts=120, seed=seed + 500).value[0]
        assert fit.objective_value <= best * (1 + 1e-6) or not fit.certificate.converged, seed


@pytest.mark.parametrize("law", ["chinchilla", "grouped:N,kind", "kaplan"])
@pytest.mark.parametrize("objective", ["log-ls", "log-huber"])
def test_a_search_that_begins_with_a_sample_ends_where_one_of_all_points_ends(monkeypatch, law, objective):
    rng = np.random.default_rng(5)
    N, D = 10 ** rng.uniform(6, 10, 600), 10 ** rng.uniform(8, 11, 600)
    loss = (1.7 + 400 / N**0.34 + 400 / D**0.28) * np.exp(0.01 * rng.normal(size=600))
    table = {"N": N, "D": D, "loss": loss, "kind": np.where(np.arange(600) < 3, "rare", "common")}
    every = fit_law(table, law, objective=objective, interval="none")
    monkeypatch.setattr("superlaw.laws.fit.MANY_POINTS", 500)
    monkeypatch.setattr("superlaw.laws.fit.SAMPLE", 100)
    sampled = fit_law(table, law, objective=objective, interval="none")
    np.testing.assert_allclose(sampled.values, every.values, rtol=1e-6)
    assert sampled.certificate.converged and sampled.certificate.agreement == every.certificate.agreement
    given = dict(zip(every.params, every.values, strict=True))
    started = fit_law(table, law, objective=objective, interval="none", start=given, starts=1)
    assert started.objective_value <= every.objective_value * (1 + 1e-12)
