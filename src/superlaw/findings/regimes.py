"""Which regime runs are in, by what they represent, and theory's exponent there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.laws.slope import fit_slope
from superlaw.theory.strong import strong_exponent
from superlaw.theory.weak import unlearned_loss, weak_exponent

if TYPE_CHECKING:
    import pandas as pd

STRONG_FROM = 0.9  # represented fraction from which superposition is called strong
WEAK_UP_TO = 1.5  # represented features a dimension up to which it is called weak


def regime(table: pd.DataFrame) -> str:
    """strong, weak, between or none, by what the runs themselves represent.

    strong: at least 90 % of features represented, on average. weak: at most 1.5 represented features a
    dimension. none: widths of n or more, where nothing needs superposition. unknown: no runs.
    """
    good = table[table["status"] == "ok"]
    if not len(good):
        return "unknown"
    if (good["width"] >= good["n_features"]).any():
        return "none"
    if good["represented_fraction"].mean() >= STRONG_FROM:
        return "strong"
    return "weak" if (good["represented"] / good["width"]).mean() <= WEAK_UP_TO else "between"


def predicted(regime: str, frequencies: str, data_exponent: float) -> float:
    """Theory's exponent in a regime, NaN where it has none."""
    power = frequencies == "power"
    if regime == "strong":
        return strong_exponent(data_exponent) if power else 1.0
    found = weak_exponent(data_exponent) if regime == "weak" and power else None
    return float("nan") if found is None else found


def sum_exponent(probabilities: np.ndarray, widths: np.ndarray, values: str = "uniform") -> float:
    """The exponent, over these very widths, of the exact loss by the features beyond rank m; NaN below two widths."""
    p = np.sort(probabilities)[::-1]
    losses = np.array([unlearned_loss(p, m, values) for m in widths])
    kept = losses > 0
    return fit_slope(np.asarray(widths)[kept], losses[kept]).exponent if kept.sum() > 1 else float("nan")
