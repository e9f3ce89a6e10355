"""Measures of a run: what its loss is, what is represented, and the geometry of its rows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from superlaw.geometry.frames import random_square_overlap, welch
from superlaw.geometry.overlaps import mean_square_overlap, row_norms, square_overlap_variance
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.run import Run

REPRESENTED, STRONG = 0.5, 1.0  # row norms above which a feature is (strongly) represented


@dataclass(frozen=True)
class Measures:
    """Numbers read off a trained model. NaN where a run has none (diverged, or too few rows).

    Losses are sums over features. ``welch`` bounds squared overlaps: compare it, and
    ``inverse_width`` and ``random_square_overlap_variance``, with ``mean_square_overlap`` and its
    variance. ``strong_*`` are the same among rows with norm above 1.
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

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what is not a number becomes None."""
        values = asdict(self)
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def represented_fraction(W: np.ndarray, threshold: float = REPRESENTED) -> float:
    """phi: the share of rows with norm above the threshold (1/2: represented, 1: strongly).

    Examples
    --------
    >>> represented_fraction(np.array([[0.9, 0.0], [0.0, 0.1]]))
    0.5
    """
    return float(np.mean(row_norms(W) > threshold))


def measure(run: Run, variances: bool = True) -> Measures:
    """All measures of a run; for a run without weights, those stored with it.

    Parameters
    ----------
    run : Run
    variances : bool
        Also the variances of squared overlaps, which need all pairs of rows (n^2 m operations).

    Examples
    --------
    >>> from superlaw.toy.spec import RunSpec
    >>> spec = RunSpec(n_features=2, width=2, steps=1)
    >>> run = Run(spec, "ok", np.ones(1, np.float32), np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    >>> measure(run).represented, measure(run).mean_square_overlap
    (2, 0.0)
    """
    if run.W is None:
        return Measures(**{k: float("nan") if v is None else v for k, v in run.measures.items()})
    W, n, m = run.W, run.spec.n_features, run.spec.width
    if not np.isfinite(W).all():
        W = np.zeros((0, m))
    norms = row_norms(W)
    strong_rows = W[norms > STRONG]
    represented = int(np.sum(norms > REPRESENTED))
    p = np.sort(run.spec.probabilities)[::-1]
    empty = not len(norms)
    nan = float("nan")
    return Measures(
        loss=run.loss,
        loss_std=run.loss_std,
        represented_fraction=nan if empty else represented / n,
        strong_fraction=nan if empty else len(strong_rows) / n,
        represented=represented,
        strong=len(strong_rows),
        norm_mean=nan if empty else float(norms.mean()),
        norm_std=nan if empty else float(norms.std()),
        norm_min=nan if empty else float(norms.min()),
        norm_max=nan if empty else float(norms.max()),
        mean_square_overlap=mean_square_overlap(W),
        square_overlap_variance=square_overlap_variance(W) if variances else nan,
        inverse_width=1 / m,
        random_square_overlap_variance=random_square_overlap(m)[1],
        welch=welch(n, m) if n > 1 else 0.0,
        strong_mean_square_overlap=mean_square_overlap(strong_rows),
        strong_square_overlap_variance=square_overlap_variance(strong_rows) if variances else nan,
        strong_welch=welch(len(strong_rows), m) if len(strong_rows) > 1 else nan,
        unlearned_loss=nan if empty else unlearned_loss(p, represented),
    )
