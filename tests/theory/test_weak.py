"""Weak superposition against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from superlaw.errors import InputError
from superlaw.theory.weak import (
    exponent_between,
    optimal_bias,
    unlearned_loss,
    unlearned_losses,
    weak_exponent,
    weak_local_exponent,
)


def power(alpha: float, n: int) -> np.ndarray:
    p = np.arange(1.0, n + 1) ** -alpha
    return p / p.sum()


def model_loss(W: np.ndarray, b: np.ndarray, p: np.ndarray, samples: int, seed: int = 0) -> tuple[float, float]:
    """The toy model's loss on drawn data, ReLU and all: (mean, standard error)."""
    random = np.random.default_rng(seed)
    x = (random.random((samples, len(p))) < p) * random.uniform(0, 2, (samples, len(p)))
    y = np.maximum(x @ W @ W.T + b, 0)
    losses = ((y - x) ** 2).sum(axis=1)
    return losses.mean(), losses.std() / np.sqrt(samples)


def test_unlearned_loss_is_the_variance_of_the_ignored_features():
    """<(x - <x>)^2> by numerical expectation: x = u v, u ~ Bernoulli(p), v ~ Uniform(0, 2)."""
    p = np.array([0.9, 0.4, 0.1, 0.05])
    v = (np.arange(200_000) + 0.5) / 100_000
    for k in range(5):
        brute = sum(q * np.mean((v - q) ** 2) + (1 - q) * q**2 for q in p[k:])
        assert unlearned_loss(p, k) == pytest.approx(brute, rel=1e-8)


@pytest.mark.parametrize("k", [0, 3, 8])
def test_the_model_with_k_orthonormal_rows_and_the_optimal_bias_has_the_unlearned_loss(k):
    p = 0.9 * power(0.7, 12) / power(0.7, 12).max()
    W = np.zeros((12, 8))
    W[:k] = np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))[0][:k]
    mean, error = model_loss(W, optimal_bias(p, k), p, 200_000)
    assert mean == pytest.approx(unlearned_loss(p, k), abs=4.5 * error)  # a false alarm in 10^5


@pytest.mark.parametrize("change", [-0.05, 0.05])
@pytest.mark.parametrize("feature", [0, 5])
def test_any_other_bias_is_worse(feature, change):
    """On the same samples: the bias of a learned (0) and of an ignored feature (5) is at its best."""
    p, W = np.full(6, 0.4), np.eye(6, 3)
    bias = optimal_bias(p, 3)
    best = model_loss(W, bias, p, 50_000)[0]
    bias[feature] += change
    assert model_loss(W, bias, p, 50_000)[0] > best


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_curve_holds_the_loss_of_every_number_learned(values):
    p = np.sort(values)[::-1]
    curve = unlearned_losses(p)
    assert curve == pytest.approx([unlearned_loss(p, k) for k in range(len(p) + 1)], abs=1e-12)
    assert curve[-1] == 0 and (np.diff(curve) <= 0).all()


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
def test_the_tail_of_a_power_law_falls_with_exponent_alpha_minus_one(alpha):
    assert exponent_between(power(alpha, 3_000_000), 200, 400) == pytest.approx(weak_exponent(alpha), abs=0.02)


def test_there_is_no_weak_power_law_at_or_below_alpha_one():
    assert weak_exponent(1.0) is None and weak_exponent(0.5) is None


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 1.0 + 1e-13, 1.25, 2.0, 3.0])
@pytest.mark.parametrize("k", [3, 10, 100, 900])
def test_the_local_exponent_at_finite_n_is_that_of_the_exact_sum(alpha, k):
    """Slow: the logarithmic derivative of sum_{i > k} i^-alpha from a central difference of the sum."""
    tail = np.append(np.cumsum((np.arange(1.0, 1001) ** -alpha)[::-1])[::-1], 0)  # tail[k]: ranks above k
    slow = -np.log(tail[k + 1] / tail[k - 1]) / np.log((k + 1) / (k - 1))
    assert weak_local_exponent(alpha, k, 1000) == pytest.approx(slow, rel=0.06 if k == 3 else 0.01)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 2.5])
def test_the_local_exponent_tends_to_alpha_minus_one_for_many_features(alpha):
    assert weak_local_exponent(alpha, 1e4, 10**12) == pytest.approx(alpha - 1, rel=1e-3)


def test_the_local_exponent_leaves_alpha_minus_one_where_the_page_says():
    """By the share s = 0.1 from k = n / 11^(1/(alpha - 1)) on."""
    for alpha, n in ((2.0, 10**5), (1.5, 10**7)):
        k = n / 11 ** (1 / (alpha - 1))
        assert weak_local_exponent(alpha, k, n) == pytest.approx(1.1 * (alpha - 1), rel=1e-3)


def test_the_last_feature_learned_ends_the_power_law():
    p = power(1.5, 100)
    assert exponent_between(p, 50, 100) == np.inf
    assert exponent_between(p, 90, 99) > 10 * weak_exponent(1.5)


@pytest.mark.parametrize("call", [
    lambda p: unlearned_loss(p, 11), lambda p: unlearned_loss(p, -1), lambda p: exponent_between(p, 3, 3),
    lambda p: exponent_between(p, 0, 3), lambda p: weak_local_exponent(1.5, 10, 10),
])  # fmt: skip
def test_numbers_of_features_that_do_not_fit_are_refused(call):
    with pytest.raises(InputError, match="need"):
        call(power(1, 10))
