"""How many directions fit in R^m when no two overlap by more than eps, and how little n of them can overlap.

n unit vectors with |w_i . w_j| <= eps for all i != j are n lines at an angle of arccos(eps) or more. What
is proved is kept apart from what is a scale:

- at least, by construction: m (a basis); m + 1 from eps = 1/m (a simplex); ceil(1/q), q the exact chance
  that two random directions overlap by more than eps: vectors can be added while the caps about those there
  leave a gap (Gilbert and Varshamov; Wyner 1965);
- at most: m(1 - eps^2)/(1 - m eps^2) for eps^2 < 1/m (Welch 1974, its first bound; equality is an equiangular
  tight frame); m(m+2)(1 - eps^2)/(3 - (m+2) eps^2) for eps^2 < 3/(m+2) (Levenshtein 1978; equality at the
  root systems E6, E7 and E8); (1 - eps^2k)/(mu_k - eps^2k) for eps^2k < mu_k = <overlap^2k> of random
  directions, k = 2, 3, ... (Sidelnikov 1974; k = 1 is Welch's); for every eps 1/q at the overlap
  sqrt((1 + eps)/2), since caps of half the angle do not meet;
- m(m+1)/2 bounds *equiangular* lines (Gerzon; geometry.frames.etf_capacity), and all lines up to
  eps^2 = 1/(m+2), where the first two upper bounds meet in it;
- exp(m eps^2/2)/2 is a bound too, from q <= 2 exp(-m eps^2/2), below ceil(1/q). That the number is
  exp(O(m eps^2)) is a scale: O hides the factor between the two ends, which are returned instead.

Numbers are kept as logarithms, since they outgrow floating point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from superlaw.errors import InputError

HIGHEST_ORDER = 64  # k of the power bounds
SMALLEST = 1e-280  # a tail below it is summed as a series of logarithms
BISECTIONS = 200
ROUNDING = 1e-9  # relative; of a bound that should be a whole number


@dataclass(frozen=True)
class PackingBounds:
    """At least ``lower`` and at most ``upper`` vectors fit; which argument gives each end.

    ``lower`` and ``upper`` are whole numbers as floats, infinite beyond 1e308, where the logarithms serve.
    """

    log_lower: float
    log_upper: float
    lower_by: str
    upper_by: str

    @property
    def lower(self) -> float:
        """exp(log_lower)."""
        return _exp(self.log_lower)

    @property
    def upper(self) -> float:
        """exp(log_upper)."""
        return _exp(self.log_upper)


@dataclass(frozen=True)
class OverlapBounds:
    """The smallest largest |overlap| that n vectors can have lies from ``low`` to ``high``."""

    low: float
    high: float


def log_tail(m: int, overlap: float) -> float:
    """log P(|w . w'| > eps) for random directions of R^m: the tail of Beta(1/2, (m-1)/2) at eps^2.

    Examples
    --------
    >>> round(math.exp(log_tail(3, 0.25)), 12)  # uniform in R^3
    0.75
    """
    _check(m, overlap)
    if m == 1:
        return 0.0
    a, x = (m - 1) / 2, (1 - overlap) * (1 + overlap)
    tail = float(special.betainc(a, 0.5, x))
    if tail > SMALLEST:
        return math.log(tail)
    # I_x(a, 1/2) = x^a eps / (a B(a, 1/2)) sum_k x^k prod_{j<k} (a + 1/2 + j)/(a + 1 + j)
    terms = np.arange(min(int(40 / overlap**2) + 1, 10_000_000))
    ratios = np.log(x) + np.log1p(-0.5 / (a + 1 + terms))
    series = 1 + float(np.exp(np.cumsum(ratios)).sum())
    return a * math.log(x) + math.log(overlap) - math.log(a) - float(special.betaln(a, 0.5)) + math.log(series)


def packing_bounds(m: int, overlap: float) -> PackingBounds:
    """How many unit vectors of R^m can have all |overlaps| at or below ``overlap``.

    Parameters
    ----------
    m : int
    overlap : float
        eps, from 0 to below 1.

    Examples
    --------
    >>> bounds = packing_bounds(8, 0.5)  # the 120 lines of E8
    >>> bounds.upper, bounds.upper_by
    (120.0, 'Levenshtein')
    >>> packing_bounds(768, 0.2).lower > 1e6
    True
    """
    _check(m, overlap)
    if m == 1:
        return PackingBounds(0.0, 0.0, "one line", "one line")
    below = [(math.log(m), "basis")]
    if overlap >= 1 / m:
        below.append((math.log(m + 1), "simplex"))
    below.append((_rounded(-log_tail(m, overlap), math.ceil), "random directions, added one by one"))
    above = [(_rounded(value, math.floor), name) for value, name in _upper(m, overlap)]
    (log_lower, lower_by), (log_upper, upper_by) = max(below), min(above)
    return PackingBounds(log_lower, log_upper, lower_by, upper_by)


def random_packing(m: int, overlap: float, probability: float = 0.5) -> float:
    """log of how many random directions have all |overlaps| at or below eps, with that probability or more.

    The union bound: n(n - 1)/2 pairs, each above eps with chance q; no vector is chosen or replaced.

    Examples
    --------
    >>> round(math.exp(random_packing(768, 0.2)))
    6709
    """
    if not 0 < probability < 1:
        raise InputError(f"probability = {probability}", "a number between 0 and 1")
    log_pairs = math.log(2 * (1 - probability)) - log_tail(m, overlap)  # n(n - 1) at most this
    return log_pairs / 2 if log_pairs > 70 else math.log((1 + math.sqrt(1 + 4 * math.exp(log_pairs))) / 2)


def overlap_bounds(n: int, m: int) -> OverlapBounds:
    """The converse: how small the largest |overlap| of n unit vectors in R^m can be made.

    ``low`` no set undercuts; at ``high`` a set is known to exist. 0 where n <= m.

    Examples
    --------
    >>> bounds = overlap_bounds(28, 7)  # an equiangular tight frame reaches it
    >>> round(bounds.low, 12), bounds.high < 0.8
    (0.333333333333, True)
    """
    if n < 1 or m < 1:
        raise InputError(f"n = {n} and m = {m}", "at least one vector and one dimension")
    if n <= m:
        return OverlapBounds(0.0, 0.0)
    if m == 1:
        return OverlapBounds(1.0, 1.0)
    goal = math.log(n)
    low = _bisect(lambda eps: min(value for value, _ in _upper(m, eps)) >= goal * (1 - 1e-15))
    high = _bisect(lambda eps: -log_tail(m, eps) >= math.log(n - 1))
    return OverlapBounds(low, min(high, 1 / m) if n == m + 1 else high)


def _upper(m: int, overlap: float) -> list[tuple[float, str]]:
    """log of every upper bound that holds at this overlap, and its name."""
    c = overlap**2
    out = [(-log_tail(m, math.sqrt((1 + overlap) / 2)), "caps of half the angle")]
    if m * c < 1:
        out.append((math.log(m * (1 - c) / (1 - m * c)), "Welch"))
    if (m + 2) * c < 3:
        out.append((math.log(m * (m + 2) * (1 - c) / (3 - (m + 2) * c)), "Levenshtein"))
    log_mu, log_c = -math.log(m), math.log(c) if c > 0 else -math.inf
    for k in range(2, HIGHEST_ORDER + 1):
        log_mu += math.log((2 * k - 1) / (m + 2 * k - 2))  # mu_k = (2k-1)!! / (m (m+2) ... (m+2k-2))
        if k * log_c < log_mu:
            share = math.exp(k * log_c - log_mu)
            out.append((math.log1p(-math.exp(k * log_c)) - log_mu - math.log1p(-share), f"Sidelnikov, order {k}"))
    return out


def _rounded(log_value: float, whole: Callable[[float], int]) -> float:
    """log of a bound rounded to the whole number it implies, where floating point holds one."""
    if log_value > 30:
        return log_value
    value = math.exp(log_value)
    near = round(value)
    return math.log(near if abs(value - near) < ROUNDING * value else whole(value))


def _bisect(enough: Callable[[float], bool]) -> float:
    """The smallest overlap at which ``enough``, which stays true from there on."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _exp(x: float) -> float:
    if x > 709:
        return math.inf
    value = math.exp(x)
    return float(round(value)) if x < 30 else value


def _check(m: int, overlap: float) -> None:
    if m < 1:
        raise InputError(f"m = {m}", "at least one dimension")
    if not 0 <= overlap < 1:
        raise InputError(f"overlap = {overlap}", "a number from 0 to below 1")
