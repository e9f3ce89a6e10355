"""What figures of runs have in common: marks with the spread of seeds, losses with their line, exponents by decay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures.panels import Behind, Color, Item, Line, Marks
from superlaw.figures.published import diamonds
from superlaw.findings.comparable import over_seeds
from superlaw.findings.exponents import exponent, outside
from superlaw.findings.points import EXPONENTS

if TYPE_CHECKING:
    import pandas as pd

HOLLOW = "Hollow: outside the scaling range."


def marks(table: pd.DataFrame, x: str, y: str, **look: Any) -> Marks:
    """Marks of y against x with the spread of :func:`over_seeds`, and the runs that each averages."""
    at, mean, spread = over_seeds(table, x, y)
    return Marks(at, mean, spread if spread.any() else None, of=behind(table, x, y), **look)


def behind(table: pd.DataFrame, x: str, y: str) -> Behind:
    """The runs at each value of x that have y, as :func:`over_seeds` averages them."""
    shown = table[np.isfinite(table[y].to_numpy(dtype=float))]
    return tuple(named_runs(runs) for _, runs in shown.groupby(x))


def named_runs(table: pd.DataFrame) -> tuple[str, ...]:
    """Ids of runs with their seeds: "0a1b2c3d4e5f6071, seed 0"."""
    return tuple(f"{run}, seed {seed}" for run, seed in zip(table["id"], table["seed"], strict=True))


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
                                   part["stderr"].to_numpy(), label, f"C{i}", filled=filled, shift=shift,
                                   of=tuple(part["runs"])))  # fmt: skip
                label = None
        items += diamonds(EXPONENTS, "data_exponent", f"C{i}", shift, weight_decay=decay)
    return items
