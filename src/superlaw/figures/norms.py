"""Row norms of each model's head: mean, spread and ends by model, and their distribution ([LLG] App. D)."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture, Scale, Steps
from superlaw.lm.measure import REPRESENTED

NAMED = 8  # distributions named in the legend; more are coloured by width
SPAN = 50  # of norms, beyond which the axis is logarithmic
ROOM = 0.22  # inches a model's name takes
PAGE = 7.0  # inches: beyond it panels stand one above the other
WIDE = 3.35, 2.9  # inches of a panel, at least

draw = paint.draw


def data(heads: dict[str, dict[str, Any]]) -> Picture:
    """Norms by model, and histograms of norm over mean norm.

    Parameters
    ----------
    heads : dict of str to dict
        By model name, in the order of the axis: a head's record, of lm.measure.

    Raises
    ------
    InputError
        Without a head.
    """
    if not heads:
        raise InputError("no heads", "the folder of a language-model study with measured heads",
                         "superlaw lm study FAMILY --corpus NAME=FILE -o DIR makes one")  # fmt: skip
    notes = ["Bars: the standard deviation over rows (a spread, not an error: every row is measured)."]
    panels = [_summary(heads, notes)]
    shown = {name: head for name, head in heads.items() if "histogram" in head["norms"]}
    if shown:
        panels.append(_distribution(shown))
    if len(shown) < len(heads):
        lacking = ", ".join(name for name in heads if name not in shown)
        notes.append(f"Missing: the distributions of {lacking}, measured by an older version; measure them again.")
    width = max(WIDE[0], ROOM * len(heads) + 0.9)
    return Picture("norms", "Row norms of the heads", tuple(panels), 2 if 2 * width <= PAGE else 1, tuple(notes),
                   tuple(heads), panel=(width, WIDE[1]))  # fmt: skip


def _summary(heads: dict[str, dict[str, Any]], notes: list[str]) -> Panel:
    x = np.arange(len(heads), dtype=float)
    norms = {key: np.array([head["norms"][key] for head in heads.values()]) for key in ("mean", "std", "min", "max")}
    zero = [name for name, head in heads.items() if head["norms"]["min"] <= 0]
    if zero:
        notes.append(f"Rows of length 0, not drawn on the axis: in {', '.join(zero)}.")
    above = norms["min"] > 0
    bars = np.array([np.minimum(norms["std"], 0.999 * norms["mean"]), norms["std"]])
    items: tuple[Item, ...] = (
        Marks(x, norms["mean"], bars, "mean ± standard deviation", "C0"),
        Marks(x, norms["max"], label="largest", color="C1", marker="v", filled=False),
        Marks(x[above], norms["min"][above], label="smallest", color="C2", marker="^", filled=False),
    )
    lowest = min(norms["mean"].min(), norms["min"][above].min(initial=np.inf))
    spans = norms["max"].max() / lowest > SPAN
    return Panel("", "row norm (units of the weights)", items, "", "linear", "log" if spans else "linear",
                 tuple(x.tolist()), tuple(heads), xlim=(-0.5, len(heads) - 0.5),
                 ylim=None if spans else (0, 1.35 * norms["max"].max()))  # fmt: skip


def _distribution(heads: dict[str, dict[str, Any]]) -> Panel:
    widths = np.log2([head["m"] for head in heads.values()])
    scale = Scale("log₂ m", float(widths.min()), float(widths.max()))
    named = len(heads) <= NAMED
    items: list[Item] = []
    for i, ((name, head), m) in enumerate(zip(heads.items(), widths, strict=True)):
        counts, edges = np.array(head["norms"]["histogram"], dtype=float), np.array(head["norms"]["edges"])
        scaled = edges / head["norms"]["mean"]
        place = i / max(1, len(heads) - 1) if named else scale.place(m)
        density = counts / (counts.sum() * np.diff(scaled))
        items.append(Steps(density, scaled, f"{name}, m = {head['m']}" if named else None, float(place)))
    top = max(float(item.heights.max()) for item in items if isinstance(item, Steps))
    items.append(Line(np.full(2, REPRESENTED), np.array([0.0, top]), "half the mean: represented above", style=":"))
    return Panel("row norm / mean row norm", "density of rows", tuple(items), ylim=(0, 1.2 * top),
                 scale=None if named else scale)  # fmt: skip
