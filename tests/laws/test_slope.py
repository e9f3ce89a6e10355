"""The straight line in log-log."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from superlaw import InputError, fit_slope


def test_a_power_law_is_recovered_exactly():
    x = np.array([1, 2, 5, 10, 100.0])
    slope = fit_slope(x, 3 * x**-0.7)
    assert slope.exponent == pytest.approx(0.7, abs=1e-12) and slope.coefficient == pytest.approx(3, rel=1e-12)
    assert slope.stderr < 1e-12 and slope.r_squared == pytest.approx(1)


def test_errors_agree_with_scipy():
    random = np.random.default_rng(0)
    x = np.repeat([10, 15, 25, 39, 63, 100.0], 3)
    y = x**-1.1 * np.exp(0.1 * random.standard_normal(18))
    ours, theirs = fit_slope(x, y), stats.linregress(np.log(x), np.log(y))
    assert (ours.exponent, ours.stderr) == pytest.approx((-theirs.slope, theirs.stderr), rel=1e-10)
    assert ours.r_squared == pytest.approx(theirs.rvalue**2, rel=1e-10)


def test_two_points_have_no_error():
    assert np.isnan(fit_slope(np.array([1, 2]), np.array([2.0, 1.0])).stderr)


@pytest.mark.parametrize(("x", "y"), [([1, 1], [1, 2]), ([1, 2], [1, 0]), ([1, 2], [1, np.nan]), ([-1, 2], [1, 1])])
def test_points_without_a_slope_are_refused(x, y):
    with pytest.raises(InputError):
        fit_slope(np.array(x), np.array(y))
