"""Refits of resampled points or clusters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import BLOCK, Descent, descend, joined, solve


def resampled_weights(n: int, replicates: int, rng: np.random.Generator, clusters: np.ndarray | None) -> np.ndarray:
    """How often each point is drawn in each bootstrap replicate, shape (replicates, n)."""
    if clusters is None:
        return rng.multinomial(n, np.full(n, 1 / n), replicates).astype(float)
    _, member = np.unique(clusters, return_inverse=True)
    count = int(member.max()) + 1
    if count < 2:
        raise InputError("one cluster", "at least two", "choose another --cluster column")
    drawn = rng.multinomial(count, np.full(count, 1 / count), replicates)
    return drawn[:, member].astype(float)


def bootstrap(
    problem: Problem, theta: np.ndarray, replicates: int, seed: int, workers: int = 2
) -> tuple[np.ndarray, int]:
    """Refits of resampled points or clusters, solved as one batch from the fit's own optimum.

    Replicates that do not converge are solved again from many starts.

    Returns
    -------
    values : ndarray, shape (replicates that converged, p)
    failed : int
        How many never converged.
    """
    drawn = resampled_weights(problem.n, replicates, np.random.default_rng(seed), problem.clusters)
    weights = drawn if problem.weights is None else drawn * problem.weights
    batch = replace(problem, weights=weights)

    def block(first: int) -> Descent:
        rows = slice(first, min(first + BLOCK, replicates))
        return descend(batch.at(rows), np.tile(theta, (rows.stop - first, 1)), most=300)

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        found = joined(list(pool.map(block, range(0, replicates, BLOCK))))
    ended, converged = found.theta, found.converged
    for b in np.flatnonzero(~converged):
        again = solve(replace(batch, weights=weights[b]), given=ended[b : b + 1])
        ended[b], converged[b] = again.theta[0], again.converged[0]
    return problem.model.values(ended[converged]), int((~converged).sum())
