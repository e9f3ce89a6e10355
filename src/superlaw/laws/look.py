"""look: what a table of runs holds, before any law is fitted to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.laws import quantities as q
from superlaw.laws.cells import as_numbers, empty, is_numeric
from superlaw.laws.decide import Decidable, decidable
from superlaw.laws.origin import origin_of, with_found
from superlaw.laws.own_runs import status_words, unusable
from superlaw.laws.seen import APART, PARTLY, TOGETHER, ColumnLook, Look, PairLook
from superlaw.laws.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

# What laws call each quantity; the first are sizes.
SIZES = {q.PARAMS: "N", q.TOKENS: "D", q.WIDTH: "width", q.DEPTH: "depth", q.STEPS: "steps", q.BATCH: "batch",
         q.UNIQUE: "U", q.VOCABULARY: "vocab_size", q.COMPUTE: "C"}  # fmt: skip
NAMED = {**SIZES, q.LOSS: "loss", q.RATE: "lr"}
PAIRED = ("N", "D", "width", "depth", "steps", "batch")  # whose dependence on one another is told
TIMES = ("D", "steps")  # along which checkpoints of one run lie
LITTLE, MUCH = 0.7, 0.95  # correlations of logs, up to which sizes vary independently, and above which together
SAME = 0.01  # spread of the log of a ratio that counts as one
FEW_GROUPS, MANY_GROUPS = 2, 50


def look(table: Any) -> Look:
    """What a table of runs holds: its columns, what they could be, how its sizes vary, and which laws it can decide.

    Parameters
    ----------
    table : DataFrame, mapping of columns, or path (see :func:`superlaw.load_table`)

    Raises
    ------
    InputError
        For a table that cannot be read.

    Examples
    --------
    >>> seen = look({"n_params": [1e6, 1e7, 1e8, 1e9], "tokens": [2e7, 2e8, 2e9, 2e10], "loss": [5.0, 4, 3.2, 2.7]})
    >>> seen.taken
    {'N': 'n_params', 'D': 'tokens', 'loss': 'loss'}
    >>> print(seen.pairs[0].vary, seen.pairs[0])
    together N and D (D is 20 N in every row)
    """
    table = as_table(table)
    if not all(isinstance(name, str) for name in table.columns):
        table = table.set_axis([str(name) for name in table.columns], axis=1)
    columns = tuple(_column(table, name) for name in table.columns)
    taken, unclear = _taken(table, columns)
    named = with_found(table, {name: column for name, column in taken.items() if name not in table.columns})
    sizes = {name: as_numbers(named[name]) for name in taken if name in SIZES.values()}
    bad, statuses = unusable(table)
    good = ~bad
    return Look(
        rows=len(table),
        kind=origin_of(table).kind,
        read=tuple(origin_of(table).notes),
        columns=columns,
        taken=taken,
        unclear=unclear,
        pairs=_pairs({name: np.where(good, x, np.nan) for name, x in sizes.items() if name in PAIRED}),
        remarks=(
            *([f"rows that are not ok: {status_words(statuses)}"] if statuses else []),
            *_gaps(table, taken, good),
            *_repeats(table, sizes),
            *_checkpoints(table, columns, sizes, good),
            *_compute(sizes),
        ),
        laws=tuple(_laws(table, columns, sizes, good)),
    )


def _column(table: pd.DataFrame, name: str) -> ColumnLook:
    from pandas.api.types import is_bool_dtype

    column = table[name]
    nothing = empty(column)
    held = column[~nothing]
    distinct = int(held.map(str).nunique() if held.dtype == object else held.nunique())
    low = high = None
    if is_bool_dtype(column):
        kind = "truth values"
    elif is_numeric(column):
        kind = "numbers"
        values = as_numbers(held)
        low, high = float(values.min()), float(values.max())
    else:
        kind = "text" if len(held) else "nothing"
    example = str(held.iloc[0])[:40] if len(held) and kind == "text" else ""
    could_be = q.quantity_of(name)
    if kind != "numbers" and could_be != q.RUN:
        could_be = None
    return ColumnLook(name, kind, int((~nothing).sum()), distinct, low, high, example, could_be)


def _taken(table: pd.DataFrame, columns: Sequence[ColumnLook]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The column for each quantity that laws name, and those that are too many."""
    taken, unclear = {}, {}
    numbers = {column.name for column in columns if column.kind == "numbers"}
    for quantity, name in NAMED.items():
        candidates = q.columns_of(table, quantity)
        if name in numbers:
            taken[name] = name
        elif len(candidates) == 1:
            taken[name] = candidates[0]
        elif candidates:
            unclear[name] = candidates
    return taken, unclear


def _pairs(sizes: Mapping[str, np.ndarray]) -> tuple[PairLook, ...]:
    out = []
    for (first, x), (second, y) in combinations(sizes.items(), 2):
        used = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
        a, b = np.log(x[used]), np.log(y[used])
        if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
            continue
        r = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
        condition = (1 + abs(r)) / (1 - abs(r)) if abs(r) < 1 - 1e-12 else np.inf
        vary = TOGETHER if abs(r) > MUCH else PARTLY if abs(r) > LITTLE else APART
        ratio = float(np.exp(np.median(b - a))) if np.ptp(b - a) < SAME else None
        out.append(PairLook(first, second, r, condition, vary, ratio))
    return tuple(out)


def _gaps(table: pd.DataFrame, taken: Mapping[str, str], good: np.ndarray) -> list[str]:
    gaps = {column: int((empty(table[column]) & good).sum()) for column in taken.values()}
    held = [f"{column} {count}" for column, count in gaps.items() if count]
    return [f"rows with empty cells: {', '.join(held)} (--missing drop leaves them out)"] if held else []


def _repeats(table: pd.DataFrame, sizes: Mapping[str, np.ndarray]) -> list[str]:
    """Rows that stand twice, and sizes that do."""
    out = []
    plain = table.assign(**{c: table[c].astype(str) for c in table.columns if table[c].dtype == object})  # hashable
    if repeated := int(plain.duplicated().sum()):
        out.append(f"{'1 row repeats' if repeated == 1 else f'{repeated} rows repeat'} another in every column")
    codes = _codes(sizes)
    if codes is not None and (places := int(codes.max(initial=-1)) + 1) < len(table):
        out.append(f"{places} different sets of {', '.join(sizes)} in {len(table)} rows: the others are replicates, or "
                   "differ in what no law here reads")  # fmt: skip
    return out


def _codes(columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The number of each row's set of values, shape (n,)."""
    import pandas as pd

    codes = None
    for x in columns.values():
        own, names = pd.factorize(x, use_na_sentinel=False)
        codes = own if codes is None else pd.factorize(codes * len(names) + own)[0]
    return codes


def _checkpoints(
    table: pd.DataFrame, columns: Sequence[ColumnLook], sizes: Mapping[str, np.ndarray], good: np.ndarray
) -> list[str]:
    """Runs that have several rows, which differ in the time alone."""
    import pandas as pd

    time = next((name for name in TIMES if name in sizes), None)
    runs = [c.name for c in columns if c.could_be == q.RUN and 1 < c.distinct < int(good.sum())]
    if time is None or not runs:
        return []
    run = min(runs, key=lambda name: next(c.distinct for c in columns if c.name == name))
    codes = pd.factorize(table[run].astype(str))[0]
    shape = _codes({name: x for name, x in sizes.items() if name in ("N", "width", "depth")})
    count = len(np.unique(codes))
    if shape is not None and len(np.unique(codes * (shape.max() + 1) + shape)) > count:
        return []  # rows of one name are of several shapes: no run
    each = np.bincount(codes[good])
    each = each[each > 0]
    if np.median(each) < 2:
        return []  # a name that stands twice makes no checkpoints
    rows = f"{each.min()}" if each.min() == each.max() else f"{each.min()} to {each.max()}"
    return [f"{int(good.sum())} rows are of {len(each)} runs of {run!r}, {rows} each along {time}: checkpoints of one "
            f"run are not independent: --cluster {_quoted(run)}"]  # fmt: skip


def _quoted(name: str) -> str:
    return name if name.replace("_", "").isalnum() else repr(name)


def _compute(sizes: Mapping[str, np.ndarray]) -> list[str]:
    """How the stated compute compares with 6 N D."""
    if not {"C", "N", "D"} <= set(sizes):
        return []
    with np.errstate(all="ignore"):
        ratio = sizes["C"] / (6 * sizes["N"] * sizes["D"])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if not len(ratio):
        return []
    low, middle, high = np.quantile(ratio, [0.05, 0.5, 0.95])
    return [f"C is {middle:.3g} times 6 N D (5 to 95 % of the rows: {low:.3g} to {high:.3g})"]


def _laws(
    table: pd.DataFrame, columns: Sequence[ColumnLook], sizes: Mapping[str, np.ndarray], good: np.ndarray
) -> list[Decidable]:
    """The laws, over the rows whose sizes are all numbers above 0."""
    import pandas as pd

    usable = {name: x for name, x in sizes.items() if (np.isfinite(x) & (x > 0))[good].any()}
    keep = good.copy()
    for x in usable.values():
        keep &= np.isfinite(x) & (x > 0)
    varied = {name: x[keep] for name, x in usable.items() if keep.any() and np.ptp(x[keep]) > 0}
    if not varied:
        return []
    groups = [c.name for c in columns if c.kind == "text" and c.could_be != q.RUN and c.filled == len(table)
              and FEW_GROUPS <= c.distinct <= min(MANY_GROUPS, int(keep.sum()) // 4)]  # fmt: skip
    chosen = pd.DataFrame(varied)
    for name in groups[:1]:
        chosen[name] = table[name].astype(str).to_numpy()[keep]
    return decidable(chosen, list(varied), groups[0] if groups else None)
