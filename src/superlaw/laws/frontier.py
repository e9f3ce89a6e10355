"""The compute-optimal frontier of a fit over a range of budgets, or what a range of losses requires, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short, scaled
from superlaw.files.records import json_ready
from superlaw.laws.optimum import Optimum, Triple, optimum
from superlaw.laws.required import Requirement, requirement
from superlaw.laws.result import Fit

POINTS = 13  # of a range
MOST_POINTS = 2000


@dataclass(frozen=True)
class Frontier(Shown):
    """Optima over budgets, or requirements over losses.

    Parameters
    ----------
    kind : str
        "flops", "params" or "loss": what the first column holds.
    rows : tuple of Optimum or Requirement
        In the order given.
    level : float
    drawn_from : str
    warnings : tuple of str
        The fit's, which rows are extrapolations, and losses that are never reached.
    """

    kind: str
    rows: tuple[Optimum | Requirement, ...]
    level: float
    drawn_from: str
    warnings: tuple[str, ...]

    def column(self, name: str) -> np.ndarray:
        """Value, low and high of a column over the rows, shape (3, rows); of the first column thrice the same."""
        return np.array([_triples(row)[name] for row in self.rows], dtype=float).T

    @property
    def columns(self) -> list[str]:
        """The names of the columns, the given one first."""
        return list(_triples(self.rows[0]))

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        header = [self.kind]
        for name in self.columns[1:]:
            header += [name, f"{self.level:.4g} low", "high"]
        header.append("beyond the data")
        rows = []
        for row in self.rows:
            first, *others = _triples(row).values()
            named = dict(zip(self.columns[1:], others, strict=True))
            cells = [in_short(first.value, self.kind)]
            cells += [
                f"{x:.4g}" if name == "loss" else in_short(x, name) for name, triple in named.items() for x in triple
            ]
            rows.append([*cells, ", ".join(_beyond(row))])
        return header, rows

    def __str__(self) -> str:
        header, rows = self.cells
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        return "\n".join([*lines, in_columns(header, rows, left=(len(header) - 1,)),
                          f"intervals of each row by itself: {self.drawn_from}"])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite end is null."""
        rows = [{name: triple.to_dict() for name, triple in _triples(row).items()} | {"beyond": _beyond(row)}
                for row in self.rows]  # fmt: skip
        return json_ready({"of": self.kind, "level": self.level, "drawn_from": self.drawn_from, "rows": rows,
                           "warnings": self.warnings})  # fmt: skip


def _triples(row: Optimum | Requirement) -> dict[str, Triple]:
    if isinstance(row, Optimum):
        ((kind, amount),) = row.budget.items()
        return {kind: Triple(amount, amount, amount), **row.sizes, "loss": row.loss}
    return {"loss": Triple(row.loss, row.loss, row.loss), row.of: row.size, **row.sizes}


def _beyond(row: Optimum | Requirement) -> list[str]:
    """The columns of a row that the data do not reach."""
    return [column for column in _triples(row) if any(w.startswith(f"{column} = ") for w in row.warnings)]


def frontier(
    fit: Fit,
    flops: Sequence[float] | None = None,
    params: Sequence[float] | None = None,
    *,
    loss: Sequence[float] | None = None,
    of: str | None = None,
    at: dict[str, Any] | None = None,
    width: str = "width",
    depth: str = "depth",
    tokens: str = "tokens",
    seed: int = 0,
) -> Frontier:
    """The best sizes over a range of budgets, or what a range of losses requires.

    Parameters
    ----------
    fit : Fit
    flops, params, loss : sequence of float
        One of the three: :func:`superlaw.optimum` of each budget, :func:`superlaw.requirement` of each loss.
    of, at : optional
        With losses, as in :func:`superlaw.requirement`.
    width, depth, tokens : str
        With budgets, as in :func:`superlaw.optimum`.
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        Where the law has no optimum, or no loss of the range can be reached.
    """
    given = {"flops": flops, "params": params, "loss": loss}
    ((kind, amounts),) = [(k, v) for k, v in given.items() if v is not None] if _one(given) else [("", ())]
    if not 1 <= len(amounts) <= MOST_POINTS:
        raise InputError(f"{len(amounts)} values of {kind or 'flops, params and loss'}",
                         f"1 to {MOST_POINTS} of one of them")  # fmt: skip
    rows: list[Optimum | Requirement] = []
    never = []
    for amount in amounts:
        if kind == "loss":
            try:
                rows.append(requirement(fit, float(amount), of, at, seed=seed))
            except InputError as error:
                if not error.got.startswith("loss = "):
                    raise
                never.append((float(amount), error))
        else:
            budget: dict[str, Any] = {kind: float(amount), "width": width, "depth": depth, "tokens": tokens}
            rows.append(optimum(fit, **budget, seed=seed))
    if not rows:
        raise never[0][1]
    warnings = list(fit.warnings)
    if never:
        warnings.append(f"never reached: a loss of {', '.join(f'{x:g}' for x, _ in never)}")
    warnings += [w for w in dict.fromkeys(w for row in rows for w in row.warnings)
                 if w not in warnings and "is an extrapolation" not in w]  # fmt: skip
    return Frontier(kind, tuple(rows), fit.interval["level"], rows[0].drawn_from, tuple(warnings))


def _one(given: dict[str, Any]) -> bool:
    return sum(value is not None for value in given.values()) == 1


def log_range(text: str, option: str) -> np.ndarray:
    """``LOW:HIGH`` or ``LOW:HIGH:COUNT`` as numbers evenly spaced in their logs; one number as itself.

    Examples
    --------
    >>> log_range("1e20:1e22:3", "--flops")
    array([1.e+20, 1.e+21, 1.e+22])
    >>> log_range("7B", "--params")
    array([7.e+09])
    """
    parts = text.split(":")
    need = f"{option} NUMBER, LOW:HIGH or LOW:HIGH:COUNT"
    try:
        known = [scaled(part) for part in parts[:2]]
        numbers = [float(part) if size is None else size for part, size in zip(parts, known, strict=False)]
        count = int(parts[2]) if len(parts) == 3 else POINTS
    except ValueError:
        raise InputError(f"{option} {text}", need) from None
    if len(parts) == 1:
        return np.array(numbers)
    if len(parts) > 3 or not (0 < numbers[0] < numbers[1] < np.inf and 2 <= count <= MOST_POINTS):
        raise InputError(f"{option} {text}", f"{need}, 0 < LOW < HIGH, COUNT of 2 to {MOST_POINTS}")
    return np.geomspace(numbers[0], numbers[1], count)
