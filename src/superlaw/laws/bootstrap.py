"""Refits of resampled points or clusters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import BLOCK, descend, solve

MOST_NUMBERS = 1_000_000  # of replicates times points that are worked on at once by a thread


def resampled_weights(n: int, replicates: int, rng: np.random.Generator, clusters: np.ndarray | None) -> np.ndarray:
    """How often each point is drawn in each bootstrap replicate, shape (replicates, n)."""
    if clusters is None:
        return rng.multinomial(n, np.full(n, 1 / n), replicates).astype(float)
    _, member = np.unique(clusters, return_inverse=True)
    count = int(member.max()) + 1
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
    rng, own = np.random.default_rng(seed), problem.weights

    def block(count: int) -> Problem:
        drawn = resampled_weights(problem.n, count, rng, problem.clusters)
        batch = replace(problem, weights=drawn if own is None else drawn * own)
        if (prior := problem.prior) is None:
            return batch
        return replace(batch, prior=replace(prior, mean=rng.normal(prior.mean, prior.sigma, (count, len(prior.at)))))

    size = max(1, min(BLOCK, MOST_NUMBERS // problem.n))
    counts = [size] * (replicates // size) + [replicates % size] * (replicates % size > 0)
    ended, converged = [], []
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for i in range(0, len(counts), max(workers, 1)):  # as many blocks at once as there are threads
            batches = [block(count) for count in counts[i : i + max(workers, 1)]]
            for theta_, done in pool.map(partial(_refitted, theta), batches):
                ended.append(theta_)
                converged.append(done)
    good = np.concatenate(converged)
    return problem.model.values(np.concatenate(ended)[good]), int((~good).sum())


def _refitted(theta: np.ndarray, batch: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Where each problem of a batch ends from one optimum, and whether it converged."""
    weights = np.asarray(batch.weights)
    found = descend(batch, np.tile(theta, (len(weights), 1)), most=300)
    for b in np.flatnonzero(~found.converged).tolist():
        again = solve(batch.one(b), given=found.theta[b : b + 1])
        found.theta[b], found.converged[b] = again.theta[0], again.converged[0]
    return found.theta, found.converged
