"""Measures of a run: what its loss is, what is represented, and the geometry of its rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from superlaw.files.records import json_ready
from superlaw.geometry.frames import etf_distance, random_square_overlap, welch
from superlaw.geometry.groups import REPRESENTED, STRONG, norm_groups
from superlaw.geometry.overlaps import mean_square_overlap, pair_statistics, row_norms
from superlaw.geometry.spectrum import dimensionality, participation_ratio
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.model import silent_features
from superlaw.toy.run import Run

NAN = float("nan")
MOST_PAIRS = 200_000_000  # of rows, that are all looked at: seconds; of more, what needs the pairs is NaN


@dataclass(frozen=True)
class Measures:
    """Numbers read off a trained model. NaN where a run has none (diverged, too few rows, or made before they were).

    Losses are sums over features. ``welch`` bounds squared overlaps: compare it, and
    ``inverse_width`` and ``random_square_overlap_variance``, with ``mean_square_overlap`` and its
    variance. ``etf_distance`` is that variance over the random one: 0 equiangular, 1 as random directions.
    ``strong_*`` are the same among rows with norm above 1, ``weak_*`` among the other represented ones (1/2 to 1).

    ``participation_ratio`` is the number of directions that the unit rows use, ``weight_participation_ratio`` the same
    of the rows as they are. ``dimensionality_sum`` adds D_i = ||W_i||^2 / sum_j (w_i . W_j)^2 over features, at most m;
    ``represented_dimensionality`` is its mean over represented ones, 1 where they share no dimension.

    ``silent_fraction`` is the share of features that never answer their own input alone (superlaw.toy.model); NaN for
    GELU and cross-entropy, as ``unlearned_loss`` is for cross-entropy.
    """

    loss: float
    loss_std: float
    represented_fraction: float
    strong_fraction: float
    represented: int
    strong: int
    norm_mean: float
    norm_std: float
    norm_min: float
    norm_max: float
    mean_square_overlap: float
    square_overlap_variance: float
    inverse_width: float
    random_square_overlap_variance: float
    welch: float
    strong_mean_square_overlap: float
    strong_square_overlap_variance: float
    strong_welch: float
    unlearned_loss: float
    # Not in runs stored before they existed.
    mean_abs_overlap: float = NAN
    largest_overlap: float = NAN
    etf_distance: float = NAN
    strong_mean_abs_overlap: float = NAN
    strong_largest_overlap: float = NAN
    strong_etf_distance: float = NAN
    weak_mean_square_overlap: float = NAN
    weak_square_overlap_variance: float = NAN
    weak_welch: float = NAN
    weak_etf_distance: float = NAN
    participation_ratio: float = NAN
    weight_participation_ratio: float = NAN
    dimensionality_sum: float = NAN
    represented_dimensionality: float = NAN
    silent_fraction: float = NAN

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what is not a number becomes None."""
        return json_ready(self)


def represented_fraction(W: np.ndarray, threshold: float = REPRESENTED) -> float:
    """phi: the share of rows with norm above the threshold (1/2: represented, 1: strongly).

    Examples
    --------
    >>> represented_fraction(np.array([[0.9, 0.0], [0.0, 0.1]]))
    0.5
    """
    return float(np.mean(row_norms(W) > threshold))


def measure_run(run: Run, variances: bool = True) -> Measures:
    """All measures of a run; for a run without weights, those stored with it.

    Parameters
    ----------
    run : Run
    variances : bool
        Also what needs all pairs of rows (n^2 m operations): the variances of squared overlaps, the mean absolute
        and the largest overlap. Not of more than ``MOST_PAIRS`` pairs (n above 20,000).

    Examples
    --------
    >>> from superlaw.toy.spec import RunSpec
    >>> spec = RunSpec(n_features=2, width=2, steps=1)
    >>> run = Run(spec, "ok", np.ones(1, np.float32), np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    >>> measure_run(run).represented, measure_run(run).mean_square_overlap
    (2, 0.0)
    """
    if run.W is None:
        return measures_of(run)
    W, n, m = run.W, run.spec.n_features, run.spec.width
    variances = variances and n * (n - 1) // 2 <= MOST_PAIRS
    if not np.isfinite(W).all():
        W = np.zeros((0, m))
    norms, groups = row_norms(W), norm_groups(W, REPRESENTED, STRONG)
    strong, represented = int(groups["strong"].sum()), int(np.sum(norms > REPRESENTED))
    p = np.sort(run.spec.probabilities)[::-1]
    empty = not len(norms)
    silent = silent_features(run)
    unlearned = NAN if empty or run.spec.loss_function == "cross-entropy" else (
        unlearned_loss(p, represented, run.spec.values)
    )  # fmt: skip
    dimensions = dimensionality(W)
    return Measures(
        loss=run.loss,
        loss_std=run.loss_std,
        represented_fraction=NAN if empty else represented / n,
        strong_fraction=NAN if empty else strong / n,
        represented=represented,
        strong=strong,
        norm_mean=NAN if empty else float(norms.mean()),
        norm_std=NAN if empty else float(norms.std()),
        norm_min=NAN if empty else float(norms.min()),
        norm_max=NAN if empty else float(norms.max()),
        inverse_width=1 / m,
        random_square_overlap_variance=random_square_overlap(m)[1],
        welch=welch(n, m) if n > 1 else 0.0,
        unlearned_loss=unlearned,
        **_overlaps(W, "", variances),
        **_overlaps(W[groups["strong"]], "strong_", variances),
        strong_welch=welch(strong, m) if strong > 1 else NAN,
        **_overlaps(W[groups["weak"]], "weak_", variances),
        weak_welch=welch(represented - strong, m) if represented - strong > 1 else NAN,
        participation_ratio=participation_ratio(W),
        weight_participation_ratio=participation_ratio(W, unit=False),
        dimensionality_sum=NAN if empty else float(dimensions.sum()),
        represented_dimensionality=float(dimensions[norms > REPRESENTED].mean()) if represented else NAN,
        silent_fraction=NAN if silent is None else float(silent.mean()),
    )


def measures_of(run: Run) -> Measures:
    """Those stored with the run, NaN for what they lack; measured anew where they lack some and it has its weights."""
    names, stored = [field.name for field in fields(Measures)], run.measures or {}
    if run.W is not None and any(name not in stored for name in names):
        return measure_run(run)
    kept: dict[str, Any] = {name: NAN if stored.get(name) is None else stored[name] for name in names}
    return Measures(**kept)


def _overlaps(W: np.ndarray, prefix: str, variances: bool) -> dict[str, float]:
    """The measures of overlaps among some rows; of the weak ones, mean and variance alone."""
    if not variances:
        return {f"{prefix}mean_square_overlap": mean_square_overlap(W), f"{prefix}square_overlap_variance": NAN}
    found = pair_statistics(W)
    shown = {
        "mean_square_overlap": found.mean_square,
        "square_overlap_variance": found.square_variance,
        "etf_distance": etf_distance(found.square_variance, W.shape[1]),
    }
    if prefix != "weak_":
        shown |= {"mean_abs_overlap": found.mean_abs, "largest_overlap": found.largest}
    return {prefix + name: value for name, value in shown.items()}
