"""Fresh samples of a run's data, sparse: which features are active in which sample, and their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from superlaw.theory.values import values_named
from superlaw.toy.spec import RunSpec

BLOCK = 1 << 19  # outputs of a block of samples: 2 MB in float32
STREAM = 0x5EC0  # beside the seed, so that these are no samples of training


@dataclass(frozen=True, eq=False)
class Samples:
    """Some samples x (B, n): entry k says that x[sample[k], feature[k]] = value[k]; all others are 0.

    Parameters
    ----------
    count : int
        B, those without an active feature among them.
    sample, feature : ndarray of int, shape (entries,)
        Ordered by sample, then feature; no pair twice.
    value : ndarray, shape (entries,)
    """

    count: int
    sample: np.ndarray
    feature: np.ndarray
    value: np.ndarray

    @cached_property
    def active(self) -> np.ndarray:
        """How many features are active in each sample, shape (B,)."""
        return np.bincount(self.sample, minlength=self.count)

    def by_sample(self, weights: np.ndarray) -> np.ndarray:
        """Sum over the entries of each sample, shape (B,)."""
        return np.bincount(self.sample, weights, self.count)

    def project(self, encoder: np.ndarray) -> np.ndarray:
        """h = V^T x of each sample, shape (B, m), in the encoder's type."""
        from scipy.sparse import csr_array

        start = np.append(0, np.cumsum(self.active))
        x = csr_array((self.value.astype(encoder.dtype), self.feature, start), shape=(self.count, len(encoder)))
        return x @ encoder


class Sampler:
    """Draws samples of a spec: x_i = u_i v_i, features independent or in groups that fire together.

    No feature is asked in every sample. Points fall on the pairs (sample, feature) at the rate -log(1 - p_i), as a
    Poisson process; a pair that is hit is active. It is hit with probability 1 - exp(log(1 - p_i)) = p_i,
    independently of all others: exactly Bernoulli's trials.

    Examples
    --------
    >>> drawn = Sampler(RunSpec(n_features=4, width=2, activation_density=2)).draw(1000)
    >>> drawn.count, 1800 < len(drawn.value) < 2200
    (1000, True)
    """

    def __init__(self, spec: RunSpec, seed: int = 0):
        self.p, self.groups, self.correlation = spec.probabilities, spec.groups, spec.correlation
        self.values = values_named(spec.values)
        self.random = np.random.Generator(np.random.PCG64([seed, STREAM]))
        sure = self.p >= 1
        self.sure = np.flatnonzero(sure)  # active in every sample
        self.reach = np.cumsum(np.where(sure, 0.0, -np.log1p(-np.where(sure, 0.0, self.p))))  # rates, added up
        if self.groups is not None:
            self.members = _members(self.groups)  # (G, g)
            self.member_p = np.where(self.members < 0, 0.0, self.p[self.members])

    def draw(self, count: int) -> Samples:
        """That many fresh samples."""
        n = len(self.p)
        pairs = self._alone(count) if self.groups is None else self._in_groups(count, self.groups)
        pairs.sort()
        sample, feature = pairs // n, pairs % n
        return Samples(count, sample, feature, self.values.quantile(self.random.random(len(pairs))))

    def blocks(self, samples: int) -> Iterator[Samples]:
        """That many samples, in blocks whose outputs (B, n) stay in a core's cache."""
        rows = max(1, BLOCK // len(self.p))
        for start in range(0, samples, rows):
            yield self.draw(min(rows, samples - start))

    def _alone(self, count: int) -> np.ndarray:
        """Active pairs of features that fire independently, as sample n + feature, each once."""
        n, total = len(self.p), self.reach[-1]
        points = int(self.random.poisson(count * total))
        feature = np.searchsorted(self.reach, self.random.random(points) * total, side="right")
        pairs = self.random.integers(0, count, points) * n + np.minimum(feature, n - 1)
        always = (np.arange(count)[:, None] * n + self.sure).ravel()
        return np.concatenate([np.unique(pairs), always])

    def _in_groups(self, count: int, groups: np.ndarray) -> np.ndarray:
        """With probability c one uniform number U decides for a whole group: u_i = 1 where U < p_i."""
        n, shape = len(self.p), (count, len(self.members))
        together = self.random.random(shape) < self.correlation
        alone = self._alone(count)
        alone = alone[~together[alone // n, groups[alone % n]]]
        shared = np.where(together, self.random.random(shape), 1.0)
        sample, group = np.nonzero(shared < self.member_p.max(axis=1))
        entry, member = np.nonzero(shared[sample, group][:, None] < self.member_p[group])
        return np.concatenate([alone, sample[entry] * n + self.members[group[entry], member]])


def _members(groups: np.ndarray) -> np.ndarray:
    """Features of each group, shape (G, largest); -1 where a group has fewer."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    place = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found = np.full((len(sizes), sizes.max()), -1)
    found[groups[order], place] = order
    return found


def pair_correlations(samples: Samples, p: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Of each sample, an unbiased estimate of the mean correlation of u_i and u_j over pairs of a group, shape (B,).

    With d_i = (u_i - p_i) / sqrt(p_i (1 - p_i)) the mean over pairs of d_i d_j, as ((sum d)^2 - sum d^2) / 2 a group.
    Its mean over samples is RunSpec.pair_correlation up to chance.
    """
    varies = (p > 0) & (p < 1)
    one = np.where(varies, 1 / np.sqrt(np.where(varies, p * (1 - p), 1.0)), 0.0)  # d_i rises by this where active
    sizes = np.bincount(groups[varies], minlength=int(groups.max()) + 1)
    pairs = float(np.sum(sizes * (sizes - 1)) / 2)
    if not pairs:
        return np.zeros(samples.count)
    rest, rest_square = (np.bincount(groups, x, len(sizes)) for x in (-p * one, (p * one) ** 2))
    place = samples.sample * len(sizes) + groups[samples.feature]
    add = lambda x: np.bincount(place, x, samples.count * len(sizes)).reshape(samples.count, -1)  # noqa: E731
    here, q = one[samples.feature], p[samples.feature]
    total = rest + add(here)
    square = rest_square + add(((1 - q) ** 2 - q**2) * here**2)
    return (total**2 - square).sum(axis=1) / 2 / pairs
