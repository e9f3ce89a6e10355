"""What a page says of training runs: their exponents, every figure that they allow, the runs themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.figures.catalogue import CATALOGUE
from superlaw.figures.panels import Picture
from superlaw.findings.exponents import FEW, LEVEL, RULE, bent_in_words, exponents, left_out_in_words
from superlaw.findings.words import said_of_runs
from superlaw.report.page import Command, Facts, Part, RunIds, Section, Table
from superlaw.sweeps.table import ENDED, PROVENANCE
from superlaw.toy.spec import DEFAULTS

if TYPE_CHECKING:
    import pandas as pd

QUESTION = "What sets the law of these runs, and does it hold?"
SHOWN = ("loss", "loss_std", "represented_fraction", "mean_square_overlap")
MOST_ROWS = 2000  # runs in the table of a page
MADE = ("engine", "superlaw", "machine")


def runs_part(
    table: pd.DataFrame, name: str, commands: tuple[Command, ...] = (), pictures: tuple[Picture, ...] | None = None
) -> Part:
    """A part on a run table.

    Parameters
    ----------
    table : DataFrame
        Of sweeps.table, with profiles where figures shall have them; planned runs that are missing included.
    name : str
        What the runs are.
    commands : tuple of Command
        That make them.
    pictures : tuple of Picture, optional
        Instead of every figure of the catalogue that these runs allow.
    """
    known = table[table["n_features"].notna()] if len(table) else table
    cells = exponents(known) if len(known) else known
    words = said_of_runs(table, cells)
    drawn, not_drawn = figures_of(table) if pictures is None else (pictures, ())
    gaps = max((len(picture.missing) for picture in drawn), default=0)
    warnings = words.warnings
    if gaps and not (table["status"] == "missing").any():
        runs = "1 run is" if gaps == 1 else f"{gaps} runs are"
        warnings = (f"{runs} missing from the grid that the others span.", *warnings)
    sections = []
    if len(known) and cells["exponent"].notna().any():
        sections.append(Section("Exponents", (f"{RULE}. Intervals are of {LEVEL:.0%}.",), tables=(_exponents(cells),)))
    if drawn:
        sections.append(Section("Figures", figures=drawn))
    if len(table):
        sections.append(runs_section(table))
    return Part(name, QUESTION, warnings, words.verdict, tuple(sections), (*_left_out(cells), *not_drawn),
                commands)  # fmt: skip


def figures_of(table: pd.DataFrame) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Every figure of the catalogue that a run table allows, and why each other is not drawn."""
    drawn: list[Picture] = []
    reasons: dict[str, list[str]] = {}
    for entry in CATALOGUE.values():
        if entry.source != "runs":
            continue
        try:
            drawn.append(entry.module.data(entry.find(table)))
        except InputError as error:
            reasons.setdefault(error.got, []).append(entry.name)
    figures = lambda names: f"figure{'s' * (len(names) > 1)} {', '.join(names)}"  # noqa: E731
    return tuple(drawn), tuple(f"Not drawn: the {figures(names)}: {why}." for why, names in reasons.items())


def runs_section(table: pd.DataFrame) -> Section:
    """The runs, a row each, and where they were made; what they share stands once."""
    specs = [name for name in DEFAULTS if name in table]
    differ = [name for name in specs if table[name].nunique(dropna=False) > 1]
    shared = [name for name in specs if name not in differ]
    made = [name for name in PROVENANCE if name in table and table[name].notna().any()]
    sources = ["source"] if "source" in table and table["source"].nunique() > 1 else []
    measures = [name for name in SHOWN if name in table]
    columns = ["id", "status", *differ, *measures, *made, *sources]
    rows = tuple(tuple(_plain(value) for value in row) for row in table[columns].itertuples(index=False, name=None))
    note = ("Columns are those of superlaw sweep gather. loss ± loss_std: mean and spread of the last 100 steps. "
            "superlaw train --spec STORE/ID.safetensors trains a run again.")  # fmt: skip
    if len(rows) > MOST_ROWS:
        note += f" The first {MOST_ROWS} of {len(rows)}; superlaw sweep gather STORE -o runs.csv writes all."
    first = table.iloc[0]
    facts = Facts("What all of them share", tuple((name, _plain(first[name])) for name in shared), folded=True)
    return Section(
        "Runs",
        facts=(facts,),
        tables=(_made(table), Table("runs", "Runs", tuple(columns), rows[:MOST_ROWS], note, True, digits=6)),
    )


def _exponents(cells: pd.DataFrame) -> Table:
    by = list(cells.columns[: cells.columns.get_loc("exponent")])
    columns = (*by, "exponent", "standard error", "low", "high", "widths", "seeds", "bent", "regime", "theory",
               "represented_fraction", "left out", "runs")  # fmt: skip
    rows = []
    for cell in cells.to_dict("records"):
        widths = cell["widths"]
        rows.append((
            *(_plain(cell[name]) for name in by),
            *(_plain(cell[name]) for name in ("exponent", "stderr", "low", "high")),
            f"{len(widths)}, from {widths[0]} to {widths[-1]}" if widths else None,
            cell["seeds"] or None, bent_in_words(cell["lack_of_fit"]), cell["regime"], _plain(cell["theory"]),
            _plain(cell["represented_fraction"]),
            ", ".join(f"{count} {reason}" for reason, count in cell["why"].items()),
            RunIds(tuple(cell["runs"])) if cell["runs"] else None,
        ))  # fmt: skip
    note = (f"A row for each set of runs that differ in width and seed alone; of those with {FEW} in the scaling range "
            "no exponent is given. Bent: by the scatter of seeds. A click on its runs shows them below.")  # fmt: skip
    return Table("exponents", "Exponents of width", columns, tuple(rows), note)


def _made(table: pd.DataFrame) -> Table:
    there = table[table["status"].isin(ENDED)]
    by = [name for name in MADE if name in there]
    rows = []
    for values, group in there.groupby(by, dropna=False, sort=False) if by else ():
        finished = group["finished"].dropna().astype(str)
        hours = group["wall_seconds"].sum() / 3600
        rows.append((*map(_plain, values), len(group), finished.min() if len(finished) else None,
                     finished.max() if len(finished) else None, float(hours)))  # fmt: skip
    columns = (*by, "runs", "first finished", "last finished", "hours of training")
    return Table("machines", "Where they were made", columns, tuple(rows))


def _left_out(cells: pd.DataFrame) -> tuple[str, ...]:
    """What stands on no line, and why."""
    if not len(cells):
        return ()
    why = left_out_in_words(cells)
    return (f"On no line of an exponent: {why}.",) if why else ()


def _plain(value: Any) -> Any:
    """A cell as a page holds it: nothing for what is not known."""
    if value is None or value != value:
        return None
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
