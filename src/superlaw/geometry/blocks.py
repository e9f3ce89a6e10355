"""Overlaps of matrices too large to copy: rows are taken by blocks, in float32 or better.

A block of rows is converted (bf16, fp16) and scaled to unit length only while it is used, so that a
matrix mapped from a file costs its own bytes and little more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from superlaw.geometry.moment import Moment

NUMBERS = 1 << 23  # of a block of rows, however wide: 32 MB in float32
ROWS = 4096  # of a block of rows, at most
PAIR_ROWS = 1024  # of a block of pairs: 4 MB in float32
FEW = 2048  # rows whose overlaps are taken all at once: 32 MB in float64


@dataclass(frozen=True, eq=False)
class RowScan:
    """What one pass over the rows shows.

    ``norms`` (n,) in float64; ``bad`` counts rows with NaN or infinity and ``first_bad`` is the first of
    them (-1: none).
    """

    norms: np.ndarray
    bad: int
    first_bad: int


def row_blocks(W: np.ndarray, rows: np.ndarray | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """(place among the chosen rows, block in float32, or in float64 where W is)."""
    count = len(W) if rows is None else len(rows)
    size = min(ROWS, max(1, NUMBERS // W.shape[1]))
    dtype = np.float64 if W.dtype == np.float64 else np.float32
    for i in range(0, count, size):
        place = slice(i, min(i + size, count))
        yield place, np.asarray(W[place] if rows is None else W[rows[place]]).astype(dtype, copy=False)


def scan_rows(W: np.ndarray) -> RowScan:
    """Norms of all rows, and which of them are not finite.

    Examples
    --------
    >>> scan_rows(np.array([[3.0, 4.0], [np.nan, 1.0]])).first_bad
    1
    """
    norms = np.empty(len(W))
    with np.errstate(over="ignore", invalid="ignore"):
        for place, block in row_blocks(W):
            norms[place] = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(norms))
    return RowScan(norms, len(bad), int(bad[0]) if len(bad) else -1)


def mean_row(W: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Mean of the chosen rows, shape (m,), in float64."""
    total = np.zeros(W.shape[1])
    for _, block in row_blocks(W, rows):
        total += block.sum(axis=0, dtype=np.float64)
    return total / (len(W) if rows is None else len(rows))


def unit_blocks(
    W: np.ndarray, rows: np.ndarray | None = None, centre: np.ndarray | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of rows less ``centre``, scaled to length 1; a row of length 0 stays 0."""
    for place, block in row_blocks(W, rows):
        moved = block if centre is None else block - centre
        norms = np.sqrt(np.einsum("ij,ij->i", moved, moved, dtype=np.float64))
        yield place, (moved / np.where(norms > 0, norms, 1.0)[:, None]).astype(block.dtype, copy=False)


def unit_moment(
    W: np.ndarray, rows: np.ndarray | None = None, centre: np.ndarray | None = None, weights: np.ndarray | None = None
) -> Moment:
    """Second moment of the unit rows, each counted ``weights`` times (once when None): n m^2 operations.

    Examples
    --------
    >>> mercedes = np.array([[np.cos(a), np.sin(a)] for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)])
    >>> round(unit_moment(mercedes).mean_square_overlap, 12)
    0.25
    """
    count = len(W) if rows is None else len(rows)
    m = W.shape[1]
    if m > count:  # few rows: the matrix of their overlaps is smaller
        roots = np.ones(count) if weights is None else np.sqrt(weights)
        return Moment(all_overlaps(W, rows, centre) * np.outer(roots, roots), count)
    total = np.zeros((m, m))
    for place, w in unit_blocks(W, rows, centre):
        if weights is not None:
            w = (w * np.sqrt(weights[place])[:, None]).astype(w.dtype)
        total += w.T @ w  # summed in float64: a block's own rounding is all that is left
    return Moment(total, count)


def weighted_mean_square_overlap(W: np.ndarray, weights: np.ndarray) -> float:
    """Mean of (w_i . w_j)^2 over pairs i != j, each pair weighted by weights_i weights_j.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(weighted_mean_square_overlap(rows, np.array([0.5, 0.5, 0.0])), 12)
    1.0
    """
    p = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    moment = unit_moment(W, weights=p).matrix
    return max(0.0, float((np.sum(moment**2) - p @ p) / (1 - p @ p)))


def all_overlaps(W: np.ndarray, rows: np.ndarray | None = None, centre: np.ndarray | None = None) -> np.ndarray:
    """Overlaps of all pairs of few rows, each with itself too, in float64, shape (rows, rows): by blocks of columns.

    Examples
    --------
    >>> all_overlaps(np.array([[2.0, 0.0], [3.0, 3.0], [0.0, 0.0]])).round(3)
    array([[1.   , 0.707, 0.   ],
           [0.707, 1.   , 0.   ],
           [0.   , 0.   , 0.   ]])
    """
    count = len(W) if rows is None else len(rows)
    total, step = np.zeros((count, count)), max(1, NUMBERS // (2 * max(1, count)))
    for j in range(0, W.shape[1], step):
        block = np.asarray(W[:, j : j + step] if rows is None else W[rows, j : j + step]).astype(np.float64)
        block = block if centre is None else block - centre[j : j + step]
        total += block @ block.T
    norms = np.sqrt(np.diag(total))
    norms[norms == 0] = 1.0
    return total / np.outer(norms, norms)


def mean_abs_overlap(W: np.ndarray, rows: np.ndarray | None = None, centre: np.ndarray | None = None) -> float:
    """Mean of |w_i . w_j| over pairs i != j, exactly, by blocks of pairs: n^2 m operations on all cores."""
    w = np.concatenate([block for _, block in unit_blocks(W, rows, centre)])
    n = len(w)

    def stripe(i: int) -> float:
        total, block = 0.0, w[i : i + PAIR_ROWS]
        for j in range(i, n, PAIR_ROWS):
            overlaps = block @ w[j : j + PAIR_ROWS].T
            np.abs(overlaps, out=overlaps)
            if i == j:
                np.fill_diagonal(overlaps, 0.0)
            # Row sums in float32 are pairwise; their sum is taken in float64.
            total += float(overlaps.sum(axis=1).sum(dtype=np.float64)) * (1 if i == j else 2)
        return total

    with ThreadPoolExecutor(usable_cores()) as pool:
        return sum(pool.map(stripe, range(0, n, PAIR_ROWS))) / (n * (n - 1)) if n > 1 else float("nan")


def sample_overlaps(
    W: np.ndarray, count: int, seed: int = 0, rows: np.ndarray | None = None, centre: np.ndarray | None = None
) -> np.ndarray:
    """Overlaps of ``count`` pairs i != j drawn independently and evenly, shape (count,)."""
    rows = np.arange(len(W)) if rows is None else rows
    random = np.random.default_rng(seed)
    first = random.integers(len(rows), size=count)
    second = (first + random.integers(1, len(rows), size=count)) % len(rows)
    if len(rows) <= FEW:
        return all_overlaps(W, rows, centre)[first, second]
    found, size = np.empty(count), min(2 * ROWS, max(1, NUMBERS // W.shape[1]))
    for i in range(0, count, size):
        chunk = slice(i, min(i + size, count))
        pairs = np.concatenate([rows[first[chunk]], rows[second[chunk]]])
        w = np.concatenate([block for _, block in unit_blocks(W, pairs, centre)])
        half = len(w) // 2
        found[chunk] = np.einsum("ij,ij->i", w[:half], w[half:], dtype=np.float64)
    return found


def usable_cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
