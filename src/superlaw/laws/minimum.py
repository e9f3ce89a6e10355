"""The optimum of a problem with what every interval and the certificate need there: covariances of its coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from superlaw.laws.problems.problem import Problem
from superlaw.laws.spread import spread_trend, standard_sizes

ROUNDING = 1e-14  # relative, of sums of powers


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a search ended: the coordinates ``theta`` (p,) and the minimised sum.

    ``free`` (p,) are coordinates not at a bound; ``dof`` the points less these; ``errors`` (n,) are r, of log L or
    of L; ``slope`` (n, p) is d r / d theta; ``dispersion`` the lambda of 2 (F - F_min) / lambda ~ F(1, dof), NaN
    without degrees of freedom: the ``scatter`` of the errors here, with priors that by which they are weighed.
    """

    problem: Problem
    theta: np.ndarray
    value: float
    free: np.ndarray
    dof: int
    errors: np.ndarray
    slope: np.ndarray
    dispersion: float
    scatter: float = float("nan")

    @classmethod
    def at(cls, problem: Problem, theta: np.ndarray, value: float) -> Minimum:
        """What is known at one theta."""
        model = problem.model
        free = (theta > model.lower) & (theta < model.upper)
        errors, slope = problem.residuals(theta), problem.residual_jacobian(theta)
        best = cls(problem, theta, value, free, problem.n - int(free.sum()), errors, slope, float("nan"))
        # A prior that decides a parameter leaves the points the degree of freedom that this would have taken.
        dof = best.dof if problem.prior is None else problem.n - float(best.leverage.sum())
        scatter = problem.objective.dispersion(errors, dof, problem.weights)
        lam = scatter if problem.prior is None else problem.prior.strength
        return cls(problem, theta, value, free, int(dof + 1e-9), errors, slope, lam, scatter)

    @property
    def weights(self) -> np.ndarray:
        """Of the points, shape (n,)."""
        return np.ones(self.problem.n) if self.problem.weights is None else self.problem.weights

    @property
    def pulls(self) -> np.ndarray:
        """Of the points, how much each counts where it lies: its weight, more on the heavy side of an asymmetric
        objective of squares; shape (n,)."""
        objective = self.problem.objective
        return self.weights if objective.robust else self.weights * objective.tilt(self.errors)

    @property
    def edges(self) -> tuple[str, ...]:
        """Coefficients and exponents at their bound: there a law degenerates, and lower values may lie anywhere."""
        powers = self.problem.model.log_coordinates | np.isin(np.arange(self.problem.p), self.problem.exponents)
        return tuple(self.problem.names[k] for k in np.flatnonzero(powers & ~self.free & ~self.at_given))

    @property
    def at_given(self) -> np.ndarray:
        """Which parameters lie at a bound that was given, (p,) of bool."""
        model, held = self.problem.model, self.problem.held
        return ((self.theta <= model.lower) & held[:, 0]) | ((self.theta >= model.upper) & held[:, 1])

    @property
    def prior_rows(self) -> np.ndarray:
        """The priors as rows of the design beside ``slope``, shape (k, p)."""
        prior = self.problem.prior
        if prior is None:
            return np.empty((0, self.problem.p))
        return prior.weighed / np.sqrt(self.problem.objective.curved_share(self.errors))

    @property
    def exact(self) -> bool:
        """Whether the errors are but rounding of the targets."""
        target = self.problem.target
        return bool(
            np.abs(self.errors).max() <= ROUNDING * max(float(np.abs(target).max()), self.problem.objective.logarithmic)
        )

    @property
    def values(self) -> np.ndarray:
        """The parameters, shape (p,)."""
        return self.problem.model.values(self.theta)

    @property
    def jacobian(self) -> np.ndarray:
        """d values / d theta, shape (p, p)."""
        return self.problem.model.jacobian(self.theta)

    def covariance(self) -> np.ndarray:
        """lambda (J^T W J + P)^-1 of the coordinates, P of the priors, errors taken as independent and alike; (p, p), 0
        without dof."""
        if self.dof < 1:
            return np.zeros((self.problem.p, self.problem.p))
        J = self.slope
        scale = self.dispersion / self.problem.objective.curved_share(self.errors)
        gram = (J * self.pulls[:, None]).T @ J + self.prior_rows.T @ self.prior_rows
        return scale * _inverse(gram, self.free)

    @cached_property
    def leverage(self) -> np.ndarray:
        """Of each point: the share of its error that the fit takes up, shape (n,)."""
        X = np.vstack([self.slope * np.sqrt(self.pulls)[:, None], self.prior_rows])[:, self.free]
        scale = np.linalg.norm(X, axis=0)
        X = X[:, scale > 0] / scale[scale > 0]
        if not X.shape[1]:
            return np.zeros(self.problem.n)
        u, singular, _ = np.linalg.svd(X, full_matrices=False)
        u = u[: self.problem.n, singular > 1e-7 * singular[0]]
        return np.minimum((u**2).sum(axis=1), 1.0)

    @cached_property
    def spread(self) -> np.ndarray:
        """The deviation of each point's weighted error, of mean square 1, by its trend with size; shape (n,)."""
        z = standard_sizes(self.problem.points.sizes)
        return spread_trend(np.sqrt(self.pulls) * self.errors, 1 - self.leverage, z)

    @cached_property
    def members(self) -> np.ndarray | None:
        """The number of each point's cluster, shape (n,)."""
        clusters = self.problem.clusters
        return None if clusters is None else np.unique(clusters, return_inverse=True)[1]

    def pinned(self, k: int) -> tuple[Problem, np.ndarray, np.ndarray]:
        """The problem whose k-th coordinate is parameter k itself, the optimum there, and that coordinate as a
        linear image of this problem's, shape (p,)."""
        pinned = self.problem.pinned(k)
        here = pinned.model.thetas(self.values)
        return pinned, here, np.linalg.solve(pinned.model.jacobian(here), self.jacobian)[k]

    def functionals(self) -> np.ndarray:
        """Every parameter (the logarithm of a coefficient) as a linear image of the coordinates, shape (p, p)."""
        return np.stack([self.pinned(k)[2] for k in range(self.problem.p)])


def _inverse(gram: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Inverse on the free coordinates (pseudo-inverse where singular), 0 elsewhere."""
    out = np.zeros_like(gram)
    if free.any():
        inner = gram[np.ix_(free, free)]
        d = np.sqrt(np.diag(inner))
        d[d == 0] = 1.0
        scaled = inner / np.outer(d, d)
        values, vectors = np.linalg.eigh(scaled)
        if values[0] <= 0:  # rounding: a sum of squares has none below 0, and none such may become a variance
            kept = values > 1e-15 * values[-1]
            inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
        else:
            inverse = np.linalg.pinv(scaled, rcond=1e-15, hermitian=True)
        out[np.ix_(free, free)] = inverse / np.outer(d, d)
    return out
