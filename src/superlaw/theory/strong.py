"""Strong superposition: the loss is interference between directions ([LLG] section 3)."""

from __future__ import annotations


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


def strongly_represented(width: int) -> float:
    """m^2 / 2: about how many rows can be long and ETF-like.

    Examples
    --------
    >>> strongly_represented(10)
    50.0
    """
    return width**2 / 2
