"""Overlaps between rows: how far a set of vectors is from orthogonal. Arrays in, numbers out.

Every mean is over pairs i != j of unit rows w_i = W_i / ||W_i||. Rows of length 0 have no direction
and are left out. In float64, for matrices that fit in memory; a language model's head goes by
:mod:`superlaw.geometry.blocks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.geometry.moment import second_moment

BLOCK = 2048  # rows of a block of pairs: 3 x 32 MB in float64


@dataclass(frozen=True)
class PairStatistics:
    """Of the overlaps w_i . w_j over unordered pairs; NaN where there is no pair.

    Parameters
    ----------
    pairs : int
        Visited: n (n - 1) / 2 within one set of rows, n n' between two.
    mean_square, square_variance : float
        Mean and (population) variance of (w_i . w_j)^2.
    mean_abs, largest : float
        Mean and maximum of |w_i . w_j|.
    mean_cube : float
        Mean of (w_i . w_j)^3: below 0 where a few long negative overlaps stand against many small positive ones,
        which a ReLU does not hear; see :func:`superlaw.geometry.frames.least_mean_cube_overlap`.
    """

    pairs: int
    mean_square: float
    square_variance: float
    mean_abs: float
    largest: float
    mean_cube: float


def check_rows(W: np.ndarray) -> np.ndarray:
    """W as an array of shape (n, m); InputError unless it is one, of finite numbers."""
    W = np.asarray(W)
    if W.ndim != 2 or W.shape[1] == 0 or W.dtype.kind not in "fiu":
        raise InputError(f"rows of shape {W.shape} and type {W.dtype}", "an array of numbers of shape (n, m)")
    bad = np.flatnonzero(~np.isfinite(W).all(axis=1))
    if len(bad):
        raise InputError(
            f"rows with NaN or infinity in {len(bad)} of {len(W)} (first: row {bad[0]})", "finite numbers",
            "the training diverged: lower its learning rate",
        )  # fmt: skip
    return W


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
    return second_moment(unit_rows(W)).mean_square_overlap


def square_overlap_variance(W: np.ndarray) -> float:
    """Variance of (w_i . w_j)^2 over pairs i != j, by blocks of pairs: n^2 m operations.

    0 for an equiangular frame; 2 (m - 1) / (m^2 (m + 2)) for random directions in R^m.

    Examples
    --------
    >>> square_overlap_variance(np.eye(4))
    0.0
    """
    return pair_statistics(W).square_variance


def pair_statistics(W: np.ndarray, others: np.ndarray | None = None) -> PairStatistics:
    """Overlaps within the rows of W, or between them and other rows, by blocks of pairs: n^2 m operations.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    others : ndarray, shape (n', m), optional
        Overlaps of each row of W with each of these instead (rows that both hold count as pairs too).

    Examples
    --------
    >>> pair_statistics(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])).largest.__round__(6)
    0.707107
    >>> pair_statistics(np.eye(2), np.ones((1, 2))).mean_square.__round__(12)
    0.5
    """
    a = unit_rows(W)
    b = a if others is None else unit_rows(others)
    pairs = len(a) * (len(a) - 1) // 2 if others is None else len(a) * len(b)
    if not pairs:
        return PairStatistics(0, *[float("nan")] * 5)
    # Between two sets, sum_ij (a_i . b_j)^2 = sum of (a^T a) (b^T b), entry by entry.
    crossed = None if others is None else float(np.sum((a.T @ a) * (b.T @ b))) / pairs
    mean = second_moment(a).mean_square_overlap if crossed is None else crossed
    deviation = absolute = largest = cube = 0.0
    for i in range(0, len(a), BLOCK):
        for j in range(i if others is None else 0, len(b), BLOCK):
            signed = a[i : i + BLOCK] @ b[j : j + BLOCK].T
            overlaps, squares = np.abs(signed), signed**2
            deviations = (squares - mean) ** 2
            if others is None and i == j:  # both triangles are here: halve them, less the diagonal
                np.fill_diagonal(deviations, 0.0)
                np.fill_diagonal(overlaps, 0.0)
                np.fill_diagonal(squares, 0.0)
            weight = 0.5 if others is None and i == j else 1.0
            deviation += weight * float(deviations.sum())
            absolute += weight * float(overlaps.sum())
            cube += weight * float(np.vdot(squares, signed))
            largest = max(largest, float(overlaps.max()))
    return PairStatistics(pairs, mean, deviation / pairs, absolute / pairs, min(1.0, largest), cube / pairs)
