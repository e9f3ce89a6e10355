"""Points of a published figure beside values of our runs: difference, combined spread, the figure as a whole.

A published point is one training run, read off a picture. How far it may lie from the mean of our k seeds by chance is

    sqrt(s^2 (1 + 1/k) + h^2)

with s the scatter of one run and h half a step of the reading. Two seeds of a cell say little about s: it is pooled
over cells, by weight decay and by band of alpha (for losses, by width), and its degrees of freedom are stated: at most
so many, for runs of one seed and width start from the same numbers in every cell, and their deviations move together.
That is why the mean difference is given for each seed too: its error takes cells as independent. Runs of another
protocol than the published one are set beside the points too, but not judged by them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from superlaw.files.records import json_ready
from superlaw.laws.published import TABLES, load_published
from superlaw.sweeps.plan import load_plan
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    import pandas as pd

TWICE = 2.0  # combined spreads within which a point is said to lie
PLACES = 3  # decimals to which coordinates are matched: the published ones have four figures
SYMBOLS = {"weight_decay": "gamma", "data_exponent": "alpha", "width": "m"}
ALPHA_BANDS = ("alpha up to 1", "alpha above 1")


@dataclass(frozen=True)
class Kind:
    """What a figure shows, and how the same is taken from our runs.

    ``keys`` are the columns that place a point, the one that is listed last; ``by`` is the one whose bands pool the
    scatter beside the weight decay. ``symbol`` is short for the quantity, ``how`` says how it is taken, ``digits`` its
    decimals. ``relative``: differences are of logarithms. ``reading`` is the error of a reading where the table has no
    ``half_quantum``.
    """

    table: str
    column: str
    keys: tuple[str, ...]
    by: str
    preset: str
    symbol: str
    how: str
    digits: int = 2
    relative: bool = False
    reading: float = 0.0

    def difference(self, value: float, more: int = 0) -> str:
        """A difference as text, with its sign: per cent of the published where it is relative."""
        return f"{100 * math.expm1(value):+.1f} %" if self.relative else f"{value:+.{self.digits + more}f}"

    def spread(self, value: float, more: int = 0) -> str:
        """A standard deviation as text."""
        return f"{100 * value:.1f} %" if self.relative else f"{value:.{self.digits + more}f}"

    def named(self, where: dict[str, Any]) -> str:
        """Coordinates in words: "gamma = -1, alpha = 0.5"."""
        said = [f"{SYMBOLS[key]} = {where[key]:.4g}" if key in SYMBOLS else str(where[key]) for key in self.keys]
        return ", ".join(said)


@dataclass(frozen=True)
class Scatter:
    """Standard deviation of one run about the mean of its cell, pooled over cells with several seeds."""

    weight_decay: float
    band: str
    value: float
    free: int  # degrees of freedom
    cells: int


@dataclass(frozen=True)
class ComparedPoint:
    """A published point beside ours.

    Parameters
    ----------
    where : dict
        Its coordinates.
    published, measured : float
        ``measured`` is the mean over ``seeds`` (of logarithms where the kind is relative).
    spread : float or None
        Standard deviation over our seeds; None with one.
    difference : float
        Ours less the published.
    expected : float or None
        One combined spread of the difference; None where no cell has two seeds.
    free : int
        Degrees of freedom of the scatter in it.
    verdict : str
        "within" or "outside" twice the combined spread; "one seed"; "other protocol".
    """

    where: dict[str, Any]
    published: float
    measured: float
    seeds: int
    spread: float | None
    difference: float
    expected: float | None
    free: int
    verdict: str

    @property
    def times(self) -> float:
        """The difference in combined spreads; NaN without one."""
        return abs(self.difference) / self.expected if self.expected else float("nan")


@dataclass(frozen=True)
class FigureComparison:
    """A figure's points beside our runs: one by one, and as a whole.

    ``by_seed`` has the mean difference of each seed. ``unlike`` says how our protocol differs from the published one;
    ``lacking`` which points have no runs here.
    """

    kind: Kind
    points: tuple[ComparedPoint, ...]
    scatters: tuple[Scatter, ...]
    by_seed: dict[int, float]
    published: int
    unlike: tuple[str, ...]
    lacking: str

    @property
    def judged(self) -> tuple[ComparedPoint, ...]:
        """Points whose verdict is within or outside."""
        return tuple(point for point in self.points if point.verdict in ("within", "outside"))

    @property
    def outside(self) -> tuple[ComparedPoint, ...]:
        """Those that lie further off than twice the combined spread, the furthest first."""
        far = [point for point in self.points if point.verdict == "outside"]
        return tuple(sorted(far, key=lambda point: -point.times))

    @property
    def within(self) -> int:
        """How many lie within twice the combined spread."""
        return len(self.judged) - len(self.outside)

    @property
    def by_chance(self) -> float:
        """How many would, were all differences chance: Student's t with each scatter's degrees of freedom."""
        return float(sum(1 - 2 * stats.t.sf(TWICE, point.free) for point in self.judged))

    @property
    def mean(self) -> tuple[float, float]:
        """Mean difference, and its error from the combined spreads (NaN where one is unknown)."""
        spreads = [point.expected if point.expected is not None else float("nan") for point in self.points]
        count = max(1, len(self.points))
        return sum(point.difference for point in self.points) / count, math.hypot(*spreads) / count

    @property
    def largest(self) -> ComparedPoint | None:
        """The point with the largest difference."""
        return max(self.points, key=lambda point: abs(point.difference), default=None)

    @property
    def source(self) -> str:
        """The figure: "[LLG] figure 4b"."""
        return TABLES[self.kind.table].origin.partition(" (")[0]

    def furthest(self, most: int) -> tuple[ComparedPoint, ...]:
        """All points in the figure's order where they are no more than that, else those furthest off."""
        if len(self.points) <= most:
            return self.points
        return tuple(sorted(self.points, key=lambda p: -(p.times if p.expected else abs(p.difference))))[:most]

    def headline(self) -> list[str]:
        """How like the protocols are, and how the points lie as a whole."""
        said = []
        if self.unlike:
            said.append(f"Not the published protocol ({'; '.join(self.unlike)}): the differences are its too, and are "
                        "not judged.")  # fmt: skip
        if self.points:
            said.append(f"{self.source}, {self.kind.symbol}: {self._counted()}")
        return said

    def sentences(self) -> list[str]:
        """What a reader must know, the most important first."""
        kind, said = self.kind, self.headline()
        if self.outside:
            far = "; ".join(f"{kind.named(p.where)} ({kind.difference(p.difference)}, {p.times:.1f} spreads)"
                            for p in self.outside)  # fmt: skip
            said.append(f"Outside: {far}.")
        if self.points and not self.scatters and not self.unlike:
            said.append("One seed a cell: the scatter of a run is not known, and nothing is judged (--seeds 0,1).")
        if self.lacking:
            said.append(f"No runs here for {self.published - len(self.points)} of {self.published} points of "
                        f"{self.source}: {self.lacking}.")  # fmt: skip
        return said

    def scatter_in_words(self) -> str:
        """The scatter of one run, group by group, with degrees of freedom; "" where none is known."""
        known = [f"gamma = {s.weight_decay:.3g}, {s.band}: {self.kind.spread(s.value, 1)} ({s.free})"
                 for s in self.scatters]  # fmt: skip
        if not known:
            return ""
        own = {one.weight_decay for one in self.scatters}
        others = any(point.where["weight_decay"] not in own for point in self.points)
        nearest = " Where no cell of a gamma has two seeds: that of the nearest." if others else ""
        return f"Scatter of one run (degrees of freedom): {'; '.join(known)}.{nearest}"

    def _counted(self) -> str:
        (mean, error), far = self.mean, self.largest
        said = f"{len(self.points)} points, "
        if self.judged:
            said += (f"{self.within} of {len(self.judged)} within twice the combined spread ({self.by_chance:.1f} "
                     "expected were all chance), ")  # fmt: skip
        said += f"mean difference {self.kind.difference(mean, 1)}"
        said += f" ± {self.kind.spread(error, 1)}" if math.isfinite(error) else ""
        if len(self.by_seed) > 1:
            each = ", ".join(f"{self.kind.difference(one, 1)} of seed {seed}" for seed, one in self.by_seed.items())
            said += f" ({each})"
        if far is not None:
            said += f", largest {self.kind.difference(far.difference)} at {self.kind.named(far.where)}"
        return f"{said}."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        mean, error = self.mean
        return json_ready({
            "table": self.kind.table, "quantity": self.kind.how, "points": [asdict(point) for point in self.points],
            "published": self.published, "judged": len(self.judged), "within": self.within,
            "by_chance": self.by_chance, "mean_difference": mean, "mean_error": error,
            "mean_difference_by_seed": self.by_seed,
            "relative": self.kind.relative, "scatters": [asdict(one) for one in self.scatters],
            "not_alike": self.unlike, "without_runs": self.lacking, "sentences": self.sentences(),
        })  # fmt: skip


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
    """Mean difference of each seed over the points that it has."""
    column = f"{kind.column}_published" if f"{kind.column}_published" in ours else kind.column
    published = np.log(ours[column]) if kind.relative else ours[column]
    found = (ours["value"] - published).groupby(ours["seed"]).mean()
    return {int(seed): float(mean) for seed, mean in found.items()}  # pyright: ignore[reportArgumentType]


def _scatters(kind: Kind, cells: pd.DataFrame) -> tuple[Scatter, ...]:
    several = cells[cells["count"] > 1]
    pools: dict[tuple[float, str], list[tuple[int, float]]] = {}
    for place, cell in several.iterrows():
        where = dict(zip(kind.keys, place, strict=True))  # pyright: ignore[reportArgumentType]
        group = where["weight_decay"], band(kind.by, where[kind.by])
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
    if row["frequencies"] not in plan.axes.get("frequencies", (theirs.frequencies,)):
        return [f"frequencies {row['frequencies']} (published {theirs.frequencies})"]
    stated = {name: None if row[name] != row[name] else row[name] for name in DEFAULTS if name in runs}
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
