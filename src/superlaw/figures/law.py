"""A fitted law: the loss against each size, with the curve and its band, and the errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import style
from superlaw.laws.result import Fit

CURVE_POINTS = 120
CURVE, ERRORS, RUNS = style.WEAK, style.STRONG, style.THEORY


@dataclass(frozen=True)
class SizePanel:
    """One size: points (x, adjusted loss), and the curve with its band."""

    column: str
    x: np.ndarray
    adjusted: np.ndarray
    curve_x: np.ndarray
    curve: np.ndarray
    low: np.ndarray
    high: np.ndarray
    estimate: str


@dataclass(frozen=True)
class LawFigure:
    """What is plotted: a panel for each size, then the errors against the fitted loss."""

    panels: tuple[SizePanel, ...]
    fitted: np.ndarray
    errors: np.ndarray
    title: str
    held: str
    level: float
    errors_of: str


def data(fit: Fit) -> LawFigure:
    """What the figure of a fit plots.

    Losses are adjusted to the other sizes' geometric means by the law itself: L f(x_k, others at
    their means) / f(x), so that the points scatter about the curve as they do about the law.

    Raises
    ------
    InputError
        For a fit read back from JSON, which has no points.
    """
    if fit.data is None:
        raise InputError("a fit without its points", "a fit just made", "plot it with superlaw law fit --plot")
    law, points, losses = fit.law, fit.data.points, fit.data.losses
    by_column = dict(zip(law.sizes, points.sizes, strict=True))
    fitted = fit.loss_at(points)[0]
    middle = {c: float(np.exp(np.log(row).mean())) for c, row in by_column.items()}
    held = ", ".join(f"{column} = {value:.3g}" for column, value in middle.items())
    return LawFigure(
        tuple(
            _panel(fit, column, x, losses / fitted, middle)
            for column, x in by_column.items()
            if column not in law.groups
        ),
        fitted,
        np.log(losses / fitted) if fit.objective.logarithmic else losses - fitted,
        f"{law.name} law, {fit.n} points ({fit.dropped['rows']} left out)",
        held,
        fit.interval["level"],
        "log L" if fit.objective.logarithmic else "L",
    )


def _panel(fit: Fit, column: str, x: np.ndarray, ratio: np.ndarray, middle: dict[str, float]) -> SizePanel:
    """One size's points and curve, of the first group, the other sizes at their middle."""
    first = dict(zip(fit.law.groups, (fit.labels or ("",))[0].split(","), strict=False))

    def at(values: np.ndarray) -> dict[str, Any]:
        return {c: np.full(len(values), m) for c, m in (middle | first).items()} | {column: values}

    curve_x = np.geomspace(x.min(), x.max(), CURVE_POINTS)
    band = fit.predict(at(curve_x))
    adjusted = ratio * fit.predict(at(x)).loss
    return SizePanel(column, x, adjusted, curve_x, band.loss, band.low, band.high, _estimate(fit, column))


def _estimate(fit: Fit, column: str) -> str:
    law = fit.law
    names = law.exponents if len(law.exponents) == len(law.sizes) else ()
    if not names:
        return ""
    name = names[law.sizes.index(column)]
    return f"{name} = {fit.params[name]}"


def draw(data: LawFigure, kind: str = "png") -> bytes:
    """The figure as PNG (or PDF, SVG)."""
    plotted = data
    count = len(plotted.panels) + 1
    figure = style.new_figure((3.3 * count, 3.1))
    axes = figure.subplots(1, count, squeeze=False)[0]
    for axis, panel in zip(axes, plotted.panels, strict=False):
        axis.plot(panel.x, panel.adjusted, "o", ms=3, color=RUNS, alpha=0.55, mew=0, label="runs, adjusted")
        axis.fill_between(panel.curve_x, panel.low, panel.high, color=CURVE, alpha=0.25, lw=0)
        axis.plot(panel.curve_x, panel.curve, color=CURVE, lw=1.6, label=f"fit, {plotted.level:.0%} band")
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel(panel.column)
        axis.set_title(panel.estimate, fontsize=9)
        _plain_ticks(axis, panel.x)
    axes[0].set_ylabel("loss")
    axes[0].legend(fontsize=8, frameon=False)
    last = axes[-1]
    last.axhline(0, color="black", lw=0.8)
    last.plot(plotted.fitted, plotted.errors, "o", ms=3, color=ERRORS, alpha=0.55, mew=0)
    last.set_xlabel("fitted loss")
    last.set_ylabel(f"error of {plotted.errors_of}")
    last.set_title("measured less fitted", fontsize=9)
    others = f"; each panel with the other sizes at {plotted.held}" if len(plotted.panels) > 1 else ""
    figure.suptitle(plotted.title + others, fontsize=9)
    return style.render(figure, kind)


def _plain_ticks(axis: Any, x: np.ndarray) -> None:
    """Plain numbers on the axis of the loss, and on that of sizes like widths and depths."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = axis.get_ylim()
    if high / low < 20:
        axis.yaxis.set_major_locator(MaxNLocator(5))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3g}"))
    if x.max() < 1e5 and x.max() / x.min() < 200:
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
