"""Heads of public models against the overlap of random directions, 1/m."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Line, Marks, Panel, Picture
from superlaw.findings.reference_heads import ReferenceHead

draw = paint.draw


def data(heads: Sequence[ReferenceHead]) -> Picture:
    """Mean squared overlap of each head against its width: as it is, and with the mean row removed; 1/m.

    Parameters
    ----------
    heads : sequence of ReferenceHead
    """
    heads = sorted(heads, key=lambda head: head.m)
    m = np.array([head.m for head in heads], float)
    labels = tuple((f"{head.name}, {_until(head)}",) for head in heads)
    span = np.array([0.8 * m[0], 1.25 * m[-1]])
    items = (
        Line(span, 1 / span, "1/m: random directions", "theory", "--"),
        Marks(m, np.array([head.excess for head in heads]) / m, None, "as it is", "strong", "o", of=labels),
        Marks(m, np.array([head.centred_excess for head in heads]) / m, None, "mean row removed", "strong", "o",
              filled=False, of=labels),
    )  # fmt: skip
    panel = Panel("width m", "mean squared overlap of rows", items, "", "log", "log",
                  tuple(float(x) for x in sorted(set(m))),
                  tuple("\n".join(head.name for head in heads if head.m == x) + f"\n{x:.0f}" for x in sorted(set(m))),
                  legend="center left")  # fmt: skip
    return Picture("reference-heads", "Heads of public models against 1/m", (panel,), 1, (
        "Each head once, exact over all pairs of rows. Dominant directions to remove until the rest overlaps as random "
        "directions do: " + "; ".join(f"{head.name} {_until(head)}" for head in heads if head.until_random != 0) + ".",
    ), tuple(head.name for head in heads), panel=(7.5, 4.6))  # fmt: skip


def _until(head: ReferenceHead) -> str:
    return "more than were tried" if head.until_random is None else f"{head.until_random} of {head.m}"
