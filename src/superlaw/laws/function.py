"""A law of your own: a function with named parameters. It has no name to be fitted by, so it is none of ``forms``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.laws.law import FormulaLaw, Points
from superlaw.laws.problems.model import Box


@dataclass(frozen=True)
class FunctionLaw(FormulaLaw):
    """A function of your own with named parameters.

    Parameters
    ----------
    function : callable
        ``function(*columns, *parameters)`` -> the loss, in plain NumPy: its derivatives are then
        exact; with anything more they are finite differences, and the certificate says so.
    columns_read : sequence of str
        Columns passed first, in this order.
    start : mapping of str to float
        The parameters, in order, and where to start. Other starts are scattered around it.
    positive : sequence of str
        Parameters that must be above 0; solved for through their logarithm.
    bounds : mapping of str to (low, high)

    Examples
    --------
    >>> import numpy as np
    >>> law = FunctionLaw(lambda x, b, k: b * np.exp(-k * x), ["x"], {"b": 1.0, "k": 1.0})
    >>> law.names()
    ['b', 'k']
    """

    function: Callable[..., Any]
    columns_read: Sequence[str]
    start: Mapping[str, float]
    positive: Sequence[str] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    name = "function"
    parts = ()
    positive_sizes = False

    def __post_init__(self):
        read = self.columns_read
        object.__setattr__(self, "columns_read", (read,) if isinstance(read, str) else tuple(read))
        object.__setattr__(self, "positive", tuple(self.positive))
        for name in (*self.positive, *self.bounds):
            if name not in self.start:
                raise InputError(f"the parameter {name!r}", "one of those in start", nearest(name, self.start))
        for name in self.positive:
            if not self.start[name] > 0:
                raise InputError(f"the start {name} = {self.start[name]}", "a positive number")

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(self.columns_read)

    def columns(self) -> dict[str, Any]:
        return {"x": list(self.columns_read)}

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return list(self.start)

    @property
    def formula(self) -> str:
        return f"L = function of {', '.join(self.sizes)}"

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        return self.function(*points.sizes, *params)

    def box(self, points: Points) -> Box:
        positive = np.array([name in self.positive for name in self.start])
        lower, upper = np.array([self.bounds.get(name, (-np.inf, np.inf)) for name in self.start], float).T
        lower = np.where(positive, np.maximum(lower, 1e-150), lower)
        return Box(positive, lower, np.where(positive, np.minimum(upper, 1e150), upper))

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """The start itself, then others: each parameter times a factor between 1/10 and 10."""
        start, box = np.array([float(value) for value in self.start.values()]), self.box(points)
        factor = 10.0 ** rng.uniform(-1, 1, (count, len(start)))
        factor[0] = 1.0
        scattered = np.where(start == 0, rng.normal(size=factor.shape), start * factor)
        return np.clip(scattered, box.lower, box.upper)
