"""Dominant directions, removed one by one: against every pair, and on rows made of them."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.geometry.dominant import peel


def brute_force(W: np.ndarray, k: int) -> tuple[float, float]:
    """Mean squared cosine over pairs i != j of what is left of unit rows, weighted by it, and the share of it."""
    w = W / np.linalg.norm(W, axis=1, keepdims=True)
    vectors = np.linalg.eigh(w.T @ w)[1]
    gone = vectors[:, ::-1][:, :k]
    left = w - w @ gone @ gone.T
    lengths = (left**2).sum(axis=1)
    pairs = np.outer(lengths, lengths) * (1 - np.eye(len(w)))
    return float((((left @ left.T) ** 2) * (1 - np.eye(len(w)))).sum() / pairs.sum()), float(lengths.sum() / len(w))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(60, 7), (9, 30), (1500, 3)])
def test_overlaps_of_what_is_left_are_those_of_all_pairs(dtype, shape):
    W = (np.random.default_rng(1).normal(size=shape) * np.linspace(3, 1, shape[1]) + 0.7).astype(dtype)
    found = peel(W)
    for k in range(min(shape) - 1):
        square, left = brute_force(W.astype(np.float64), k)
        assert found.mean_square[k] == pytest.approx(square, rel=2e-4), k
        assert found.left[k] == pytest.approx(left, rel=1e-5), k


def test_chosen_rows_are_those_rows_alone():
    W = np.random.default_rng(2).normal(size=(50, 6))
    rows = np.arange(0, 50, 3)
    np.testing.assert_allclose(peel(W, rows).mean_square, peel(W[rows]).mean_square)


@pytest.mark.parametrize("common", [0, 1, 3])
def test_as_many_directions_as_all_rows_share_must_go(common):
    """Random rows with a large part along each of a few common directions, of random size and sign."""
    rng = np.random.default_rng(common)
    W = rng.normal(size=(3000, 60))
    W[:, :common] = 40 * rng.normal(size=(3000, common)) * np.linspace(1, 2, max(1, common))[:common]
    found = peel(W)
    assert found.until_random == common
    assert found.excess[common] == pytest.approx(1, abs=0.05)


def test_random_directions_are_random_at_once_and_stay_so():
    excess = peel(np.random.default_rng(0).normal(size=(20_000, 32))).excess
    assert np.abs(excess[:16] - 1).max() < 0.05


def test_of_rows_along_one_line_nothing_is_left():
    found = peel(np.outer(np.random.default_rng(0).normal(size=50), np.arange(1.0, 6.0)))
    assert found.mean_square[0] == pytest.approx(1) and np.isnan(found.mean_square[1:]).all()
    assert found.until_random is None and found.shown() == [0]


def test_rows_in_few_of_the_dimensions_are_never_random_in_all():
    W = np.random.default_rng(0).normal(size=(400, 40))
    W[:, 10:] = 0
    found = peel(W)
    assert found.until_random is None and found.excess[0] == pytest.approx(4, rel=0.05)
