"""A scan of widths: runs that differ in width alone, as arrays, with the slope of their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from superlaw.laws.slope import Slope, fit_slope
from superlaw.toy.measures import measure
from superlaw.toy.run import Run


@dataclass(frozen=True)
class WidthScan:
    """Measures against width; every array has shape (widths,), NaN where a run diverged."""

    weight_decay: float
    widths: np.ndarray
    loss: np.ndarray
    loss_std: np.ndarray
    represented_fraction: np.ndarray
    mean_square_overlap: np.ndarray
    welch: np.ndarray
    unlearned_loss: np.ndarray  # sum over the features that the run itself does not represent
    diverged: tuple[int, ...]  # widths left out of the slope
    slope: Slope | None  # None with fewer than two widths left


def scan_widths(runs: Sequence[Run]) -> WidthScan:
    """Collect runs that differ in width alone."""
    shown = [measure(run, variances=False) for run in runs]
    column = lambda name: np.array([getattr(m, name) for m in shown])  # noqa: E731
    widths, loss = np.array([run.spec.width for run in runs]), column("loss")
    good = np.isfinite(loss)
    return WidthScan(
        weight_decay=runs[0].spec.weight_decay,
        widths=widths,
        loss=loss,
        loss_std=column("loss_std"),
        represented_fraction=column("represented_fraction"),
        mean_square_overlap=column("mean_square_overlap"),
        welch=column("welch"),
        unlearned_loss=column("unlearned_loss"),
        diverged=tuple(int(m) for m in widths[~good]),
        slope=fit_slope(widths[good], loss[good]) if good.sum() > 1 else None,
    )
