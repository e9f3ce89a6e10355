"""What a page says of a capacity map: how many features models hold, and where the bounds stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superlaw.figures import capacity as figure
from superlaw.findings.capacity_map import CapacityMap
from superlaw.report.page import Command, Part, Section, Table
from superlaw.report.runs import runs_section

if TYPE_CHECKING:
    import pandas as pd

QUESTION = "How many features does a trained model hold?"
UNTRAINED = (
    "Cells with more features active at once than dimensions, n (1-S) > m, are not trained: m numbers cannot give back "
    "more than m."
)


def capacity_part(
    found: CapacityMap, name: str, commands: tuple[Command, ...] = (), runs: pd.DataFrame | None = None
) -> Part:
    """A part on a capacity map, with the table of its runs where there is one."""
    warnings = []
    if found.diverged:
        warnings.append(f"{found.diverged} runs diverged and are left out.")
    if len(found.seeds) == 1:
        warnings.append("One seed: nothing here tells how much seeds differ.")
    sections = [Section("The map", figures=(figure.data(found),), tables=(_ceilings(found), _cells(found)))]
    if runs is not None and len(runs):
        sections.append(runs_section(runs))
    return Part(name, QUESTION, tuple(warnings), found.sentences or ("Nothing can be said: no cell came to an end.",),
                tuple(sections), (UNTRAINED,), commands)  # fmt: skip


def _ceilings(found: CapacityMap) -> Table:
    rows = tuple(
        (c.width, c.activity, c.most.mean_held, *_ends(c.most.held), c.most.n_features, c.most.mean_held / c.width,
         c.boundary, c.sensing, c.half_square)
        for c in found.ceilings
    )  # fmt: skip
    columns = ("m", "1-S", "most held", "lowest seed", "highest seed", "at n", "held/m", "half held up to n/m",
               "1/(-x ln x)", "m/2")  # fmt: skip
    return Table("ceilings", "The most that is held", columns, rows,
                 "Features recovered by models of one width, at the size n that holds most; x = 1-S.")  # fmt: skip


def _cells(found: CapacityMap) -> Table:
    rows = tuple(
        (c.width, c.n_features, c.degree, c.activity, c.mean_held, *_ends(c.held), c.share) for c in found.cells
    )
    columns = ("m", "n", "n/m", "1-S", "held", "lowest seed", "highest seed", "share")
    return Table("cells", "Every cell", columns, rows, "Means over the seeds that did not diverge.")


def _ends(values: tuple[float, ...]) -> tuple[float | None, float | None]:
    there = [value for value in values if value == value]
    return (min(there), max(there)) if there else (None, None)
