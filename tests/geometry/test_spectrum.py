"""Frame potential, participation ratio, dimensionality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_frames import bases, frame_of_28, random_rows, simplex

from superlaw.geometry.overlaps import mean_square_overlap
from superlaw.geometry.spectrum import dimensionality, frame_potential, participation_ratio

TIGHT = [simplex(2), simplex(7), frame_of_28(), np.eye(4), bases(6, 5)]


@pytest.mark.parametrize("frame", TIGHT)
def test_a_tight_frame_uses_all_dimensions_evenly(frame):
    n, m = frame.shape
    assert frame_potential(frame) == pytest.approx(n**2 / m)
    assert participation_ratio(frame) == pytest.approx(m)
    assert dimensionality(frame) == pytest.approx(np.full(n, m / n))


def test_features_share_a_dimension_as_elhage_et_al_say():
    """A feature of its own: 1; an antipodal pair: 1/2 each; a triangle in a plane: 2/3; a pentagon: 2/5."""
    angles = 2 * np.pi * np.arange(5) / 5
    pentagon = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    W = np.zeros((1 + 2 + 3 + 5 + 2, 6))
    W[0, 0], W[1, 1], W[2, 1], W[3:6, 2:4], W[6:11, 4:6] = 1, 1, -1, simplex(2), pentagon
    assert dimensionality(W) == pytest.approx([1, *[1 / 2] * 2, *[2 / 3] * 3, *[2 / 5] * 5, 0, 0])
    assert dimensionality(W).sum() == pytest.approx(6)


rows = st.tuples(st.integers(1, 25), st.integers(1, 10), st.integers(0, 10**6))


def some(n: int, m: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    W = random.standard_normal((n, m)) @ np.diag(random.uniform(0, 2, m)) * random.uniform(0, 2, (n, 1))
    W[random.random(n) < 0.2] = 0
    return W


@given(rows)
def test_dimensionality_is_the_double_loop_of_its_definition(shape):
    W = some(*shape)
    for Wi, found in zip(W, dimensionality(W), strict=True):
        norm = np.linalg.norm(Wi)
        slow = norm**2 / sum((Wi / norm @ Wj) ** 2 for Wj in W) if norm > 0 else 0
        assert found == pytest.approx(slow, rel=1e-9)


@given(rows)
def test_dimensionalities_sum_to_between_the_stable_rank_and_the_rank(shape):
    W = some(*shape)
    D = dimensionality(W)
    assert (D >= 0).all() and (D <= 1).all()
    assert D.sum() <= np.linalg.matrix_rank(W) + 1e-9
    if W.any():
        assert D.sum() >= np.sum(W**2) / np.linalg.norm(W, 2) ** 2 * (1 - 1e-9)
        unit = W[np.any(W, axis=1)]
        unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
        assert dimensionality(unit).sum() >= participation_ratio(unit) * (1 - 1e-9)


@given(rows)
def test_frame_potential_is_the_sum_of_all_squared_overlaps(shape):
    W = some(*shape)
    w = W[np.any(W, axis=1)]
    w = w / np.linalg.norm(w, axis=1, keepdims=True)
    n, total = len(w), np.sum((w @ w.T) ** 2)
    assert frame_potential(W) == pytest.approx(total)
    if n > 1:  # 1/PR is the mean with the diagonal
        assert mean_square_overlap(W) == pytest.approx((total - n) / (n * (n - 1)), abs=1e-12)
        assert 1 / participation_ratio(W) == pytest.approx((1 + (n - 1) * mean_square_overlap(W)) / n)


@given(rows)
def test_rotation_and_scale_change_nothing_and_order_goes_with_the_rows(shape):
    W = some(*shape)
    random = np.random.default_rng(0)
    turned = 7.0 * W @ np.linalg.qr(random.standard_normal((W.shape[1],) * 2))[0]
    order = random.permutation(len(W))
    assert dimensionality(turned[order]) == pytest.approx(dimensionality(W)[order], rel=1e-8, abs=1e-12)
    if W.any():
        assert participation_ratio(turned[order]) == pytest.approx(participation_ratio(W), rel=1e-8)
        assert participation_ratio(turned, unit=False) == pytest.approx(participation_ratio(W, unit=False), rel=1e-8)
        stretched = W * random.uniform(0.1, 10, (len(W), 1))  # row by row: the unit rows stay
        assert participation_ratio(stretched) == pytest.approx(participation_ratio(W), rel=1e-8)


def test_participation_counts_eigenvalues_by_their_share():
    W = np.diag([3.0, 3.0, 1.0])
    shares = np.array([9, 9, 1]) / 19
    assert participation_ratio(W, unit=False) == pytest.approx(1 / np.sum(shares**2))
    assert participation_ratio(random_rows(2000, 5)) == pytest.approx(5, rel=0.02)
    assert participation_ratio(np.ones((4, 3))) == pytest.approx(1)


def test_rows_without_direction_count_nowhere():
    W = np.vstack([np.eye(3), np.zeros((2, 3))])
    assert frame_potential(W) == 3 == participation_ratio(W)
    assert dimensionality(np.zeros((4, 2))).tolist() == [0, 0, 0, 0]
    assert np.isnan(participation_ratio(np.zeros((4, 2)))) and np.isnan(participation_ratio(np.zeros((4, 2)), False))


def test_tiny_and_huge_rows_keep_their_dimensionality():
    W = np.diag([1.0, 2.0, 3.0])
    for scale in (1e-150, 1e150):
        assert dimensionality(scale * W) == pytest.approx([1, 1, 1])
