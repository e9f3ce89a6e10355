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
from dataclasses import asdict, dataclass
from typing import Any

from scipy import stats

from superlaw.files.notebook import Shown
from superlaw.files.records import json_ready
from superlaw.laws.published import TABLES

TWICE = 2.0  # combined spreads within which a point is said to lie
SYMBOLS = {"weight_decay": "gamma", "data_exponent": "alpha", "width": "m"}


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
class FigureComparison(Shown):
    """A figure's points beside our runs: one by one, and as a whole.

    ``by_seed`` has the mean difference of each seed that has all points. ``unlike`` says how our protocol differs from
    the published one; ``lacking`` which points have no runs here.
    """

    kind: Kind
    points: tuple[ComparedPoint, ...]
    scatters: tuple[Scatter, ...]
    by_seed: dict[int, float]
    published: int
    unlike: tuple[str, ...]
    lacking: str

    def __str__(self) -> str:
        return "\n".join(said for said in (*self.sentences(), self.scatter_in_words()) if said)

    def __repr__(self) -> str:
        return f"FigureComparison({self.source}, {self.kind.symbol}: {self.within} of {len(self.judged)} within)"

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
