"""Chinchilla's runs: width, depth and token parts of the loss, and parameters against width ([Depth]; [LLG] App. D)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures import paint, style
from superlaw.figures.panels import Line, Marks, Panel, Picture
from superlaw.findings.width_depth import SIZES, TABLE, ChinchillaTerms
from superlaw.laws.estimate import Estimate
from superlaw.laws.result import Fit
from superlaw.laws.terms import left_for, term_curve

if TYPE_CHECKING:
    import pandas as pd

TICKS = {"n_layers": (10, 15, 20, 30, 40, 50)}
CURVE_POINTS = 80

draw = paint.draw


def data(found: ChinchillaTerms) -> Picture:
    """Three parts of the loss with curve, band and exponent, then N against m."""
    fit, grown = found.fit, found.grown
    level = fit.interval["level"]
    assert fit.data is not None  # a fit just made
    used = found.table.iloc[fit.data.rows]
    panels, notes = [], []
    for column, name in SIZES.items():
        panel, hidden = _part(fit, used, column, name)
        panels.append(panel)
        if hidden:
            notes.append(f"{hidden} runs lie below what the other terms claim and cannot be drawn against {name}.")
    ends = np.array([grown.widths.min(), grown.widths.max()])
    panels.append(Panel(
        "width m", "parameters N",
        (Marks(grown.widths, grown.params, color="theory", label=f"{len(grown.widths)} architectures"),
         Line(ends, grown.coefficient * ends**grown.slope.value, f"$N ∼ m^{{{_plain(grown.slope)}}}$", "C0")),
        f"{style.ALPHA_M} = {grown.slope.value:.2f} $α_N$ = {_plain(grown.alpha_m)}", "log", "log"))  # fmt: skip
    notes = [
        f"{fit.n} runs, the {fit.dropped['rows']} highest losses left out. Each part: loss less the other fitted terms "
        f"and L_0 = {fit['L_0']}; curve and {level:.0%} band of the term; error of log L {fit.rms_error:.2%} (rms). "
        "Errors by a bootstrap of architectures. The table states no errors of losses, so points have no bars.",
        *(f"Warning: {warning}." for warning in fit.warnings),
        f"N against m: least squares in logs, architectures count once; α_N = {_plain(grown.alpha_n)} from the law in "
        "N and D. Width, depth and parameters grow together here: these runs do not ask for a width term of their own.",
        *notes,
    ]
    return Picture("chinchilla", "Chinchilla's runs: parts of the loss by an additive law, and parameters by width",
                   tuple(panels), 2, tuple(notes), (f"published table {TABLE}",))  # fmt: skip


def _part(fit: Fit, used: pd.DataFrame, column: str, name: str) -> tuple[Panel, int]:
    x = used[column].to_numpy(dtype=float)
    part = left_for(fit, column, used, used["loss"].to_numpy(dtype=float))
    above = part > 0
    line = np.geomspace(x.min(), x.max(), CURVE_POINTS)
    curve = term_curve(fit, column, line)
    exponent = fit[f"a_{column}"]
    flat = fit.certificate.flat.get(f"a_{column}", "")
    verdict = {"poorly": "poorly determined", "not": "not determined"}.get(flat, "")
    symbol = name.split()[1]
    title = f"a = {exponent}" + (f", {verdict}" if verdict else "")
    items: tuple[Any, ...] = (
        Marks(x[above], part[above], color="theory", label="runs", marker="."),
        Line(line, curve.loss, f"$c/{symbol}^a$", "C0", "-", curve.low, curve.high),
    )
    return Panel(
        name, f"{name.split()[0]} part of the loss (nats)", items, title, "log", "log", TICKS.get(column)
    ), int((~above).sum())


def _plain(estimate: Estimate) -> str:
    """Two decimals, as the publication has them."""
    return f"{estimate.value:.2f} ± {estimate.stderr:.2f}"
