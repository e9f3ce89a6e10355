"""What a head shows: norms, overlaps, spectrum, hygiene, beside 1/m, random directions and Welch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.notebook import facts_html
from superlaw.files.numbers import in_short, with_error
from superlaw.geometry import blocks
from superlaw.geometry.dominant import PeeledOverlaps, peel
from superlaw.geometry.frames import random_mean_abs_overlap, welch
from superlaw.geometry.moment import Moment
from superlaw.lm.by_frequency import Bucket, counts_of_rows, rank_buckets, weigh
from superlaw.lm.head import Head
from superlaw.lm.hygiene import KINDS, first_equal, share_of_equal_pairs, suspicious_rows

EXACT_WORK = 5e11  # n^2 m up to which all pairs are visited: some seconds
PAIRS = 400_000
NORM_BINS = 40
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
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
    """Measures of one head.

    Parameters
    ----------
    head : Head
    n, m : int
        Rows that were measured, those of length 0 among them, and their width.
    norms : ndarray, shape (n,)
    overlaps : Overlaps
    centred : Overlaps or None
        Once the mean row is removed.
    centred_square : float
        Mean squared overlap once the mean row is removed; NaN where nothing is left.
    peeled : PeeledOverlaps
        Once dominant directions are removed.
    different : int
        Rows that have a direction and are equal to no earlier one.
    equal_pairs : float
        Share of the pairs of rows that are equal, and so overlap by 1.
    hygiene : dict of str to int or None
        How many rows of each suspicious kind; None where it cannot be told.
    left_out : tuple of str
        The kinds that were not measured.
    buckets : tuple of Bucket
        By rank, where ranks are known.
    weighted : dict or None
        By counts, where there are any.
    """

    head: Head
    n: int
    m: int
    norms: np.ndarray = field(repr=False)
    overlaps: Overlaps
    centred: Overlaps | None
    centred_square: float
    peeled: PeeledOverlaps
    different: int
    equal_pairs: float
    hygiene: dict[str, int | None]
    left_out: tuple[str, ...]
    buckets: tuple[Bucket, ...] = ()
    weighted: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"HeadMeasures({'; '.join(f'{name}: {value}' for name, value in self._facts)})"

    def _repr_html_(self) -> str:
        return facts_html(f"Head {self.head.name}", self._facts)

    @property
    def _facts(self) -> list[tuple[str, str]]:
        """What a notebook shows."""
        error = f" ± {self.overlaps.mean_abs_stderr:.1g}" if self.overlaps.pairs else ""
        return [
            ("tensor", f"{self.head.tensor}, {in_short(self.n)} rows of width {self.m}"),
            ("overlap² times m", f"{self.excess:.4g} (random directions: 1), {self.centred_excess:.4g} with the mean "
                                 "row removed"),
            ("mean |overlap|", f"{self.overlaps.mean_abs:.4g}{error} (random: {random_mean_abs_overlap(self.m):.4g})"),
            ("norms", f"{with_error(self.norms.mean(), self.norms.std())} (mean and spread)"),
            ("represented", f"{self.represented:.1%} of rows longer than half the mean"),
        ]  # fmt: skip

    @property
    def represented(self) -> float:
        """Share of rows longer than half the mean norm (the toy model's 1/2, in units of a trained row)."""
        return float(np.mean(self.norms > REPRESENTED * self.norms.mean()))

    @property
    def excess(self) -> float:
        """Mean squared overlap over 1/m: 1 for random directions, more where some are preferred."""
        return self.overlaps.mean_square * self.m

    @property
    def centred_excess(self) -> float:
        """The same once the mean row is removed, which adds the same to every logit."""
        return self.centred_square * self.m

    @property
    def norm_spread(self) -> float:
        """Standard deviation of the norms over their mean: about 1/sqrt(2m) for independent normal entries."""
        return float(self.norms.std() / self.norms.mean())

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
            "different_rows": self.different, "equal_pairs": self.equal_pairs,
            "centred": self.centred.to_dict() if self.centred else None,
            "centred_mean_square_overlap": self.centred_square,
            "directions_until_random": self.peeled.until_random,
            "excess_without_directions": {str(k): float(self.peeled.excess[k]) for k in self.peeled.shown()},
            "buckets": [bucket.to_dict() for bucket in self.buckets],
            "weighted": self.weighted, "notes": list(self.head.notes),
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
    *,
    ranks_by_id: bool = False,
) -> HeadMeasures:
    """Measure a head.

    Parameters
    ----------
    head : Head
    centre : bool
        Also measure the overlaps after removing the mean row.
    counts : ndarray, shape (tokens,), optional
        How often each token occurs; adds overlaps weighted by frequency, norm against frequency, and buckets by rank.
    pairs : {"auto", "exact", "sampled"}
        Mean |overlap| over all pairs, or over sampled ones with a standard error.
    leave_out : tuple of {"duplicate", "padded", "untrained"}
        Rows not to measure. Rows of length 0 have no direction and never enter an overlap.
    seed : int
        Of the sampled pairs.
    ranks_by_id : bool
        Without counts, take token ids for ranks, for buckets: vocabularies of byte-pair encoding are in the order of
        their merges, which is roughly that of frequency.

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
    first = first_equal(W, scan.norms == 0)
    kinds = suspicious_rows(head, scan.norms, first)
    kept = _kept_rows(head, kinds, leave_out)
    directed = kept & (scan.norms > 0)
    if directed.sum() < 2:
        raise InputError(f"{head.name}: {int(directed.sum())} rows with a direction", "at least two")
    rows = None if directed.all() else np.flatnonzero(directed)
    exact = pairs == "exact" or (pairs == "auto" and float(directed.sum()) ** 2 * W.shape[1] <= EXACT_WORK)
    moment = blocks.unit_moment(W, rows)
    middle = blocks.mean_row(W, rows)
    moved = blocks.unit_moment(W, rows, middle)
    different = len(np.unique(first[directed]))
    by_row = None if counts is None else counts_of_rows(head, counts)
    ranked = np.flatnonzero(directed)
    if by_row is not None:
        ranked = ranked[np.argsort(-by_row[ranked], kind="stable")]
    return HeadMeasures(
        head, int(kept.sum()), W.shape[1], scan.norms[kept],
        overlaps=_overlaps(W, rows, None, moment, exact, seed),
        centred=_overlaps(W, rows, middle, moved, exact, seed) if centre else None,
        centred_square=moved.mean_square_overlap if different > 1 else float("nan"),
        peeled=peel(W, rows, moment),
        different=different,
        equal_pairs=share_of_equal_pairs(first[directed]),
        hygiene={kind: None if found is None else int(found.sum()) for kind, found in kinds.items()},
        left_out=tuple(leave_out),
        buckets=rank_buckets(W, scan.norms, ranked) if ranks_by_id or by_row is not None else (),
        weighted=None if by_row is None else weigh(head, scan.norms, by_row),
    )  # fmt: skip


def _kept_rows(head: Head, kinds: dict[str, np.ndarray | None], leave_out: tuple[str, ...]) -> np.ndarray:
    """Which rows are measured, shape (n,)."""
    kept = np.ones(len(head.W), dtype=bool)
    for kind in leave_out:
        found = kinds[kind]
        if found is None:
            raise InputError(f"{head.name}: no way to tell {kind} rows", "a tokenizer that names tokens",
                             f"measure without --leave-out {kind}")  # fmt: skip
        kept &= ~found
    return kept


def _overlaps(
    W: np.ndarray, rows: np.ndarray | None, centre: np.ndarray | None, moment: Moment, exact: bool, seed: int
) -> Overlaps:
    sample = np.abs(blocks.sample_overlaps(W, PAIRS, seed, rows, centre))
    mean, stderr = float(sample.mean()), float(sample.std(ddof=1) / np.sqrt(len(sample)))
    if exact:
        mean, stderr = blocks.mean_abs_overlap(W, rows, centre), 0.0
    return Overlaps(moment.mean_square_overlap, mean, stderr, None if exact else len(sample),
                    moment.participation_ratio, moment.spectrum(), sample)  # fmt: skip
