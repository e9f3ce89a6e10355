"""Laws written as formulas over given points: exact derivatives by jets, or finite differences.

Coordinates are the parameters themselves, or their logarithms for those that must be positive.
Shapes: B problems, n points, p parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from superlaw.laws.problems.jets import Jet
from superlaw.laws.problems.model import FLOOR, Assembled, Pointwise
from superlaw.laws.problems.restriction import Restriction

STEP = 6e-6  # relative step of central differences: the cube root of the rounding error
Starts = Callable[[int, np.random.Generator, np.ndarray], np.ndarray]


class Formula:
    """One formula over given points: a :class:`~superlaw.laws.problems.model.Model`.

    Parameters
    ----------
    function : callable
        ``function(*parameters)`` -> the model at the points. Called with jets or arrays, (B, 1) or (B, n) each.
    free : Restriction
        How the law's parameters hang on those that are solved for.
    starts : callable
        ``starts(count, rng, losses)`` -> free parameters, shape (count, q).
    places : ndarray of int, shape (G, m)
        Which of the law's parameters the function takes at the points of each group: few, though there be many.
    group : ndarray of int, shape (n,)
        The group of every point.
    logarithmic : bool
        Keep the model above 0, as errors of log L need.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        free: Restriction,
        starts: Starts,
        places: np.ndarray,
        group: np.ndarray,
        logarithmic: bool = True,
    ):
        self.function, self.n, self.p = function, len(group), free.q
        self._own, self._number = free.owner[places], free.number[places]  # (G, m)
        self._positive = free.positive[places[0]]
        self._group = group if len(places) > 1 else None
        # Which coordinate each of the m is, for every group; (G, m, q) of 0 and 1.
        self._spread = (self._own[:, :, None] == np.arange(self.p)).astype(float)
        self.log_coordinates = np.asarray(free.box.positive, dtype=bool)
        self._starts, self._logarithmic = starts, logarithmic
        self.lower, self.upper = (self.thetas(np.asarray(end, dtype=float)) for end in (free.box.lower, free.box.upper))
        self.exact = self._jets_work()

    def _jets_work(self) -> bool:
        probe = np.where(np.isfinite(self.lower), self.lower, np.minimum(self.upper, 1.0) - 0.5)[None]
        try:
            with np.errstate(all="ignore"):
                result = self.function(*self._jets(probe))
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

    def _taken(self, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of the parameters that the function takes: values (B, 1 or n), the multiples of free ones (1 or n,) that they
        are, and where they are; fixed values elsewhere."""
        values, out = self.values(theta), []
        for own, number in zip(self._own.T, self._number.T, strict=True):
            if self._group is not None:
                own, number = own[self._group], number[self._group]
            out.append((np.where(own >= 0, values[:, own], 1.0) * number, number, own >= 0))
        return out

    def _jets(self, theta: np.ndarray) -> list[Any]:
        out: list[Any] = []
        for k, (value, number, free) in enumerate(self._taken(theta)):
            if not free.any():
                out.append(value)
            elif self._positive[k]:
                slope = np.where(free, value, 0.0)[..., None]
                out.append(Jet(value, slope, slope[..., None], (k,)))
            else:
                slope = np.broadcast_to(np.where(free, number, 0.0)[..., None], (*value.shape, 1))
                out.append(Jet(value, slope, None, (k,)))
        return out

    def losses(self, theta: np.ndarray) -> np.ndarray:
        taken = [value for value, _, _ in self._taken(theta)]
        out = np.broadcast_to(np.asarray(self.function(*taken), dtype=float), (len(theta), self.n))
        return np.maximum(out, FLOOR) if self._logarithmic else out

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        slope = self._derivatives(theta[None])[1][0]
        if not self.exact:
            return slope
        if self._group is None:
            return slope @ self._spread[0]
        return np.einsum("nk,nkq->nq", slope, self._spread[self._group])

    def _derivatives(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """f (B, n), its gradient (B, n, m) and Hessian (B, n, m, m) by the parameters that the function takes.

        Where these are finite differences they are by the coordinates (B, n, q), without a Hessian.
        """
        shape = (len(theta), self.n)
        if self.exact:
            jet, m = self.function(*self._jets(theta)), len(self._positive)
            value = np.broadcast_to(jet.value, shape)
            value = np.maximum(value, FLOOR) if self._logarithmic else value
            slope, curve = jet.over(tuple(range(m)))
            curve = np.zeros((1, 1, m, m)) if curve is None else curve
            return value, np.broadcast_to(slope, (*shape, m)), np.broadcast_to(curve, (*shape, m, m))
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
        rho, d1, d2, d2_major = pointwise(model, slice(None))
        if curve is None:  # without second derivatives the majoriser is the safe choice of curvature
            gradient, hessian, major = _summed(slope, None, d1, d2_major, d2_major)
        elif self._group is None:
            gradient, hessian, major = _scattered(_summed(slope, curve, d1, d2, d2_major), self._spread[0])
        else:
            gradient, hessian, major = np.zeros(1), np.zeros(1), np.zeros(1)
            for g, spread in enumerate(self._spread):
                at = self._group == g
                parts = _summed(slope[:, at], curve[:, at], d1[:, at], d2[:, at], d2_major[:, at])
                one, two, three = _scattered(parts, spread)
                gradient, hessian, major = gradient + one, hessian + two, major + three
        scale = np.sqrt(np.maximum(np.einsum("bkk->bk", major), 0.0))
        return rho.sum(axis=1), gradient, hessian, scale

    def starts(self, count: int, rng: np.random.Generator, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Random starts of this law, in coordinates, shape (count, q)."""
        return np.clip(self.thetas(self._starts(count, rng, losses)), self.lower, self.upper)

    def improve(self, theta: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Given starts, taken as they are."""
        return theta


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def _summed(slope: np.ndarray, curve: np.ndarray | None, d1: np.ndarray, d2: np.ndarray, d2_major: np.ndarray) -> Parts:
    """Gradient (B, m), Hessian (B, m, m) and the majoriser's Gauss-Newton matrix, summed over points."""
    turned = slope.swapaxes(1, 2)
    gradient = (d1[:, None, :] @ slope)[:, 0]
    major = turned @ (slope * d2_major[:, :, None])
    hessian = turned @ (slope * d2[:, :, None])
    if curve is not None:
        batch, n, m = slope.shape
        hessian = hessian + (d1[:, None, :] @ curve.reshape(batch, n, m * m)).reshape(batch, m, m)
    return gradient, hessian, major


def _scattered(parts: Parts, spread: np.ndarray) -> Parts:
    """The same by coordinates, ``spread`` (m, q) of 0 and 1."""
    if spread.shape[0] == spread.shape[1] and (spread == np.eye(len(spread))).all():
        return parts
    gradient, hessian, major = parts
    return gradient @ spread, spread.T @ hessian @ spread, spread.T @ major @ spread
