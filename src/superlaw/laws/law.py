"""What every law says of itself: its columns, its parameters, its value, and its model over given points.

A law's parameters have one order everywhere, that of :meth:`Law.names`. Losses keep the table's units (nats).
A coefficient c of a term c / x^a has the units of loss times x^a; exponents are pure numbers; ``L_0`` and ``E``
are losses. Bounds: coefficients above 0, offsets at 0 or above, exponents from 0 to 20 (either sign for a single
power law without an offset).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from superlaw.laws.problems.formula import Formula
from superlaw.laws.problems.layout import Arranged, Layout
from superlaw.laws.problems.model import FLOOR, Box, Model
from superlaw.laws.problems.power_sum import PowerSum
from superlaw.laws.problems.restriction import Restriction, unrestricted

FAR = 700.0  # logarithms beyond it have no number


@dataclass(frozen=True)
class Points:
    """The columns a law reads: ``sizes`` (columns, n), and the group of every point with its label."""

    sizes: np.ndarray
    group: np.ndarray
    labels: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.group)

    def __getitem__(self, rows: np.ndarray) -> Points:
        return Points(self.sizes[:, rows], self.group[rows], self.labels)

    def columns(self, columns: Sequence[int]) -> Points:
        """The same points by some of the columns alone."""
        return Points(self.sizes[list(columns)], self.group, self.labels)


@dataclass(frozen=True)
class Part:
    """A part that a column (or ``several``) plays in a law: a field of the law, and the command line's option for it.

    ``size`` is False for columns of groups.
    """

    field: str
    option: str = ""
    several: bool = False
    size: bool = True


@dataclass(frozen=True)
class Term:
    """c / (x^a y^b ...): the names of its coefficient, and its columns with the exponent of each."""

    coefficient: str
    columns: tuple[str, ...]
    exponents: tuple[str, ...]


class Law(ABC):
    """What a fit needs to know of a law. A subclass is a frozen dataclass, in a file of ``forms``."""

    name: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]]  # in the order of the columns after the colon of --law name:x,y
    positive_sizes: ClassVar[bool] = True  # whether sizes must be above 0

    @abstractmethod
    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """The parameters, in order; ``labels`` are those of the groups."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The law in symbols."""

    @abstractmethod
    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        """The law itself: the losses at points, for one value (or array, or jet) of each parameter, broadcast."""

    @abstractmethod
    def box(self, points: Points) -> Box:
        """The bounds of the parameters, and which must be positive."""

    @abstractmethod
    def model(self, points: Points, logarithmic: bool = True, given: Restriction | None = None) -> Model:
        """The law over given points, as the solver needs it, in the parameters that are free where some are given."""

    @property
    def sizes(self) -> tuple[str, ...]:
        """The columns of sizes."""
        return tuple(column for part in self.parts if part.size for column in self._columns_of(part))

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns whose combinations are groups."""
        return tuple(column for part in self.parts if not part.size for column in self._columns_of(part))

    def _columns_of(self, part: Part) -> tuple[str, ...]:
        value = getattr(self, part.field)
        return tuple(value) if part.several else (value,)

    def positive_size(self, column: str) -> bool:
        """Whether a column of sizes must be above 0."""
        return self.positive_sizes

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {
            part.field: list(columns) if part.several else columns[0]
            for part in self.parts
            for columns in [self._columns_of(part)]
        }

    @property
    def title(self) -> str:
        """The law's name with its columns."""
        return f"{self.name}({', '.join(self.sizes)})"

    @property
    def exponents(self) -> tuple[str, ...]:
        """The parameters that are exponents."""
        return ()

    def exponents_of(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The same where groups have these labels."""
        return self.exponents

    @property
    def common_offset(self) -> str | None:
        """The parameter that is added to the loss of every point, if there is one."""
        return None

    @property
    def compute(self) -> tuple[str, str] | None:
        """The columns N and D of C = 6 N D, where the law has these."""
        return None

    @property
    def power_terms(self) -> tuple[Term, ...]:
        """The terms of a law that is a sum of them."""
        return ()

    def falling(self, params: Sequence[np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """log c and a of terms c / x^a by column: at a given budget the loss is least where their sum is."""
        return {}


def power_term(coefficient: Any, exponents: Sequence[Any], logs: Sequence[Any]) -> Any:
    """c / prod_k x_k^a_k from the logs of the sizes; 0 where a size is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        log_value = np.log(np.maximum(coefficient, FLOOR))
        for exponent, log_x in zip(exponents, logs, strict=True):
            log_value = log_value - np.where(np.isposinf(log_x), np.inf, exponent * log_x)
        return np.where(np.isneginf(log_value), 0.0, np.exp(np.clip(log_value, -FAR, FAR)))


class SumLaw(Law):
    """L = sum of terms c / (x^a y^b ...) + an offset, common or of each group. A subclass names its terms."""

    signed_offset: ClassVar[bool] = False  # whether the offset may be negative

    @property
    def exponents(self) -> tuple[str, ...]:
        return tuple(name for term in self.power_terms for name in term.exponents)

    def offsets(self, labels: Sequence[str] = ()) -> tuple[str, ...]:
        """The offsets: one, one for each group, or none."""
        return () if self.common_offset is None else (self.common_offset,)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        of_terms = [name for term in self.power_terms for name in (term.coefficient, *term.exponents)]
        return list(dict.fromkeys([*of_terms, *self.offsets(labels)]))

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        value = dict(zip(self.names(points.labels), params, strict=True))
        with np.errstate(divide="ignore"):
            logs = dict(zip(self.sizes, np.log(points.sizes), strict=True))
        total: Any = 0.0
        for term in self.power_terms:
            exponents = [value[name] for name in term.exponents]
            total = total + power_term(value[term.coefficient], exponents, [logs[c] for c in term.columns])
        offsets = self.offsets(points.labels)
        if len(offsets) == 1:
            return total + value[offsets[0]]
        for g, name in enumerate(offsets):
            total = total + (points.group == g) * value[name]
        return total

    def _layout(self, labels: Sequence[str]) -> Layout:
        position = {name: i for i, name in enumerate(self.names(labels))}
        return Layout(
            coefficients=tuple(position[term.coefficient] for term in self.power_terms),
            exponents=tuple(tuple(position[name] for name in term.exponents) for term in self.power_terms),
            offsets=tuple(position[name] for name in self.offsets(labels)),
            signed=self.signed_offset,
        )

    def box(self, points: Points) -> Box:
        return self._layout(points.labels).box(len(self.names(points.labels)))

    def model(self, points: Points, logarithmic: bool = True, given: Restriction | None = None) -> PowerSum:
        row = {column: k for k, column in enumerate(self.sizes)}
        logs = np.log(points.sizes[[row[column] for term in self.power_terms for column in term.columns]])
        free = unrestricted(self.box(points)) if given is None else given
        return PowerSum(Arranged(logs, self._layout(points.labels), points.group, free), logarithmic)

    def falling(self, params: Sequence[np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        value = dict(zip(self.names(), params, strict=False))
        return {
            term.columns[0]: (np.log(np.maximum(value[term.coefficient], FLOOR)), value[term.exponents[0]])
            for term in self.power_terms
            if len(term.columns) == 1
        }


class FormulaLaw(Law):
    """A law that is no such sum: its formula is differentiated as it stands in :meth:`Law.losses`.

    Where each point has but a few of many parameters, a subclass says which (:meth:`places`), and its formula of these
    (:meth:`at_points`).
    """

    @abstractmethod
    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Random parameters from which to search, shape (count, p)."""

    def places(self, labels: Sequence[str]) -> np.ndarray:
        """Which of the parameters :meth:`at_points` takes at the points of each group, shape (groups, m)."""
        return np.arange(len(self.names(labels)))[None]

    def at_points(self, points: Points, params: Sequence[Any]) -> Any:
        """The losses for the parameters that each point has: as :meth:`losses` where all have all."""
        return self.losses(points, params)

    def model(self, points: Points, logarithmic: bool = True, given: Restriction | None = None) -> Formula:
        free = unrestricted(self.box(points)) if given is None else given

        def function(*params: Any) -> Any:
            return self.at_points(points, params)

        def starts(count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
            return self.starts(points, count, rng, losses)[:, free.free]

        return Formula(function, free, starts, self.places(points.labels), points.group, logarithmic)


def of_group(params: Sequence[Any], group: np.ndarray) -> np.ndarray:
    """Of one value (B, 1) for each group that of every point, (B, n).

    Examples
    --------
    >>> of_group([np.array([[1.0]]), np.array([[5.0]])], np.array([0, 1, 1]))
    array([[1., 5., 5.]])
    """
    return np.concatenate([np.atleast_2d(value) for value in params], axis=1)[:, group]
