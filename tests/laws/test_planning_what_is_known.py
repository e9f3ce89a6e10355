"""What was given of a fit's parameters stays given where its points are fitted again, and where it is planned with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from superlaw import backtest, fit_law, next_runs, predict_losses, profile_curve
from superlaw.errors import InputError
from superlaw.laws.fit import refit
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.known import Known
from superlaw.laws.law import Points
from superlaw.laws.next_runs import knowledge
from superlaw.laws.rehearse import rehearse
from superlaw.laws.result import Fit
from superlaw.laws.separate import SeparateLaw

KNOWN = {
    "fixed": Known(fixed={"E": 1.7}),
    "tied": Known(tied={"alpha": "beta"}),
    "bounds": Known(bounds={"alpha": (0.2, 0.6)}),
    "prior": Known(priors={"E": (1.7, 0.02), "A": (400, 40)}),
    "all": Known(fixed={"E": 1.7}, tied={"beta": ("alpha", 0.8)}, priors={"alpha": (0.34, 0.02)}),
}
AT = {"N": [1e9, 7e10], "D": [1e10, 1.4e12]}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 11, 40)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=40))
    return {"N": n, "D": d, "recipe": np.array(["a", "b"] * 20), "loss": loss}


@pytest.fixture(scope="module")
def fits(table):
    return {name: fit_law(table, "chinchilla", known=known) for name, known in KNOWN.items()}


@pytest.mark.parametrize("name", KNOWN)
def test_a_fit_read_back_has_the_same_optimum(fits, name):
    """Its stored points, what was given, and priors of the same strength: gradient 0, and the same covariance."""
    fit = Fit.from_dict(json.loads(json.dumps(fits[name].to_dict())))
    assert fit.known == KNOWN[name]
    best = fit.minimum()
    gradient = best.problem.assemble(best.theta[None])[1][0]
    scale = best.problem.assemble(best.theta[None])[3][0]
    assert np.abs(gradient / scale)[best.free].max() < 1e-6 * np.sqrt(2 * best.value)
    again = refit(fit, fit.points())
    np.testing.assert_allclose(again.values, fit.values, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(again.covariance)), np.sqrt(np.diag(fit.covariance)), rtol=1e-3)


@pytest.mark.parametrize("name", KNOWN)
def test_bands_by_the_points_are_those_of_the_stored_covariance(fits, name):
    """The sandwich's variance of a prediction, made anew from the points, and from the covariance of all parameters."""
    fit = fits[name]
    rows = fit.linear.slopes(fit.points_at(AT))
    variance, _ = fit.linear.variances(rows)
    np.testing.assert_allclose(variance, np.einsum("qk,kl,ql->q", rows, fit.log_covariance, rows), rtol=1e-5)
    bare = replace(fit, data=None)
    found, other = predict_losses(fit, AT), predict_losses(bare, AT)
    assert [p.loss for p in found.points] == [p.loss for p in other.points]


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_given_is_no_target_and_stays_given_in_rehearsals(fits, name):
    fit = fits[name]
    found = next_runs(fit, 1e22, runs=4, sets=30)
    assert [one.name for one in found.targets] == [e for e in ("alpha", "beta") if e in fit.estimated]
    for one in found.targets:
        assert one.after < one.now and one.simulated == pytest.approx(one.after, rel=0.15)
    given = [k for k, parameter in enumerate(fit.params) if parameter in KNOWN[name].fixed]
    rows = [np.eye(5)[k] for k in given]
    rows += [np.eye(5)[2] - np.eye(5)[4]] if name == "tied" else []  # alpha less beta
    if rows:
        np.testing.assert_allclose(knowledge(fit.linear).variances(np.array(rows)), 0, atol=1e-18)
        picked = Points(np.array([[1e10, 2e7], [1e9, 1e12]]), np.zeros(2, int))
        np.testing.assert_allclose(rehearse(fit, picked, np.array(rows), 0.01, 5).errors, 0, atol=1e-9)


def test_a_parameter_that_is_given_has_no_profile_and_is_no_target(fits):
    with pytest.raises(InputError, match="the parameter E, which is given"):
        profile_curve(fits["fixed"], "E")
    with pytest.raises(InputError, match="the target alpha, which is given"):
        next_runs(fits["tied"], 1e22, target="alpha")
    curve = profile_curve(fits["fixed"], "alpha")
    assert (curve.others["E"] == 1.7).all() and curve.rise[[0, -1]].min() > curve.bound


def test_the_cheaper_points_are_fitted_with_what_was_known(fits):
    one = backtest(fits["all"], cuts=[1e19]).cuts[0]
    assert one.fit is not None and one.fit.known == KNOWN["all"]
    assert one.fit["E"].value == 1.7 and one.fit["beta"].value == pytest.approx(0.8 * one.fit["alpha"].value)


def test_recipes_in_one_law_are_predicted_and_planned_for(table):
    fit = fit_law(table, SeparateLaw(Chinchilla(), ["recipe"], ["A"]))
    read = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    points = predict_losses(read, {**AT, "recipe": ["a", "b"]}).points
    assert points[0].at["recipe"] == "a" and points[1].reach.outside
    found = next_runs(read, 1e21, target=["A[a]"], runs=3, sets=10)
    assert found.targets[0].name == "log A[a]" and found.targets[0].after < found.targets[0].now
    assert {run["group"] for run in found.runs} <= {"a", "b"}


def test_runs_about_a_one_sided_law_are_not_planned(table):
    fit = fit_law(table, "chinchilla", objective="asymmetric:10", interval="none")
    with pytest.raises(InputError, match="errors lie about the law"):
        next_runs(fit, 1e21)
