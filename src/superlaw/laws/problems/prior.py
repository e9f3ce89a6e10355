"""Priors as observations of parameters beside those of losses.

What is minimised gains strength/2 sum_k e_k^2, e_k = (psi_k - mean_k) / sigma_k, with psi the parameter, or its
logarithm where it is solved for through that. The strength is the dispersion of the losses' errors: an observation with
standard error sigma then counts as a loss with standard error sqrt(dispersion) does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from superlaw.laws.known import Known
from superlaw.laws.problems.model import FLOOR, Assembled, Model


@dataclass(frozen=True, eq=False)
class Prior:
    """k observations of parameters.

    Parameters
    ----------
    at : ndarray of int, shape (k,)
        Which parameters.
    mean, sigma : ndarray, shape (k,)
        Of psi. The means may be (B, k) for a batch.
    rows, constant : ndarray, shapes (k, p) and (k,)
        psi as a linear image of a model's coordinates.
    strength : float
    """

    at: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    rows: np.ndarray
    constant: np.ndarray
    strength: float = 1.0

    @classmethod
    def of(cls, known: Known, names: tuple[str, ...], model: Model) -> Prior | None:
        """What is known of a model's parameters; None for nothing. One of a multiple is one of what is multiplied."""
        at, mean, sigma = [], [], []
        for name, (centre, error) in known.priors.items():
            root, factor = known.root(name)
            assert root is not None  # Known refuses priors of what is fixed
            at.append(names.index(root))
            positive = model.log_coordinates[at[-1]]
            mean.append(np.log(centre / factor) if positive else centre / factor)
            sigma.append(error / centre if positive else error / factor)
        if not at:
            return None
        empty = cls(np.array(at), np.array(mean), np.array(sigma), np.empty((0, 0)), np.empty(0))
        return empty.over(model)

    def over(self, model: Model) -> Prior:
        """The same in the coordinates of another model."""
        origin = np.zeros(model.p)
        scale = np.where(model.log_coordinates, 1 / np.maximum(model.values(origin), FLOOR), 1.0)
        rows = (scale[:, None] * model.jacobian(origin))[self.at]
        values = np.maximum(model.values(origin), FLOOR)
        constant = np.where(model.log_coordinates, np.log(values), model.values(origin))[self.at]
        return replace(self, rows=rows, constant=constant)

    @property
    def weighed(self) -> np.ndarray:
        """d e / d theta times the root of the strength, (k, p): rows of a design beside those of the losses."""
        return np.sqrt(self.strength) * self.rows / self.sigma[:, None]

    def errors(self, theta: np.ndarray) -> np.ndarray:
        """e of coordinates (..., p), shape (..., k)."""
        return (theta @ self.rows.T + self.constant - self.mean) / self.sigma

    def value(self, theta: np.ndarray) -> np.ndarray:
        """What is added to the minimised sum, shape (...,)."""
        return 0.5 * self.strength * (self.errors(theta) ** 2).sum(axis=-1)

    def added(self, theta: np.ndarray, assembled: Assembled) -> Assembled:
        """Value, gradient, Hessian and scale with those of the prior."""
        value, gradient, hessian, scale = assembled
        design = self.weighed
        pull = np.sqrt(self.strength) * self.errors(theta) @ design
        return (
            value + self.value(theta),
            gradient + pull,
            hessian + design.T @ design,
            np.sqrt(scale**2 + (design**2).sum(axis=0)),
        )
