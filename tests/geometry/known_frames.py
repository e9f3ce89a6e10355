"""Frames whose overlaps are known."""

from __future__ import annotations

import itertools

import numpy as np


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


def bases(m: int, count: int, seed: int = 0) -> np.ndarray:
    """That many orthonormal bases of R^m, turned at random: a tight frame, not an equiangular one."""
    random = np.random.default_rng(seed)
    return np.concatenate([np.linalg.qr(random.standard_normal((m, m)))[0] for _ in range(count)])


def random_rows(n: int, m: int, seed: int = 0) -> np.ndarray:
    """n independent directions, evenly distributed in R^m, of length 1."""
    w = np.random.default_rng(seed).standard_normal((n, m))
    return w / np.linalg.norm(w, axis=1, keepdims=True)
