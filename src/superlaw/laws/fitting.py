"""fit_law: from a law and a table to a Fit, by search, certificate, intervals and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.laws import report
from superlaw.laws.certificate import (
    FLAT_LEVEL,
    Certificate,
    agreeing,
    condition_number,
    correlations,
    fall_threshold,
    flat_exponents,
)
from superlaw.laws.fit import Estimate, Fit, ten_figures
from superlaw.laws.forms import Law
from superlaw.laws.intervals import (
    METHODS,
    BetterOptimumError,
    Interval,
    bootstrap,
    free_coordinates,
    normal_interval,
    plain_covariance,
    profile_interval,
    residual_jacobian,
    sandwich_covariance,
)
from superlaw.laws.objective import Objective
from superlaw.laws.powers import FLOOR
from superlaw.laws.solve import Descent, Problem, solve, sorted_descents
from superlaw.laws.table import Selection, select

STARTS = 16
MOST_STARTS = 64  # tried when fewer than ENOUGH starts agree
ENOUGH = 3
REPLICATES = 1000


def fit_law(
    table: Any,
    law: Law,
    loss: str = "loss",
    *,
    objective: str | Objective = "log-ls",
    where: str | None = None,
    drop_highest: int = 0,
    weights: str | None = None,
    errors: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
    replicates: int = REPLICATES,
    cluster: str | None = None,
    starts: int = STARTS,
    start: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
    seed: int = 0,
    workers: int = 2,
) -> Fit:
    """Fit a scaling law to a table of runs, to the global optimum, with intervals.

    Parameters
    ----------
    table : DataFrame, mapping of columns, or path of a CSV, Parquet or JSON-lines file
    law : Law
        ``PowerLaw``, ``GroupedPowerLaw``, ``AdditiveLaw``, ``Chinchilla``, ``Kaplan``,
        ``BrokenPowerLaw`` or ``FunctionLaw``.
    loss : str
        Column of the loss (nats per token, or whatever the law should have).
    objective : {"log-ls", "log-huber", "ls"} or Objective
    where : str, optional
        Rows to use, like ``"tokens > 1e9"``.
    drop_highest : int
        K: leave out every row whose loss is at or above the K-th highest, ties included.
    weights, errors : str, optional
        Column of relative weights, or of standard errors of L (weights 1/error^2).
    interval : {"profile", "bootstrap", "sandwich", "none"}, optional
        By default the profile for squares, the bootstrap for Huber's loss or where a cluster is named.
    level : float
        Of the intervals.
    replicates, seed : int
        Of the bootstrap; the seed also draws the random starts.
    cluster : str, optional
        Column of what was drawn independently (a model, a seed) when points of one are not.
    starts : int
        Number of random starts.
    start : mapping of parameter to value, or several, optional
        Further starts of your own, complete.
    workers : int
        Threads of the bootstrap. The result does not depend on it.

    Raises
    ------
    InputError
        For a table, column or option that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from superlaw import PowerLaw
    >>> width = np.array([8.0, 16, 32, 64, 128, 256])
    >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1}, PowerLaw("width"))
    >>> round(fit["a"].value, 9), round(fit["L_0"].value, 9)
    (0.5, 1.0)
    """
    objective = Objective(objective) if isinstance(objective, str) else objective
    interval = _checked_interval(interval, level, replicates, cluster, objective.robust)
    chosen = select(table, law, loss, where, drop_highest, weights, errors, cluster, logarithmic=objective.logarithmic)
    names = law.names(chosen.points.labels)
    _check_points(chosen, law, len(names))
    problem = law.problem(chosen.points, objective.logarithmic)
    order = np.array(law.order(chosen.points.labels))
    target = objective.target(chosen.losses)
    given = _given_starts(start, names, order, problem)
    for _ in range(5):
        found = _search(problem, target, objective, chosen.weights, starts, seed, given)
        try:
            return _Finisher(law, loss, objective, chosen, problem, target, found, names, order).finish(
                interval, level, replicates, cluster, seed, workers
            )
        except BetterOptimumError as better:  # the profile found the way down: start from there too
            given = problem.thetas(better.theta[None])
    raise AssertionError("a profile keeps finding lower values than the solver")


def _checked_interval(interval: str | None, level: float, replicates: int, cluster: str | None, robust: bool) -> str:
    if interval is None:
        interval = "bootstrap" if cluster is not None or robust else "profile"
    if interval not in METHODS:
        raise InputError(f"interval = {interval!r}", f"one of {', '.join(METHODS)}", nearest(interval, METHODS))
    if not 0 < level < 1:
        raise InputError(f"level = {level}", "a number between 0 and 1", "0.95 is usual")
    if interval == "bootstrap" and replicates < 20:
        raise InputError(f"{replicates} bootstrap replicates", "at least 20")
    if cluster is not None and interval not in ("bootstrap", "sandwich"):
        raise InputError(
            f"the cluster {cluster!r} with interval {interval}",
            "bootstrap or sandwich, which know clusters",
        )
    return interval


def _check_points(chosen: Selection, law: Law, p: int) -> None:
    n = chosen.points.n
    if n < p:
        raise InputError(
            f"{n} points for the {p} parameters of the law {law.name}",
            f"at least {p}",
            "use more points or a smaller law",
        )
    for column, sizes in zip(law.sizes, chosen.points.sizes, strict=True):
        if len(np.unique(sizes)) < 2:
            raise InputError(
                f"one distinct value ({sizes[0]:g}) in the column {column!r}",
                "at least two",
                "leave this term out",
            )


def _given_starts(start, names: list[str], order: np.ndarray, problem: Problem) -> np.ndarray | None:
    if start is None:
        return None
    rows = [start] if isinstance(start, Mapping) else list(start)
    for row in rows:
        for name in [*row, *names]:
            if name not in names or name not in row:
                raise InputError(
                    f"a start {'with' if name in row else 'without'} {name!r}",
                    f"a value for each of {', '.join(names)}",
                )
    values = np.empty((len(rows), len(names)))
    values[:, order] = [[float(row[name]) for name in names] for row in rows]
    return problem.thetas(values)


def _search(problem, target, objective, weights, starts, seed, given) -> Descent:
    """Solve from the starts; from more while the best value has too few witnesses."""
    found = solve(problem, target, objective, weights, starts, seed, given)
    count = starts
    while starts >= ENOUGH and agreeing(found).sum() < ENOUGH and count < MOST_STARTS:
        more = solve(problem, target, objective, weights, count, seed + count, given)
        both = [np.concatenate(pair) for pair in zip(_fields(found), _fields(more), strict=True)]
        found = sorted_descents(Descent(*both, max(found.steps, more.steps)), found.theta[0])
        count *= 2
    return found


def _fields(found: Descent) -> tuple[np.ndarray, ...]:
    return found.theta, found.value, found.gradient, found.converged


@dataclass
class _Finisher:
    """What follows the search: covariance, certificate, intervals, warnings."""

    law: Law
    loss: str
    objective: Objective
    chosen: Selection
    problem: Problem
    target: np.ndarray
    found: Descent
    names: list[str]
    order: np.ndarray

    def finish(self, interval: str, level: float, replicates: int, cluster: str | None, seed: int, workers: int) -> Fit:
        problem, objective, weights = self.problem, self.objective, self.chosen.weights
        theta, value = self.found.theta[0], float(self.found.value[0])
        values = problem.values(theta)
        errors = objective.residuals(problem.model(theta[None])[0], self.target)
        self.free = free_coordinates(problem, theta)
        self.dof = problem.n - int(self.free.sum())
        plain = np.zeros((problem.p, problem.p))
        if self.dof > 0:
            plain = plain_covariance(problem, theta, self.target, objective, weights)
        self.lam = objective.dispersion(errors, self.dof, weights)
        certificate = self._certificate(theta, value, plain)
        J = problem.jacobian(theta)
        naive = covariance = J @ plain @ J.T
        logs = problem.log_coordinates
        scale = np.where(logs, 1 / np.maximum(values, FLOOR), 1.0)
        ends, drawn, log_covariance, record = None, None, None, {"method": interval, "level": level}
        if cluster is not None:
            record |= {"cluster": cluster, "clusters": len(set(self.chosen.clusters))}
        if self.dof > 0 and interval == "profile":
            ends = profile_interval(
                problem,
                theta,
                value,
                self.target,
                objective,
                weights,
                plain,
                fall_threshold(self.lam, self.dof, level),
            )
        elif self.dof > 0 and interval == "sandwich":
            covariance, ends = self._sandwich(theta, J, level)
        elif self.dof > 0 and interval == "bootstrap":
            drawn, failed = bootstrap(
                problem,
                theta,
                self.target,
                objective,
                weights,
                self.chosen.clusters,
                replicates,
                seed,
                workers,
            )
            record |= {"replicates": replicates, "failed": failed, "seed": seed}
            covariance = np.cov(drawn, rowvar=False).reshape(problem.p, problem.p)
            logged = np.where(logs, np.log(np.maximum(drawn, FLOOR)), drawn)
            log_covariance = np.cov(logged, rowvar=False).reshape(problem.p, problem.p)
            tail = (1 - level) / 2
            ends = Interval(*np.quantile(drawn, [tail, 1 - tail], axis=0))
        if log_covariance is None:
            log_covariance = scale[:, None] * covariance * scale
        return self._fit(values, naive, covariance, log_covariance, ends, drawn, record, certificate, errors, value)

    def _sandwich(self, theta, J, level) -> tuple[np.ndarray, Interval]:
        clusters = self.chosen.clusters
        inner = sandwich_covariance(self.problem, theta, self.target, self.objective, self.chosen.weights, clusters)
        dof = self.dof if clusters is None else len(set(clusters)) - 1
        return J @ inner @ J.T, normal_interval(self.problem, theta, inner, dof, level)

    def _certificate(self, theta: np.ndarray, value: float, plain: np.ndarray) -> Certificate:
        problem, objective, weights = self.problem, self.objective, self.chosen.weights
        _, _, hessian, scale = problem.assemble(theta[None], self.target, objective, weights)
        d = np.where(scale[0] > 0, scale[0], 1.0)
        inner = np.ix_(self.free, self.free)
        curvature = np.linalg.eigvalsh((hessian[0] / np.outer(d, d))[inner])
        slope = residual_jacobian(problem, theta, objective)[:, self.free]
        flat: dict[str, str] = {}
        at = [
            int(self.order[self.names.index(name)])
            for name in self.law.exponents
            if self.free[self.order[self.names.index(name)]]
        ]
        if at and self.dof > 0 and value > 1e-24:
            threshold = fall_threshold(self.lam, self.dof, FLAT_LEVEL)
            grades = flat_exponents(problem, theta[None], value, self.target, objective, weights, at, threshold)[0]
            inverse = {int(k): self.names[i] for i, k in enumerate(self.order)}
            flat = {
                inverse[k]: {1: "poorly", 2: "not"}[int(grade)] for k, grade in zip(at, grades, strict=True) if grade
            }
        J = problem.jacobian(theta)
        natural = (J @ plain @ J.T)[np.ix_(self.order, self.order)]
        agree = agreeing(self.found)
        exact = getattr(problem, "exact", True)
        return Certificate(
            gradient=float(self.found.gradient[0]),
            converged=bool(self.found.converged[0]),
            starts=len(agree),
            agreement=float(agree.mean()),
            condition=condition_number(slope.T @ slope),
            smallest_curvature=float(curvature[0]) if len(curvature) else 0.0,
            correlation=correlations(natural, self.names),
            at_bounds=tuple(self.names[i] for i, k in enumerate(self.order) if not self.free[k]),
            flat=flat,
            derivatives="exact" if exact else "finite differences",
        )

    def _fit(self, values, naive, covariance, log_covariance, ends, drawn, record, certificate, errors, value) -> Fit:
        order = self.order
        by_cluster = "cluster" in record
        sigma, plain = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(naive))
        if self.dof < 1:
            sigma = np.full(len(values), np.nan)
        if drawn is None:  # a covariance knows nothing of a parameter at its bound
            sigma = np.where(self.free, sigma, np.nan)
        nan = math.nan
        params = {
            name: Estimate(
                float(values[k]),
                float(sigma[k]),
                nan if ends is None else float(ends.low[k]),
                nan if ends is None else float(ends.high[k]),
                float(plain[k]) if by_cluster else nan,
            )
            for name, k in zip(self.names, order, strict=True)
        }
        weight = self.chosen.weights
        squares = errors**2 if weight is None else weight * errors**2
        warnings = report.fit_warnings(params, certificate, self.law, self.dof, record, self.chosen, self.objective)
        return Fit(
            law=self.law,
            columns={"loss": self.loss, **self.law.columns()},
            params=params,
            covariance=covariance[np.ix_(order, order)],
            log_covariance=log_covariance[np.ix_(order, order)],
            objective=self.objective.stated(value, len(errors)),
            loss=self.objective,
            n=len(errors),
            dof=self.dof,
            dropped=self.chosen.dropped,
            interval=record,
            certificate=certificate,
            warnings=tuple(warnings),
            rms_error=float(np.sqrt(squares.mean())),
            log_likelihood=self.objective.log_likelihood(errors, self.target),
            ranges={
                column: (float(row.min()), float(row.max()))
                for column, row in zip(self.law.sizes, self.chosen.points.sizes, strict=True)
            },
            labels=self.chosen.points.labels,
            data=self.chosen,
            replicates=None if drawn is None else ten_figures(drawn[:, order]),
        )
