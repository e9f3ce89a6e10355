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
from scipy import interpolate, stats

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.law import Points
from superlaw.laws.optimum import Triple, budget_of
from superlaw.laws.required import LARGEST_LOG, along_frontier, crossing
from superlaw.laws.result import Fit

DRAWS = 20_000  # of correlated errors, for several losses together
LOSSES = 3  # where none is stated
STEPS = 25  # to either side of a required compute, at which the band is known


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
class Gain(Shown):
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
            cells = [f"{row.loss:.5g}", *(in_short(c.value, self.of) for c in row.compute)]
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
    points: Callable[[np.ndarray], Points]
    seen: tuple[float, float]  # lowest and highest compute of the data

    @classmethod
    def of(cls, fit: Fit) -> _Frontier:
        law = fit.law
        if law.compute and set(law.compute) == set(law.sizes):
            budget = budget_of(law, 1.0, None, ("", "", ""))
            used = [fit.ranges[c] for c in law.compute]
            ends = [6 * used[0][k] * used[1][k] for k in (0, 1)]
            if fit.data is not None:
                n, d = (fit.data.points.sizes[law.sizes.index(c)] for c in law.compute)
                ends = [float((6 * n * d).min()), float((6 * n * d).max())]
            along = along_frontier(fit, fit.values[None])

            order = [budget.columns.index(column) for column in law.sizes]

            def points(log_c: np.ndarray) -> Points:
                log_x, _ = budget.best(law, np.tile(fit.values, (len(log_c), 1)), log_c)
                sizes = np.exp(np.clip(log_x, -700, 700))[:, order]
                return Points(sizes.T, np.zeros(len(log_c), int), fit.labels)

            return cls(fit, lambda log_c: float(along(np.array([log_c]))[0]), points, (ends[0], ends[1]))
        if len(law.sizes) != 1 or law.groups:
            raise InputError(f"the law {law.title}", "a law of N and D, or of one size, such as power:flops")

        def own(log_c: np.ndarray) -> Points:
            return Points(np.exp(log_c)[None], np.zeros(len(log_c), int), fit.labels)

        return cls(fit, lambda log_c: float(fit.loss_at(own(np.array([log_c])))[0, 0]), own, fit.ranges[law.sizes[0]])

    def log_required(self, loss: float) -> float:
        """log C at which the frontier has the loss; infinite where it never does."""
        return float(crossing(lambda x: np.array([self.loss_at(float(x[0]))]), loss, 1)[0])

    def functional(self, log_c: float) -> np.ndarray:
        """Of log C: the gradient of the loss there, by the frontier's slope (the envelope theorem)."""
        step = 1e-4
        rise = self._target(log_c + step) - self._target(log_c - step)
        return -self.fit.linear.slopes(self.points(np.array([log_c])))[0] / (rise / (2 * step))

    def _target(self, log_c: float) -> float:
        return float(self.fit.objective.target(np.array([self.loss_at(log_c)]))[0])

    def band(self, log_c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Target, its error and that error's degrees of freedom along the frontier, shape (n,) each."""
        points = self.points(log_c)
        variance, dof = self.fit.linear.variances(self.fit.linear.slopes(points))
        return self.fit.objective.target(self.fit.loss_at(points)[0]), np.sqrt(variance), dof

    def departures(
        self, loss: float, middle: float, sign: int, most: float, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """log C to one side of ``middle``, and by how many errors (of their own t quantile, by that of the middle) the
        frontier has left the loss there: far enough out for ``most`` of them, or to the end of what is searched."""
        goal = float(self.fit.objective.target(np.array([loss]))[0])
        row = self.functional(middle)
        error = math.sqrt(float(self.fit.linear.variances(row[None])[0][0]))
        reach, tail = min(max(2 * most * error, 1e-6), 1.0), 0.5 + level / 2
        while True:
            x = middle + sign * reach * np.linspace(0, 1, STEPS) ** 2
            target, errors, dof = self.band(x)
            scale = stats.t.ppf(tail, dof) / stats.t.ppf(tail, dof[0])
            with np.errstate(divide="ignore", invalid="ignore"):
                left = np.where(errors > 0, np.abs(target - goal) / (errors * scale), np.inf)
            left[0] = 0.0
            if left.max() >= most or abs(middle + sign * 4 * reach) > LARGEST_LOG:
                return x, left
            reach *= 4


@dataclass(frozen=True, eq=False)
class _Required:
    """The log compute that a loss requires of a recipe, and how the frontier departs from the loss about it."""

    middle: float
    sides: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, recipe: _Frontier, loss: float, middle: float, most: float, level: float) -> _Required:
        """Known as far out as ``most`` errors, for intervals of this level."""
        below, above = (recipe.departures(loss, middle, sign, most, level) for sign in (-1, 1))
        return cls(middle, (below, above))

    def ends(self, t: float) -> tuple[float, float]:
        """Where the frontier has left the loss by t errors, below and above; infinite where it never does."""
        low, high = (_crossing(x, left, t) for x, left in self.sides)
        return (-math.inf if low is None else low), (math.inf if high is None else high)


def _crossing(x: np.ndarray, left: np.ndarray, t: float) -> float | None:
    """Where departures first reach t, between the steps by a smooth curve."""
    beyond = left >= t
    if not beyond.any():
        return None
    k = int(np.argmax(beyond))
    if not np.isfinite(left[k]):  # no errors, no band
        return float(x[k - 1])
    known, at = np.unique(np.maximum.accumulate(left[: k + 1]), return_index=True)
    return float(interpolate.PchipInterpolator(known, x[: k + 1][at])(t))


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
    6.16
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
    found = [_log_gain(recipes, float(loss)) for loss in losses]
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


def _log_gain(recipes: Sequence[_Frontier], loss: float) -> _LogGain:
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
    own_t = [float(stats.t.ppf(0.5 + level / 2, dof)) for dof in one.dof]
    joint_t = float(stats.t.ppf(0.5 + level / 2, one.joint_dof))  # both at the quantile of the difference
    needed = [_Required.of(recipe, one.loss, x, max(t, joint_t * widened), level)
              for recipe, x, t in zip(recipes, one.logs, own_t, strict=True)]  # fmt: skip
    compute = [Triple(*(_exp(v) for v in (x.middle, *x.ends(t)))) for x, t in zip(needed, own_t, strict=True)]
    low, high = _recovered(needed[0], needed[1], joint_t)
    joint = _recovered(needed[0], needed[1], joint_t * widened) if widened > 1 else (low, high)
    outside = tuple(
        name for name, recipe, c in zip(names, recipes, compute, strict=True)
        if not recipe.seen[0] <= c.value <= recipe.seen[1]
    )  # fmt: skip
    found = Triple(math.exp(one.logs[0] - one.logs[1]), _exp(low), _exp(high))
    return GainAt(one.loss, (compute[0], compute[1]), found, (_exp(joint[0]), _exp(joint[1])), outside)


def _recovered(first: _Required, second: _Required, t: float) -> tuple[float, float]:
    """Ends of the difference of log C from those of each, as far out as t errors."""
    a, b = first.middle, second.middle
    (low_a, high_a), (low_b, high_b) = first.ends(t), second.ends(t)
    return a - b - math.hypot(a - low_a, high_b - b), a - b + math.hypot(high_a - a, b - low_b)


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0)) if x < math.inf else math.inf
