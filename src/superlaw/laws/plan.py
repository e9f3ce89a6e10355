"""Choosing rows under a budget so that given functionals of a linear regression are known best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the cost, by which a run's gain is divided
EXCHANGES = 200  # at most
WORTH = 1e-6  # of the criterion: less gain than this ends the search
SLACK = 1 + 1e-12  # of a budget, for rounding


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What least squares know of p parameters: their covariance is Q T Q.

    Parameters
    ----------
    Q : ndarray, shape (p, p)
        The inverse of the information, in units of one observation's error: what the covariance would be if the
        errors were alike.
    T : ndarray, shape (p, p)
        The information's own covariance; the inverse of Q where errors are alike.
    """

    Q: np.ndarray
    T: np.ndarray

    @classmethod
    def of(cls, covariance: np.ndarray, alike: np.ndarray | None = None) -> Knowledge:
        """From a covariance, and what it would be if errors were alike [the same]."""
        Q = covariance if alike is None else alike
        back = _inverse(Q)
        return cls(Q, back @ covariance @ back)

    def with_rows(self, rows: np.ndarray) -> Knowledge:
        """After observations whose gradients are rows (k, p), in units of their errors' deviation."""
        if not len(rows):
            return self
        gain = self.Q @ rows.T
        Q = self.Q - gain @ np.linalg.solve(np.eye(len(rows)) + rows @ gain, gain.T)
        return Knowledge(Q, self.T + rows.T @ rows)

    def variances(self, functionals: np.ndarray) -> np.ndarray:
        """Of functionals (q, p), shape (q,)."""
        moved = functionals @ self.Q
        return np.einsum("qp,pr,qr->q", moved, self.T, moved)

    def with_each(self, rows: np.ndarray, functionals: np.ndarray) -> np.ndarray:
        """Variances of functionals (q, p) after each of some observations (n, p) alone, shape (n, q)."""
        R, F = rows @ self.Q, functionals @ self.Q
        c = (R @ functionals.T) / (1 + np.einsum("np,np->n", R, rows))[:, None]
        RT = R @ self.T
        return self.variances(functionals) - 2 * c * (RT @ F.T) + c**2 * (1 + np.einsum("np,np->n", RT, R))[:, None]


def _inverse(V: np.ndarray) -> np.ndarray:
    """Pseudo-inverse of a covariance, scaled: parameters at a bound have no variance."""
    d = np.sqrt(np.diag(V))
    d = np.where(d > 0, d, 1.0)
    return np.linalg.pinv(V / np.outer(d, d), rcond=1e-13, hermitian=True) / np.outer(d, d)


@dataclass(frozen=True, eq=False)
class Menu:
    """What there is to choose from, and how much of it.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        The gradient of each candidate's outcome, in units of its error's deviation.
    costs : ndarray, shape (n,)
    budget : float
    runs, copies : int
        At most so many in all, and of one candidate.
    """

    rows: np.ndarray
    costs: np.ndarray
    budget: float
    runs: int
    copies: int = 1

    def open(self, plan: np.ndarray) -> np.ndarray:
        """Which candidates can be added to a plan, shape (n,)."""
        counts = np.bincount(plan, minlength=len(self.costs))
        return (self.costs <= (self.budget - self.costs[plan].sum()) * SLACK) & (counts < self.copies)


def choose(known: Knowledge, menu: Menu, functionals: np.ndarray) -> np.ndarray:
    """Positions of candidates (k,) that make the functionals' variances small: the sum of their logarithms.

    Parameters
    ----------
    known : Knowledge
    menu : Menu
    functionals : ndarray, shape (q, p)

    Examples
    --------
    >>> rows = np.array([[1.0, 1.0], [1.0, 3.0], [1.0, 2.0]])  # a straight line, of which the slope is asked for
    >>> choose(Knowledge.of(np.eye(2) * 100), Menu(rows, np.ones(3), budget=2, runs=2), np.array([[0.0, 1.0]]))
    array([0, 1])
    """
    plans = [_greedy(known, menu, functionals, power) for power in POWERS]
    values = [_criterion(known.with_rows(menu.rows[plan]), functionals) for plan in plans]
    return np.sort(_exchanged(known, menu, functionals, plans[int(np.argmin(values))]))


def _greedy(known: Knowledge, menu: Menu, functionals: np.ndarray, power: float) -> np.ndarray:
    """One after another, by gain over a power of the cost."""
    plan = np.empty(0, dtype=int)
    while len(plan) < menu.runs:
        gain = np.where(menu.open(plan), _gains(known, menu.rows, functionals), -np.inf)
        if not gain.max() > WORTH:
            break
        at = int(np.argmax(np.where(gain > WORTH, gain / menu.costs**power, -np.inf)))
        known, plan = known.with_rows(menu.rows[at : at + 1]), np.append(plan, at)
    return plan


def _exchanged(known: Knowledge, menu: Menu, functionals: np.ndarray, plan: np.ndarray) -> np.ndarray:
    """The plan with single runs exchanged for better ones that the budget allows, until none is better."""
    for _ in range(EXCHANGES):
        now = _criterion(known.with_rows(menu.rows[plan]), functionals)
        best, better = WORTH, plan
        for k in range(len(plan)):
            rest = np.delete(plan, k)
            without = known.with_rows(menu.rows[rest])
            gain = now - _criterion(without, functionals) + _gains(without, menu.rows, functionals)
            gain = np.where(menu.open(rest), gain, -np.inf)
            at = int(np.argmax(gain))
            if gain[at] > best:
                best, better = float(gain[at]), np.append(rest, at)
        if better is plan:
            break
        plan = better
    return plan


def _gains(known: Knowledge, rows: np.ndarray, functionals: np.ndarray) -> np.ndarray:
    """By how much each candidate alone lowers the criterion, shape (n,)."""
    after = np.maximum(known.with_each(rows, functionals), 1e-300)
    return _criterion(known, functionals) - np.log(after).sum(axis=1)


def _criterion(known: Knowledge, functionals: np.ndarray) -> float:
    return float(np.log(np.maximum(known.variances(functionals), 1e-300)).sum())
