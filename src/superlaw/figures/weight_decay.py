"""What weight decay does: how many features are represented, and how long their rows are ([LLG] figure 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.figures import paint, published, style
from superlaw.figures.panels import Behind, Item, Line, Map, Panel, Picture, Steps
from superlaw.figures.runs import marks, named_runs
from superlaw.findings.comparable import ComparableRuns, nearest_to
from superlaw.findings.figure_comparison import FigureComparison
from superlaw.findings.points import EXPONENTS, SHARES, straight_lines
from superlaw.findings.published import PUBLISHED
from superlaw.sweeps.table import NORM_EDGES

if TYPE_CHECKING:
    import pandas as pd

SHOWN_EXPONENT = 1.0  # the data exponent of the first panel, or the nearest there is
LABEL = f"{style.PHI_HALF}, represented fraction"
LONGEST = 1.5  # end of the axis of row norms
THEIRS = 39  # the width of the published map

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """phi_1/2 against gamma for every width, phi_1/2 over (gamma, alpha), row norms at both ends; and as published.

    Below them, where runs and published exponents meet: one against the other, and both over (gamma, alpha).
    """
    alpha = nearest_to(chosen.values("data_exponent"), SHOWN_EXPONENT)
    width = THEIRS if THEIRS in chosen.values("width") else middle(chosen.values("width"))
    shares, lines = PUBLISHED["weight-decay"].points(chosen)
    panels = [
        _against_decay(chosen, alpha, width),
        *_shares(chosen, width, bool(shares.points)),
        *_lines(chosen, lines),
    ]
    notes = (
        f"{style.PHI_HALF}: share of rows with norm above 1/2. Dotted: m/n, a feature a dimension.",
        f"Inset: share of rows by norm at m = {width}, all seeds, at the lowest (orange) and the highest γ (blue).",
    )
    return Picture(
        "weight-decay", "Weight decay dials superposition",
        tuple(panels), 3 if len(panels) > 2 else 2,
        (*chosen.notes, *notes, *published.notes("weight-decay", chosen, panels)), chosen.ids, chosen.missing,
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
        items.append(marks(here[here["width"] == m], "weight_decay", "represented_fraction", label=f"m = {m}",
                           color=color, joined=True))  # fmt: skip
        ends = np.array([decays[-1] - 0.25 * np.ptp(decays), decays[-1]])
        items.append(Line(ends, np.full(2, m / n), color=color, style=":"))
        if m == THEIRS:
            items += published.diamonds(SHARES, "weight_decay", color, data_exponent=alpha)
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


def _shares(chosen: ComparableRuns, width: int, compared: bool) -> list[Panel]:
    here = chosen.good[chosen.good["width"] == width]
    mean = here.pivot_table("represented_fraction", "data_exponent", "weight_decay", "mean")
    of = tuple(
        tuple(named_runs(here[(here["data_exponent"] == a) & (here["weight_decay"] == g)]) for g in mean.columns)
        for a in mean.index
    )
    cells = _map(mean, LABEL, 0.0, 1.0, of)
    ours = Panel("weight decay γ", "data exponent α", (cells,), f"m = {width}")
    return [ours, *(published.published_map(SHARES, cells, f"as published, m = {width}") if compared else ())]


def _lines(chosen: ComparableRuns, beside: FigureComparison) -> list[Panel]:
    """Exponents as the study takes them, beside its own; nothing where no cell has both."""
    if not beside.points:
        return []
    mean = straight_lines(chosen.good).pivot_table("value", "data_exponent", "weight_decay", "mean")
    high = max(float(np.nanmax(mean.to_numpy())), *(point.published for point in beside.points))
    cells = _map(mean, f"{style.ALPHA_M}, lines through all widths", 0.0, high)
    ours = Panel("weight decay γ", "data exponent α", (cells,), "all widths")
    return [*published.against(beside, style.ALPHA_M), ours,
            *published.published_map(EXPONENTS, cells, "as published")]  # fmt: skip


def _map(mean: pd.DataFrame, label: str, low: float, high: float, of: tuple[Behind, ...] | None = None) -> Map:
    return Map(tuple(mean.columns), tuple(mean.index), mean.to_numpy(), label, low=low, high=high, of=of)
