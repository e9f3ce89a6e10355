"""Intervals: from the covariance, a sandwich, the profile of the objective, or the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import stats

from superlaw.errors import InputError
from superlaw.laws.objective import Objective
from superlaw.laws.solve import BLOCK, Descent, Problem, descend, solve

METHODS = ("profile", "bootstrap", "sandwich", "none")
FAR = 60.0  # e-folds of a coefficient beyond which its interval counts as open


@dataclass(frozen=True)
class Interval:
    """Low and high ends of every parameter, shape (p,) each, in the order of the parameters."""

    low: np.ndarray
    high: np.ndarray


def free_coordinates(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """Coordinates not at a bound, shape (p,) of bool."""
    return (theta > problem.lower) & (theta < problem.upper)


def residual_jacobian(problem: Problem, theta: np.ndarray, objective: Objective) -> np.ndarray:
    """d r / d theta, shape (n, p)."""
    slope = problem.gradient_of_model(theta)
    return slope / problem.model(theta[None])[0][:, None] if objective.logarithmic else slope


def _inverse(gram: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Inverse on the free coordinates (pseudo-inverse where singular), 0 elsewhere."""
    out = np.zeros_like(gram)
    if free.any():
        inner = gram[np.ix_(free, free)]
        d = np.sqrt(np.diag(inner))
        d[d == 0] = 1.0
        out[np.ix_(free, free)] = np.linalg.pinv(inner / np.outer(d, d), rcond=1e-15, hermitian=True) / (np.outer(d, d))
    return out


def plain_covariance(
    problem: Problem, theta: np.ndarray, target: np.ndarray, objective: Objective, weights: np.ndarray | None
) -> np.ndarray:
    """lambda (J^T W J)^-1 of the coordinates, errors taken as independent and alike; shape (p, p)."""
    J = residual_jacobian(problem, theta, objective)
    r = objective.residuals(problem.model(theta[None])[0], target)
    W = np.ones(problem.n) if weights is None else weights
    free = free_coordinates(problem, theta)
    dof = problem.n - int(free.sum())
    scale = objective.dispersion(r, dof, weights) / objective.curved_share(r)
    return scale * _inverse((J * W[:, None]).T @ J, free)


def sandwich_covariance(
    problem: Problem,
    theta: np.ndarray,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None,
    clusters: np.ndarray | None,
) -> np.ndarray:
    """H^-1 (sum_g s_g s_g^T) H^-1 of the coordinates, s_g the score of a point or a cluster; (p, p).

    Scaled by n/(n - p), with clusters by G/(G - 1) (n - 1)/(n - p) (Cameron and Miller, 2015,
    equation 12).
    """
    J = residual_jacobian(problem, theta, objective)
    r = objective.residuals(problem.model(theta[None])[0], target)
    W = np.ones(problem.n) if weights is None else weights
    free = free_coordinates(problem, theta)
    n, dof = problem.n, problem.n - int(free.sum())
    bread = _inverse(objective.curved_share(r) * (J * W[:, None]).T @ J, free)
    score = J * (W * objective.psi(r))[:, None]
    if clusters is None:
        factor = n / dof
    else:
        _, member = np.unique(clusters, return_inverse=True)
        count = int(member.max()) + 1
        score = np.stack([np.bincount(member, score[:, k], count) for k in range(problem.p)], axis=1)
        factor = count / (count - 1) * (n - 1) / dof
    return factor * bread @ (score.T @ score) @ bread


def normal_interval(problem: Problem, theta: np.ndarray, covariance: np.ndarray, dof: int, level: float) -> Interval:
    """t intervals from a covariance of the coordinates; of log c for coefficients, so that c stays above 0."""
    low, high = np.empty(problem.p), np.empty(problem.p)
    t = float(stats.t.ppf(0.5 + level / 2, dof))
    for k in range(problem.p):
        pinned, at = problem.pinned(k)
        here = pinned.thetas(problem.values(theta))
        # Coordinates of the two problems are one another's linear images.
        change = np.linalg.solve(pinned.jacobian(here), problem.jacobian(theta))
        sigma = float(np.sqrt(max(change[at] @ covariance @ change[at], 0.0)))
        ends = np.tile(here, (2, 1))
        ends[:, at] = np.clip(here[at] + np.array([-1, 1]) * t * sigma, pinned.lower[at], pinned.upper[at])
        low[k], high[k] = pinned.values(ends)[:, at]
    return Interval(low, high)


class BetterOptimumError(Exception):
    """A profile went below the fit's own value: the fit was not at the global optimum."""

    def __init__(self, theta: np.ndarray):
        self.theta = theta
        super().__init__("a profile found a lower value than the fit")


def profile_interval(
    problem: Problem,
    theta: np.ndarray,
    value: float,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None,
    covariance: np.ndarray,
    threshold: float,
) -> Interval:
    """Where the objective, minimised over all other parameters, has risen by ``threshold``.

    An end that is never reached is the parameter's bound: 0, or infinity.
    """
    low, high = np.empty(problem.p), np.empty(problem.p)
    for k in range(problem.p):
        pinned, at = problem.pinned(k)
        here = pinned.thetas(problem.values(theta))
        change = np.linalg.solve(pinned.jacobian(here), problem.jacobian(theta))
        sigma = float(np.sqrt(max(change[at] @ covariance @ change[at], 0.0)))
        ends = _profile_ends(pinned, at, here, value, target, objective, weights, sigma, threshold)
        points = np.tile(here, (2, 1))
        points[:, at] = np.where(np.isfinite(ends), ends, here[at])
        low[k], high[k] = np.where(np.isfinite(ends), pinned.values(points)[:, at], [0.0, np.inf])
        if ends[0] == -np.inf and not problem.log_coordinates[k]:
            low[k] = -np.inf
    return Interval(low, high)


def _profile_ends(
    problem: Problem,
    at: int,
    theta: np.ndarray,
    value: float,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None,
    sigma: float,
    threshold: float,
) -> np.ndarray:
    """Both ends in the coordinate ``at`` by safeguarded Newton steps on the root of the rise; shape (2,).

    With zeta = sqrt(2 (F_profile - F_min)), nearly linear in the coordinate, and the envelope theorem,
    d F_profile / d v = dF/dv at the constrained optimum, zeta' = F'/zeta.
    """
    sign = np.array([-1.0, 1.0])
    centre, goal = theta[at], np.sqrt(2 * threshold)
    far_low = max(problem.lower[at], centre - FAR) if problem.log_coordinates[at] else problem.lower[at]
    far_high = min(problem.upper[at], centre + FAR) if problem.log_coordinates[at] else problem.upper[at]
    bounds = np.array([far_low, far_high])
    first = sigma * 2 if np.isfinite(sigma) and sigma > 0 else 0.1 * max(abs(centre), 1e-3)
    first = min(first, max(abs(centre), 1.0)) if not problem.log_coordinates[at] else min(first, 3.0)
    v = np.clip(centre + sign * first, bounds[0], bounds[1])
    inside, outside = np.full(2, centre), np.full(2, np.nan)
    warm, ends = np.tile(theta, (2, 1)), np.full(2, np.nan)
    fixed = np.arange(problem.p) == at
    for _ in range(60):
        todo = np.flatnonzero(np.isnan(ends))
        if not len(todo):
            break
        start = warm[todo].copy()
        start[:, at] = v[todo]
        found = descend(problem, start, target, objective, weights, fixed, most=100, tolerance=1e-7)
        if (found.value < value * (1 - 1e-7) - 1e-20).any():
            raise BetterOptimumError(problem.values(found.theta[np.argmin(found.value)]))
        gradient = problem.assemble(found.theta, target, objective, weights)[1][:, at]
        for i, side in enumerate(todo):
            zeta = np.sqrt(2 * max(found.value[i] - value, 0.0))
            if abs(zeta - goal) <= 1e-6 * goal:
                ends[side] = v[side]
                continue
            if zeta < goal:
                if v[side] == bounds[side]:
                    finite = np.isfinite(problem.lower[at] if side == 0 else problem.upper[at])
                    closed = finite and side == 0 and not problem.log_coordinates[at]
                    ends[side] = v[side] if closed else sign[side] * np.inf
                    continue
                inside[side], warm[side] = v[side], found.theta[i]
            else:
                outside[side] = v[side]
            slope = gradient[i] / zeta if zeta > 0 else 0.0
            step = (goal - zeta) / slope if slope * sign[side] > 0 else np.inf * sign[side]
            reach = centre + 3 * (inside[side] - centre) if inside[side] != centre else v[side] + sign[side]
            nearest_end = outside[side] if np.isfinite(outside[side]) else reach
            new = v[side] + step
            if not min(inside[side], nearest_end) < new < max(inside[side], nearest_end):
                new = 0.5 * (inside[side] + nearest_end) if np.isfinite(outside[side]) else nearest_end
            v[side] = np.clip(new, bounds[0], bounds[1])
            if np.isfinite(outside[side]) and abs(outside[side] - inside[side]) <= 1e-9 * max(abs(inside[side]), 1e-9):
                ends[side] = outside[side]  # a jump of the profile
    ends[np.isnan(ends)] = v[np.isnan(ends)]
    return ends


def resampled_weights(n: int, replicates: int, rng: np.random.Generator, clusters: np.ndarray | None) -> np.ndarray:
    """How often each point is drawn in each bootstrap replicate, shape (replicates, n)."""
    if clusters is None:
        return rng.multinomial(n, np.full(n, 1 / n), replicates).astype(float)
    _, member = np.unique(clusters, return_inverse=True)
    count = int(member.max()) + 1
    if count < 2:
        raise InputError("one cluster", "at least two", "choose another --cluster column")
    drawn = rng.multinomial(count, np.full(count, 1 / count), replicates)
    return drawn[:, member].astype(float)


def bootstrap(
    problem: Problem,
    theta: np.ndarray,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None,
    clusters: np.ndarray | None,
    replicates: int,
    seed: int,
    workers: int = 2,
) -> tuple[np.ndarray, int]:
    """Refits of resampled points or clusters, solved as one batch from the fit's own optimum.

    Replicates that do not converge are solved again from many starts.

    Returns
    -------
    values : ndarray, shape (replicates that converged, p)
    failed : int
        How many never converged.
    """
    drawn = resampled_weights(problem.n, replicates, np.random.default_rng(seed), clusters)
    if weights is not None:
        drawn *= weights

    def block(rows: slice) -> Descent:
        start = np.tile(theta, (len(drawn[rows]), 1))
        return descend(problem, start, target, objective, drawn[rows], most=300)

    rows = list(_blocks(replicates))
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        found = list(pool.map(block, rows))
    ended = np.concatenate([d.theta for d in found])
    converged = np.concatenate([d.converged for d in found])
    for b in np.flatnonzero(~converged):
        again = solve(problem, target, objective, drawn[b], given=ended[b : b + 1])
        ended[b], converged[b] = again.theta[0], again.converged[0]
    return problem.values(ended[converged]), int((~converged).sum())


def _blocks(count: int) -> Iterator[slice]:
    return (slice(i, min(i + BLOCK, count)) for i in range(0, count, BLOCK))
