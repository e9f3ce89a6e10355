"""What a figure plots as one table: a row a mark, whatever it is drawn as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures.panels import Arrows, Bars, Forest, Item, Line, Map, Marks, Panel, Picture, Steps
from superlaw.figures.symbols import plain

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("panel", "series", "kind", "x", "y", "low", "high", "of")


def frame(picture: Picture) -> pd.DataFrame:
    """Every mark of every panel.

    Returns
    -------
    DataFrame
        ``panel`` (its title, or what stands up it), ``series`` (its label), ``kind``; ``x``, ``y``, and ``low``,
        ``high``, the ends of the error or band of y (of a forest and of a histogram's bins those of x); of a map ``y``
        is the row and the value stands in ``value``. ``of``: names of what stands behind the mark, as ids of runs.

    Examples
    --------
    >>> marks = Marks(np.array([10.0, 20.0]), np.array([0.5, 0.2]), np.array([0.1, 0.05]), "strong")
    >>> shown = frame(Picture("made", "Made", (Panel("m", "loss", (marks,)),)))
    >>> shown[["panel", "series", "x", "y", "low"]].round(3).values.tolist()
    [['loss', 'strong', 10.0, 0.5, 0.4], ['loss', 'strong', 20.0, 0.2, 0.15]]
    """
    import pandas as pd

    rows = [row for panel in picture.panels for row in _of_panel(panel)]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "value"])
    return table.drop(columns=[name for name in ("low", "high", "of", "value") if table[name].isna().all()])


def _of_panel(panel: Panel) -> list[dict[str, Any]]:
    name = plain(panel.title or panel.ylabel)
    rows = []
    for item in panel.items:
        label, kind = plain(getattr(item, "label", None) or ""), type(item).__name__.lower()
        rows += [{"panel": name, "series": label, "kind": kind} | row for row in _of_item(item)]
    return rows + ([] if panel.inset is None else _of_panel(panel.inset))


def _of_item(item: Item) -> list[dict[str, Any]]:
    if isinstance(item, Marks | Bars):
        y = item.y if isinstance(item, Marks) else item.heights
        low, high = _ends(y, item.error)
        of = item.of if isinstance(item, Marks) else None
        return _rows(x=item.x, y=y, low=low, high=high, of=of)
    if isinstance(item, Line):
        return _rows(x=item.x, y=item.y, low=item.low, high=item.high)
    if isinstance(item, Steps):
        return _rows(x=(item.edges[:-1] + item.edges[1:]) / 2, y=item.heights, low=item.edges[:-1], high=item.edges[1:])
    if isinstance(item, Forest):
        return _rows(x=item.x, y=np.array(item.labels, dtype=object), low=item.low, high=item.high, of=item.of)
    if isinstance(item, Map):
        low, high = _ends(item.z, item.error)
        return [
            {"x": item.x[j], "y": item.y[i], "value": float(item.z[i, j])}
            | ({} if low is None else {"low": low[i, j], "high": high[i, j]})
            | ({} if item.of is None else {"of": item.of[i][j]})
            for i, j in np.ndindex(item.z.shape)
        ]
    assert isinstance(item, Arrows)
    return [
        {"x": tip[0], "y": tip[1], "value": tip[2] if len(tip) > 2 else np.nan, "of": (name,)}
        for tip, name in zip(item.tips.tolist(), item.labels, strict=True)
    ]


def _ends(y: np.ndarray, error: np.ndarray | None) -> tuple[Any, Any]:
    if error is None:
        return None, None
    below, above = (error, error) if np.shape(error) == np.shape(y) else error
    return y - below, y + above


def _rows(**columns: Any) -> list[dict[str, Any]]:
    known = {name: values for name, values in columns.items() if values is not None}
    return [dict(zip(known, row, strict=True)) for row in zip(*known.values(), strict=True)]
