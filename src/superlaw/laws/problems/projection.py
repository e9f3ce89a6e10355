"""Variable projection: a sum of powers is linear in its coefficients once the exponents are given.

So the coefficients are eliminated (Golub and Pereyra, 1973, with Kaufman's Jacobian) from the squares of
f/L - 1, which agree with those of log f - log L to first order, or of f - L; they stay at 0 or above.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from superlaw.laws.problems.model import FLOOR, LARGEST_EXPONENT


@dataclass(frozen=True, eq=False)
class Link:
    """How J terms of K exponents hang on the free parameters, fewer than these: A exponents, M coefficients.

    ``powers`` (A, K) and ``fixed_powers`` (K,): exponents = a @ powers + fixed_powers. ``terms`` (J, M) and
    ``fixed_terms`` (J,): coefficients = terms @ c + fixed_terms. ``bounds`` (2, A) of a. ``offset`` (n,) is what is
    fixed of it, ``present`` (J, n) which points have a term; None for nothing and for all.
    """

    powers: np.ndarray
    fixed_powers: np.ndarray
    terms: np.ndarray
    fixed_terms: np.ndarray
    bounds: np.ndarray
    offset: np.ndarray | None
    present: np.ndarray | None

    def at(self, points: slice) -> Link:
        """Over some of the points."""
        offset = None if self.offset is None else self.offset[points]
        present = None if self.present is None else self.present[:, points]
        return replace(self, offset=offset, present=present)


@dataclass(frozen=True, eq=False)
class Basis:
    """Terms as functions of their exponents: centred logs ``z`` (K, n), the rows of z of every term, the
    offset of each point, (n, G) of zeros and multiples, if there are any (of either sign, if ``signed``), and what is
    fixed or shared."""

    z: np.ndarray
    terms: tuple[tuple[int, ...], ...]
    one_hot: np.ndarray | None
    link: Link | None = None
    signed: bool = False

    def at(self, points: slice) -> Basis:
        """Over some of the points."""
        one_hot = None if self.one_hot is None else self.one_hot[points]
        return replace(
            self, z=self.z[:, points], one_hot=one_hot, link=None if self.link is None else self.link.at(points)
        )


@dataclass(frozen=True, eq=False)
class _Eliminated:
    """At given exponents: the least squares (B,), coefficients (B, J + G), and the exponents' normal equations."""

    squares: np.ndarray
    coefficients: np.ndarray
    reduced: np.ndarray
    slope: np.ndarray

    def where(self, better: np.ndarray, old: _Eliminated) -> _Eliminated:
        """These where they are better, else the old ones."""
        pick = lambda new, was: np.where(better.reshape(len(new), *[1] * (new.ndim - 1)), new, was)  # noqa: E731
        return _Eliminated(*(pick(getattr(self, f.name), getattr(old, f.name)) for f in fields(self)))


def project(
    basis: Basis, exponents: np.ndarray, losses: np.ndarray, root: np.ndarray, steps: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    """Exponents (B, K) and coefficients (B, J + G) near a local optimum, from exponents alone."""
    a, right = exponents.copy(), losses * root
    damping = np.full(len(a), 1e-2)
    best = eliminate(basis, a, root, right)
    for _ in range(steps if a.shape[1] else 0):
        step = _exponent_step(best, damping)
        trial = np.clip(a + np.clip(step, -1.0, 1.0), 0.25 * a, np.maximum(4 * a, 0.05))
        trial = np.minimum(trial, LARGEST_EXPONENT / 2)
        if basis.link is not None:
            trial = np.clip(trial, *basis.link.bounds)
        new = eliminate(basis, trial, root, right)
        better = new.squares < best.squares
        small = np.abs(trial - a).max(axis=1) < 1e-3 * a.max(axis=1)
        a[better] = trial[better]
        best = new.where(better, best)
        damping = np.where(better, damping * 0.2, damping * 10)
        if (small | (damping > 1e6)).all():
            break
    return a, best.coefficients


def eliminate(basis: Basis, a: np.ndarray, root: np.ndarray, right: np.ndarray) -> _Eliminated:
    """Best coefficients >= 0 at given exponents, with the normal equations of the exponents."""
    link, full = basis.link, a if basis.link is None else a @ basis.link.powers + basis.link.fixed_powers
    powers = [np.exp(np.clip(-(full[:, list(term)] @ basis.z[list(term)]), -690, 690)) for term in basis.terms]
    if link is not None and link.present is not None:
        powers = [power * here for power, here in zip(powers, link.present, strict=True)]
    slopes = [-basis.z[k] * powers[j] for j, term in enumerate(basis.terms) for k in term]  # d power / d a_k
    batch, n = len(a), len(root)
    columns = [(power * root)[:, :, None] for power in powers]
    if link is not None:
        columns, right = _linked(link, columns, root, right)
    if basis.one_hot is not None:
        columns.append(np.broadcast_to(root[..., None] * basis.one_hot, (batch, *basis.one_hot.shape)))
    phi = np.concatenate(columns, axis=2)  # (B, n, J + G)
    norm = np.sqrt((phi**2).sum(axis=1)) + FLOOR
    phi = phi / norm[:, None, :]
    right = np.broadcast_to(right, (batch, n))
    gram = phi.swapaxes(1, 2) @ phi + 1e-13 * np.eye(phi.shape[2])
    moment = (phi.swapaxes(1, 2) @ right[:, :, None])[:, :, 0]
    c = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
    free = 0 if basis.one_hot is None or not basis.signed else basis.one_hot.shape[1]  # the last, of either sign
    bound = phi.shape[2] - free
    for b in np.flatnonzero((c[:, :bound] < 0).any(axis=1)):
        from scipy import optimize  # a tenth of a second: only where a coefficient would be negative

        factor = np.linalg.cholesky(gram[b])  # the same squares, in J + G rows
        both = np.hstack([factor.T, -factor.T[:, bound:]])
        found = optimize.nnls(both, np.linalg.solve(factor, moment[b]))[0]
        c[b] = found[: bound + free]
        c[b, bound:] -= found[bound + free :]
    residual = (phi @ c[:, :, None])[:, :, 0] - right
    coefficient = c / norm
    of_terms = coefficient if link is None else coefficient[:, : link.terms.shape[1]] @ link.terms.T + link.fixed_terms
    owner = [j for j, term in enumerate(basis.terms) for _ in term]
    tangent = np.stack([s * root * of_terms[:, j, None] for s, j in zip(slopes, owner, strict=True)], 2)
    if link is not None:
        tangent = tangent @ link.powers.T
    cross = phi.swapaxes(1, 2) @ tangent
    reduced = tangent.swapaxes(1, 2) @ tangent - cross.swapaxes(1, 2) @ np.linalg.solve(gram, cross)
    slope = (tangent.swapaxes(1, 2) @ residual[:, :, None])[:, :, 0]
    return _Eliminated((residual**2).sum(axis=1), coefficient, reduced, slope)


def _linked(
    link: Link, columns: list[np.ndarray], root: np.ndarray, right: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """The terms' columns (B, n, 1) as those of the free coefficients, and what is left of the losses for them."""
    terms = np.concatenate(columns, axis=2)
    right = right - terms @ link.fixed_terms - (0.0 if link.offset is None else link.offset * root)
    return [terms @ link.terms], right


def _exponent_step(at: _Eliminated, damping: np.ndarray) -> np.ndarray:
    diagonal = np.einsum("bkk->bk", at.reduced)
    shift = damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + FLOOR
    return -np.linalg.solve(at.reduced + shift[:, :, None] * np.eye(shift.shape[1]), at.slope[:, :, None])[:, :, 0]
