"""What a figure plots, as records: panels of marks, lines, steps, bars, maps, arrows and forests.

Painted by paint.py for print, and by interactive.py for pages and notebooks.

Colours are one of three things everywhere: a name of the palette ("weak", "strong", "theory"), the number
of a category (0, 1, 2... as "C0"), or a number from 0 to 1 on the panel's dark-to-light scale. ``of`` names what stands
behind each mark, a comma after the name itself: "0a1b2c3d, seed 0", "row 12", a model. Interactive figures show it, the
JSON file holds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from superlaw.figures.style import PANEL

Color = str | float | np.ndarray
Behind = tuple[tuple[str, ...], ...]  # names of what stands behind each mark


@dataclass(frozen=True, eq=False)
class Marks:
    """Points, shape (n,); ``error`` (n,) or (2, n) is drawn as a bar; ``joined`` by a thin line.

    They are drawn ``shift`` to the right of x, so that marks of equal x do not hide one another; ``small`` and pale
    where they are many.
    """

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None
    label: str | None = None
    color: Color = "theory"
    marker: str = "o"
    filled: bool = True
    joined: bool = False
    shift: float = 0.0
    of: Behind | None = None
    small: bool = False


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, with a band where ``low`` and ``high`` are given; shape (n,) each."""

    x: np.ndarray
    y: np.ndarray
    label: str | None = None
    color: Color = "theory"
    style: str = "-"
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Steps:
    """A histogram's outline: ``heights`` (n,) between ``edges`` (n + 1,)."""

    heights: np.ndarray
    edges: np.ndarray
    label: str | None = None
    color: Color = "theory"


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars at ``x``, shape (n,)."""

    x: np.ndarray
    heights: np.ndarray
    error: np.ndarray | None = None
    label: str | None = None
    color: Color = "theory"


@dataclass(frozen=True, eq=False)
class Map:
    """Cells of a grid: ``z`` (len(y), len(x)), NaN where there is nothing; its numbers are written in it.

    ``error`` is written under each number. ``diverging`` takes colours about 0. ``text`` is a format of the
    numbers ("" for none). ``of`` has a row for each row of ``z``.
    """

    x: tuple[Any, ...]
    y: tuple[Any, ...]
    z: np.ndarray
    label: str
    error: np.ndarray | None = None
    low: float | None = None
    high: float | None = None
    text: str = ".2f"
    diverging: bool = False
    of: tuple[Behind, ...] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The values of the first and the last colour."""
        known = self.z[np.isfinite(self.z)]
        if not known.size:
            return self.low or 0.0, self.high or 1.0
        if self.diverging and self.low is None:
            most = float(np.abs(known).max())
            return -most, most
        return (
            float(known.min()) if self.low is None else self.low,
            float(known.max()) if self.high is None else self.high,
        )


@dataclass(frozen=True, eq=False)
class Arrows:
    """Vectors from the origin, shape (n, 2) or (n, 3), ``labels`` at their tips, a circle of radius 1 for scale.

    Those of three dimensions are seen from the side and above: the circle lies in the plane of the first
    two, to which a thread falls from every tip.
    """

    tips: np.ndarray
    labels: tuple[str, ...]
    color: str = "theory"


@dataclass(frozen=True, eq=False)
class Forest:
    """Named estimates one under the other, from the top: ``x`` (n,) with intervals ``low`` to ``high``, and a line at
    ``reference``. ``colors`` has one for each; ``hollow`` (n,) says which are drawn so."""

    labels: tuple[str, ...]
    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colors: tuple[str, ...]
    hollow: np.ndarray
    reference: float | None = None
    of: Behind | None = None


Item = Marks | Line | Steps | Bars | Map | Arrows | Forest


@dataclass(frozen=True)
class Scale:
    """What numbers used as colours mean: ``low`` and ``high`` are the values at 0 and at 1."""

    label: str
    low: float
    high: float

    def place(self, value: Any) -> Any:
        """Values as places from 0 to 1.

        Examples
        --------
        >>> Scale("gamma", -1, 1).place(0.0)
        0.5
        """
        span = self.high - self.low
        return (value - self.low) / span if span else value * 0.0 + 0.5


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes. ``ticks`` names the values on the x axis; ``inset`` is a panel within it."""

    xlabel: str
    ylabel: str
    items: tuple[Item, ...]
    title: str = ""
    xscale: str = "linear"
    yscale: str = "linear"
    ticks: tuple[Any, ...] | None = None
    tick_labels: tuple[str, ...] | None = None
    xlim: tuple[float | None, float | None] | None = None
    ylim: tuple[float | None, float | None] | None = None
    legend: str | None = "best"
    scale: Scale | None = None
    inset: Panel | None = None
    inset_at: tuple[float, float, float, float] = (0.55, 0.5, 0.42, 0.42)


@dataclass(frozen=True, eq=False)
class Picture:
    """A whole figure.

    Parameters
    ----------
    name : str
        Of the figure (``superlaw figure NAME``).
    title : str
    panels : tuple of Panel
    columns : int
        Panels a row.
    notes : tuple of str
        What the reader must know, printed under the panels: steps, seeds, error bars, what is missing.
    runs : tuple of str
        Ids of the runs, or names of the records, that were used.
    missing : tuple of dict
        Runs that would fill the picture's gaps, by coordinates.
    panel : (float, float)
        Width and height of a panel, in inches.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    columns: int = 2
    notes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    missing: tuple[dict[str, Any], ...] = field(default=())
    panel: tuple[float, float] = PANEL


def to_dict(record: Any) -> Any:
    """A record and all it holds for JSON; what is not a finite number becomes None.

    Examples
    --------
    >>> to_dict(Line(np.array([1.0, 2.0]), np.array([1.0, np.nan])))["y"]
    [1.0, None]
    """
    if is_dataclass(record):
        shown = {f.name: to_dict(getattr(record, f.name)) for f in fields(record)}
        return {"kind": type(record).__name__.lower(), **shown}
    if isinstance(record, dict):
        return {str(key): to_dict(value) for key, value in record.items()}
    if isinstance(record, np.ndarray):
        return to_dict(record.tolist())
    if isinstance(record, list | tuple):
        return [to_dict(value) for value in record]
    if isinstance(record, np.generic):
        return to_dict(record.item())
    return None if isinstance(record, float) and not math.isfinite(record) else record
