"""The painter of all panels: records in, an image's bytes out. It computes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import style
from superlaw.figures.panels import Arrows, Bars, Forest, Item, Line, Map, Marks, Panel, Picture, Scale, Steps
from superlaw.figures.view import seen
from superlaw.files.progress import in_notebook

CHARACTERS = 22  # of a note, to an inch
LEGEND_ROWS = 9  # more labels than this get a second column
TWO_LINES = 8  # rows of a map up to which an error fits under its number


def draw(data: Picture, kind: str = "png") -> bytes:
    """A picture as PNG, PDF or SVG."""
    with style.settings():
        return style.render(matplotlib_figure(data), kind)


def on_axes(picture: Picture, axes: Any = None) -> Any:
    """Paint on axes of the caller's, one for each panel, or on a new figure's; the list of them.

    A single Axes, not in a list, takes the first panel alone.
    """
    if axes is not None and np.ndim(np.asarray(axes, dtype=object)) == 0:
        picture = replace(picture, panels=picture.panels[:1])
    flat = None if axes is None else list(np.ravel(np.asarray(axes, dtype=object)))
    figure = matplotlib_figure(picture, flat, _notebook_figure if in_notebook() else style.new_figure)
    return figure.axes[: len(picture.panels)] if flat is None else flat


def _notebook_figure(size: tuple[float, float]) -> Any:
    """A figure that pyplot knows, which a notebook shows at the end of its cell."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=size, layout="constrained")


def matplotlib_figure(
    data: Picture, axes: Sequence[Any] | None = None, new: Callable[[tuple[float, float]], Any] = style.new_figure
) -> Any:
    """A picture as a matplotlib figure, or its panels on axes of the caller's.

    Parameters
    ----------
    data : Picture
    axes : sequence of Axes, optional
        One for each panel; the title and the notes are then the caller's to write.
    new : callable
        Makes a figure of a size in inches.

    Returns
    -------
    matplotlib.figure.Figure
        A new one, or that of the axes.

    Raises
    ------
    InputError
        For another number of axes.
    """
    with style.settings():
        if axes is not None:
            given = list(np.ravel(np.asarray(axes, dtype=object)))
            if len(given) != len(data.panels):
                raise InputError(f"{len(given)} axes", f"{len(data.panels)}, one for each panel of {data.name}")
            for one, panel in zip(given, data.panels, strict=True):
                paint(one, panel)
            return given[0].figure
        columns = min(data.columns, len(data.panels))
        rows = -(-len(data.panels) // columns)
        width, height = columns * data.panel[0], rows * data.panel[1]
        note = "\n".join(line for text in data.notes for line in textwrap.wrap(text, int(CHARACTERS * width)))
        figure = new((width, height + 0.3 + 0.115 * (note.count("\n") + 1)))
        figure.suptitle(textwrap.fill(data.title, int(16 * width)), fontsize=9)
        figure.supxlabel(note, x=0.01, ha="left", fontsize=6)
        grid = list(figure.subplots(rows, columns, squeeze=False).flat)
        for one, panel in zip(grid, data.panels, strict=False):
            paint(one, panel)
        for one in grid[len(data.panels) :]:
            one.set_axis_off()
        return figure


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
    name = style.DIVERGING if item.diverging else style.EVEN
    low, high = item.limits
    shown = axes.imshow(item.z, origin="lower", aspect="auto", cmap=name, vmin=low, vmax=high, interpolation="nearest")
    axes.set_xticks(range(len(item.x)), [style.short(v) for v in item.x], rotation=45 if len(item.x) > 6 else 0)
    axes.set_yticks(range(len(item.y)), [style.short(v) for v in item.y])
    axes.set_facecolor("#dddddd")  # cells without a number
    bar = axes.figure.colorbar(shown, ax=axes, label=item.label, pad=0.02)
    bar.outline.set_linewidth(0.4)
    size = 7 if item.z.shape[1] <= 6 else 5.5
    for i, j in np.argwhere(np.isfinite(item.z)) if item.text else ():
        _, (ink,) = style.map_colors(np.array([shown.norm(item.z[i, j])]), item.diverging)
        said = format(item.z[i, j], item.text)
        if item.error is not None and np.isfinite(item.error[i, j]) and item.z.shape[0] <= TWO_LINES:
            said += f"\n±{format(item.error[i, j], item.text)}"
        axes.text(j, i, said, ha="center", va="center", fontsize=size, color=ink)


def _arrows(axes: Any, item: Arrows) -> None:
    view = seen(item)
    thin = {"color": style.THEORY, "lw": 0.5, "zorder": 1}
    axes.plot(*view.circle.T, ls="--", **thin)
    for end in view.axes:
        axes.plot([-end[0], end[0]], [-end[1], end[1]], ls="-", **thin, alpha=0.4)
    color = _color(item.color)
    for (x, y), point, place, label in zip(view.tips, view.points, view.labels_at, item.labels, strict=True):
        if point:
            axes.plot([x], [y], "o", ms=3, color=color, zorder=3)
            continue
        axes.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.4, "shrinkA": 0,
                                                      "shrinkB": 0, "mutation_scale": 8}, zorder=3)  # fmt: skip
        axes.text(*place, label, ha="center", va="center",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8})  # fmt: skip
    for (x, y), foot, point in zip(view.tips, view.feet, view.points, strict=False):
        if not point:
            axes.plot([x, foot[0]], [y, foot[1]], ":", color=color, lw=0.8, zorder=2)
    axes.set(xlim=(-view.reach, view.reach), ylim=(-view.reach, view.reach), aspect="equal")
    if len(view.feet):
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
        labels = panel.tick_labels or [style.short(v) for v in panel.ticks]
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
        return style.named(color)
    return style.shades(color) if isinstance(color, np.ndarray) else tuple(style.shades([color])[0])
