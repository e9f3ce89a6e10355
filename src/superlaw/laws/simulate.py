"""Do the intervals cover? Simulated sets at a known truth, solved as one batch.

An interval by the profile covers the truth when holding the parameter at its true value raises the
minimised objective by no more than the threshold, so one constrained solve answers for each set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.certificate import FLAT_LEVEL, fall_threshold, flat_exponents
from superlaw.laws.forms import Law, Points
from superlaw.laws.objective import Objective
from superlaw.laws.solve import MOST_STEPS, Problem, descend


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

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(self.__dict__)


def truth_of(law: Law, points: Points, params: Mapping[str, float]) -> tuple[Problem, np.ndarray]:
    """The problem over given points, and the coordinates (p,) of given parameters."""
    names = law.names(points.labels)
    missing = [name for name in names if name not in params]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}", "one for every parameter")
    problem = law.problem(points)
    values = np.empty(problem.p)
    values[law.order(points.labels)] = [params[name] for name in names]
    return problem, problem.thetas(values)


def profile_coverage(
    law: Law,
    points: Points,
    params: Mapping[str, float],
    sigma: float,
    sets: int,
    seed: int = 0,
    level: float = 0.95,
) -> Coverage:
    """Coverage of F-calibrated profile intervals: Gaussian noise on log L, least squares of log L.

    Parameters
    ----------
    law, points, params
        The truth and its design.
    sigma : float
        Standard deviation of the noise on log L.
    sets : int
        Number simulated.
    """
    objective = Objective("log-ls")
    problem, truth = truth_of(law, points, params)
    rng = np.random.default_rng(seed)
    centre = np.log(problem.model(truth[None])[0])
    target = centre + sigma * rng.normal(size=(sets, problem.n))
    free = descend(problem, np.tile(truth, (sets, 1)), target, objective, most=MOST_STEPS)
    dof = problem.n - problem.p
    spread = 2 * free.value / dof
    threshold = spread * fall_threshold(1.0, dof, level)
    solved = free.converged.copy()
    names, order = law.names(points.labels), law.order(points.labels)
    covered = {}
    for name, k in zip(names, order, strict=True):
        held, good = _held_at_truth(problem, k, truth, free.theta, target, objective)
        solved &= good
        covered[name] = held - free.value <= threshold
    exponents = [order[names.index(name)] for name in law.exponents]
    flat_threshold = spread * fall_threshold(1.0, dof, FLAT_LEVEL)
    grades = flat_exponents(problem, free.theta, free.value, target, objective, None, exponents, flat_threshold)
    share = lambda mask: float(mask[solved].mean())  # noqa: E731
    return Coverage(
        covered={name: share(mask) for name, mask in covered.items()},
        poorly={name: share(grades[:, i] == 1) for i, name in enumerate(law.exponents)},
        not_determined={name: share(grades[:, i] == 2) for i, name in enumerate(law.exponents)},
        sets=int(solved.sum()),
        unsolved=int((~solved).sum()),
        level=level,
    )


def _held_at_truth(
    problem: Problem, k: int, truth: np.ndarray, free: np.ndarray, target: np.ndarray, objective: Objective
) -> tuple[np.ndarray, np.ndarray]:
    """The minimised values (B,) with parameter k at its truth, and which converged."""
    pinned, at = problem.pinned(k)
    fixed = np.arange(problem.p) == at
    # From the truth itself, and from each set's own optimum moved there: the lower counts.
    ends = []
    for start in (np.tile(truth, (len(free), 1)), free):
        inner = pinned.thetas(problem.values(start))
        inner[:, at] = pinned.thetas(problem.values(truth))[at]
        ends.append(descend(pinned, inner, target, objective, fixed=fixed, most=MOST_STEPS))
    value = np.minimum(ends[0].value, ends[1].value)
    return value, ends[0].converged | ends[1].converged
