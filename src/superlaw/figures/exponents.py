"""How well a power law describes the loss, and its exponent over weight decay and data ([LLG] figure 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, published, style
from superlaw.figures.panels import Behind, Item, Map, Marks, Panel, Picture
from superlaw.findings.comparable import ComparableRuns, RunsByFamily
from superlaw.findings.exponents import CURVED, RULE
from superlaw.findings.published import PUBLISHED
from superlaw.findings.regimes import STRONG_FROM, WEAK_UP_TO

if TYPE_CHECKING:
    import pandas as pd

REGIMES = ("strong", "between", "weak")

draw = paint.draw


def data(found: RunsByFamily) -> Picture:
    """R^2 of the line by family and regime; alpha_m over (gamma, alpha) of the power family."""
    families, refused = found.families, found.refused
    fits = {name: chosen.exponents for name, chosen in families.items()}
    if not any(cells["exponent"].notna().any() for cells in fits.values()):
        raise InputError("no cell with three widths in the scaling range", f"such cells ({RULE})",
                         "superlaw reproduce exponents --budget 10m makes them")  # fmt: skip
    panels = [_straightness(fits)]
    if "power" in fits:
        panels.append(_over_both(fits["power"]))
    for beside in PUBLISHED["exponents"].points(found):
        panels += published.against(beside, style.ALPHA_M)
    notes = [f"{name}: {note}" for name, chosen in families.items() for note in chosen.notes]
    notes += [f"{name}: not drawn ({reason})." for name, reason in refused.items()]
    absent = [name for name in ("power", "exponential", "linear") if name not in families and name not in refused]
    if absent:
        notes.append(f"No runs here with {' and '.join(absent)} frequencies.")
    curved = sum(int((cells["lack_of_fit"] < CURVED).sum()) for cells in fits.values())
    tested = sum(int(cells["lack_of_fit"].notna().sum()) for cells in fits.values())
    if tested:
        notes.append(f"In {curved} of {tested} cells the line is bent, by the scatter of seeds: a local slope, no law.")
    notes.append(
        f"Regimes by what the runs represent: strong, at least {STRONG_FROM:.0%} of features; weak, at most "
        f"{WEAK_UP_TO:g} a dimension; between."
    )
    notes += [said for beside in PUBLISHED["exponents"].points(found) for said in beside.headline()]
    return Picture("exponents", "Is it a power law, and which?", tuple(panels), len(panels), tuple(notes),
                   _joined(families, "ids"), _joined(families, "missing"))  # fmt: skip


def _joined(families: dict[str, ComparableRuns], name: str) -> tuple:
    return tuple(entry for chosen in families.values() for entry in getattr(chosen, name))


def _straightness(fits: dict[str, pd.DataFrame]) -> Panel:
    items: list[Item] = []
    fitted = {family: cells[cells["exponent"].notna()] for family, cells in fits.items()}
    groups = [(family, regime) for family in fits for regime in REGIMES if (fitted[family]["regime"] == regime).any()]
    for i, (family, regime) in enumerate(groups):
        cells = fitted[family][fitted[family]["regime"] == regime]
        spread = np.linspace(-0.2, 0.2, len(cells)) if len(cells) > 1 else np.zeros(1)
        role = regime if regime != "between" else "theory"
        items.append(Marks(i + spread, cells["r_squared"].to_numpy(), color=role, of=tuple(cells["runs"])))
        median = float(cells["r_squared"].median())
        items.append(Marks(np.array([i]), np.array([median]), color=role, marker="_"))
    labels = tuple(f"{family}\n{regime}" for family, regime in groups)
    return Panel("family and regime", "R² of log loss on log m", tuple(items), "one mark a cell (γ, α); bar: median",
                 ticks=tuple(range(len(groups))), tick_labels=labels, legend=None)  # fmt: skip


def _over_both(cells: pd.DataFrame) -> Panel:
    value, error = (cells.pivot_table(name, "data_exponent", "weight_decay", dropna=False)
                    for name in ("exponent", "stderr"))  # fmt: skip
    shown = Map(tuple(value.columns), tuple(value.index), value.to_numpy(), "model exponent $\\alpha_m$",
                error=error.reindex_like(value).to_numpy(), of=_runs(cells, value))  # fmt: skip
    return Panel("weight decay γ", "data exponent α", (shown,), "power frequencies")


def _runs(cells: pd.DataFrame, shown: pd.DataFrame) -> tuple[Behind, ...]:
    """Ids of the runs on the line of each cell."""
    known = {(cell["data_exponent"], cell["weight_decay"]): cell["runs"] for cell in cells.to_dict("records")}
    return tuple(tuple(known.get((alpha, gamma), ()) for gamma in shown.columns) for alpha in shown.index)
