"""Compute-equivalent gain: how much less compute one recipe needs than another to reach the same loss.

Each recipe has its own fit. The compute that it requires for a loss has an interval by inversion: all those C at
which the loss is within the band of the frontier; its width grows where the band does. The two intervals are joined
into one of the ratio (the method of variance estimates recovery, [Zou]), which keeps their asymmetry. For several
losses together the bands are widened by the largest of their correlated errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.records import json_ready
from superlaw.laws.law import Points
from superlaw.laws.optimum import Triple, budget_of
from superlaw.laws.required import LARGEST_LOG, along_frontier, crossing
from superlaw.laws.result import Fit

DRAWS = 20_000  # of correlated errors, for several losses together
LOSSES = 3  # where none is stated
NARROW = 1e-6  # of log C: the ends of an interval are found to


@dataclass(frozen=True)
class GainAt:
    """At one loss.

    ``compute`` is what each recipe requires, with its interval; ``gain`` that of the first by that of the second;
    ``joint`` the interval of the gain that holds at all stated losses together. ``outside`` names the recipes for
    which it lies outside their data. ``why`` says why there is no gain, if so.
    """

    loss: float
    compute: tuple[Triple, Triple]
    gain: Triple
    joint: tuple[float, float]
    outside: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Gain:
    """The compute-equivalent gain of the second of two recipes over the first, at each loss."""

    names: tuple[str, str]
    rows: tuple[GainAt, ...]
    of: str
    level: float
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        first, second = self.names
        header = ["loss", f"{self.of} of {first}", f"of {second}", "gain", f"{self.level:.4g} low", "high",
                  *(["all losses: low", "high"] if len(self.rows) > 1 else []), "outside the data of"]  # fmt: skip
        rows = []
        for row in self.rows:
            ends = [f"{row.joint[0]:.4g}", f"{row.joint[1]:.4g}"] if len(self.rows) > 1 else []
            cells = [f"{row.loss:.5g}", *(f"{c.value:.4g}" for c in row.compute)]
            numbers = [f"{x:.4g}" for x in row.gain]
            rows.append([*cells, *numbers, *ends, row.why or ", ".join(row.outside)])
        return header, rows

    def __str__(self) -> str:
        header, rows = self.cells
        first, second = self.names
        return "\n".join([
            *(f"WARNING: {warning}" for warning in self.warnings),
            in_columns(header, rows, left=(len(header) - 1,)),
            f"gain: {self.of} that {first} requires, by that of {second}; above 1 {second} needs less",
        ])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite end is null."""
        rows = [json_ready(row) | {"gain": json_ready(row.gain.to_dict()),
                                   "compute": [json_ready(c.to_dict()) for c in row.compute]}
                for row in self.rows]  # fmt: skip
        return json_ready({"names": self.names, "of": self.of, "level": self.level, "rows": rows,
                           "warnings": self.warnings})  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Frontier:
    """A recipe's loss against log compute, and the functional of a loss there."""

    fit: Fit
    loss_at: Callable[[float], float]
    points: Callable[[float], Points]
    seen: tuple[float, float]  # lowest and highest compute of the data

    @classmethod
    def of(cls, fit: Fit) -> _Frontier:
        law = fit.law
        if law.compute:
            budget = budget_of(law, 1.0, None, ("", "", ""))
            used = [fit.ranges[c] for c in law.compute]
            ends = [6 * used[0][k] * used[1][k] for k in (0, 1)]
            if fit.data is not None:
                n, d = (fit.data.points.sizes[law.sizes.index(c)] for c in law.compute)
                ends = [float((6 * n * d).min()), float((6 * n * d).max())]
            along = along_frontier(fit, fit.values[None])

            def points(log_c: float) -> Points:
                log_x, _ = budget.best(law, fit.values[None], log_c)
                return Points(np.exp(np.clip(log_x, -700, 700)).T, np.zeros(1, int), fit.labels)

            return cls(fit, lambda log_c: float(along(np.array([log_c]))[0]), points, (ends[0], ends[1]))
        if len(law.sizes) != 1 or law.groups:
            raise InputError(f"the law {law.title}", "a law of N and D, or of one size, such as power:flops")

        def own(log_c: float) -> Points:
            return Points(np.exp([[log_c]]), np.zeros(1, int), fit.labels)

        return cls(fit, lambda log_c: float(fit.loss_at(own(log_c))[0, 0]), own, fit.ranges[law.sizes[0]])

    def log_required(self, loss: float) -> float:
        """log C at which the frontier has the loss; infinite where it never does."""
        return float(crossing(lambda x: np.array([self.loss_at(float(x[0]))]), loss, 1)[0])

    def functional(self, log_c: float) -> np.ndarray:
        """Of log C: the gradient of the loss there, by the frontier's slope (the envelope theorem)."""
        step = 1e-4
        rise = self._target(log_c + step) - self._target(log_c - step)
        return -self.fit.linear.slopes(self.points(log_c))[0] / (rise / (2 * step))

    def _target(self, log_c: float) -> float:
        return float(self.fit.objective.target(np.array([self.loss_at(log_c)]))[0])

    def ends(self, loss: float, middle: float, t: float, dof: float) -> tuple[float, float]:
        """log C at which the loss leaves the frontier's band of t errors, below and above ``middle``."""
        goal = float(self.fit.objective.target(np.array([loss]))[0])
        linear = self.fit.linear

        def beyond(log_c: float) -> float:
            variance, own = linear.variances(linear.slopes(self.points(log_c)))
            reach = t * _scale(dof, float(own[0])) * math.sqrt(float(variance[0]))
            return abs(self._target(log_c) - goal) - reach

        row = self.functional(middle)
        step = t * math.sqrt(float(linear.variances(row[None])[0][0]))
        return _end(beyond, middle, -1, step), _end(beyond, middle, 1, step)


def _scale(dof: float, own: float) -> float:
    """By how much a t quantile of ``own`` degrees of freedom exceeds that of ``dof``."""
    return float(stats.t.ppf(0.975, own) / stats.t.ppf(0.975, dof))


def _end(beyond: Callable[[float], float], middle: float, sign: int, step: float) -> float:
    """Where a band around the middle ends, to one side; infinite where it does not."""
    if beyond(middle) >= 0:  # no errors, no band
        return middle
    step, inside = min(max(step, 1e-6), 1.0), middle
    while beyond(middle + sign * step) < 0:
        inside = middle + sign * step
        step *= 2
        if abs(middle + sign * step) > LARGEST_LOG:
            return sign * math.inf
    return float(optimize.brentq(beyond, inside, middle + sign * step, xtol=NARROW))


def gain(
    first: Fit,
    second: Fit,
    losses: Sequence[float] | None = None,
    names: tuple[str, str] = ("A", "B"),
    *,
    seed: int = 0,
) -> Gain:
    """The compute-equivalent gain of one recipe over another: C of the first by C of the second, at the same loss.

    Parameters
    ----------
    first, second : Fit
        Of the same loss, each recipe by itself; laws of N and D (compute at the best sizes), or of one size.
    losses : sequence of float, optional
        By default three over the losses that both frontiers reach within their data.
    names : (str, str)
    seed : int
        Of the errors drawn for the joint interval.

    Raises
    ------
    InputError
        For laws without one compute, or losses that are none.

    Examples
    --------
    >>> C = np.geomspace(1e18, 1e21, 12)
    >>> from superlaw import fit_law
    >>> noise = 1 + 1e-3 * np.cos(np.arange(12) ** 2)
    >>> law = lambda a: {"C": C, "loss": (a / C**0.1 + 1) * noise}
    >>> found = gain(fit_law(law(120.0), "power:C"), fit_law(law(100.0), "power:C"), [2.5])
    >>> print(f"{found.rows[0].gain.value:.2f}")  # 1.2^10
    6.19
    """
    recipes = [_Frontier.of(first), _Frontier.of(second)]
    kinds = ["flops" if fit.law.compute else fit.law.sizes[0] for fit in (first, second)]
    if kinds[0] != kinds[1]:
        raise InputError(f"laws of {kinds[0]} and of {kinds[1]}", "both of the same")
    if first.objective.logarithmic != second.objective.logarithmic:
        raise InputError("fits of log L and of L", "the same objective for both")
    level = first.interval["level"]
    if losses is None:
        losses = _shared(recipes)
    elif not len(losses) or not all(isinstance(x, int | float) and math.isfinite(x) for x in losses):
        raise InputError(f"losses = {list(losses)}", "one or more numbers")
    found = [_log_gain(recipes, float(loss), level) for loss in losses]
    widened = _joint_factor(recipes, found, level, seed)
    rows = [_row(recipes, names, one, level, widened) for one in found]
    warnings = [f"{name}: {w}" for name, fit in zip(names, (first, second), strict=True) for w in fit.warnings]
    return Gain(names, tuple(rows), kinds[0], level, tuple(warnings))


def _shared(recipes: Sequence[_Frontier]) -> list[float]:
    """Losses that both frontiers reach within their data."""
    low = max(recipe.loss_at(math.log(recipe.seen[1])) for recipe in recipes)
    high = min(recipe.loss_at(math.log(recipe.seen[0])) for recipe in recipes)
    if not low < high:
        raise InputError("recipes whose data share no loss on their frontiers", "losses to compare at",
                         "--at-loss LOSS, and mind the extrapolation")  # fmt: skip
    return [float(f"{x:.4g}") for x in np.linspace(low, high, LOSSES + 2)[1:-1]]


@dataclass(frozen=True, eq=False)
class _LogGain:
    """At a loss: log C of each recipe, their functionals, and the variance and degrees of freedom of each."""

    loss: float
    logs: tuple[float, float]
    rows: tuple[np.ndarray, np.ndarray] | None
    variance: np.ndarray
    dof: np.ndarray

    @property
    def joint_dof(self) -> float:
        """Satterthwaite's, of the difference."""
        total = self.variance.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(total**2 / (self.variance**2 / self.dof).sum()) if total > 0 else float(self.dof.min())


def _log_gain(recipes: Sequence[_Frontier], loss: float, level: float) -> _LogGain:
    logs = tuple(recipe.log_required(loss) for recipe in recipes)
    if not all(map(math.isfinite, logs)):
        return _LogGain(loss, (logs[0], logs[1]), None, np.full(2, np.nan), np.ones(2))
    rows = tuple(recipe.functional(x) for recipe, x in zip(recipes, logs, strict=True))
    both = [recipe.fit.linear.variances(row[None]) for recipe, row in zip(recipes, rows, strict=True)]
    variance, dof = (np.array([float(x[k][0]) for x in both]) for k in (0, 1))
    return _LogGain(loss, (logs[0], logs[1]), (rows[0], rows[1]), variance, dof)


def _joint_factor(recipes: Sequence[_Frontier], found: Sequence[_LogGain], level: float, seed: int) -> float:
    """By how much more errors must reach so that all losses are covered together."""
    known = [one for one in found if one.rows is not None]
    if len(known) < 2:
        return 1.0
    covariance = np.zeros((len(known), len(known)))
    for k, recipe in enumerate(recipes):
        rows = np.array([one.rows[k] for one in known if one.rows is not None])
        covariance += rows @ recipe.fit.linear.covariance @ rows.T
    deviation = np.sqrt(np.diag(covariance))
    if not (deviation > 0).all():
        return 1.0
    root = np.linalg.svd(covariance / np.outer(deviation, deviation))
    dof = min(one.joint_dof for one in known)
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(DRAWS, len(known))) * np.sqrt(root.S) @ root.Vh
    t = np.abs(z).max(axis=1) / np.sqrt(rng.chisquare(dof, DRAWS) / dof)
    return max(float(np.quantile(t, level) / stats.t.ppf(0.5 + level / 2, dof)), 1.0)


def _row(recipes: Sequence[_Frontier], names: tuple[str, str], one: _LogGain, level: float, widened: float) -> GainAt:
    nothing = Triple(math.nan, math.nan, math.nan)
    if one.rows is None:
        never = [name for name, x in zip(names, one.logs, strict=True) if not math.isfinite(x)]
        values = [Triple(*[math.exp(x)] * 3) if math.isfinite(x) else Triple(math.inf, math.nan, math.nan)
                  for x in one.logs]  # fmt: skip
        return GainAt(one.loss, (values[0], values[1]), nothing, (math.nan, math.nan), (),
                      f"never reached by {' and '.join(never)}")  # fmt: skip
    t = [float(stats.t.ppf(0.5 + level / 2, dof)) for dof in one.dof]
    own = [recipe.ends(one.loss, x, q, dof)
           for recipe, x, q, dof in zip(recipes, one.logs, t, one.dof, strict=True)]  # fmt: skip
    compute = [Triple(*(_exp(v) for v in (x, *ends))) for x, ends in zip(one.logs, own, strict=True)]
    difference = one.logs[0] - one.logs[1]
    # both bands at the quantile of the difference: together they then have its level
    joint_t = float(stats.t.ppf(0.5 + level / 2, one.joint_dof))
    low, high = _recovered(recipes, one, joint_t)
    joint = _recovered(recipes, one, joint_t * widened) if widened > 1 else (low, high)
    outside = tuple(
        name for name, recipe, c in zip(names, recipes, compute, strict=True)
        if not recipe.seen[0] <= c.value <= recipe.seen[1]
    )  # fmt: skip
    return GainAt(one.loss, (compute[0], compute[1]), Triple(math.exp(difference), _exp(low), _exp(high)),
                  (_exp(joint[0]), _exp(joint[1])), outside)  # fmt: skip


def _recovered(recipes: Sequence[_Frontier], one: _LogGain, t: float) -> tuple[float, float]:
    """Ends of the difference of log C from those of each, as far out as t errors."""
    (low_a, high_a), (low_b, high_b) = (
        recipe.ends(one.loss, x, t, dof) for recipe, x, dof in zip(recipes, one.logs, one.dof, strict=True)
    )
    a, b = one.logs
    low = a - b - math.hypot(a - low_a, high_b - b)
    return low, a - b + math.hypot(high_a - a, b - low_b)


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0)) if x < math.inf else math.inf
