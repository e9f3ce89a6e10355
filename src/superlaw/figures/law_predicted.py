"""Predicted against measured losses: of the points that were fitted, and of dearer ones that were held out."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Line, Marks, Panel, Picture
from superlaw.laws.backtest import Backtest, backtest
from superlaw.laws.result import Fit

draw = paint.draw


def data(fit: Fit, cost: str | None = None, cut: float | None = None) -> Picture:
    """The points fitted up to a cost, and those beyond it as foretold with the band of a new run.

    Parameters
    ----------
    fit : Fit
    cost : str, optional
        As in :func:`superlaw.backtest`.
    cut : float, optional
        The cost up to which points are fitted; by default that of 80 % of the points.
    """
    return of_backtest(fit, backtest(fit, cost, None if cut is None else [cut]))


def of_backtest(fit: Fit, found: Backtest) -> Picture:
    """The same of a backtest that was made: of several cuts that which fits nearest to 80 % of the points."""
    scored = [one for one in found.cuts if one.fit is not None]
    if not scored:
        raise InputError(f"no cut that leaves a fit ({found.cuts[0].why})", "a --cut with more points below it")
    one = min(scored, key=lambda o: abs(o.fitted / (o.fitted + o.held) - 0.8))
    used = fit.points()
    held = np.isin(used.rows, one.rows)
    part = one.fit
    assert part is not None
    own = part.loss_at(used.points[~held])[0]
    measured = used.losses[~held]
    every = np.concatenate([own, measured, one.predicted, one.measured])
    ends = np.array([every.min(), every.max()])
    first = Panel(
        "predicted loss", "measured loss",
        (Line(ends, ends), Marks(own, measured, label=f"fitted ({one.fitted})", small=True),
         Marks(one.predicted, one.measured, label=f"held out ({one.held})", color="strong",
               small=True)),
        "", "log", "log",
    )  # fmt: skip
    costs = found.costs
    what = found.errors_of
    target = fit.objective.target
    band = target(np.array([one.low, one.high])) - target(one.predicted)
    order = np.argsort(costs[held], kind="stable")
    x = costs[held][order]
    second = Panel(
        f"cost: {found.cost}", f"measured less predicted {what}",
        (Line(np.array([costs.min(), costs.max()]), np.zeros(2)),
         Line(x, np.zeros(len(x)), f"{found.level:.0%} band of a run", "strong", "", band[0][order], band[1][order]),
         Marks(costs[~held], target(measured) - target(own), small=True),
         Marks(x, (target(one.measured) - target(one.predicted))[order], color="strong", small=True)),
        f"bias {one.bias}, {one.covered:.0%} in the band", "log",
    )  # fmt: skip
    title = (
        f"{fit.law.name} law fitted up to {one.cut:.3g} ({one.share:.1%} of the cost), predicted to {one.reach:.3g} x"
    )
    return Picture("law-predicted", title, (first, second), 2)
