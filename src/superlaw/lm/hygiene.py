"""Rows of a head that are no tokens of a trained model: of zeros, equal, padded, never trained."""

from __future__ import annotations

import hashlib

import numpy as np

from superlaw.geometry import blocks
from superlaw.lm.head import Head

KINDS = ("zero", "duplicate", "padded", "untrained")
REFERENCE_ROWS = 8  # placeholder and padded rows needed to know what an untrained row looks like
ALIGNED = 0.5  # their least cosine with their mean: below it they share no direction


def suspicious_rows(head: Head, norms: np.ndarray, first: np.ndarray) -> dict[str, np.ndarray | None]:
    """For each kind of suspicious row, which rows are of it, shape (n,); None where it cannot be told.

    Parameters
    ----------
    head : Head
    norms, first : ndarray, shape (n,)
        Of the rows; of :func:`first_equal`.
    """
    n = len(norms)
    zero = norms == 0
    padded = None
    if head.n_tokens is not None:
        padded = np.arange(n) >= head.n_tokens
    return {"zero": zero, "duplicate": first != np.arange(n), "padded": padded,
            "untrained": _untrained(head, zero, padded)}  # fmt: skip


def first_equal(W: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """The first row that each row is equal to, itself where no earlier one is, shape (n,). Rows of zeros stay apart.

    Examples
    --------
    >>> first_equal(np.array([[1.0], [2.0], [1.0], [0.0], [0.0]]), np.arange(5) > 2)
    array([0, 1, 0, 3, 4])
    """
    found, seen = np.arange(len(W)), {}
    for i in np.flatnonzero(~zero):
        digest = hashlib.blake2b(np.ascontiguousarray(W[i]).tobytes(), digest_size=16).digest()
        found[i] = seen.setdefault(digest, i)
    return found


def share_of_equal_pairs(first: np.ndarray) -> float:
    """Share of all pairs of rows that are equal, by the first row that each is equal to; 0 for fewer than two.

    Examples
    --------
    >>> share_of_equal_pairs(np.array([0, 1, 0])).__round__(6)
    0.333333
    """
    n, sizes = len(first), np.unique(first, return_counts=True)[1].astype(float)
    return float(sizes @ (sizes - 1)) / (n * (n - 1)) if n > 1 else 0.0


def _untrained(head: Head, zero: np.ndarray, padded: np.ndarray | None) -> np.ndarray | None:
    """Rows that point where padded and placeholder rows point, once the mean row is removed.

    Tokens that training never met share a direction, as they feel only what all tokens feel. Padded rows
    and those named unused or reserved show it; every row at least as aligned with their mean as nineteen
    in twenty of them are is counted. None with fewer than 8 such rows, or where they share no direction.
    """
    if padded is None:
        return None
    reference = padded & ~zero
    reference[head.placeholders] = ~zero[head.placeholders]
    if reference.sum() < REFERENCE_ROWS:
        return None
    centre = blocks.mean_row(head.W)
    direction = blocks.mean_row(
        np.concatenate([w for _, w in blocks.unit_blocks(head.W, np.flatnonzero(reference), centre)])
    )
    direction /= np.linalg.norm(direction) or 1.0
    cosine = np.concatenate([w @ direction for _, w in blocks.unit_blocks(head.W, None, centre)])
    threshold = np.quantile(cosine[reference], 0.05)
    return (cosine >= threshold) & ~zero if threshold >= ALIGNED else None
