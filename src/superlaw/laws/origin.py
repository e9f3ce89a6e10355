"""Where a table came from and what its reading decided, kept in ``DataFrame.attrs``, which pandas copies along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KEY = "superlaw"


@dataclass(frozen=True)
class Origin:
    """What is known of a table's reading.

    Parameters
    ----------
    kind : str
        What it was read as, in words; empty for a table that was not read by us.
    notes : sequence of str
        What the reading decided, each a sentence without its point.
    run : str, optional
        The column of the runs' names, where the reading made one.
    found : mapping of str to str
        By the name that was asked for: the column that was taken for it.
    """

    kind: str = ""
    notes: Sequence[str] = ()
    run: str | None = None
    found: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that should be said."""
        read = [f"read as {self.kind}"] if self.kind and self.notes else []
        return (*read, *self.notes, *(f"{name} is the column {column!r}" for name, column in self.found.items()))


def origin_of(table: pd.DataFrame) -> Origin:
    """The origin of a table."""
    kept = table.attrs.get(KEY)
    return Origin(**kept) if kept else Origin()


def with_origin(table: pd.DataFrame, origin: Origin) -> pd.DataFrame:
    """The table, marked; plain values alone, since pandas writes them into files."""
    table.attrs = {**table.attrs, KEY: {name: list(value) if name == "notes" else value
                                        for name, value in asdict(origin).items()}}  # fmt: skip
    return table


def with_found(table: pd.DataFrame, found: Mapping[str, str]) -> pd.DataFrame:
    """A copy with the columns that were found, under the names that were asked for beside their own."""
    if not found:
        return table
    origin = origin_of(table)
    named = table.assign(**{name: table[column] for name, column in found.items()})
    return with_origin(named, replace(origin, found={**origin.found, **found}))
