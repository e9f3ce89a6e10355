"""The optimum of a problem with what every interval and the certificate need there: covariances of its coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.laws.problems.problem import Problem


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a search ended: the coordinates ``theta`` (p,) and the minimised sum.

    ``free`` (p,) are coordinates not at a bound; ``dof`` the points less these; ``errors`` (n,) are r, of log L or
    of L; ``slope`` (n, p) is d r / d theta; ``dispersion`` the lambda of 2 (F - F_min) / lambda ~ F(1, dof), NaN
    without degrees of freedom.
    """

    problem: Problem
    theta: np.ndarray
    value: float
    free: np.ndarray
    dof: int
    errors: np.ndarray
    slope: np.ndarray
    dispersion: float

    @classmethod
    def at(cls, problem: Problem, theta: np.ndarray, value: float) -> Minimum:
        """What is known at one theta."""
        model = problem.model
        free = (theta > model.lower) & (theta < model.upper)
        dof = problem.n - int(free.sum())
        errors = problem.residuals(theta)
        lam = problem.objective.dispersion(errors, dof, problem.weights)
        return cls(problem, theta, value, free, dof, errors, problem.residual_jacobian(theta), lam)

    @property
    def weights(self) -> np.ndarray:
        """Of the points, shape (n,)."""
        return np.ones(self.problem.n) if self.problem.weights is None else self.problem.weights

    @property
    def values(self) -> np.ndarray:
        """The parameters, shape (p,)."""
        return self.problem.model.values(self.theta)

    @property
    def jacobian(self) -> np.ndarray:
        """d values / d theta, shape (p, p)."""
        return self.problem.model.jacobian(self.theta)

    def covariance(self) -> np.ndarray:
        """lambda (J^T W J)^-1 of the coordinates, errors taken as independent and alike; (p, p), 0 without dof."""
        if self.dof < 1:
            return np.zeros((self.problem.p, self.problem.p))
        J = self.slope
        scale = self.dispersion / self.problem.objective.curved_share(self.errors)
        return scale * _inverse((J * self.weights[:, None]).T @ J, self.free)

    def sandwich(self) -> np.ndarray:
        """H^-1 (sum_g s_g s_g^T) H^-1 of the coordinates, s_g the score of a point or a cluster; (p, p).

        Scaled by n/(n - p), with clusters by G/(G - 1) (n - 1)/(n - p) (Cameron and Miller, 2015,
        equation 12).
        """
        objective, clusters, n = self.problem.objective, self.problem.clusters, self.problem.n
        J, W = self.slope, self.weights
        bread = _inverse(objective.curved_share(self.errors) * (J * W[:, None]).T @ J, self.free)
        score = J * (W * objective.psi(self.errors))[:, None]
        if clusters is None:
            factor = n / self.dof
        else:
            _, member = np.unique(clusters, return_inverse=True)
            count = int(member.max()) + 1
            score = np.stack([np.bincount(member, score[:, k], count) for k in range(self.problem.p)], axis=1)
            factor = count / (count - 1) * (n - 1) / self.dof
        return factor * bread @ (score.T @ score) @ bread

    def pinned(self, k: int, covariance: np.ndarray) -> tuple[Problem, np.ndarray, float]:
        """The problem whose k-th coordinate is parameter k itself, with the optimum and that coordinate's error."""
        pinned = self.problem.pinned(k)
        here = pinned.model.thetas(self.values)
        # Coordinates of the two problems are one another's linear images.
        change = np.linalg.solve(pinned.model.jacobian(here), self.jacobian)
        return pinned, here, float(np.sqrt(max(change[k] @ covariance @ change[k], 0.0)))


def _inverse(gram: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Inverse on the free coordinates (pseudo-inverse where singular), 0 elsewhere."""
    out = np.zeros_like(gram)
    if free.any():
        inner = gram[np.ix_(free, free)]
        d = np.sqrt(np.diag(inner))
        d[d == 0] = 1.0
        out[np.ix_(free, free)] = np.linalg.pinv(inner / np.outer(d, d), rcond=1e-15, hermitian=True) / (np.outer(d, d))
    return out
