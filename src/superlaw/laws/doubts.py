"""Tests of a fit's residuals: whether errors are alike everywhere, and independent.

Each statistic is compared with what the residuals of normal, alike and independent errors give in the law's own
linear regression at the optimum, by simulation: false alarms are as many as is said, at any number of points. All
tests of a fit share ``ALARM`` (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from superlaw.laws.kin import Kin
from superlaw.laws.minimum import Minimum
from superlaw.laws.spread import standard_sizes

ALARM = 0.05  # chance of a warning where nothing is wrong
DRAWS, FEWER_DRAWS, MANY = 999, 99, 5000  # simulated sets; of more points than MANY fewer
AT_ONCE = 400_000  # numbers of these: of more the numbers between leave the processor's cache


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
    """Kind, words and values of every test, (1 + draws,): the first of the fit's own residuals."""
    if best.dof < 2 or not best.errors.any() or best.members is not None:
        return []  # of errors within clusters nothing is taken for granted
    z, some = standard_sizes(best.problem.points.sizes), _residuals(best, seed)
    orders = {words: np.argsort(codes, kind="stable") for words, codes in kin.groups.items()}
    edges = {words: np.flatnonzero(np.diff(kin.groups[words][o], prepend=-1)) for words, o in orders.items()}

    rest = np.sqrt(np.maximum(1 - best.leverage, 0.02))

    def measured(E: np.ndarray) -> list[np.ndarray]:
        squares, out = (E**2).sum(axis=1), []
        if spread and z.shape[1]:
            size = np.abs(E) / rest  # [Glejser]
            size -= size.mean(axis=1, keepdims=True)
            out.append(size @ z / np.linalg.norm(size, axis=1)[:, None])
        for words, order in orders.items():
            out.append((np.add.reduceat(E[:, order], edges[words], axis=1) ** 2).sum(axis=1) / squares)
        for first, second in kin.series.values():
            out.append((E[:, first] * E[:, second]).sum(axis=1) / squares)
        return out

    values, found = [np.concatenate(parts) for parts in zip(*map(measured, some), strict=True)], []
    if spread and z.shape[1]:
        slopes, *values = values
        steepest = int(np.argmax(np.abs(slopes[0])))
        words = f"{'grow' if slopes[0, steepest] > 0 else 'fall'} with {best.problem.law.sizes[steepest]!r}"
        found.append(("spread", words, np.abs(slopes).max(axis=1)))
    named = [*(("groups", words) for words in kin.groups), *(("series", column) for column in kin.series)]
    return found + [(kind, of, x) for (kind, of), x in zip(named, values, strict=True)]


def _residuals(best: Minimum, seed: int) -> Iterator[np.ndarray]:
    """The fit's own weighted residuals, and those of simulated normal errors; (1 + draws, n) in all, some at a time.

    All are residuals of least squares: Huber's are projected.
    """
    n, root, rng = best.problem.n, np.sqrt(best.weights), np.random.default_rng(seed)
    X = (best.slope * root[:, None])[:, best.free]
    Q = np.linalg.svd(X / np.maximum(np.linalg.norm(X, axis=0), 1e-300), full_matrices=False)[0]
    own = (root * best.errors)[None]
    yield own - (own @ Q) @ Q.T
    draws, most = DRAWS if n <= MANY else FEWER_DRAWS, max(AT_ONCE // n, 1)
    kind = np.float64 if n <= MANY else np.float32  # seven figures are enough for a rank, in half of the time
    Q = Q.astype(kind)
    for i in range(0, draws, most):
        E = rng.standard_normal((min(most, draws - i), n), dtype=kind)
        yield E - (E @ Q) @ Q.T
