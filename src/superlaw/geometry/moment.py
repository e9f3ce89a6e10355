"""Second moment of rows: what costs n m^2 instead of a visit to all n^2 pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Moment:
    """Second moment of rows, (m, m), or their Gram matrix (n, n) where that is smaller; n rows.

    The two have the same trace, the same sum of squares and the same eigenvalues apart from zeros.
    """

    matrix: np.ndarray
    n: int

    @property
    def frame_potential(self) -> float:
        """sum_ij (W_i . W_j)^2, i = j included: ||W^T W||_F^2 (Benedetto and Fickus, 2003).

        Of n unit rows in R^m it is at least n^2/m (n where n <= m), and just that for a tight frame.
        """
        return float(np.sum(self.matrix**2))

    @property
    def mean_square_overlap(self) -> float:
        """Mean of (w_i . w_j)^2 over pairs i != j of unit rows: (||w^T w||_F^2 - n) / (n (n - 1)), exactly."""
        n = self.n
        return max(0.0, (self.frame_potential - n) / (n * (n - 1))) if n > 1 else float("nan")

    @property
    def participation_ratio(self) -> float:
        """(sum of eigenvalues)^2 / (sum of their squares): how many directions the rows use, at most m."""
        total = self.frame_potential
        return float(np.trace(self.matrix) ** 2 / total) if self.n and total > 0 else float("nan")

    def spectrum(self) -> np.ndarray:
        """Shares of each principal direction, decreasing, with sum 1."""
        values = np.linalg.eigvalsh(self.matrix)[::-1]
        return np.maximum(values, 0.0) / values.sum()


def second_moment(W: np.ndarray) -> Moment:
    """Moment of rows as they are, in float64.

    Examples
    --------
    >>> moment = second_moment(np.eye(3)[:2])
    >>> moment.frame_potential, moment.participation_ratio
    (2.0, 2.0)
    """
    W = np.asarray(W, dtype=np.float64)
    n, m = W.shape
    return Moment(W.T @ W if m <= n else W @ W.T, n)
