"""Chinchilla's runs: width, depth and token parts of the loss, and parameters against width ([Depth]; [LLG] App. D).

The protocol is that of [Depth]: L = c_m / m^a_m + c_l / l^a_l + c_D / D^a_D + L_0 by least squares
of log L, without the losses at or above the 40th highest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, style
from superlaw.figures.panels import Line, Marks, Panel, Picture
from superlaw.laws.estimate import Estimate
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.objective import Objective
from superlaw.laws.result import Fit
from superlaw.laws.slope import Slope, fit_slope
from superlaw.laws.terms import left_for, term_curve

if TYPE_CHECKING:
    import pandas as pd

TABLE = "chinchilla-width-depth"  # of laws.published
SIZES = {"d_model": "width m", "n_layers": "depth l (layers)", "num_tokens": "tokens D"}
TICKS = {"n_layers": (10, 15, 20, 30, 40, 50)}
DROP_HIGHEST = 40  # [Depth]
DROP_OF_PARAMS = 5  # [Epoch]
REPLICATES = 400
CURVE_POINTS = 80

draw = paint.draw


@dataclass(frozen=True)
class WidthOfParams:
    """N ~ m^``slope``: over architectures; alpha_N of loss against N; and what follows, alpha_m = slope alpha_N."""

    slope: Estimate
    coefficient: float
    widths: np.ndarray
    params: np.ndarray
    alpha_n: Estimate
    alpha_m: Estimate


def additive_fit(table: pd.DataFrame) -> Fit:
    """The additive law in width, depth and tokens: exponents ``a_d_model``, ``a_n_layers``, ``a_num_tokens``.

    Published [Depth]: 0.98 ± 0.08, 1.2 ± 0.3, 0.299 ± 0.014, and L_0 = 1.75.
    """
    _check(table)
    return fit_law(table, AdditiveLaw(tuple(SIZES)), drop_highest=DROP_HIGHEST)


def width_of_params(table: pd.DataFrame) -> WidthOfParams:
    """How parameters grow with width over the table's architectures, and the exponent of width that follows.

    Published [LLG]: N ~ m^(2.52 ± 0.03) over 50 architectures; with alpha_N = 0.35 ± 0.02, 0.88 ± 0.06. An
    architecture counts once; alpha_N is of the law in N and D, by Huber's loss without the 5 highest losses.
    """
    _check(table)
    shapes = table.groupby(["d_model", "n_layers"], as_index=False)["model_size"].mean()
    line: Slope = fit_slope(shapes["d_model"], shapes["model_size"])
    slope = Estimate(-line.exponent, line.stderr)
    alpha = fit_law(table, Chinchilla("model_size", "num_tokens"), objective=Objective("log-huber"),
                    drop_highest=DROP_OF_PARAMS, replicates=REPLICATES)["alpha"]  # fmt: skip
    error = math.hypot(slope.stderr * alpha.value, alpha.stderr * slope.value)
    widths, params = (shapes[column].to_numpy(dtype=float) for column in ("d_model", "model_size"))
    return WidthOfParams(slope, line.coefficient, widths, params, alpha, Estimate(slope.value * alpha.value, error))


def data(table: pd.DataFrame) -> Picture:
    """Three parts of the loss with curve, band and exponent, then N against m.

    Parameters
    ----------
    table : DataFrame
        Of ``laws.published.published_table("chinchilla-width-depth")``.

    Raises
    ------
    InputError
        For a table without its columns.
    """
    fit, grown = additive_fit(table), width_of_params(table)
    level = fit.interval["level"]
    used = table.iloc[fit.data.rows]
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
        "The table states no errors of losses, so points have no bars.",
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
    flat = fit.certificate.flat.get(f"a_{column}")
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


def _check(table: pd.DataFrame) -> None:
    lacking = [column for column in ("model_size", "loss", *SIZES) if column not in table]
    if lacking:
        raise InputError(f"a table without {', '.join(lacking)}", f"the published table {TABLE}",
                         f"superlaw data fetch {TABLE}")  # fmt: skip
