"""Chinchilla's three approaches to the compute-optimal exponents, side by side, with the bias of the first two.

Approach 1 takes the best run at each budget, approach 2 the vertex of a parabola through the losses at each budget
against log N (and log D), and a straight line through these; approach 3 fits L(N, D) = E + A / N^alpha + B / D^beta
[Chinchilla]. A parabola is no exact section of such a law, and a grid of sizes has gaps: how far approaches 1 and 2
go wrong on the very runs at hand, if the law holds, is measured by giving them its losses without noise [Parabolas].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.cells import names, numbers
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.objective import Objective
from superlaw.laws.optimum import Triple, optimum
from superlaw.laws.result import Fit
from superlaw.laws.slope import fit_slope
from superlaw.laws.tables import DROP, as_table, with_columns, without_gaps

NEAR = math.log(1.05)  # runs follow one another within a budget by no more of log C,
WIDE = math.log(1.25)  # and a budget is no wider
FEWEST = 4  # sizes at a budget, for a parabola and its errors
SHOWN = 3  # budgets of a reason that are named
ALONG = 12  # budgets at which runs with checkpoints are compared


@dataclass(frozen=True, eq=False)
class Curve:
    """The runs of one budget, and the parabola of loss against log N.

    Parameters
    ----------
    budget : float
        C, the geometric mean of the runs' own.
    params, tokens, loss : ndarray, shape (n,)
    parabola : ndarray, shape (3,)
        Coefficients of loss in log N, highest power first.
    best, vertex : (float, float)
        N and D of the best run, and of the vertices of the parabolas in log N and log D; NaN where there is none.
    why : str
        Why the budget counts for no approach, if so.
    """

    budget: float
    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    parabola: np.ndarray
    best: tuple[float, float]
    vertex: tuple[float, float]
    why: str = ""


@dataclass(frozen=True)
class Approach:
    """One approach.

    ``a`` and ``b`` are the exponents of N and D in C; ``clean_a`` and ``clean_b`` those that it finds on the losses
    of approach 3's law at the same runs without noise; ``params`` and ``tokens`` the sizes at the stated compute.
    """

    name: str
    a: Triple
    b: Triple
    clean_a: float
    clean_b: float
    params: Triple
    tokens: Triple


@dataclass(frozen=True, eq=False)
class IsoFlop(Shown):
    """The three approaches, the budgets' curves, and the fit of approach 3."""

    approaches: tuple[Approach, ...]
    curves: tuple[Curve, ...]
    fit: Fit
    flops: float
    level: float
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        level = f"{self.level:.4g}"
        parts = [level, "without noise", "bias"]
        header = ["approach", "a: N ~ C^a", *parts, "b: D ~ C^b", *parts, f"N at {in_short(self.flops, 'flops')}", "D"]
        truth, rows = self.approaches[-1], []
        for one in self.approaches:
            cells = [one.name]
            for found, clean, true in ((one.a, one.clean_a, truth.a.value), (one.b, one.clean_b, truth.b.value)):
                bias = ["", ""] if one is truth else [f"{clean:.3f}", f"{clean - true:+.3f}"]
                cells += [f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}", *bias]
            rows.append([*cells, in_short(one.params.value), in_short(one.tokens.value)])
        return header, rows

    def __str__(self) -> str:
        header, rows = self.cells
        used = [curve for curve in self.curves if not curve.why]
        runs = sum(len(curve.loss) for curve in used)
        return "\n".join([
            *(f"WARNING: {warning}" for warning in self.warnings),
            in_columns(header, rows),
            f"{len(used)} budgets from {in_short(used[0].budget, 'flops')} to {in_short(used[-1].budget, 'flops')} "
            f"FLOP with {runs} runs; approach "
            f"3: {self.fit.n} points, {self.fit.objective_name}",
            "without noise: the approach on the losses of approach 3's law at the same runs; bias: what it is off by",
            *([f"left out of 1 and 2: {left_out(self.curves)}"] if len(used) < len(self.curves) else []),
        ])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [json_ready(one) | {name: getattr(one, name).to_dict() for name in ("a", "b", "params", "tokens")}
                for one in self.approaches]  # fmt: skip
        return json_ready({"approaches": rows, "flops": self.flops, "level": self.level, "curves": self.curves,
                           "fit": self.fit.to_dict(), "warnings": self.warnings})  # fmt: skip


def left_out(curves: Sequence[Curve]) -> str:
    """Which budgets count for no parabola, by reason."""
    reasons: dict[str, list[Curve]] = {}
    for curve in curves:
        if curve.why:
            reasons.setdefault(curve.why, []).append(curve)
    words = []
    for why, found in reasons.items():
        named = ", ".join(f"{curve.budget:.3g}" for curve in found[:SHOWN]) + " ..." * (len(found) > SHOWN)
        budgets = "1 budget" if len(found) == 1 else f"{len(found)} budgets"
        words.append(f"{sum(len(c.loss) for c in found)} runs at {budgets} ({named}), {why}")
    return "; ".join(words)


def isoflop(
    table: Any,
    params: str = "N",
    tokens: str = "D",
    loss: str = "loss",
    *,
    budget: str | None = None,
    run: str | None = None,
    where: str | Sequence[str] | None = None,
    drop_highest: int = 0,
    missing: str = "refuse",
    objective: str | Objective = "log-ls",
    cluster: str | None = None,
    flops: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> IsoFlop:
    """Chinchilla's approaches 1, 2 and 3 to the exponents of N and D in compute, with the bias of 1 and 2.

    Parameters
    ----------
    table : DataFrame, mapping of columns, or path
    params, tokens, loss : str
        Columns of N, D and the loss.
    budget : str, optional
        Column of the budget; without it runs whose C = 6 N D lie close together are one budget.
    run : str, optional
        Column that names the run, of a table of checkpoints: losses are interpolated along each run to common budgets.
    where, drop_highest, missing, objective, cluster, level, seed
        As in :func:`superlaw.fit_law`, of approach 3; the rows of all.
    flops : float, optional
        Compute at which sizes are compared; by default ten times the largest budget.

    Raises
    ------
    InputError
        For fewer than three budgets of four sizes.
    """
    if run is not None and budget is not None:
        raise InputError("a column of runs and one of budgets", "one of the two")
    table = with_columns(as_table(table), (loss, params, tokens, budget, run))
    table = without_gaps(table, (loss, budget, run), loss) if missing == DROP else table
    fit = fit_law(table, Chinchilla(params, tokens), loss, objective=objective, where=where, drop_highest=drop_highest,
                  missing=missing, cluster=cluster, level=level, seed=seed)  # fmt: skip
    used = fit.points()
    (n, d), losses = used.points.sizes, used.losses
    if run is not None:
        groups = _along_runs(n, d, losses, names(table, run, used.rows))
    else:
        labels, stated = _budgets(6 * n * d) if budget is None else _stated(numbers(table, budget, used.rows, True))
        groups = [(n[labels == g], d[labels == g], losses[labels == g], stated[g]) for g in range(len(stated))]
    curves = sorted((_curve(*group) for group in groups), key=lambda curve: curve.budget)
    good = [curve for curve in curves if not curve.why]
    if len(good) < 3:
        raise InputError(f"{len(good)} budgets with a minimum (left out: {left_out(curves)})",
                         f"three or more budgets of {FEWEST} sizes each",
                         "name the column of budgets (--budget), or of runs with checkpoints (--run)")  # fmt: skip
    flops = 10 * good[-1].budget if flops is None else flops
    clean = [_curve(c.params, c.tokens, fit.loss_at({params: c.params, tokens: c.tokens})[0], c.budget) for c in good]
    best = optimum(fit, flops=flops, seed=seed)
    found = (_approach("1, best run", good, clean, "best", flops, level),
             _approach("2, parabolas", good, clean, "vertex", flops, level),
             Approach("3, the law", best.exponents[params], best.exponents[tokens], math.nan, math.nan,
                      best.sizes[params], best.sizes[tokens]))  # fmt: skip
    return IsoFlop(found, tuple(curves), fit, float(flops), level, fit.warnings)


Runs = tuple[np.ndarray, np.ndarray, np.ndarray, float]  # N, D, loss, and the budget; NaN: that of no one budget


def _budgets(flops: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The number of each run's budget (n,), runs close together in log C, and the budgets."""
    logs = np.log(flops)
    order = np.argsort(logs, kind="stable")
    labels = np.empty(len(logs), dtype=int)
    labels[order] = np.concatenate([[0], np.cumsum(np.diff(logs[order]) > NEAR)])
    groups = [logs[labels == g] for g in range(int(labels.max()) + 1)]
    return labels, [float(np.exp(group.mean())) if np.ptp(group) <= WIDE else math.nan for group in groups]


def _stated(flops: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The same of budgets that are stated, (n,)."""
    budgets, labels = np.unique(flops, return_inverse=True)
    return labels, budgets.tolist()


def _along_runs(n: np.ndarray, d: np.ndarray, losses: np.ndarray, names: np.ndarray) -> list[Runs]:
    """N, D and loss at common budgets, log loss interpolated in log C along every run."""
    logs = np.log(6 * n * d)
    grid = np.linspace(logs.min(), logs.max(), ALONG + 2)[1:-1]
    sizes, tokens, curves = [], [], []
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(logs[rows], kind="stable")]
        if len(rows) < 2:
            continue
        x = logs[rows]
        curves.append(np.interp(grid, x, np.log(losses[rows]), left=np.nan, right=np.nan))
        sizes.append(np.exp(np.interp(grid, x, np.log(n[rows]))))
        tokens.append(np.exp(np.interp(grid, x, np.log(d[rows]))))
    if not curves:
        raise InputError("no run with two checkpoints", "runs with several", "or leave --run out")
    N, D, L = np.array(sizes), np.array(tokens), np.exp(np.array(curves))
    known = np.isfinite(L)
    return [
        (N[known[:, g], g], D[known[:, g], g], L[known[:, g], g], float(np.exp(grid[g])))
        for g in range(len(grid))
        if known[:, g].any()
    ]


def _curve(n: np.ndarray, d: np.ndarray, losses: np.ndarray, budget: float) -> Curve:
    """The runs of one budget with what approaches 1 and 2 make of them."""
    nothing, none = (math.nan, math.nan), np.full(3, np.nan)
    if math.isnan(budget):
        middle = float(np.exp(np.log(6 * n * d).mean()))
        return Curve(middle, n, d, losses, none, nothing, nothing, "C runs on without a gap: no one budget")
    if len(np.unique(n)) < FEWEST or len(np.unique(d)) < FEWEST:
        return Curve(budget, n, d, losses, none, nothing, nothing, f"fewer than {FEWEST} sizes")
    (in_n, at_n), (_, at_d) = _parabola(np.log(n), losses), _parabola(np.log(d), losses)
    lowest = int(np.argmin(losses))
    why = ""
    if math.isnan(at_n) or math.isnan(at_d):
        why = "the parabola opens downward"
    elif not (n.min() <= math.exp(at_n) <= n.max()):
        why = "the vertex lies outside the sizes tried"
    return Curve(budget, n, d, losses, in_n, (float(n[lowest]), float(d[lowest])),
                 (math.exp(min(at_n, 700)), math.exp(min(at_d, 700))), why)  # fmt: skip


def _parabola(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients of least squares, and where the vertex is; NaN of a parabola that opens downward."""
    centre = x.mean()
    a, b, c = np.polyfit(x - centre, y, 2)
    coefficients = np.array([a, b - 2 * a * centre, a * centre**2 - b * centre + c])
    return coefficients, float(centre - b / (2 * a)) if a > 0 else math.nan


def _approach(
    name: str, curves: Sequence[Curve], clean: Sequence[Curve], what: str, flops: float, level: float
) -> Approach:
    """Lines through the best runs or the vertices, with intervals by their scatter."""
    C = np.array([curve.budget for curve in curves])
    found = []
    for k in (0, 1):
        sizes = np.array([getattr(curve, what)[k] for curve in curves])
        line = fit_slope(C, sizes)
        t = float(stats.t.ppf(0.5 + level / 2, len(C) - 2))
        power = Triple(-line.exponent, -line.exponent - t * line.stderr, -line.exponent + t * line.stderr)
        # The line's value at a compute: its error grows with the distance from the budgets' middle.
        x = math.log(flops) - np.log(C).mean()
        middle = line.stderr**2 * np.var(np.log(C))
        half = t * math.sqrt(middle + (line.stderr * x) ** 2)
        value = line.coefficient * flops**-line.exponent
        pure = np.array([getattr(curve, what)[k] for curve in clean])
        known = np.isfinite(pure)
        at_all = -fit_slope(C[known], pure[known]).exponent if known.sum() >= 2 else math.nan
        found.append((power, at_all, Triple(value, value * math.exp(-half), value * math.exp(half))))
    (a, clean_a, n), (b, clean_b, d) = found
    return Approach(name, a, b, clean_a, clean_b, n, d)
