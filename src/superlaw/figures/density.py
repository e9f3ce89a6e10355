"""Does the exponent depend on how many features are active at once? ([LLG] appendix)."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, published, style
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture, Scale
from superlaw.figures.runs import HOLLOW, losses_and_line, marks
from superlaw.figures.weight_decay import middle
from superlaw.findings.comparable import ComparableRuns
from superlaw.findings.points import EXPONENTS, published_value

MARKERS = {"strong": "o", "between": "s", "weak": "^"}

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


def _scale(chosen: ComparableRuns) -> Scale:
    decays = chosen.values("weight_decay")
    return Scale("weight decay γ", decays[0], decays[-1])


def _against_density(chosen: ComparableRuns, width: int) -> Panel:
    here, scale = chosen.good[chosen.good["width"] == width], _scale(chosen)
    items = tuple(
        marks(here[here["weight_decay"] == decay], "activation_density", "loss", color=scale.place(decay), joined=True)
        for decay in chosen.values("weight_decay")
    )
    return Panel("activation density E", "loss L (sum over features)", items, f"m = {width}", "log", "log", scale=scale)


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
    cells, scale = chosen.exponents[np.isfinite(chosen.exponents["exponent"])], _scale(chosen)
    items: list[Item] = [Marks(np.array([]), np.array([]), label=regime, marker=marker)
                         for regime, marker in MARKERS.items() if (cells["regime"] == regime).any()]  # fmt: skip
    for decay in chosen.values("weight_decay"):
        here, color = cells[cells["weight_decay"] == decay], scale.place(decay)
        items.append(Line(here["activation_density"].to_numpy(), here["exponent"].to_numpy(), color=color))
        for regime, part in here.groupby("regime"):
            items.append(Marks(part["activation_density"].to_numpy(), part["exponent"].to_numpy(),
                               part["stderr"].to_numpy(), color=color, marker=MARKERS.get(str(regime), "o"),
                               of=tuple(part["runs"])))  # fmt: skip
        alone = published_value(EXPONENTS, weight_decay=decay, data_exponent=1)
        if alone is not None:  # the study's row E = 1 of this grid is its row alpha = 1 of the other
            items.append(Marks(np.ones(1), np.array([alone]), color=color, marker=published.DIAMOND, filled=False))
    return Panel("activation density E", f"model exponent {style.ALPHA_M}", tuple(items), "", ylim=(0, None),
                 legend="upper right", scale=scale)  # fmt: skip
