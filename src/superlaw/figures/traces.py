"""Items of a panel as traces of Plotly: what is drawn, and what is said where the pointer is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.figures.panels import Arrows, Bars, Behind, Color, Forest, Item, Line, Map, Marks, Panel, Scale, Steps
from superlaw.figures.symbols import hypertext, shortened
from superlaw.figures.view import seen
from superlaw.files.columns import printable

MOST_CHARACTERS = 60  # of a label in a figure
MOST_NAMED = 4  # of what stands behind a mark, where the pointer is; the table of runs and the JSON file have all
DIGITS = ".6g"  # of what is plotted: a page is small, and no screen shows more
PALE = 0.55  # opacity of many small marks
EMPTY = "#dddddd"  # a cell without a number, as in print
BAR = "#bbbbbb"  # of errors where each mark has a colour of its own
DASHES = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}
SYMBOLS = {"o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down", "D": "diamond", "d": "diamond-tall",
           "P": "cross", "X": "x", ".": "circle", "x": "x-thin", "+": "cross-thin", "_": "line-ew"}  # fmt: skip
THIN = ("x", "+", "_")  # markers that are lines alone
BOTTOM = 1e-12  # of a histogram on a logarithmic axis: below all that is shown
STOPS = 11  # of a colour scale

Trace = dict[str, Any]


def traces(item: Item, panel: Panel) -> list[Trace]:
    """One item; its first trace that has a name stands in the legend."""
    if isinstance(item, Marks):
        return [_marks(item, panel)]
    if isinstance(item, Line):
        return _line(item, panel)
    if isinstance(item, Steps):
        return [_steps(item, panel)]
    if isinstance(item, Bars):
        return [_bars(item, panel)]
    if isinstance(item, Map):
        return _map(item, panel)
    if isinstance(item, Forest):
        return _forest(item, panel)
    return _arrows(item)


def color_bar(scale: Scale) -> Trace:
    """The bar of a panel's dark-to-light scale, on a mark that is nowhere."""
    places = np.linspace(0, 1, STOPS)
    stops = list(zip(places.tolist(), color_of(places), strict=True))
    return _bar_alone(scale.label, scale.low, scale.high, stops)


def label_of(text: str) -> str:
    """A label for Plotly: text from anyone is text, mathematics has its indices, and no more than fits."""
    return "<br>".join(hypertext(line) for line in shortened(text, MOST_CHARACTERS).split("\n"))


def color_of(color: Color) -> Any:
    """A colour, or one for each mark, as Plotly takes it."""
    if isinstance(color, str):
        return style.named(color)
    shades = np.round(255 * np.atleast_2d(style.shades(np.atleast_1d(color)))[:, :3]).astype(int)
    found = ["#{:02x}{:02x}{:02x}".format(*shade) for shade in shades]
    return found if isinstance(color, np.ndarray) else found[0]


def numbers(values: Any) -> list[Any]:
    """Numbers for JSON, to six figures; what is not finite is a gap."""
    found = np.asarray(values, dtype=float).ravel().tolist()
    return [float(format(value, DIGITS)) if math.isfinite(value) else None for value in found]


def _marks(item: Marks, panel: Panel) -> Trace:
    color = color_of(item.color)
    size = 5 if item.small else {".": 5, "_": 12}.get(item.marker, 8)
    symbol = SYMBOLS[item.marker] + ("-open" if not item.filled or item.marker in THIN else "")
    one = isinstance(color, str)
    shown: Trace = {
        **_named("scatter", item.label),
        "mode": "lines+markers" if item.joined else "markers",
        "x": numbers(item.x + item.shift) or [None],
        "y": numbers(item.y) or [None],
        "marker": {"color": color, "symbol": symbol, "size": size, "line": {"width": 1.5}},
    }
    if symbol == SYMBOLS[item.marker]:
        shown["marker"]["line"] = {"width": 0}
    if item.small:
        shown["marker"]["opacity"] = PALE
    if one:
        shown["line"] = {"color": color, "width": 1}
    said = [style.short(v) if isinstance(v, str) else _number(v) for v in np.asarray(item.y).tolist()]
    if item.error is not None:
        low, high = (item.error, item.error) if np.ndim(item.error) == 1 else item.error
        shown["error_y"] = _error(low, high, color if one else BAR)
        said = [_with_error(*three) for three in zip(said, low, high, strict=True)]
    return shown | _hover(panel, _ticks_at(panel, item.x), said, item.of)


def _line(item: Line, panel: Panel) -> list[Trace]:
    color = color_of(item.color)
    shown: Trace = {
        **_named("scatter", item.label),
        "mode": "lines",
        "x": numbers(item.x),
        "y": numbers(item.y),
        "line": {"color": color, "width": 1.5, "dash": DASHES[item.style]},
        "hovertemplate": _at_pointer(panel),
    }
    if item.low is None or item.high is None:
        return [shown]
    edge: Trace = {**_named("scatter", None), "mode": "lines", "x": shown["x"], "line": {"width": 0, "color": color},
                   "hoverinfo": "skip"}  # fmt: skip
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    band = edge | {"y": numbers(item.high), "fill": "tonexty", "fillcolor": f"rgba({red}, {green}, {blue}, 0.2)"}
    return [edge | {"y": numbers(item.low)}, band, shown]


def _steps(item: Steps, panel: Panel) -> Trace:
    floor = BOTTOM if panel.yscale == "log" else 0.0
    heights = [height or floor for height in numbers(item.heights)]
    edges = numbers(item.edges)
    return {
        **_named("scatter", item.label),
        "mode": "lines",
        "x": [edges[0], *edges, edges[-1]],
        "y": [floor, *heights, heights[-1], floor],
        "line": {"color": color_of(item.color), "width": 1.2, "shape": "hv"},
        "hovertemplate": _at_pointer(panel, "from "),
    }


def _bars(item: Bars, panel: Panel) -> Trace:
    shown: Trace = {
        **_named("bar", item.label),
        "x": numbers(item.x),
        "y": numbers(item.heights),
        "width": 0.75,
        "marker": {"color": color_of(item.color)},
    }
    said = [_number(v) for v in np.asarray(item.heights).tolist()]
    if item.error is not None:
        shown["error_y"] = _error(item.error, item.error, style.THEORY)
        said = [_with_error(s, e, e) for s, e in zip(said, item.error, strict=True)]
    return shown | _hover(panel, _ticks_at(panel, item.x), said, None)


def _map(item: Map, panel: Panel) -> list[Trace]:
    """Cells as bars that fill their place: the bundle of pages has no heat maps."""
    known = np.isfinite(item.z)
    low, high = item.limits
    found = []
    for there in (known, ~known):
        at = [(int(i), int(j)) for i, j in np.argwhere(there)]
        if not at:
            continue
        trace: Trace = {
            **_named("bar", None),
            "x": [j for _, j in at],
            "y": [1] * len(at),
            "base": [i - 0.5 for i, _ in at],
            "width": 1,
            "marker": {"color": EMPTY, "line": {"width": 0}},
            "meta": "cells",
        }
        if there is known:
            colors, inks = style.map_colors((item.z[known] - low) / ((high - low) or 1.0), item.diverging)
            trace["marker"] |= {"color": colors}
            if item.text:
                trace |= {"text": [_cell(item, i, j, "<br>±") for i, j in at], "textposition": "inside", "textangle": 0,
                          "insidetextanchor": "middle", "insidetextfont": {"color": inks}}  # fmt: skip
        of = None if item.of is None else tuple(item.of[i][j] for i, j in at)
        x, y = ([label_of(style.short(names[k])) for k in at_axis]
                for names, at_axis in ((item.x, [j for _, j in at]), (item.y, [i for i, _ in at])))  # fmt: skip
        cells = [_cell(item, i, j, " ± ") for i, j in at]
        said = [f"{name}<br>{_axis(item.label)}: {cell}" for name, cell in zip(y, cells, strict=True)]
        found.append(trace | _hover(panel, x, said, of))
    return [*found, _color_bar(item.label, low, high, item.diverging)]


def _cell(item: Map, i: int, j: int, between: str) -> str:
    if not np.isfinite(item.z[i, j]):
        return "no value"
    form = item.text or ".3g"
    said = format(item.z[i, j], form)
    if item.error is not None and np.isfinite(item.error[i, j]):
        said += between + format(item.error[i, j], form)
    return said


def _forest(item: Forest, panel: Panel) -> list[Trace]:
    rows = np.arange(len(item.labels))
    colors = [color_of(color) for color in item.colors]
    found: list[Trace] = []
    for hollow in (False, True):
        there = np.flatnonzero(np.asarray(item.hollow, dtype=bool) == hollow)
        for color in dict.fromkeys(colors[k] for k in there):
            at = np.array([k for k in there if colors[k] == color])
            x, low, high = (np.asarray(ends, dtype=float)[at] for ends in (item.x, item.low, item.high))
            said = [f"{_number(a)} ({_number(b)} to {_number(c)})" for a, b, c in zip(x, low, high, strict=True)]
            of = None if item.of is None else tuple(item.of[k] for k in at)
            trace: Trace = {
                **_named("scatter", None),
                "mode": "markers",
                "x": numbers(x),
                "y": rows[at].tolist(),
                "error_x": _error(x - low, high - x, color),
                "marker": {"color": color, "symbol": "circle-open" if hollow else "circle", "size": 8},
            }
            names = [label_of(item.labels[k]) for k in at]
            found.append(trace | _hover(panel, said, names, of))
    if item.reference is not None:
        found.append({
            **_named("scatter", None), "mode": "lines", "x": [item.reference] * 2, "y": [-0.6, len(rows) - 0.4],
            "line": {"color": style.THEORY, "width": 1, "dash": "dash"}, "hoverinfo": "skip",
        })  # fmt: skip
    return found


def _arrows(item: Arrows) -> list[Trace]:
    view = seen(item)
    thin = {"color": style.THEORY, "width": 0.7}
    lines = [{"x": view.circle[:, 0], "y": view.circle[:, 1], "line": thin | {"dash": "dash"}}]
    lines += [{"x": [-a, a], "y": [-b, b], "line": thin} for a, b in view.axes]
    color = color_of(item.color)
    for tip, foot in zip(view.tips, view.feet, strict=False):
        lines.append(
            {"x": [tip[0], foot[0]], "y": [tip[1], foot[1]], "line": {"color": color, "dash": "dot", "width": 1}}
        )
    still = {**_named("scatter", None), "mode": "lines", "hoverinfo": "skip"}
    found = [still | line | {"x": numbers(line["x"]), "y": numbers(line["y"])} for line in lines]
    said = [", ".join(_number(c) for c in tip) for tip in item.tips.tolist()]
    names = [label or str(k + 1) for k, label in enumerate(item.labels)]
    tips: Trace = {
        **_named("scatter", None),
        "mode": "markers",
        "x": numbers(view.tips[:, 0]),
        "y": numbers(view.tips[:, 1]),
        "marker": {"color": color, "size": [6 if point else 2 for point in view.points]},
        "customdata": [[label_of(name), text, ""] for name, text in zip(names, said, strict=True)],
        "hovertemplate": "feature %{customdata[0]}: (%{customdata[1]})<extra></extra>",
    }
    return [*found, tips]


def arrow_heads(item: Arrows, x: str, y: str) -> list[Trace]:
    """The arrows themselves and their labels, which are annotations on the axes named x and y."""
    view, color = seen(item), color_of(item.color)
    found = []
    for tip, place, point, label in zip(view.tips, view.labels_at, view.points, item.labels, strict=True):
        at = dict(zip(("x", "y"), numbers(tip), strict=True))
        if point:
            continue
        found.append(at | {"ax": 0, "ay": 0, "xref": x, "yref": y, "axref": x, "ayref": y, "text": "",
                           "showarrow": True, "arrowhead": 2, "arrowwidth": 1.6, "arrowcolor": color})  # fmt: skip
        spot = dict(zip(("x", "y"), numbers(place), strict=True))
        found.append(spot | {"xref": x, "yref": y, "text": label_of(label), "showarrow": False})
    return found


def _named(kind: str, label: str | None) -> Trace:
    return {"type": kind, "name": label_of(label or ""), "showlegend": bool(label)}


def _color_bar(label: str, low: float, high: float, diverging: bool) -> Trace:
    """The bar of a map's colours."""
    places = np.linspace(0, 1, STOPS)
    stops = list(zip(places.tolist(), style.map_colors(places, diverging)[0], strict=True))
    return _bar_alone(label, low, high, stops)


def _bar_alone(label: str, low: float, high: float, stops: list[tuple[float, str]]) -> Trace:
    bar = {"title": {"text": label_of(label), "side": "right"}, "thickness": 12, "outlinewidth": 0}
    return {
        **_named("scatter", None), "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip",
        "marker": {"color": [low], "cmin": low, "cmax": high, "colorscale": stops, "showscale": True, "colorbar": bar},
    }  # fmt: skip


def _error(low: Any, high: Any, color: str) -> Trace:
    return {"type": "data", "symmetric": False, "array": numbers(high), "arrayminus": numbers(low), "color": color,
            "thickness": 1, "width": 3}  # fmt: skip


def _hover(panel: Panel, x: Sequence[str], y: Sequence[str], of: Behind | None) -> Trace:
    """What is said at each mark: x, y with its error, what stands behind it; beside that its ids, for the page."""
    behind = of or ((),) * len(y)
    data = [[a, b + _named_behind(names), "\n".join(printable(name.split(", ")[0]) for name in names)]
            for a, b, names in zip(x, y, behind, strict=True)]  # fmt: skip
    xlabel, ylabel = (f"{_axis(label)}: " if label else "" for label in (panel.xlabel, panel.ylabel))
    said = f"{xlabel}%{{customdata[0]}}<br>{ylabel}%{{customdata[1]}}<extra>%{{fullData.name}}</extra>"
    return {"customdata": data, "hovertemplate": said}


def _at_pointer(panel: Panel, x: str = "") -> str:
    """What is said where the pointer is on a line."""
    xlabel, ylabel = _axis(panel.xlabel), _axis(panel.ylabel)
    return f"{xlabel}: {x}%{{x:.4~g}}<br>{ylabel}: %{{y:.4~g}}<extra>%{{fullData.name}}</extra>"


def _named_behind(names: Sequence[str]) -> str:
    shown = [label_of(name) for name in names[:MOST_NAMED]]
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "".join(f"<br>{line}" for line in [*shown, *more])


def _axis(label: str) -> str:
    return label_of(label).replace("%{", "% {")  # a template's own marks stay ours


def _ticks_at(panel: Panel, values: Any) -> list[str]:
    """Values of x as the axis names them."""
    if panel.ticks is not None and panel.tick_labels is not None:
        names = dict(zip(panel.ticks, panel.tick_labels, strict=True))
        return [label_of(str(names.get(round(v), names.get(v, style.short(v))))) for v in np.asarray(values).tolist()]
    return [_number(v) for v in np.asarray(values).tolist()]


def _number(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _with_error(said: str, low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)) or not (low or high):
        return said
    return f"{said} ± {high:.2g}" if low == high else f"{said} (+{high:.2g}, −{low:.2g})"
