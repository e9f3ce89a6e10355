"""Intervals by the profile: where the objective, minimised over all other parameters, has risen enough."""

from __future__ import annotations

import numpy as np

from superlaw.laws.minimum import Minimum
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import Descent, descend

FAR = 60.0  # e-folds of a coefficient beyond which its interval counts as open
PATIENCE = 8  # looks by Newton's steps without a bracket, and as many within one, before wider ones are taken
JUMP = 1e-4  # of the half interval: a bracket as narrow, with 100 times its share of the rise, holds a jump


class BetterOptimumError(Exception):
    """A profile went below the fit's own value: the fit was not at the global optimum."""

    def __init__(self, theta: np.ndarray):
        self.theta = theta
        super().__init__("a profile found a lower value than the fit")


def profile_ends(best: Minimum, threshold: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high ends (p,) of every parameter, at which the minimised objective has risen by ``threshold``.

    The threshold is one for all, or one for each (p,). An end that is never reached is the parameter's bound: one that
    was given, 0, or infinity.

    Raises
    ------
    BetterOptimumError
        With the parameters of a lower value, where a profile meets one.
    """
    covariance, p = best.covariance(), best.problem.p
    thresholds = np.broadcast_to(threshold, p)
    low, high = np.empty(p), np.empty(p)
    for k in range(p):
        pinned, here, row = best.pinned(k)
        sigma = float(np.sqrt(max(row @ covariance @ row, 0.0)))
        ends = _Profile(pinned, k, here, best.value, float(thresholds[k])).ends(sigma)
        points = np.tile(here, (2, 1))
        points[:, k] = np.where(np.isfinite(ends), ends, here[k])
        low[k], high[k] = np.where(np.isfinite(ends), pinned.model.values(points)[:, k], [0.0, np.inf])
        if ends[0] == -np.inf and not pinned.model.log_coordinates[k]:
            low[k] = -np.inf
    return low, high


class _Profile:
    """Both ends in one coordinate by safeguarded Newton steps on the root of the rise.

    With zeta = sqrt(2 (F_profile - F_min)), nearly linear in the coordinate, and the envelope theorem,
    d F_profile / d v = dF/dv at the constrained optimum, zeta' = F'/zeta.
    """

    def __init__(self, problem: Problem, at: int, theta: np.ndarray, value: float, threshold: float):
        self.problem, self.at, self.value = problem, at, value
        self.centre, self.goal = float(theta[at]), float(np.sqrt(2 * threshold))
        self.positive = bool(problem.model.log_coordinates[at])
        self.bounds, self.held = np.array([problem.model.lower[at], problem.model.upper[at]]), problem.held[at]
        if self.positive:
            self.bounds = np.clip(self.bounds, self.centre - FAR, self.centre + FAR)
        self.sign = np.array([-1.0, 1.0])
        self.v = np.full(2, self.centre)
        self.inside, self.outside = np.full(2, self.centre), np.full(2, np.nan)
        self.warm, self.found = np.tile(theta, (2, 1)), np.full(2, np.nan)
        self.rise = np.array([[0.0, 0.0], [np.inf, np.inf]])  # of zeta at inside and outside, in units of the goal
        self.looks = np.zeros((2, 2), int)  # (without, within a bracket; side)

    def ends(self, sigma: float) -> np.ndarray:
        """Low and high; infinite where the rise is never reached. ``sigma`` is the coordinate's standard error."""
        centre = self.centre
        first = sigma * 2 if np.isfinite(sigma) and sigma > 0 else 0.1 * max(abs(centre), 1e-3)
        first = min(first, 3.0 if self.positive else max(abs(centre), 1.0))
        self.v = np.clip(centre + self.sign * first, *self.bounds)
        for _ in range(60):
            todo = np.flatnonzero(np.isnan(self.found))
            if not len(todo):
                break
            held = self._held(todo)
            slopes = self.problem.assemble(held.theta)[1][:, self.at]
            for i, side in enumerate(todo):
                self._advance(int(side), held.theta[i], float(held.value[i]), float(slopes[i]))
        return np.where(np.isnan(self.found), self.v, self.found)

    def _held(self, sides: np.ndarray) -> Descent:
        """The optimum of everything else, the coordinate held."""
        start = self.warm[sides].copy()
        start[:, self.at] = self.v[sides]
        fixed = np.arange(self.problem.p) == self.at
        held = descend(self.problem, start, fixed, most=100, tolerance=1e-7)
        if (held.value < self.value * (1 - 1e-7) - 1e-20).any():
            raise BetterOptimumError(self.problem.model.values(held.theta[np.argmin(held.value)]))
        return held

    def _advance(self, side: int, theta: np.ndarray, value: float, slope: float) -> None:
        """One side's next place to look, or its end."""
        v, sign, zeta = self.v[side], self.sign[side], np.sqrt(2 * max(value - self.value, 0.0))
        if abs(zeta - self.goal) <= 1e-6 * self.goal:
            self.found[side] = v
            return
        if zeta < self.goal:
            if v == self.bounds[side]:
                closed = self.held[side] or (np.isfinite(v) and side == 0 and not self.positive)
                self.found[side] = v if closed else sign * np.inf
                return
            self.inside[side], self.warm[side] = v, theta
        else:
            self.outside[side] = v
        inside, outside = self.inside[side], self.outside[side]
        bracketed = int(np.isfinite(outside))
        self.rise[int(zeta >= self.goal), side] = zeta / self.goal
        self.looks[bracketed, side] += 1
        slope = slope / zeta if zeta > 0 else 0.0
        step = (self.goal - zeta) / slope if slope * sign > 0 else np.inf * sign
        reach = self.centre + 3 * (inside - self.centre) if inside != self.centre else v + sign
        nearest_end = outside if np.isfinite(outside) else reach
        new = v + step
        tired = self.looks[bracketed, side] > PATIENCE  # of steps that a rough profile makes short
        if tired or not min(inside, nearest_end) < new < max(inside, nearest_end):
            new = 0.5 * (inside + nearest_end) if bracketed else nearest_end
        self.v[side] = np.clip(new, *self.bounds)
        if bracketed and self._jumps(side):
            self.found[side] = outside

    def _jumps(self, side: int) -> bool:
        """Whether a bracket is so narrow that only a jump of the profile can be within it."""
        width = abs(self.outside[side] - self.inside[side])
        steep = self.rise[1, side] - self.rise[0, side] > 100 * JUMP
        return width <= 1e-9 * max(abs(self.inside[side]), 1e-9) or (
            steep and width <= JUMP * abs(self.outside[side] - self.centre)
        )
