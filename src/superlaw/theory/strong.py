"""Strong superposition: the loss is interference between directions ([LLG] section 3)."""

from __future__ import annotations

from superlaw.errors import InputError
from superlaw.theory.weak import weak_local_exponent


def strong_exponent(data_exponent: float) -> float:
    """alpha_m = max(1, 2 (alpha - 1)) for frequencies i^-alpha.

    1 is geometry (squared overlaps fall as 1/m); 2 (alpha - 1) is conjectured, for the tail beyond the
    m^2/2 features that form an ETF-like frame.

    Examples
    --------
    >>> strong_exponent(1.0), strong_exponent(2.0)
    (1.0, 2.0)
    """
    return max(1.0, 2 * (data_exponent - 1))


def strongly_represented(width: float) -> float:
    """m^2 / 2: about how many rows can be long and ETF-like.

    Examples
    --------
    >>> strongly_represented(10)
    50.0
    """
    return width**2 / 2


def strong_local_exponent(width: float, n_features: int) -> float:
    """n / (n - m): -d log / d log m of Welch's (n - m) / (m (n - 1)), what a finite n shows in place of 1.

    It is the overlap of a tight frame of all n features; it vanishes at m = n, and the power law ends there.
    (Random directions do not feel the end: theirs is 1/m at every width.)

    Examples
    --------
    >>> strong_local_exponent(100, 1000).__round__(4)
    1.1111
    """
    if not 0 < width < n_features:
        raise InputError(f"a width of {width:g} with {n_features} features", f"above 0 and below {n_features}")
    return n_features / (n_features - width)


def width_of_deviation(n_features: int, share: float = 0.1) -> float:
    """m = n s / (1 + s): from here on the exponent of Welch's value exceeds 1 by the share s.

    n / (n - m) = 1 + s solved for m: n/11 for 10 %. (The overlap itself is the share s below 1/m where
    (n - m) / (n - 1) = 1 - s, at about m = n s: n/10.)

    Examples
    --------
    >>> width_of_deviation(1100)
    100.0
    """
    if not share > 0:
        raise InputError(f"a share of {share:g}", "a share above 0")
    return round(n_features * share / (1 + share), 9)


def strong_tail_local_exponent(data_exponent: float, width: float, n_features: int) -> float:
    """Local exponent in m of the tail beyond m^2/2 features: what a finite n makes of 2 (alpha - 1).

    Twice :func:`weak_local_exponent` at k = m^2/2, as k grows with the square of m. The tail is empty from
    m = sqrt(2 n) on (45 for n = 1000).

    Examples
    --------
    >>> round(strong_tail_local_exponent(2.0, 10, 1000), 2)
    2.09
    """
    return 2 * weak_local_exponent(data_exponent, strongly_represented(width), n_features)
