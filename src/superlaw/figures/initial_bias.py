"""The start of the bias: what b ~ N(0, 1) does to the law, and which frames a start at 0 finds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Panel, Picture
from superlaw.figures.runs import HOLLOW, losses_and_line, marks
from superlaw.findings.comparable import ComparableRuns
from superlaw.findings.variants import start_of_bias
from superlaw.geometry.frames import least_mean_cube_overlap
from superlaw.theory.best_frames import best_frame

CURVES = {"random": ":", "one-sided": "--", "two-valued": "-."}

THEORY = (
    "Theory, for α = 0: the best norm and bias of rows in random directions, and of frames with the least mean cube of "
    "overlaps that there is, spread as Pearson's type III (one-sided) or two-valued. One-sidedness: of the first start."
)

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """Loss against width for each alpha and start, silent features, and the skewness of the overlaps."""
    if len(chosen.values("initial_bias_std")) < 2:
        raise InputError("runs of one start of the bias", "several for the figure initial-bias",
                         "superlaw sweep run initial-bias-small --store runs makes some")  # fmt: skip
    alphas = chosen.values("data_exponent")
    panels = [_losses(chosen, alpha) for alpha in alphas]
    panels += [_silent(chosen), _skewness(chosen)]
    notes = (HOLLOW, THEORY)
    return Picture("initial-bias", "The start of the bias decides which law is seen", tuple(panels), 2,
                   (*chosen.notes, *notes), chosen.ids, chosen.missing)  # fmt: skip


def _starts(chosen: ComparableRuns) -> list[tuple[str, str, pd.DataFrame]]:
    """Name, colour and runs of each start of the bias."""
    found = []
    for i, std in enumerate(chosen.values("initial_bias_std")):
        runs = chosen.good[chosen.good["initial_bias_std"] == std]
        name = start_of_bias(runs.iloc[0]["initial_bias_mean"], std)
        found.append((name, f"C{1 - i}" if i < 2 else f"C{i}", runs))
    return found


def _losses(chosen: ComparableRuns, alpha: float) -> Panel:
    items: list[Item] = []
    for name, color, runs in _starts(chosen):
        items += losses_and_line(runs[runs["data_exponent"] == alpha], name, color)
    first = chosen.good.iloc[0]
    if alpha == 0:
        widths = np.geomspace(min(chosen.values("width")), max(chosen.values("width")), 12).round().astype(int)
        for spread, dashes in CURVES.items():
            losses = [
                best_frame(int(first["n_features"]), int(m), float(first["density"]), spread).loss for m in widths
            ]
            items.append(Line(widths, np.array(losses), f"{spread} frames", style=dashes))
    return Panel("width m", "loss L", tuple(items), f"α = {alpha:g}", "log", "log", tuple(chosen.values("width")),
                 legend="lower left")  # fmt: skip


def _silent(chosen: ComparableRuns) -> Panel:
    items = [
        marks(runs[runs["data_exponent"] == alpha], "width", "silent_fraction", label=f"{name}, α = {alpha:g}",
              color=color, marker="os^v"[k % 4], joined=True)
        for name, color, runs in _starts(chosen)
        for k, alpha in enumerate(chosen.values("data_exponent"))
    ]  # fmt: skip
    return Panel("width m", "share of silent features", tuple(items), "", "log", ticks=tuple(chosen.values("width")))


def _skewness(chosen: ComparableRuns) -> Panel:
    n = int(chosen.good.iloc[0]["n_features"])
    items: list[Item] = []
    name, color, runs = _starts(chosen)[0]
    for k, alpha in enumerate(chosen.values("data_exponent")):
        here = runs[runs["data_exponent"] == alpha]
        shown = here.assign(share=here["mean_cube_overlap"] / least_mean_cube_overlap(n))
        items.append(marks(shown, "width", "share", label=f"{name}, α = {alpha:g}", color=color,
                           marker="os^v"[k % 4], joined=True))  # fmt: skip
    widths = np.array(chosen.values("width"), dtype=float)
    items.append(Line(widths, np.ones(len(widths)), "the least there is", style=":"))
    return Panel("width m", "mean cube of overlaps / −1/(n − 1)", tuple(items), "one-sidedness of the frame", "log",
                 ticks=tuple(chosen.values("width")), ylim=(-0.1, 1.15))  # fmt: skip
