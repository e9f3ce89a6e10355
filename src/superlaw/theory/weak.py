"""Weak superposition: the loss is the sum over features that are not learned ([LLG] section 3)."""

from __future__ import annotations

import numpy as np


def unlearned_loss(frequencies: np.ndarray, learned: int) -> float:
    """L = sum_{i > k} (4/3 p_i - p_i^2): the top k features perfect, the others answered by their mean.

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i, decreasing.
    learned : int
        k: represented features, the most frequent first.

    Examples
    --------
    >>> round(unlearned_loss(np.array([0.5, 0.3, 0.3]), 2), 12)
    0.31
    """
    p = np.asarray(frequencies, dtype=np.float64)[learned:]
    return float(np.sum(4 / 3 * p - p**2))


def weak_exponent(data_exponent: float) -> float | None:
    """alpha_m = alpha - 1 for frequencies i^-alpha with alpha > 1; None where there is no power law.

    Examples
    --------
    >>> weak_exponent(1.5), weak_exponent(1.0)
    (0.5, None)
    """
    return data_exponent - 1 if data_exponent > 1 else None
