"""Published points in pictures: hollow diamonds beside our marks, a second map beside ours, one against the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures.panels import Color, Item, Line, Map, Marks, Panel
from superlaw.figures.style import short
from superlaw.findings.beside import published_points
from superlaw.findings.figure_comparison import FigureComparison, Kind
from superlaw.findings.points import published_value
from superlaw.findings.published import PUBLISHED

if TYPE_CHECKING:
    import pandas as pd

DIAMOND = "d"


def diamonds(
    kind: Kind, x: str, color: Color, shift: float = 0.0, label: str | None = None, **where: Any
) -> list[Item]:
    """The figure's points at some coordinates, hollow, along another; none where it has none there."""
    table = published_points(kind)
    at = table[np.all([_same(table[key], value) for key, value in where.items()], axis=0)].sort_values(x)
    if not len(at):
        return []
    return [Marks(at[x].to_numpy(), at[kind.column].to_numpy(), None, label, color, DIAMOND, filled=False, shift=shift)]


def _same(column: pd.Series, value: Any) -> Any:
    return column == value if isinstance(value, str) else np.isclose(column, value, rtol=1e-3, atol=1e-6)


def published_map(kind: Kind, ours: Map, title: str) -> list[Panel]:
    """The figure's values at the cells of our map, on its scale; nothing where it has none of them."""
    values = [[published_value(kind, weight_decay=gamma, data_exponent=alpha) for gamma in ours.x] for alpha in ours.y]
    z = np.array(values, dtype=float)
    if not np.isfinite(z).any():
        return []
    shown = Map(ours.x, ours.y, z, ours.label, low=ours.low, high=ours.high, text=ours.text)
    return [Panel("weight decay γ", "data exponent α", (shown,), title)]


def against(beside: FigureComparison, label: str) -> list[Panel]:
    """Ours against the published, point by point, with one combined spread; nothing without points."""
    if not beside.points:
        return []
    x = np.array([point.published for point in beside.points])
    y = np.array([point.measured for point in beside.points])
    error = np.array([np.nan if point.expected is None else point.expected for point in beside.points])
    far = np.array([point.verdict == "outside" for point in beside.points])
    of = [" · ".join(f"{key} {short(value)}" for key, value in point.where.items()) for point in beside.points]
    items: list[Item] = []
    for part, role, name in ((~far, "weak", "within twice the spread"), (far, "strong", "outside")):
        if part.any():
            bars = error[part] if np.isfinite(error[part]).all() else None
            named = tuple((of[k],) for k in np.flatnonzero(part))
            items.append(Marks(x[part], y[part], bars, name if beside.judged else None, role, of=named))
    ends = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
    items.append(Line(ends, ends, "equal", style="--"))
    title = "bars: one combined spread" if np.isfinite(error).any() else ""
    return [Panel(f"{label}, published ({beside.source})", f"{label}, here", tuple(items), title, legend="upper left")]


def notes(figure: str, found: Any, panels: Sequence[Panel]) -> tuple[str, ...]:
    """What hollow diamonds are, where the panels have any, and how the figure's points lie beside what was found."""
    besides = PUBLISHED[figure].points(found)
    drawn = any(isinstance(item, Marks) and item.marker == DIAMOND for panel in panels for item in panel.items)
    sources = ", ".join(beside.source for beside in besides)
    said = [f"Hollow diamonds: as published ({sources}), one run a point."] if drawn else []
    said += [line for beside in besides for line in beside.headline()]
    return tuple(dict.fromkeys(said))
