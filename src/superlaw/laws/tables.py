"""Tables of runs: reading, derived columns, masks, and the checks that name row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.laws.expression import evaluate
from superlaw.laws.kin import Kin, kin_of
from superlaw.laws.law import Law, Points
from superlaw.laws.own_runs import OUTCOMES, cautions, status_words, unusable
from superlaw.laws.reading import read_table

if TYPE_CHECKING:
    import pandas as pd


def load_table(path: str | Path, let: Mapping[str, str] | Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of runs: CSV, Parquet or JSON lines, by the file's ending.

    Parameters
    ----------
    path : str or Path
    let : mapping of str to str, or sequence of "name = expression"
        Columns to add, each an expression over those before it.

    Raises
    ------
    InputError
        When the file is missing, of another kind, unreadable or empty (see reading.read_table).
    """
    return add_columns(read_table(Path(path)), let)


def add_columns(table: pd.DataFrame, let: Mapping[str, str] | Sequence[str]) -> pd.DataFrame:
    """A copy of the table with columns computed from others, ``name = expression`` each."""
    if not isinstance(let, Mapping):
        pairs = [item.partition("=") for item in let]
        for name, equals, expression in pairs:
            if not equals or not name.strip() or not expression.strip():
                raise InputError(f"--let {name}{equals}{expression}", "NAME = EXPRESSION")
        let = {name.strip(): expression.strip() for name, _, expression in pairs}
    table = table.copy()
    for name, expression in let.items():
        table[name] = evaluate(expression, _columns(table))
    return table


def _columns(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Columns for expressions: float64 where numeric (no overflow of whole numbers), truth values, else text."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    def values(column: pd.Series) -> np.ndarray:
        if is_bool_dtype(column):
            return column.to_numpy(bool)
        return column.to_numpy(float if is_numeric_dtype(column) else object)

    return {name: values(table[name]) for name in table.columns}


def as_table(data: Any) -> pd.DataFrame:
    """A DataFrame from a DataFrame, a path, or a mapping of columns."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, str | Path):
        return load_table(data)
    return pd.DataFrame(dict(data))


@dataclass(frozen=True)
class Choice:
    """Which columns and rows of a table a fit uses.

    Parameters
    ----------
    loss : str
        Column of the loss.
    where : str or sequence of str, optional
        Rows to use; several all count.
    drop_highest : int
        K: of the rows left by ``where``, leave out those whose loss is at or above the K-th highest, ties included.
    weights, errors : str, optional
        Column of relative weights, or of standard errors of the loss (weights 1/error^2).
    cluster : str, optional
        Column of what was drawn independently.
    """

    loss: str = "loss"
    where: str | Sequence[str] | None = None
    drop_highest: int = 0
    weights: str | None = None
    errors: str | None = None
    cluster: str | None = None

    def __post_init__(self):
        if self.weights and self.errors:
            raise InputError("weights and errors", "one of the two")

    @property
    def condition(self) -> str | None:
        """All of ``where`` as one expression."""
        masks = [self.where] if isinstance(self.where, str) else list(self.where or ())
        return " and ".join(f"({mask})" for mask in masks) if len(masks) > 1 else masks[0] if masks else None


@dataclass(frozen=True)
class Selection:
    """The rows of a table that a fit uses, as arrays, and what was left out.

    ``rows`` are positions in the table counted from 0; ``dropped`` is the record of the masks; ``kin`` says which
    rows may have errors in common, ``cautions`` what the table's own columns say against the fit.
    """

    points: Points
    losses: np.ndarray
    weights: np.ndarray | None
    clusters: np.ndarray | None
    rows: np.ndarray
    dropped: dict[str, Any]
    kin: Kin
    cautions: tuple[str, ...] = ()

    def __getitem__(self, keep: np.ndarray) -> Selection:
        """Some of these rows; of which are alike nothing is said."""
        part = lambda column: None if column is None else column[keep]  # noqa: E731
        return Selection(self.points[keep], self.losses[keep], part(self.weights), part(self.clusters),
                         self.rows[keep], self.dropped, Kin({}, {}, {}, 0))  # fmt: skip


def select(table: Any, law: Law, choice: Choice, logarithmic: bool = True) -> Selection:
    """Check a table against a law and take the rows that the masks leave; of our own runs those that are ok."""
    table = as_table(table)
    named = (choice.loss, *law.sizes, *law.groups, choice.weights, choice.errors, choice.cluster)
    _check_columns(table, named)
    bad, statuses = unusable(table)
    keep = ~bad
    if choice.condition:
        keep &= mask(choice.condition, table)
    by_where = int((~keep & ~bad).sum())
    if choice.drop_highest:
        keep &= _below_highest(table, choice.loss, keep, choice.drop_highest)
    rows = np.flatnonzero(keep)
    if not len(rows):
        if bad.all():
            raise InputError(f"no run that is ok ({status_words(statuses)})", "some to fit", "train them first")
        raise InputError("no rows left by the masks", "some rows to fit", "widen --where or --drop-highest")
    losses = _numbers(table, choice.loss, rows, logarithmic)
    left = int(len(table) - len(rows))
    used = (choice.loss, choice.weights, choice.errors, choice.cluster, *(OUTCOMES if "status" in table else ()))
    return Selection(
        points=_points(table, law, rows),
        losses=losses,
        weights=_weights(table, choice, rows, losses if logarithmic else np.ones(len(rows))),
        clusters=_clusters(table, choice.cluster, rows),
        rows=rows,
        dropped={
            "rows": left,
            "where": choice.condition,
            "by_where": by_where,
            "drop_highest": choice.drop_highest,
            "by_drop_highest": left - by_where - int(bad.sum()),
            **({"by_status": statuses} if statuses else {}),
        },
        kin=kin_of(table.iloc[rows], law.sizes, law.groups, used),
        cautions=cautions(table.iloc[rows], law),
    )


def points_of(table: Any, law: Law, labels: tuple[str, ...] = ()) -> Points:
    """All rows of a table as points of a law, in the groups of these labels."""
    table = as_table(table)
    if not len(table):
        raise InputError("no sizes", "at least one row to predict")
    _check_columns(table, (*law.sizes, *law.groups))
    return _points(table, law, np.arange(len(table)), labels or None)


def _check_columns(table: pd.DataFrame, named: Sequence[str | None]) -> None:
    for column in dict.fromkeys(named):
        if column is not None and column not in table.columns:
            raise InputError(
                f"a table without the column {column!r}", "a column of it", nearest(column, map(str, table.columns))
            )


def _points(table: pd.DataFrame, law: Law, rows: np.ndarray, labels: tuple[str, ...] | None = None) -> Points:
    sizes = np.stack([_numbers(table, column, rows, law.positive_sizes) for column in law.sizes])
    return Points(sizes, *_group(table, law.groups, rows, labels))


def _weights(table: pd.DataFrame, choice: Choice, rows: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Relative weights of the points, of mean 1: their scale is estimated."""
    if choice.weights:
        weight = _numbers(table, choice.weights, rows, True)
    elif choice.errors:
        weight = 1 / (_numbers(table, choice.errors, rows, True) / scale) ** 2
    else:
        return None
    return weight * len(weight) / weight.sum()


def mask(where: str, table: pd.DataFrame) -> np.ndarray:
    """Rows of which the expression is true, shape (rows,)."""
    kept = np.asarray(evaluate(where, _columns(table)))
    if kept.dtype != bool or kept.shape != (len(table),):
        raise InputError(f"--where {where!r}", "a comparison of columns", "like 'tokens > 1e9'")
    return kept


def _below_highest(table: pd.DataFrame, loss: str, keep: np.ndarray, count: int) -> np.ndarray:
    rows = np.flatnonzero(keep)
    if count < 0 or count >= len(rows):
        raise InputError(f"--drop-highest {count} of {len(rows)} rows", f"a whole number from 0 to {len(rows) - 1}")
    values = np.full(len(keep), -np.inf)
    values[rows] = _numbers(table, loss, rows, positive=False)
    return values < np.sort(values[rows])[-count]


def _numbers(table: pd.DataFrame, column: str, rows: np.ndarray, positive: bool) -> np.ndarray:
    """The column's chosen rows as float64; InputError naming the first cell that is no such number."""
    import pandas as pd

    raw = table[column].iloc[rows]
    values = np.asarray(pd.to_numeric(raw, errors="coerce"), dtype=float)
    wrong = ~np.isfinite(values) | ((values <= 0) if positive else False)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        cell = raw.iloc[first]
        more = f" (and {int(wrong.sum()) - 1} more such cells)" if wrong.sum() > 1 else ""
        raise InputError(
            f"{'an empty cell or NaN' if pd.isna(cell) else repr(getattr(cell, 'item', lambda: cell)())[:60]} "
            f"in row {rows[first] + 1}, column {column!r}{more}",
            "a positive number" if positive else "a finite number",
            "mend the cell or leave the row out with --where",
        )
    return values


def _names(table: pd.DataFrame, column: str, rows: np.ndarray) -> np.ndarray:
    """The column's chosen rows as text; InputError naming the first empty cell."""
    empty = table[column].iloc[rows].isna().to_numpy()
    if empty.any():
        raise InputError(
            f"an empty cell in row {rows[np.flatnonzero(empty)[0]] + 1}, column {column!r}", "the name of a group"
        )
    return table[column].iloc[rows].astype(str).to_numpy()


def _clusters(table: pd.DataFrame, column: str | None, rows: np.ndarray) -> np.ndarray | None:
    if column is None:
        return None
    names = _names(table, column, rows)
    if len(set(names)) < 2:
        raise InputError(f"one cluster ({names[0]!r}) in the column {column!r}", "at least two", "another column")
    return names


def _group(
    table: pd.DataFrame, columns: tuple[str, ...], rows: np.ndarray, labels: tuple[str, ...] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Group of each row, and the labels ``a,b`` of the groups (sorted, or those given)."""
    if not columns:
        return np.zeros(len(rows), dtype=int), ()
    text = [_names(table, column, rows) for column in columns]
    joined = [",".join(parts) for parts in zip(*text, strict=True)]
    known = tuple(sorted(set(joined))) if labels is None else labels
    for label in joined:
        if label not in known:
            raise InputError(f"the group {label!r}", "a group of the fit", nearest(label, known))
    position = {label: i for i, label in enumerate(known)}
    return np.array([position[label] for label in joined]), known
