"""What a head shows: norms, overlaps, spectrum, hygiene, beside 1/m, random directions and Welch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.geometry import blocks
from superlaw.geometry.frames import random_mean_abs_overlap, welch
from superlaw.lm.head import Head

EXACT_WORK = 5e11  # n^2 m up to which all pairs are visited: some seconds
PAIRS = 400_000
NORM_BINS = 40
KINDS = ("zero", "duplicate", "padded", "untrained")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
REFERENCE_ROWS = 8  # placeholder and padded rows needed to know what an untrained row looks like
ALIGNED = 0.5  # their least cosine with their mean: below it they share no direction
REPRESENTED = 0.5  # of the mean norm


@dataclass(frozen=True)
class Overlaps:
    """Overlaps w_i . w_j of unit rows over pairs i != j.

    ``mean_abs_stderr`` is 0 where all pairs were visited (``pairs`` None), else the standard error of the
    ``pairs`` sampled ones; the mean square is exact in both cases.
    """

    mean_square: float
    mean_abs: float
    mean_abs_stderr: float
    pairs: int | None
    participation_ratio: float
    spectrum: np.ndarray = field(repr=False)
    sample: np.ndarray = field(repr=False)

    @property
    def std(self) -> float:
        """Standard deviation of |overlap|."""
        return float(np.sqrt(max(0.0, self.mean_square - self.mean_abs**2)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        shares = np.cumsum(self.spectrum)
        return {
            "mean_square_overlap": self.mean_square,
            "mean_abs_overlap": self.mean_abs,
            "mean_abs_overlap_stderr": self.mean_abs_stderr,
            "std_overlap": self.std,
            "sampled_pairs": self.pairs,
            "overlap_quantiles": {str(q): float(np.quantile(self.sample, q)) for q in QUANTILES},
            "participation_ratio": self.participation_ratio,
            "largest_direction": float(self.spectrum[0]),
            "directions_for_90_percent": int(np.searchsorted(shares, 0.9)) + 1,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeadMeasures:
    """Measures of one head; ``hygiene`` counts rows, ``left_out`` names the kinds not measured."""

    head: Head
    n: int
    m: int
    norms: np.ndarray = field(repr=False)
    overlaps: Overlaps
    centred: Overlaps | None
    hygiene: dict[str, int | None]
    left_out: tuple[str, ...]
    weighted: dict[str, Any] | None = None

    @property
    def represented(self) -> float:
        """Share of rows longer than half the mean norm (the toy model's 1/2, in units of a trained row)."""
        return float(np.mean(self.norms > REPRESENTED * self.norms.mean()))

    @property
    def excess(self) -> float:
        """Mean squared overlap over 1/m: 1 for random directions, more where some are preferred."""
        return self.overlaps.mean_square * self.m

    @property
    def verdict(self) -> str:
        """One plain sentence."""
        share, used = self.represented, self.overlaps.participation_ratio
        count = share * self.n
        what = f"{share:.1%} of {self.n} tokens are represented (norm above half the mean) in {self.m} dimensions"
        if count <= self.m:
            kind = "no superposition: no more tokens than dimensions"
        elif share >= 0.9:
            kind = "strong superposition"
        else:
            kind = "weaker superposition: many tokens have short rows"
        how = "as random directions" if self.excess < 1.1 else f"{self.excess:.3g} times random directions"
        return f"{what}: {kind}; mean squared overlap {how}, as if {used:.0f} of {self.m} dimensions were used evenly."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        heights, edges = np.histogram(self.norms, norm_edges(self.norms, NORM_BINS))
        return {
            "name": self.head.name, "tensor": self.head.tensor, "why": self.head.why, "n": self.n, "m": self.m,
            "hidden_size": self.head.hidden_size, "dtype": self.head.W.dtype.name,
            **self.overlaps.to_dict(),
            "inverse_width": 1 / self.m, "welch": welch(self.n, self.m),
            "random_mean_abs_overlap": random_mean_abs_overlap(self.m),
            "represented_fraction": self.represented,
            "norms": {
                "mean": float(self.norms.mean()), "std": float(self.norms.std()), "min": float(self.norms.min()),
                "max": float(self.norms.max()), "histogram": heights.tolist(), "edges": edges.tolist(),
            },
            "hygiene": {**self.hygiene, "left_out": list(self.left_out)},
            "centred": self.centred.to_dict() if self.centred else None,
            "weighted": self.weighted, "notes": list(self.head.notes), "verdict": self.verdict,
        }  # fmt: skip


def norm_edges(norms: np.ndarray, bins: int) -> np.ndarray:
    """Edges of a histogram, around rows of one length too, which differ by rounding only.

    Examples
    --------
    >>> norm_edges(np.array([1.0, 1.0 + 2e-16]), 2).round(6)
    array([0.5, 1. , 1.5])
    """
    low, high = float(norms.min()), float(norms.max())
    room = 0.5 * high if high - low < 1e-12 * high else 0.0
    return np.linspace(low - room, high + room, bins + 1)


def measure_head(
    head: Head,
    centre: bool = False,
    counts: np.ndarray | None = None,
    pairs: str = "auto",
    leave_out: tuple[str, ...] = (),
    seed: int = 0,
) -> HeadMeasures:
    """Measure a head.

    Parameters
    ----------
    head : Head
    centre : bool
        Also measure the overlaps after removing the mean row.
    counts : ndarray, shape (tokens,), optional
        How often each token occurs; adds overlaps weighted by frequency, and norm against frequency.
    pairs : {"auto", "exact", "sampled"}
        Mean |overlap| over all pairs, or over sampled ones with a standard error.
    leave_out : tuple of {"duplicate", "padded", "untrained"}
        Rows not to measure. Rows of length 0 have no direction and never enter an overlap.
    seed : int
        Of the sampled pairs.

    Raises
    ------
    InputError
        When rows are not finite, or fewer than two have a direction.

    Examples
    --------
    >>> W = np.random.default_rng(0).normal(size=(500, 20)).astype(np.float32)
    >>> shown = measure_head(Head("random", "W", "made here", W))
    >>> abs(shown.excess - 1) < 0.1, shown.represented
    (True, 1.0)
    """
    for value, known, name in (
        (pairs, ("auto", "exact", "sampled"), "pairs"),
        *((k, KINDS, "leave_out") for k in leave_out),
    ):
        if value not in known:
            raise InputError(f"{name} = {value}", f"one of {', '.join(known)}")
    W = head.W
    scan = blocks.scan_rows(W)
    if scan.bad:
        raise InputError(
            f"{head.name}: {head.tensor} with NaN, infinity or too large numbers in {scan.bad} rows "
            f"(first: row {scan.first_bad})", "finite numbers", "the checkpoint is damaged or its training diverged",
        )  # fmt: skip
    kinds = _kinds(head, scan.norms)
    kept = np.ones(len(W), dtype=bool)
    for kind in leave_out:
        found = kinds[kind]
        if found is None:
            raise InputError(f"{head.name}: no way to tell {kind} rows", "a tokenizer.json that names tokens",
                             f"measure without --leave-out {kind}")  # fmt: skip
        kept &= ~found
    directed = kept & (scan.norms > 0)
    if directed.sum() < 2:
        raise InputError(f"{head.name}: {int(directed.sum())} rows with a direction", "at least two")
    rows = None if directed.all() else np.flatnonzero(directed)
    exact = pairs == "exact" or (pairs == "auto" and float(directed.sum()) ** 2 * W.shape[1] <= EXACT_WORK)
    centred = _overlaps(W, rows, blocks.mean_row(W, rows), exact, seed) if centre else None
    hygiene = {kind: None if found is None else int(found.sum()) for kind, found in kinds.items()}
    weighted = None if counts is None else weigh(head, scan.norms, counts)
    return HeadMeasures(head, int(kept.sum()), W.shape[1], scan.norms[kept], _overlaps(W, rows, None, exact, seed),
                        centred, hygiene, tuple(leave_out), weighted)  # fmt: skip


def _overlaps(W: np.ndarray, rows: np.ndarray | None, centre: np.ndarray | None, exact: bool, seed: int) -> Overlaps:
    moment = blocks.unit_moment(W, rows, centre)
    sample = np.abs(blocks.sample_overlaps(W, PAIRS, seed, rows, centre))
    mean, stderr = float(sample.mean()), float(sample.std(ddof=1) / np.sqrt(len(sample)))
    if exact:
        mean, stderr = blocks.mean_abs_overlap(W, rows, centre), 0.0
    return Overlaps(moment.mean_square_overlap, mean, stderr, None if exact else len(sample),
                    moment.participation_ratio, moment.spectrum(), sample)  # fmt: skip


def _kinds(head: Head, norms: np.ndarray) -> dict[str, np.ndarray | None]:
    """For each kind of suspicious row, which rows are of it; None where it cannot be told."""
    n = len(norms)
    zero = norms == 0
    padded = None
    if head.n_tokens is not None:
        padded = np.arange(n) >= head.n_tokens
    return {"zero": zero, "duplicate": _duplicates(head.W, zero), "padded": padded,
            "untrained": _untrained(head, zero, padded)}  # fmt: skip


def _duplicates(W: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Rows equal to an earlier one (rows of zeros apart)."""
    found, seen = np.zeros(len(W), dtype=bool), set()
    for i in np.flatnonzero(~zero):
        digest = hashlib.blake2b(np.ascontiguousarray(W[i]).tobytes(), digest_size=16).digest()
        found[i] = digest in seen
        seen.add(digest)
    return found


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


def weigh(head: Head, norms: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    """Overlaps weighted by frequency, and norms against frequency rank.

    Parameters
    ----------
    head : Head
    norms : ndarray, shape (n,)
    counts : ndarray, shape (tokens,)
        Of at most n tokens; tokens beyond have none.
    """
    from scipy.stats import spearmanr

    if len(counts) > len(norms) and counts[len(norms) :].any():
        raise InputError(
            f"counts of token {int(np.flatnonzero(counts)[-1])}, and {head.name} has {len(norms)} rows",
            "counts made with this model's own tokenizer", "superlaw lm tokens --tokenizer MODEL",
        )  # fmt: skip
    full = np.zeros(len(norms))
    full[: len(counts)] = counts[: len(norms)]
    counted = np.flatnonzero((full > 0) & (norms > 0))
    if len(counted) < 3:
        raise InputError(f"counts of {len(counted)} tokens of {head.name}", "at least three")
    ranked = counted[np.argsort(-full[counted], kind="stable")]
    relation = float(spearmanr(full[counted], norms[counted]).statistic)  # NaN where all counts or norms are equal
    # Of Fisher's z of a rank correlation (Bonett and Wright, Psychometrika 65, 2000), carried back.
    error = (1 - relation**2) * np.sqrt((1 + relation**2 / 2) / max(1, len(counted) - 3))
    edges = [0, *[10**k for k in range(1, 7) if 10**k < len(ranked)], len(ranked)]
    bands = []
    for a, b in pairwise(edges):
        inside = norms[ranked[a:b]]
        bands.append({"ranks": [a + 1, b], "mean_norm": float(inside.mean()), "std_norm": float(inside.std())})
    return {
        "mean_square_overlap": blocks.weighted_mean_square_overlap(head.W, np.where(norms > 0, full, 0.0)),
        "tokens_counted": int(full.sum()), "distinct": len(counted),
        "norm_frequency_rank_correlation": None if np.isnan(relation) else relation,
        "norm_frequency_rank_correlation_stderr": None if np.isnan(relation) else float(error),
        "norm_by_rank": bands,
    }  # fmt: skip
