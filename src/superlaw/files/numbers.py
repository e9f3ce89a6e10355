"""Numbers as people read and write them: to the figures that an error allows, and sizes as 9.2B."""

from __future__ import annotations

import math
import re

SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}  # 1.2B, 300M, 5k: of counts, so none is a milli
SCALED = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([kKmMbBgGtT])\s*", re.ASCII)
LONGEST = 40  # characters of a number
FIGURES = 6  # of a number whose error is smaller than they can show
COMPUTE = ("flops", "flop", "compute", "c", "cost")  # columns whose numbers nobody writes with letters
PLAIN = (1e-4, 1e6)  # numbers beyond are written with a power of ten


def scaled(cell: object) -> float | None:
    """A text like ``300M`` as a number; None for any other.

    Examples
    --------
    >>> scaled("1.4b"), scaled("step 3k")
    (1400000000.0, None)
    """
    found = SCALED.fullmatch(cell) if isinstance(cell, str) and len(cell) <= LONGEST else None
    return float(found[1]) * SCALES[found[2].lower()] if found else None


def in_short(size: float, of: str = "") -> str:
    """A size of a model or of data as people write it, to three figures; of compute with a power of ten.

    Examples
    --------
    >>> [in_short(size) for size in (512, 45.751, 50257, 9.2e9, 1e12, 3.14e21)], in_short(7.68e11, "flops")
    (['512', '45.75', '50.3k', '9.2B', '1T', '3.14e21'], '7.68e11')
    """
    if not math.isfinite(size) or of.lower() in COMPUTE:
        return _power(f"{size:.4g}")
    for letter, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(size) >= 9.995e14:
            break
        if abs(size) >= (1e4 if letter == "k" else 0.9995 * scale):
            return f"{float(f'{size / scale:.3g}'):g}{letter}"
    return f"{size:.4g}" if abs(size) < 1e4 else _power(f"{size:.3g}")


def rounded(value: float, error: float) -> str:
    """A number to the second figure of its error; to five figures where that is not known.

    Examples
    --------
    >>> rounded(0.98123, 0.0812), rounded(12345.678, 21), rounded(6.41234e13, 2.2e11), rounded(1.5, float("nan"))
    ('0.981', '12346', '6.412e13', '1.5')
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return _power(f"{value:.5g}")
    decimals = 1 - math.floor(math.log10(error))
    magnitude = math.floor(math.log10(abs(value))) if value else -decimals
    if magnitude + decimals >= FIGURES:
        return _power(f"{value:.{FIGURES}g}")
    if value and not PLAIN[0] <= abs(value) < PLAIN[1]:
        return _power(f"{value:.{max(0, magnitude + decimals)}e}")
    return f"{value:.{decimals}f}" if decimals >= 0 else f"{round(value, decimals):.0f}"


def with_error(value: float, error: float) -> str:
    """``value ± error``, both to the second figure of the error; the value alone where there is none.

    Examples
    --------
    >>> with_error(0.98123, 0.0812), with_error(0.0431, 0.00123), with_error(6.41e13, 2.2e12), with_error(1.5, 0)
    ('0.981 ± 0.081', '0.0431 ± 0.0012', '(6.41 ± 0.22)e13', '1.5')
    """
    if value != value:
        return "-"
    if not (math.isfinite(error) and error > 0):
        return _power(f"{value:.4g}")
    largest = max(abs(value), error)
    power = 0 if PLAIN[0] <= largest < PLAIN[1] else math.floor(math.log10(largest))
    mantissa, off = value / 10.0**power, error / 10.0**power
    said = f"{rounded(mantissa, off)} ± {rounded(off, off)}"
    return f"({said})e{power}" if power else said


def _power(text: str) -> str:
    """``1e+09`` as 1e9, ``2e-07`` as 2e-7."""
    return re.sub(r"e([-+])0*(\d)", lambda m: f"e{'-' if m[1] == '-' else ''}{m[2]}", text)
