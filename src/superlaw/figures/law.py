"""A fitted law: the loss against each size, with the curve and its band, and the errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Behind, Line, Marks, Panel, Picture
from superlaw.laws.result import Fit

CURVE_POINTS = 120
COLUMNS = 4  # panels a row

draw = paint.draw


def data(fit: Fit) -> Picture:
    """A panel a size, and the errors against the fitted loss.

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
    of = tuple((f"row {row + 1}",) for row in fit.data.rows.tolist())
    panels = [
        _panel(fit, column, x, losses / fitted, middle, of)
        for column, x in by_column.items()
        if column not in law.groups
    ]
    held = ", ".join(f"{column} = {value:.3g}" for column, value in middle.items())
    notes = [f"Each size with the others at {held}; losses are moved there along the law."] if len(panels) > 1 else []
    title = f"{law.name} law, {fit.n} points ({fit.dropped['rows']} left out)"
    panels.append(_errors(fit, fitted, of))
    return Picture("law", title, tuple(panels), min(COLUMNS, len(panels)), tuple(notes))


def _panel(
    fit: Fit, column: str, x: np.ndarray, ratio: np.ndarray, middle: dict[str, float], of: Behind
) -> Panel:  # fmt: skip
    """One size's points and curve, of the first group, the other sizes at their middle."""
    first = dict(zip(fit.law.groups, (fit.labels or ("",))[0].split(","), strict=False))

    def at(values: np.ndarray) -> dict[str, Any]:
        return {c: np.full(len(values), m) for c, m in (middle | first).items()} | {column: values}

    line = np.geomspace(x.min(), x.max(), CURVE_POINTS)
    band = fit.predict(at(line))
    adjusted = ratio * fit.predict(at(x)).loss
    level = fit.interval["level"]
    return Panel(
        column, "loss",
        (Marks(x, adjusted, label="runs, adjusted", marker=".", of=of),
         Line(line, band.loss, f"fit, {level:.0%} band", "weak", low=band.low, high=band.high)),
        _estimate(fit, column), "log", "log",
    )  # fmt: skip


def _errors(fit: Fit, fitted: np.ndarray, of: Behind) -> Panel:
    assert fit.data is not None  # a fit without points has no figure
    logarithmic = fit.objective.logarithmic
    errors = np.log(fit.data.losses / fitted) if logarithmic else fit.data.losses - fitted
    ends = np.array([fitted.min(), fitted.max()])
    items = (Marks(fitted, errors, color="strong", marker=".", of=of), Line(ends, np.zeros(2)))
    return Panel("fitted loss", f"error of {'log L' if logarithmic else 'L'}", items, "measured less fitted")


def _estimate(fit: Fit, column: str) -> str:
    law = fit.law
    names = law.exponents if len(law.exponents) == len(law.sizes) else ()
    if not names:
        return ""
    name = names[law.sizes.index(column)]
    return f"{name} = {fit.params[name]}"
