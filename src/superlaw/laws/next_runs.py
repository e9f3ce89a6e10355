"""Which runs to make next: those that, for their cost, would narrow the interval of an exponent or a prediction most.

A run at x adds g g^T / s^2 to the information, g the gradient of the law there and s the errors' deviation
(Fedorov, *Theory of Optimal Experiments*, 1972). Runs are added one at a time, by what they add to the information on
the targets, divided by a power of their cost; the plans of several powers are compared, and the best is improved by
exchanges of single runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.cost import Cost, cost_of
from superlaw.laws.law import Points
from superlaw.laws.linear import Linear
from superlaw.laws.plan import Knowledge, Menu, choose
from superlaw.laws.reach import reach
from superlaw.laws.rehearse import Rehearsal, rehearse
from superlaw.laws.result import Fit
from superlaw.laws.tables import points_of

STEP = 10**0.25  # of the grid of candidates: four sizes a decade
BEYOND = 10.0  # times the data's largest size
MOST_CANDIDATES = 20_000
RUNS = 20
SETS = 100  # simulated


@dataclass(frozen=True)
class Target:
    """What is to be known better: ``name`` in words, its functional (p,), its value (a loss's log, say), and of a
    parameter half the interval that the fit printed."""

    name: str
    row: np.ndarray
    value: float
    of_loss: bool = False
    half: float = math.nan


@dataclass(frozen=True)
class Narrowed:
    """A target before and after: half the width of its interval (of log L for a loss), and what simulations gave.

    ``simulated``, ``simulated_low`` and ``simulated_high`` are the median and the middle 90 % over the sets, infinite
    where a set leaves the target at its bound.
    """

    name: str
    value: float
    now: float
    after: float
    simulated: float = math.nan
    simulated_low: float = math.nan
    simulated_high: float = math.nan


@dataclass(frozen=True)
class NextRuns(Shown):
    """The runs to make next.

    Parameters
    ----------
    runs : tuple of dict
        Sizes, cost, number of copies, and where it lies, of each.
    targets : tuple of Narrowed
    spent, budget : float
        Cost of the plan, and what there was.
    cost : str
    candidates : str
        Among which runs were chosen, in words.
    noise : float
        Deviation of a new run's error.
    sets : int
        How many were simulated; 0 for a fit without points.
    level : float
    warnings : tuple of str
    """

    runs: tuple[dict[str, Any], ...]
    targets: tuple[Narrowed, ...]
    spent: float
    budget: float
    cost: str
    candidates: str
    noise: float
    sets: int
    level: float
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table of runs: header and rows."""
        columns = [name for name in self.runs[0] if name not in ("cost", "copies", "where")]
        header = [*columns, "copies", "cost of each", "of the budget", "where"]
        rows = []
        for run in self.runs:
            sizes = [run[c] if isinstance(run[c], str) else in_short(run[c], c) for c in columns]
            share = run["cost"] * run["copies"] / self.budget
            rows.append([*sizes, str(run["copies"]), in_short(run["cost"], "cost"), f"{share:.1%}", run["where"]])
        return header, rows

    @property
    def outcome(self) -> tuple[list[str], list[list[str]]]:
        """The table of targets: header and rows."""
        header = ["target", "value", "now ±", "after ±", "narrower", "simulated ±", "middle 90 % of sets"]
        rows = []
        for one in self.targets:
            factor = f"{one.now / one.after:.2f} x" if one.after > 0 else "-"
            cells = [one.name, f"{one.value:.4g}", f"{one.now:.3g}", f"{one.after:.3g}", factor]
            if not math.isnan(one.simulated):
                cells += [f"{one.simulated:.3g}", f"{one.simulated_low:.3g} to {one.simulated_high:.3g}"]
            else:
                cells += ["-", "-"]
            rows.append(cells)
        return header, rows

    @property
    def tables(self) -> list[tuple[list[str], list[list[str]]]]:
        """Both tables that are printed."""
        return [self.cells, self.outcome]

    def __str__(self) -> str:
        header, rows = self.cells
        last = len(header) - 1
        count = sum(run["copies"] for run in self.runs)
        checked = f"checked on {self.sets} simulated sets" if self.sets else "not simulated: the fit has no points"
        return "\n".join([
            *(f"WARNING: {warning}" for warning in self.warnings),
            in_columns(header, rows, left=(last,)),
            f"{count} runs for {in_short(self.spent, 'cost')} of {in_short(self.budget, 'cost')} ({self.cost}); "
            f"candidates: {self.candidates}",
            "",
            in_columns(*self.outcome),
            f"±: half the {self.level:.4g} interval, of a loss relative; errors of new runs as those of the fit "
            f"({self.noise:.3g}); {checked}",
        ])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready(self)


def next_runs(
    fit: Fit,
    budget: float,
    cost: str | None = None,
    target: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None = None,
    candidates: Any = None,
    *,
    runs: int = RUNS,
    copies: int = 1,
    sets: int = SETS,
    seed: int = 0,
) -> NextRuns:
    """The runs that would narrow the interval of an exponent or a prediction most within a budget.

    Parameters
    ----------
    fit : Fit
    budget : float
        What may be spent, in units of ``cost``.
    cost : str, optional
        Of a run, over the law's columns; 6 N D unless told.
    target : str, mapping or sequence of these, optional
        Names of parameters, or sizes at which the loss is to be known ({"N": 7e9, "D": 1e12}). All exponents unless
        told.
    candidates : table, optional
        The sizes (and groups) that could be run. By default a grid of four sizes a decade over the data's ranges and
        a decade beyond.
    runs : int
        At most so many are chosen.
    copies : int
        At most so many of the same sizes.
    sets : int
        Simulated sets of new losses, each fitted with the points there are, to check the interval expected.
    seed : int
        Of the simulation.

    Raises
    ------
    InputError
        For a budget that buys no candidate, an unknown target, or a law without a cost of its own.
    """
    if not (isinstance(budget, int | float) and math.isfinite(budget) and budget > 0):
        raise InputError(f"budget = {budget}", "a positive number")
    if runs < 1 or copies < 1 or sets < 0:
        raise InputError(f"runs = {runs}, copies = {copies}, sets = {sets}", "1 or more runs and copies, sets >= 0")
    if fit.objective.asymmetry != 1:
        raise InputError(f"a fit that minimised the {fit.objective}", "one whose errors lie about the law")
    linear, law = fit.linear, fit.law
    targets = targets_of(fit, target)
    price = cost_of(law, cost)
    if candidates is None:
        pool, words = _grid(fit)
    else:
        pool = points_of(candidates, law, fit.labels)
        words = f"the {pool.n} given"
    costs = price.of(pool)
    _check_affordable(costs, budget, price)
    noise = new_run_deviation(fit)
    menu = Menu(linear.slopes(pool) / noise, costs, budget, runs, copies)
    chosen = choose(knowledge(linear), menu, np.array([t.row for t in targets]))
    if not len(chosen):
        raise InputError(f"targets that no run of {budget:g} narrows", "a larger budget", "or other --candidates")
    picked = pool[chosen]
    narrowed = narrow(fit, targets, picked, noise)
    if fit.data is not None and sets:
        rows = np.array([t.row for t in targets])
        narrowed = rehearsed(narrowed, rehearse(fit, picked, rows, noise, sets, seed))
    simulated = sets if fit.data is not None else 0
    return NextRuns(_as_rows(fit, pool, costs, chosen), tuple(narrowed), float(costs[chosen].sum()), float(budget),
                    str(price), words, noise, simulated, fit.interval["level"],
                    tuple(_warnings(fit, picked, simulated)))  # fmt: skip


def targets_of(fit: Fit, target: Any = None) -> list[Target]:
    """What is to be known better, as functionals; all exponents unless told."""
    if target is None:
        target = [name for name in fit.law.exponents_of(fit.labels) if name in fit.estimated]
        if not target:
            raise InputError(f"the law {fit.law.name} without exponents that are estimated",
                             "a --target PARAM or loss@COL=VALUE,...")  # fmt: skip
    asked = [target] if isinstance(target, str | Mapping) else list(target)
    out = []
    for one in asked:
        if isinstance(one, str):
            if one not in fit.params:
                raise InputError(f"the target {one!r}", "a parameter of the fit, or loss@COL=VALUE,...",
                                 nearest(one, fit.params))  # fmt: skip
            out.append(_parameter(fit, one))
        else:
            points = fit.points_at({name: [value] for name, value in one.items()})
            where = ",".join(f"{name}={value if isinstance(value, str) else format(value, '.4g')}"
                             for name, value in one.items())  # fmt: skip
            loss = float(fit.loss_at(points)[0, 0])
            out.append(Target(f"loss at {where}", fit.linear.slopes(points)[0], loss, of_loss=True))
    return out


def _parameter(fit: Fit, name: str) -> Target:
    """An exponent or offset by itself; a coefficient by its logarithm, of which the interval is then."""
    if name not in fit.estimated:
        raise InputError(f"the target {name}, which is given ({fit.known.words(name)})", "one that is estimated")
    row, logarithm = fit.linear.parameter(name)
    low, high = fit[name].low, fit[name].high
    if logarithm:
        low, high = (math.log(end) if end > 0 else -math.inf for end in (low, high))
    return Target(f"log {name}" if logarithm else name, row, fit[name].value, half=(high - low) / 2)


def _grid(fit: Fit) -> tuple[Points, str]:
    """Four sizes a decade over the data's ranges and a decade beyond, fewer where these are too many."""
    if set(fit.law.sizes) & set(fit.law.groups) or any(low <= 0 for low, _ in fit.ranges.values()):
        raise InputError(f"no grid of candidates for the law {fit.law.title}", "sizes that could be run",
                         "--candidates TABLE")  # fmt: skip
    step, axes = STEP, []
    while True:
        axes = [_axis(*fit.ranges[column], step) for column in fit.law.sizes]
        if math.prod(map(len, axes)) * max(len(fit.labels), 1) <= MOST_CANDIDATES:
            break
        step = step**1.25
    sizes = np.array([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    count, groups = sizes.shape[1], max(len(fit.labels), 1)
    points = Points(np.tile(sizes, groups), np.repeat(np.arange(groups), count), fit.labels)
    ends = ", ".join(
        f"{c} from {in_short(axis[0], c)} to {in_short(axis[-1], c)}"
        for c, axis in zip(fit.law.sizes, axes, strict=True)
    )
    return points, f"a grid of {points.n} in steps of {step:.3g}, the data's ranges and a decade beyond ({ends})"


def _axis(low: float, high: float, step: float) -> np.ndarray:
    """From the data's lowest size to a decade beyond its highest, in three figures."""
    sizes = np.exp(np.arange(math.log(low), math.log(high * BEYOND) + 1e-9, math.log(step)))
    return np.maximum([float(f"{size:.3g}") for size in sizes], low)


def _check_affordable(costs: np.ndarray, budget: float, price: Cost) -> None:
    if costs.min() > budget:
        raise InputError(
            f"a budget of {budget:g}", f"the {costs.min():.3g} that the cheapest candidate costs ({price})"
        )


def new_run_deviation(fit: Fit) -> float:
    """The deviation of a new run's error: for Huber's loss that by which its information counts."""
    if fit.data is None:
        return fit.rms_error * math.sqrt(fit.n / max(fit.dof, 1))
    best = fit.minimum()
    if best.dof < 1:
        raise InputError("a fit with as many parameters as points", "one whose errors are known", "more points")
    return math.sqrt(best.dispersion / best.problem.objective.curved_share(best.errors))


def knowledge(linear: Linear) -> Knowledge:
    """What a fit knows of its parameters: by its own method, and as if errors were alike."""
    best = linear.best
    if best is None or best.dof < 1:
        return Knowledge.of(linear.covariance)
    own = _sandwich(linear) if linear.small_sample else linear.covariance
    return Knowledge.of(own, Linear.at(best).covariance)


def _sandwich(linear: Linear) -> np.ndarray:
    """The covariance by the sandwich (p, p): of functionals e_i and e_i + e_j it gives every entry."""
    p = len(linear.values)
    pairs = [(i, j) for i in range(p) for j in range(i + 1)]
    rows = np.array([np.eye(p)[i] + (np.eye(p)[j] if i != j else 0) for i, j in pairs])
    variance = dict(zip(pairs, linear.variances(rows)[0], strict=True))
    out = np.diag([variance[i, i] for i in range(p)])
    for i, j in pairs:
        if i != j:
            out[i, j] = out[j, i] = (variance[i, j] - variance[i, i] - variance[j, j]) / 2
    return out


def narrow(fit: Fit, targets: Sequence[Target], picked: Points, noise: float) -> list[Narrowed]:
    """Half the width of each target's interval, now and as expected after the picked runs."""
    linear, level = fit.linear, fit.interval["level"]
    rows, known = np.array([target.row for target in targets]), knowledge(fit.linear)
    after = known.with_rows(linear.slopes(picked) / noise)
    ratio = np.sqrt(after.variances(rows) / known.variances(rows))
    # an interval may follow the objective where its curvature differs from J^T J: what was printed is "now"
    printed = np.array([target.half for target in targets])
    now = np.where(np.isfinite(printed), printed, linear.reach(rows, level))
    return [
        Narrowed(target.name, target.value, float(n), float(n * r))
        for target, n, r in zip(targets, now, ratio, strict=True)
    ]


def rehearsed(narrowed: Sequence[Narrowed], found: Rehearsal) -> list[Narrowed]:
    """Targets with what simulations gave, in units of the fit's own intervals."""
    own = np.array([one.now for one in narrowed]) / found.now
    widths = found.half_widths * own  # (sets, q), some infinite: between those no quantile is interpolated
    middle = np.median(widths, axis=0)
    low, high = np.quantile(widths, [0.05, 0.95], axis=0, method="inverted_cdf")
    return [
        Narrowed(one.name, one.value, one.now, one.after, float(middle[i]), float(low[i]), float(high[i]))
        for i, one in enumerate(narrowed)
    ]


def _as_rows(fit: Fit, pool: Points, costs: np.ndarray, chosen: np.ndarray) -> tuple[dict[str, Any], ...]:
    """The chosen runs, the dearest first."""
    positions, copies = np.unique(chosen, return_counts=True)
    order = np.argsort(-costs[positions], kind="stable")
    out = []
    for k in order:
        at = positions[k]
        sizes: dict[str, Any] = dict(zip(fit.law.sizes, map(float, pool.sizes[:, at]), strict=True))
        if fit.labels:
            sizes["group"] = fit.labels[pool.group[at]]
        where = reach(fit, pool[np.array([at])])[0].brief
        out.append({**sizes, "cost": float(costs[at]), "copies": int(copies[k]), "where": where})
    return tuple(out)


def _warnings(fit: Fit, picked: Points, sets: int) -> list[str]:
    out = list(fit.warnings)
    outside = sum(one.outside for one in reach(fit, picked))
    if outside:
        out.append(f"{outside} of {picked.n} runs lie outside the data: what they are worth there rests on the law")
    if not sets and fit.data is None:
        out.append("this fit has no points (written before format 2): the plan is not checked by simulation")
    return out
