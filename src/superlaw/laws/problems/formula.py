"""Laws written as formulas over given points: exact derivatives by jets, or finite differences.

Coordinates are the parameters themselves, or their logarithms for those that must be positive.
Shapes: B problems, n points, p parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.laws.problems.jets import Jet
from superlaw.laws.problems.model import FLOOR, Assembled, Pointwise

STEP = 6e-6  # relative step of central differences: the cube root of the rounding error
Starts = Callable[[int, np.random.Generator, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of parameters, and which are positive and solved for through their logarithm; shape (p,) each."""

    positive: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Formula:
    """One formula over given points: a :class:`~superlaw.laws.problems.model.Model`.

    Parameters
    ----------
    function : callable
        ``function(*parameters)`` -> the model at the points. Called with jets or arrays (B, 1).
    box : Box
        Of the parameters themselves.
    starts : callable
        ``starts(count, rng, losses)`` -> parameters, shape (count, p).
    n : int
        Number of points.
    logarithmic : bool
        Keep the model above 0, as errors of log L need.
    """

    def __init__(self, function: Callable[..., Any], box: Box, starts: Starts, n: int, logarithmic: bool = True):
        self.function, self.n, self.p = function, n, len(box.positive)
        self.log_coordinates = np.asarray(box.positive, dtype=bool)
        self._starts, self._logarithmic = starts, logarithmic
        self.lower, self.upper = (self.thetas(np.asarray(end, dtype=float)) for end in (box.lower, box.upper))
        self.exact = self._jets_work()

    def _jets_work(self) -> bool:
        probe = np.where(np.isfinite(self.lower), self.lower, np.minimum(self.upper, 1.0) - 0.5)[None]
        try:
            with np.errstate(all="ignore"):
                result = self.function(*self._natural_jets(probe))
        except TypeError:  # the function needs more than the arithmetic of jets
            return False
        return isinstance(result, Jet)

    def pinned(self, k: int) -> Formula:
        """Every coordinate is a parameter (or its log) already."""
        return self

    def values(self, theta: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.where(self.log_coordinates, np.exp(theta), theta)

    def thetas(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.log_coordinates, np.clip(np.log(np.maximum(values, FLOOR)), -690, 690), values)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.diag(np.where(self.log_coordinates, np.exp(theta), 1.0))

    def _natural_jets(self, theta: np.ndarray) -> list[Jet]:
        jets = Jet.variables(theta)
        return [np.exp(jet) if log else jet for jet, log in zip(jets, self.log_coordinates, strict=True)]

    def losses(self, theta: np.ndarray) -> np.ndarray:
        values = self.values(theta)
        out = np.asarray(self.function(*(values[:, k, None] for k in range(self.p))), dtype=float)
        out = np.broadcast_to(out, (len(theta), self.n))
        return np.maximum(out, FLOOR) if self._logarithmic else out

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return self._derivatives(theta[None])[1][0]

    def _derivatives(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """f (B, n), its gradient (B, n, p) and Hessian (B, n, p, p), None for finite differences."""
        shape = (len(theta), self.n)
        if self.exact:
            jet = self.function(*self._natural_jets(theta))
            value = np.broadcast_to(jet.value, shape)
            value = np.maximum(value, FLOOR) if self._logarithmic else value
            gradient = np.broadcast_to(jet.gradient, (*shape, self.p))
            return value, gradient, np.broadcast_to(jet.hessian, (*shape, self.p, self.p))
        gradient = np.empty((*shape, self.p))
        for k in range(self.p):
            step = STEP * np.maximum(np.abs(theta[:, k]), 1e-3)
            ahead, behind = theta.copy(), theta.copy()
            ahead[:, k] += step
            behind[:, k] -= step
            gradient[:, :, k] = (self.losses(ahead) - self.losses(behind)) / (2 * step[:, None])
        return self.losses(theta), gradient, None

    def assemble(self, theta: np.ndarray, pointwise: Pointwise) -> Assembled:
        model, slope, curve = self._derivatives(theta)
        rho, d1, d2, d2_major = pointwise(model)
        gradient = (d1[:, None, :] @ slope)[:, 0]
        # Without second derivatives the majoriser is the safe choice of curvature.
        weighted = slope * (d2 if curve is not None else d2_major)[:, :, None]
        hessian = weighted.swapaxes(1, 2) @ slope
        if curve is not None:
            hessian = hessian + np.einsum("bn,bnkl->bkl", d1, curve)
        scale = np.sqrt(np.einsum("bn,bnk->bk", d2_major, slope**2))
        return rho.sum(axis=1), gradient, hessian, scale

    def starts(self, count: int, rng: np.random.Generator, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Random starts of this law, in coordinates, shape (count, p)."""
        return np.clip(self.thetas(self._starts(count, rng, losses)), self.lower, self.upper)

    def improve(self, theta: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Given starts, taken as they are."""
        return theta
