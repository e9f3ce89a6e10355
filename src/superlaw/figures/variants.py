"""Exponents of variants of the model, one under the other: what holds 1/m, and what breaks it."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint, style
from superlaw.figures.panels import Forest, Panel, Picture
from superlaw.findings.exponents import CURVED
from superlaw.findings.variants import Variants

COLORS = {"weak": "weak", "strong": "strong"}  # of regimes; what lies between has theory's grey

draw = paint.draw


def data(found: Variants) -> Picture:
    """A row for each variant that has an exponent: weak ones blue, strong ones orange, bent ones hollow."""
    cells = found.cells[found.cells["exponent"].notna()].sort_values(["regime", "exponent"], ascending=[False, True])
    forest = Forest(
        tuple(
            f"{name} ({len(widths)} m, {seeds} s)"
            for name, widths, seeds in zip(cells["variant"], cells["widths"], cells["seeds"], strict=True)
        ),
        cells["exponent"].to_numpy(dtype=float),
        cells["low"].to_numpy(dtype=float),
        cells["high"].to_numpy(dtype=float),
        tuple(COLORS.get(kind, "theory") for kind in cells["regime"]),
        (cells["lack_of_fit"] < CURVED).to_numpy(),
        1.0,
        tuple(cells["runs"]),
    )
    low, high = float(np.min(forest.x)), float(np.max(forest.x))
    panel = Panel(
        f"model exponent {style.ALPHA_M}",
        "",
        (forest,),
        "dashed: 1/m",
        xlim=(min(0.0, low - 0.5), max(1.2, min(float(np.max(forest.high)), high + 1)) + 0.05),
    )
    notes = ("Orange: strong superposition; blue: weak; grey: between. Hollow: the line is bent (p < 0.01). In "
             "brackets: widths and seeds.", *found.notes)  # fmt: skip
    height = 1.0 + 0.2 * len(cells)
    return Picture("variants", "What sets the exponent", (panel,), 1, notes, found.ids, panel=(7.0, height))
