"""Tables of runs: reading, derived columns, masks, and the checks that name row and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.files.numbers import scaled
from superlaw.laws.cells import as_numbers, empty, names, numbers
from superlaw.laws.expression import evaluate, names_in
from superlaw.laws.kin import Kin, kin_of
from superlaw.laws.law import Law, Points
from superlaw.laws.origin import origin_of, with_found
from superlaw.laws.own_runs import OUTCOMES, cautions, is_ours, status_words, unusable
from superlaw.laws.quantities import find_columns, quantity_of
from superlaw.laws.reading import read_table

if TYPE_CHECKING:
    import pandas as pd


REFUSE, DROP = "refuse", "drop"  # what is done with empty cells


def load_table(
    path: str | Path, let: Mapping[str, str] | Sequence[str] = (), along_steps: bool = False
) -> pd.DataFrame:
    """Read a table of runs, from a file or a folder of runs.

    Parameters
    ----------
    path : str or Path
        CSV, JSON or JSON lines (also with .gz), Parquet, Excel, an event file of TensorBoard; a folder of
        ``trainer_state.json`` files, event files, histories (a table a run) or JSON results (docs/laws.md).
    let : mapping of str to str, or sequence of "name = expression"
        Columns to add, each an expression over those before it.
    along_steps : bool
        Of runs that were logged along their steps: a row for each logged step, instead of a row a run.

    Raises
    ------
    InputError
        When it is missing, of another kind, unreadable or empty (see sources.files.read_file).
    """
    return add_columns(read_table(Path(path), along_steps), let)


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
        table = _with_quantities(table, expression)
        table[name] = evaluate(expression, _columns(table))
    return table


def _with_quantities(table: pd.DataFrame, expression: str) -> pd.DataFrame:
    """The table with the columns that an expression names by what they are: N, D, width ..."""
    if is_ours(table):
        return table
    return with_columns(table, [name for name in names_in(expression) if quantity_of(name) is not None])


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
    missing : {"refuse", "drop"}
        What is done with rows in which a cell that is needed is empty or NaN.
    """

    loss: str = "loss"
    where: str | Sequence[str] | None = None
    drop_highest: int = 0
    weights: str | None = None
    errors: str | None = None
    cluster: str | None = None
    missing: str = REFUSE

    def __post_init__(self):
        if self.weights and self.errors:
            raise InputError("weights and errors", "one of the two")
        if self.missing not in (REFUSE, DROP):
            raise InputError(f"missing = {self.missing!r}", f"{REFUSE} or {DROP}")

    @property
    def condition(self) -> str | None:
        """All of ``where`` as one expression."""
        masks = [self.where] if isinstance(self.where, str) else list(self.where or ())
        return " and ".join(f"({mask})" for mask in masks) if len(masks) > 1 else masks[0] if masks else None


@dataclass(frozen=True)
class Selection:
    """The rows of a table that a fit uses, as arrays, and what was left out.

    ``rows`` are positions in the table counted from 0; ``dropped`` is the record of the masks; ``kin`` says which
    rows may have errors in common, ``cautions`` what the table's own columns say against the fit, ``notes`` what was
    decided when the table was read.
    """

    points: Points
    losses: np.ndarray
    weights: np.ndarray | None
    clusters: np.ndarray | None
    rows: np.ndarray
    dropped: dict[str, Any]
    kin: Kin
    cautions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, keep: np.ndarray) -> Selection:
        """Some of these rows; of which are alike nothing is said."""
        part = lambda column: None if column is None else column[keep]  # noqa: E731
        return Selection(self.points[keep], self.losses[keep], part(self.weights), part(self.clusters),
                         self.rows[keep], self.dropped, Kin({}, {}, {}, 0))  # fmt: skip


def select(table: Any, law: Law, choice: Choice, logarithmic: bool = True) -> Selection:
    """Check a table against a law and take the rows that the masks leave; of our own runs those that are ok."""
    named = (choice.loss, *law.sizes, *law.groups, choice.weights, choice.errors, choice.cluster)
    table = with_columns(as_table(table), named)
    bad, statuses = unusable(table)
    keep = ~bad
    if choice.condition:
        table = _with_quantities(table, choice.condition)
        keep &= mask(choice.condition, table)
    by_where = int((~keep & ~bad).sum())
    by_missing = _drop_missing(table, named, keep) if choice.missing == DROP else {}
    kept = int(keep.sum())
    if choice.drop_highest:
        keep &= _below_highest(table, choice.loss, keep, choice.drop_highest)
    rows = np.flatnonzero(keep)
    if not len(rows):
        if bad.all():
            raise InputError(f"no run that is ok ({status_words(statuses)})", "some to fit", "train them first")
        empties = f", of which {by_missing['rows']} by missing cells" if by_missing else ""
        raise InputError(f"no rows left by the masks{empties}", "some rows to fit", "widen --where or --drop-highest")
    losses = numbers(table, choice.loss, rows, logarithmic)
    used = (choice.loss, choice.weights, choice.errors, choice.cluster, *(OUTCOMES if "status" in table else ()))
    found = origin_of(table).found.values()  # beside the names that they were found for
    numeric = table.assign(**{column: as_numbers(table[column]) for column in law.sizes})
    return Selection(
        points=_points(table, law, rows),
        losses=losses,
        weights=_weights(table, choice, rows, losses if logarithmic else np.ones(len(rows))),
        clusters=_clusters(table, choice.cluster, rows),
        rows=rows,
        dropped={
            "rows": int(len(table) - len(rows)),
            "where": choice.condition,
            "by_where": by_where,
            "drop_highest": choice.drop_highest,
            "by_drop_highest": kept - len(rows),
            **({"by_status": statuses} if statuses else {}),
            **({"by_missing": by_missing} if choice.missing == DROP else {}),
        },
        kin=kin_of(numeric.iloc[rows], law.sizes, law.groups, (*used, *found)),
        cautions=cautions(table.iloc[rows], law),
        notes=(*origin_of(table).sentences, *_scales(table, (choice.loss, *law.sizes), rows)),
    )


def points_of(table: Any, law: Law, labels: tuple[str, ...] = ()) -> Points:
    """All rows of a table as points of a law, in the groups of these labels."""
    table = as_table(table)
    if not len(table):
        raise InputError("no sizes", "at least one row to predict")
    table = with_columns(table, (*law.sizes, *law.groups))
    return _points(table, law, np.arange(len(table)), labels or None)


def with_columns(table: pd.DataFrame, named: Iterable[str | None]) -> pd.DataFrame:
    """The table with every named column: one that it lacks is found by what it is, or refused (find_columns).

    Of our own runs every column has one name: ``step`` is no other word for ``steps`` there.
    """
    wanted = [column for column in named if column is not None]
    return with_found(table, find_columns(table, wanted, exactly=is_ours(table)))


def without_gaps(table: pd.DataFrame, needed: Iterable[str | None], loss: str) -> pd.DataFrame:
    """The table without the losses of rows that lack what no law asks for: ``missing="drop"`` drops these rows then."""
    gaps = np.any([empty(table[column]) for column in needed if column is not None], axis=0)
    return table.assign(**{loss: table[loss].where(~gaps)})


def _scales(table: pd.DataFrame, columns: Iterable[str], rows: np.ndarray) -> list[str]:
    """What to say of columns in which numbers are written as 300M."""
    from pandas.api.types import is_numeric_dtype

    firsts = {column: next(filter(scaled, table[column].iloc[rows]), None) for column in dict.fromkeys(columns)
              if not is_numeric_dtype(table[column])}  # fmt: skip
    return [f"{cell!r} in the column {column!r} is read as {scaled(cell):g}" for column, cell in firsts.items() if cell]


def _drop_missing(table: pd.DataFrame, named: Iterable[str | None], keep: np.ndarray) -> dict[str, Any]:
    """Take the rows with an empty cell in a named column out of ``keep``; how many, and of each column."""
    before, columns = keep.copy(), {}
    for column in dict.fromkeys(named):
        if column is not None and (count := int((gaps := empty(table[column]) & before).sum())):
            columns[column] = count
            keep &= ~gaps
    return {"rows": int(before.sum() - keep.sum()), "columns": columns}


def _points(table: pd.DataFrame, law: Law, rows: np.ndarray, labels: tuple[str, ...] | None = None) -> Points:
    sizes = np.stack([numbers(table, column, rows, law.positive_size(column)) for column in law.sizes])
    return Points(sizes, *_group(table, law.groups, rows, labels))


def _weights(table: pd.DataFrame, choice: Choice, rows: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Relative weights of the points, of mean 1: their scale is estimated."""
    if choice.weights:
        weight = numbers(table, choice.weights, rows, True)
    elif choice.errors:
        weight = 1 / (numbers(table, choice.errors, rows, True) / scale) ** 2
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
    values[rows] = numbers(table, loss, rows, positive=False)
    return values < np.sort(values[rows])[-count]


def _clusters(table: pd.DataFrame, column: str | None, rows: np.ndarray) -> np.ndarray | None:
    if column is None:
        return None
    found = names(table, column, rows)
    if len(set(found)) < 2:
        raise InputError(f"one cluster ({found[0]!r}) in the column {column!r}", "at least two", "another column")
    return found


def _group(
    table: pd.DataFrame, columns: tuple[str, ...], rows: np.ndarray, labels: tuple[str, ...] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Group of each row, and the labels ``a,b`` of the groups (sorted, or those given)."""
    if not columns:
        return np.zeros(len(rows), dtype=int), ()
    text = [names(table, column, rows) for column in columns]
    joined = [",".join(parts) for parts in zip(*text, strict=True)]
    known = tuple(sorted(set(joined))) if labels is None else labels
    for label in joined:
        if label not in known:
            raise InputError(f"the group {label!r}", "a group of the fit", nearest(label, known))
    position = {label: i for i, label in enumerate(known)}
    return np.array([position[label] for label in joined]), known
