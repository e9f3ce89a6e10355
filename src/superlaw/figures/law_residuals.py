"""Errors of a fit by axis: against every size, the compute and the fitted loss, with their running mean."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint
from superlaw.figures.law import errors_panel
from superlaw.figures.panels import Line, Panel, Picture
from superlaw.laws.result import Fit

BINS = 8  # of the running mean, with about equally many points

draw = paint.draw


def data(fit: Fit) -> Picture:
    """A panel for each size, for C = 6 N D where the law has these, and for the fitted loss."""
    used, law = fit.points(), fit.law
    fitted, errors = fit.loss_at(used.points)[0], fit.errors()
    what = "log L" if fit.objective.logarithmic else "L"
    axes = dict(zip(law.sizes, used.points.sizes, strict=True))
    if law.compute:
        axes["compute C (FLOP)"] = 6 * axes[law.compute[0]] * axes[law.compute[1]]
    panels = [_panel(x, errors, name, what, "log" if (x > 0).all() else "linear") for name, x in axes.items()]
    panels.append(_panel(fitted, errors, "fitted loss", what, "linear"))
    notes = ("Measured less fitted. Line: means of bins of about equally many points, with the band of twice their "
             "standard error; where it leaves 0 the law bends another way than the data.",)  # fmt: skip
    return Picture("law-residuals", f"{law.name} law, {fit.n} points, rms error {fit.rms_error:.3g}", tuple(panels),
                   min(len(panels), 2 if len(panels) == 4 else 3), notes)  # fmt: skip


def _panel(x: np.ndarray, errors: np.ndarray, xlabel: str, what: str, xscale: str) -> Panel:
    panel = errors_panel(x, errors, xlabel, what, xscale)
    parts = [part for part in np.array_split(np.argsort(x, kind="stable"), BINS) if len(part) > 1]
    if len(parts) < 2:
        return panel
    middle = np.array([np.median(x[part]) for part in parts])
    mean = np.array([errors[part].mean() for part in parts])
    error = np.array([errors[part].std(ddof=1) / np.sqrt(len(part)) for part in parts])
    line = Line(middle, mean, "mean", "weak", low=mean - 2 * error, high=mean + 2 * error)
    return Panel(panel.xlabel, panel.ylabel, (*panel.items, line), "", xscale)
