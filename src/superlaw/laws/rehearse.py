"""A plan of runs rehearsed: new losses are simulated, fitted together with the points there are, and intervals made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from superlaw.laws.law import Points
from superlaw.laws.linear import Linear
from superlaw.laws.minimum import Minimum
from superlaw.laws.problems.model import FLOOR
from superlaw.laws.problems.problem import Problem
from superlaw.laws.result import Fit
from superlaw.laws.solve import descend


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """Of simulated sets: half the width of each target's interval (sets, q), and its error, which is the estimate less
    the truth that the set was drawn from, in the same units; ``now`` (q,) is half the width by the same method before.
    Widths are infinite where a set leaves a parameter at its bound. ``unsolved`` sets did not converge and are left
    out."""

    now: np.ndarray
    half_widths: np.ndarray
    errors: np.ndarray
    unsolved: int


def rehearse(fit: Fit, new: Points, functionals: np.ndarray, noise: float, sets: int, seed: int = 0) -> Rehearsal:
    """Simulate the losses of new runs, and fit them with the points that a fit has.

    Each set has its own truth, drawn from what is not known of the parameters; its new losses are that law's with
    normal errors of deviation ``noise`` (of log L, or of L); the points of the fit stay as they are. Intervals are the
    sandwich's, or those of alike errors where the fit takes them so: a bootstrap of every set would take too long.

    Parameters
    ----------
    fit : Fit
        With its points.
    new : Points, n
    functionals : ndarray, shape (q, p)
    noise : float
    sets, seed : int
    """
    used, rng = fit.points(), np.random.default_rng(seed)
    truths, _ = fit.draws(sets, seed)
    losses = fit.loss_at(new, truths)
    joint = Points(
        np.concatenate([used.points.sizes, new.sizes], axis=1),
        np.concatenate([used.points.group, new.group]),
        fit.labels,
    )
    scatter = noise * rng.normal(size=losses.shape)
    fresh = fit.objective.target(losses) + scatter if fit.objective.logarithmic else losses + scatter
    old = np.tile(fit.objective.target(used.losses), (sets, 1))
    now = fit.minimum()
    problem = Problem.over(fit.law, joint, np.concatenate([old, fresh], axis=1), fit.objective, fit.known)
    if problem.prior is not None and now.problem.prior is not None:
        problem = replace(problem, prior=replace(problem.prior, strength=now.problem.prior.strength))
    weights = None if used.weights is None else np.concatenate([used.weights, np.ones(new.n)])
    clusters = None
    if used.clusters is not None:
        clusters = np.concatenate([used.clusters.astype(str), [f"new run {i}" for i in range(new.n)]]).astype(object)
    problem = replace(problem, weights=weights, clusters=clusters)
    found = descend(problem, np.tile(problem.model.thetas(fit.free_values), (sets, 1)), most=300)
    positive = fit.law.box(joint).positive

    def logged(values: np.ndarray) -> np.ndarray:
        return np.where(positive, np.log(np.maximum(values, FLOOR)), values)

    rows, widths, errors = np.asarray(functionals), [], []
    level, small = fit.interval["level"], not fit.takes_errors_as_alike
    for b in np.flatnonzero(found.converged):
        best = Minimum.at(problem.one(int(b)), found.theta[b], float(found.value[b]))
        reach = Linear.at(best, small).reach(rows, level)
        widths.append(np.where(reach > 0, reach, np.inf))  # a parameter at its bound: this set does not determine it
        errors.append(rows @ (logged(problem.expand(best.values)) - logged(truths[b])))
    before = Linear.at(now, small).reach(rows, level)
    shape = (-1, len(rows))
    return Rehearsal(before, np.array(widths).reshape(shape), np.array(errors).reshape(shape),
                     int((~found.converged).sum()))  # fmt: skip
