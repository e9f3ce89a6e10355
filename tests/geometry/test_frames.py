"""Geometry on frames whose answers are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from superlaw.geometry import overlaps
from superlaw.geometry.frames import etf_capacity, random_square_overlap, welch
from superlaw.geometry.overlaps import mean_square_overlap, row_norms, square_overlap_variance


def simplex(m: int) -> np.ndarray:
    """m + 1 unit vectors in R^m, all overlaps -1/m: the centred standard basis, in a basis of its own space."""
    centred = np.eye(m + 1) - 1 / (m + 1)
    return np.linalg.svd(centred)[0][:, :m]


def frame_of_28() -> np.ndarray:
    """28 equiangular lines in R^7: permutations of (3, 3, -1^6) in R^8 are orthogonal to (1, ..., 1)."""
    rows = []
    for i, j in itertools.combinations(range(8), 2):
        row = np.full(8, -1.0)
        row[[i, j]] = 3
        rows.append(row)
    rows = np.array(rows)
    basis = np.linalg.svd(np.ones((1, 8)))[2][1:]  # of the space orthogonal to (1, ..., 1)
    return rows @ basis.T


@pytest.mark.parametrize(("frame", "n", "m"), [(simplex(2), 3, 2), (simplex(9), 10, 9), (frame_of_28(), 28, 7)])
def test_equiangular_tight_frames_reach_welch_with_no_variance(frame, n, m):
    assert frame.shape == (n, m)
    assert mean_square_overlap(frame) == pytest.approx(welch(n, m), rel=1e-12)
    assert square_overlap_variance(frame) == pytest.approx(0, abs=1e-15)


def test_twenty_eight_is_the_most_for_seven_dimensions():
    assert etf_capacity(7) == 28


def test_orthonormal_rows_do_not_overlap():
    assert mean_square_overlap(np.eye(5)) == 0 == square_overlap_variance(np.eye(5))


def test_random_directions_follow_the_beta_law():
    m, n = 12, 3000
    w = np.random.default_rng(0).standard_normal((n, m))
    mean, variance = random_square_overlap(m)
    law = stats.beta(1 / 2, (m - 1) / 2)
    assert (law.mean(), law.var()) == pytest.approx((mean, variance), rel=1e-12)
    # The mean over pairs is a degenerate U-statistic with spread of order mean/n: 1 % is many of its
    # standard deviations, false alarms far below 1e-6.
    assert mean_square_overlap(w) == pytest.approx(mean, rel=0.01)
    assert square_overlap_variance(w) == pytest.approx(variance, rel=0.03)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 40), st.integers(1, 12), st.integers(0, 10**6))
def test_second_moment_and_blocks_agree_with_all_pairs(n, m, seed):
    W = np.random.default_rng(seed).standard_normal((n, m))
    w = W / np.linalg.norm(W, axis=1, keepdims=True)
    squares = ((w @ w.T) ** 2)[~np.eye(n, dtype=bool)]
    assert mean_square_overlap(W) == pytest.approx(squares.mean(), rel=1e-9, abs=1e-12)
    block, overlaps.BLOCK = overlaps.BLOCK, 7
    try:
        assert square_overlap_variance(W) == pytest.approx(squares.var(), rel=1e-9, abs=1e-12)
    finally:
        overlaps.BLOCK = block


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(2, 30), st.integers(1, 10), st.integers(0, 10**6))
def test_overlaps_do_not_change_under_rotation_scale_and_order(n, m, seed):
    random = np.random.default_rng(seed)
    W = random.standard_normal((n, m))
    rotation = np.linalg.qr(random.standard_normal((m, m)))[0]
    other = (W * random.uniform(0.1, 10, (n, 1)))[random.permutation(n)] @ rotation
    assert mean_square_overlap(other) == pytest.approx(mean_square_overlap(W), rel=1e-9, abs=1e-12)
    assert mean_square_overlap(W) >= welch(n, m) - 1e-12


def test_rows_of_length_zero_are_left_out():
    W = np.vstack([np.eye(3), np.zeros((2, 3))])
    assert mean_square_overlap(W) == 0 and row_norms(W)[-1] == 0
    assert np.isnan(mean_square_overlap(np.zeros((4, 2))))
