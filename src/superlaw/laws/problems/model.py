"""What the solver needs of a law over given points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

LARGEST_EXPONENT = 20.0  # no law of learning falls faster; a fit that ends here says so
FLOOR = 1e-300  # of a model's value, so that its logarithm exists

# From the losses (B, n) of some of the points (all: slice(None)): the minimised rho of each point, d rho/d f,
# d^2 rho/d f^2, and a majoriser of the last.
Pointwise = Callable[[np.ndarray, slice], tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]
Assembled = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of parameters, and which are positive and solved for through their logarithm; shape (p,) each."""

    positive: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Model(Protocol):
    """A law over n points, in coordinates: parameters in the law's order, some through their logarithm.

    Shapes: B problems, n points, p parameters.
    """

    n: int
    p: int
    lower: np.ndarray  # of the coordinates, (p,)
    upper: np.ndarray
    log_coordinates: np.ndarray  # which parameters are solved for through their logarithm, (p,) of bool
    exact: bool  # whether derivatives are exact

    def losses(self, theta: np.ndarray) -> np.ndarray: ...  # f, (B, n)
    def gradient(self, theta: np.ndarray) -> np.ndarray: ...  # d f / d theta at one theta, (n, p)
    def values(self, theta: np.ndarray) -> np.ndarray: ...  # parameters of coordinates, (..., p)
    def thetas(self, values: np.ndarray) -> np.ndarray: ...  # the inverse, within the bounds
    def jacobian(self, theta: np.ndarray) -> np.ndarray: ...  # d values / d theta at one theta, (p, p)

    def pinned(self, k: int) -> Model:
        """The same model in coordinates whose k-th is parameter k itself (its log for a coefficient)."""
        ...

    def assemble(self, theta: np.ndarray, pointwise: Pointwise) -> Assembled:
        """Value (B,), gradient (B, p), Hessian (B, p, p) and the scale of each coordinate (B, p).

        The scale is the root of the diagonal of the majoriser's Gauss-Newton matrix.
        """
        ...

    def starts(self, count: int, rng: np.random.Generator, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Random starts for measured losses (n,), whose errors count times ``root`` (n,); shape (count, p)."""
        ...

    def improve(self, theta: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Given starts, shape (B, p), made better where that is cheap."""
        ...
