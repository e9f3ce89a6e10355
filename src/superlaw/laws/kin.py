"""Which rows of a table may have errors in common: the same sizes, a common name, one after another in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 8  # beside the law's own, that are looked at
SHORTEST = 8  # rows of a whole table that count as one series


@dataclass(frozen=True, eq=False)
class Kin:
    """Rows that may be alike, by position among the rows of a fit.

    Parameters
    ----------
    groups : dict of str to ndarray, shape (n,)
        By what rows are grouped (words), and the number of each row's group.
    series : dict of str to ndarray, shape (2, pairs)
        Column of a size, and the rows that follow one another in it, all else being equal.
    named : dict of str to int
        Columns of text that name fewer groups than there are rows, and how many.
    repeated : int
        Rows equal to an earlier one in every column.
    """

    groups: dict[str, np.ndarray]
    series: dict[str, np.ndarray]
    named: dict[str, int]
    repeated: int


def kin_of(table: pd.DataFrame, sizes: Sequence[str], groups: Sequence[str], used: Sequence[str | None]) -> Kin:
    """Of the rows of a table. ``sizes`` and ``groups`` are the law's columns; ``used`` play other parts in the fit."""
    from pandas.api.types import is_float_dtype

    n = len(table)
    table = table.assign(**{c: table[c].astype(str) for c in table.columns if table[c].dtype == object})  # hashable
    names = [c for c in table.columns if c not in {*sizes, *groups, *used} and not is_float_dtype(table[c])]
    keys = {"the same sizes": _codes(table, [*groups, *sizes])}
    if len(sizes) > 1:
        keys |= {f"the same {column!r}": _codes(table, [column]) for column in sizes}
    columns = {column: _codes(table, [column]) for column in names}
    columns = {c: codes for c, codes in columns.items() if 1 < codes.max() + 1 <= n / 2}
    columns = dict(list(columns.items())[:MOST_COLUMNS])
    keys |= {f"the column {column!r}": codes for column, codes in columns.items()}
    distinct: dict[str, np.ndarray] = {}
    for words, codes in keys.items():
        new = not any((codes == other).all() for other in distinct.values())
        if new and 1 < codes.max() + 1 < n:
            distinct[words] = codes
    text = {c: int(codes.max()) + 1 for c, codes in columns.items() if table[c].dtype.kind not in "iub"}
    return Kin(distinct, _series(table, sizes, groups, list(text)), text, int(table.duplicated().sum()))


def _codes(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """The group of each row by some columns, numbered by first appearance; shape (n,)."""
    import pandas as pd

    codes = np.zeros(len(table), dtype=int)
    for column in columns:
        own, names = pd.factorize(table[column], use_na_sentinel=False)
        codes = pd.factorize(codes * len(names) + own)[0]
    return codes


def _series(
    table: pd.DataFrame, sizes: Sequence[str], groups: Sequence[str], text: Sequence[str]
) -> dict[str, np.ndarray]:
    import pandas as pd

    out = {}
    for column in sizes:
        others = [*groups, *(c for c in sizes if c != column), *text]
        codes, x = _codes(table, others), np.asarray(pd.to_numeric(table[column]), dtype=float)
        order = np.lexsort((x, codes))
        first, second = order[:-1], order[1:]
        following = (codes[first] == codes[second]) & (x[first] < x[second])
        pairs = np.stack([first, second])[:, following]
        longest = np.bincount(codes[pairs[0]]).max(initial=0)
        if longest >= (2 if others else SHORTEST):
            out[column] = pairs
    return out
