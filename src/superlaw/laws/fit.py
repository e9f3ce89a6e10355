"""fit_law: from a law and a table to a Fit, by search, certificate, intervals and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws import report
from superlaw.laws.certificate import Certificate, agreeing, certify
from superlaw.laws.difference import difference
from superlaw.laws.estimate import Estimate
from superlaw.laws.forms import law_of
from superlaw.laws.intervals import REPLICATES, Method, Uncertainty, uncertainty, usual_method
from superlaw.laws.known import Known
from superlaw.laws.law import Law
from superlaw.laws.minimum import Minimum
from superlaw.laws.objective import Objective, objective_of
from superlaw.laws.problems.problem import Problem
from superlaw.laws.problems.restriction import Restriction
from superlaw.laws.profile import BetterOptimumError
from superlaw.laws.result import Fit
from superlaw.laws.separate import SeparateLaw
from superlaw.laws.solve import AGREEMENT, NOTHING, Descent, descend_gradually, joined, solve, sorted_descents, sweep
from superlaw.laws.tables import REFUSE, Choice, Selection, select
from superlaw.laws.unseen import unseen_terms

STARTS = 16
MOST_STARTS = 64  # tried when fewer than ENOUGH starts agree
ENOUGH = 3
MANY_POINTS, SAMPLE, OF_EACH_GROUP = 20_000, 5_000, 20  # beyond so many a search begins with a sample
MOST_ROUNDS = 4  # of intervals that come upon a lower value
MOST_WEIGHINGS, SAME_STRENGTH = 200, 1e-10  # of priors, and when two agree
ENOUGH_TO_WEIGH = 5  # degrees of freedom without priors


def fit_law(
    table: Any,
    law: Law | str,
    loss: str = "loss",
    *,
    objective: str | Objective = "log-ls",
    where: str | Sequence[str] | None = None,
    drop_highest: int = 0,
    weights: str | None = None,
    errors: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
    replicates: int = REPLICATES,
    cluster: str | None = None,
    missing: str = REFUSE,
    starts: int = STARTS,
    start: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
    seed: int = 0,
    workers: int = 2,
    known: Known | None = None,
) -> Fit:
    """Fit a scaling law to a table of runs, to the global optimum, with intervals.

    Parameters
    ----------
    table : DataFrame, mapping of columns, or path (see :func:`superlaw.load_table`)
        Of :func:`superlaw.gather`, say: rows of our own runs whose status is not ok are left out and counted. A column
        that the table lacks and whose name is that of a quantity (N, D, width, loss ...) is found, and that is said.
    law : Law or str
        ``PowerLaw``, ``GroupedPowerLaw``, ``AdditiveLaw``, ``Chinchilla``, ``Kaplan``,
        ``BrokenPowerLaw``, ``FunctionLaw``, or text like ``"additive:width,depth"``.
    loss : str
        Column of the loss (nats per token, or whatever the law should have).
    objective : {"log-ls", "log-huber", "ls", "asymmetric:K", "envelope"} or Objective
    where : str or sequence of str, optional
        Rows to use, like ``"tokens > 1e9"``; several all count.
    drop_highest : int
        K: leave out every row whose loss is at or above the K-th highest, ties included.
    weights, errors : str, optional
        Column of relative weights, or of standard errors of L (weights 1/error^2).
    interval : {"profile", "bootstrap", "sandwich", "none"}, optional
        By default the sandwich, for Huber's loss without a cluster the bootstrap, for an envelope none (docs/laws.md).
    level : float
        Of the intervals.
    replicates, seed : int
        Of the bootstrap; the seed also draws the random starts.
    cluster : str, optional
        Column of what was drawn independently (a model, a seed) when points of one are not.
    missing : {"refuse", "drop"}
        What is done with rows in which a cell that is needed is empty or NaN; those dropped are counted.
    starts : int
        Number of random starts.
    start : mapping of parameter to value, or several, optional
        Further starts of your own, with a value for every parameter that is fitted.
    workers : int
        Threads of the bootstrap. The result does not depend on it.
    known : Known, optional
        Parameters that are fixed, tied to one another, bounded, or have priors.

    Raises
    ------
    InputError
        For a table, column or option that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> width = np.array([8.0, 16, 32, 64, 128, 256])
    >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1}, "power:width")
    >>> round(fit["a"].value, 9), round(fit["L_0"].value, 9)
    (0.5, 1.0)
    """
    law, objective = law_of(law), objective_of(objective)
    name = usual_method(objective, cluster) if interval is None else interval
    method = Method(name, level, replicates, seed, workers, cluster)
    rows = select(
        table, law, Choice(loss, where, drop_highest, weights, errors, cluster, missing), objective.logarithmic
    )
    problem = Problem.of(law, rows, objective, known)
    return _fitted(problem, rows, method, starts, seed, _given_starts(start, problem), loss)


def refit(fit: Fit, rows: Selection, starts: int = STARTS, seed: int = 0) -> Fit:
    """A fit's law to other points, by the same objective and kind of interval, with what was known, searched anew.

    Parameters
    ----------
    fit : Fit
    rows : Selection
        The points: some of the fit's own, say (``fit.points()[keep]``).

    Raises
    ------
    InputError
        Where these points are too few, or of one size.
    """
    same = {name: fit.interval[name] for name in ("level", "replicates", "cluster") if name in fit.interval}
    method = Method(fit.interval.get("asked", fit.interval["method"]), seed=seed, **same)
    problem = Problem.of(fit.law, rows, fit.objective, fit.known)
    given = problem.model.thetas(fit.free_values)[None]
    return _fitted(problem, rows, method, starts, seed, given, fit.columns["loss"])


def _fitted(
    problem: Problem, rows: Selection, method: Method, starts: int, seed: int, given: np.ndarray | None, loss: str
) -> Fit:
    """Search, certificate and intervals."""
    law = problem.law
    _check_points(rows, problem)
    problem = _weighed(problem, starts, seed, given)
    found = _search(problem, starts, seed, given)
    best, unknown, found = _judged(problem, found, method, seed)
    fit = _fit(best, rows, unknown, certify(best, found), {"loss": loss, **law.columns()})
    return replace(fit, difference=difference(fit, best).to_dict()) if isinstance(law, SeparateLaw) else fit


def _weighed(problem: Problem, starts: int, seed: int, given: np.ndarray | None) -> Problem:
    """The problem whose priors have the strength of the errors' own dispersion (problems/prior.py).

    That is their dispersion without priors, so that one that the losses contradict does not raise it; of few points the
    dispersion at the optimum with priors, from a strength that is surely too large, so that they are not passed through
    exactly.
    """
    if (prior := problem.prior) is None:
        return problem
    free = problem.n - problem.p >= ENOUGH_TO_WEIGH
    plain = replace(problem, prior=None)
    strength, theta = float(np.var(problem.target)), None
    for _ in range(MOST_WEIGHINGS):
        now = plain if free else replace(problem, prior=replace(prior, strength=strength))
        found = solve(now, starts, seed, given) if theta is None else descend_gradually(now, theta)
        theta = found.theta[:1]
        before, strength = strength, Minimum.at(now, theta[0], float(found.value[0])).scatter
        if not np.isfinite(strength) or strength <= NOTHING:
            raise InputError(
                f"{problem.n} points, which leave no errors for priors to be weighed against",
                "more points, or errors of these",
                "fix the parameter instead",
            )
        if free or abs(strength - before) <= SAME_STRENGTH * strength:
            break
    return replace(problem, prior=replace(prior, strength=strength))


def _judged(problem: Problem, found: Descent, method: Method, seed: int) -> tuple[Minimum, Uncertainty, Descent]:
    """The optimum with its uncertainty, and the descents that led there."""
    for _ in range(MOST_ROUNDS):
        best = Minimum.at(problem, found.theta[0], float(found.value[0]))
        try:
            return best, uncertainty(best, method, bool(found.converged[0])), found
        except BetterOptimumError as better:  # the profile found the way down: start from there too
            lower = solve(problem, 0, seed, problem.model.thetas(better.theta[None]))
            found = sorted_descents(joined([lower, found]), lower.theta[0])
    # So flat that there is always a little less: no optimum to speak of.
    found = replace(found, converged=np.zeros_like(found.converged))
    best = Minimum.at(problem, found.theta[0], float(found.value[0]))
    return best, uncertainty(best, method, False), found


def _check_points(rows: Selection, problem: Problem) -> None:
    priors = 0 if problem.prior is None else len(problem.prior.at)
    if problem.n + priors < problem.p:
        raise InputError(
            f"{problem.n} points for the {problem.p} parameters of the law {problem.law.name}",
            f"at least {problem.p - priors}",
            "use more points or a smaller law",
        )
    for column, sizes in zip(problem.law.sizes, rows.points.sizes, strict=True):
        if len(np.unique(sizes)) < 2:
            raise InputError(
                f"one distinct value ({sizes[0]:g}) in the column {column!r}", "at least two", "leave this term out"
            )


def _given_starts(start: Any, problem: Problem) -> np.ndarray | None:
    if start is None:
        return None
    rows, names = [start] if isinstance(start, Mapping) else list(start), problem.names
    for row in rows:
        for name in [*row, *names]:
            if name not in names or name not in row:
                raise InputError(
                    f"a start {'with' if name in row else 'without'} {name!r}",
                    f"a value for each of {', '.join(names)}",
                )
    return problem.model.thetas(np.array([[float(row[name]) for name in names] for row in rows]))


def _search(problem: Problem, starts: int, seed: int, given: np.ndarray | None) -> Descent:
    """Solve from the starts; from more while the best value has too few witnesses; and in a second way from the
    best where its neighbours disagree or it lies on a bound."""
    first = _by_a_sample if problem.n > MANY_POINTS else solve
    found, count = first(problem, starts, seed, given), starts
    if starts >= ENOUGH and _doubtful(problem, found):
        other = sweep(problem, found.theta[0], seed)
        if other.value.min() < found.value[0] * (1 - AGREEMENT) - NOTHING:  # else it is no further witness
            found = sorted_descents(joined([found, other]), found.theta[0])
    while starts >= ENOUGH and found.converged.any() and agreeing(found).sum() < ENOUGH and count < MOST_STARTS:
        more = solve(problem, count, seed + count, given)
        found = sorted_descents(joined([found, more]), found.theta[0])
        count *= 2
    return found


def _by_a_sample(problem: Problem, starts: int, seed: int, given: np.ndarray | None) -> Descent:
    """Of many points: descents on a sample of them, some of each group, then on all from wherever these led."""
    shuffled = np.random.default_rng(seed).permutation(problem.n)
    of_each = [np.flatnonzero(problem.points.group == g)[:OF_EACH_GROUP] for g in range(len(problem.points.labels))]
    rows = np.unique(np.concatenate([shuffled[:SAMPLE], *of_each]))
    some = lambda column: None if column is None else column[rows]  # noqa: E731
    sample = Problem.over(problem.law, problem.points[rows], problem.target[rows], problem.objective, problem.known)
    sample = replace(sample, weights=some(problem.weights), clusters=some(problem.clusters))
    if sample.prior is not None and problem.prior is not None:
        sample = replace(sample, prior=replace(sample.prior, strength=problem.prior.strength))
    few = solve(sample, starts, seed, given)
    led = problem.model.thetas(sample.model.values(few.theta))  # coordinates are centred on the points of each
    starting = led if given is None else np.concatenate([given, led])
    places, which = np.unique(np.round(starting, 6), axis=0, return_inverse=True)
    found = descend_gradually(problem, places).at(which.ravel())
    return replace(sorted_descents(found, starting[0]), places=few.places)


def _doubtful(problem: Problem, found: Descent) -> bool:
    """Whether the best of some descents lies on a bound, or fewer than half of them agree with it."""
    theta, model = found.theta[0], problem.model
    at_bound = (theta <= model.lower) | (theta >= model.upper)
    return bool(at_bound.any()) or float(agreeing(found).mean()) < 0.5


def _fit(
    best: Minimum, rows: Selection, unknown: Uncertainty, certificate: Certificate, columns: dict[str, Any]
) -> Fit:
    problem, objective = best.problem, best.problem.objective
    params = _estimates(best, unknown)
    unseen = unseen_terms(best, certificate)
    warnings = [*rows.cautions, *report.fit_warnings(best, params, certificate, unknown.record, rows.kin, unseen)]
    return Fit(
        law=problem.law,
        columns=columns,
        params=params,
        covariance=_spread(problem, unknown.covariance),
        log_covariance=_spread(problem, unknown.log_covariance, logs=True),
        objective=objective,
        objective_value=objective.stated(_of_losses(best), problem.n),
        n=problem.n,
        dof=best.dof,
        dropped=rows.dropped,
        interval=unknown.record,
        certificate=certificate,
        warnings=tuple(warnings),
        rms_error=float(np.sqrt((best.weights * best.errors**2).mean())),
        log_likelihood=math.nan if best.exact else objective.log_likelihood(best.errors, problem.target),
        ranges={
            column: (float(sizes.min()), float(sizes.max()))
            for column, sizes in zip(problem.law.sizes, rows.points.sizes, strict=True)
        },
        labels=rows.points.labels,
        notes=rows.notes,
        data=rows,
        replicates=None if unknown.drawn is None else problem.expand(ten_figures(unknown.drawn)),
        known=problem.known,
        prior_strength=None if problem.prior is None else problem.prior.strength,
    )


def _of_losses(best: Minimum) -> float:
    """The minimised sum without what priors add."""
    prior = best.problem.prior
    return best.value if prior is None else best.value - float(prior.value(best.theta))


def _spread(problem: Problem, covariance: np.ndarray, logs: bool = False) -> np.ndarray:
    """A covariance of what is estimated as one of all parameters."""
    if problem.given is None:
        return covariance
    slopes = problem.given.slopes(logs)
    return slopes @ covariance @ slopes.T


def _estimates(best: Minimum, unknown: Uncertainty) -> dict[str, Estimate]:
    problem = best.problem
    sigma = np.sqrt(np.diag(unknown.covariance)) if best.dof > 0 else np.full(problem.p, math.nan)
    if unknown.drawn is None:  # a covariance knows nothing of a parameter at its bound
        sigma = np.where(best.free, sigma, math.nan)
    naive = np.full(problem.p, math.nan)
    if problem.clusters is not None:
        naive = np.sqrt(np.diag(unknown.plain))
    columns = [best.values, sigma, unknown.low, unknown.high, naive]
    if problem.given is not None:
        columns = _of_all(problem.given, columns)
    names = problem.law.names(problem.points.labels)
    return {name: Estimate(*map(float, row)) for name, row in zip(names, zip(*columns, strict=True), strict=True)}


def _of_all(given: Restriction, columns: list[np.ndarray]) -> list[np.ndarray]:
    """The same columns of all parameters: a fixed one has no error, and ends where the others have some."""
    out, fixed = [given.expand(column) for column in columns], given.owner < 0
    for k, column in enumerate(columns[1:], 1):
        none = np.isnan(column).all()
        out[k][fixed] = math.nan if none else 0.0 if k in (1, 4) else given.number[fixed]
    return out


def ten_figures(x: np.ndarray) -> np.ndarray:
    """Rounded to ten significant figures, so that JSON holds the same numbers."""
    some = np.abs(x) > 1e-290  # smaller ones as they are
    place = 10.0 ** (9 - np.floor(np.log10(np.abs(x), where=some, out=np.zeros_like(x))))
    return np.where(some, np.round(x * place) / place, x)
