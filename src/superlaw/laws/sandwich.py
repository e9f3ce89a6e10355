"""Variances that do not take the errors as alike or independent, for small samples.

The sandwich's form CR2 [Pustejovsky]: the errors of every cluster (every point, where none is named) are blown up by
(I - H_gg)^(-1/2), H the hat matrix of the law's Jacobian at the optimum, so that the variance is unbiased where
errors are alike; and t quantiles by Satterthwaite's degrees of freedom of that very variance. These are few where
few points or clusters decide a parameter. Errors are taken there to grow or fall with size as the residuals do, and
to be correlated within clusters as the residuals are: the coverage in docs/laws.md rests on both.

Huber's loss counts as weighted squares: its scores psi stand for errors, and the chance c of an error within delta
for the curvature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.laws.minimum import Minimum

FEWEST, MOST = 1.0, 1e6  # degrees of freedom: t quantiles of fewer have no use, those of more are normal
MOST_CORRELATED = 0.95
SURELY = 1e-9  # of 1 - leverage: a point or cluster that decides a parameter alone


@dataclass(frozen=True, eq=False)
class Sandwich:
    """Of a minimum: the covariance of its coordinates (p, p), and for every parameter (the log of a coefficient), (p,)
    each, its variance, the degrees of freedom of that, and the dispersion by which its profile rises as it says."""

    covariance: np.ndarray
    variance: np.ndarray
    dof: np.ndarray
    dispersion: np.ndarray


@dataclass(frozen=True, eq=False)
class _Linear:
    """The linear regression that a law is at its optimum: e = X d + errors.

    ``members`` numbers the cluster of every row, None where each is its own; ``spread`` (n,) is the errors' standard
    deviation up to a factor, ``alike`` their correlation within a cluster. ``prior`` (k, p) are rows of observations of
    the coefficients, whose errors have the variance ``strength``.
    """

    X: np.ndarray
    e: np.ndarray
    members: np.ndarray | None
    spread: np.ndarray
    alike: float
    prior: np.ndarray
    strength: float

    @classmethod
    def at(cls, best: Minimum, free: np.ndarray) -> _Linear:
        objective, root = best.problem.objective, np.sqrt(best.pulls)
        J, errors, members = best.slope[:, free], root * best.errors, best.members
        spread, prior = best.spread, best.problem.prior
        known = (np.empty((0, J.shape[1])), 0.0) if prior is None else (prior.weighed[:, free], prior.strength)
        if not objective.robust:
            return cls(root[:, None] * J, errors, members, spread, correlation(errors / spread, members), *known)
        curved = np.sqrt(objective.curved_shares(best.errors, spread / root, int(free.sum())))
        scores = root * objective.psi(best.errors)
        alike = correlation(scores / root, members)
        return cls((root * curved)[:, None] * J, scores / curved, members, root / curved, alike, *known)

    def summed(self, x: np.ndarray) -> np.ndarray:
        """Sums of rows over clusters."""
        if self.members is None:
            return x
        return np.stack([np.bincount(self.members, column) for column in x.T], axis=1)

    def cover(self, x: np.ndarray) -> np.ndarray:
        """The errors' covariance times x (n, q)."""
        s = self.spread[:, None]
        if self.members is None:
            return s**2 * x
        return s * ((1 - self.alike) * s * x + self.alike * self.summed(s * x)[self.members])


def correlation(errors: np.ndarray, members: np.ndarray | None) -> float:
    """Of errors of a common spread within clusters, at least 0."""
    if members is None:
        return 0.0
    sums, counts = np.bincount(members, errors), np.bincount(members)
    pairs, squares = float((counts * (counts - 1)).sum()), float(errors @ errors)
    if pairs == 0 or squares == 0:
        return 0.0
    return float(np.clip((sums @ sums - squares) / pairs / (squares / len(errors)), 0.0, MOST_CORRELATED))


def sandwich(best: Minimum) -> Sandwich:
    """CR2 variances at an optimum; a parameter at its bound is judged as if it were free to move."""
    p, rows = best.problem.p, best.functionals()
    covariance, variance, dof = np.zeros((p, p)), np.empty(p), np.empty(p)
    dispersion = np.empty(p)
    for free in np.unique([best.free | (np.arange(p) == k) for k in range(p)], axis=0):
        line = _Linear.at(best, free)
        inside = np.flatnonzero([(best.free | (np.arange(p) == k) == free).all() for k in range(p)])
        inner, dof[inside], variance[inside], plain = _small_sample(line, rows[np.ix_(inside, free)])
        if (free == best.free).all():
            covariance[np.ix_(free, free)] = inner
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = variance[inside] / plain
        dispersion[inside] = np.where(np.isfinite(ratio) & (ratio > 0), ratio, best.dispersion)
    return Sandwich(covariance, variance, dof, dispersion)


def small_sample_variances(best: Minimum, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """CR2 variance and Satterthwaite's degrees of freedom of functionals of the coordinates, rows (q, p); (q,) each."""
    line = _Linear.at(best, best.free)
    _, dof, variance, _ = _small_sample(line, rows[:, best.free])
    return variance, dof


def _small_sample(line: _Linear, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The covariance of the coefficients, and of each row of ``rows`` (q, p) times them: Satterthwaite's degrees of
    freedom, variance, and the variance for independent errors of variance 1."""
    unit = np.linalg.norm(line.X, axis=0)
    unit[unit == 0] = 1.0
    X, rows, prior = line.X / unit, rows / unit, line.prior / unit
    bread = np.linalg.pinv(X.T @ X + prior.T @ prior, rcond=1e-14, hermitian=True)
    adjusted = _adjusted(line, X, bread)  # A_g X_g, (n, p)
    scores = line.summed(adjusted * line.e[:, None])
    inner = bread @ (scores.T @ scores + line.strength * prior.T @ prior) @ bread
    of_prior = ((prior @ bread @ rows.T) ** 2).sum(axis=0)  # of each row's variance, known and not estimated
    weights = adjusted @ bread @ rows.T  # a, (n, q): the variance of a row is sum_g (a_g^T e_g)^2
    cover = line.cover(X)
    bent = X.T @ cover
    U = np.hstack([X, cover])  # the residuals' covariance is that of the errors and U S U^T
    S = np.block([[bread @ bent @ bread, -bread], [-bread, np.zeros_like(bread)]])
    dof = np.empty(len(rows))
    forms = ((U @ S) * U).sum(axis=1) if line.members is None else None
    for q, a in enumerate(weights.T):
        own = line.summed(a[:, None] * line.cover(a[:, None]))[:, 0]
        if forms is None:
            R = line.summed(a[:, None] * U)
            SRR, bent = S @ (R.T @ R), ((R @ S) * R).sum(axis=1)
        else:  # the same of rows that are a cluster each
            SRR, bent = S @ ((U * (a**2)[:, None]).T @ U), a**2 * forms
        trace = own.sum() + np.trace(SRR) + of_prior[q]
        squares = own @ own + 2 * own @ bent + np.trace(SRR @ SRR)
        dof[q] = np.clip(trace**2 / squares, FEWEST, MOST) if squares > 0 and np.isfinite(squares) else FEWEST
    variance = ((scores @ bread @ rows.T) ** 2).sum(axis=0) + line.strength * of_prior
    return inner / np.outer(unit, unit), dof, variance, np.einsum("qi,ij,qj->q", rows, bread, rows)


def _adjusted(line: _Linear, X: np.ndarray, bread: np.ndarray) -> np.ndarray:
    """(I - H_gg)^(-1/2) X_g of every cluster, 0 where one decides a parameter alone; shape (n, p)."""
    values, vectors = np.linalg.eigh(bread)
    half = X @ (vectors * np.sqrt(np.maximum(values, 0)))  # H = half half^T
    if line.members is None:
        rest = 1 - (half**2).sum(axis=1)
        return X * np.where(rest > SURELY, 1 / np.sqrt(np.maximum(rest, SURELY)), 0.0)[:, None]
    out = X.copy()
    for rows in np.split(np.argsort(line.members, kind="stable"), np.cumsum(np.bincount(line.members))[:-1]):
        u, singular, _ = np.linalg.svd(half[rows], full_matrices=False)
        rest = 1 - singular**2
        factor = np.where(rest > SURELY, 1 / np.sqrt(np.maximum(rest, SURELY)), 0.0) - 1
        out[rows] += (u * factor) @ (u.T @ X[rows])
    return out
