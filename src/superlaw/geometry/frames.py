"""References for measured overlaps: Welch's bounds, equiangular tight frames, random directions."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, pi, prod, sqrt
from typing import Any

import numpy as np

from superlaw.errors import InputError


def welch(n: int, m: int) -> float:
    """Welch's bound on the mean squared overlap of n unit vectors in R^m: (n - m) / (m (n - 1)).

    Its root bounds the largest |overlap| (:func:`welch_largest`). Equality of the mean is a tight frame,
    of both an equiangular tight frame (ETF). 0 where n <= m. (Welch, IEEE Trans. Inf. Theory 20, 1974.)

    Examples
    --------
    >>> welch(3, 2), welch(28, 7), welch(5, 8)
    (0.25, 0.1111111111111111, 0.0)
    """
    return (n - m) / (m * (n - 1)) if n > m else 0.0


def welch_largest(n: int, m: int) -> float:
    """The least that the largest |overlap| of n unit vectors in R^m can be: the root of :func:`welch`.

    Reached by ETFs alone, so only for n <= m (m + 1) / 2; beyond it every frame is worse.

    Examples
    --------
    >>> welch_largest(28, 7)
    0.3333333333333333
    """
    return sqrt(welch(n, m))


def etf_capacity(m: int) -> int:
    """The most vectors an equiangular tight frame of R^m can have: m (m + 1) / 2.

    Examples
    --------
    >>> etf_capacity(7)
    28
    """
    return m * (m + 1) // 2


def least_square_overlap_variance(n: int, m: int, mean_square: float | None = None) -> float:
    """The least variance of squared overlaps that n unit vectors in R^m can have.

    The mean of (w_i . w_j)^4 over all n^2 pairs is at least 3 / (m (m + 2)), its value for random
    directions (Sidelnikov 1974; the order-two case of Welch). Without the n pairs i = j that leaves
    (3 n / (m (m + 2)) - 1) / (n - 1), from which the square of the mean squared overlap is taken.
    It is 0 up to n = m (m + 1) / 2 and tends to random_square_overlap's variance for n >> m^2: so many
    vectors cannot be more alike in their overlaps than random ones.

    Parameters
    ----------
    n, m : int
    mean_square : float, optional
        The mean squared overlap that was found; Welch's value (a tight frame) when left out.

    Examples
    --------
    >>> least_square_overlap_variance(28, 7).__round__(15), round(least_square_overlap_variance(1000, 7), 5)
    (0.0, 0.0265)
    >>> round(random_square_overlap(7)[1], 5)
    0.02721
    """
    if n < 2:
        return 0.0
    mean = welch(n, m) if mean_square is None else mean_square
    return max(0.0, (3 * n / (m * (m + 2)) - 1) / (n - 1) - mean**2)


def least_mean_cube_overlap(n: int) -> float:
    """The least mean of (w_i . w_j)^3 over pairs i != j of n unit vectors, in any dimension: -1 / (n - 1).

    The Gegenbauer polynomial P_3(t) ~ t^3 - 3 t / (m + 2) is positive definite on the sphere of R^m (Schoenberg 1942):
    sum_ij g_ij^3 >= 3 / (m + 2) ||sum_i w_i||^2 >= 0, to which the n pairs i = j bring n. The vectors +-e_k, n = 2m of
    them, reach it. In units of the overlaps of random directions, of size 1/sqrt(m), it is -m^(3/2) / (n - 1): many
    vectors in few dimensions cannot prefer a sign, and a ReLU, which hears positive overlaps alone, has little to
    choose among frames before m is about n^(2/3).

    Examples
    --------
    >>> least_mean_cube_overlap(2), least_mean_cube_overlap(11)
    (-1.0, -0.1)
    """
    return -1 / (n - 1)


def etf_distance(square_overlap_variance: float, m: int) -> float:
    """Variance of the squared overlaps, in units of that of random directions in R^m.

    0: all |overlaps| are equal, and with the mean at Welch's value the rows are an ETF. 1: they scatter as
    those of random directions do. Above 1: some pairs are nearly parallel. NaN for m = 1.

    Examples
    --------
    >>> etf_distance(0.0, 7), etf_distance(0.125, 2)
    (0.0, 1.0)
    """
    random = random_square_overlap(m)[1]
    return square_overlap_variance / random if random > 0 else float("nan")


def random_square_overlap(m: int) -> tuple[float, float]:
    """Mean and variance of the squared overlap of two random unit vectors in R^m.

    It follows Beta(1/2, (m - 1)/2): mean 1/m, variance 2 (m - 1) / (m^2 (m + 2)).

    Examples
    --------
    >>> random_square_overlap(2)
    (0.5, 0.125)
    """
    return 1 / m, 2 * (m - 1) / (m**2 * (m + 2))


def random_overlap_moment(order: int, m: int) -> float:
    """Mean of (w_i . w_j)^order of random unit vectors in R^m, for even orders: (order - 1)!! / (m (m + 2) ...).

    Examples
    --------
    >>> random_overlap_moment(2, 5), random_overlap_moment(4, 1), round(random_overlap_moment(4, 5), 6)
    (0.2, 1.0, 0.085714)
    """
    return prod((2 * k + 1) / (m + 2 * k) for k in range(order // 2))


def random_mean_abs_overlap(m: int) -> float:
    """Mean |overlap| of two random unit vectors in R^m: Gamma(m/2) / (sqrt(pi) Gamma((m + 1)/2)).

    Examples
    --------
    >>> round(random_mean_abs_overlap(2), 6), round(random_mean_abs_overlap(384), 6)
    (0.63662, 0.040743)
    """
    return exp(lgamma(m / 2) - lgamma((m + 1) / 2)) / sqrt(pi)


def random_density(x: np.ndarray, m: int) -> np.ndarray:
    """Density of |overlap| of two random unit vectors in R^m, whose square is Beta(1/2, (m - 1)/2).

    Parameters
    ----------
    x : ndarray
        From 0 to 1.
    m : int
        NaN for m = 1, where every |overlap| is 1.

    Examples
    --------
    >>> random_density(np.array([0.0, 0.5]), 3)
    array([1., 1.])
    """
    x = np.asarray(x, dtype=np.float64)
    if m < 2:
        return np.full_like(x, np.nan)
    scale = 2 * np.exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / np.sqrt(np.pi)
    with np.errstate(divide="ignore"):  # m = 2: infinite at x = 1
        return scale * (1 - x**2) ** ((m - 3) / 2)


def random_cdf(x: np.ndarray, m: int) -> np.ndarray:
    """Probability that |overlap| of two random unit vectors in R^m is at most x.

    Examples
    --------
    >>> random_cdf(np.array([0.0, 0.25, 1.0]), 3)
    array([0.  , 0.25, 1.  ])
    """
    from scipy.special import betainc

    x = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
    return (x >= 1).astype(np.float64) if m < 2 else betainc(1 / 2, (m - 1) / 2, x**2)


def random_quantile(q: np.ndarray, m: int) -> np.ndarray:
    """The |overlap| that two random unit vectors in R^m stay below with probability q.

    Examples
    --------
    >>> random_quantile(np.array([0.25, 1.0]), 3)
    array([0.25, 1.  ])
    """
    from scipy.special import betaincinv

    q = np.asarray(q, dtype=np.float64)
    return np.ones_like(q) if m < 2 else np.sqrt(betaincinv(1 / 2, (m - 1) / 2, q))


def random_largest_overlap(pairs: int, m: int) -> float:
    """Median of the largest |overlap| among that many pairs of random unit vectors in R^m.

    The pairs of one set of rows are taken as independent: each two of them are.

    Examples
    --------
    >>> round(random_largest_overlap(1000 * 999 // 2, 100), 2)
    0.46
    """
    from scipy.special import betaincinv

    if m < 2:
        return 1.0
    exceed = -np.expm1(np.log(0.5) / pairs)  # of one pair; 1 - x^2 is Beta((m - 1)/2, 1/2)
    return float(np.sqrt(1 - betaincinv((m - 1) / 2, 1 / 2, exceed)))


@dataclass(frozen=True)
class RandomComparison:
    """Measured overlaps beside the Beta law of random directions.

    ``distance`` is Kolmogorov and Smirnov's: the largest difference of the two distribution functions of
    |overlap|, 0 to 1. ``p_value`` is how often ``count`` independent pairs of random directions would show as
    much; pairs of a few rows that share them are not independent, and then it is only a guide.
    """

    distance: float
    p_value: float
    count: int


def compare_with_random(overlaps: np.ndarray, m: int) -> RandomComparison:
    """Goodness of fit of measured overlaps to those of random directions in R^m.

    Parameters
    ----------
    overlaps : ndarray
        w_i . w_j of unit rows, i != j, of any shape (``blocks.sample_overlaps`` draws independent pairs).
    m : int

    Raises
    ------
    InputError
        Without overlaps, when any is not within -1 and 1, or for m = 1.

    Examples
    --------
    >>> w = np.random.default_rng(0).standard_normal((500, 2, 8))
    >>> w /= np.linalg.norm(w, axis=2, keepdims=True)
    >>> compare_with_random(np.sum(w[:, 0] * w[:, 1], axis=1), 8).p_value > 0.001
    True
    """
    from scipy.stats import kstest

    absolute = np.abs(np.asarray(overlaps, dtype=np.float64)).ravel()
    if m < 2:
        raise InputError(f"m = {m}", "a width of 2 or more")
    if not absolute.size or not (absolute <= 1 + 1e-6).all():
        raise InputError(f"{absolute.size} overlaps, not all within -1 and 1", "overlaps of unit rows")
    found: Any = kstest(absolute, random_cdf, args=(m,))  # pyright: ignore[reportArgumentType]  # arrays in, arrays out
    return RandomComparison(float(found.statistic), float(found.pvalue), absolute.size)
