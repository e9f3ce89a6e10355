"""Whether a table of runs can tell how loss falls with width: which runs count, and how they vary width apart.

The rules are those of docs/studies/width-law-protocol.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.cells import names, numbers
from superlaw.laws.own_runs import unusable
from superlaw.laws.tables import add_columns, mask, with_columns

if TYPE_CHECKING:
    import pandas as pd

SIZES = ("depth", "tokens")  # beside the width


@dataclass(frozen=True)
class WidthRules:
    """When a table can tell, and what is tried; the numbers stand in studies/width_law.toml."""

    objective: str
    objectives: tuple[str, ...]
    drop_shares: tuple[float, ...]
    narrowest_left_out: tuple[float, ...]
    distinct: int
    span: float
    inflation: float
    freedom: int
    decisive: float
    cut: float


@dataclass(frozen=True)
class WidthTable:
    """A table of runs, and which of its columns are what. ``source`` joins entries that are not independent.

    ``best_of`` keeps the lowest loss of each combination of its columns; ``cluster`` is what was drawn independently
    [shapes].
    """

    entry: str
    name: str
    source: str
    width: str = "width"
    depth: str | None = "depth"
    tokens: str | None = "tokens"
    params: str | None = None
    loss: str = "loss"
    where: tuple[str, ...] = ()
    let: tuple[str, ...] = ()
    best_of: tuple[str, ...] = ()
    cluster: str | None = None
    learning_rate: str | None = None
    why: str = ""


@dataclass(frozen=True, eq=False)
class WidthDesign:
    """The runs that count, under the names width, depth, tokens, N, loss, cluster; and what they can tell.

    Parameters
    ----------
    runs : DataFrame
    terms : tuple of str
        Sizes with a term: width, and of depth and tokens those with enough distinct values.
    held : dict of str to float
        Sizes without one, and the value kept.
    rows, counted : int
        Rows of the table, and those that count.
    widths : tuple of float
    inflation, with_learning_rate : float
        Variance inflation of log width given the logs of the other terms, and of the learning rate too (NaN where none
        is named or it does not vary).
    freedom : int
        Points less parameters.
    cannot : str
        Why the table cannot tell; empty where it can.
    """

    runs: pd.DataFrame
    terms: tuple[str, ...]
    held: dict[str, float]
    rows: int
    widths: tuple[float, ...]
    inflation: float
    with_learning_rate: float
    freedom: int
    cannot: str

    @property
    def counted(self) -> int:
        """Runs that count."""
        return len(self.runs)


def variance_inflation(sizes: np.ndarray) -> float:
    """How much of the first size's variance the others leave: var / residual variance, of logs; inf where none.

    Parameters
    ----------
    sizes : ndarray, shape (k, n)
        Positive.

    Examples
    --------
    >>> variance_inflation(np.array([[1.0, 2, 1, 2], [1, 1, 2, 2]]))
    1.0
    >>> variance_inflation(np.array([[1.0, 2, 4, 8], [2, 4, 8, 16]]))
    inf
    """
    logs = np.log(np.asarray(sizes, float))
    logs = logs - logs.mean(axis=1, keepdims=True)
    others = logs[1:][np.ptp(logs[1:], axis=1) > 0]
    left = logs[0] - np.linalg.lstsq(others.T, logs[0], rcond=None)[0] @ others
    whole, rest = float(logs[0] @ logs[0]), float(left @ left)
    return float(whole / rest) if rest > 1e-12 * whole else float("inf")


def width_design(table: pd.DataFrame, columns: WidthTable, rules: WidthRules) -> WidthDesign:
    """Choose the runs that count, and say whether they can tell.

    Raises
    ------
    InputError
        For a column that the table lacks, or no rows left.
    """
    runs = _counted(add_columns(table, columns.let), columns)
    terms, held = ["width"], {}
    for size in SIZES:
        if getattr(columns, size) is None:
            continue
        counts = runs[size].value_counts()
        if len(counts) >= rules.distinct:
            terms.append(size)
        else:  # the most frequent, the larger of equals
            held[size] = float(counts[counts == counts.max()].index.max())
            runs = runs[runs[size] == held[size]]
    runs = runs.reset_index(drop=True)
    widths = tuple(sorted(map(float, runs["width"].unique())))
    sizes = [runs[name].to_numpy(float) for name in terms]
    rate = float("nan")
    if "learning_rate" in runs and runs["learning_rate"].nunique() > 1:
        rate = variance_inflation(np.array([*sizes, runs["learning_rate"].to_numpy(float)]))
    inflation = variance_inflation(np.array(sizes)) if len(widths) > 1 else float("inf")
    freedom = len(runs) - 2 * len(terms) - 1
    cannot = _cannot(widths, inflation, freedom, terms, rules)
    return WidthDesign(runs, tuple(terms), held, len(table), widths, inflation, rate, freedom, cannot)


def _cannot(widths: Sequence[float], inflation: float, freedom: int, terms: Sequence[str], rules: WidthRules) -> str:
    if len(widths) < rules.distinct:
        return f"{len(widths)} distinct widths; {rules.distinct} are needed"
    if widths[-1] / widths[0] < rules.span:
        return f"the widest is {widths[-1] / widths[0]:.3g} times the narrowest; {rules.span:g} are needed"
    if freedom < rules.freedom:
        return f"{freedom} degrees of freedom; {rules.freedom} are needed"
    if inflation > rules.inflation:
        others = " and ".join(terms[1:])
        left = "nothing" if inflation > 1e6 else f"1/{inflation:.3g}"
        return f"width varies with {others}: they leave {left} of the variance of log width"
    return ""


def _counted(table: pd.DataFrame, columns: WidthTable) -> pd.DataFrame:
    """The rows that count, under our own names."""
    import pandas as pd

    ours = {"width": columns.width, "depth": columns.depth, "tokens": columns.tokens, "N": columns.params,
            "loss": columns.loss, "cluster": columns.cluster, "learning_rate": columns.learning_rate}  # fmt: skip
    named = {name: column for name, column in ours.items() if column is not None}
    table = with_columns(table, (*named.values(), *columns.best_of))
    keep = ~unusable(table)[0]
    for condition in columns.where:
        keep &= mask(condition, table)
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise InputError("no rows left by the masks", "some rows to fit", "widen --where")
    runs = pd.DataFrame({
        name: names(table, column, rows) if name == "cluster" else numbers(table, column, rows, positive=True)
        for name, column in named.items()
    })  # fmt: skip
    if columns.best_of:
        best = table.iloc[rows].reset_index(drop=True)[list(columns.best_of)].assign(loss=runs["loss"])
        runs = runs.loc[best.sort_values("loss", kind="stable").drop_duplicates(list(columns.best_of)).index]
        runs = runs.reset_index(drop=True)
    if "cluster" not in runs:
        shape = [runs[size].map("{:g}".format) for size in ("width", "depth") if size in runs]
        runs["cluster"] = shape[0] if len(shape) == 1 else shape[0] + "x" + shape[1]
    if "N" not in runs and "depth" in runs:
        runs["N"] = 12 * runs["width"] ** 2 * runs["depth"]  # [Kaplan], without embeddings
    return runs
