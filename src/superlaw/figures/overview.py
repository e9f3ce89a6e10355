"""Loss against width, weak and strong superposition, for each family of frequencies ([LLG] figure 1)."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, published
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture
from superlaw.figures.runs import HOLLOW, losses_and_line
from superlaw.findings.comparable import ComparableRuns, spec_of
from superlaw.findings.points import STRONG_LOSSES, WEAK_LOSSES
from superlaw.findings.regimes import regime
from superlaw.sweeps.plan import load_plan
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.frequencies import FAMILIES

WIDE_ALPHA = load_plan("wide").base["data_exponent"]  # of the published family of powers

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """A panel a family: losses at the lowest and the highest weight decay, their lines, the weak theory."""
    decays = chosen.values("weight_decay")
    if not decays[0] < 0 <= decays[-1]:
        raise InputError(f"weight decays from {decays[0]:g} to {decays[-1]:g}", "one below 0 and one of 0 or more",
                         "superlaw reproduce overview --budget 5m makes them")  # fmt: skip
    here = chosen.values("frequencies")
    families = [*(family for family in FAMILIES if family in here), *(one for one in here if one not in FAMILIES)]
    absent = [family for family in FAMILIES if family not in families]
    notes = [f"No runs here with {' and '.join(absent)} frequencies."] if absent else []
    panels = tuple(_panel(chosen, family, decays[0], decays[-1]) for family in families)
    return Picture(
        "overview", "Loss against width: weak and strong superposition", panels, len(families),
        (*chosen.notes, *notes, f"{HOLLOW} Dashed: sum over the features beyond rank m.",
         *published.notes("overview", chosen, panels)),
        chosen.ids, chosen.missing,
    )  # fmt: skip


def _panel(chosen: ComparableRuns, family: str, strong: float, weak: float) -> Panel:
    runs = chosen.good[chosen.good["frequencies"] == family]
    items: list[Item] = []
    for role, decay, marker in (("weak", weak, "o"), ("strong", strong, "s")):
        here = runs[runs["weight_decay"] == decay]
        items += losses_and_line(here, f"γ = {decay:g}, {regime(here)}", role, marker)
        kind = STRONG_LOSSES if decay < 0 else WEAK_LOSSES
        if family != "power" or np.isclose(runs.iloc[0]["data_exponent"], WIDE_ALPHA):
            items += published.diamonds(kind, "width", role, weight_decay=decay, frequencies=family)
    spec = spec_of(runs.iloc[0])
    if spec is not None and (runs["loss_function"] == "squared-error").all():
        p = np.sort(spec.probabilities)[::-1]
        widths = np.array([m for m in sorted(runs["width"].unique()) if m < len(p)])  # from n on nothing is left over
        sums = np.array([unlearned_loss(p, m, spec.values) for m in widths])
        if len(widths):
            items.append(Line(widths, sums, color="theory", style="--"))
    title = f"power, α = {runs.iloc[0]['data_exponent']:g}" if family == "power" else family
    marked = np.unique(np.concatenate([item.x for item in items if isinstance(item, Marks)]))
    return Panel("width m", "loss L (sum over features)", tuple(items), title, "log", "log", tuple(marked.tolist()),
                 legend="lower left")  # fmt: skip
