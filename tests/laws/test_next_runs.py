"""Which runs to make next: least squares' own algebra, plans against all plans, and the interval that comes true."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from superlaw import fit_law, next_runs
from superlaw.errors import InputError
from superlaw.laws.fit import refit
from superlaw.laws.law import Points
from superlaw.laws.next_runs import knowledge, targets_of
from superlaw.laws.plan import Knowledge, Menu, choose
from superlaw.laws.rehearse import rehearse


def regression(n=30, p=3, seed=0):
    """A linear regression with unequal errors: its design, and the sandwich of its estimate."""
    rng = np.random.default_rng(seed)
    X, spread = rng.normal(size=(n, p)), np.exp(rng.normal(size=n))
    bread = np.linalg.inv(X.T @ X)
    return rng, X, bread, bread @ (X.T * spread**2) @ X @ bread


def test_knowledge_after_more_rows_is_the_sandwich_of_all_rows():
    rng, X, bread, sandwich = regression()
    rows, functionals = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    after = Knowledge.of(sandwich, bread).with_rows(rows)
    together = np.linalg.inv(X.T @ X + rows.T @ rows)
    meat = np.linalg.inv(bread) @ sandwich @ np.linalg.inv(bread) + rows.T @ rows
    expected = together @ meat @ together
    np.testing.assert_allclose(after.variances(functionals), np.diag(functionals @ expected @ functionals.T), rtol=1e-9)
    each = Knowledge.of(sandwich, bread).with_each(rows, functionals)
    for k, row in enumerate(rows):
        alone = Knowledge.of(sandwich, bread).with_rows(row[None]).variances(functionals)
        np.testing.assert_allclose(each[k], alone, rtol=1e-9)


def test_alike_errors_need_no_second_covariance():
    rng, X, bread, _ = regression()
    rows = rng.normal(size=(5, 3))
    V = np.linalg.inv(X.T @ X + rows.T @ rows)
    np.testing.assert_allclose(Knowledge.of(bread).with_rows(rows).variances(np.eye(3)), np.diag(V), rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_is_nearly_the_best_of_all_plans(seed):
    """Of all plans of at most four of nine candidates within the budget, by trying each."""
    rng, _, bread, sandwich = regression(seed=seed)
    known, rows, costs = Knowledge.of(sandwich, bread), 2 * rng.normal(size=(9, 3)), np.exp(rng.normal(size=9))
    functionals, budget = rng.normal(size=(2, 3)), 3.0
    value = lambda plan: float(np.log(known.with_rows(rows[list(plan)]).variances(functionals)).sum())  # noqa: E731
    plans = [p for k in range(1, 5) for p in itertools.combinations(range(9), k) if costs[list(p)].sum() <= budget]
    found = choose(known, Menu(rows, costs, budget, runs=4), functionals)
    assert costs[found].sum() <= budget * (1 + 1e-9) and len(found) <= 4
    nothing, best = value(()), min(map(value, plans))
    assert value(found) <= nothing - 0.9 * (nothing - best)


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 11, 40)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=40))
    return fit_law({"N": n, "D": d, "loss": loss, "run": np.repeat(np.arange(10), 4)}, "chinchilla")


def test_a_plan_keeps_to_its_budget_runs_and_copies(fit):
    found = next_runs(fit, 1e21, runs=5, copies=2, sets=0)
    assert found.spent == pytest.approx(sum(run["cost"] * run["copies"] for run in found.runs)) and found.spent <= 1e21
    assert sum(run["copies"] for run in found.runs) <= 5 and max(run["copies"] for run in found.runs) <= 2
    assert all(run["cost"] == pytest.approx(6 * run["N"] * run["D"]) for run in found.runs)
    assert [one.name for one in found.targets] == ["alpha", "beta"]
    assert all(one.after < one.now for one in found.targets)
    for column in ("N", "D"):
        low, high = fit.ranges[column]
        assert all(low <= run[column] <= 10 * high * 1.01 for run in found.runs)
    assert "the data's ranges and a decade beyond" in found.candidates


def test_now_is_the_interval_of_the_fit_and_after_comes_true(fit):
    """Expected and simulated half-widths agree within a tenth (sets of 60 scatter by 1 % about their median)."""
    target = {"N": 7e10, "D": 1.4e12}
    found = next_runs(fit, 1e22, target=["alpha", target], sets=60)
    alpha, loss = found.targets
    assert alpha.now == pytest.approx((fit["alpha"].high - fit["alpha"].low) / 2, rel=1e-12)
    band = fit.predict({name: [value] for name, value in target.items()})
    assert loss.now == pytest.approx(np.log(band.high[0] / band.low[0]) / 2, rel=1e-9) and loss.value == band.loss[0]
    for one in found.targets:
        assert one.after < 0.8 * one.now
        assert one.simulated == pytest.approx(one.after, rel=0.1)
        assert one.simulated_low < one.simulated < one.simulated_high


def test_intervals_of_rehearsed_runs_hold_the_truth_that_they_were_drawn_from(fit):
    """Of 150 sets 95 % intervals hold 0.86 to 0.997 (chance of less or more below 1e-4 at 0.95)."""
    picked = Points(np.array([[1e10, 1e7, 1e10], [1e9, 1e12, 1e12]]), np.zeros(3, int))
    rows = [target.row for target in targets_of(fit)]
    found = rehearse(fit, picked, rows, 0.01, 150)
    assert found.unsolved <= 3
    held = (np.abs(found.errors) <= found.half_widths).mean(axis=0)
    assert (held > 0.86).all() and (held < 0.997).all(), held


def test_a_rehearsed_set_is_fitted_as_the_fit_itself_would_be(fit):
    """One set without noise, drawn from the fit's own parameters: the same as fitting the points and the new losses."""
    used, picked = fit.points(), Points(np.array([[1e10, 2e7], [1e9, 1e12]]), np.zeros(2, int))
    certain = replace(fit, log_covariance=np.zeros((5, 5)), replicates=None)
    rows = [target.row for target in targets_of(fit)]
    found = rehearse(certain, picked, rows, 0.0, 1)
    both = Points(np.concatenate([used.points.sizes, picked.sizes], axis=1), np.zeros(42, int))
    losses = np.concatenate([used.losses, fit.loss_at(picked)[0]])
    again = refit(fit, replace(used, points=both, losses=losses, rows=np.arange(42)))
    np.testing.assert_allclose(found.half_widths[0], again.linear.reach(np.array(rows), 0.95), rtol=1e-5)


def test_clusters_count_in_what_is_known(fit):
    clustered = fit_law({**_table(fit), "run": np.repeat(np.arange(10), 4)}, "chinchilla", cluster="run")
    ours, theirs = (knowledge(one.linear).variances(np.eye(5)) for one in (fit, clustered))
    assert not np.allclose(ours, theirs, rtol=0.05)
    found = next_runs(clustered, 1e21, runs=4, sets=20)
    assert found.targets[0].simulated == pytest.approx(found.targets[0].after, rel=0.25)


def _table(fit):
    used = fit.points()
    return {"N": used.points.sizes[0], "D": used.points.sizes[1], "loss": used.losses}


def test_candidates_of_ones_own_and_a_cost_of_ones_own(fit):
    table = {"N": [1e8, 1e9, 1e10], "D": [1e10, 1e10, 1e10]}
    found = next_runs(fit, 2.0, "1 + N / 1e9 * 0", candidates=table, sets=0)
    assert found.candidates == "the 3 given" and len(found.runs) == 2 and found.spent == 2.0
    assert {run["N"] for run in found.runs} <= set(table["N"])


def test_groups_are_candidates_too():
    rng = np.random.default_rng(0)
    n = 10 ** rng.uniform(7, 10, 40)
    kind = np.array(["a", "b"] * 20)
    loss = (40 / n**0.3 + np.where(kind == "a", 2, 2.2)) * np.exp(0.01 * rng.normal(size=40))
    fit = fit_law({"N": n, "kind": kind, "loss": loss}, "grouped:N,kind")
    found = next_runs(fit, 1e10, "N", target="L_0[a]", sets=10, runs=3)
    assert {run["group"] for run in found.runs} <= {"a", "b"} and found.targets[0].after < found.targets[0].now


WRONG = {
    "a budget of nothing": ({"budget": 0}, "budget = 0"),
    "a budget that buys nothing": ({"budget": 1e3}, "the cheapest candidate costs"),
    "an unknown target": ({"target": "alhpa"}, "did you mean alpha?"),
    "a prediction without D": ({"target": {"N": 1e9}}, "without the column 'D'"),
    "candidates without D": ({"candidates": {"N": [1e9]}}, "without the column 'D'"),
    "a candidate of size 0": ({"candidates": {"N": [0.0], "D": [1e9]}}, "0.0 in row 1, column 'N'"),
    "a cost over no column": ({"cost": "width"}, "the column 'width'"),
    "no runs": ({"runs": 0}, "runs = 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_planned_is_one_line(fit, case):
    options, words = WRONG[case]
    with pytest.raises(InputError) as error:
        next_runs(fit, **{"budget": 1e21} | options)
    assert words in str(error.value) and "\n" not in str(error.value)
