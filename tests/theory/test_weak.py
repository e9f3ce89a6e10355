"""Theory against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.theory.strong import strong_exponent
from superlaw.theory.weak import unlearned_loss, weak_exponent


def test_unlearned_loss_is_the_variance_of_the_ignored_features():
    """<(x - <x>)^2> by numerical expectation: x = u v, u ~ Bernoulli(p), v ~ Uniform(0, 2)."""
    p = np.array([0.9, 0.4, 0.1, 0.05])
    v = (np.arange(200_000) + 0.5) / 100_000
    for k in range(5):
        brute = sum(q * np.mean((v - q) ** 2) + (1 - q) * q**2 for q in p[k:])
        assert unlearned_loss(p, k) == pytest.approx(brute, rel=1e-8)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
def test_the_tail_of_a_power_law_falls_with_exponent_alpha_minus_one(alpha):
    p = np.arange(1.0, 3e6) ** -alpha
    losses = [unlearned_loss(p / p.sum(), k) for k in (200, 400)]
    assert np.log2(losses[0] / losses[1]) == pytest.approx(weak_exponent(alpha), abs=0.02)


def test_there_is_no_weak_power_law_at_or_below_alpha_one():
    assert weak_exponent(1.0) is None and weak_exponent(0.5) is None


def test_strong_exponent_is_one_until_the_tail_takes_over():
    assert [strong_exponent(a) for a in (0, 1, 1.5, 1.75, 2)] == [1, 1, 1, 1.5, 2]
