"""Overlaps between rows: how far a set of vectors is from orthogonal. Arrays in, numbers out.

Every mean is over pairs i != j of unit rows w_i = W_i / ||W_i||. Rows of length 0 have no direction
and are left out.
"""

from __future__ import annotations

import numpy as np

BLOCK = 2048  # rows of a block of pairs: 2 x 32 MB in float64


def row_norms(W: np.ndarray) -> np.ndarray:
    """||W_i||, shape (n,), in float64.

    Examples
    --------
    >>> row_norms(np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([5., 1.])
    """
    return np.sqrt(np.einsum("ij,ij->i", W, W, dtype=np.float64))


def unit_rows(W: np.ndarray) -> np.ndarray:
    """Rows of W with a direction, scaled to length 1, in float64, shape (n', m)."""
    norms = row_norms(W)
    kept = norms > 0
    return W[kept] / norms[kept, None]


def mean_square_overlap(W: np.ndarray) -> float:
    """Mean of (w_i . w_j)^2 over pairs i != j, through the second moment: n m^2 operations.

    sum_ij (w_i . w_j)^2 = ||w^T w||_F^2, of which the diagonal is n. NaN with fewer than two rows.

    Examples
    --------
    >>> mercedes = np.array([[np.cos(a), np.sin(a)] for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)])
    >>> round(mean_square_overlap(mercedes), 12)
    0.25
    """
    w = unit_rows(W)  # (n, m)
    n, m = w.shape
    if n < 2:
        return float("nan")
    moment = w.T @ w if m <= n else w @ w.T  # (m, m), or the Gram matrix where that is smaller
    return max(0.0, float((np.sum(moment**2) - n) / (n * (n - 1))))


def square_overlap_variance(W: np.ndarray) -> float:
    """Variance of (w_i . w_j)^2 over pairs i != j, by blocks of pairs: n^2 m operations.

    0 for an equiangular frame; 2 (m - 1) / (m^2 (m + 2)) for random directions in R^m.

    Examples
    --------
    >>> square_overlap_variance(np.eye(4))
    0.0
    """
    w = unit_rows(W)
    n = len(w)
    if n < 2:
        return float("nan")
    mean = mean_square_overlap(W)
    total = 0.0
    for i in range(0, n, BLOCK):
        for j in range(i, n, BLOCK):
            squares = (w[i : i + BLOCK] @ w[j : j + BLOCK].T) ** 2
            deviations = (squares - mean) ** 2
            if i == j:
                np.fill_diagonal(deviations, 0.0)
            total += float(deviations.sum()) * (1 if i == j else 2)
    return total / (n * (n - 1))
