"""Compute-equivalent gains: closed forms, the ends of the interval by their definition, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from superlaw import fit_law, gain, required_size
from superlaw.errors import InputError
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.gain import _Frontier

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
GRID = np.array([x.ravel() for x in np.meshgrid(10 ** np.linspace(7.5, 9.5, 6), 10 ** np.linspace(9, 11, 6))])


def recipe(factor=1.0, noise=0.0, rng=None, **options):
    """A fit to runs whose N and D are each worth ``factor`` of themselves: its compute is worth the square."""
    n, d = GRID * factor
    loss = TRUTH["E"] + TRUTH["A"] / n ** TRUTH["alpha"] + TRUTH["B"] / d ** TRUTH["beta"]
    loss = loss * np.exp(noise * (rng or np.random.default_rng(0)).normal(size=36))
    return fit_law({"N": GRID[0], "D": GRID[1], "loss": loss}, Chinchilla("N", "D"), **options)


def test_a_recipe_whose_sizes_are_worth_more_gains_their_product():
    found = gain(recipe(), recipe(1.3), [2.2, 2.6, 3.2])
    for row in found.rows:
        assert row.gain.value == pytest.approx(1.3**2, rel=1e-6)
    assert gain(recipe(1.3), recipe(), [2.6]).rows[0].gain.value == pytest.approx(1.3**-2, rel=1e-6)


def test_the_compute_is_what_a_loss_requires():
    rng = np.random.default_rng(4)
    fits = recipe(1, 0.01, rng), recipe(1.2, 0.01, rng)
    (row,) = gain(*fits, [2.5]).rows
    assert [c.value for c in row.compute] == pytest.approx([required_size(fit, 2.5)[0] for fit in fits], rel=1e-6)
    assert row.gain.value == pytest.approx(row.compute[0].value / row.compute[1].value)


@pytest.mark.parametrize("level", [0.5, 0.68, 0.95, 0.99])
def test_the_ends_of_a_compute_are_where_the_loss_leaves_the_band_of_that_level(level):
    fit = recipe(1, 0.01, level=level)
    (row,) = gain(fit, recipe(1.2, 0.01, np.random.default_rng(9), level=level), [2.4]).rows
    one = _Frontier.of(fit)
    for end in (row.compute[0].low, row.compute[0].high):
        points = one.points(np.array([math.log(end)]))
        band = fit.predict(points)
        off = abs(math.log(2.4 / band.loss[0]))
        assert off == pytest.approx(math.log(band.high[0] / band.loss[0]), rel=5e-5)


def test_the_functional_of_log_compute_is_its_derivative():
    """By moving each parameter a little and solving for the compute anew."""
    fit = recipe(1, 0.01)
    one = _Frontier.of(fit)
    log_c = one.log_required(2.5)
    row, step = one.functional(log_c), 1e-5
    for k, name in enumerate(fit.params):
        ends = []
        for sign in (-1, 1):
            values = fit.values.copy()
            values[k] = values[k] * math.exp(sign * step) if name in "AB" else values[k] + sign * step
            from superlaw.laws.required import along_frontier, crossing

            ends.append(crossing(along_frontier(fit, values[None]), 2.5, 1)[0])
        assert row[k] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-3), name


def test_with_small_errors_the_interval_is_that_of_the_delta_method():
    rng = np.random.default_rng(5)
    fits = recipe(1, 1e-4, rng, interval="profile"), recipe(1.2, 1e-4, rng, interval="profile")
    (row,) = gain(*fits, [2.6]).rows
    variance = []
    for fit in fits:
        one = _Frontier.of(fit)
        variance.append(fit.linear.variances(one.functional(one.log_required(2.6))[None])[0][0])
    dof = sum(variance) ** 2 / sum(v**2 / 31 for v in variance)
    half = stats.t.ppf(0.975, dof) * math.sqrt(sum(variance))
    assert math.log(row.gain.high / row.gain.value) == pytest.approx(half, rel=0.01)
    assert math.log(row.gain.value / row.gain.low) == pytest.approx(half, rel=0.01)


def test_all_losses_together_take_a_wider_interval():
    rng = np.random.default_rng(6)
    rows = gain(recipe(1, 0.01, rng), recipe(1.2, 0.01, rng), [2.2, 2.6, 3.2]).rows
    for row in rows:
        assert row.joint[0] < row.gain.low < row.gain.high < row.joint[1]
    (alone,) = gain(recipe(1, 0.01), recipe(1.2, 0.01, np.random.default_rng(1)), [2.6]).rows
    assert alone.joint == (alone.gain.low, alone.gain.high)


def test_a_loss_that_a_recipe_never_reaches_is_a_result():
    worse = fit_law(
        {"N": GRID[0], "D": GRID[1], "loss": 2.3 + 400 / GRID[0] ** 0.34 + 410 / GRID[1] ** 0.28}, "chinchilla"
    )
    found = gain(recipe(), worse, [2.2, 2.8], ("old", "new"))
    assert found.rows[0].why == "never reached by new" and math.isnan(found.rows[0].gain.value)
    assert not found.rows[1].why and "never reached by new" in str(found)
    assert found.to_dict()["rows"][0]["gain"]["value"] is None


def test_a_loss_outside_the_data_says_of_whom():
    rng = np.random.default_rng(7)
    found = gain(recipe(1, 0.005, rng), recipe(1.2, 0.005, rng), [1.9, 2.6], ("a", "b"))
    assert found.rows[0].outside == ("a", "b") and found.rows[1].outside == ()


def test_an_interval_without_end_is_open():
    """Three times the noise at every size: how much compute a loss near E takes is not known."""
    rng = np.random.default_rng(8)
    found = gain(recipe(1, 0.05, rng), recipe(1.2, 0.05, rng), [1.95]).rows[0]
    assert math.isinf(found.gain.high) or found.gain.high > 100 * found.gain.value


def test_losses_are_chosen_that_both_reach_within_their_data():
    rng = np.random.default_rng(3)
    found = gain(recipe(1, 0.005, rng), recipe(1.1, 0.005, rng))
    assert len(found.rows) == 3 and all(row.outside == () for row in found.rows)


def test_a_law_of_compute_alone_has_the_gain_of_its_coefficients():
    C = np.geomspace(1e18, 1e21, 12)
    fits = [fit_law({"C": C, "loss": a / C**0.1 + 1.5}, "power:C", interval="none") for a in (120.0, 100.0)]
    for row in gain(*fits, [2.2, 2.6]).rows:
        assert row.gain.value == pytest.approx(1.2**10, rel=1e-5)


@pytest.mark.slow
def test_the_interval_covers_the_gain():
    """200 simulated pairs: shares below 0.88 or above 0.995 have chances below 1e-4 at 0.95. The tables of 1,000 pairs
    are those of benchmarks/planning.py gain."""
    rng, hits = np.random.default_rng(1), []
    for _ in range(200):
        rows = gain(recipe(1, 0.01, rng, starts=4), recipe(1.2, 0.01, rng, starts=4), [3.0, 2.4]).rows
        hits.append([row.gain.low <= 1.44 <= row.gain.high for row in rows])
    shares = np.mean(hits, axis=0)
    assert (shares > 0.88).all() and (shares < 0.995).all(), shares


WRONG = {
    "laws of different compute": (("power:N", "chinchilla"), [2.5], "laws of N and of flops"),
    "a law of width and depth": (("additive:N,D", "additive:N,D"), [2.5], "a law of N and D, or of one size"),
    "no losses": (("chinchilla", "chinchilla"), [], "losses = []"),
    "a loss that is none": (("chinchilla", "chinchilla"), [math.nan], "losses = [nan]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_compared_is_one_line(case):
    laws, losses, words = WRONG[case]
    n, d = GRID
    table = {"N": n, "D": d, "loss": 1.7 + 400 / n**0.34 + 410 / d**0.28}
    with pytest.raises(InputError) as error:
        gain(*(fit_law(table, law, interval="none") for law in laws), losses)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_fits_of_losses_and_of_their_logs_are_not_compared():
    with pytest.raises(InputError, match="fits of log L and of L"):
        gain(recipe(), recipe(1.2, objective="ls"), [2.5])
