"""Figure of the demo: loss against width, and overlap against width, for both regimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture
from superlaw.figures.runs import HOLLOW, losses_and_line, marks
from superlaw.findings.exponents import RULE, exponent

if TYPE_CHECKING:
    import pandas as pd

LOOKS = {"weak": "o", "strong": "s"}
PANEL = (4.8, 4.0)  # inches

draw = paint.draw


def data(title: str, runs: dict[str, pd.DataFrame], unlearned_at_width: np.ndarray) -> Picture:
    """Each regime's losses with their line and theory's curves; overlaps beside 1/m and Welch.

    Parameters
    ----------
    title : str
    runs : dict with the run tables ``weak`` and ``strong``, a row a width
    unlearned_at_width : ndarray, shape (widths,)
        The exact sum over unlearned features with k = m.
    """
    widths = runs["weak"]["width"].to_numpy()
    ticks = tuple(widths.tolist())
    losses: list[Item] = []
    overlaps: list[Item] = []
    for name, marker in LOOKS.items():
        table = runs[name]
        label = f"{name}, γ = {table['weight_decay'].iloc[0]:g}"
        losses += losses_and_line(table[table["status"] == "ok"], label, name, marker)
        overlaps.append(marks(table, "width", "mean_square_overlap", label=name, color=name, marker=marker))
    losses += [
        Line(widths, unlearned_at_width, "sum over features beyond m", style="--"),
        Marks(widths, runs["weak"]["unlearned_loss"].to_numpy(dtype=float), None, "weak: sum over its own unlearned",
              marker="x"),
    ]  # fmt: skip
    strong = exponent(runs["strong"])
    if strong is not None:
        first = strong.widths[0]
        guide = strong.coefficient * first**-strong.exponent * first / widths
        losses.append(Line(widths, guide, "∝ 1/m", style=":"))
    welch = runs["strong"]["welch"].to_numpy(dtype=float)
    overlaps += [
        Line(widths, 1 / widths, "1/m (random directions)", style=":"),
        Line(widths, welch, "Welch bound, all n rows", style="-."),
    ]
    panels = (
        Panel("width m", "loss L (sum over features)", tuple(losses), "", "log", "log", ticks, legend="lower left"),
        Panel("width m", "mean squared overlap, i ≠ j", tuple(overlaps), "", "log", "log", ticks),
    )
    ids = tuple(run for table in runs.values() if "id" in table for run in table["id"])
    return Picture("demo", title, panels, 2, (f"{RULE}. {HOLLOW}",), ids, panel=PANEL)
