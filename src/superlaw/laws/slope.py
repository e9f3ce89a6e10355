"""The simplest law: a straight line in log-log, its exponent with a standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.files.numbers import with_error


@dataclass(frozen=True)
class Slope:
    """y = C x^-exponent by least squares on log y.

    ``stderr`` is the exponent's standard error from the residuals (NaN with two points).
    """

    exponent: float
    stderr: float
    coefficient: float
    r_squared: float
    n: int

    def __str__(self) -> str:
        return with_error(self.exponent, self.stderr)


def fit_slope(x: np.ndarray, y: np.ndarray) -> Slope:
    """Fit y = C x^-a by ordinary least squares of log y on log x.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Positive; repeated x (seeds) are replicates.

    Raises
    ------
    InputError
        With fewer than two distinct x, or values that have no logarithm.

    Examples
    --------
    >>> fit_slope(np.array([1, 2, 4]), np.array([8.0, 4.0, 2.0])).exponent
    1.0
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all() and (y > 0).all()):
        raise InputError("values that are not positive and finite", "positive x and y", "leave those points out")
    if len(np.unique(x)) < 2:
        raise InputError(f"{len(np.unique(x))} distinct x", "at least two")
    log_x, log_y = np.log(x), np.log(y)
    dx, dy = log_x - log_x.mean(), log_y - log_y.mean()
    slope = float(dx @ dy / (dx @ dx))
    residual = dy - slope * dx
    n = len(x)
    variance = float(residual @ residual) / (n - 2) if n > 2 else float("nan")
    total = float(dy @ dy)
    return Slope(
        exponent=-slope,
        stderr=float(np.sqrt(variance / (dx @ dx))),
        coefficient=float(np.exp(log_y.mean() - slope * log_x.mean())),
        r_squared=1 - float(residual @ residual) / total if total > 0 else float("nan"),
        n=n,
    )
