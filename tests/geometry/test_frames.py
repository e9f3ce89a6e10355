"""Geometry on frames whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_frames import bases, frame_of_28, random_rows, simplex
from scipy import stats

from superlaw.errors import InputError
from superlaw.geometry import blocks, overlaps
from superlaw.geometry.frames import (
    etf_capacity,
    etf_distance,
    least_mean_cube_overlap,
    least_square_overlap_variance,
    random_square_overlap,
    welch,
    welch_largest,
)
from superlaw.geometry.overlaps import (
    check_rows,
    mean_square_overlap,
    pair_statistics,
    row_norms,
    square_overlap_variance,
)


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


@pytest.mark.parametrize(("frame", "overlap"), [(simplex(2), 1 / 2), (simplex(6), 1 / 6), (frame_of_28(), 1 / 3)])
def test_all_overlaps_of_an_equiangular_tight_frame_are_the_root_of_welch(frame, overlap):
    found, (n, m) = pair_statistics(frame), frame.shape
    assert found.pairs == n * (n - 1) / 2
    assert [found.mean_abs, found.largest, welch_largest(n, m)] == pytest.approx([overlap] * 3)
    assert etf_distance(found.square_variance, m) == pytest.approx(0, abs=1e-12)


def test_a_union_of_bases_is_at_the_welch_value_and_far_from_equiangular():
    frame = bases(6, 5)
    assert mean_square_overlap(frame) == pytest.approx(welch(30, 6), rel=1e-12)
    # Of 435 pairs, the 75 within a basis are at 0: the variance cannot be small.
    assert etf_distance(square_overlap_variance(frame), 6) > 0.5


def test_two_copies_of_a_basis_overlap_fully_in_half_a_pair_each():
    frame = np.vstack([np.eye(4), -3 * np.eye(4)])
    found = pair_statistics(frame)
    assert found.mean_square == pytest.approx(4 / 28) == pytest.approx(welch(8, 4))
    assert found.square_variance == pytest.approx(1 / 7 * 6 / 7)
    assert (found.largest, found.mean_abs) == (1.0, pytest.approx(1 / 7))


def test_no_frame_has_less_variance_than_its_size_allows():
    """0 up to m (m + 1)/2 vectors; beyond, the fourth moment of all frames is at least that of random ones."""
    assert least_square_overlap_variance(28, 7) == pytest.approx(0, abs=1e-15)
    assert least_square_overlap_variance(29, 7) > 0
    for m in (2, 5, 20):
        assert least_square_overlap_variance(10**9, m) == pytest.approx(random_square_overlap(m)[1], rel=1e-6)
    # In the plane k lines spread evenly reach it for k >= 3; random and trained-like frames do not go below.
    angles = np.pi * np.arange(7) / 7
    lines = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert square_overlap_variance(lines) == pytest.approx(least_square_overlap_variance(7, 2), rel=1e-12)
    for seed in range(20):
        n, m = 5 + 3 * seed, 2 + seed % 4
        W = random_rows(n, m, seed) + seed % 3 * 0.3
        found = pair_statistics(W)
        assert found.square_variance >= least_square_overlap_variance(n, m, found.mean_square) - 1e-12


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 8), st.integers(0, 10**6))
def test_statistics_of_pairs_are_those_of_a_direct_loop(n, others, m, seed):
    random = np.random.default_rng(seed)
    A, B = random.standard_normal((n, m)), random.standard_normal((others, m)) * 3
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (A, B))
    within = np.array([a[i] @ a[j] for i in range(n) for j in range(i)])
    between = np.array([x @ y for x in a for y in b])
    block, overlaps.BLOCK = overlaps.BLOCK, 6
    try:
        for found, direct in ((pair_statistics(A), within), (pair_statistics(A, B), between)):
            assert found.pairs == len(direct)
            if len(direct):
                assert found.mean_square == pytest.approx(np.mean(direct**2), rel=1e-9, abs=1e-12)
                assert found.square_variance == pytest.approx(np.var(direct**2), rel=1e-9, abs=1e-12)
                assert found.mean_abs == pytest.approx(np.mean(np.abs(direct)), rel=1e-9)
                assert found.largest == pytest.approx(np.max(np.abs(direct)), rel=1e-9)
            else:
                assert np.isnan(found.mean_square) and np.isnan(found.largest)
    finally:
        overlaps.BLOCK = block


@pytest.mark.parametrize(("n", "m"), [(30, 7), (5, 12)])
def test_large_heads_by_blocks_are_measured_as_small_matrices_are(n, m):
    W = random_rows(n, m) * np.arange(1.0, n + 1)[:, None]
    found = pair_statistics(W)
    assert blocks.unit_moment(W).mean_square_overlap == pytest.approx(found.mean_square, rel=1e-12)
    assert blocks.mean_abs_overlap(W) == pytest.approx(found.mean_abs, rel=1e-12)


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 0)), np.array([["a"]]), np.array([[1.0, np.nan]])])
def test_what_is_no_matrix_of_finite_numbers_is_refused(bad):
    with pytest.raises(InputError, match="need"):
        check_rows(bad)


@given(n=st.integers(2, 60), m=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_no_frame_has_a_mean_cube_below_the_least(n, m, seed):
    W = random_rows(n, m, seed)
    g = overlaps.unit_rows(W)
    cubes = ((g @ g.T) ** 3)[np.triu_indices(len(g), 1)]
    assert pair_statistics(W).mean_cube == pytest.approx(cubes.mean(), abs=1e-12)
    assert cubes.mean() >= least_mean_cube_overlap(len(g)) - 1e-12


@pytest.mark.parametrize("m", [1, 2, 7, 40])
def test_a_basis_and_its_opposite_reach_the_least_mean_cube(m):
    W = np.vstack([np.eye(m), -np.eye(m)])
    assert pair_statistics(W).mean_cube == pytest.approx(least_mean_cube_overlap(2 * m), abs=1e-14)
