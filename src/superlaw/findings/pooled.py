"""One number out of several studies: a random-effects mean, and how far the studies differ.

y_i ~ N(theta_i, v_i), theta_i ~ N(mu, tau^2). tau^2 is Paule and Mandel's [PauleMandel]: that at which the weighted
squares about the mean have their expectation, k - 1. The interval of mu is Hartung and Knapp's [HartungKnapp], by
Student's t of k - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from superlaw.errors import InputError
from superlaw.files.records import json_ready


@dataclass(frozen=True)
class PooledMean:
    """The mean of k studies.

    Parameters
    ----------
    mean, stderr, low, high : float
        mu with its interval.
    spread : float
        tau: the standard deviation of the studies' own values.
    next_low, next_high : float
        Where one more study's own value would lie (t of k - 2 degrees of freedom); NaN for fewer than three.
    inconsistency : float
        I^2: the share of the studies' differences that their errors do not explain.
    heterogeneity_p : float
        Chance, were all values one, of differences as large (Cochran's Q).
    k : int
    level : float
    """

    mean: float
    stderr: float
    low: float
    high: float
    spread: float
    next_low: float
    next_high: float
    inconsistency: float
    heterogeneity_p: float
    k: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready(asdict(self))


def pooled_mean(values: ArrayLike, errors: ArrayLike, level: float = 0.95) -> PooledMean:
    """The random-effects mean of independent estimates.

    Parameters
    ----------
    values, errors : array_like, shape (k,)
        Estimates and their standard errors.
    level : float
        Of the intervals.

    Raises
    ------
    InputError
        For fewer than two estimates, or errors that are not above 0.

    Examples
    --------
    >>> found = pooled_mean([1.0, 1.2, 0.4], [0.1, 0.1, 0.1])
    >>> round(found.mean, 3), round(found.spread, 3), round(found.inconsistency, 2)
    (0.867, 0.404, 0.94)
    """
    y, s = np.asarray(values, float), np.asarray(errors, float)
    if y.ndim != 1 or y.shape != s.shape or len(y) < 2 or not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise InputError(f"estimates of shape {y.shape} with errors of shape {s.shape}", "two finite ones or more")
    if not (s > 0).all():
        raise InputError(f"a standard error of {s.min():g}", "errors above 0")
    k, v = len(y), s**2
    cochran, _ = _squares(0.0, y, v)
    variance = 0.0
    if cochran > k - 1:
        top = float(np.var(y) * k + v.max())
        variance = float(optimize.brentq(lambda t: _squares(t, y, v)[0] - (k - 1), 0.0, top, xtol=1e-15, rtol=1e-12))
    squares, mean = _squares(variance, y, v)
    # Where the studies agree better than by chance the interval is not made narrower for it.
    stderr = math.sqrt(max(squares / (k - 1), 1.0) / (1 / (v + variance)).sum())
    half = float(stats.t.ppf((1 + level) / 2, k - 1)) * stderr
    further = math.nan
    if k > 2:
        further = float(stats.t.ppf((1 + level) / 2, k - 2)) * math.hypot(stderr, math.sqrt(variance))
    inconsistency = max(0.0, 1 - (k - 1) / cochran) if cochran > 0 else 0.0
    return PooledMean(
        mean, stderr, mean - half, mean + half, math.sqrt(variance), mean - further, mean + further, inconsistency,
        float(stats.chi2.sf(cochran, k - 1)), k, level,
    )  # fmt: skip


def _squares(variance: float, y: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """sum w (y - mu)^2 with w = 1/(v + tau^2), and mu."""
    w = 1 / (v + variance)
    mean = float(w @ y / w.sum())
    return float(w @ (y - mean) ** 2), mean
