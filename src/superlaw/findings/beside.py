"""Values of single runs set beside the points of a figure: matched, their scatter pooled, judged if of one protocol."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.findings.figure_comparison import SYMBOLS, TWICE, ComparedPoint, FigureComparison, Kind, Scatter
from superlaw.laws.published import load_published
from superlaw.sweeps.plan import load_plan
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    import pandas as pd

PLACES = 3  # decimals to which coordinates are matched: the published ones have four figures
ALPHA_BANDS = ("alpha up to 1", "alpha above 1")


@cache
def published_points(kind: Kind) -> pd.DataFrame:
    """The points of a figure (laws.figure_points), read once."""
    return load_published(kind.table)


def band(by: str, value: float) -> str:
    """The band that pools the scatter of a cell: of alpha, or the width itself.

    Examples
    --------
    >>> band("data_exponent", 1.0), band("data_exponent", 1.125), band("width", 8)
    ('alpha up to 1', 'alpha above 1', 'm = 8')
    """
    return f"m = {value:g}" if by == "width" else ALPHA_BANDS[value > 1]


def _placed(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Coordinates rounded so that theirs and ours are equal."""
    numbers = {key: table[key].astype(float).round(PLACES) + 0.0 for key in kind.keys if key in SYMBOLS}
    return table.assign(**numbers)


def set_beside(
    kind: Kind,
    runs: pd.DataFrame,
    ours: pd.DataFrame,
    keep: Callable[[pd.DataFrame], Any] | None = None,
    cut: list[str] | None = None,
) -> FigureComparison:
    """Published points beside values of single runs (columns: the keys, seed and ``value``)."""
    table, keys = published_points(kind), list(kind.keys)
    table = _placed(table[keep(table)] if keep else table, kind)
    ours = _placed(ours, kind).merge(table[[*keys, kind.column]], on=keys, suffixes=("", "_published"))
    cells = ours.groupby(keys)["value"].agg(["count", "mean", "var"])
    scatters = _scatters(kind, cells)
    unlike = (*(cut or []), *_unlike(runs, kind)) if len(cells) else ()
    points, absent = [], []
    for row in table.sort_values(keys).to_dict("records"):
        where = {key: row[key] for key in keys}
        place = tuple(where.values())
        if place not in cells.index:
            absent.append(where)
            continue
        points.append(_point(kind, where, row, cells.loc[place], scatters, bool(unlike)))
    by_seed = _by_seed(kind, ours)
    return FigureComparison(kind, tuple(points), scatters, by_seed, len(table), unlike, _listed(kind, table, absent))


def _by_seed(kind: Kind, ours: pd.DataFrame) -> dict[int, float]:
    """Mean difference of each seed that has every point which any has."""
    column = f"{kind.column}_published" if f"{kind.column}_published" in ours else kind.column
    published = np.log(ours[column]) if kind.relative else ours[column]
    found = (ours["value"] - published).groupby(ours["seed"]).agg(["mean", "count"]).reset_index()
    whole = found[found["count"] == len(ours[list(kind.keys)].drop_duplicates())]
    return {int(row["seed"]): float(row["mean"]) for row in whole.to_dict("records")}


def _scatters(kind: Kind, cells: pd.DataFrame) -> tuple[Scatter, ...]:
    several = cells[cells["count"] > 1].reset_index()
    pools: dict[tuple[float, str], list[tuple[int, float]]] = {}
    for cell in several.to_dict("records"):
        group = cell["weight_decay"], band(kind.by, cell[kind.by])
        pools.setdefault(group, []).append((int(cell["count"]) - 1, float(cell["var"])))
    return tuple(
        Scatter(gamma, name, math.sqrt(sum(f * v for f, v in pool) / sum(f for f, _ in pool)),
                sum(f for f, _ in pool), len(pool))
        for (gamma, name), pool in sorted(pools.items())
    )  # fmt: skip


def _point(
    kind: Kind, where: dict[str, Any], row: dict[Any, Any], cell: pd.Series, scatters: tuple[Scatter, ...], other: bool
) -> ComparedPoint:
    published, seeds, mean = float(row[kind.column]), int(cell["count"]), float(cell["mean"])
    difference = mean - (math.log(published) if kind.relative else published)
    alike = [one for one in scatters if one.band == band(kind.by, where[kind.by])]
    # where no cell of this weight decay has two seeds, that of the nearest stands for it, the lower of two as near
    scatter = min(alike, key=lambda one: round(abs(one.weight_decay - where["weight_decay"]), PLACES), default=None)
    reading = float(row.get("half_quantum", kind.reading))
    expected = None if scatter is None else math.hypot(scatter.value * math.sqrt(1 + 1 / seeds), reading)
    if other:
        verdict = "other protocol"
    elif expected is None:
        verdict = "one seed"
    else:
        verdict = "within" if abs(difference) <= TWICE * expected else "outside"
    spread = math.sqrt(cell["var"]) if seeds > 1 else None
    measured = math.exp(mean) if kind.relative else mean
    return ComparedPoint(
        where, published, measured, seeds, spread, difference, expected, scatter.free if scatter else 0, verdict
    )


def _unlike(runs: pd.DataFrame, kind: Kind) -> list[str]:
    """Fields in which our runs differ from the published experiment."""
    plan, row = load_plan(kind.preset), runs.iloc[0]
    theirs = RunSpec(**plan.base, **plan.cells[0])
    stated: dict[str, Any] = {name: None if row[name] != row[name] else row[name] for name in DEFAULTS if name in runs}
    ours, said = RunSpec(**stated), []
    for name in (name for name in DEFAULTS if name in stated and name not in plan.axes and name != "seed"):
        here, there = (_rate(spec) if name == "bias_learning_rate" else getattr(spec, name) for spec in (ours, theirs))
        close = isinstance(there, float) and here is not None and math.isclose(here, there, rel_tol=1e-6)
        if not (close or here == there):
            said.append(f"{name} {_plain(here)} (published {_plain(there)})")
    return said


def _rate(spec: RunSpec) -> float:
    """The bias's learning rate, which where it is left out is that of W."""
    return spec.learning_rate if spec.bias_learning_rate is None else spec.bias_learning_rate


def _plain(value: Any) -> str:
    return f"{value:,.10g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _listed(kind: Kind, table: pd.DataFrame, absent: list[dict[str, Any]]) -> str:
    """Points without runs, row by row of the figure, rows that lack the same ones together."""
    row, last = kind.keys[-2:]
    rows: dict[Any, list[Any]] = {}
    for where in absent:
        rows.setdefault(where[row], []).append(where[last])
    alike: dict[tuple, list[str]] = {}
    for name, values in rows.items():
        alike.setdefault(tuple(values), []).append(f"{name:.3g}" if isinstance(name, float) else str(name))
    every, said = table[last].nunique(), []
    for values, names in alike.items():
        what = f"all {every}" if len(values) == every else ", ".join(f"{v:.4g}" for v in values)
        head = f"{SYMBOLS[row]} = " if row in SYMBOLS else ""
        said.append(f"{head}{', '.join(names)}: {SYMBOLS[last]} {what}")
    return "; ".join(said)
