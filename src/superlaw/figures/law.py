"""A fitted law: the loss against each size, with the curve and its band, and the errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Behind, Line, Marks, Panel, Picture
from superlaw.laws.law import Points
from superlaw.laws.result import Fit

CURVE_POINTS = 120
COLUMNS = 4  # panels a row

draw = paint.draw


def data(fit: Fit) -> Picture:
    """A panel for each size, then the errors against the fitted loss.

    Losses are adjusted to the other sizes' geometric means by the law itself: L f(x_k, others at
    their means) / f(x), so that the points scatter about the curve as they do about the law.

    Raises
    ------
    InputError
        For a fit without its points.
    """
    used, law = fit.points(), fit.law
    points, losses = used.points, used.losses
    fitted = fit.loss_at(points)[0]
    middle = np.array([np.exp(np.log(row).mean()) if (row > 0).all() else row.mean() for row in points.sizes])
    shown = [k for k, column in enumerate(law.sizes) if column not in law.groups]
    first = points.group == 0
    middle = np.array([middle[k] if k in shown else points.sizes[k][first][0] for k in range(len(middle))])
    held = ", ".join(f"{column} = {value:.3g}" for column, value in zip(law.sizes, middle, strict=True))
    of = tuple((f"row {row + 1}",) for row in used.rows.tolist())
    panels = [_panel(fit, k, losses / fitted, middle, k == shown[0], of) for k in shown]
    what = "log L" if fit.objective.logarithmic else "L"
    notes = [f"Each size with the others at {held}; losses are moved there along the law."] if len(panels) > 1 else []
    title = f"{law.name} law, {fit.n} points ({fit.dropped['rows']} left out)"
    panels.append(errors_panel(fitted, fit.errors(), "fitted loss", what, of=of))
    return Picture("law", title, tuple(panels), min(COLUMNS, len(panels)), tuple(notes))


def errors_panel(
    x: np.ndarray, errors: np.ndarray, xlabel: str, what: str, xscale: str = "linear", of: Behind | None = None
) -> Panel:
    """Errors against something, about 0."""
    zero = Line(np.array([x.min(), x.max()]), np.zeros(2))
    marks = Marks(x, errors, color="strong", small=True, of=of)
    return Panel(xlabel, f"error of {what}", (zero, marks), "measured less fitted", xscale)


def _panel(fit: Fit, k: int, ratio: np.ndarray, middle: np.ndarray, leftmost: bool, of: Behind) -> Panel:
    """One size's points and curve, of the first group, the other sizes at their middle."""
    x = fit.points().points.sizes[k]

    def at(values: np.ndarray) -> Points:
        sizes = np.tile(middle[:, None], (1, len(values)))
        sizes[k] = values
        return Points(sizes, np.zeros(len(values), int), fit.labels)

    scale = "log" if x.min() > 0 else "linear"
    curve_x = (np.geomspace if scale == "log" else np.linspace)(x.min(), x.max(), CURVE_POINTS)
    band = fit.predict(at(curve_x))
    runs = Marks(x, ratio * fit.loss_at(at(x))[0], label="runs, adjusted", small=True, of=of)
    curve = Line(curve_x, band.loss, f"fit, {fit.interval['level']:.0%} band", "weak", low=band.low, high=band.high)
    return Panel(fit.law.sizes[k], "loss" if leftmost else "", (runs, curve), _estimate(fit, k), scale, "log",
                 legend="best" if leftmost else None)  # fmt: skip


def _estimate(fit: Fit, k: int) -> str:
    names: Any = fit.law.exponents if len(fit.law.exponents) == len(fit.law.sizes) else ()
    return f"{names[k]} = {fit.params[names[k]]}" if names and names[k] in fit.params else ""
