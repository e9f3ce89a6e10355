"""A panel in words, for those who do not see it: its axes, and where each thing that it shows begins and ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.figures.panels import Arrows, Bars, Forest, Item, Line, Map, Marks, Panel, Steps
from superlaw.figures.symbols import plain, shortened

MOST_ITEMS = 12
MOST_CHARACTERS = 80  # of a label


def described(panel: Panel) -> str:
    """One paragraph.

    Examples
    --------
    >>> marks = Marks(np.array([10.0, 100.0]), np.array([0.5, 0.05]), label="strong")
    >>> described(Panel("width m", "loss L", (marks,), "losses", "log", "log"))
    'losses. Across: width m, logarithmic. Up: loss L, logarithmic. strong: 2 points, from (10, 0.5) to (100, 0.05).'
    """
    said = [_label(panel.title)] if panel.title else []
    for way, label, scale in (("Across", panel.xlabel, panel.xscale), ("Up", panel.ylabel, panel.yscale)):
        if label:
            said.append(f"{way}: {_label(label)}{', logarithmic' if scale == 'log' else ''}")
    items = [words for item in panel.items if (words := _item(item))]
    said += items[:MOST_ITEMS]
    if len(items) > MOST_ITEMS:
        said.append(f"And {len(items) - MOST_ITEMS} more")
    if panel.inset:
        said.append(f"Within it: {described(panel.inset)}"[:-1])
    return ". ".join(said) + "."


def _item(item: Item) -> str:
    if isinstance(item, Marks):
        return _of_points(item.label or "marks", "point", item.x, item.y)
    if isinstance(item, Line):
        band = " with a band" if item.low is not None else ""
        return _of_points((item.label or "line") + band, "", item.x, item.y)
    if isinstance(item, Steps):
        top = int(np.argmax(item.heights))
        return f"{_label(item.label or 'histogram')}: highest, {_number(item.heights[top])}, from " \
               f"{_number(item.edges[top])} to {_number(item.edges[top + 1])}"  # fmt: skip
    if isinstance(item, Bars):
        return _of_points(item.label or "bars", "bar", item.x, item.heights)
    if isinstance(item, Map):
        return _map(item)
    if isinstance(item, Forest):
        shown = [f"{_label(name)} {_number(x)} ({_number(low)} to {_number(high)})"
                 for name, x, low, high in zip(item.labels, item.x, item.low, item.high, strict=True)]  # fmt: skip
        more = f", and {len(shown) - MOST_ITEMS} more" if len(shown) > MOST_ITEMS else ""
        return "; ".join(shown[:MOST_ITEMS]) + more
    return _arrows(item)


def _of_points(name: str, what: str, x: Any, y: Any) -> str:
    x, y = (np.asarray(values, dtype=float) for values in (x, y))
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(there):
        return ""
    ends = [f"({_number(x[k])}, {_number(y[k])})" for k in (there[0], there[-1])]
    count = f"{len(there)} {what}{'s' * (len(there) > 1)}, " if what else ""
    where = f"from {ends[0]} to {ends[1]}" if len(there) > 1 else f"at {ends[0]}"
    return f"{_label(name)}: {count}{where}"


def _map(item: Map) -> str:
    known = np.isfinite(item.z)
    if not known.any():
        return f"{_label(item.label)}: no cell has a value"
    low, high = (np.unravel_index(pick(item.z), item.z.shape) for pick in (np.nanargmin, np.nanargmax))
    ends = [f"{_number(item.z[k])} at {style.short(item.x[k[1]])}, {style.short(item.y[k[0]])}" for k in (low, high)]
    return f"{_label(item.label)}: {int(known.sum())} cells, lowest {ends[0]}, highest {ends[1]}"


def _arrows(item: Arrows) -> str:
    shown: Sequence[str] = [
        f"{_label(name)} at ({', '.join(map(_number, tip))})"
        for name, tip in zip(item.labels, item.tips.tolist(), strict=True)
        if name
    ]
    return f"arrows: {'; '.join(shown)}" if shown else "no arrow"


def _label(text: str) -> str:
    return " ".join(shortened(plain(text), MOST_CHARACTERS).split())


def _number(value: float) -> str:
    return f"{value:.3g}"
