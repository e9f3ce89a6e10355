"""Would this fit have foretold the larger runs? Fit the cheaper part of its points, predict the dearer rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.cost import cost_of
from superlaw.laws.estimate import Estimate
from superlaw.laws.fit import refit
from superlaw.laws.result import Fit
from superlaw.laws.tables import Selection

NO_BIAS = Estimate(math.nan)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the points that are fitted


@dataclass(frozen=True, eq=False)
class Foretold:
    """One cut: points that cost no more than it are fitted, the others predicted.

    Parameters
    ----------
    cut : float
        The cost of the dearest point that is fitted.
    fitted, held : int
        Points that were fitted, and predicted.
    share : float
        Of the whole cost, that of the fitted points.
    reach : float
        The dearest held point's cost, by the cut.
    bias : Estimate
        Mean of measured less predicted log loss (or loss), with the standard error that the fit itself gives it.
    rms : float
        Root mean square of the same.
    covered : float
        Share of held points within the band of new runs.
    measured, predicted, low, high : ndarray, shape (held,)
        Losses, and the band of new runs.
    rows : ndarray, shape (held,)
        Rows of the table, from 0.
    fit : Fit or None
        Of the cheaper points.
    why : str
        Why nothing could be predicted, if so.
    """

    cut: float
    fitted: int
    held: int
    share: float
    reach: float
    bias: Estimate = NO_BIAS
    rms: float = math.nan
    covered: float = math.nan
    measured: np.ndarray = field(default_factory=lambda: np.empty(0))
    predicted: np.ndarray = field(default_factory=lambda: np.empty(0))
    low: np.ndarray = field(default_factory=lambda: np.empty(0))
    high: np.ndarray = field(default_factory=lambda: np.empty(0))
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    fit: Fit | None = None
    why: str = ""


@dataclass(frozen=True, eq=False)
class Backtest(Shown):
    """A fit's predictions of its own dearer points, from cuts that rise; ``costs`` (n,) are those of all points."""

    cuts: tuple[Foretold, ...]
    costs: np.ndarray
    cost: str
    level: float
    errors_of: str
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        header = ["fitted up to", "points", "of the cost", "predicted", "up to", "bias", "in its errors", "rms error",
                  f"in the {self.level:.4g} band"]  # fmt: skip
        rows = []
        for one in self.cuts:
            cells = [
                in_short(one.cut, "cost"),
                str(one.fitted),
                f"{one.share:.1%}",
                str(one.held),
                f"{one.reach:.3g} x",
            ]
            if one.why:
                rows.append([*cells, one.why, "", "", ""])
                continue
            errors = f"{one.bias.value / one.bias.stderr:+.1f}" if one.bias.stderr > 0 else "-"
            bias = f"{one.bias.value:+.4f} ± {one.bias.stderr:.4f}"
            rows.append([*cells, bias, errors, f"{one.rms:.4f}", f"{one.covered:.0%}"])
        return header, rows

    @property
    def verdict(self) -> str:
        """One sentence on bias and coverage, of the cuts that could be predicted."""
        scored = [one for one in self.cuts if not one.why]
        if not scored:
            return "no cut leaves a fit that predicts anything"
        biased = [one for one in scored if abs(one.bias.value) > 2 * one.bias.stderr]
        covered = [one.covered for one in scored]
        ways = {one.bias.value > 0 for one in biased}
        way = "losses came out " + ("higher" if ways == {True} else "lower") if len(ways) == 1 else "both ways"
        words = f"biased beyond twice its error at {len(biased)} of {len(scored)} cut{'s' * (len(scored) > 1)}"
        words += f" ({way})" if biased else ""
        return (
            f"{words}; the {self.level:.4g} band of new runs held {min(covered):.0%} to {max(covered):.0%} of the "
            "dearer points"
        )

    def __str__(self) -> str:
        header, rows = self.cells
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        return "\n".join([
            *lines, in_columns(header, rows),
            f"cost: {self.cost}; bias: mean of measured less predicted {self.errors_of}, ± what the fit itself "
            "expects; each row is fitted anew",
            self.verdict,
        ])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        cuts = [json_ready(replace(one, fit=None)) for one in self.cuts]
        for one in cuts:
            del one["fit"]
        record = json_ready({"cuts": cuts, "cost": self.cost, "level": self.level, "errors_of": self.errors_of,
                             "verdict": self.verdict, "warnings": self.warnings})  # fmt: skip
        for one in record["cuts"]:
            one["bias"] = {"value": one["bias"]["value"], "stderr": one["bias"]["stderr"]}
        return record


def backtest(fit: Fit, cost: str | None = None, cuts: Sequence[float] | None = None, *, seed: int = 0) -> Backtest:
    """Fit the cheaper points of a fit, predict the dearer, and say how that went.

    Parameters
    ----------
    fit : Fit
        With its points. Law, objective and kind of interval are its own.
    cost : str, optional
        Over the law's columns; 6 N D where the law has these, the size of a law of one.
    cuts : sequence of float, optional
        Costs up to which points are fitted; by default those of 50, 60, 70, 80 and 90 % of the points.
    seed : int
        Of starts and bootstrap.

    Raises
    ------
    InputError
        For a fit without points, a cost that is none, or cuts beyond the points.

    Examples
    --------
    >>> x = np.geomspace(1e6, 1e9, 40)
    >>> noise = np.exp(0.01 * np.random.default_rng(1).normal(size=40))
    >>> from superlaw import fit_law
    >>> found = backtest(fit_law({"N": x, "loss": (40 / x**0.3 + 2) * noise}, "power:N"))
    >>> [one.held for one in found.cuts]
    [20, 16, 12, 8, 4]
    """
    used, law = fit.points(), fit.law
    cost = law.sizes[0] if cost is None and len(law.sizes) == 1 and not law.compute else cost
    price = cost_of(law, f"`{cost}`" if cost in law.sizes else cost)
    costs = price.of(used.points)
    found = [_foretold(fit, used, costs, cut, seed) for cut in _cuts(costs, cuts)]
    what = "log L" if fit.objective.logarithmic else "L"
    return Backtest(tuple(found), costs, str(price), fit.interval["level"], what, fit.warnings)


def _cuts(costs: np.ndarray, cuts: Sequence[float] | None) -> list[float]:
    distinct = np.unique(costs)
    if len(distinct) < 2:
        raise InputError(f"points of one cost ({costs[0]:.3g})", "cheaper and dearer ones", "another --cost")
    if cuts is None:
        ranked = np.sort(costs)
        at = {float(ranked[min(int(np.ceil(share * len(costs))), len(costs)) - 1]) for share in SHARES}
        return sorted(at - {distinct[-1]}) or [float(distinct[-2])]
    for cut in cuts:
        if not distinct[0] <= cut < distinct[-1]:
            raise InputError(f"a cut at {cut:g}", f"a cost from {distinct[0]:.3g} to below {distinct[-1]:.3g}")
    return sorted(set(map(float, cuts)))


def _foretold(fit: Fit, used: Selection, costs: np.ndarray, cut: float, seed: int) -> Foretold:
    below = costs <= cut
    counts = (cut, int(below.sum()), int((~below).sum()), float(costs[below].sum() / costs.sum()))
    reach = float(costs.max() / cut)
    try:
        part = refit(fit, used[below], seed=seed)
    except InputError as error:  # too few points, say: a result
        return Foretold(*counts, reach, why=f"not fitted: {error.got}")
    if not part.certificate.converged and part.interval["method"] != fit.interval["method"]:
        return Foretold(*counts, reach, why="not fitted: not converged")
    held = used[~below]
    if not set(held.points.group) <= set(used.points.group[below]):
        return Foretold(*counts, reach, why="a group has no cheaper points")
    band = part.predict(held.points, points=True)
    error = fit.objective.target(held.losses) - fit.objective.target(band.loss)
    mean_slope = part.linear.slopes(held.points).mean(axis=0, keepdims=True)
    own = part.rms_error**2 * part.n / max(part.dof, 1) / len(error)
    spread = math.sqrt(float(part.linear.variances(mean_slope)[0][0]) + own)
    return Foretold(
        *counts,
        reach,
        Estimate(float(error.mean()), spread),
        float(np.sqrt((error**2).mean())),
        float(((held.losses >= band.low) & (held.losses <= band.high)).mean()),
        held.losses,
        band.loss,
        band.low,
        band.high,
        held.rows,
        part,
    )
