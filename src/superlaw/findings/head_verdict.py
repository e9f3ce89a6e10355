"""The verdict on one head: what lengths and geometry say beside other heads, and what they cannot say.

[LLG] call superposition strong where (nearly) all tokens have long rows; that the loss then falls as 1/m is geometry,
which needs rows as spread as random directions are. A head may have the one without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from superlaw.findings.regimes import STRONG_FROM
from superlaw.geometry.dominant import AS_RANDOM, FEW, PeeledOverlaps
from superlaw.geometry.frames import random_overlap_moment, random_square_overlap

if TYPE_CHECKING:
    from superlaw.lm.measure import HeadMeasures

CHANCE = 5.0  # standard errors within which an overlap is that of random directions
INITIAL_SPREADS = (1.0, sqrt(0.4))  # of the norms, in units of 1/sqrt(2m), of normal and of evenly drawn entries
FEW_EQUAL = 0.99  # share of different rows below which equal ones are named with the count
EQUAL_MATTERS = 0.1  # of 1/m: share of equal pairs from which duplicates make the overlap
SAME = 1e-3  # of 1: spread of the norms below which rows were scaled to one length, and distance of equal directions


@dataclass(frozen=True)
class HeadVerdict:
    """What a head shows.

    Parameters
    ----------
    kind : str
        ``transposed?``: fewer rows than columns. ``none``: no more rows than dimensions. ``random``: as a matrix that
        was never trained. ``strong``: long rows, spread as random directions within a quarter. ``strong behind``: the
        same once the mean row or a few dominant directions are removed. ``long rows only``: long rows in preferred
        directions. ``weak``: many short rows.
    sentence : str
    grounds : tuple of str
        What it rests on.
    unknown : tuple of str
        What a head alone cannot tell.
    """

    kind: str
    sentence: str
    grounds: tuple[str, ...]
    unknown: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the sentence under ``verdict``."""
        return {
            "verdict": self.sentence, "verdict_kind": self.kind, "verdict_rests_on": list(self.grounds),
            "verdict_cannot_tell": list(self.unknown),
        }  # fmt: skip


def judge_head(measured: HeadMeasures) -> HeadVerdict:
    """The verdict on a head that was measured.

    Examples
    --------
    >>> import numpy as np
    >>> from superlaw.lm.head import Head
    >>> from superlaw.lm.measure import measure_head
    >>> W = np.random.default_rng(0).normal(size=(500, 20))
    >>> judge_head(measure_head(Head("W", "W", "made here", W))).kind
    'random'
    >>> judge_head(measure_head(Head("W", "W", "made here", np.ones((500, 20))))).kind
    'none'
    """
    kind, sentence = _kind(measured)
    return HeadVerdict(kind, sentence, _grounds(measured), _unknown(measured, kind))


def _kind(measured: HeadMeasures) -> tuple[str, str]:
    n, m, share = measured.n, measured.m, measured.represented
    different = measured.different
    shape = f"{n} rows{f' ({different} of them different)' if different < FEW_EQUAL * n else ''} in {m} dimensions"
    if n < m:
        return "transposed?", (
            f"questioned: {n} rows of {m} numbers, fewer tokens than dimensions: is the matrix width by tokens "
            "(--transpose)? As it stands nothing needs superposition"
        )
    if share * different <= m:
        return "none", f"no superposition: {shape}, {share:.1%} of them long: no more than there are dimensions"
    if _has_random_directions(measured) and _has_initial_lengths(measured):
        return "random", (
            f"as never trained: {shape} overlap as random directions do, within chance, and their lengths spread as an "
            "initialisation's do. Ideal strong superposition would look the same"
        )
    if share < STRONG_FROM:
        return "weak", f"weaker superposition: of {shape} {1 - share:.1%} are shorter than half the mean"
    long = f"{share:.1%} of {shape} are long"
    if _excess(measured) < AS_RANDOM:
        return "strong", f"strong superposition: {long}, and spread as random directions within a quarter"
    gone = measured.peeled.until_random
    few = gone is not None and gone <= max(1, FEW * m)
    if measured.centred_excess < AS_RANDOM or few:
        behind = "1 dominant direction" if gone == 1 else f"{gone} dominant directions"
        behind = "the mean row" if measured.centred_excess < AS_RANDOM else behind
        return "strong behind", (
            f"strong superposition behind {behind}: {long}, and with that removed they are spread as random directions "
            "within a quarter"
        )
    return "long rows only", (
        f"strong superposition by length, not by geometry: {long}, but they prefer directions, with "
        f"{_excess(measured):.3g} times the overlap of random ones ({measured.centred_excess:.3g} times with the mean "
        "row removed)"
    )


def _excess(measured: HeadMeasures) -> float:
    """Mean squared overlap over 1/m, over the pairs of rows that differ."""
    equal = measured.equal_pairs
    return (measured.overlaps.mean_square - equal) / (1 - equal) * measured.m if equal < 1 else float("nan")


def _has_random_directions(measured: HeadMeasures) -> bool:
    """Whether second and fourth moments of the overlaps are those of random directions, within chance.

    Pairs of random directions are independent, two by two, which gives the errors. Rows that were trained apart may
    have the second moment of random ones; their fourth is lower.
    """
    m, pairs = measured.m, measured.different * (measured.different - 1) / 2
    sample = measured.overlaps.sample[measured.overlaps.sample < 1 - SAME]
    if m < 2 or not pairs or not len(sample):
        return False
    second, variance = random_square_overlap(m)
    fourth, eighth = random_overlap_moment(4, m), random_overlap_moment(8, m)
    error = sqrt((eighth - fourth**2) * (1 / pairs + 1 / len(sample)))
    return (
        abs(_excess(measured) / m - second) < CHANCE * sqrt(variance / pairs)
        and abs(float((sample**4).mean()) - fourth) < CHANCE * error
    )


def _has_initial_lengths(measured: HeadMeasures) -> bool:
    """Whether norms spread as those of independent normal or even entries, within chance, or are all one."""
    units = measured.norm_spread * sqrt(2 * measured.m)
    room = CHANCE / sqrt(2 * measured.different) + 1 / measured.m
    return measured.norm_spread < SAME or any(abs(units / one - 1) < room for one in INITIAL_SPREADS)


def _grounds(measured: HeadMeasures) -> tuple[str, ...]:
    n, m, peeled, spread = measured.n, measured.m, measured.peeled, measured.norm_spread
    lengths = f"all {n} rows have the same, which says nothing"
    if spread >= SAME:
        lengths = (
            f"{measured.represented:.1%} of {n} rows are longer than half the mean; they spread by {spread:.2g} of it "
            f"(an initialisation's by {1 / sqrt(2 * m):.2g})"
        )
    centred = "none is left with the mean row removed"
    if measured.different > 1:
        centred = f"{measured.centred_excess:.3g} times with the mean row removed"
    found = [
        f"lengths: {lengths}",
        f"geometry: mean squared overlap {measured.excess:.3g} times that of random directions, {centred} (a softmax "
        f"does not see it); as if {measured.overlaps.participation_ratio:.0f} of {m} dimensions were used evenly",
        f"dominant directions: {_removed(peeled)}",
    ]
    if measured.equal_pairs * m > EQUAL_MATTERS:
        found.append(
            f"duplicates: {measured.different} rows differ; equal pairs make {measured.equal_pairs:.2g} of the mean "
            "squared overlap (--leave-out duplicate)"
        )
    return tuple(found)


def _removed(peeled: PeeledOverlaps) -> str:
    """How the overlap falls as dominant directions are removed."""
    gone, falls = peeled.until_random, ", ".join(f"{peeled.excess[k]:.3g}" for k in peeled.shown()[1:])
    if not falls:
        return "all is along one line"
    until = (
        "as random directions as it is" if gone == 0 else f"as random directions with {gone} of {peeled.width} removed"
    )
    return f"without 1, 2, 4, ... of them {falls} times; {'never as random directions' if gone is None else until}"


def _unknown(measured: HeadMeasures, kind: str) -> tuple[str, ...]:
    found = [
        "whether the loss falls as 1/m, which takes losses at several widths",
        "what is represented besides tokens",
        "what a gain of the last norm makes of these directions",
    ]
    if kind in ("random", "strong", "strong behind"):
        found.insert(0, "what of it was trained: random directions are both the start and the ideal")
    if not measured.buckets:
        found.append("whether frequent and rare tokens differ (--tokens COUNTS or --ranks-by-id)")
    if measured.hygiene["untrained"] is None:
        found.append("which rows training never met, without names of unused tokens")
    return tuple(found)
