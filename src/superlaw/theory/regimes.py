"""Which exponent theory predicts in which regime, and the widths at which a finite n lets it be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from superlaw.errors import InputError
from superlaw.theory.strong import strong_local_exponent, strong_tail_local_exponent
from superlaw.theory.weak import weak_exponent, weak_local_exponent

WEAK = (
    "Weak superposition: the top k, about m, features have rows of their own, the others none. Needs alpha > 1 (at or "
    "below it the sum over the ignored features is ruled by its end, n), m << n, and for 10 % about "
    "m < n / 11^(1/(alpha - 1))."
)
STRONG = (
    "Strong superposition: all n features have rows, and what is lost is interference, with squared overlaps of about "
    "1/m. Needs m << n (for 10 %, m < n/11) and frequencies flat enough for the interference to outweigh the tail."
)
TAIL = (
    "Strong superposition with steep frequencies: the m^2/2 most frequent features form an ETF-like frame and the "
    "loss is the tail beyond them. Needs m^2/2 < n, so m < sqrt(2 n), and for 10 % about "
    "m^2/2 < n / 11^(1/(alpha - 1)). It takes the frame's own interference as negligible: a sum with a term in 1/m "
    "would in the end fall as 1/m, which is why this is an upper line."
)


@dataclass(frozen=True)
class PredictedExponents:
    """One predicted model exponent and where it holds.

    Parameters
    ----------
    regime : {"weak", "strong", "strong tail"}
    exponent : float or None
        alpha_m; None where there is no power law.
    data_exponents : tuple of float
        (above, up to) of alpha for which this is the regime's exponent.
    widths : tuple of int, or None
        (least, largest) whole m at which the local exponent at this n is within ``share`` of ``exponent``;
        None where it is at no width.
    share : float
    basis : {"derived", "conjectured"}
    holds : str
        The conditions, in words.
    """

    regime: str
    exponent: float | None
    data_exponents: tuple[float, float]
    widths: tuple[int, int] | None
    share: float
    basis: str
    holds: str

    @property
    def applies(self) -> bool:
        """Whether there is an exponent and some width at which it can be seen."""
        return self.exponent is not None and self.widths is not None


def predicted_exponents(data_exponent: float, n_features: int, share: float = 0.1) -> tuple[PredictedExponents, ...]:
    """Theory's exponents for frequencies i^-alpha of n features: weak, strong, and the strong tail.

    Parameters
    ----------
    data_exponent : float
        alpha.
    n_features : int
        n.
    share : float
        How far the local exponent at this n may be from the asymptotic one, as a share of it.

    Returns
    -------
    tuple of PredictedExponents
        In strong superposition the exponent of the one that applies is the line to compare with
        (``superlaw.theory.strong.strong_exponent``). Near alpha = 1.5 both losses matter and neither is clean.

    Raises
    ------
    InputError
        When n is below 3 or the share is not between 0 and 1.

    Examples
    --------
    >>> for p in predicted_exponents(1.5, 1000):
    ...     print(p.regime, p.exponent, p.widths)
    weak 0.5 (3, 14)
    strong 1.0 (1, 90)
    strong tail None None
    """
    if n_features < 3 or not 0 < share < 1:
        raise InputError(f"n = {n_features} and a share of {share:g}", "n of 3 or more, a share between 0 and 1")
    alpha, n = data_exponent, n_features
    weak = weak_exponent(alpha)
    tail = 2 * (alpha - 1) if alpha > 1.5 else None
    level = 1.0 if alpha <= 1.5 else None
    return (
        PredictedExponents(
            "weak", weak, (1.0, inf),
            _widths(lambda m: weak_local_exponent(alpha, m, n), weak, range(1, n), share), share, "derived", WEAK,
        ),
        PredictedExponents(
            "strong", level, (-inf, 1.5),
            _widths(lambda m: strong_local_exponent(m, n), level, range(1, n), share), share, "derived", STRONG,
        ),
        PredictedExponents(
            "strong tail", tail, (1.5, inf),
            _widths(lambda m: strong_tail_local_exponent(alpha, m, n), tail, _tail_widths(n), share), share,
            "conjectured", TAIL,
        ),
    )  # fmt: skip


def _tail_widths(n: int) -> range:
    return range(1, int(np.ceil(np.sqrt(2 * n))))


def _widths(
    local: Callable[[int], float], exponent: float | None, widths: range, share: float
) -> tuple[int, int] | None:
    """(least, largest) of the widths where the local exponent, which grows with width, is near the exponent."""
    if exponent is None:
        return None
    near = [m for m in widths if abs(local(m) - exponent) <= share * exponent * (1 + 1e-9)]
    return (near[0], near[-1]) if near else None
