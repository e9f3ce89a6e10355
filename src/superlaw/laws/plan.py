"""Choosing rows under a budget so that given functionals of a linear regression are known best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the cost, by which a run's gain is divided
EXCHANGES = 200  # at most
WORTH = 1e-6  # of the criterion: less gain than this ends the search


@dataclass(frozen=True)
class Choice:
    """At most so many runs, and so many copies of one candidate."""

    runs: int
    copies: int = 1


def choose(
    covariance: np.ndarray,
    rows: np.ndarray,
    costs: np.ndarray,
    functionals: np.ndarray,
    budget: float,
    limits: Choice,
) -> np.ndarray:
    """Positions of candidates (k,) that make the functionals' variances small: the sum of their logarithms.

    Parameters
    ----------
    covariance : ndarray, shape (p, p)
        What is known before.
    rows : ndarray, shape (n, p)
        The gradient of each candidate's outcome, in units of its error.
    costs : ndarray, shape (n,)
    functionals : ndarray, shape (q, p)
    budget : float
    limits : Choice

    Examples
    --------
    >>> rows = np.array([[1.0, 1.0], [1.0, 3.0], [1.0, 2.0]])  # a straight line, of which the slope is asked for
    >>> choose(np.eye(2) * 100, rows, np.ones(3), np.array([[0.0, 1.0]]), 2, Choice(2))
    array([0, 1])
    """
    plans = [_greedy(covariance, rows, costs, functionals, budget, limits, power) for power in POWERS]
    values = [_criterion(updated(covariance, rows[plan]), functionals) for plan in plans]
    best = plans[int(np.argmin(values))]
    return np.sort(_exchanged(covariance, rows, costs, functionals, budget, limits, best))


def _greedy(
    covariance: np.ndarray,
    rows: np.ndarray,
    costs: np.ndarray,
    functionals: np.ndarray,
    budget: float,
    limits: Choice,
    power: float,
) -> np.ndarray:
    """One after another, by gain over a power of the cost."""
    V, left = covariance.copy(), budget
    counts, chosen = np.zeros(len(rows), dtype=int), []
    while len(chosen) < limits.runs:
        gain = _gains(V, rows, functionals)
        gain[(costs > left * (1 + 1e-12)) | (counts >= limits.copies)] = -np.inf
        if not gain.max() > WORTH:
            break
        at = int(np.argmax(np.where(gain > WORTH, gain / costs**power, -np.inf)))
        V = updated(V, rows[at : at + 1])
        counts[at] += 1
        left -= costs[at]
        chosen.append(at)
    return np.array(chosen, dtype=int)


def _gains(V: np.ndarray, rows: np.ndarray, functionals: np.ndarray) -> np.ndarray:
    """By how much each candidate alone lowers the criterion, shape (n,)."""
    moved = rows @ V  # (n, p)
    own = 1 + np.einsum("np,np->n", moved, rows)
    variance = np.einsum("qp,pr,qr->q", functionals, V, functionals)
    fall = (moved @ functionals.T) ** 2 / own[:, None]  # (n, q)
    rest = np.maximum(1 - fall / np.maximum(variance, 1e-300), 1e-12)
    return -np.log(rest).sum(axis=1)


def updated(V: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A covariance after observations of rows (k, p), in units of their errors' deviation."""
    if not len(rows):
        return V
    gain = V @ rows.T
    return V - gain @ np.linalg.solve(np.eye(len(rows)) + rows @ gain, gain.T)


def _criterion(V: np.ndarray, functionals: np.ndarray) -> float:
    variance = np.einsum("qp,pr,qr->q", functionals, V, functionals)
    return float(np.log(np.maximum(variance, 1e-300)).sum())


def _exchanged(
    covariance: np.ndarray,
    rows: np.ndarray,
    costs: np.ndarray,
    functionals: np.ndarray,
    budget: float,
    limits: Choice,
    plan: np.ndarray,
) -> np.ndarray:
    """The plan with single runs exchanged for better ones that the budget allows, until none is better."""
    plan = plan.copy()
    for _ in range(EXCHANGES):
        now = _criterion(updated(covariance, rows[plan]), functionals)
        best: tuple[float, int, int] = (WORTH, -1, -1)
        for k in range(len(plan)):
            rest = np.delete(plan, k)
            V = updated(covariance, rows[rest])
            gain = _criterion(V, functionals) * -1 + now  # what taking the run away loses, negative
            gains = _gains(V, rows, functionals) + gain
            counts = np.bincount(rest, minlength=len(rows))
            gains[(costs > (budget - costs[rest].sum()) * (1 + 1e-12)) | (counts >= limits.copies)] = -np.inf
            at = int(np.argmax(gains))
            if gains[at] > best[0]:
                best = (float(gains[at]), k, at)
        if best[1] < 0:
            break
        plan[best[1]] = best[2]
    return plan
