"""Tests of a fit's residuals: whether errors are alike everywhere, and independent.

Each statistic is compared with what the residuals of normal, alike and independent errors give in the law's own
linear regression at the optimum, by simulation: false alarms are as many as is said, at any number of points. All
tests of a fit share ``ALARM`` (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.laws.kin import Kin
from superlaw.laws.minimum import Minimum
from superlaw.laws.spread import standard_sizes

ALARM = 0.05  # chance of a warning where nothing is wrong
DRAWS, FEWER_DRAWS, MANY = 999, 99, 5000  # simulated sets; of more points than MANY fewer


@dataclass(frozen=True)
class Doubt:
    """What the residuals speak against: ``kind`` is "spread", "groups" or "series"; ``of`` says by what."""

    kind: str
    of: str
    p: float


def doubts(best: Minimum, kin: Kin, spread: bool = True, seed: int = 0) -> list[Doubt]:
    """What the residuals speak against, most clearly first. ``spread``: whether alike errors are taken for granted."""
    found = [Doubt(kind, of, _p(values)) for kind, of, values in _statistics(best, kin, spread, seed)]
    return sorted((d for d in found if d.p <= ALARM / len(found)), key=lambda d: d.p)


def _p(values: np.ndarray) -> float:
    """The share of simulated values, and the first, that reach the first."""
    return float((values >= values[0] - 1e-12 * np.abs(values[0])).mean())


def _statistics(best: Minimum, kin: Kin, spread: bool, seed: int) -> list[tuple[str, str, np.ndarray]]:
    if best.dof < 2 or not best.errors.any() or best.members is not None:
        return []  # of errors within clusters nothing is taken for granted
    E = _residuals(best, seed)
    squares, out, z = (E**2).sum(axis=1), [], standard_sizes(best.problem.points.sizes)
    if spread and z.shape[1]:
        size = np.abs(E) / np.sqrt(np.maximum(1 - best.leverage, 0.02))  # [Glejser]
        size -= size.mean(axis=1, keepdims=True)
        slopes = size @ z / np.linalg.norm(size, axis=1)[:, None]
        steepest = int(np.argmax(np.abs(slopes[0])))
        words = f"{'grow' if slopes[0, steepest] > 0 else 'fall'} with {best.problem.law.sizes[steepest]!r}"
        out.append(("spread", words, np.abs(slopes).max(axis=1)))
    for words, codes in kin.groups.items():
        order = np.argsort(codes, kind="stable")
        edges = np.flatnonzero(np.diff(codes[order], prepend=-1))
        out.append(("groups", words, (np.add.reduceat(E[:, order], edges, axis=1) ** 2).sum(axis=1) / squares))
    for column, (first, second) in kin.series.items():
        out.append(("series", column, (E[:, first] * E[:, second]).sum(axis=1) / squares))
    return out


def _residuals(best: Minimum, seed: int) -> np.ndarray:
    """The fit's own weighted residuals, and those of simulated normal errors; shape (1 + draws, n).

    All are residuals of least squares: Huber's are projected.
    """
    n, root = best.problem.n, np.sqrt(best.weights)
    X = (best.slope * root[:, None])[:, best.free]
    Q = np.linalg.svd(X / np.maximum(np.linalg.norm(X, axis=0), 1e-300), full_matrices=False)[0]
    E = np.random.default_rng(seed).normal(size=(DRAWS if n <= MANY else FEWER_DRAWS, n))
    E = np.vstack([root * best.errors, E])
    return E - (E @ Q) @ Q.T
