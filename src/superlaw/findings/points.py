"""The study's figures that were read as points, and how the same is taken from our runs: like with like.

The published exponents are straight lines through log loss at all six widths, one seed each, whatever the loss. Beside
them stand such lines through our runs (laws.slope), not the exponents of our own rule, which leave out runs that do no
better than answering 0 and widths beyond n/10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.findings.beside import PLACES, published_points, set_beside
from superlaw.findings.exponents import LEAST_WIDTHS
from superlaw.findings.figure_comparison import FigureComparison, Kind
from superlaw.laws.slope import fit_slope
from superlaw.sweeps.plan import load_plan
from superlaw.toy.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

GRID = ("weight_decay", "data_exponent")
EXPONENTS = Kind("llg-fig4b", "exponent", GRID, "data_exponent", "weight-decay-grid", "alpha_m",
                 "straight lines through log loss at all six widths, whatever the loss; one for each seed")  # fmt: skip
SHARES = Kind("llg-fig3b", "represented_fraction", GRID, "data_exponent", "weight-decay-grid", "phi_1/2",
              "the share of rows with norm above 1/2 at m = 39", digits=3)  # fmt: skip
WIDE: dict[str, Any] = {"keys": ("weight_decay", "frequencies", "width"), "by": "width",
                        "preset": "wide", "how": "the loss of every width",
                        "relative": True, "reading": 3e-5}  # fmt: skip
WEAK_LOSSES = Kind("llg-fig1b", "loss", symbol="losses in weak superposition", **WIDE)
STRONG_LOSSES = Kind("llg-fig1d", "loss", symbol="losses in strong superposition", **WIDE)


def exponents_beside(runs: pd.DataFrame, keep: Callable[[pd.DataFrame], Any] | None = None) -> FigureComparison:
    """Exponents of runs beside those of figure 4b.

    Parameters
    ----------
    runs : DataFrame
        Comparable runs that ended well.
    keep : callable, optional
        Which points of the figure: a mask of its table. All by default.
    """
    runs = _of_the_study(runs, EXPONENTS)
    six, widths = load_plan(EXPONENTS.preset).axes["width"], _widths(runs)
    words = [", ".join(map(str, some)) for some in (widths, six)]
    cut = [f"widths {words[0]} (published {words[1]})"] if len(widths) < len(six) else []
    return set_beside(EXPONENTS, runs, straight_lines(runs), keep, cut)


def straight_lines(runs: pd.DataFrame) -> pd.DataFrame:
    """Exponents as the study takes them: a straight line through log loss at the published widths, for each seed.

    Returns
    -------
    DataFrame
        ``weight_decay``, ``data_exponent``, ``seed`` and ``value``. Seeds that lack a width which other runs here have
        are left out; a table with fewer than three of the published widths has none.
    """
    import pandas as pd

    widths, found = _widths(runs), []
    here = runs[runs["width"].isin(widths)]
    for where, cell in here.groupby([*EXPONENTS.keys, "seed"]) if len(widths) >= LEAST_WIDTHS else ():
        if len(cell) == len(widths):
            line = fit_slope(cell["width"].to_numpy(), cell["loss"].to_numpy(dtype=float))
            found.append((*where, line.exponent))
    return pd.DataFrame(found, columns=[*EXPONENTS.keys, "seed", "value"])


def _widths(runs: pd.DataFrame) -> list[int]:
    """Those of the published widths that the runs have."""
    return [m for m in load_plan(EXPONENTS.preset).axes["width"] if (runs["width"] == m).any()]


def shares_beside(runs: pd.DataFrame) -> FigureComparison:
    """Represented shares beside those of figure 3b, at its width."""
    width = published_points(SHARES)["width"].iloc[0]
    runs = _of_the_study(runs, SHARES)
    here = runs[runs["width"] == width]
    return set_beside(SHARES, here, here.assign(value=here["represented_fraction"]))


def losses_beside(runs: pd.DataFrame) -> tuple[FigureComparison, FigureComparison]:
    """Losses of the wide models beside figures 1d (strong superposition) and 1b (weak)."""
    runs = _of_the_study(runs, STRONG_LOSSES)
    ours = runs.assign(value=np.log(runs["loss"].to_numpy(dtype=float)))
    return set_beside(STRONG_LOSSES, runs, ours), set_beside(WEAK_LOSSES, runs, ours)


def _of_the_study(runs: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Runs whose frequencies are of a family that the figure has."""
    return runs[runs["frequencies"].isin(load_plan(kind.preset).axes.get("frequencies", (RunSpec().frequencies,)))]


def published_value(kind: Kind, **where: float) -> float | None:
    """The figure's value at those coordinates, the mean where they leave some open; None where it has none.

    Examples
    --------
    >>> published_value(EXPONENTS, weight_decay=-1, data_exponent=1), published_value(EXPONENTS, weight_decay=-0.9)
    (1.2365, None)
    """
    table = published_points(kind)
    at = table[np.all([table[key].round(PLACES) == round(value, PLACES) for key, value in where.items()], axis=0)]
    return float(at[kind.column].mean()) if len(at) else None


def published_line(family: str, weight_decay: float, least: int = 0) -> float | None:
    """The straight line through the losses of figures 1b and 1d from the width ``least`` on; None where there are none.

    Examples
    --------
    >>> round(published_line("exponential", -1), 2)
    1.01
    """
    kind = STRONG_LOSSES if weight_decay < 0 else WEAK_LOSSES
    table = published_points(kind)
    here = table[(table["frequencies"] == family) & np.isclose(table["weight_decay"], weight_decay, atol=1e-3)]
    here = here[here["width"] >= least]
    return fit_slope(here["width"].to_numpy(), here["loss"].to_numpy()).exponent if len(here) else None
