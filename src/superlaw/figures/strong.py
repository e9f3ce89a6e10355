"""Strong superposition: all features share the space, and the geometry of their rows sets the loss ([LLG] figure 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.figures import paint, published, style
from superlaw.figures.panels import Item, Line, Panel, Picture, Steps
from superlaw.figures.runs import exponents_by_decay, marks
from superlaw.findings.comparable import ComparableRuns, nearest_to
from superlaw.geometry.frames import least_square_overlap_variance, random_square_overlap, welch
from superlaw.sweeps.table import NORM_EDGES, rank_edges
from superlaw.theory.strong import strongly_represented

if TYPE_CHECKING:
    import pandas as pd

SHOWN_EXPONENT = 1.0  # the data exponent whose geometry is shown, or the nearest there is

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """Rows longer than 1 by rank, norms, phi_1 and overlaps against width, alpha_m against alpha.

    All at the lowest weight decay there is.
    """
    decay = chosen.values("weight_decay")[0]
    lowest = chosen.good[chosen.good["weight_decay"] == decay]
    alpha = nearest_to(sorted(lowest["data_exponent"].unique()), SHOWN_EXPONENT)
    here = lowest[lowest["data_exponent"] == alpha]
    profiles = "norm_counts" in here and here["norm_counts"].notna().any()
    panels = [_by_rank(here), _norms(here)] if profiles else []
    panels += [_long_rows(chosen, decay), _overlaps(here), _spread(here), _exponents(chosen)]
    notes = [
        f"At γ = {decay:.4g} and, but for {style.PHI_ONE} and {style.ALPHA_M}, α = {alpha:g}. Long rows: norm above 1."
    ]
    notes += published.notes("strong", chosen, panels)
    if not profiles:
        notes.append("No row norms: these runs were stored without weights.")
    return Picture("strong", "Strong superposition: the geometry behind 1/m", tuple(panels), 3,
                   (*chosen.notes, *notes), chosen.ids, chosen.missing)  # fmt: skip


def _by_width(here: pd.DataFrame, column: str) -> list[tuple[int, float, np.ndarray]]:
    """(width, place of its colour, mean of the column's arrays over seeds)."""
    widths = sorted(here["width"].unique())
    found = []
    for i, m in enumerate(widths):
        values = here[here["width"] == m][column].dropna().tolist()
        if values:
            found.append((m, i / max(1, len(widths) - 1), np.sum(values, axis=0) / len(values)))
    return found


def _by_rank(here: pd.DataFrame) -> Panel:
    edges = rank_edges(int(here.iloc[0]["n_features"]))
    middle = np.sqrt(edges[:-1] * (edges[1:] - 1.0))
    items: list[Item] = []
    for m, color, share in _by_width(here, "strong_by_rank"):
        items.append(Line(middle, share, f"m = {m}", color))
        if strongly_represented(m) < edges[-1]:
            items.append(Line(np.full(2, strongly_represented(m)), np.array([0.0, 1.0]), color=color, style=":"))
    return Panel("frequency rank i", "share of rows with norm above 1", tuple(items), "dotted: rank m²/2", "log")


def _norms(here: pd.DataFrame) -> Panel:
    outlines = [
        Steps(counts / counts.sum() / np.diff(NORM_EDGES), NORM_EDGES, f"m = {m}", color)
        for m, color, counts in _by_width(here, "norm_counts")
    ]
    used = np.sum([outline.heights for outline in outlines], axis=0) > 0
    low, high = NORM_EDGES[:-1][used][0], NORM_EDGES[1:][used][-1]
    highest = max(outline.heights.max() for outline in outlines)
    items = (*outlines, Line(np.ones(2), np.array([0.0, highest]), style=":"))
    return Panel("row norm ‖W$_i$‖", "density of rows", items, "dotted: norm 1",
                 xlim=(low, high), legend="upper left")  # fmt: skip


def _long_rows(chosen: ComparableRuns, decay: float) -> Panel:
    runs = chosen.good[chosen.good["weight_decay"] == decay]
    items: list[Item] = [
        marks(runs[runs["data_exponent"] == a], "width", "strong_fraction", label=f"α = {a:g}", color=f"C{i}")
        for i, a in enumerate(chosen.values("data_exponent"))
    ]
    widths = np.array(chosen.values("width"), dtype=float)
    line, n = np.geomspace(widths[0], widths[-1], 60), runs.iloc[0]["n_features"]
    share = np.minimum(1.0, [strongly_represented(m) / n for m in line])
    items.append(Line(line, share, "m²/(2n)"))
    return Panel(
        "width m", f"{style.PHI_ONE}, share of long rows", tuple(items), "", "log", "log", tuple(chosen.values("width"))
    )


def _overlaps(here: pd.DataFrame) -> Panel:
    """Mean squared overlaps, all rows and long ones, with 1/m and Welch for each set."""
    widths = np.array(sorted(here["width"].unique()))
    n = int(here.iloc[0]["n_features"])
    bound = here.groupby("width")["strong_welch"].mean().reindex(widths).to_numpy()
    bound = np.where(bound > 0, bound, np.nan)  # no more long rows than dimensions: nothing bounds them
    items: tuple[Item, ...] = (
        marks(here, "width", "mean_square_overlap", label="all rows", color="strong"),
        marks(here, "width", "strong_mean_square_overlap", label="long rows", color="weak", marker="s"),
        Line(widths, 1 / widths, "1/m (random)", style=":"),
        Line(widths, np.array([welch(n, m) for m in widths]), "Welch, all rows", "strong", "--"),
        Line(widths, bound, "Welch, long rows", "weak", "--"),
    )
    return Panel("width m", "mean squared overlap, i ≠ j", items, "", "log", "log", tuple(widths.tolist()))


def _spread(here: pd.DataFrame) -> Panel:
    """Variance of the long rows' squared overlaps over that of random directions: 1 is random, 0 equiangular."""
    widths = np.array(sorted(here["width"].unique()))
    shown = here.assign(ratio=here["strong_square_overlap_variance"] / here["random_square_overlap_variance"])
    rows = here.groupby("width")["strong"].mean().reindex(widths)
    floor = [
        least_square_overlap_variance(round(count), m) / random_square_overlap(m)[1] if count >= 2 else np.nan
        for m, count in zip(widths.tolist(), rows, strict=True)
    ]
    items: tuple[Item, ...] = (
        marks(shown, "width", "ratio", label="long rows", color="weak", marker="s"),
        Line(widths, np.ones(len(widths)), "random directions", style=":"),
        Line(widths, np.array(floor), "least for so many rows", style="--"),
        Line(widths, np.zeros(len(widths)), "equiangular frame"),
    )
    return Panel("width m", "variance of squared overlaps / random", items, "", "log", ticks=tuple(widths.tolist()),
                 ylim=(-0.05, 1.6), legend="upper center")  # fmt: skip


def _exponents(chosen: ComparableRuns) -> Panel:
    cells = chosen.exponents
    cells = cells[(cells["regime"] == "strong") & np.isfinite(cells["exponent"])]
    items = exponents_by_decay(cells)
    alpha = np.linspace(0, max(2.0, max(chosen.values("data_exponent"))), 60)
    items.append(Line(alpha, np.ones(60), "1 (geometry)", style=":"))
    upper = alpha[alpha >= 1]
    items.append(Line(upper, 2 * (upper - 1), "2(α − 1)", style="--"))
    return Panel(
        "data exponent α", f"model exponent {style.ALPHA_M}", tuple(items), "", ylim=(0, None), legend="upper left"
    )
