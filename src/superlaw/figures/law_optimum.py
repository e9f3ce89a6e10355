"""The compute-optimal frontier as curves with bands: each best size, and the loss, against the budget."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Line, Panel, Picture
from superlaw.laws.frontier import Frontier
from superlaw.laws.result import Fit

NAMES = {"flops": "compute C (FLOP)", "params": "parameters", "loss": "loss"}

draw = paint.draw


def data(found: Frontier, fit: Fit) -> Picture:
    """A panel for each column of the frontier; where the data end is marked."""
    x = found.column(found.kind)[0]
    panels = tuple(_panel(found, fit, name, x) for name in found.columns[1:])
    left = f"; {found.warnings[-1]}" if found.warnings and found.warnings[-1].startswith("never") else ""
    notes = (f"Bands: {found.level:.0%}, {found.drawn_from}. Dashed: the ends of the data{left}.",)
    return Picture("law-optimum", f"{fit.law.name} law, {fit.n} points", panels, min(len(panels), 3), notes)


def _panel(found: Frontier, fit: Fit, name: str, x: np.ndarray) -> Panel:
    value, low, high = found.column(name)
    top = float(np.nanmax(np.where(np.isfinite(high), high, value)))
    items = [Line(x, value, color="strong", low=low, high=np.where(np.isfinite(high), high, top * 10))]
    items += [Line(x[[0, -1]], np.full(2, end), style="--") for end in fit.ranges.get(name, ())
              if value.min() / 3 < end < value.max() * 3]  # fmt: skip
    return Panel(NAMES[found.kind], NAMES.get(name, name), tuple(items), "",
                 "linear" if found.kind == "loss" else "log", "log")  # fmt: skip
