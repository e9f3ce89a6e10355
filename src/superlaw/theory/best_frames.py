"""What frames can do for a ReLU: the least loss of equal rows, by how their overlaps are spread.

A ReLU with a bias below 0 hears the large positive overlaps alone. What the overlaps g of n unit rows in R^m may look
like is bounded by moments (geometry/frames.py): the mean of g^2 is at least Welch's (n - m)/(m (n - 1)), and the mean
of g^3 at least -1/(n - 1), -m^(3/2)/(n - 1) in units of 1/sqrt(m). So frames may prefer negative overlaps from about
m = n^(2/3) on, and only there can a model fall faster than the law of symmetric overlaps, c(n)/m.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from superlaw.errors import InputError, closest
from superlaw.geometry.frames import least_mean_cube_overlap, welch
from superlaw.theory.interference import feature_loss, interference
from superlaw.theory.values import values_named

QUANTILES = 4096  # that stand for a continuous distribution of overlaps
SPREADS = ("random", "equiangular", "one-sided", "two-valued")


@dataclass(frozen=True)
class BestFrame:
    """The best that equal rows of some frame can do: loss, and the norm and bias that reach it."""

    loss: float
    norm: float
    bias: float


def overlaps_of(spread: str, n_features: int, width: int) -> np.ndarray | None:
    """Overlaps of a frame of n rows in R^m, each equally likely; None for random directions.

    Parameters
    ----------
    spread : {"random", "equiangular", "one-sided", "two-valued"}
        equiangular: plus and minus the root of Welch's value. one-sided and two-valued: mean 0, Welch's mean square
        and the least mean cube there is; one-sided spreads as far as Pearson's type III does, two-valued has two
        overlaps alone, and so the least fourth moment. No frame need have them: they bracket what is left open.
    n_features, width : int
        n and m, m below n.

    Examples
    --------
    >>> g = overlaps_of("one-sided", 1000, 50)
    >>> round(float(np.mean(g**2)) / welch(1000, 50), 3), round(float(np.mean(g**3)) * 999, 2)
    (1.0, -1.0)
    """
    if spread not in SPREADS:
        raise InputError(
            f"overlaps = {spread!r}", f"one of {', '.join(SPREADS)}, or an array", closest(spread, SPREADS)
        )
    if spread == "random":
        return None
    if not 1 < width < n_features:
        raise InputError(f"{n_features} rows in {width} dimensions", "2 dimensions or more, and fewer than rows")
    root = sqrt(welch(n_features, width))
    if spread == "equiangular":
        return np.array([-root, root])
    skewness = least_mean_cube_overlap(n_features) / root**3
    if spread == "two-valued":  # of values a > 0 > -1/a, in units of the root: a - 1/a is the skewness
        a = (skewness + sqrt(skewness**2 + 4)) / 2
        positive = np.arange(QUANTILES) < QUANTILES / (1 + a**2)
        return root * np.where(positive, a, -1 / a)
    from scipy.stats import pearson3  # a quarter of a second

    g = pearson3.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES, skewness)
    return root * (g - g.mean()) / g.std()


def best_frame(
    n_features: int,
    width: int,
    activation_density: float = 1.0,
    overlaps: str | np.ndarray = "random",
    values: str = "uniform",
) -> BestFrame:
    """The least loss over one norm and one bias for all features, frequencies equal, overlaps of a given spread.

    Parameters
    ----------
    n_features, width : int
        n and m, m >= 2.
    activation_density : float
        E: every p_i is E/n.
    overlaps : str or ndarray
        A spread of :func:`overlaps_of`, or overlaps that are equally likely, such as those of a trained W.
    values : str
        Distribution of v.

    Examples
    --------
    >>> [round(best_frame(1000, 50, overlaps=spread).loss, 3) for spread in SPREADS]
    [0.302, 0.173, 0.23, 0.137]
    """
    from scipy.optimize import minimize

    p = activation_density / n_features
    if not 0 < p <= 1:
        raise InputError(f"E = {activation_density:g} with {n_features} features", "E above 0 and at most n")
    given = overlaps_of(overlaps, n_features, width) if isinstance(overlaps, str) else np.asarray(overlaps)
    z, v = interference(np.full(n_features - 1, p), width, values, given), values_named(values)
    loss = lambda x: n_features * feature_loss(z, p, (x[0], x[1]), v)  # noqa: E731
    starts = [(norm, -beta / sqrt(width)) for norm in (0.5, 1.0) for beta in (0.5, 2.0)]
    found = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}) for start in starts]
    best = min(found, key=lambda result: result.fun)
    return BestFrame(float(best.fun), abs(float(best.x[0])), float(best.x[1]))
