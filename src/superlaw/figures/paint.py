"""The painter of all panels: records in, an image's bytes out. It computes nothing."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.figures.panels import Arrows, Bars, Forest, Item, Line, Map, Marks, Panel, Picture, Scale, Steps

CHARACTERS = 22  # of a note, to an inch
LEGEND_ROWS = 9  # more labels than this get a second column
TWO_LINES = 8  # rows of a map up to which an error fits under its number
DOT = 0.05  # an arrow shorter than this is a point
VIEW = np.array([[0.766, -0.220], [0.643, 0.262], [0.0, 0.940]])  # of three dimensions, 50 degrees about, 20 above
ROLES = {"weak": style.WEAK, "strong": style.STRONG, "theory": style.THEORY}


def draw(data: Picture, kind: str = "png") -> bytes:
    """A picture as PNG, PDF or SVG."""
    with style.settings():
        return style.render(on_new_figure(data)[0], kind)


def on_new_figure(data: Picture) -> tuple[Any, list[Any]]:
    """A new matplotlib figure of a picture, and the axes of its panels."""
    columns = min(data.columns, len(data.panels))
    rows = -(-len(data.panels) // columns)
    width, height = columns * data.panel[0], rows * data.panel[1]
    note = "\n".join(line for text in data.notes for line in textwrap.wrap(text, int(CHARACTERS * width)))
    figure = style.new_figure((width, height + 0.3 + 0.115 * (note.count("\n") + 1)))
    figure.suptitle(textwrap.fill(data.title, int(16 * width)), fontsize=9)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=6)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, panel in zip(grid, data.panels, strict=False):
        paint(axes, panel)
    for axes in grid[len(data.panels) :]:
        axes.set_axis_off()
    return figure, grid[: len(data.panels)]


def paint(axes: Any, panel: Panel) -> None:
    """One panel on its axes."""
    for item in panel.items:
        _paint_item(axes, item)
    if not any(isinstance(item, Map | Arrows) for item in panel.items):
        _scales(axes, panel)
        axes.grid(alpha=0.2, lw=0.5)
    for item in panel.items:
        if isinstance(item, Forest):  # after the scales, which take the ticks away
            axes.set_yticks(range(len(item.labels)), item.labels)
            axes.set_ylim(len(item.labels) - 0.4, -0.6)
    axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel, title=panel.title)
    if panel.scale:
        _color_bar(axes, panel.scale)
    handles, labels = axes.get_legend_handles_labels()
    if panel.legend and labels:
        axes.legend(handles, labels, loc=panel.legend, ncols=1 + (len(labels) > LEGEND_ROWS))
    if panel.inset:
        inner = axes.inset_axes(panel.inset_at)
        paint(inner, panel.inset)
        inner.tick_params(labelsize=6)
        inner.xaxis.label.set_size(6)
        inner.yaxis.label.set_size(6)


def _paint_item(axes: Any, item: Item) -> None:
    if isinstance(item, Marks):
        _marks(axes, item)
    elif isinstance(item, Line):
        color = _color(item.color)
        if item.low is not None:
            axes.fill_between(item.x, item.low, item.high, color=color, alpha=0.2, lw=0)
        axes.plot(item.x, item.y, item.style, color=color, label=item.label, zorder=2)
    elif isinstance(item, Steps):
        axes.stairs(item.heights, item.edges, color=_color(item.color), label=item.label)
    elif isinstance(item, Bars):
        axes.bar(item.x, item.heights, yerr=item.error, color=_color(item.color), label=item.label, width=0.75)
    elif isinstance(item, Arrows):
        _arrows(axes, item)
    elif isinstance(item, Forest):
        _forest(axes, item)
    else:
        _map(axes, item)


def _marks(axes: Any, item: Marks) -> None:
    color = _color(item.color)
    x = item.x + item.shift
    if isinstance(item.color, np.ndarray):
        if item.error is not None:
            axes.errorbar(x, item.y, item.error, fmt="none", ecolor="#bbbbbb", elinewidth=0.8, zorder=2)
        axes.scatter(x, item.y, c=color, s=12, marker=item.marker, label=item.label, lw=0, zorder=3)
        return
    face = color if item.filled else "none"
    line = {"linestyle": "-" if item.joined else "none", "linewidth": 0.8}
    many = {"markersize": 3.0, "alpha": 0.55, "markeredgewidth": 0.0} if item.small else {}
    axes.errorbar(x, item.y, item.error, marker=item.marker, color=color, mfc=face, elinewidth=0.8,
                  label=item.label, zorder=3, **line, **many)  # fmt: skip


def _forest(axes: Any, item: Forest) -> None:
    rows = np.arange(len(item.labels))
    for i, (x, low, high) in enumerate(zip(item.x, item.low, item.high, strict=True)):
        color = _color(item.colors[i])
        axes.errorbar([x], [rows[i]], xerr=[[x - low], [high - x]], marker="o", color=color,
                      mfc="none" if item.hollow[i] else color, elinewidth=0.9, zorder=3)  # fmt: skip
    if item.reference is not None:
        axes.axvline(item.reference, color=style.THEORY, lw=0.8, ls="--", zorder=1)


def _map(axes: Any, item: Map) -> None:
    import matplotlib as mpl

    name = "RdBu_r" if item.diverging else "viridis"
    low, high = item.low, item.high
    if item.diverging and low is None:
        high = float(np.nanmax(np.abs(item.z)))
        low = -high
    shown = axes.imshow(item.z, origin="lower", aspect="auto", cmap=name, vmin=low, vmax=high, interpolation="nearest")
    axes.set_xticks(range(len(item.x)), [_short(v) for v in item.x], rotation=45 if len(item.x) > 6 else 0)
    axes.set_yticks(range(len(item.y)), [_short(v) for v in item.y])
    axes.set_facecolor("#dddddd")  # cells without a number
    bar = axes.figure.colorbar(shown, ax=axes, label=item.label, pad=0.02)
    bar.outline.set_linewidth(0.4)
    size = 7 if item.z.shape[1] <= 6 else 5.5
    for i, j in np.argwhere(np.isfinite(item.z)) if item.text else ():
        red, green, blue, _ = mpl.colormaps[name](shown.norm(item.z[i, j]))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
        said = format(item.z[i, j], item.text)
        if item.error is not None and np.isfinite(item.error[i, j]) and item.z.shape[0] <= TWO_LINES:
            said += f"\n±{format(item.error[i, j], item.text)}"
        axes.text(j, i, said, ha="center", va="center", fontsize=size,
                  color="white" if dark else "black")  # fmt: skip


def _arrows(axes: Any, item: Arrows) -> None:
    solid = item.tips.shape[1] == 3
    view = VIEW if solid else np.eye(2)
    tips, turn = item.tips @ view, np.linspace(0, 2 * np.pi, 181)
    thin = {"color": style.THEORY, "lw": 0.5, "zorder": 1}
    axes.plot(*(view[:2].T @ [np.cos(turn), np.sin(turn)]), ls="--", **thin)
    for end in view:  # the axes
        axes.plot([-end[0], end[0]], [-end[1], end[1]], ls="-", **thin, alpha=0.4)
    color = _color(item.color)
    for i, (x, y) in enumerate(tips):
        if np.linalg.norm(item.tips[i]) < DOT:
            axes.plot([x], [y], "o", ms=3, color=color, zorder=3)
            continue
        axes.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.4, "shrinkA": 0,
                                                      "shrinkB": 0, "mutation_scale": 8}, zorder=3)  # fmt: skip
        if solid:
            foot = item.tips[i, :2] @ view[:2]
            axes.plot([x, foot[0]], [y, foot[1]], ":", color=color, lw=0.8, zorder=2)
        length = max(float(np.hypot(x, y)), 1e-9)
        axes.text(x * (1 + 0.13 / length), y * (1 + 0.13 / length), item.labels[i], ha="center", va="center",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8})  # fmt: skip
    reach = 1.3 * max(1.0, float(np.abs(tips).max()))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    if solid:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)


def _scales(axes: Any, panel: Panel) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    axes.set_xscale(panel.xscale)
    axes.set_yscale(panel.yscale)
    if panel.xlim:
        axes.set_xlim(*panel.xlim)
    if panel.ylim:
        axes.set_ylim(*panel.ylim)
    if panel.ticks is not None:
        labels = panel.tick_labels or [_short(v) for v in panel.ticks]
        many = max(map(len, labels)) * len(labels) > 40
        end = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if many else {}  # a long name ends at its tick
        axes.set_xticks(panel.ticks, labels, **end)
        axes.xaxis.set_minor_locator(NullLocator())
    elif panel.xscale == "log":
        _decades(axes.xaxis, axes.get_xlim())
    if panel.yscale == "log":
        axes.yaxis.set_minor_locator(LogLocator(subs=range(2, 10)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        _decades(axes.yaxis, axes.get_ylim())


def _decades(axis: Any, limits: tuple[float, float]) -> None:
    """Plain numbers at 1, 2 and 5, or more of them, where a log axis cannot be read from its powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = limits
    if low > 0 and (high / low < 30 or np.floor(np.log10(high)) - np.ceil(np.log10(low)) < 1):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 4 else (1, 1.5, 2, 3, 4, 5, 6, 8)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def _color_bar(axes: Any, scale: Scale) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    norm = Normalize(scale.low, scale.high)
    shown = ScalarMappable(norm, ListedColormap(style.shades(256)))
    axes.figure.colorbar(shown, ax=axes, label=scale.label, pad=0.02).outline.set_linewidth(0.4)


def _color(color: Any) -> Any:
    if isinstance(color, str):
        return style.FAMILIES[int(color[1:]) % len(style.FAMILIES)] if color[0] == "C" else ROLES[color]
    return style.shades(color) if isinstance(color, np.ndarray) else tuple(style.shades([color])[0])


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
