"""What an exponent owes to choices: fits under every objective, filter and law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.records import json_ready
from superlaw.laws.compare import titles
from superlaw.laws.counting import counted
from superlaw.laws.fit import fit_law
from superlaw.laws.forms import law_of
from superlaw.laws.known import Known
from superlaw.laws.law import Law
from superlaw.laws.objective import Objective, objective_of
from superlaw.laws.own_runs import status_words, unusable
from superlaw.laws.result import Fit
from superlaw.laws.tables import REFUSE, as_table


@dataclass(frozen=True)
class Sensitivity(Shown):
    """The same exponent under every choice of objective, filter and law.

    ``rows`` are dicts: objective, filter, law, n, exponents {name: (value, low, high)}, warnings. ``left_out`` counts
    rows of our own runs that are not ok, by status; ``notes`` say what was decided when the table was read.
    """

    rows: tuple[dict[str, Any], ...]
    level: float
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest estimate of each exponent over all rows."""
        names = dict.fromkeys(name for row in self.rows for name in row["exponents"])
        out = {}
        for name in names:
            values = [row["exponents"][name][0] for row in self.rows if name in row["exponents"]]
            out[name] = (min(values), max(values))
        return out

    @property
    def headline(self) -> str:
        """The ranges, in one line."""
        parts = [f"{name} from {low:.3g} to {high:.3g}" for name, (low, high) in self.ranges.items()]
        counts = ", rule of counting" if any("count" in row for row in self.rows) else ""
        return f"over {len(self.rows)} choices of objective, filter{counts} and law: {'; '.join(parts)}"

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        names, rows = list(self.ranges), []
        for row in self.rows:
            cells = [
                row["law"],
                *([row["count"]] if "count" in row else []),
                row["objective"],
                row["filter"],
                str(row["n"]),
            ]
            for name in names:
                found = row["exponents"].get(name)
                cells.append("-" if found is None else f"{found[0]:.3g} [{found[1]:.3g}, {found[2]:.3g}]")
            rows.append([*cells, str(len(row["warnings"]))])
        columns = [f"{name} ({self.level:.4g})" for name in names]
        count = ["count"] if any("count" in row for row in self.rows) else []
        return ["law", *count, "objective", "filter", "n", *columns, "warnings"], rows

    def __str__(self) -> str:
        left = f"\nleft out: {status_words(self.left_out)}" if self.left_out else ""
        read = f"\ntable: {'; '.join(self.notes)}" if self.notes else ""
        return f"{self.headline}{left}{read}\n\n{in_columns(*self.cells)}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        name = lambda triple: dict(zip(("value", "low", "high"), triple, strict=True))  # noqa: E731
        rows = [row | {"exponents": {key: name(t) for key, t in row["exponents"].items()}} for row in self.rows]
        said = {"left_out": self.left_out, "notes": self.notes}
        left = {name: value for name, value in said.items() if value}
        return json_ready({"headline": self.headline, "ranges": self.ranges, "level": self.level, "rows": rows} | left)


def sensitivity(
    table: Any,
    laws: Sequence[Law | str],
    loss: str = "loss",
    *,
    objectives: Sequence[str | Objective] = ("log-ls", "log-huber", "ls"),
    drop_highest: Sequence[int] = (0,),
    where: Sequence[str | None] = (None,),
    counts: Sequence[str | None] = (None,),
    known: Known | None = None,
    interval: str = "sandwich",
    level: float = 0.95,
    cluster: str | None = None,
    missing: str = REFUSE,
    seed: int = 0,
) -> Sensitivity:
    """Fit under every combination of objective, filter, rule of counting parameters, and law.

    Parameters
    ----------
    laws, objectives, drop_highest, where, counts : sequences
        Every combination of these is a row; ``counts`` are rules by which the laws' N is made (counting.RULES), None
        for the column as it is.
    known : Known, optional
        What is given of parameters; each law takes what concerns it.
    interval, level, cluster, missing, seed
        As in :func:`superlaw.fit_law`.

    Raises
    ------
    InputError
        As in :func:`superlaw.fit_law`.
    """
    table, laws = as_table(table), [law_of(law) for law in laws]
    rows, notes = [], []
    for name, law in zip(titles(laws), laws, strict=True):
        own = None if known is None else known.of(law.names())
        for rule, objective, mask, count in product(counts, map(objective_of, objectives), where, drop_highest):
            fit = fit_law(
                table if rule is None else counted(table, rule, law),
                law,
                loss,
                objective=objective,
                where=mask,
                drop_highest=count,
                interval=interval,
                level=level,
                cluster=cluster,
                missing=missing,
                seed=seed,
                known=own,
            )
            rows.append(_row(name, fit, mask, count) | ({"count": rule or "as it is"} if any(counts) else {}))
            notes += fit.notes
    return Sensitivity(tuple(rows), level, unusable(table)[1], tuple(dict.fromkeys(notes)))


def _row(name: str, fit: Fit, mask: str | None, count: int) -> dict[str, Any]:
    words = ([mask] if mask else []) + [f"drop highest {count}"] * bool(count)
    return {
        "law": name,
        "objective": fit.objective.name,
        "filter": ", ".join(words) or "all",
        "n": fit.n,
        "exponents": {
            key: (fit.params[key].value, fit.params[key].low, fit.params[key].high)
            for key in fit.law.exponents_of(fit.labels)
        },
        "warnings": list(fit.warnings),
    }
