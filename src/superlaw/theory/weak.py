"""Weak superposition: the loss is the sum over features that are not learned ([LLG] section 3)."""

from __future__ import annotations

from math import log

import numpy as np

from superlaw.errors import InputError
from superlaw.theory.values import second_moment


def unlearned_loss(frequencies: np.ndarray, learned: int, values: str = "uniform") -> float:
    """L = sum_{i > k} (<v^2> p_i - p_i^2): the top k features perfect, the others answered by their mean.

    It is the least loss of the toy model when the first k rows of W are orthonormal and the others 0
    (with :func:`optimal_bias`), and grows from 0 at k = n. Without the square, <v^2> sum p_i, it would be the loss
    of answering 0 to the ignored features.

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i, decreasing.
    learned : int
        k: represented features, the most frequent first.
    values : str
        Distribution of v, whose <v^2> is 4/3 if ``uniform``; see :mod:`superlaw.theory.values`.

    Raises
    ------
    InputError
        When k is not from 0 to n.

    Examples
    --------
    >>> round(unlearned_loss(np.array([0.5, 0.3, 0.3]), 2), 12)
    0.31
    """
    p = np.asarray(frequencies, dtype=np.float64)
    if not 0 <= learned <= len(p):
        raise InputError(f"{learned} learned features of {len(p)}", f"a number from 0 to {len(p)}")
    return float(np.sum(unlearned_terms(p[learned:], values)))


def unlearned_terms(frequencies: np.ndarray, values: str = "uniform") -> np.ndarray:
    """<v^2> p_i - p_i^2, shape (n,): the variance of x_i, which an ignored feature costs."""
    p = np.asarray(frequencies, dtype=np.float64)
    return second_moment(values) * p - p**2


def unlearned_losses(frequencies: np.ndarray, values: str = "uniform") -> np.ndarray:
    """:func:`unlearned_loss` for every k from 0 to n, shape (n + 1,): theory's curve of loss against width k = m.

    Examples
    --------
    >>> unlearned_losses(np.array([0.5, 0.3, 0.3])).round(12)
    array([1.036..., 0.62 , 0.31 , 0. ])
    """
    terms = unlearned_terms(frequencies, values)
    return np.append(np.cumsum(terms[::-1])[::-1], 0.0)


def optimal_bias(frequencies: np.ndarray, learned: int) -> np.ndarray:
    """b_i: 0 for the k learned features, <x_i> = p_i for the ignored ones, shape (n,).

    Examples
    --------
    >>> optimal_bias(np.array([0.5, 0.3, 0.2]), 2)
    array([0. , 0. , 0.2])
    """
    bias = np.array(frequencies, dtype=np.float64)
    bias[:learned] = 0.0
    return bias


def weak_exponent(data_exponent: float) -> float | None:
    """alpha_m = alpha - 1 for frequencies i^-alpha with alpha > 1; None where there is no power law.

    It is the limit of :func:`weak_local_exponent` for many features.

    Examples
    --------
    >>> weak_exponent(1.5), weak_exponent(1.0)
    (0.5, None)
    """
    return data_exponent - 1 if data_exponent > 1 else None


def weak_local_exponent(data_exponent: float, learned: float, n_features: int) -> float:
    """-d log L / d log k of the sum over i from k + 1 to n of i^-alpha: what a finite n shows in place of alpha - 1.

    By the midpoint rule the sum is the integral from k + 1/2 to n + 1/2, so that
    a(k) = k / (k + 1/2) (alpha - 1) / (1 - r^(alpha - 1)), r = (k + 1/2) / (n + 1/2);
    for alpha = 1 the last factor is 1 / log(1/r). It holds for every alpha, at or below 1 too, and grows without
    bound as k approaches n, where nothing is left to learn. It exceeds alpha - 1 by the share s from about
    k = n (s / (1 + s))^(1/(alpha - 1)) on: with s = 0.1, n/11 for alpha = 2, but n/121 for alpha = 1.5.

    Parameters
    ----------
    data_exponent : float
        alpha.
    learned : float
        k > 0, below n; it need not be whole.
    n_features : int
        n.

    Examples
    --------
    >>> round(weak_local_exponent(2.0, 100, 1000), 3), round(weak_local_exponent(1.5, 30, 1000), 3)
    (1.106, 0.596)
    """
    if not 0 < learned < n_features:
        raise InputError(f"k = {learned:g} learned features of {n_features}", f"above 0 and below {n_features}")
    log_ratio = log((learned + 0.5) / (n_features + 0.5))
    power = data_exponent - 1
    # power / (1 - r^power), whose limit at power = 0 is 1/log(1/r)
    tail = power / -np.expm1(power * log_ratio) if abs(power * log_ratio) > 1e-12 else -1 / log_ratio
    return float(learned / (learned + 0.5) * tail)


def exponent_between(frequencies: np.ndarray, first: int, second: int) -> float:
    """Exact exponent of the unlearned loss from k = first to k = second: log(L_1/L_2) / log(k_2/k_1).

    For any frequencies, with p_i^2. Infinite for second = n, where the loss is 0.

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i, decreasing.
    first, second : int
        1 <= first < second <= n.

    Examples
    --------
    >>> p = np.arange(1.0, 1001) ** -1.5
    >>> round(exponent_between(p / p.sum(), 10, 100), 3)
    0.608
    """
    n = len(frequencies)
    if not 1 <= first < second <= n:
        raise InputError(f"k from {first} to {second} with {n} features", f"1 <= first < second <= {n}")
    one, other = unlearned_loss(frequencies, first), unlearned_loss(frequencies, second)
    return log(one / other) / log(second / first) if other > 0 else float("inf")
