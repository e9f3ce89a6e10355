"""A head by how frequent its tokens are: overlaps weighted by counts, and buckets of the ranks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.geometry import blocks
from superlaw.lm.head import Head

BUCKETS = {"head": 100, "middle": 10, "tail": 1}  # name: ranks up to n over this, from where the one before ends


@dataclass(frozen=True)
class Bucket:
    """Rows of tokens of neighbouring ranks.

    Parameters
    ----------
    name : str
        head (the most frequent 1 % of tokens), middle (the next 9 %) or tail (the other 90 %).
    ranks : tuple of int
        First and last.
    mean_norm, std_norm : float
    mean_square : float or None
        Mean squared overlap over pairs within the bucket; None for fewer than two rows.
    centred : float or None
        The same once the mean row of the whole head is removed.
    """

    name: str
    ranks: tuple[int, int]
    mean_norm: float
    std_norm: float
    mean_square: float | None
    centred: float | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def rank_buckets(W: np.ndarray, norms: np.ndarray, ranked: np.ndarray) -> tuple[Bucket, ...]:
    """Norms and overlaps of head, middle and tail of the ranks.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    norms : ndarray, shape (n,)
    ranked : ndarray of int
        Rows that have a direction, of the most frequent token first.

    Examples
    --------
    >>> W = np.random.default_rng(0).normal(size=(1000, 8))
    >>> [(b.name, b.ranks) for b in rank_buckets(W, np.linalg.norm(W, axis=1), np.arange(1000))]
    [('head', (1, 10)), ('middle', (11, 100)), ('tail', (101, 1000))]
    """
    n, centre, found = len(ranked), blocks.mean_row(W, ranked), []
    edges = (0, *(-(-n // share) for share in BUCKETS.values()))
    for name, (a, b) in zip(BUCKETS, pairwise(edges), strict=True):
        rows = np.sort(ranked[a:b])
        if len(rows):
            square, centred = (
                blocks.unit_moment(W, rows, moved).mean_square_overlap if len(rows) > 1 else None
                for moved in (None, centre)
            )
            inside = norms[rows]
            found.append(Bucket(name, (a + 1, b), float(inside.mean()), float(inside.std()), square, centred))
    return tuple(found)


def counts_of_rows(head: Head, counts: np.ndarray) -> np.ndarray:
    """Counts by row, shape (n,), of counts by token: 0 for tokens that have none.

    Raises
    ------
    InputError
        When a token beyond the rows was counted.
    """
    n = len(head.W)
    if len(counts) > n and counts[n:].any():
        raise InputError(
            f"counts of token {int(np.flatnonzero(counts)[-1])}, and {head.name} has {n} rows",
            "counts made with this model's own tokenizer", "superlaw lm tokens --tokenizer MODEL",
        )  # fmt: skip
    full = np.zeros(n)
    full[: len(counts)] = counts[:n]
    return full


def weigh(head: Head, norms: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    """Overlaps weighted by frequency, and how norms go with frequency.

    Parameters
    ----------
    head : Head
    norms, counts : ndarray, shape (n,)
        By row.
    """
    from scipy.stats import spearmanr

    counted = np.flatnonzero((counts > 0) & (norms > 0))
    if len(counted) < 3:
        raise InputError(f"counts of {len(counted)} tokens of {head.name}", "at least three")
    relation = float(spearmanr(counts[counted], norms[counted]).statistic)  # NaN where all counts or norms are equal
    # Of Fisher's z of a rank correlation (Bonett and Wright, Psychometrika 65, 2000), carried back.
    error = (1 - relation**2) * np.sqrt((1 + relation**2 / 2) / max(1, len(counted) - 3))
    return {
        "mean_square_overlap": blocks.weighted_mean_square_overlap(head.W, np.where(norms > 0, counts, 0.0)),
        "tokens_counted": int(counts.sum()), "distinct": len(counted),
        "norm_frequency_rank_correlation": None if np.isnan(relation) else relation,
        "norm_frequency_rank_correlation_stderr": None if np.isnan(relation) else float(error),
    }  # fmt: skip
