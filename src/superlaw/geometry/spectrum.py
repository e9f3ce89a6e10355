"""How many directions rows use, and how much of one each row has to itself."""

from __future__ import annotations

import numpy as np

from superlaw.geometry.moment import second_moment
from superlaw.geometry.overlaps import check_rows, row_norms, unit_rows


def frame_potential(W: np.ndarray) -> float:
    """sum_ij (w_i . w_j)^2 over unit rows, i = j included: ||w^T w||_F^2, n m^2 operations.

    At least max(n, n^2/m); n^2/m is a tight frame (Benedetto and Fickus, Adv. Comput. Math. 18, 2003).
    Rows of length 0 are left out.

    Raises
    ------
    InputError
        When W is not an (n, m) array of finite numbers; so do all functions here.

    Examples
    --------
    >>> frame_potential(np.vstack([np.eye(2), np.eye(2)]))
    8.0
    """
    return second_moment(unit_rows(check_rows(W))).frame_potential


def participation_ratio(W: np.ndarray, unit: bool = True) -> float:
    """(sum of eigenvalues)^2 / (sum of their squares) of the second moment W^T W: directions in use.

    From 1 (all rows parallel) to the rank, which is reached where the rows use their directions evenly
    (a tight frame). With n unit rows it is n^2 over the frame potential, so that 1/PR is the mean squared
    overlap over all n^2 pairs, the diagonal among them. NaN where no row has a direction.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    unit : bool
        Scale rows to length 1 first (the frame); otherwise rows count by their squared length (the matrix).

    Examples
    --------
    >>> W = np.diag([1.0, 1.0, 0.1])
    >>> round(participation_ratio(W), 6), round(participation_ratio(W, unit=False), 6)
    (3.0, 2.019949)
    """
    W = check_rows(W)
    return second_moment(unit_rows(W) if unit else W).participation_ratio


def dimensionality(W: np.ndarray) -> np.ndarray:
    """D_i = ||W_i||^2 / sum_j (w_i . W_j)^2, w_i = W_i/||W_i||: the share of a dimension feature i has ([TMS]).

    The sum is over all j, i among them, so D_i is in [0, 1]: 1 where nothing overlaps with row i, 1/2 for each
    of two opposite rows of the same length, m/n for each row of a tight frame of equal lengths, 0 for a row of
    length 0.

    The sum over i is at most the rank of W, so at most m. For D_i = ||W_i||^4 / (W_i^T M W_i), M = W^T W,
    and by Cauchy and Schwarz ||W_i||^4 <= (W_i^T M W_i) (W_i^T M^+ W_i), whose last factors, the leverages,
    sum to the rank. Equality needs every row to be an eigenvector of M: tight frames, or unions of
    tight frames in orthogonal subspaces. Below, it is at least ||W||_F^2 / ||W||_2^2 (the stable rank), and for rows
    of one length at least their participation ratio.

    Parameters
    ----------
    W : ndarray, shape (n, m)

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> dimensionality(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, 0.0]]))
    array([0.5, 0.5, 1. , 0. ])
    """
    W = np.asarray(check_rows(W), dtype=np.float64)
    norms = row_norms(W)
    shares = np.zeros(len(W))
    alive = norms > 0
    if not alive.any():
        return shares
    W = W[alive] / norms.max()  # D does not change with the scale of W: nothing over- or underflows
    squares = np.einsum("ij,ij->i", W, W)  # ||W_i||^2
    met = np.einsum("ij,ij->i", W @ (W.T @ W), W)  # sum_j (W_i . W_j)^2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(met > 0, squares**2 / met, 0.0)
    shares[alive] = np.minimum(found, 1.0)
    return shares
