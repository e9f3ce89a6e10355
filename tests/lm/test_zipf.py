"""Exponents of known samples, against the package powerlaw and a brute-force likelihood."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from superlaw.errors import InputError
from superlaw.lm.zipf import fit_zipf, regress, split_half


def draw(exponent: float, ranks: int, size: int, seed: int = 0) -> np.ndarray:
    """Counts of ranks drawn with p_r proportional to r^-exponent."""
    p = np.arange(1, ranks + 1.0) ** -exponent
    return np.random.default_rng(seed).multinomial(size, p / p.sum())


def brute_force(counts: np.ndarray) -> float:
    """The exponent that minimises the likelihood as it is written, found by search alone."""
    ranks = np.arange(1.0, len(counts) + 1)

    def loss(a: float) -> float:
        return -float(counts @ np.log(ranks**-a / np.sum(ranks**-a)))

    return minimize_scalar(loss, bounds=(-2, 6), method="bounded", options={"xatol": 1e-10}).x


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.7, 0.9, 1.0, 1.2, 2.0])
def test_likelihood_on_finite_support_is_that_of_brute_force(exponent):
    counts = draw(exponent, 500, 20_000)
    assert fit_zipf(counts).exponent == pytest.approx(brute_force(counts), abs=1e-6)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_the_interval_covers_the_truth_as_often_as_it_says(exponent):
    inside = 0
    for seed in range(200):
        low, high = fit_zipf(draw(exponent, 1000, 5000, seed)).interval
        inside += low <= exponent <= high
    assert 180 <= inside <= 199  # 95 % of 200, within four standard deviations


def fitted_by_both(exponent: float, size: int) -> tuple[float, float, float, float]:
    """The exponent by `powerlaw` and by us, and the seconds each took."""
    powerlaw = pytest.importorskip("powerlaw")
    sample = np.random.default_rng(1).zipf(exponent, size)
    sample = sample[sample < 100_000]  # a few draws beyond would need counts as long as they are large
    start = time.perf_counter()
    theirs = powerlaw.Fit(sample, discrete=True, xmin=1, verbose=False).power_law.alpha
    middle = time.perf_counter()
    ours = fit_zipf(np.bincount(sample)[1:], support=None).exponent
    return theirs, ours, middle - start, time.perf_counter() - middle


@pytest.mark.parametrize("exponent", [1.5, 2.0, 2.5, 3.0])
def test_exponents_agree_with_powerlaw(exponent):
    theirs, ours, *_ = fitted_by_both(exponent, 200_000)
    assert ours == pytest.approx(theirs, abs=2e-3)


@pytest.mark.slow  # a timing: by hand, on a quiet machine
def test_a_fit_takes_a_hundredth_of_the_time_of_powerlaw():
    fitted_by_both(2.0, 1000)  # both loaded
    seconds = np.array([fitted_by_both(exponent, 1_000_000)[2:] for exponent in (1.5, 2.0, 2.5, 3.0)]).sum(axis=0)
    assert seconds[0] / seconds[1] > 100


@pytest.mark.parametrize("exponent", [1.5, 2.0, 3.0])
def test_endless_support_is_the_zeta_distribution(exponent):
    from scipy.special import zeta

    sample = np.random.default_rng(2).zipf(exponent, 200_000)
    sample = sample[sample < 10**6]
    fit = fit_zipf(np.bincount(sample)[1:], support=None)
    mean = np.log(sample).mean()
    best = minimize_scalar(lambda a: a * mean + np.log(zeta(a, 1)), bounds=(1.01, 6), method="bounded",
                           options={"xatol": 1e-10})  # fmt: skip
    assert fit.exponent == pytest.approx(best.x, abs=1e-5)


def test_split_halves_remove_the_bias_of_ranks_from_the_same_sample():
    truth, plain, halved = 1.0, [], []
    for seed in range(10):
        counts = draw(truth, 20_000, 40_000, seed)
        plain.append(fit_zipf(np.sort(counts[counts > 0])[::-1]).exponent - truth)
        halved.append(split_half(counts, seed).exponent - truth)
    assert abs(np.mean(halved)) < abs(np.mean(plain))


def test_regression_finds_an_exact_line_and_says_its_range():
    fit = regress(np.floor(1e7 / np.arange(1, 20_001) ** 1.1))
    assert fit.exponent == pytest.approx(1.1, abs=2e-3)
    assert fit.ranks[0] == 10
    assert regress(np.array([5, 4, 3])) is None


@pytest.mark.parametrize("counts", [[], [5], [0, 0], [3, 0], [3, -1], [np.nan, 1]])
def test_counts_that_determine_nothing_are_refused(counts):
    with pytest.raises(InputError, match="at least two ranks"):
        fit_zipf(np.array(counts))
