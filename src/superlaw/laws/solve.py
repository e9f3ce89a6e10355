"""From starts to the optimum: a second-order descent on whole batches of problems at once.

Newton's method with the exact Hessian within a trust region (Nocedal and Wright, *Numerical
Optimization*, 2006, chapter 4). Directions of negative curvature are followed downhill (the
eigenvalues' absolute values), bounds are kept by an active set, and Huber's loss is reached from
squares by shrinking its delta.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from superlaw.laws.objective import Objective

GRADIENT_TOLERANCE = 1e-9  # of the scaled gradient: the cosine between residuals and a column
MOST_STEPS = 1000  # some curved valleys take hundreds
AGREEMENT = 1e-8  # starts agree when their values differ by less, relatively,
NOTHING = 1e-24  # or when both are rounding error
BLOCK = 256  # problems a block: what a block touches stays in the processor's cache


class Problem(Protocol):
    """What the solver needs of a law over given points. B problems, n points, p coordinates."""

    n: int
    p: int
    lower: np.ndarray
    upper: np.ndarray
    log_coordinates: np.ndarray  # which parameters are solved for through their logarithm, (p,) of bool

    def model(self, theta: np.ndarray) -> np.ndarray: ...
    def gradient_of_model(self, theta: np.ndarray) -> np.ndarray: ...
    def values(self, theta: np.ndarray) -> np.ndarray: ...
    def thetas(self, values: np.ndarray) -> np.ndarray: ...
    def jacobian(self, theta: np.ndarray) -> np.ndarray: ...
    def pinned(self, k: int) -> tuple[Problem, int]: ...
    def assemble(
        self, theta: np.ndarray, target: np.ndarray, objective: Objective, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]: ...
    def starts(
        self,
        count: int,
        rng: np.random.Generator,
        target: np.ndarray,
        objective: Objective,
        weights: np.ndarray | None,
    ) -> np.ndarray: ...
    def improve(
        self, theta: np.ndarray, target: np.ndarray, objective: Objective, weights: np.ndarray | None
    ) -> np.ndarray: ...


@dataclass(frozen=True)
class Descent:
    """Where a batch of descents ended.

    ``theta`` (B, p), ``value`` (B,) the minimised sum, ``gradient`` (B,) the scaled gradient norm,
    ``converged`` (B,), ``steps`` the number taken by the slowest.
    """

    theta: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    converged: np.ndarray
    steps: int


def _rows(x: Any, at: np.ndarray | slice) -> Any:
    return x[at] if x is not None and x.ndim == 2 else x


@dataclass
class _State:
    """Value, gradient, Hessian and scale at a batch of points."""

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    scale: np.ndarray

    def take(self, other: _State, to: np.ndarray, at: np.ndarray) -> None:
        for name in ("value", "gradient", "hessian", "scale"):
            getattr(self, name)[to] = getattr(other, name)[at]

    def at(self, index: np.ndarray) -> _State:
        return _State(self.value[index], self.gradient[index], self.hessian[index], self.scale[index])


def _step(state: _State, held: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Newton step within the trust radius (B, p), its scaled length (B,), the fall it predicts (B,), and
    the scaled gradient norm (B,). The Hessian's eigenvalues count with their absolute value."""
    d = np.where(state.scale > 0, state.scale, 1.0)
    g = np.where(held, 0.0, state.gradient / d)
    H = state.hessian / (d[:, :, None] * d[:, None, :])
    H = np.where(held[:, :, None] | held[:, None, :], 0.0, H)
    diagonal = np.arange(H.shape[1])
    H[:, diagonal, diagonal] += held
    eigenvalues, vectors = np.linalg.eigh(H)
    curvature = np.maximum(np.abs(eigenvalues), 1e-15)
    along = (vectors.swapaxes(1, 2) @ g[:, :, None])[:, :, 0]
    shift = np.zeros((len(g), 1))
    length = np.sqrt(((along / curvature) ** 2).sum(axis=1))
    outside = length > radius
    for _ in range(12 if outside.any() else 0):  # the shift at which the step's length is the radius
        damped = curvature + shift
        length = np.sqrt(((along / damped) ** 2).sum(axis=1))
        slope = (along**2 / damped**3).sum(axis=1)
        change = (length / radius - 1) * length**2 / np.maximum(slope, 1e-300)
        shift = np.where(outside, np.maximum(shift[:, 0] + change, 0.0), 0.0)[:, None]
        if (np.abs(length - radius)[outside] <= 0.1 * radius[outside]).all():
            break
    damped = curvature + shift
    scaled = along / damped
    fall = (along * scaled * (1 - 0.5 * curvature / damped)).sum(axis=1)
    step = -(vectors @ scaled[:, :, None])[:, :, 0] / d
    return step, np.sqrt((scaled**2).sum(axis=1)), fall, np.abs(g).max(axis=1)


def _held(
    theta: np.ndarray, gradient: np.ndarray, lower: np.ndarray, upper: np.ndarray, fixed: np.ndarray
) -> np.ndarray:
    """Coordinates that do not move: fixed ones and those pushed against their bound."""
    return fixed | ((theta <= lower) & (gradient > 0)) | ((theta >= upper) & (gradient < 0))


def descend(
    problem: Problem,
    theta: np.ndarray,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None = None,
    fixed: np.ndarray | None = None,
    most: int = 200,
    tolerance: float = GRADIENT_TOLERANCE,
    enough: np.ndarray | None = None,
) -> Descent:
    """Descend from every row of theta, shape (B, p).

    Parameters
    ----------
    target, weights : ndarray, shape (n,) or (B, n)
        One set of points for all, or one for each problem.
    fixed : ndarray of bool, shape (p,) or (B, p)
        Coordinates that keep their value.
    enough : ndarray, shape (B,), optional
        Stop where it is clear whether the value ends below this: it is there, or a whole Newton
        step promises less than a hundredth of what is missing.
    """
    fixed = np.broadcast_to(np.zeros(problem.p, bool) if fixed is None else fixed, theta.shape)
    out = [
        _descend_block(
            problem,
            theta[i : i + BLOCK],
            _rows(target, slice(i, i + BLOCK)),
            objective,
            _rows(weights, slice(i, i + BLOCK)),
            fixed[i : i + BLOCK],
            most,
            tolerance,
            None if enough is None else enough[i : i + BLOCK],
        )
        for i in range(0, len(theta), BLOCK)
    ]
    if len(out) == 1:
        return out[0]
    join = lambda name: np.concatenate([getattr(d, name) for d in out])  # noqa: E731
    return Descent(join("theta"), join("value"), join("gradient"), join("converged"), max(d.steps for d in out))


def _descend_block(problem, theta, target, objective, weights, fixed, most, tolerance, enough) -> Descent:
    theta = np.where(fixed, theta, np.clip(theta, problem.lower, problem.upper))
    batch = len(theta)
    with np.errstate(all="ignore"):  # a trial that overflows is rejected by its value
        state = _State(*problem.assemble(theta, target, objective, weights))
        state.value[~np.isfinite(state.value)] = np.inf
        # Below this the value is rounding error of the targets themselves.
        size = (target**2 if weights is None else weights * target**2).sum(axis=-1)
        nothing = 1e-30 * (np.ones(batch) * size + (problem.n if objective.logarithmic else 0))
        # At first no coordinate moves by more than about itself, or an e-fold of a coefficient.
        radius = np.sqrt(((state.scale * np.maximum(np.abs(theta), 1.0)) ** 2).sum(axis=1))
        norm = np.full(batch, np.inf)
        converged = np.zeros(batch, bool)
        alive = np.flatnonzero(np.isfinite(state.value))
        steps = 0
        while len(alive) and steps < most:
            steps += 1
            now = state.at(alive)
            bad = ~np.isfinite(now.hessian).all(axis=(1, 2))
            now.hessian[bad] = np.eye(problem.p)
            here = theta[alive]
            held = _held(here, now.gradient, problem.lower, problem.upper, fixed[alive])
            step, length, fall, gradient = _step(now, held, radius[alive])
            scale = np.sqrt(2 * now.value) + 1e-300
            norm[alive] = gradient / scale
            # Done: the gradient is nothing beside the residuals, or no step can be seen in the value.
            # The gradient itself is known to the rounding error of the model only.
            rounding = 0.4 * np.sqrt(nothing[alive]) / scale
            done = (
                (norm[alive] <= tolerance + rounding)
                | (now.value <= nothing[alive])
                | ((fall <= 1e-17 * now.value) & (length < 0.9 * radius[alive]))
                | (bad & ~np.isfinite(step).all(axis=1))
            )
            if enough is not None:
                missing = now.value - enough[alive]
                done |= (missing <= 0) | ((100 * fall < missing) & (length < 0.9 * radius[alive]))
            converged[alive[done]] = True
            gave_up = length <= 1e-15 * np.sqrt(((now.scale * here) ** 2).sum(axis=1))
            if gave_up.any():
                converged[alive[gave_up]] = (norm[alive] < 1e-7 + 10 * rounding)[gave_up]
            keep = ~(done | gave_up)
            alive, here, step, length, fall = alive[keep], here[keep], step[keep], length[keep], fall[keep]
            if not len(alive):
                break
            trial = np.where(fixed[alive], here, np.clip(here + step, problem.lower, problem.upper))
            new = _State(*problem.assemble(trial, _rows(target, alive), objective, _rows(weights, alive)))
            gain = state.value[alive] - new.value
            # Falls too small to see in the value count as kept promises while it does not rise.
            unseen = fall <= 1e-13 * state.value[alive]
            level = np.abs(gain) <= 1e-13 * state.value[alive]
            ratio = np.where(unseen & level, 1.0, gain / np.maximum(fall, 1e-300))
            accepted = (ratio > 1e-4) & np.isfinite(new.value) & (fall > 0)
            theta[alive[accepted]] = trial[accepted]
            state.take(new, alive[accepted], accepted)
            at_edge = length > 0.8 * radius[alive]
            wider = np.where((ratio > 0.75) & at_edge, 2.5 * radius[alive], radius[alive])
            radius[alive] = np.where(ratio < 0.25, 0.25 * np.minimum(length, radius[alive]), wider)
    return Descent(theta, state.value, norm, converged, steps)


def polish_to(objective: Objective, target: np.ndarray, model: np.ndarray) -> list[Objective]:
    """The way to Huber's delta from squares: deltas that shrink sixfold from the largest error."""
    if not objective.robust:
        return [objective]
    largest = float(np.median(np.abs(objective.residuals(model, target)))) * 3
    count = max(0, int(np.ceil(np.log(max(largest / objective.delta, 1)) / np.log(6))))
    return [replace(objective, delta=objective.delta * 6.0**k) for k in range(count, -1, -1)]


def descend_gradually(
    problem: Problem,
    theta: np.ndarray,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None = None,
    fixed: np.ndarray | None = None,
    most: int = 200,
) -> Descent:
    """Descend through shrinking deltas for Huber's loss; at once for squares."""
    with np.errstate(all="ignore"):
        model = problem.model(theta[:1])
    way = polish_to(objective, target if target.ndim == 1 else target[:1], model)
    for stage in way[:-1]:
        theta = descend(problem, theta, target, stage, weights, fixed, most=30, tolerance=1e-4).theta
    return descend(problem, theta, target, way[-1], weights, fixed, most)


def sorted_descents(found: Descent, origin: np.ndarray) -> Descent:
    """Best first; of equal optima (the same law with terms exchanged) the nearest to ``origin`` first."""
    best = np.nanmin(found.value)
    worse = ~found.converged | (found.value > best * (1 + AGREEMENT) + NOTHING)
    distance = (((found.theta - origin) / np.maximum(np.abs(origin), 1e-3)) ** 2).sum(axis=1)
    order = np.lexsort((np.where(worse, found.value, np.round(distance, 6)), worse))
    if worse.all() or found.value[order[0]] > best * (1 + AGREEMENT) + NOTHING:
        order = np.argsort(found.value, kind="stable")  # the best did not converge: show it, and say so
    return Descent(found.theta[order], found.value[order], found.gradient[order], found.converged[order], found.steps)


def solve(
    problem: Problem,
    target: np.ndarray,
    objective: Objective,
    weights: np.ndarray | None = None,
    starts: int = 16,
    seed: int = 0,
    given: np.ndarray | None = None,
) -> Descent:
    """Every local optimum that the starts lead to, best first.

    Parameters
    ----------
    target, weights : ndarray, shape (n,)
    starts : int
        Number of random ones.
    given : ndarray, shape (B, p), optional
        Further starts, in the problem's coordinates.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        theta = np.empty((0, problem.p))
        if starts:
            theta = problem.starts(starts, rng, target, objective, weights)
        if given is not None:
            theta = np.concatenate([problem.improve(given, target, objective, weights), theta])
    origin = theta[0].copy()
    squares = Objective("log-ls" if objective.logarithmic else "ls")
    if objective.robust:
        theta = descend(problem, theta, target, squares, weights, most=60, tolerance=1e-4).theta
    found = descend_gradually(problem, theta, target, objective, weights, most=MOST_STEPS)
    return sorted_descents(found, origin)
