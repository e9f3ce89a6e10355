"""What figures of runs have in common: marks with the spread of seeds, losses with their line, exponents by decay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures.panels import Color, Item, Line, Marks
from superlaw.figures.published import diamonds
from superlaw.findings.comparable import over_seeds
from superlaw.findings.exponents import exponent, outside
from superlaw.findings.points import EXPONENTS

if TYPE_CHECKING:
    import pandas as pd

HOLLOW = "Hollow: outside the scaling range."


def marks(table: pd.DataFrame, x: str, y: str, **look: Any) -> Marks:
    """Marks of y against x with the spread of :func:`over_seeds`."""
    at, mean, spread = over_seeds(table, x, y)
    return Marks(at, mean, spread if spread.any() else None, **look)


def losses_and_line(runs: pd.DataFrame, name: str, color: Color, marker: str = "o") -> list[Item]:
    """Losses against width, hollow outside the scaling range, and the line through the others with its exponent."""
    if not len(runs):
        return []
    inside, found = outside(runs) == "", exponent(runs)
    label = f"{name}: $m^{{-{found.exponent:.2f} \\pm {found.stderr:.2f}}}$" if found else name
    items: list[Item] = [
        marks(part, "width", "loss", color=color, marker=marker, filled=filled)
        for part, filled in ((runs[inside], True), (runs[~inside], False))
        if len(part)
    ]
    items[0] = replace(items[0], label=label)
    if found:
        ends = np.array([found.widths[0], found.widths[-1]], dtype=float)
        items.append(Line(ends, found.coefficient * ends**-found.exponent, color=color))
    return items


def exponents_by_decay(cells: pd.DataFrame, hollow: str = "") -> list[Item]:
    """Exponents against alpha for each weight decay, side by side, with the published ones; those of ``hollow`` so."""
    items: list[Item] = []
    decays = sorted(cells["weight_decay"].unique())
    for i, decay in enumerate(decays):
        here = cells[cells["weight_decay"] == decay]
        shift, label = 0.02 * (i - (len(decays) - 1) / 2), f"γ = {decay:.3g}"
        for part, filled in ((here[here["regime"] != hollow], True), (here[here["regime"] == hollow], False)):
            if len(part):
                items.append(Marks(part["data_exponent"].to_numpy(), part["exponent"].to_numpy(),
                                   part["stderr"].to_numpy(), label, f"C{i}", filled=filled, shift=shift))  # fmt: skip
                label = None
        items += diamonds(EXPONENTS, "data_exponent", f"C{i}", shift, weight_decay=decay)
    return items
