"""How far from a fit's data a point lies: along every axis, and by Mahalanobis' distance of the logs of its sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from superlaw.files.numbers import in_short
from superlaw.laws.law import Points
from superlaw.laws.result import Fit

FLAT = 1e-9  # of the largest variance: the data do not vary in such a direction
ROUNDING = 1e-9  # relative, of the ends of a range
ALONG = 1e-3  # standard deviations of a log size, by which a point may leave such a direction


@dataclass(frozen=True)
class Reach:
    """Where a point lies.

    Parameters
    ----------
    beyond : dict of str to (float, str)
        Of every column outside the data's range: by what factor, and beyond which end ("the largest of 1.6e+10").
    distance : float
        Mahalanobis' distance from the data's centre; infinite in a direction in which the data do not vary; NaN where
        the fit has no points.
    furthest : float
        That of the data's furthest point.
    share : float
        Share of the data's points at least as far.
    """

    beyond: dict[str, tuple[float, str]]
    distance: float = math.nan
    furthest: float = math.nan
    share: float = math.nan

    @property
    def outside(self) -> bool:
        """Whether a prediction there is an extrapolation: beyond a range, or further than any point."""
        return bool(self.beyond) or self.distance > self.furthest

    @property
    def brief(self) -> str:
        """The same in a few words: ``N x 6.3, distance 4.5 (furthest point 3.1)``."""
        words = [f"{column} x {factor:.3g}" for column, (factor, _) in self.beyond.items()]
        if self.distance > self.furthest:
            words.append(f"distance {self.distance:.2g} (furthest point {self.furthest:.2g})")
        return ", ".join(words) or "among the data"

    def __str__(self) -> str:
        ends = "; ".join(f"{column} is {factor:.3g} times {end}" for column, (factor, end) in self.beyond.items())
        if math.isnan(self.distance):
            return f"extrapolation: {ends}" if ends else "within the range of every size"
        if math.isinf(self.distance):
            words = "off the line that the data lie on: their sizes vary only together"
        elif self.distance > self.furthest:
            words = f"distance {self.distance:.2g}, further than every point ({self.furthest:.2g} at most)"
        else:
            words = f"distance {self.distance:.2g}; {self.share:.0%} of the points lie as far out"
        if ends:
            return f"extrapolation: {ends}; {words}"
        return f"a combination that the data lack: {words}" if self.outside else f"among the data: {words}"


def reach(fit: Fit, points: Points) -> list[Reach]:
    """How far from a fit's data each of some points lies."""
    beyond = [_beyond(fit, column) for column in points.sizes.T]
    if fit.data is None:
        return [Reach(ends) for ends in beyond]
    logs = [np.log(row) if (row > 0).all() else row for row in fit.data.points.sizes]
    with np.errstate(divide="ignore", invalid="ignore"):
        new = [np.log(x) if (row > 0).all() else x for row, x in zip(fit.data.points.sizes, points.sizes, strict=True)]
    own, other = _distances(np.array(logs).T, np.array(new).T)
    return [
        Reach(ends, float(d), float(own.max()), float((own >= d * (1 - 1e-12)).mean()))
        for ends, d in zip(beyond, other, strict=True)
    ]


def _beyond(fit: Fit, sizes: np.ndarray) -> dict[str, tuple[float, str]]:
    out = {}
    for column, x in zip(fit.law.sizes, sizes, strict=True):
        low, high = fit.ranges[column]
        if x > high + ROUNDING * abs(high):
            out[column] = (float(x / high), f"the largest of {in_short(high, column)}")
        elif x < low - ROUNDING * abs(low):
            out[column] = (float(x / low), f"the smallest of {in_short(low, column)}")
    return out


def _distances(z: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mahalanobis' distances of the data (n, K) and of new points (q, K) from the data's centre."""
    centre, scale = z.mean(axis=0), z.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    unit = (z - centre) / scale
    variances, axes = np.linalg.eigh(unit.T @ unit / max(len(z) - 1, 1))
    flat = variances <= FLAT * variances.max(initial=0.0)
    root = np.sqrt(np.where(flat, 1.0, variances))

    def distance(x: np.ndarray) -> np.ndarray:
        along = ((x - centre) / scale) @ axes
        left = (np.abs(along[:, flat]) > ALONG).any(axis=1)
        return np.where(left, np.inf, np.sqrt(((along / root)[:, ~flat] ** 2).sum(axis=1)))

    return distance(z), distance(new)
