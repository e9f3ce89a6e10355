"""Do the intervals cover? Simulated sets at a known truth, solved as one batch.

An interval by the profile covers the truth when holding the parameter at its true value raises the
minimised objective by no more than the threshold, so one constrained solve answers for each set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.certificate import FLAT_LEVEL, flat_exponents
from superlaw.laws.intervals import fall_threshold
from superlaw.laws.known import Known
from superlaw.laws.law import Law, Points
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import MOST_STEPS, descend


@dataclass(frozen=True)
class Coverage:
    """Share of simulated sets whose interval holds the truth, for each parameter.

    ``poorly`` and ``not_determined`` are the shares of sets with that warning for each exponent;
    ``unsolved`` the number of sets that did not converge, left out.
    """

    covered: dict[str, float]
    poorly: dict[str, float]
    not_determined: dict[str, float]
    sets: int
    unsolved: int
    level: float


def truth_of(
    law: Law, points: Points, params: Mapping[str, float], objective: Objective, known: Known | None = None
) -> tuple[Problem, np.ndarray]:
    """The problem of given points without noise, and the coordinates (p,) of given parameters."""
    missing = [name for name in law.names(points.labels) if name not in params]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}", "one for every parameter")
    problem = Problem.over(law, points, np.zeros(points.n), objective, known)
    truth = problem.model.thetas(np.array([float(params[name]) for name in problem.names]))
    return replace(problem, target=objective.target(problem.model.losses(truth[None])[0])), truth


def profile_coverage(
    law: Law,
    points: Points,
    params: Mapping[str, float],
    sigma: float,
    sets: int,
    *,
    seed: int = 0,
    level: float = 0.95,
    known: Known | None = None,
    objective: Objective | None = None,
) -> Coverage:
    """Coverage of F-calibrated profile intervals: Gaussian noise on log L, least squares of log L (or of L, as asked).

    Parameters
    ----------
    law, points, params
        The truth and its design.
    sigma : float
        Standard deviation of the noise on log L (on L).
    sets : int
        Number simulated.
    known : Known, optional
        What each fit is given.
    """
    exact, truth = truth_of(law, points, params, objective or Objective("log-ls"), known)
    rng = np.random.default_rng(seed)
    problem = replace(exact, target=exact.target + sigma * rng.normal(size=(sets, exact.n)))
    free = descend(problem, np.tile(truth, (sets, 1)), most=MOST_STEPS)
    dof = problem.n - problem.p
    spread = 2 * free.value / dof
    threshold = spread * fall_threshold(1.0, dof, level)
    solved = free.converged.copy()
    covered = {}
    for k, name in enumerate(problem.names):
        held, good = held_at_truth(problem, k, truth, free.theta)
        solved &= good
        covered[name] = held - free.value <= threshold
    flat_threshold = spread * fall_threshold(1.0, dof, FLAT_LEVEL)
    grades = flat_exponents(problem, free.theta, free.value, problem.exponents, flat_threshold)
    share = lambda mask: float(mask[solved].mean())  # noqa: E731
    return Coverage(
        covered={name: share(mask) for name, mask in covered.items()},
        poorly={problem.names[k]: share(grades[:, i] == 1) for i, k in enumerate(problem.exponents)},
        not_determined={problem.names[k]: share(grades[:, i] == 2) for i, k in enumerate(problem.exponents)},
        sets=int(solved.sum()),
        unsolved=int((~solved).sum()),
        level=level,
    )


def held_at_truth(problem: Problem, k: int, truth: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The minimised values (B,) with parameter k at its truth, and which converged."""
    pinned, values = problem.pinned(k), problem.model.values
    fixed = np.arange(problem.p) == k
    # From the truth itself, and from each set's own optimum moved there: the lower counts.
    ends = []
    for start in (np.tile(truth, (len(free), 1)), free):
        inner = pinned.model.thetas(values(start))
        inner[:, k] = pinned.model.thetas(values(truth))[k]
        ends.append(descend(pinned, inner, fixed, most=MOST_STEPS))
    return np.minimum(ends[0].value, ends[1].value), ends[0].converged | ends[1].converged
