"""The loss of random directions, against frames and samples drawn."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.geometry.frames import welch
from superlaw.theory.best_frames import best_frame
from superlaw.theory.interference import interference, interference_loss, linear_interference


def drawn(p: np.ndarray, random: np.random.Generator, samples: int) -> np.ndarray:
    return (random.random((samples, len(p))) < p) * random.uniform(0, 2, (samples, len(p)))


def random_frame(n: int, m: int, norm: float, random: np.random.Generator) -> np.ndarray:
    W = random.standard_normal((n, m))
    return norm * W / np.linalg.norm(W, axis=1, keepdims=True)


def brute(p: np.ndarray, m: int, norm: float, bias: np.ndarray | float) -> tuple[float, float]:
    """Mean over 300 frames of 400 samples each, ReLU and all: (mean, standard error)."""
    random, losses = np.random.default_rng(0), []
    for _ in range(300):
        W, x = random_frame(len(p), m, norm, random), drawn(p, random, 400)
        losses.append(((np.maximum(x @ W @ W.T + bias, 0) - x) ** 2).sum(axis=1).mean())
    return float(np.mean(losses)), float(np.std(losses) / np.sqrt(len(losses)))


SKEWED = 2 * np.arange(1.0, 31) ** -1.0 / np.sum(np.arange(1.0, 31) ** -1.0)


@pytest.mark.parametrize(
    ("p", "m", "norm", "bias"),
    [
        (np.full(40, 0.02), 2, 1.0, 0.0),
        (np.full(40, 0.02), 10, 1.0, -0.2),
        (np.full(40, 0.2), 10, 0.7, -0.3),
        (np.full(100, 0.01), 8, 1.3, -1.0),
        (np.full(30, 1.0), 20, 0.3, 0.1),
        (SKEWED, 6, 0.9, -0.1),
        (SKEWED, 6, 1.1, np.linspace(0.1, -0.5, 30)),
    ],
)
def test_the_loss_of_random_directions_is_that_of_frames_drawn(p, m, norm, bias):
    mean, error = brute(p, m, norm, bias)
    assert interference_loss(p, m, norm, bias) == pytest.approx(mean, abs=4.5 * error)


@pytest.mark.parametrize(("E", "m"), [(0.1, 4), (1.0, 10), (20.0, 50)])
def test_interference_has_no_mean_and_a_variance_of_four_thirds_e_over_m(E, m):
    p = np.full(200, E / 200)
    z = interference(p, m)
    assert z.probabilities.sum() == pytest.approx(1) and z.probabilities @ z.values == pytest.approx(0, abs=1e-9)
    assert z.probabilities @ z.values**2 == pytest.approx(4 / 3 * E / m, rel=2e-3)  # 1/1000 of it is the grid's
    assert z.probabilities[np.argmin(abs(z.values))] >= np.prod(1 - p)  # all others silent


def test_without_interference_only_the_bias_costs():
    """One feature alone: (1 - p) max(b, 0)^2 + p <(ReLU(r^2 v + b) - v)^2>, by quadrature over v."""
    v = (np.arange(100_000) + 0.5) / 50_000
    for norm, bias in ((1.0, -0.3), (0.5, 0.2), (1.2, -0.5), (0.0, 0.4)):
        slow = 0.7 * max(bias, 0) ** 2 + 0.3 * np.mean((np.maximum(norm**2 * v + bias, 0) - v) ** 2)
        assert interference_loss(np.array([0.3]), 5, norm, bias) == pytest.approx(slow, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(7, 6), (3, 2)])
def test_a_tight_frame_without_relu_loses_n_over_m_less_one_of_the_variance(n, m):
    """The simplex, by drawing samples; the bias removes the mean of the interference."""
    W = np.linalg.svd(np.eye(m + 1) - 1 / (m + 1))[0][:, :m]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    p = np.linspace(0.5, 0.05, n)
    cross = W @ W.T - np.eye(n)
    x = drawn(p, np.random.default_rng(0), 200_000)
    losses = ((x @ cross - p @ cross) ** 2).sum(axis=1)
    theory = linear_interference(p, welch(n, m))
    assert theory == pytest.approx((n / m - 1) * np.sum(4 / 3 * p - p**2), rel=1e-12)
    assert losses.mean() == pytest.approx(theory, abs=4.5 * losses.std() / np.sqrt(len(losses)))


def test_random_directions_without_relu_interfere_as_one_over_m():
    random, p, m = np.random.default_rng(0), np.linspace(0.5, 0.05, 20), 8
    found = []
    for _ in range(4000):
        W = random_frame(20, m, 1.0, random)
        cross = W @ W.T - np.eye(20)
        found.append(np.sum(cross**2 * (4 / 3 * p - p**2)))
    assert np.mean(found) == pytest.approx(linear_interference(p, 1 / m), abs=4.5 * np.std(found) / np.sqrt(4000))


def test_the_best_norm_and_bias_are_better_than_their_neighbours():
    p, best = np.full(200, 0.005), best_frame(200, 20)
    assert interference_loss(p, 20, best.norm, best.bias) == pytest.approx(best.loss, rel=1e-9)
    for norm, bias in ((0.03, 0), (-0.03, 0), (0, 0.03), (0, -0.03)):
        assert interference_loss(p, 20, best.norm + norm, best.bias + bias) > best.loss


def test_random_directions_alone_give_an_exponent_of_one_over_the_published_widths():
    """n = 1000, E = 1, m = 10 to 100: 1.00 as a straight line, from 0.4 at the narrow end to 1.2."""
    widths = np.array([10, 15, 25, 39, 63, 100])
    losses = np.array([best_frame(1000, m).loss for m in widths])
    assert -np.polyfit(np.log(widths), np.log(losses), 1)[0] == pytest.approx(1.0, abs=0.02)
    local = -np.diff(np.log(losses)) / np.diff(np.log(widths))
    assert local[0] < 0.5 and local.max() > 1.1
    wide = [best_frame(1000, m).loss for m in (800, 1600)]
    assert np.log2(wide[0] / wide[1]) == pytest.approx(1.0, abs=0.06)  # and no end at m = n


@pytest.mark.parametrize("call", [
    lambda: interference(np.full(5, 0.1), 1), lambda: interference(np.full(10**5, 1.0), 2),
    lambda: best_frame(10, 4, 11.0), lambda: best_frame(10, 4, 0.0),
])  # fmt: skip
def test_what_has_no_such_distribution_is_refused(call):
    with pytest.raises(InputError, match="need"):
        call()
