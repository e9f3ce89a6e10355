"""From starts to the optimum: a second-order descent on whole batches of problems at once.

Newton's method with the exact Hessian within a trust region (Nocedal and Wright, *Numerical
Optimization*, 2006, chapter 4). Directions of negative curvature are followed downhill (the
eigenvalues' absolute values), bounds are kept by an active set, and Huber's loss is reached from
squares by shrinking its delta.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem

GRADIENT_TOLERANCE = 1e-9  # of the scaled gradient: the cosine between residuals and a column
MOST_STEPS = 1000  # some curved valleys take hundreds
FIRST_STEPS = 200  # after which only descents that may still end lowest go on,
MOST_STRAGGLERS = 4  # so many of them,
SLOW = 1e-3  # and not if their value falls by less, relatively, in as many steps again
MOST_PLACES = 32  # of starts that are told apart
MOST_SWEPT = 8  # coordinates that a sweep holds, and places from which it goes on
AGREEMENT = 1e-8  # starts agree when their values differ by less, relatively,
NOTHING = 1e-24  # or when both are rounding error
HUGE = 1e100  # of a scaled second derivative: it has no eigenvalues to speak of
BLOCK = 256  # problems a block: what a block touches stays in the processor's cache


@dataclass(frozen=True)
class Descent:
    """Where a batch of descents ended.

    ``theta`` (B, p), ``value`` (B,) the minimised sum, ``gradient`` (B,) the scaled gradient norm,
    ``converged`` (B,), ``steps`` the number taken by the slowest, ``places`` the number of different places
    from which they set out.
    """

    theta: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    converged: np.ndarray
    steps: int
    places: int | None = None

    def at(self, rows: np.ndarray) -> Descent:
        """Some of them."""
        return replace(
            self, **{name: getattr(self, name)[rows] for name in ("theta", "value", "gradient", "converged")}
        )


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
    H[~(np.abs(H) < HUGE).all(axis=(1, 2))] = np.eye(H.shape[1])  # of a scale that is next to nothing
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
    fixed: np.ndarray | None = None,
    most: int = 200,
    tolerance: float = GRADIENT_TOLERANCE,
    enough: np.ndarray | None = None,
) -> Descent:
    """Descend from every row of theta, shape (B, p).

    Parameters
    ----------
    problem : Problem
        One for all rows, or a batch of B.
    fixed : ndarray of bool, shape (p,) or (B, p)
        Coordinates that keep their value.
    enough : ndarray, shape (B,), optional
        Stop where it is clear whether the value ends below this: it is there, or a whole Newton
        step promises less than a hundredth of what is missing.
    """
    fixed = np.broadcast_to(np.zeros(problem.p, bool) if fixed is None else fixed, theta.shape)
    out = []
    for i in range(0, max(len(theta), 1), BLOCK):
        rows = slice(i, i + BLOCK)
        goal = None if enough is None else enough[rows]
        with np.errstate(all="ignore"):  # a trial that overflows is rejected by its value
            out.append(_Block(problem.at(rows), theta[rows], fixed[rows], tolerance, goal).run(most))
    return out[0] if len(out) == 1 else joined(out)


def joined(found: list[Descent]) -> Descent:
    """Several batches as one."""
    join = lambda name: np.concatenate([getattr(descent, name) for descent in found])  # noqa: E731
    steps = max(descent.steps for descent in found)
    places = sum(descent.places or 0 for descent in found) or None
    return Descent(join("theta"), join("value"), join("gradient"), join("converged"), steps, places)


class _Block:
    """A batch of descents under way: where each is, how far it trusts its model, and what is settled."""

    def __init__(
        self, problem: Problem, theta: np.ndarray, fixed: np.ndarray, tolerance: float, enough: np.ndarray | None
    ):
        model, self.problem, self.fixed = problem.model, problem, fixed
        self.tolerance, self.enough = tolerance, enough
        self.theta = np.where(fixed, theta, np.clip(theta, model.lower, model.upper))
        self.state = _State(*problem.assemble(self.theta))
        self.state.value[~np.isfinite(self.state.value)] = np.inf
        # Below this the value is rounding error of the targets themselves.
        size = (problem.target**2 if problem.weights is None else problem.weights * problem.target**2).sum(axis=-1)
        self.nothing = 1e-30 * (np.ones(len(theta)) * size + (problem.n if problem.objective.logarithmic else 0))
        # At first no coordinate moves by more than about itself, or an e-fold of a coefficient.
        self.radius = np.sqrt(((self.state.scale * np.maximum(np.abs(self.theta), 1.0)) ** 2).sum(axis=1))
        self.norm = np.full(len(theta), np.inf)
        self.converged = np.zeros(len(theta), bool)

    def run(self, most: int) -> Descent:
        """At most so many steps each."""
        alive, steps = np.flatnonzero(np.isfinite(self.state.value)), 0
        while len(alive) and steps < most:
            steps += 1
            step, length, fall, settled = self._look(alive)
            alive, step, length, fall = alive[~settled], step[~settled], length[~settled], fall[~settled]
            if len(alive):
                self._move(alive, step, length, fall)
        return Descent(self.theta, self.state.value, self.norm, self.converged, steps)

    def _look(self, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The next step of each, its scaled length, the fall it promises, and whether it is not worth taking."""
        now, model = self.state.at(alive), self.problem.model
        bad = ~np.isfinite(now.hessian).all(axis=(1, 2))
        now.hessian[bad] = np.eye(self.problem.p)
        here, radius, nothing = self.theta[alive], self.radius[alive], self.nothing[alive]
        held = _held(here, now.gradient, model.lower, model.upper, self.fixed[alive])
        step, length, fall, gradient = _step(now, held, radius)
        scale = np.sqrt(2 * now.value) + 1e-300
        self.norm[alive] = norm = gradient / scale
        # Done: the gradient is nothing beside the residuals, or no step can be seen in the value.
        # The gradient itself is known to the rounding error of the model only.
        rounding = 0.4 * np.sqrt(nothing) / scale
        done = (
            (norm <= self.tolerance + rounding)
            | (now.value <= nothing)
            | ((fall <= 1e-17 * now.value) & (length < 0.9 * radius))
            | (bad & ~np.isfinite(step).all(axis=1))
        )
        if self.enough is not None:
            missing = now.value - self.enough[alive]
            done |= (missing <= 0) | ((100 * fall < missing) & (length < 0.9 * radius))
        gave_up = length <= 1e-15 * np.sqrt(((now.scale * here) ** 2).sum(axis=1))
        self.converged[alive] = np.where(gave_up, norm < 1e-7 + 10 * rounding, done)
        return step, length, fall, done | gave_up

    def _move(self, alive: np.ndarray, step: np.ndarray, length: np.ndarray, fall: np.ndarray) -> None:
        """Take each step that keeps its promise, and widen or narrow the trust in the next."""
        here, model, value = self.theta[alive], self.problem.model, self.state.value[alive]
        trial = np.where(self.fixed[alive], here, np.clip(here + step, model.lower, model.upper))
        new = _State(*self.problem.at(alive).assemble(trial))
        gain = value - new.value
        # Falls too small to see in the value count as kept promises while it does not rise.
        unseen, level = fall <= 1e-13 * value, np.abs(gain) <= 1e-13 * value
        ratio = np.where(unseen & level, 1.0, gain / np.maximum(fall, 1e-300))
        accepted = (ratio > 1e-4) & np.isfinite(new.value) & (fall > 0)
        self.theta[alive[accepted]] = trial[accepted]
        self.state.take(new, alive[accepted], accepted)
        radius = self.radius[alive]
        wider = np.where((ratio > 0.75) & (length > 0.8 * radius), 2.5 * radius, radius)
        self.radius[alive] = np.where(ratio < 0.25, 0.25 * np.minimum(length, radius), wider)


def stages(problem: Problem, theta: np.ndarray) -> list[Objective]:
    """The way to Huber's delta from squares: deltas that shrink sixfold from the largest error."""
    objective = problem.objective
    if not objective.robust:
        return [objective]
    target = problem.target if problem.target.ndim == 1 else problem.target[:1]
    with np.errstate(all="ignore"):
        errors = objective.residuals(problem.model.losses(theta[:1]), target)
    largest = float(np.median(np.abs(errors))) * 3
    count = max(0, int(np.ceil(np.log(max(largest / objective.delta, 1)) / np.log(6))))
    return [replace(objective, delta=objective.delta * 6.0**k) for k in range(count, -1, -1)]


def descend_gradually(problem: Problem, theta: np.ndarray, most: int = 200) -> Descent:
    """Descend through shrinking deltas for Huber's loss; at once for squares."""
    *way, last = stages(problem, theta)
    for stage in way:
        theta = descend(replace(problem, objective=stage), theta, most=30, tolerance=1e-4).theta
    return descend(replace(problem, objective=last), theta, most=most)


def sorted_descents(found: Descent, origin: np.ndarray) -> Descent:
    """Best first; of equal optima (the same law with terms exchanged) the nearest to ``origin`` first."""
    best = np.nanmin(found.value)
    worse = ~found.converged | (found.value > best * (1 + AGREEMENT) + NOTHING)
    distance = (((found.theta - origin) / np.maximum(np.abs(origin), 1e-3)) ** 2).sum(axis=1)
    order = np.lexsort((np.where(worse, found.value, np.round(distance, 6)), worse))
    if worse.all() or found.value[order[0]] > best * (1 + AGREEMENT) + NOTHING:
        order = np.argsort(found.value, kind="stable")  # the best did not converge: show it, and say so
    return found.at(order)


def solve(problem: Problem, starts: int = 16, seed: int = 0, given: np.ndarray | None = None) -> Descent:
    """Every local optimum that the starts lead to, best first; never above the value of a given start.

    Parameters
    ----------
    starts : int
        Number of random ones.
    given : ndarray, shape (B, p), optional
        Further starts, in the problem's coordinates: descended from as they are, and after improvement.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        theta = problem.starts(starts, rng) if starts else np.empty((0, problem.p))
        if given is not None:
            theta = np.concatenate([problem.improve(given), theta])
    found = _from_starts(problem, theta, len(theta) - starts // 4)
    if given is not None:  # each once: by the better of its two ways
        direct, rows = descend(problem, given, most=FIRST_STEPS), np.arange(len(given))
        way = np.where(direct.value < found.value[rows] * (1 - AGREEMENT), rows, len(given) + rows)
        found = joined([direct, found]).at(np.concatenate([way, np.arange(2 * len(given), len(given) + len(theta))]))
    found = sorted_descents(_without_stragglers(problem, found), theta[0])
    return replace(found, places=_places(theta))


def _places(theta: np.ndarray) -> int:
    """How many of some starts (the first ``MOST_PLACES`` of them) differ by more than a thousandth."""
    seen: list[np.ndarray] = []
    for start in theta[:MOST_PLACES]:
        if not any((np.abs(start - other) <= 1e-3 * np.maximum(np.abs(other), 1e-3)).all() for other in seen):
            seen.append(start)
    return len(seen)


def _from_starts(problem: Problem, theta: np.ndarray, gradually: int) -> Descent:
    """Descents; for Huber's loss the first ``gradually`` of them by way of squares, which may lead all to one place."""
    if not problem.objective.robust:
        return descend(problem, theta, most=FIRST_STEPS)
    name = "log-ls" if problem.objective.logarithmic else "ls"
    squares = replace(problem, objective=replace(problem.objective, name=name))
    nearer = descend(squares, theta[:gradually], most=60, tolerance=1e-4).theta
    direct = descend(problem, theta[gradually:], most=FIRST_STEPS)
    return joined([descend_gradually(problem, nearer, most=FIRST_STEPS), direct])


def _without_stragglers(problem: Problem, found: Descent) -> Descent:
    """The descents that have not converged and may still end lowest, taken to their end.

    Where the loss falls towards something that it never reaches, they are given up once they fall no more than
    ``SLOW``: they count as not converged.
    """
    settled = found.value[found.converged].min(initial=np.inf)
    late = np.flatnonzero(~found.converged & (found.value < settled))
    late = late[np.argsort(found.value[late], kind="stable")][:MOST_STRAGGLERS]
    if not len(late):
        return found
    rest, going = found.at(np.setdiff1d(np.arange(len(found.value)), late)), found.at(late)
    for _ in range(MOST_STEPS // FIRST_STEPS):
        before, going = going.value, descend(problem, going.theta, most=FIRST_STEPS)
        if (going.converged | (going.value > before * (1 - SLOW))).all():
            break
    return joined([going, rest])


def sweep(problem: Problem, theta: np.ndarray, seed: int = 0) -> Descent:
    """A second kind of search, from one place: coordinates are held elsewhere, one at a time, and let go again.

    Where they are held: at multiples of their value and where random starts have them. The others follow; the
    lowest of these places are descended from.
    """
    rng, p = np.random.default_rng(seed), problem.p
    at = range(p) if p <= MOST_SWEPT else problem.exponents
    with np.errstate(all="ignore"):
        drawn = problem.starts(6, rng)
    rows, fixed = [], []
    for k in at:
        for value in [*(np.array([0.25, 0.5, 2.0, 4.0]) * theta[k]), *drawn[:, k]]:
            rows.append(np.where(np.arange(p) == k, value, theta))
            fixed.append(np.arange(p) == k)
    held = descend(problem, np.array(rows), np.array(fixed), most=40, tolerance=1e-3)
    lowest = np.argsort(np.where(np.isfinite(held.value), held.value, np.inf), kind="stable")[:MOST_SWEPT]
    return _without_stragglers(problem, descend(problem, held.theta[lowest], most=FIRST_STEPS))
