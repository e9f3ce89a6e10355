"""The painter for pages and notebooks: records in, a figure of Plotly out. It computes nothing.

Plotly's description of a figure is plain data, and made as such: a page needs no more of Plotly than its bundle, and
the Python package, which checks every name of it, is loaded where someone asks for its objects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures import style
from superlaw.figures.panels import Arrows, Bars, Forest, Line, Map, Marks, Panel, Picture, Steps
from superlaw.figures.symbols import shortened
from superlaw.figures.traces import Trace, arrow_heads, color_bar, label_of, traces

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PIXELS = 125  # of a figure in a notebook, to an inch in print
GAP_X, GAP_Y = 0.32, 0.42  # between panels, of a panel
SOME_DECADES = (0.8, 2.7)  # of a logarithmic axis: fewer or more get the ticks that Plotly chooses
LONG_TICK = 44  # characters of a tick's name: what is longer is cut
LONG_LABEL = 30  # characters of an axis' label, beyond which it takes two lines
ROTATED = 36  # characters of all ticks, beyond which they stand aslant
CLEAR = "rgba(0,0,0,0)"
TEMPLATE = "plotly_white"

Ends = tuple[float, float]


def plotly_figure(picture: Picture) -> Figure:
    """A whole picture as an object of plotly.graph_objects, its panels in a grid.

    Examples
    --------
    >>> import numpy as np
    >>> from superlaw.figures.panels import Line
    >>> panel = Panel("x", "y", (Line(np.arange(3.0), np.arange(3.0), "a line"),))
    >>> plotly_figure(Picture("made", "A line", (panel,))).data[0].name
    'a line'
    """
    import plotly.graph_objects as go

    columns = min(picture.columns, len(picture.panels))
    rows = -(-len(picture.panels) // columns)
    places = [(k % columns, rows - 1 - k // columns) for k in range(len(picture.panels))]
    shown = [
        _panel(panel, 2 * k + 1, _domain(column, columns, GAP_X), _domain(row, rows, GAP_Y), len(places) > 1)
        for k, (panel, (column, row)) in enumerate(zip(picture.panels, places, strict=True))
    ]
    width, height = picture.panel[0] * columns * PIXELS, picture.panel[1] * rows * PIXELS
    layout = _layout(shown) | {
        "title": {"text": label_of(picture.title)}, "template": TEMPLATE, "width": width + 260, "height": height + 120,
        "margin": {"t": 80},
    }  # fmt: skip
    del layout["paper_bgcolor"], layout["plot_bgcolor"], layout["font"]
    return go.Figure({"data": [trace for one in shown for trace in one.traces], "layout": layout})


def panel_figure(panel: Panel) -> dict[str, Any]:
    """One panel as Plotly's ``data`` and ``layout``, for a page that gives it its size, its colours and its legend."""
    shown = _panel(panel, 1, (0.0, 1.0), (0.0, 1.0), titled=False)
    layout = _layout([shown]) | {"showlegend": False, "margin": {"l": 60, "r": 12, "t": 8, "b": 48}}
    return {"data": shown.traces, "layout": layout}


def groups(panel: Panel) -> list[int]:
    """For each item the number of the one with whose label it is shown and hidden: what has none goes with the last
    labelled one of its colour, as a fitted line with its marks."""
    found, labelled = [], {}
    for k, item in enumerate(panel.items):
        color = repr(getattr(item, "color", None))
        if getattr(item, "label", None):
            labelled[color] = k
        found.append(labelled.get(color, k))
    return found


@dataclass(frozen=True)
class _Shown:
    """A panel's traces, and its axes, annotations and the like, by Plotly's names."""

    traces: list[Trace]
    axes: dict[str, Trace]
    annotations: list[Trace]


def _panel(panel: Panel, number: int, across: Ends, up: Ends, titled: bool) -> _Shown:
    """A panel on the axes of that number, in the parts ``across`` and ``up`` of the figure; its inset on the next."""
    suffix = "" if number == 1 else str(number)
    x, y = f"x{suffix}", f"y{suffix}"
    found: list[Trace] = []
    for item, group in zip(panel.items, groups(panel), strict=True):
        for trace in traces(item, panel):
            found.append(trace | {"xaxis": x, "yaxis": y, "legendgroup": f"{number}.{group}"})
    if panel.scale:
        found.append(color_bar(panel.scale) | {"xaxis": x, "yaxis": y})
    for trace in found:
        if "colorbar" in trace.get("marker", {}):
            trace["marker"]["colorbar"] |= {"x": across[1] + 0.01, "xanchor": "left", "y": sum(up) / 2,
                                            "len": up[1] - up[0]}  # fmt: skip
    heads = [head for item in panel.items if isinstance(item, Arrows) for head in arrow_heads(item, x, y)]
    shown = _Shown(found, {
        f"xaxis{suffix}": {"domain": list(across), "anchor": y} | _x_axis(panel),
        f"yaxis{suffix}": {"domain": list(up), "anchor": x} | _y_axis(panel, x),
    }, heads)  # fmt: skip
    if titled:
        first = next((trace for trace in found if trace["showlegend"]), None)
        if first and panel.title:
            first["legendgrouptitle"] = {"text": label_of(panel.title)}
        shown.annotations.append({"text": label_of(panel.title), "x": sum(across) / 2, "y": up[1], "xref": "paper",
                                  "yref": "paper", "yanchor": "bottom", "showarrow": False})  # fmt: skip
    if panel.inset:
        left, bottom, width, height = panel.inset_at
        inner = _panel(panel.inset, number + 1, _within(across, left, width), _within(up, bottom, height), False)
        for axis in inner.axes.values():
            axis |= {
                "tickfont": {"size": 9},
                "title": {"text": axis["title"]["text"], "font": {"size": 9}, "standoff": 0},
            }
        return _Shown([*shown.traces, *inner.traces], shown.axes | inner.axes, shown.annotations + inner.annotations)
    return shown


def _domain(place: int, of: int, gap: float) -> Ends:
    """The part of the figure that is one of several panels in a row or a column."""
    size = 1 / (of + (of - 1) * gap)
    begin = place * size * (1 + gap)
    return begin, min(1.0, begin + size)


def _within(outer: Ends, begin: float, size: float) -> Ends:
    span = outer[1] - outer[0]
    return outer[0] + begin * span, outer[0] + (begin + size) * span


def _layout(shown: Sequence[_Shown]) -> dict[str, Any]:
    axes = {name: axis for one in shown for name, axis in one.axes.items()}
    return axes | {
        "annotations": [annotation for one in shown for annotation in one.annotations],
        "barmode": "overlay", "hovermode": "closest", "dragmode": "zoom", "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR,
        "hoverlabel": {"align": "left", "namelength": -1}, "font": {"size": 12},
        "legend": {"tracegroupgap": 0, "itemsizing": "constant"},
    }  # fmt: skip


def _has(panel: Panel, kind: type) -> bool:
    return any(isinstance(item, kind) for item in panel.items)


def _axis(label: str) -> Trace:
    return {"title": {"text": _folded(label), "standoff": 6}, "automargin": True, "zeroline": False,
            "ticks": "outside", "showline": True, "mirror": True, "exponentformat": "B", "minexponent": 4}  # fmt: skip


def _folded(label: str) -> str:
    """A long label on two lines."""
    at = label.find(" ", len(label) // 2) if len(label) > LONG_LABEL else -1
    return label_of(label) if at < 0 or "$" in label else f"{label_of(label[:at])}<br>{label_of(label[at + 1 :])}"


def _x_axis(panel: Panel) -> Trace:
    axis = _axis(panel.xlabel)
    cells = [item for item in panel.items if isinstance(item, Map)]
    arrows = [item for item in panel.items if isinstance(item, Arrows)]
    if cells:
        named = _named_places(cells[0].x)
        return axis | named | _angle(named) | {"range": [-0.5, len(cells[0].x) - 0.5], "showgrid": False}
    if arrows:
        return axis | _reach(arrows[0])
    if panel.ticks is not None:
        names = panel.tick_labels or [style.short(v) for v in panel.ticks]
        axis |= {"tickvals": list(panel.ticks), "ticktext": [_tick(str(name)) for name in names]}
        axis |= _angle(axis) if panel.tick_labels else {}
    return axis | _scaled(panel.xscale, panel.xlim, _decades(panel, "x") if panel.ticks is None else math.nan)


def _y_axis(panel: Panel, x: str) -> Trace:
    axis = _axis(panel.ylabel)
    cells = [item for item in panel.items if isinstance(item, Map)]
    arrows = [item for item in panel.items if isinstance(item, Arrows)]
    forests = [item for item in panel.items if isinstance(item, Forest)]
    if cells:
        return axis | _named_places(cells[0].y) | {"range": [-0.5, len(cells[0].y) - 0.5], "showgrid": False}
    if arrows:
        return axis | _reach(arrows[0]) | {"scaleanchor": x}
    if forests:
        rows = len(forests[0].labels)
        return axis | _named_places(forests[0].labels) | {"range": [rows - 0.4, -0.6]}
    steps = [item for item in panel.items if isinstance(item, Steps)]
    if steps and panel.yscale == "log" and panel.ylim is None:  # down to the smallest that is not 0
        heights = np.concatenate([item.heights for item in steps])
        panel = replace(panel, ylim=(0.8 * float(heights[heights > 0].min()), 1.25 * float(heights.max())))
    scaled = _scaled(panel.yscale, panel.ylim, _decades(panel, "y"))
    return axis | ({"rangemode": "tozero"} if _has(panel, Bars) and "range" not in scaled else {}) | scaled


def _named_places(names: Sequence[Any]) -> Trace:
    return {"tickvals": list(range(len(names))), "ticktext": [_tick(style.short(name)) for name in names]}


def _angle(axis: Trace) -> Trace:
    """Names beside one another, or aslant where they are many: stated, for Plotly can go on weighing the two."""
    return {"tickangle": 45 if sum(map(len, axis["ticktext"])) > ROTATED else 0}


def _tick(name: str) -> str:
    return label_of(shortened(name, LONG_TICK))


def _reach(item: Arrows) -> Trace:
    from superlaw.figures.view import seen

    view = seen(item)
    bare = {"showticklabels": False, "ticks": "", "showline": False} if len(view.feet) else {}
    return {"range": [-view.reach, view.reach], "showgrid": False, **bare}


def _decades(panel: Panel, way: str) -> float:
    """How many decades the marks and lines span along x or y; NaN where there is none."""
    found = [np.asarray(getattr(item, way), dtype=float) for item in panel.items if isinstance(item, Marks | Line)]
    values = np.concatenate([*found, np.zeros(0)])
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.log10(values.max() / values.min())) if values.size else math.nan


def _scaled(scale: str, limits: tuple[float | None, float | None] | None, decades: float) -> Trace:
    axis: Trace = {"type": scale}
    if scale == "log":
        axis["minorloglabels"] = "complete"
        if SOME_DECADES[0] < decades < SOME_DECADES[1]:
            axis["dtick"] = "D2"  # 1, 2 and 5 of each
    if limits is None:
        return axis
    ends = [end if end is None or scale == "linear" else math.log10(end) if end > 0 else None for end in limits]
    return axis | {"range": [None if end is None else float(end) for end in ends]}
