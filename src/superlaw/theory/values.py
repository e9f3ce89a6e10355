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
from math import inf, pi, sqrt

import numpy as np

from superlaw.errors import InputError, nearest

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
    """

    name: str
    second_moment: float
    largest: float
    quantile: Callable[[np.ndarray], np.ndarray]

    @property
    def practical_largest(self) -> float:
        """The largest v, or the 99.9 % quantile where v has no bound."""
        return self.largest if self.largest < inf else float(self.quantile(np.array(TAIL)))


def _half_normal(u: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri  # a tenth of a second: only who asks for quantiles needs it

    return sqrt(pi / 2) * ndtri((1 + np.asarray(u)) / 2)


VALUES = {
    found.name: found
    for found in (
        Values("uniform", 4 / 3, 2.0, lambda u: 2 * np.asarray(u)),
        Values("exponential", 2.0, inf, lambda u: -np.log1p(-np.asarray(u))),
        Values("half-normal", pi / 2, inf, _half_normal),
        Values("constant", 1.0, 1.0, lambda u: np.ones_like(np.asarray(u, dtype=np.float64))),
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
    if values not in VALUES:
        raise InputError(f"values = {values!r}", f"one of {', '.join(VALUES)}", nearest(values, VALUES))
    return VALUES[values].second_moment
