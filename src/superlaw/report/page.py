"""What a page says, as records: what must be read first, the verdict, tables, figures, commands. Shown by render.py."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from superlaw.figures.panels import Picture

REPORT = "report.html"  # in the folder that a command keeps
SEVERAL = "What these runs, fits and studies say"


@dataclass(frozen=True)
class RunIds:
    """A cell of a table that is runs: their ids, shown as their number, from which a reader gets to their rows."""

    ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows that a reader sorts, filters and copies.

    Parameters
    ----------
    name : str
        Of the file that it is saved as.
    title : str
    columns : tuple of str
    rows : tuple of tuple
        Cells: text, numbers, RunIds; None where nothing is known.
    note : str
        What a reader must know of it.
    of_runs : bool
        Whether its first column is names that marks and other cells speak of: ids of runs, rows of a table, models.
    digits : int
        Figures of numbers that are shown; six are copied.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    of_runs: bool = False
    digits: int = 4


@dataclass(frozen=True)
class Facts:
    """Names and values, one under the other."""

    title: str
    facts: tuple[tuple[str, Any], ...]
    folded: bool = False


@dataclass(frozen=True)
class Command:
    """A command that a reader can repeat, and what it does."""

    what: str
    line: str


@dataclass(frozen=True, eq=False)
class Section:
    """A heading with all that stands below it, in this order."""

    heading: str
    text: tuple[str, ...] = ()
    facts: tuple[Facts, ...] = ()
    figures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """What a page says of one source.

    Parameters
    ----------
    name : str
        What the source is: "90 runs of runs/".
    question : str
    warnings : tuple of str
        What must be read before the verdict, the gravest first.
    verdict : tuple of str
        Plain sentences, each number with its error.
    sections : tuple of Section
    left_out : tuple of str
        What the source has and the page does not say, or could have and lacks.
    commands : tuple of Command
        That make the source again.
    """

    name: str
    question: str
    warnings: tuple[str, ...]
    verdict: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    left_out: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, eq=False)
class Page:
    """A whole page: one part a source.

    ``commands`` make this very page; ``made`` says by what and when.
    """

    title: str
    parts: tuple[Part, ...]
    commands: tuple[Command, ...] = ()
    made: Facts = field(default_factory=lambda: Facts("This page", ()))


def page_of(parts: Sequence[Part], command: str = "") -> Page:
    """A page of these parts, which ``command`` makes, titled by its question."""
    title = parts[0].question if len(parts) == 1 else SEVERAL
    return Page(title, tuple(parts), (Command("This page", command),) if command else (), made_now())


def made_now() -> Facts:
    """By what, on what and when a page is written."""
    return Facts("This page was written", (
        ("by", f"superlaw {version('superlaw')}, Python {platform.python_version()}, NumPy {version('numpy')}"),
        ("on", platform.platform()),
        ("on the day", datetime.datetime.now(datetime.UTC).date().isoformat()),
    ))  # fmt: skip
