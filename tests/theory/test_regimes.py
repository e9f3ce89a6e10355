"""Predictions carry the region where they hold."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.theory.regimes import predicted_exponents
from superlaw.theory.strong import strong_exponent
from superlaw.theory.weak import exponent_between, weak_exponent


def by_regime(alpha: float, n: int, share: float = 0.1):
    return {prediction.regime: prediction for prediction in predicted_exponents(alpha, n, share)}


@pytest.mark.parametrize("alpha", [0, 0.5, 1, 1.25, 1.5, 1.75, 2, 3])
def test_exponents_are_those_of_the_regimes(alpha):
    found = by_regime(alpha, 10_000)
    assert found["weak"].exponent == weak_exponent(alpha)
    strong = [found[name].exponent for name in ("strong", "strong tail") if found[name].exponent is not None]
    assert strong == [strong_exponent(alpha)]
    for prediction in found.values():
        low, high = prediction.data_exponents
        assert (prediction.exponent is not None) == ((low <= alpha <= high and alpha not in (low,)) or alpha == high)
        assert prediction.applies == (prediction.exponent is not None)
    assert found["strong tail"].basis == "conjectured"


@pytest.mark.parametrize("alpha", [1.5, 2.0, 2.5])
def test_inside_the_widths_the_exact_exponent_is_within_the_share_and_outside_it_is_not(alpha):
    n = 5000
    p = np.arange(1.0, n + 1) ** -alpha
    low, high = by_regime(alpha, n)["weak"].widths
    p /= p.sum() * 1e3  # rare features: without p_i^2
    near = lambda m: abs(exponent_between(p, m - 1, m + 1) / (alpha - 1) - 1)  # noqa: E731
    assert near(high) < 0.102 and near(low + 2) < 0.1 and near((low + high) // 2) < 0.1
    assert near(round(1.2 * high)) > 0.1 and near(max(2, low // 2)) > 0.1


def test_a_thousand_features_hardly_show_the_asymptotic_exponents():
    """What to know before comparing a fit over m = 10 to 100 with alpha - 1 or 2 (alpha - 1)."""
    assert by_regime(1.25, 1000)["weak"].widths == (2, 2)
    assert by_regime(1.5, 1000)["weak"].widths == (3, 14)
    assert by_regime(2.0, 1000)["weak"].widths == (5, 95)
    assert by_regime(2.0, 1000)["strong tail"].widths == (3, 13)
    assert by_regime(1.0, 1000)["strong"].widths == (1, 90)


@pytest.mark.parametrize(("n", "share"), [(2, 0.1), (100, 0.0), (100, 1.0)])
def test_a_size_or_share_without_sense_is_refused(n, share):
    with pytest.raises(InputError, match="need n of 3 or more"):
        predicted_exponents(1.5, n, share)
