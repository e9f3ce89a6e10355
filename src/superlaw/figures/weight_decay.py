"""What weight decay does: how many features are represented, and how long their rows are ([LLG] figure 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.figures import paint, style
from superlaw.figures.panels import Item, Line, Map, Marks, Panel, Picture, Steps
from superlaw.findings.comparable import ComparableRuns, nearest_to, over_seeds
from superlaw.sweeps.table import NORM_EDGES

if TYPE_CHECKING:
    import pandas as pd

SHOWN_EXPONENT = 1.0  # the data exponent of the first panel, or the nearest there is
LABEL = f"{style.PHI_HALF}, represented fraction"
LONGEST = 1.5  # end of the axis of row norms

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """phi_1/2 against gamma for every width, phi_1/2 over (gamma, alpha), and row norms at both ends."""
    alpha = nearest_to(chosen.values("data_exponent"), SHOWN_EXPONENT)
    width = middle(chosen.values("width"))
    notes = (
        f"{style.PHI_HALF}: share of rows with norm above 1/2. Dotted: m/n, a feature a dimension.",
        f"Inset: share of rows by norm at m = {width}, all seeds, at the lowest (orange) and the highest γ (blue).",
    )
    return Picture(
        "weight-decay", "Weight decay dials superposition",
        (_against_decay(chosen, alpha, width), _over_both(chosen, width)), 2,
        (*chosen.notes, *notes), chosen.ids, chosen.missing,
    )  # fmt: skip


def middle(values: list[int]) -> int:
    """The middle one, the lower of two.

    Examples
    --------
    >>> middle([10, 25, 63, 100])
    25
    """
    return values[(len(values) - 1) // 2]


def _against_decay(chosen: ComparableRuns, alpha: float, width: int) -> Panel:
    here = chosen.good[chosen.good["data_exponent"] == alpha]
    widths = chosen.values("width")
    n = here.iloc[0]["n_features"]
    decays = np.array(chosen.values("weight_decay"))
    items: list[Item] = []
    for i, m in enumerate(widths):
        color = i / max(1, len(widths) - 1)
        at, mean, spread = over_seeds(here[here["width"] == m], "weight_decay", "represented_fraction")
        items.append(Marks(at, mean, spread if spread.any() else None, f"m = {m}", color, joined=True))
        ends = np.array([decays[-1] - 0.25 * np.ptp(decays), decays[-1]])
        items.append(Line(ends, np.full(2, m / n), color=color, style=":"))
    inset = _norms(here[here["width"] == width])
    return Panel("weight decay γ", LABEL, tuple(items), f"α = {alpha:g}", ylim=(-0.03, 1.08), legend="lower left",
                 inset=inset, inset_at=(0.64, 0.6, 0.34, 0.36))  # fmt: skip


def _norms(here: pd.DataFrame) -> Panel | None:
    """Row norms at the lowest and the highest weight decay, all seeds together."""
    if "norm_counts" not in here or here["norm_counts"].isna().all():
        return None
    here = here[here["norm_counts"].notna()]
    items: list[Item] = []
    for role, decay in (("strong", here["weight_decay"].min()), ("weak", here["weight_decay"].max())):
        counts = np.sum(here[here["weight_decay"] == decay]["norm_counts"].tolist(), axis=0)
        shares = counts.reshape(-1, 2).sum(axis=1) / counts.sum()  # every second edge: an inset is small
        items.append(Steps(shares, NORM_EDGES[::2], f"γ = {decay:.3g}", role))
    return Panel("row norm ‖W$_i$‖", "", tuple(items), yscale="log", xlim=(0, LONGEST), legend=None)


def _over_both(chosen: ComparableRuns, width: int) -> Panel:
    here = chosen.good[chosen.good["width"] == width]
    mean = here.pivot_table("represented_fraction", "data_exponent", "weight_decay", "mean")
    cells = Map(tuple(mean.columns), tuple(mean.index), mean.to_numpy(), LABEL,
                low=0.0, high=1.0)  # fmt: skip
    return Panel("weight decay γ", "data exponent α", (cells,), f"m = {width}")
