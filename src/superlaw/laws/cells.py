"""Cells of a table as numbers and names: what people write for a number, and which cell is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.numbers import scaled
from superlaw.laws.origin import origin_of

if TYPE_CHECKING:
    import pandas as pd

FIRST = 20  # cells that are looked at before all are
HUGE = 10**308  # whole numbers beyond it have no float, and count as infinite
EMPTY = ("", "nan")  # texts of a cell that holds nothing


def as_numbers(column: pd.Series) -> np.ndarray:
    """The cells as float64, shape (n,): ``1.2B`` is 1.2e9, ``5e9`` and ``" 3 "`` are numbers; NaN where none is.

    Examples
    --------
    >>> import pandas as pd
    >>> print(as_numbers(pd.Series(["1.2B", "300M", "5e9", "wide", ""])))
    [1.2e+09 3.0e+08 5.0e+09     nan     nan]
    """
    import pandas as pd

    if column.dtype.kind in "mM":  # dates
        return np.full(len(column), np.nan)
    try:
        values = np.array(pd.to_numeric(column, errors="coerce"), dtype=float)
    except OverflowError:
        beyond = [isinstance(cell, int) and abs(cell) > HUGE for cell in column]
        values = np.array(pd.to_numeric(column.where(~np.array(beyond), np.inf), errors="coerce"), dtype=float)
    if column.dtype.kind in "biuf":
        return values
    rest = np.isnan(values)
    values[rest] = _each(column[rest], scaled)
    return values


def _each(column: pd.Series, of: Callable[[Any], Any]) -> np.ndarray:
    """What a function gives for every cell, called once for each that is different; NaN for None; shape (n,)."""
    import pandas as pd

    codes, different = pd.factorize(column, use_na_sentinel=False)
    found = np.array([of(cell) for cell in different], dtype=float)
    return found[codes] if len(found) else np.zeros(0)


def empty(column: pd.Series) -> np.ndarray:
    """Cells that hold nothing, or NaN; shape (n,).

    Examples
    --------
    >>> import pandas as pd
    >>> empty(pd.Series(["1", None, " ", "NaN", "n/a"])).tolist()
    [False, True, True, True, False]
    """
    nothing = column.isna().to_numpy(bool)
    if column.dtype.kind in "biuf":
        return nothing
    if column.dtype == object:
        return nothing | (_each(column, lambda cell: isinstance(cell, str) and cell.strip().lower() in EMPTY) > 0)
    return nothing | column.astype("str").str.strip().str.lower().isin(EMPTY).to_numpy(bool)


def is_numeric(column: pd.Series) -> bool:
    """Whether every cell that holds something is a number, and there is one.

    Examples
    --------
    >>> import pandas as pd
    >>> is_numeric(pd.Series(["70M", None, "1.4B"])), is_numeric(pd.Series(["70M", "large"]))
    (True, False)
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bool_dtype(column):
        return False
    if is_numeric_dtype(column):
        return bool(column.notna().any())
    held = column[~empty(column)]
    # most texts are told by their first cells
    return bool(len(held)) and not any(np.isnan(as_numbers(part)).any() for part in (held.iloc[:FIRST], held))


def numbers(table: pd.DataFrame, column: str, rows: np.ndarray, positive: bool) -> np.ndarray:
    """The column's chosen rows as float64; InputError naming the first cell that is no such number."""
    raw = table[column].iloc[rows]
    values = as_numbers(raw)
    wrong = ~np.isfinite(values) | ((values <= 0) if positive else False)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        more = f" (and {int(wrong.sum()) - 1} more such cells)" if wrong.sum() > 1 else ""
        nothing = empty(raw.iloc[[first]])[0]
        got = "an empty cell or NaN" if nothing else written(raw.iloc[first])
        raise InputError(
            f"{got} in {row_name(table, int(rows[first]))}, column {column!r}{more}",
            "a positive number" if positive else "a finite number",
            "mend the cell or leave the row out with --where" + (" or --missing drop" if nothing else ""),
        )
    return values


def names(table: pd.DataFrame, column: str, rows: np.ndarray) -> np.ndarray:
    """The column's chosen rows as text; InputError naming the first empty cell."""
    nothing = table[column].iloc[rows].isna().to_numpy()
    if nothing.any():
        row = int(rows[np.flatnonzero(nothing)[0]])
        raise InputError(f"an empty cell in {row_name(table, row)}, column {column!r}", "the name of a group",
                         "mend the cell or leave the row out with --where or --missing drop")  # fmt: skip
    return table[column].iloc[rows].astype(str).to_numpy()


def written(cell: Any) -> str:
    """A cell as it was written, for a message.

    Examples
    --------
    >>> print(written(np.float64(-1.5)), written("wide"))
    -1.5 'wide'
    """
    return repr(getattr(cell, "item", lambda: cell)())[:60]


def row_name(table: pd.DataFrame, row: int) -> str:
    """How a row is called: by its number, from 1, and by its run where the reading named the runs."""
    run = origin_of(table).run
    return f"row {row + 1}" + (f" (run {str(table[run].iloc[row])[:60]!r})" if run in table.columns else "")
