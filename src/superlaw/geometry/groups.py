"""Overlaps within groups of rows, and between them: by norm (strong, weak, ignored) and by frequency rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.records import json_ready
from superlaw.geometry import frames
from superlaw.geometry.overlaps import PairStatistics, check_rows, pair_statistics, row_norms

REPRESENTED, STRONG = 0.5, 1.0  # row norms above which a feature is (strongly) represented


@dataclass(frozen=True)
class GroupOverlaps:
    """Overlaps within a group of rows, or between two, beside what frames of that size can have.

    Parameters
    ----------
    name : str
        ``all``, ``strong``, ``weak``, ``ignored``, ``ranks 1-10``, or ``ranks 1-10 x 11-100``.
    rows : int
        Of the group (of the first, between two) with a direction.
    others : int or None
        Rows of the second group; None within one.
    width : int
        m.
    found : PairStatistics
        Count of pairs, mean and variance of squared overlaps, mean and largest |overlap|.
    """

    name: str
    rows: int
    others: int | None
    width: int
    found: PairStatistics

    @property
    def welch(self) -> float:
        """Welch's bound on the mean squared overlap; NaN between groups and with fewer than two rows."""
        return frames.welch(self.rows, self.width) if self.others is None and self.rows > 1 else float("nan")

    @property
    def welch_ratio(self) -> float:
        """Mean squared overlap over Welch's bound: 1 for a tight frame. NaN where the bound is 0 or is not one."""
        return self.found.mean_square / self.welch if self.welch > 0 else float("nan")

    @property
    def etf_distance(self) -> float:
        """Variance of squared overlaps over that of random directions: 0 equiangular, 1 as random."""
        return frames.etf_distance(self.found.square_variance, self.width)

    @property
    def least_etf_distance(self) -> float:
        """The least that the distance can be for so many rows with the mean found: 0 up to m (m + 1)/2 rows."""
        if self.others is not None or not self.found.pairs:
            return float("nan")
        least = frames.least_square_overlap_variance(self.rows, self.width, self.found.mean_square)
        return frames.etf_distance(least, self.width)

    def to_dict(self) -> dict[str, Any]:
        """For JSON and tables: what is not a number becomes None."""
        mean, variance = frames.random_square_overlap(self.width)
        pairs = self.found.pairs
        record = {
            "group": self.name, "rows": self.rows, "others": self.others, "pairs": pairs,
            "mean_square_overlap": self.found.mean_square, "square_overlap_variance": self.found.square_variance,
            "mean_abs_overlap": self.found.mean_abs, "largest_overlap": self.found.largest,
            "welch": self.welch, "welch_largest": self.welch**0.5, "welch_ratio": self.welch_ratio,
            "etf_distance": self.etf_distance, "least_etf_distance": self.least_etf_distance,
            "random_mean_square_overlap": mean, "random_square_overlap_variance": variance,
            "random_mean_abs_overlap": frames.random_mean_abs_overlap(self.width),
            "random_largest_overlap": frames.random_largest_overlap(pairs, self.width) if pairs else float("nan"),
        }  # fmt: skip
        return json_ready(record)


def group_overlaps(name: str, W: np.ndarray, others: np.ndarray | None = None) -> GroupOverlaps:
    """The record of one group of rows, or of a group and ``others``.

    Examples
    --------
    >>> group = group_overlaps("basis", np.eye(3))
    >>> group.rows, group.found.mean_square, group.etf_distance
    (3, 0.0, 0.0)
    """
    directed = lambda rows: int(np.sum(row_norms(rows) > 0))  # noqa: E731
    return GroupOverlaps(
        name, directed(W), None if others is None else directed(others), W.shape[1], pair_statistics(W, others)
    )


def norm_groups(W: np.ndarray, represented: float = REPRESENTED, strong: float = STRONG) -> dict[str, np.ndarray]:
    """Which rows are of each group, shape (n,) bool: strong, weak, ignored; every row is in just one.

    ``strong`` rows are longer than 1, ``weak`` ones represented (longer than 1/2) but not strong, ``ignored`` ones
    no longer than 1/2: their directions are mostly what training left over.

    Examples
    --------
    >>> {name: int(rows.sum()) for name, rows in norm_groups(np.array([[1.2, 0], [0.8, 0], [0, 0.7], [0, 0]])).items()}
    {'strong': 1, 'weak': 2, 'ignored': 1}
    """
    if not 0 <= represented <= strong:
        raise InputError(f"thresholds {represented:g} and {strong:g}", "0 <= represented <= strong")
    norms = row_norms(check_rows(W))
    return {
        "strong": norms > strong,
        "weak": (norms > represented) & (norms <= strong),
        "ignored": norms <= represented,
    }


def overlaps_by_norm(
    W: np.ndarray, represented: float = REPRESENTED, strong: float = STRONG
) -> tuple[GroupOverlaps, ...]:
    """Overlaps among all rows, the strong, the weak and the ignored (see :func:`norm_groups`), in that order.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    represented, strong : float
        Norms above which a row is (strongly) represented.

    Raises
    ------
    InputError
        When W is not an (n, m) array of finite numbers, or the thresholds are out of order.

    Examples
    --------
    >>> W = np.vstack([1.1 * np.eye(2), [[0.6, 0.6]]])
    >>> [(group.name, group.rows, group.found.mean_square) for group in overlaps_by_norm(W)[1:3]]
    [('strong', 2, 0.0), ('weak', 1, nan)]
    """
    W = check_rows(W)
    groups = norm_groups(W, represented, strong)
    return (group_overlaps("all", W), *(group_overlaps(name, W[rows]) for name, rows in groups.items()))


def decade_edges(n: int) -> tuple[int, ...]:
    """Edges of the decades of rank: 0, 10, 100, ..., n.

    Examples
    --------
    >>> decade_edges(1000), decade_edges(250), decade_edges(7)
    ((0, 10, 100, 1000), (0, 10, 100, 250), (0, 7))
    """
    decades = []
    while 10 ** (len(decades) + 1) < n:
        decades.append(10 ** (len(decades) + 1))
    return (0, *decades, n)


def overlaps_by_rank(
    W: np.ndarray,
    edges: Sequence[int] | None = None,
    frequencies: np.ndarray | None = None,
    between: bool = True,
) -> tuple[GroupOverlaps, ...]:
    """Overlaps within bins of frequency rank, then between each two bins.

    Parameters
    ----------
    W : ndarray, shape (n, m)
    edges : sequence of int, optional
        0 = e_0 < e_1 < ... <= n: a bin holds the ranks e_k + 1 to e_(k + 1). Decades when left out.
    frequencies : ndarray, shape (n,), optional
        Ranks go by these, decreasing; when left out, rows are taken to be in order of rank.
    between : bool
        Also between bins. Welch's bound does not apply there; random directions do.

    Raises
    ------
    InputError
        When W is not an (n, m) array of finite numbers, or edges or frequencies do not fit it.

    Examples
    --------
    >>> W = np.vstack([np.eye(2), [[1.0, 1.0]]])
    >>> [(group.name, round(group.found.largest, 3)) for group in overlaps_by_rank(W, (0, 2, 3))]
    [('ranks 1-2', 0.0), ('ranks 3-3', nan), ('ranks 1-2 x 3-3', 0.707)]
    """
    W = check_rows(W)
    n = len(W)
    edges = decade_edges(n) if edges is None else tuple(int(edge) for edge in edges)
    if len(edges) < 2 or edges[0] < 0 or edges[-1] > n or any(a >= b for a, b in pairwise(edges)):
        raise InputError(f"edges {edges} of the ranks of {n} rows", f"increasing whole numbers from 0 to {n}")
    if frequencies is not None:
        p = np.asarray(frequencies, dtype=np.float64)
        if p.shape != (n,) or not np.isfinite(p).all():
            raise InputError(f"frequencies of shape {p.shape} for {n} rows", "one finite number a row")
        W = W[np.argsort(-p, kind="stable")]
    bins = [(f"{a + 1}-{b}", W[a:b]) for a, b in pairwise(edges)]
    within = [group_overlaps(f"ranks {name}", rows) for name, rows in bins]
    if not between:
        return tuple(within)
    crossed = [group_overlaps(f"ranks {a} x {b}", first, second) for (a, first), (b, second) in combinations(bins, 2)]
    return (*within, *crossed)
