"""Exponents of width, a table under the other, with 1/m and the joint mean."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Forest, Panel, Picture
from superlaw.findings.width_law import WidthAnswer

draw = paint.draw
WIDEST = 2.5  # where the axis ends at most


def data(answer: WidthAnswer) -> Picture:
    """A row for each table that can tell, and the joint mean; hollow where something else doubts the number."""
    telling = answer.telling
    rows = [(f"{one.table.entry} ({one.design.counted})", one.exponent.value, one.exponent.low, one.exponent.high,
             "strong", bool(one.doubts)) for one in telling if one.exponent is not None]  # fmt: skip
    for name, found in (("mean, one entry a source", answer.joint), ("mean, all entries", answer.of_all)):
        if found is not None:
            rows.append((f"{name} ({found.k})", found.mean, found.low, found.high, "theory", False))
    labels, x, low, high, colors, hollow = zip(*rows, strict=True)
    forest = Forest(labels, np.array(x), np.array(low), np.array(high), colors, np.array(hollow), 1.0)
    ends = min(0.0, min(low) - 0.1), min(WIDEST, max(1.2, *high) + 0.05)
    panel = Panel("exponent of width, $a_m$", "", (forest,), "dashed: 1/m", xlim=(max(-0.5, ends[0]), ends[1]))
    silent = [one.table.entry for one in answer.verdicts if one.cannot]
    notes = ["Additive law of width, depth and tokens; 95 % intervals, errors clustered by model; runs in brackets. "
             "Hollow: within the form alone."]  # fmt: skip
    if silent:
        notes.append(f"Cannot tell: {', '.join(silent)}.")
    names = tuple(one.table.entry for one in telling)
    return Picture("width-law", "Does width buy 1/m in language models?", (panel,), 1, tuple(notes), names,
                   panel=(7.0, 1.2 + 0.3 * len(rows)))  # fmt: skip
