"""Evidence that a fit is at the optimum, and whether the data determine its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.laws.intervals import fall_threshold
from superlaw.laws.minimum import Minimum
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import AGREEMENT, NOTHING, Descent, descend

FLAT_LEVEL = 0.95  # level of the profile behind "poorly determined" and "not determined"
POORLY = (0.75, 1.25)  # an exponent is poorly determined when its profile allows either factor
NOT = (0.5, 2.0)  # and not determined when it allows one of these
STRONG_CORRELATION = 0.8


@dataclass(frozen=True)
class Certificate:
    """Convergence evidence of one fit.

    Parameters
    ----------
    gradient : float
        Scaled gradient norm: the largest cosine between the residuals and a column of the Jacobian.
    converged : bool
        The gradient vanishes, and no coefficient or exponent lies on its bound (where a law degenerates).
    starts : int
    agreement : float
        Share of starts that ended at the best value.
    condition : float
        Condition number of the correlation-scaled Gauss-Newton matrix, in centred coordinates.
    smallest_curvature : float
        Smallest eigenvalue of the scaled Hessian: above 0 at a minimum.
    correlation : dict
        Of every pair of parameters, ``{"a~b": value}``.
    at_bounds : tuple of str
    flat : dict
        Exponents whose profile is flat: ``"poorly"`` or ``"not"`` determined.
    derivatives : str
        ``exact`` or ``finite differences``.
    places : int, optional
        From how many different places the starts set out.
    exact : bool
        The residuals are rounding: there is nothing that the gradient could be compared with.
    """

    gradient: float
    converged: bool
    starts: int
    agreement: float
    condition: float
    smallest_curvature: float
    correlation: dict[str, float]
    at_bounds: tuple[str, ...]
    flat: dict[str, str]
    derivatives: str = "exact"
    places: int | None = None
    exact: bool = False

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Certificate:
        """From JSON, in which null is an infinite condition, and no number elsewhere."""
        null = {"condition": np.inf, "gradient": np.nan, "smallest_curvature": np.nan}
        read = {name: null[name] for name in null if record[name] is None}
        return cls(**{**record, **read, "at_bounds": tuple(record["at_bounds"])})


def agreeing(found: Descent) -> np.ndarray:
    """Which descents, sorted by value, ended at the best one; shape (B,) of bool."""
    return found.converged & (found.value <= found.value.min() * (1 + AGREEMENT) + NOTHING)


@np.errstate(all="ignore")  # of laws that overflow at the ends of what is possible
def certify(best: Minimum, found: Descent) -> Certificate:
    """The evidence of the descents that ended at an optimum, and of the optimum itself."""
    problem, free = best.problem, best.free
    hessian, scale = (x[0] for x in problem.assemble(best.theta[None])[2:])
    d = np.where(scale > 0, scale, 1.0)
    curvature = np.linalg.eigvalsh((hessian / np.outer(d, d))[np.ix_(free, free)])
    design, J = np.vstack([best.slope, best.prior_rows])[:, free], best.jacobian
    agree = agreeing(found)
    return Certificate(
        gradient=0.0 if best.exact else float(found.gradient[0]),
        converged=bool(found.converged[0]) and not best.edges,
        starts=len(agree),
        agreement=float(agree.mean()),
        condition=condition_number(design.T @ design),
        smallest_curvature=float(curvature[0]) if len(curvature) else 0.0,
        correlation=correlations(J @ best.covariance() @ J.T, problem.names),
        at_bounds=tuple(name for name, inside in zip(problem.names, free, strict=True) if not inside),
        flat=_flat(best),
        derivatives="exact" if problem.model.exact else "finite differences",
        places=found.places,
        exact=best.exact,
    )


def _flat(best: Minimum) -> dict[str, str]:
    """The exponents whose profile is flat, with the word for it."""
    at = [k for k in best.problem.exponents if best.free[k]]
    if not at or best.dof < 1 or best.value <= NOTHING:
        return {}
    threshold = fall_threshold(best.dispersion, best.dof, FLAT_LEVEL)
    grades = flat_exponents(best.problem, best.theta[None], best.value, at, threshold)[0]
    words = {1: "poorly", 2: "not"}
    return {best.problem.names[k]: words[int(grade)] for k, grade in zip(at, grades, strict=True) if grade}


def flat_exponents(
    problem: Problem, theta: np.ndarray, value: float | np.ndarray, exponents: list[int], threshold: float | np.ndarray
) -> np.ndarray:
    """How flat the profile of each exponent is: 0 determined, 1 poorly, 2 not; shape (B, exponents).

    The exponent is held at a half, three quarters, five quarters and twice its value and everything else
    solved again. A rise above the threshold excludes that factor.

    Parameters
    ----------
    problem : Problem
        One, or a batch of B.
    theta : ndarray, shape (B, p)
    value, threshold : float or ndarray, shape (B,)
    """
    batch = len(theta)
    out = np.zeros((batch, len(exponents)), dtype=int)
    value, threshold = np.broadcast_to(value, batch), np.broadcast_to(threshold, batch)
    factors = np.array([*POORLY, *NOT])
    index = np.repeat(np.arange(batch), len(factors) * len(exponents))
    factor = np.tile(factors, batch * len(exponents))
    which = np.tile(np.repeat(np.arange(len(exponents)), len(factors)), batch)
    coordinate = np.array(exponents, dtype=int)[which]
    row = np.arange(len(index))
    current = theta[index][row, coordinate]
    moved = np.where(problem.model.log_coordinates[coordinate], current + np.log(factor), current * factor)
    start = _along_ravine(problem, theta, index, coordinate, moved - current)
    start[row, coordinate] = moved
    fixed = np.zeros(start.shape, bool)
    fixed[row, coordinate] = True
    ended = descend(problem.at(index), start, fixed, enough=value[index] + threshold[index])
    allowed = (ended.value - value[index] <= threshold[index]).reshape(batch, len(exponents), len(factors))
    out[allowed[:, :, :2].any(axis=2)] = 1
    out[allowed[:, :, 2:].any(axis=2)] = 2
    return out


def _along_ravine(
    problem: Problem, theta: np.ndarray, index: np.ndarray, coordinate: np.ndarray, change: np.ndarray
) -> np.ndarray:
    """Starts in which the other coordinates follow a held one to first order, shape (rows, p)."""
    hessian = problem.assemble(theta)[2]
    hessian[~np.isfinite(hessian).all(axis=(1, 2))] = np.eye(problem.p)
    diagonal = np.abs(np.einsum("bkk->bk", hessian))
    d = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(hessian / (d[:, :, None] * d[:, None, :]))
    inverse = (vectors / np.maximum(np.abs(values), 1e-9)[:, None, :]) @ vectors.swapaxes(1, 2)
    column = inverse / (d[:, :, None] * d[:, None, :])  # tangents of all profiles
    row = np.arange(len(index))
    tangent = column[index][row, :, coordinate] / column[index][row, coordinate, coordinate][:, None]
    # Beyond an e-fold or so of a coefficient the tangent says little.
    return theta[index] + np.clip(np.nan_to_num(tangent * change[:, None]), -2.0, 2.0)


def correlations(covariance: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Of every pair, ``{"a~b": value}``; parameters without a variance left out."""
    sigma = np.sqrt(np.diag(covariance))
    return {
        f"{names[i]}~{names[j]}": float(np.clip(covariance[i, j] / (sigma[i] * sigma[j]), -1, 1))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if sigma[i] > 0 and sigma[j] > 0
    }


def condition_number(gram: np.ndarray) -> float:
    """Of a positive matrix scaled to a unit diagonal; infinite when singular to rounding."""
    d = np.sqrt(np.diag(gram))
    if not len(d) or (d == 0).any() or not np.isfinite(gram).all():
        return float("inf")
    eigenvalues = np.linalg.eigvalsh(gram / np.outer(d, d))
    return float(eigenvalues[-1] / eigenvalues[0]) if eigenvalues[0] > 1e-15 else float("inf")
