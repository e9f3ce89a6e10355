"""Refits of resampled points or clusters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import BLOCK, Descent, descend, joined

MOST_NUMBERS = 1_000_000  # of replicates times points that are worked on at once by a thread
FIRST_STEPS, LAST_STEPS = 100, 200  # of a replicate's descent: all, and those that need more
HOPELESS = 0.4  # of a block after the first steps: where more than this have not converged, more steps do not help
RARE = 0.1  # of a block: where more than this are late, they are not searched for from elsewhere
OTHER_STARTS = 2  # places where other replicates ended, from which one that is late sets out again


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
) -> tuple[np.ndarray, int, int]:
    """Refits of resampled points or clusters, solved as batches from the fit's own optimum.

    Replicates that are late go on, and a few also set out from where others ended. Where too many of the first block
    never converge, no more are drawn: the data do not determine the law.

    Returns
    -------
    values : ndarray, shape (replicates that converged, p)
    drawn : int
        How many were drawn: those asked for, or the first block.
    failed : int
        How many of them never converged.
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
    ended = [_refitted(theta, block(counts[0]))]
    if (~ended[0].converged).mean() <= RARE:
        with ThreadPoolExecutor(max(workers, 1)) as pool:
            for i in range(1, len(counts), max(workers, 1)):  # as many blocks at once as there are threads
                batches = [block(count) for count in counts[i : i + max(workers, 1)]]
                ended += pool.map(partial(_refitted, theta), batches)
    found = joined(ended)
    return problem.model.values(found.theta[found.converged]), len(found.theta), int((~found.converged).sum())


def _refitted(theta: np.ndarray, batch: Problem) -> Descent:
    """Where each problem of a batch ends from one optimum."""
    count = len(np.asarray(batch.weights))
    found = descend(batch, np.tile(theta, (count, 1)), most=FIRST_STEPS)
    if not 0 < (~found.converged).mean() <= HOPELESS:
        return found
    late, settled = np.flatnonzero(~found.converged), found.theta[found.converged]
    count_others = OTHER_STARTS if len(late) <= RARE * count else 0
    others = settled[np.linspace(0, len(settled) - 1, count_others).astype(int)]  # (count_others, p)
    starts = np.concatenate([found.theta[late][:, None], np.tile(others, (len(late), 1, 1))], axis=1)
    each = starts.shape[1]
    again = descend(batch.at(np.repeat(late, each)), starts.reshape(-1, batch.p), most=LAST_STEPS)
    lowest = np.where(np.isfinite(again.value), again.value, np.inf).reshape(-1, each).argmin(axis=1)
    best = again.at(np.arange(len(late)) * each + lowest)
    for name in ("theta", "value", "gradient", "converged"):
        getattr(found, name)[late] = getattr(best, name)
    return found
