"""What a look at a table gives: its columns, how its sizes vary, and the laws that it can decide; as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.decide import ASSUMED, Decidable
from superlaw.laws.quantities import shown

APART, PARTLY, TOGETHER = "independently", "partly together", "together"
MOST_LINES = 100  # of columns that are printed


@dataclass(frozen=True)
class ColumnLook:
    """One column: its kind ("numbers", "text", "truth values"), what it holds, and what its name says that it is."""

    name: str
    kind: str
    filled: int
    distinct: int
    low: float | None
    high: float | None
    example: str
    could_be: str | None


@dataclass(frozen=True)
class PairLook:
    """How two sizes vary with one another.

    Parameters
    ----------
    first, second : str
    correlation : float
        Of their logs.
    condition : float
        Of the matrix of this correlation.
    vary : {"independently", "partly together", "together"}
    ratio : float, optional
        The second over the first, where it is the same in every row.
    """

    first: str
    second: str
    correlation: float
    condition: float
    vary: str
    ratio: float | None = None

    def __str__(self) -> str:
        inside = f"{self.correlation:.2f}, {self.condition:.3g}" if self.ratio is None else (
            f"{self.second} is {self.ratio:.4g} {self.first} in every row")  # fmt: skip
        return f"{self.first} and {self.second} ({inside})"


@dataclass(frozen=True)
class Look(Shown):
    """What a table holds. Print it for a report; ``to_dict`` gives JSON.

    Parameters
    ----------
    rows : int
    kind : str
        What it was read as.
    read : tuple of str
        What was decided in the reading.
    columns : tuple of ColumnLook
    taken : dict of str to str
        Which column a law would take for N, D, width ... and for the loss.
    unclear : dict of str to list of str
        What several columns could be; a law takes none of them unasked.
    pairs : tuple of PairLook
    remarks : tuple of str
        On repeated rows, checkpoints of one run, missing cells, compute.
    laws : tuple of Decidable
    """

    rows: int
    kind: str
    read: tuple[str, ...]
    columns: tuple[ColumnLook, ...]
    taken: dict[str, str]
    unclear: dict[str, list[str]]
    pairs: tuple[PairLook, ...]
    remarks: tuple[str, ...]
    laws: tuple[Decidable, ...]

    def __str__(self) -> str:
        kind = f", read as {self.kind}" if self.kind else ""
        lines = [f"{self.rows} rows of {len(self.columns)} columns{kind}", *self.read, ""]
        lines += [_column_table(self.columns), ""]
        lines += [f"{name} is the column {column!r}" for name, column in self.taken.items() if name != column]
        lines += [f"several could be {name}, and none is taken unasked: {shown(columns)}"
                  for name, columns in self.unclear.items()]  # fmt: skip
        lines += _pair_lines(self.pairs)
        lines += self.remarks
        lines += ["", _law_table(self.laws)] if self.laws else ["", "no column that a law could take for a size"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready(asdict(self) | ({"assumed": ASSUMED} if self.laws else {}))


def _pair_lines(pairs: Sequence[PairLook]) -> list[str]:
    """The pairs that vary alike, in a line each; those that vary together first."""
    out = []
    for vary in (TOGETHER, PARTLY, APART):
        if these := [pair for pair in pairs if pair.vary == vary]:
            hard = ", so that one law can hardly tell their exponents apart" if vary == TOGETHER else ""
            out.append(f"vary {vary} (correlation of logs, condition){hard}: {', '.join(map(str, these))}")
    return out


def _column_table(columns: Sequence[ColumnLook]) -> str:
    rows = []
    for column in columns[:MOST_LINES]:
        known = [end for end in (column.low, column.high) if end is not None]
        ends = [in_short(end, column.name) for end in known] if len(known) == 2 else [column.example, ""]
        rows.append([column.name, column.kind, str(column.filled), str(column.distinct), *ends, column.could_be or ""])
    text = in_columns(["column", "holds", "filled", "distinct", "lowest", "highest", "could be"], rows, left=(0, 1, 6))
    more = len(columns) - MOST_LINES
    return text + (f"\nand {more} more columns (--json has all)" if more > 0 else "")


def _law_table(laws: Sequence[Decidable]) -> str:
    rows = []
    for law in laws:
        known = ", ".join(f"{name} ±{share:.0%}" for name, share in law.known_to.items())
        words = "; ".join(part for part in (known, law.reason) if part)
        rows.append([law.law, str(law.points), str(law.parameters), law.verdict, words])
    table = in_columns(["--law", "points", "parameters", "decided", "exponents to, at 95 %"], rows, left=(0, 3, 4))
    return f"laws that these sizes can decide ({ASSUMED})\n\n{table}"
