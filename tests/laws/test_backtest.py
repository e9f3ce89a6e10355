"""Backtests: a law that holds foretells its dearer runs, one that bends does not; what cannot be fitted says why."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw import backtest, fit_law
from superlaw.errors import InputError


def chinchilla(count=60, noise=0.01, seed=2, bend=0.0):
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(7, 10, count), 10 ** rng.uniform(9, 11, count)
    clean = 1.7 + 400 / n**0.34 + 410 / d**0.28 - bend * np.maximum(np.log10(6 * n * d) - 19.5, 0)
    return {"N": n, "D": d, "loss": clean * np.exp(noise * rng.normal(size=count))}


def test_the_cheaper_points_alone_are_fitted_and_the_dearer_predicted():
    table = chinchilla()
    fit = fit_law(table, "chinchilla")
    found = backtest(fit, cuts=[1e19])
    (one,) = found.cuts
    C = 6 * table["N"] * table["D"]
    assert (one.fitted, one.held) == ((C <= 1e19).sum(), (C > 1e19).sum())
    assert one.share == pytest.approx(C[C <= 1e19].sum() / C.sum()) and one.reach == pytest.approx(C.max() / 1e19)
    part = {name: column[C <= 1e19] for name, column in table.items()}
    again = fit_law(part, "chinchilla")
    rest = {name: column[C > 1e19] for name, column in table.items()}
    band = again.predict(rest, points=True)
    np.testing.assert_allclose(one.predicted, band.loss, rtol=1e-6)
    np.testing.assert_array_equal(one.measured, rest["loss"])
    assert one.bias.value == pytest.approx(np.log(rest["loss"] / band.loss).mean(), rel=1e-4)
    inside = (rest["loss"] >= band.low) & (rest["loss"] <= band.high)
    assert one.covered == pytest.approx(inside.mean())


def test_a_law_without_noise_is_foretold_exactly():
    found = backtest(fit_law(chinchilla(noise=0.0), "chinchilla", interval="none"))
    assert len(found.cuts) == 5
    assert all(abs(one.bias.value) < 1e-9 and one.rms < 1e-9 for one in found.cuts)


@pytest.mark.slow
def test_the_bias_is_as_large_as_its_error_says_where_the_law_holds():
    """z of the bias over 60 simulated tables: mean square 1 within 4 standard errors (sqrt(2/60) each)."""
    z = []
    for seed in range(60):
        (one,) = backtest(fit_law(chinchilla(seed=seed), "chinchilla", starts=4), cuts=[1e19]).cuts
        z.append(one.bias.value / one.bias.stderr)
    assert np.mean(np.square(z)) == pytest.approx(1, abs=4 * np.sqrt(2 / 60))


def test_a_law_that_bends_is_found_biased():
    found = backtest(fit_law(chinchilla(bend=0.2), "chinchilla"))
    assert "losses came out lower" in found.verdict
    assert found.cuts[0].bias.value < -4 * found.cuts[0].bias.stderr


def test_what_cannot_be_fitted_is_a_result():
    fit = fit_law(chinchilla(), "chinchilla")
    cheapest = np.sort(6 * fit.points().points.sizes.prod(axis=0))
    found = backtest(fit, cuts=[float(cheapest[2]), 1e19])
    assert found.cuts[0].why.startswith("not fitted: 3 points for the 5 parameters") and not found.cuts[1].why
    assert "not fitted: 3 points" in str(found) and found.to_dict()["cuts"][0]["rms"] is None
    assert "of 1 cut" in found.verdict


def test_a_group_without_cheaper_points_says_so():
    table = chinchilla()
    table["kind"] = np.where(table["N"] > 1e9, "large", "small")
    found = backtest(fit_law(table, "grouped:N,kind", interval="none"), "N", cuts=[5e8])
    assert found.cuts[0].why


def test_the_cost_is_the_size_of_a_law_of_one():
    x = np.geomspace(1e6, 1e9, 30)
    loss = (40 / x**0.3 + 2) * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    found = backtest(fit_law({"a size": x, "loss": loss}, "power:a size"))
    assert found.cost == "a size" and [one.held for one in found.cuts] == [15, 12, 9, 6, 3]


WRONG = {
    "a cut beyond the points": ({"cuts": [1e30]}, "a cut at 1e+30"),
    "a cost that is no column": ({"cost": "width * 2"}, "the column 'width'"),
    "a cost that is a comparison": ({"cost": "N > 1e8"}, "a number for every run"),
    "a cost of 0": ({"cost": "N * 0"}, "a cost of 0"),
    "one cost for all": ({"cost": "N / N"}, "points of one cost"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_tested_is_one_line(case):
    options, words = WRONG[case]
    with pytest.raises(InputError) as error:
        backtest(fit_law(chinchilla(), "chinchilla", interval="none"), **options)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_law_without_a_cost_of_its_own_asks_for_one():
    rng = np.random.default_rng(0)
    m, l = 2.0 ** rng.uniform(5, 10, 40), 2.0 ** rng.uniform(1, 5, 40)
    fit = fit_law({"m": m, "l": l, "loss": 30 / m**0.8 + 3 / l + 1.7}, "additive:m,l", interval="none")
    with pytest.raises(InputError, match="no cost of a run"):
        backtest(fit)
