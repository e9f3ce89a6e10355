"""What a fitted law says of runs that were not made: the loss with its band, and how far outside the data it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.reach import Reach, reach
from superlaw.laws.result import Fit
from superlaw.laws.tables import as_table

Cells = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class PredictedPoint:
    """One point.

    Parameters
    ----------
    at : dict
        Its sizes, and its group where the law has groups.
    loss, low, high : float
        The law there, with the band of the curve.
    run_low, run_high : float
        The band of one new run, whose own noise is added.
    reach : Reach
        How far from the data.
    """

    at: dict[str, Any]
    loss: float
    low: float
    high: float
    run_low: float
    run_high: float
    reach: Reach


@dataclass(frozen=True)
class Predictions(Shown):
    """Points with their predicted losses; ``warnings`` are the fit's, and those of the prediction."""

    points: tuple[PredictedPoint, ...]
    level: float
    warnings: tuple[str, ...]

    @property
    def cells(self) -> Cells:
        """The table that is printed: header and rows."""
        names = list(self.points[0].at)
        header = [*names, "loss", f"{self.level:.4g} low", "high", "of a run", "to", "where"]
        rows = []
        for point in self.points:
            sizes = [x if isinstance(x, str) else in_short(x, name) for name, x in point.at.items()]
            numbers = (point.loss, point.low, point.high, point.run_low, point.run_high)
            rows.append([*sizes, *(f"{x:.5g}" for x in numbers), str(point.reach)])
        return header, rows

    def __str__(self) -> str:
        header, rows = self.cells
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        return "\n".join([*lines, in_columns(header, rows, left=(len(header) - 1,))])

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is infinite is null."""
        points = [json_ready(point) | {"outside": point.reach.outside, "where": str(point.reach)}
                  for point in self.points]  # fmt: skip
        return json_ready({"points": points, "level": self.level, "warnings": self.warnings})


def predict_losses(
    fit: Fit, at: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Any, level: float | None = None
) -> Predictions:
    """The loss of a fitted law at sizes, with the band of the curve, that of a new run, and how far from the data.

    Parameters
    ----------
    fit : Fit
    at : mapping of column to value(s), sequence of such, or table
        The law's columns, groups included.
    level : float, optional
        Of the bands; the fit's own by default.

    Raises
    ------
    InputError
        Where a column is missing, unknown, or holds no size.

    Examples
    --------
    >>> width = np.array([8.0, 16, 32, 64, 128, 256])
    >>> from superlaw import fit_law
    >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1 + 1e-3 * np.cos(width)}, "power:width")
    >>> found = predict_losses(fit, {"width": 1024})
    >>> print(found.points[0].reach)
    extrapolation: width is 4 times the largest of 256; distance 2.4, further than every point (1.3 at most)
    """
    if level is not None and not 0 < level < 1:
        raise InputError(f"level = {level}", "a number between 0 and 1", "0.95 is usual")
    table = _table(fit, at)
    points = fit.points_at(table)
    curve, run = fit.predict(points, level), fit.predict(points, level, points=True)
    columns = [*fit.law.sizes, *fit.law.groups]
    found = []
    for i, where in enumerate(reach(fit, points)):
        sizes = {c: _plain(table[c].iloc[i]) for c in columns}
        loss, low, high, *of_run = (float(x[i]) for x in (curve.loss, curve.low, curve.high, run.low, run.high))
        found.append(PredictedPoint(sizes, loss, low, high, of_run[0], of_run[1], where))
    warnings = list(fit.warnings)
    if fit.data is None:
        warnings.append("this fit has no points (it was written before format 2): how far a size lies outside is known "
                        "axis by axis only; fit again to know more")  # fmt: skip
    return Predictions(tuple(found), fit.interval["level"] if level is None else level, tuple(warnings))


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _table(fit: Fit, at: Any) -> Any:
    """Points as a table of the law's columns; InputError for columns that it does not have."""
    if isinstance(at, Mapping):
        at = {name: np.atleast_1d(np.asarray(values)) for name, values in at.items()}
    elif isinstance(at, Sequence) and not isinstance(at, str):
        names = list(dict.fromkeys(name for one in at for name in one))
        for one in at:
            for name in names:
                if name not in one:
                    raise InputError(f"a point without {name}", "the same columns at every point", _named(one))
        at = {name: [one[name] for one in at] for name in names}
    table = as_table(at)
    known = (*fit.law.sizes, *fit.law.groups)
    unknown = [str(name) for name in table.columns if name not in known]
    if unknown and not set(known) <= set(table.columns):
        raise InputError(f"the column {unknown[0]!r}", f"the columns of the law: {', '.join(known)}")
    missing = [name for name in known if name not in table.columns]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}", f"one for each of {', '.join(known)}")
    return table


def _named(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.items())
