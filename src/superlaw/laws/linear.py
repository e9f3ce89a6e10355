"""A fitted law as the linear regression that it is near its optimum: how well anything nearly linear is known.

A functional is a row over the law's parameters, log c in place of every coefficient c: the gradient of a prediction,
of an exponent, of the log of a required budget. Its variance is that of the fit's own method; where the fit has its
points, the sandwich's comes with the degrees of freedom of that very functional (see :mod:`superlaw.laws.sandwich`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from superlaw.laws.law import Law, Points
from superlaw.laws.minimum import Minimum
from superlaw.laws.objective import Objective
from superlaw.laws.problems.model import FLOOR
from superlaw.laws.problems.problem import Problem
from superlaw.laws.sandwich import small_sample_variances


@dataclass(frozen=True, eq=False)
class Linear:
    """A law at its fitted parameters.

    Parameters
    ----------
    law, objective, labels
        Of the fit.
    values : ndarray, shape (p,)
        The parameters.
    covariance : ndarray, shape (p, p)
        Of the parameters, of log c for coefficients.
    dof : float
        Degrees of freedom of a functional where the points say nothing better.
    best : Minimum, optional
        The optimum over the fit's points.
    small_sample : bool
        Whether variances are the sandwich's over the fit's points, with their own degrees of freedom, instead of those
        of ``covariance``.
    """

    law: Law
    objective: Objective
    labels: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    dof: float
    best: Minimum | None = None
    small_sample: bool = True

    @classmethod
    def at(cls, best: Minimum, small_sample: bool = True) -> Linear:
        """At an optimum, its covariance that of errors that are alike."""
        problem, J = best.problem, _to_all(best)
        covariance = J @ best.covariance() @ J.T
        return cls(
            problem.law,
            problem.objective,
            problem.points.labels,
            problem.expand(best.values),
            covariance,
            best.dof,
            best,
            small_sample,
        )

    def over(self, points: Points) -> tuple[Problem, np.ndarray]:
        """The law over other points, and the fitted parameters in the coordinates that it has there."""
        problem = Problem.over(self.law, points, np.zeros(points.n), self.objective)
        return problem, problem.model.thetas(self.values)

    def slopes(self, points: Points) -> np.ndarray:
        """The functionals of the curve at points: d log L (or d L) by the parameters, shape (n, p)."""
        problem, theta = self.over(points)
        return problem.residual_jacobian(theta) @ np.linalg.inv(_to_parameters(problem, theta))

    def parameter(self, name: str) -> tuple[np.ndarray, bool]:
        """The functional of one parameter, shape (p,), and whether it is that of the logarithm: of a coefficient."""
        names = self.law.names(self.labels)
        k = names.index(name)
        one = Points(np.ones((len(self.law.sizes), 1)), np.zeros(1, int), self.labels)
        row, positive = np.eye(len(names))[k], bool(self.law.box(one).positive[k])
        if positive and name in self.law.exponents_of(self.labels):  # solved for by its log, but meant by itself
            return row * self.values[k], False
        return row, positive

    def variances(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Variance and degrees of freedom of functionals, shape (q,) each, for rows (q, p)."""
        if self.best is not None and self.small_sample and self.best.dof > 0:
            return small_sample_variances(self.best, rows @ self._own)
        variance = np.einsum("qk,kl,ql->q", rows, self.covariance, rows)
        return np.maximum(variance, 0.0), np.full(len(rows), float(max(self.dof, 1)))

    def reach(self, rows: np.ndarray, level: float) -> np.ndarray:
        """How far functionals' intervals of a level reach to either side, shape (q,)."""
        variance, dof = self.variances(rows)
        return special.stdtrit(dof, 0.5 + level / 2) * np.sqrt(variance)

    @cached_property
    def _own(self) -> np.ndarray:
        """d parameters / d coordinates of the optimum over the fit's points."""
        assert self.best is not None
        return _to_all(self.best)

    def coordinate_covariance(self, problem: Problem, theta: np.ndarray) -> np.ndarray:
        """``covariance`` in a problem's own coordinates, of which it is a linear image; shape (p, p)."""
        back = np.linalg.inv(_to_parameters(problem, theta))
        return back @ self.covariance @ back.T

    def draws(self, points: Points, count: int, seed: int, dof: float | None) -> np.ndarray:
        """Parameters drawn from the covariance, within the law's bounds over points; shape (count, p).

        Normal draws, or those of t with ``dof`` degrees of freedom.
        """
        problem, theta = self.over(points)
        covariance = self.coordinate_covariance(problem, theta)
        root = np.linalg.svd((covariance + covariance.T) / 2)
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(count, len(theta)))
        if dof is not None:
            noise /= np.sqrt(rng.chisquare(dof, (count, 1)) / dof)
        drawn = theta + noise * np.sqrt(root.S) @ root.Vh
        return problem.model.values(np.clip(drawn, problem.model.lower, problem.model.upper))


def _to_all(best: Minimum) -> np.ndarray:
    """d all parameters of the law (log c for coefficients), given ones too, / d coordinates of an optimum; (p, q)."""
    own, given = _to_parameters(best.problem, best.theta), best.problem.given
    return own if given is None else given.slopes(logs=True) @ own


def _to_parameters(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """d parameters (log c for coefficients) / d coordinates, shape (p, p)."""
    model = problem.model
    scale = np.where(model.log_coordinates, 1 / np.maximum(model.values(theta), FLOOR), 1.0)
    return scale[:, None] * model.jacobian(theta)
