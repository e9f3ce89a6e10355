"""Strong superposition: exponents, and where they end."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.geometry.frames import welch
from superlaw.theory.strong import (
    strong_exponent,
    strong_local_exponent,
    strong_tail_local_exponent,
    strongly_represented,
    width_of_deviation,
)


def test_strong_exponent_is_one_until_the_tail_takes_over():
    assert [strong_exponent(a) for a in (0, 1, 1.5, 1.75, 2)] == [1, 1, 1, 1.5, 2]


@pytest.mark.parametrize("m", [2, 50, 500, 998])
def test_the_local_exponent_is_the_slope_of_welch(m):
    h = 1e-4
    slope = -np.log(welch(1000, m + h) / welch(1000, m - h)) / np.log((m + h) / (m - h))
    assert strong_local_exponent(m, 1000) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_the_exponent_is_off_by_the_share_at_the_width_said(share):
    width = width_of_deviation(1000, share)
    assert strong_local_exponent(width, 1000) == pytest.approx(1 + share)


def test_ten_per_cent_is_reached_in_exponent_at_an_eleventh_of_n_and_in_value_at_a_tenth():
    n = 11_000
    assert width_of_deviation(n) == n / 11
    assert welch(n, n / 10) * n / 10 == pytest.approx(0.9, rel=1e-4)


@pytest.mark.parametrize("alpha", [1.75, 2.0, 3.0])
def test_the_tail_beyond_half_the_square_of_m_falls_twice_as_fast(alpha):
    """Against the sum itself, n large: 2 (alpha - 1); and at n = 1000, where it does not."""
    n = 2_000_000
    tail = np.append(np.cumsum((np.arange(1.0, n + 1) ** -alpha)[::-1])[::-1], 0)
    k = [int(strongly_represented(m)) for m in (20, 40)]
    slow = np.log(tail[k[0]] / tail[k[1]]) / np.log(2)
    assert strong_tail_local_exponent(alpha, np.sqrt(20 * 40), n) == pytest.approx(slow, rel=0.01)
    assert slow == pytest.approx(2 * (alpha - 1), rel=0.02)
    assert strong_tail_local_exponent(alpha, 40, 1000) > 2 * (alpha - 1) * 1.2


@pytest.mark.parametrize("call", [
    lambda: strong_local_exponent(10, 10), lambda: strong_local_exponent(0, 10), lambda: width_of_deviation(10, 0),
    lambda: strong_tail_local_exponent(2.0, 45, 1000),
])  # fmt: skip
def test_widths_beyond_the_end_are_refused(call):
    with pytest.raises(InputError, match="need"):
        call()
