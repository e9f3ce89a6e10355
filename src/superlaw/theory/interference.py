"""Strong superposition, computed: the toy model's loss when rows point at random, before and after the ReLU.

All rows have one length r and independent, evenly distributed directions in R^m. The output of feature i is
ReLU(r^2 (x_i + z_i) + b_i), with the interference z_i = sum_{j != i} g_ij x_j, g_ij = w_i . w_j. Given w_i, the
g_ij are independent of each other, so the mean over frames and samples needs the distribution of z_i alone: a sum of
independent terms, each 0 with probability 1 - p_j and else g v, g^2 ~ Beta(1/2, (m - 1)/2), v as the values (by
default Uniform(0, 2); see superlaw.theory.values). Its characteristic function is the product of theirs; nothing is
approximated but by the grid.
A trained frame is better than a random one: this is what directions without any design give.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt

import numpy as np

from superlaw.errors import InputError
from superlaw.geometry.frames import random_cdf
from superlaw.theory.values import Values, values_named
from superlaw.theory.weak import unlearned_terms

CELLS = 32  # of the grid in 1/sqrt(m), the spread of one overlap
SPREADS = 12  # standard deviations of the interference inside the grid, beyond its largest single term
NODES = 64  # of the quadrature over v
LONGEST = 2**18  # of the grid


def linear_interference(frequencies: np.ndarray, mean_square_overlap: float, values: str = "uniform") -> float:
    """Loss without the ReLU of n unit rows, bias at its best: (n - 1) q sum_j (<v^2> p_j - p_j^2).

    q is the mean over i != j of (w_i . w_j)^2. Exact for rows that all have the same sum of squared overlaps
    (tight frames: (n/m - 1) sum_j), and for the mean over random directions, q = 1/m. The bias that removes the mean of
    the interference is b_i = -sum_{j != i} g_ij p_j. At sum p = 1 and m << n it is far above <v^2>, the loss of
    answering 0: without a ReLU there is no strong superposition to speak of.

    Examples
    --------
    >>> linear_interference(np.full(3, 0.1), 0.25).__round__(12)
    0.185
    """
    terms = unlearned_terms(frequencies, values)
    return float((len(terms) - 1) * mean_square_overlap * terms.sum())


@dataclass(frozen=True, eq=False)
class Interference:
    """Distribution of z_i = sum_{j != i} g_ij x_j on a grid: probabilities (cells,) of values (cells,)."""

    values: np.ndarray
    probabilities: np.ndarray


def interference(frequencies: np.ndarray, width: int, values: str = "uniform") -> Interference:
    """Distribution of sum_j g_j x_j over the given features, directions random in R^m.

    Parameters
    ----------
    frequencies : ndarray, shape (n - 1,)
        p_j of all features but the one that receives.
    width : int
        m, 2 or more.
    values : str
        Distribution of v.

    Raises
    ------
    InputError
        For m below 2, or so many active features that the grid would not fit (E above about 10^5).

    Examples
    --------
    >>> z = interference(np.full(99, 0.01), 10)
    >>> round(float(z.probabilities @ z.values**2), 4), round(4 / 3 * 0.99 / 10, 4)
    (0.132, 0.132)
    """
    p = np.asarray(frequencies, dtype=np.float64)
    if width < 2:
        raise InputError(f"m = {width}", "a width of 2 or more")
    cell, v = 1 / (CELLS * sqrt(width)), values_named(values)
    reach = v.practical_largest + SPREADS * sqrt(v.second_moment * p.sum() / width)
    count = 2 ** int(np.ceil(log2(2 * reach / cell)))
    if count > LONGEST:
        raise InputError(
            f"{p.sum():.4g} active features in {width} dimensions", "fewer active features (at most about 100,000)"
        )
    grid = (np.arange(count) - count // 2) * cell
    one = np.fft.ifftshift(_one_term(grid, cell, width, v))
    term = np.fft.rfft(one).real  # its characteristic function; of a symmetric distribution, so real
    product = np.ones_like(term)
    for kind, times in zip(*np.unique(p, return_counts=True), strict=True):
        product *= (1 - kind + kind * term) ** int(times)
    found = np.maximum(np.fft.fftshift(np.fft.irfft(product, count)), 0.0)
    return Interference(grid, found / found.sum())


def _one_term(grid: np.ndarray, cell: float, width: int, values: Values) -> np.ndarray:
    """Probability of g v in each cell."""
    if values.name == "uniform":  # more nodes than Values.nodes has: no panels are needed
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        nodes, weights = 1 + nodes, weights / 2
    else:
        nodes, weights = values.nodes()
    edges = np.append(grid - cell / 2, grid[-1] + cell / 2)
    below = np.zeros_like(edges)
    for v, weight in zip(nodes, weights, strict=True):
        below += weight * (1 + np.sign(edges) * random_cdf(np.abs(edges) / v, width)) / 2
    return np.diff(below)


def interference_loss(
    frequencies: np.ndarray,
    width: int,
    norm: float = 1.0,
    bias: float | np.ndarray = 0.0,
    values: str = "uniform",
) -> float:
    """Mean loss of the toy model (with ReLU) over random directions: all rows of one norm, the bias given.

    L = sum_i (1 - p_i) <ReLU(r^2 z_i + b_i)^2> + p_i <(ReLU(r^2 (v + z_i) + b_i) - v)^2>.

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i. Each distinct value costs one distribution of the interference.
    width : int
        m.
    norm : float
        r, of every row.
    bias : float or ndarray, shape (n,)
        b.
    values : str
        Distribution of v.

    Returns
    -------
    float
        Sum over features; the mean over frames and samples.

    Examples
    --------
    >>> p = np.full(200, 1 / 200)
    >>> round(interference_loss(p, 10), 2), round(interference_loss(p, 10, bias=-0.2), 2)
    (13.31, 7.09)
    """
    p = np.asarray(frequencies, dtype=np.float64)
    b = np.broadcast_to(np.asarray(bias, dtype=np.float64), p.shape)
    total = 0.0
    for kind in np.unique(p):
        same = p == kind
        rest = np.delete(p, int(np.argmax(same)))
        z = interference(rest, width, values)
        for value, count in zip(*np.unique(b[same], return_counts=True), strict=True):
            total += int(count) * _feature_loss(z, kind, (norm, float(value)), values_named(values))
    return total


def _feature_loss(z: Interference, p: float, norm_and_bias: tuple[float, float], values: Values) -> float:
    """Loss of one feature of frequency p."""
    norm, bias = norm_and_bias
    square = norm**2
    offset = square * z.values + bias  # c: the output is ReLU(r^2 v + c)
    silent = np.maximum(offset, 0.0) ** 2
    return float(z.probabilities @ ((1 - p) * silent + p * _active(square, offset, values)))


def _active(square: float, offset: np.ndarray, values: Values) -> np.ndarray:
    """<(ReLU(s v + c) - v)^2> over v, in closed form: v^2 where the unit is off, ((s - 1) v + c)^2 where it is on."""
    if square == 0:
        on = np.maximum(offset, 0.0)
        return on**2 - 2 * on + values.second_moment
    share, mean, moment = values.above(np.maximum(-offset / square, 0.0))  # where the unit is on
    k = square - 1
    return values.second_moment - moment + k**2 * moment + 2 * k * offset * mean + offset**2 * share


@dataclass(frozen=True)
class RandomFrame:
    """The best that equal rows in random directions can do: loss, the norm and bias that reach it."""

    loss: float
    norm: float
    bias: float


def best_random_frame(
    n_features: int, width: int, activation_density: float = 1.0, values: str = "uniform"
) -> RandomFrame:
    """Least :func:`interference_loss` over one norm and one bias for all features, frequencies equal.

    Parameters
    ----------
    n_features, width : int
        n and m, m >= 2.
    activation_density : float
        E: every p_i is E/n.
    values : str
        Distribution of v.

    Examples
    --------
    >>> found = best_random_frame(1000, 50)
    >>> found.loss < 4 / 3, found.bias < 0
    (True, True)
    """
    from scipy.optimize import minimize

    p = activation_density / n_features
    if not 0 < p <= 1:
        raise InputError(f"E = {activation_density:g} with {n_features} features", "E above 0 and at most n")
    z = interference(np.full(n_features - 1, p), width, values)
    loss = lambda x: n_features * _feature_loss(z, p, (x[0], x[1]), values_named(values))  # noqa: E731
    starts = [(norm, -beta / sqrt(width)) for norm in (0.5, 1.0) for beta in (0.5, 2.0)]
    found = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}) for start in starts]
    best = min(found, key=lambda result: result.fun)
    return RandomFrame(float(best.fun), abs(float(best.x[0])), float(best.x[1]))
