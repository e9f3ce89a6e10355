"""Does the exponent depend on how many features are active at once? ([LLG] appendix)."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, published, style
from superlaw.figures.panels import Item, Marks, Panel, Picture
from superlaw.figures.runs import HOLLOW, losses_and_line, marks
from superlaw.figures.weight_decay import middle
from superlaw.findings.comparable import ComparableRuns
from superlaw.findings.points import EXPONENTS, published_value

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """Loss against E by gamma, loss against m by E, and the exponent against E."""
    if len(chosen.values("activation_density")) < 2:
        raise InputError("runs of one activation density", "several for the figure density",
                         "superlaw reproduce density --budget 5m makes them")  # fmt: skip
    width, decay = middle(chosen.values("width")), chosen.values("weight_decay")[0]
    panels = _against_density(chosen, width), _against_width(chosen, decay), _exponents(chosen)
    return Picture("density", "Activation density moves the loss; does it move the exponent?", panels, 3,
                   (*chosen.notes, HOLLOW, *published.notes("density", chosen, panels)),
                   chosen.ids, chosen.missing)  # fmt: skip


def _against_density(chosen: ComparableRuns, width: int) -> Panel:
    here = chosen.good[chosen.good["width"] == width]
    items = [
        marks(
            here[here["weight_decay"] == decay],
            "activation_density",
            "loss",
            label=f"γ = {decay:.3g}",
            color=f"C{i}",
            joined=True,
        )
        for i, decay in enumerate(chosen.values("weight_decay"))
    ]
    return Panel("activation density E", "loss L (sum over features)", tuple(items), f"m = {width}", "log", "log")


def _against_width(chosen: ComparableRuns, decay: float) -> Panel:
    here = chosen.good[chosen.good["weight_decay"] == decay]
    densities = chosen.values("activation_density")
    items: list[Item] = []
    for i, density in enumerate(densities):
        runs, color = here[here["activation_density"] == density], i / max(1, len(densities) - 1)
        items += losses_and_line(runs, f"E = {density:.3g}", color)
    return Panel("width m", "loss L (sum over features)", tuple(items), f"γ = {decay:.3g}", "log", "log",
                 tuple(chosen.values("width")), legend="lower left")  # fmt: skip


def _exponents(chosen: ComparableRuns) -> Panel:
    cells = chosen.exponents
    items: list[Item] = []
    for i, decay in enumerate(chosen.values("weight_decay")):
        here = cells[(cells["weight_decay"] == decay) & np.isfinite(cells["exponent"])]
        kinds = "/".join(sorted(set(here["regime"])))
        items.append(Marks(here["activation_density"].to_numpy(), here["exponent"].to_numpy(),
                           here["stderr"].to_numpy(), f"γ = {decay:.3g}, {kinds}", f"C{i}", joined=True,
                           of=tuple(here["runs"])))  # fmt: skip
        alone = published_value(EXPONENTS, weight_decay=decay, data_exponent=1)
        if alone is not None:  # the study's row E = 1 of this grid is its row alpha = 1 of the other
            items.append(Marks(np.ones(1), np.array([alone]), color=f"C{i}", marker=published.DIAMOND, filled=False))
    return Panel("activation density E", f"model exponent {style.ALPHA_M}", tuple(items), "", ylim=(0, None))
