"""What was published in words beside a measured value, with a plain verdict (point by point: points.py).

A number agrees when it lies within the 95 % margin of the difference: our t interval, and 1.96 published
standard errors, in quadrature. A share or a ratio agrees by a condition stated with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.findings.exponents import CURVED, exponent
from superlaw.laws.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

Measured = tuple[float, float] | None  # a number and half its 95 % interval
NORMAL = 1.96  # standard errors of a 95 % interval
FACTOR = 1.5  # "about as many" means within this factor
UNDECIDED = 0.3  # of our half interval: a third of the exponent that geometry predicts decides nothing
VERDICTS = {  # how a verdict begins, and how it is counted
    "agrees": "agree",
    "differs": "differ",
    "bent line": "on a bent line",
    "not decided": "not decided",
    "not tested": "not tested",
}
ABOUT_ONE = f"about 1 (within a factor {FACTOR:g})"


@dataclass(frozen=True)
class Claim:
    """One published value beside ours.

    ``measured`` is None where it was not tested; ``margin`` is half the 95 % interval of an exponent, half the
    range of a share or a ratio over the runs it averages. ``published`` is in the study's words, ``figure`` what its
    own figure shows, "" where none was read.
    """

    what: str
    published: str
    measured: float | None
    margin: float | None
    verdict: str
    figure: str = ""

    def beside(self, value: float | None, note: str = "") -> Claim:
        """The same with what the study's figure shows; as it is where that is None."""
        return self if value is None else replace(self, figure=f"{value:.3g}{note}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


def compare(
    what: str, published: str, value: float, stderr: float, measured: Measured, bent: float = float("nan")
) -> Claim:
    """A published number with its standard error (0: none was given) beside a measured one with half its interval.

    ``bent`` is the chance, were the line straight, of its residuals (``Exponent.lack_of_fit``): a line that the seeds
    show to be bent has a local slope, which neither agrees with a law nor differs from it.

    Examples
    --------
    >>> compare("alpha_m", "1.0", 1.0, 0.0, (0.96, 0.05)).verdict
    'agrees (differs by -0.04, the 95 % margin is 0.05)'
    >>> compare("alpha_m", "1.0", 1.0, 0.0, None).verdict
    'not tested'
    """
    if measured is None:
        return untested(what, published)
    found, half = measured
    margin = math.hypot(half, NORMAL * stderr)
    if bent < CURVED:
        verdict = f"bent line (p = {bent:.1g}): a local slope, {found - value:+.2f} from it (margin {margin:.2f})"
        return Claim(what, published, found, half, verdict)
    return Claim(what, published, found, half, _verdict(found - value, half, margin))


def untested(what: str, published: str) -> Claim:
    """A published value for which nothing was measured."""
    return Claim(what, published, None, None, "not tested")


def about(what: str, published: str, values: pd.Series, agrees: Callable[[float], bool]) -> Claim:
    """A share or a ratio, averaged over runs; not tested where none has one."""
    values = values[np.isfinite(values)]
    if not len(values):
        return untested(what, published)
    mean = float(values.mean())
    spread = float(values.max() - values.min()) / 2 if len(values) > 1 else None
    return Claim(what, published, mean, spread, "agrees" if agrees(mean) else f"differs: {mean:.2f}")


def counted(claims: Sequence[Claim]) -> str:
    """How many claims have each verdict.

    Examples
    --------
    >>> counted([Claim("a", "1", 1.0, 0.1, "agrees (differs by 0)"), untested("b", "1")])
    '1 agree, 1 not tested'
    """
    counts = {word: sum(claim.verdict.startswith(word) for claim in claims) for word in VERDICTS}
    return ", ".join(f"{count} {VERDICTS[word]}" for word, count in counts.items() if count)


def within_factor(value: float) -> bool:
    """Whether a ratio is about 1."""
    return 1 / FACTOR <= value <= FACTOR


def _verdict(difference: float, half: float, margin: float) -> str:
    if abs(difference) > margin:
        return f"differs by {difference:+.2f}, more than the 95 % margin of {margin:.2f}"
    if half > UNDECIDED:
        return f"not decided (differs by {difference:+.2f}, within the 95 % margin of {margin:.2f})"
    return f"agrees (differs by {difference:+.2f}, the 95 % margin is {margin:.2f})"


def fitted(table: pd.DataFrame) -> tuple[Measured, float]:
    """The exponent with half its interval, and the chance of so bent a line."""
    found = exponent(table) if len(table) else None
    if found is None:
        return None, float("nan")
    return (found.exponent, float(found.high - found.exponent)), found.lack_of_fit


def estimated(estimate: Estimate) -> Measured:
    """A fit's parameter with half its interval."""
    half = (estimate.high - estimate.low) / 2
    return estimate.value, half if math.isfinite(half) else NORMAL * estimate.stderr
