"""Exponents: seeds are replicates, errors count widths, the scaling range is a rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from superlaw.findings.exponents import exponent, exponents, outside, predicted, regime


def runs(widths, losses, seeds=None, **more):
    table = {"width": widths, "loss": losses, "seed": seeds if seeds is not None else np.zeros(len(widths), int),
             "n_features": 1000, "density": 1.0, "status": "ok", **more}  # fmt: skip
    return pd.DataFrame(table)


def noisy(random, seeds=3, bend=0.0, widths=(10, 15, 25, 39, 63, 100)):
    m = np.repeat(widths, seeds)
    x = np.log(m)
    noise = 0.1 * random.standard_normal(len(m))
    return runs(m, np.exp(-x + bend * (x - x.mean()) ** 2 + noise), np.tile(np.arange(seeds), len(widths)))


def test_an_exact_power_law_has_its_exponent_and_no_error():
    m = np.array([10, 20, 40, 80])
    found = exponent(runs(m, 0.7 * m**-1.3))
    assert found.exponent == pytest.approx(1.3, abs=1e-12)
    assert found.coefficient == pytest.approx(0.7, abs=1e-12)
    assert found.stderr == pytest.approx(0, abs=1e-9)


def test_the_error_is_that_of_a_line_through_the_widths_means():
    table = noisy(np.random.default_rng(0))
    found = exponent(table)
    means = np.log(table["loss"]).groupby(table["width"]).mean()
    line = stats.linregress(np.log(means.index), means)
    assert found.exponent == pytest.approx(-line.slope)
    assert found.stderr == pytest.approx(line.stderr)
    assert found.seeds == 3 and found.n == 18


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(1)
    trials = 2000
    held = 0
    for _ in range(trials):
        found = exponent(noisy(random))
        held += found.low <= 1 <= found.high
    low, high = stats.binom.ppf([5e-6, 1 - 5e-6], trials, 0.95)  # false alarm 1e-5
    assert low <= held <= high


def test_a_straight_line_is_called_curved_as_rarely_as_stated_and_a_bent_one_nearly_always():
    random = np.random.default_rng(2)
    chances = [exponent(noisy(random)).lack_of_fit for _ in range(1000)]
    assert stats.kstest(chances, "uniform").pvalue > 1e-5
    bent = [exponent(noisy(random, bend=0.4)).curved for _ in range(200)]
    assert np.mean(bent) > 0.95


def test_seeds_alone_can_tell_a_bend():
    assert np.isnan(exponent(noisy(np.random.default_rng(0), seeds=1)).lack_of_fit)


def test_the_scaling_range_ends_at_a_tenth_of_the_features_and_at_untrained_runs():
    table = runs([10, 20, 50, 100, 101, 30], [0.5, 0.3, 0.1, 0.05, 0.01, 1.4])
    assert outside(table).tolist() == ["", "", "", "", "beyond n/10", "untrained"]
    assert exponent(table).left_out == {"beyond n/10": 1, "untrained": 1}
    assert exponent(table).widths == (10, 20, 50, 100)


def test_diverged_and_missing_runs_are_left_out_by_name():
    table = runs([10, 20, 50, 70], [0.5, 0.3, 0.2, np.nan], status=["ok", "ok", "ok", "diverged"])
    assert exponent(table).left_out == {"diverged": 1}


def test_two_widths_make_no_exponent():
    assert exponent(runs([10, 20], [0.5, 0.25])) is None


@pytest.mark.parametrize(
    ("represented", "width", "named"), [(900, 10, "strong"), (15, 10, "weak"), (16, 10, "between"), (9, 1000, "none")]
)
def test_the_regime_is_what_the_runs_represent(represented, width, named):
    table = runs([width], [0.5], represented=represented, represented_fraction=represented / 1000)
    assert regime(table) == named


def test_theory_has_an_exponent_only_where_it_holds():
    assert predicted("strong", "power", 2.0) == 2 and predicted("strong", "linear", 2.0) == 1
    assert predicted("weak", "power", 1.5) == 0.5
    assert np.isnan([predicted("weak", "power", 1.0), predicted("weak", "linear", 2.0)]).all()
    assert np.isnan(predicted("between", "power", 2.0))


def test_every_cell_has_a_row_even_without_an_exponent():
    m = np.array([10, 20, 40, 80])
    more = {"frequencies": "power", "data_exponent": 1.0, "represented": 1000, "represented_fraction": 1.0}
    good = runs(m, 1 / m, weight_decay=-1.0, **more)
    bad = runs(m[:2], 1 / m[:2], weight_decay=1.0, **more)
    found = exponents(pd.concat([good, bad]), ["weight_decay"])
    assert found["exponent"].tolist()[0] == pytest.approx(1) and np.isnan(found["exponent"][1])
    assert found["left_out"].tolist() == [0, 2]
