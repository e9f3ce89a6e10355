"""Softmax and cross-entropy in place of ReLU and squared error ([LLG] App. A.2)."""

from __future__ import annotations

from math import exp

import numpy as np

from superlaw.geometry.overlaps import check_rows, row_norms


def softmax_width_part(W: np.ndarray) -> np.ndarray:
    """Part of the cross-entropy that overlaps cause: 1/2 sum_{j != i} (W_i . W_j / ||W_i||)^2 e^-||W_i||, shape (n,).

    With the hidden state w_i = W_i/||W_i|| and logits W_j . w_i = a_j (a_i = ||W_i||), the loss of token i is
    log(1 + sum_{j != i} e^(a_j - ||W_i||)), which for small a_j and n e^-||W_i|| << 1 is
    e^-||W_i|| sum_{j != i} (1 + a_j + a_j^2 / 2): the first term does not know the width, the second is 0 where
    the rows balance, the third is this. The sum leaves out j = i, which is no interference.

    Returns
    -------
    ndarray, shape (n,)
        Nats. 0 for a row of length 0, which has no direction.

    Raises
    ------
    InputError
        When W is not an (n, m) array of finite numbers.

    Examples
    --------
    >>> softmax_width_part(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).round(4)
    array([0.1839, 0.1839, 0.    ])
    """
    W = np.asarray(check_rows(W), dtype=np.float64)
    norms = row_norms(W)
    met = np.einsum("ij,ij->i", W @ (W.T @ W), W)  # sum_j (W_i . W_j)^2, j = i among them
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(norms > 0, met / norms**2, 0.0) - norms**2
    return np.maximum(squares, 0.0) * np.exp(-norms) / 2


def frame_softmax_width_part(norm: float, n: int, mean_square_overlap: float) -> float:
    """The same for n rows of one norm r: (n - 1) r^2 e^-r q / 2, q the mean squared overlap.

    Exact in the mean over rows. With q = 1/m (random directions) or Welch's value it falls as 1/m at fixed r.

    Examples
    --------
    >>> round(frame_softmax_width_part(10.0, 50_000, 1 / 1000), 4)
    0.1135
    """
    return (n - 1) * norm**2 * exp(-norm) * mean_square_overlap / 2
