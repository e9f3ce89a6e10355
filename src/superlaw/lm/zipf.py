"""The exponent of frequency against rank, p_r proportional to r^-alpha: likelihood, halves, regression.

This is Zipf's exponent (about 1 for text), not the exponent of the distribution of frequencies, which is
1 + 1/alpha. By likelihood each token is a draw of a rank. Ranks taken from the sample that they are fitted
to are biased, as rare tokens are sorted by their own luck; the split-half estimate ranks by one half and
counts in the other (Piantadosi, Psychon. Bull. Rev. 21, 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError

NORMAL_95 = 1.959963984540054
HEAD = 1000  # ranks of an infinite sum taken one by one; the rest by Euler and Maclaurin
HEAD_LOGS = np.log(np.arange(1, HEAD))
LARGEST = 60.0  # exponents searched on either side
REGRESSION_FIRST_RANK = 10
REGRESSION_LEAST_COUNT = 10  # below it counts are few and equal, and the line bends to steps
PER_DECADE = 20


@dataclass(frozen=True)
class ZipfFit:
    """Exponent of frequency against rank, with its standard error and 95 % interval, over ``ranks``."""

    exponent: float
    stderr: float
    ranks: tuple[int, int | None]
    method: str

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, normal."""
        return self.exponent - NORMAL_95 * self.stderr, self.exponent + NORMAL_95 * self.stderr

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        finite = lambda x: float(x) if np.isfinite(x) else None  # noqa: E731
        return {
            "exponent": finite(self.exponent), "stderr": finite(self.stderr),
            "interval_95": [finite(x) for x in self.interval], "ranks": list(self.ranks), "method": self.method,
        }  # fmt: skip


def fit_zipf(counts: np.ndarray, support: int | None = -1) -> ZipfFit:
    """Maximum likelihood of p_r = r^-alpha / sum r^-alpha, the count of rank r at position r - 1.

    Parameters
    ----------
    counts : ndarray, shape (k,)
        How often each rank was drawn.
    support : int or None
        Ranks that can be drawn: all k by default; None for all whole numbers (alpha > 1).

    Returns
    -------
    ZipfFit
        The standard error is 1 / sqrt(N Var(log r)), of independent draws.

    Examples
    --------
    >>> print(round(fit_zipf(np.round(1e6 / np.arange(1, 1001))).exponent, 3))
    1.0
    """
    counts = np.asarray(counts, dtype=np.float64)
    support = len(counts) if support == -1 else support
    total = counts.sum()
    if np.count_nonzero(counts) < 2 or (counts < 0).any() or not np.isfinite(total):
        raise InputError(f"counts of {np.count_nonzero(counts)} ranks", "counts, 0 or more, of at least two ranks")
    if support is not None and support < len(counts):
        raise InputError(f"a support of {support} ranks and counts of {len(counts)}", "as many or more")
    drawn = np.flatnonzero(counts)
    target = float(counts[drawn] @ np.log(drawn + 1.0)) / total
    log_rank = np.log(np.arange(1, (support or 0) + 1))
    moments = _infinite if support is None else lambda a: _finite(a, log_rank)
    low, high = (1 + 1e-9 if support is None else -LARGEST), LARGEST
    exponent = 1.5 if support is None else 1.0
    for _ in range(200):  # Newton, kept within the bracket: mean log rank falls as the exponent grows
        mean, variance = moments(exponent)
        if mean > target:
            low = exponent
        else:
            high = exponent
        step = (mean - target) / variance if variance > 0 else np.inf
        new = exponent + step if low < exponent + step < high else (low + high) / 2
        if abs(new - exponent) <= 1e-13 * max(1.0, abs(exponent)):
            break
        exponent = new
    variance = moments(exponent)[1]
    return ZipfFit(float(exponent), float(1 / np.sqrt(total * variance)), (1, support), "maximum likelihood")


def split_half(counts: np.ndarray, seed: int = 0) -> ZipfFit:
    """Rank by a random half of the tokens, fit the counts in the other; the mean of both ways.

    Parameters
    ----------
    counts : ndarray, shape (types,)
        In any order.
    """
    counts = np.asarray(counts).astype(np.int64)
    first = np.random.default_rng(seed).binomial(counts, 0.5)
    second = counts - first
    fits = []
    for by, of in ((first, second), (second, first)):
        kept = np.flatnonzero(by > 0)
        order = kept[np.argsort(-by[kept], kind="stable")]
        fits.append(fit_zipf(of[order]))
    exponent = (fits[0].exponent + fits[1].exponent) / 2
    # The halves share their tokens' ranks, so no more is claimed than the larger of their errors.
    stderr = max(fit.stderr for fit in fits)
    return ZipfFit(exponent, stderr, (1, min(fit.ranks[1] for fit in fits)), "maximum likelihood, split halves")


def regress(
    counts: np.ndarray, first: int = REGRESSION_FIRST_RANK, least: int = REGRESSION_LEAST_COUNT
) -> ZipfFit | None:
    """Least squares of log count on log rank, ranks ``first`` to the last counted ``least`` times.

    Ranks are taken evenly in log rank (20 a decade). The error is of the residuals, which are correlated:
    it is too small. None where fewer than three ranks are left.

    Parameters
    ----------
    counts : ndarray, shape (types,)
        Decreasing.
    """
    counts = np.asarray(counts, dtype=np.float64)
    last = int(np.count_nonzero(counts >= least))
    if last < first + 2:
        return None
    size = max(3, int(np.ceil(np.log10(last / first) * PER_DECADE)) + 1)
    ranks = np.unique(np.round(np.geomspace(first, last, size)).astype(np.int64))
    x, y = np.log(ranks), np.log(counts[ranks - 1])
    dx = x - x.mean()
    slope = float(dx @ y / (dx @ dx))
    residual = y - y.mean() - slope * dx
    stderr = float(np.sqrt(residual @ residual / (len(x) - 2) / (dx @ dx)))
    return ZipfFit(-slope, stderr, (first, last), "regression of log count on log rank")


def _finite(exponent: float, log_rank: np.ndarray) -> tuple[float, float]:
    """Mean and variance of log r under p_r proportional to r^-exponent, r = 1 ... k."""
    weight = -exponent * log_rank
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    mean = float(weight @ log_rank)
    return mean, float(weight @ (log_rank - mean) ** 2)


def _infinite(exponent: float) -> tuple[float, float]:
    """The same over all whole numbers: the first terms, then integrals and Euler-Maclaurin corrections."""
    a, log_rank = exponent, HEAD_LOGS
    weight = np.exp(-a * log_rank)
    sums = np.array([weight.sum(), weight @ log_rank, weight @ log_rank**2])
    t, b = np.log(HEAD), a - 1
    scale = np.exp(-b * t)  # HEAD^(1 - a)
    integrals = scale * np.array([1 / b, t / b + 1 / b**2, t**2 / b + 2 * t / b**2 + 2 / b**3])
    values = scale / HEAD * t ** np.arange(3)
    slopes = scale / HEAD**2 * np.array([-a, 1 - a * t, 2 * t - a * t**2])
    sums += integrals + values / 2 - slopes / 12
    mean = float(sums[1] / sums[0])
    return mean, float(sums[2] / sums[0] - mean**2)
