"""Reference frames to compare with: Welch's bound, equiangular tight frames, random directions."""

from __future__ import annotations

from math import exp, lgamma, pi, sqrt


def welch(n: int, m: int) -> float:
    """Welch's bound on the mean squared overlap of n unit vectors in R^m: (n - m) / (m (n - 1)).

    Its root bounds the largest |overlap|. Equality of both is an equiangular tight frame. 0 where n <= m.

    Examples
    --------
    >>> welch(3, 2), welch(28, 7), welch(5, 8)
    (0.25, 0.1111111111111111, 0.0)
    """
    return (n - m) / (m * (n - 1)) if n > m else 0.0


def random_square_overlap(m: int) -> tuple[float, float]:
    """Mean and variance of the squared overlap of two random unit vectors in R^m.

    It follows Beta(1/2, (m - 1)/2): mean 1/m, variance 2 (m - 1) / (m^2 (m + 2)).

    Examples
    --------
    >>> random_square_overlap(2)
    (0.5, 0.125)
    """
    return 1 / m, 2 * (m - 1) / (m**2 * (m + 2))


def etf_capacity(m: int) -> int:
    """The most vectors an equiangular tight frame of R^m can have: m (m + 1) / 2.

    Examples
    --------
    >>> etf_capacity(7)
    28
    """
    return m * (m + 1) // 2


def random_mean_abs_overlap(m: int) -> float:
    """Mean |overlap| of two random unit vectors in R^m: Gamma(m/2) / (sqrt(pi) Gamma((m + 1)/2)).

    Examples
    --------
    >>> round(random_mean_abs_overlap(2), 6), round(random_mean_abs_overlap(384), 6)
    (0.63662, 0.040743)
    """
    return exp(lgamma(m / 2) - lgamma((m + 1) / 2)) / sqrt(pi)
