"""The profile of a parameter: how far the objective rises when it is held elsewhere, with its interval."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Line, Panel, Picture
from superlaw.laws.profile_curve import profile_curve
from superlaw.laws.result import Fit

draw = paint.draw


def data(fit: Fit, names: tuple[str, ...] = ()) -> Picture:
    """A panel for each named parameter; for each exponent unless told.

    Raises
    ------
    InputError
        For an unknown parameter, or a fit without points.
    """
    names = tuple(names) or fit.law.exponents
    if not names:
        raise InputError(f"the law {fit.law.name} without exponents", "names of parameters")
    panels = tuple(_panel(fit, name) for name in names)
    how = "by the sandwich's variance" if not fit.takes_errors_as_alike else "errors taken as alike"
    notes = (f"Rise of the minimised objective, 2 (F - F_min) / lambda, all other parameters solved for anew; dashed: "
             f"the {fit.interval['level']:.0%} bound, {how}; dotted: the interval of the report.",)  # fmt: skip
    return Picture("law-profile", f"{fit.law.name} law, {fit.n} points", panels, min(len(panels), 3), notes)


def _panel(fit: Fit, name: str) -> Panel:
    curve, estimate = profile_curve(fit, name), fit[name]
    top = float(max(curve.rise.max(), curve.bound * 1.2))
    items = [Line(curve.values, curve.rise, color="weak"),
             Line(curve.values[[0, -1]], np.full(2, curve.bound), style="--")]  # fmt: skip
    for end in (estimate.low, estimate.high):
        if np.isfinite(end) and curve.values[0] <= end <= curve.values[-1]:
            items.append(Line(np.full(2, end), np.array([0.0, top]), style=":"))
    return Panel(name, "rise of the objective", tuple(items), f"{name} = {estimate}", ylim=(0, top))
