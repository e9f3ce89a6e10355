"""Distributions of an active feature's value v. All have mean 1, so that E[x_i] = p_i whatever the choice.

| name | v | <v^2> |
|---|---|---|
| ``uniform`` | Uniform(0, 2), as published ([LLG] section 2) | 4/3 |
| ``exponential`` | Exp(1) | 2 |
| ``half-normal`` | sqrt(pi/2) |N(0, 1)| | pi/2 |
| ``constant`` | 1 | 1 |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, pi, sqrt

import numpy as np

from superlaw.errors import InputError, closest

TAIL = 0.999  # the quantile that stands for the largest value where there is none


@dataclass(frozen=True)
class Values:
    """A distribution of v > 0 with mean 1.

    Parameters
    ----------
    name : str
    second_moment : float
        <v^2>.
    largest : float
        Of its support; infinite where there is none.
    quantile : callable
        The v below which a share u of the distribution lies: arrays in, arrays out.
    above : callable
        <1>, <v> and <v^2> over v > t, for t >= 0: what a unit with a threshold sees of them. Arrays in, arrays out.

    Examples
    --------
    >>> np.array(VALUES["uniform"].above(np.array([0.0, 1.0]))).round(3)
    array([[1.   , 0.5  ],
           [1.   , 0.75 ],
           [1.333, 1.167]])
    """

    name: str
    second_moment: float
    largest: float
    quantile: Callable[[np.ndarray], np.ndarray]
    above: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]

    @property
    def smallest(self) -> float:
        """Of its support: 0, or the one value of a constant."""
        return self.largest if self.name == "constant" else 0.0

    @property
    def practical_largest(self) -> float:
        """The largest v, or the 99.9 % quantile where v has no bound."""
        return self.largest if self.largest < inf else float(self.quantile(np.array(TAIL)))

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Points v and weights of a quadrature: <g(v)> = weights @ g(v) for what is smooth on the scale of 1.

        Gauss and Legendre's in panels up to where the tail weighs below 1e-17, the density in the weights.

        Examples
        --------
        >>> v, weights = VALUES["half-normal"].nodes()
        >>> round(float(weights @ np.cos(v)), 12) == round(float(np.exp(-np.pi / 4)), 12)
        True
        """
        if self.name == "constant":
            return np.ones(1), np.ones(1)
        edges = np.array(PANELS[self.name])
        points, weights = np.polynomial.legendre.leggauss(NODES)
        half = np.diff(edges) / 2
        v = ((edges[:-1] + half)[:, None] + half[:, None] * points).ravel()
        return v, (half[:, None] * weights).ravel() * DENSITY[self.name](v)


NODES = 32  # in a panel: 1e-10 for what turns as fast as gelu(20 v)
PANELS = {  # edges
    "uniform": (0.0, 1.0, 2.0),
    "exponential": (0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0, 45.0),
    "half-normal": (0.0, 1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 12.0),
}
DENSITY = {
    "uniform": lambda v: np.full_like(v, 0.5),
    "exponential": lambda v: np.exp(-v),
    "half-normal": lambda v: 2 / pi * np.exp(-(v**2) / pi),
}


def _half_normal(u: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri  # a tenth of a second: only who asks for quantiles needs it

    return sqrt(pi / 2) * ndtri((1 + np.asarray(u)) / 2)


def _above_uniform(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t = np.minimum(t, 2.0)
    return 1 - t / 2, 1 - t**2 / 4, (8 - t**3) / 6


def _above_exponential(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t = np.minimum(t, FAR)
    share = np.exp(-t)
    return share, (t + 1) * share, (t**2 + 2 * t + 2) * share


def _above_half_normal(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.special import erfc

    t = np.minimum(t, FAR)
    share, mean = erfc(t / sqrt(pi)), np.exp(-(t**2) / pi)
    return share, mean, pi / 2 * share + t * mean


def _above_constant(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    share = np.where(np.asarray(t) < 1, 1.0, 0.0)
    return share, share, share


FAR = 800.0  # beyond which the exponential and half-normal weigh nothing, and t^2 exp(-t) would be infinity times 0


VALUES = {
    found.name: found
    for found in (
        Values("uniform", 4 / 3, 2.0, lambda u: 2 * np.asarray(u), _above_uniform),
        Values("exponential", 2.0, inf, lambda u: -np.log1p(-np.asarray(u)), _above_exponential),
        Values("half-normal", pi / 2, inf, _half_normal, _above_half_normal),
        Values("constant", 1.0, 1.0, lambda u: np.ones_like(np.asarray(u, dtype=np.float64)), _above_constant),
    )
}


def second_moment(values: str = "uniform") -> float:
    """<v^2>.

    Raises
    ------
    InputError
        For a name that is none of ``VALUES``.

    Examples
    --------
    >>> second_moment(), second_moment("constant")
    (1.3333333333333333, 1.0)
    """
    return values_named(values).second_moment


def values_named(name: str) -> Values:
    """The distribution of that name; InputError for none of ``VALUES``.

    Examples
    --------
    >>> values_named("half-normal").practical_largest.__round__(3)
    4.124
    """
    if name not in VALUES:
        raise InputError(f"values = {name!r}", f"one of {', '.join(VALUES)}", closest(name, VALUES))
    return VALUES[name]


def untrained_loss(
    activation_density: float, n_features: int, values: str = "uniform", loss_function: str = "squared-error"
) -> float:
    """What a model that ignores its input loses: <v^2> E for answering 0, log n for answering evenly.

    Examples
    --------
    >>> untrained_loss(3.0, 1000, "constant"), round(untrained_loss(1.0, 1000, loss_function="cross-entropy"), 3)
    (3.0, 6.908)
    """
    return log(n_features) if loss_function == "cross-entropy" else second_moment(values) * activation_density
