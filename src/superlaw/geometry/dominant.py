"""Overlaps of rows once their dominant directions are removed, one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.geometry.blocks import unit_blocks, unit_moment
from superlaw.geometry.moment import Moment

AS_RANDOM = 1.25  # mean squared overlap over that of random directions, up to which the two are called alike
FEW = 0.02  # of the dimensions: as many dominant directions are few
NOTHING = 1e-5  # share of the rows' squared lengths below which what is left may be rounding of float32


@dataclass(frozen=True, eq=False)
class PeeledOverlaps:
    """Overlaps of unit rows in R^m less their first k principal directions, for k = 0, 1, ...

    Parameters
    ----------
    width : int
        m.
    mean_square : ndarray, shape (K,)
        Mean of (r_i . r_j)^2 / (|r_i|^2 |r_j|^2) over pairs i != j, r what is left of a row, each pair weighted by
        |r_i|^2 |r_j|^2, so that a row of which nothing is left does not count. At k = 0 it is the plain mean.
    left : ndarray, shape (K,)
        Share of the rows' squared lengths that is left.
    """

    width: int
    mean_square: np.ndarray
    left: np.ndarray

    @property
    def excess(self) -> np.ndarray:
        """Mean squared overlaps in units of those of random directions in the m - k dimensions left, shape (K,)."""
        return self.mean_square * (self.width - np.arange(len(self.mean_square)))

    @property
    def until_random(self) -> int | None:
        """How many directions must go until the rest overlaps as random directions do; None where nothing is left then.

        0 for random directions, 1 for random ones with one in common, nearly m where no few directions stand out.
        """
        found = np.flatnonzero(self.excess < AS_RANDOM)
        return int(found[0]) if len(found) and self.left[found[0]] > NOTHING else None

    def shown(self) -> list[int]:
        """k = 0, 1, 2, 4, 8, ... as far as anything is left: enough to see how the excess falls."""
        known = np.flatnonzero(np.isfinite(self.mean_square))
        last = int(known[-1]) if len(known) else -1
        return [k for k in (0, *(2**i for i in range(last.bit_length()))) if k <= last]


def peel(W: np.ndarray, rows: np.ndarray | None = None, moment: Moment | None = None) -> PeeledOverlaps:
    """Remove principal directions of the unit rows' second moment one by one.

    sum_ij (r_i . r_j)^2 over all pairs is the sum of the squares of the eigenvalues left; |r_i|^2 comes from one pass
    over the rows in the basis of the eigenvectors: 2 n m^2 operations for all k together.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    rows : ndarray of int, optional
        The rows to take; each needs a direction.
    moment : Moment, optional
        Their second moment, where it is known.

    Examples
    --------
    >>> W = np.random.default_rng(0).normal(size=(2000, 20)) + np.eye(20)[0] * 6
    >>> peeled = peel(W)
    >>> bool(peeled.excess[0] > 5), peeled.until_random
    (True, 1)
    """
    moment = unit_moment(W, rows) if moment is None else moment
    count, m = moment.n, W.shape[1]
    values, vectors = np.linalg.eigh(moment.matrix)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    fourth = np.zeros(len(values))  # sum over rows of |r_i|^4
    if m > count:  # the moment is the matrix of overlaps
        fourth += _fourth_powers(vectors**2 * values)
    else:
        for _, w in unit_blocks(W, rows):
            fourth += _fourth_powers((w @ vectors.astype(w.dtype)) ** 2)
    left, squares = (np.cumsum(x[::-1])[::-1] for x in (values, values**2))
    pairs = left**2 - fourth
    some = (left > NOTHING * left[0]) & (pairs > 0)
    mean = np.divide(np.maximum(squares - fourth, 0.0), pairs, out=np.full(len(values), np.nan), where=some)
    return PeeledOverlaps(m, mean, left / left[0])


def _fourth_powers(squares: np.ndarray) -> np.ndarray:
    """Sum over rows of (sum of the squares from k on)^2, shape (K,), of squares of shape (rows, K)."""
    tails = np.cumsum(squares[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
    return np.einsum("ij,ij->j", tails, tails)
