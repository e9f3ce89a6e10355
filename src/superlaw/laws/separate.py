"""Any law with some parameters of its own for each group: two recipes in one law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest
from superlaw.laws.law import FormulaLaw, Law, Points, SumLaw, of_group
from superlaw.laws.problems.formula import Formula
from superlaw.laws.problems.layout import Arranged, Layout
from superlaw.laws.problems.model import Box, Model
from superlaw.laws.problems.power_sum import PowerSum
from superlaw.laws.problems.restriction import Restriction, unrestricted


@dataclass(frozen=True)
class SeparateLaw(Law):
    """A law of which some parameters are separate for the groups of one or more columns, and the others shared.

    Parameters
    ----------
    inner : Law
        One without groups of its own.
    by : sequence of str
        Columns whose combinations are the groups (a recipe, a corpus...).
    separate : sequence of str
        Parameters of the inner law; those of the fit are ``A[recipe]`` for each of them.

    Examples
    --------
    >>> from superlaw.laws.forms import law_of
    >>> SeparateLaw(law_of("chinchilla"), ["recipe"], ["A", "alpha"]).names(["muon", "adam"])
    ['E', 'A[muon]', 'A[adam]', 'alpha[muon]', 'alpha[adam]', 'B', 'beta']
    """

    inner: Law
    by: Sequence[str]
    separate: Sequence[str]

    def __post_init__(self):
        by, separate = ((x,) if isinstance(x, str) else tuple(x) for x in (self.by, self.separate))
        object.__setattr__(self, "by", by)
        object.__setattr__(self, "separate", separate)
        names = self.inner.names()
        if self.inner.groups:
            raise InputError(f"groups by {', '.join(by)} of the law {self.name}", "a law without groups of its own")
        if not by or not separate:
            raise InputError("no groups, or nothing separate", "columns of groups, and parameters", "--by, --separate")
        for name in separate:
            if name not in names:
                raise InputError(f"the parameter {name!r}", f"one of {', '.join(names)}", closest(name, names))
        if len(set(separate)) < len(separate) or len(set(by)) < len(by):
            raise InputError(f"--by {','.join(by)} --separate {','.join(separate)}", "each once")
        for column in by:
            if column in self.inner.sizes:
                raise InputError(f"groups by {column!r}, a size of the law", "another column")

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The inner law's."""
        return self.inner.name

    @property
    def parts(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The inner law's."""
        return self.inner.parts

    @property
    def sizes(self) -> tuple[str, ...]:
        return self.inner.sizes

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.by)

    @property
    def offset(self) -> bool:
        """Whether the inner law has one, where that is a choice."""
        return getattr(self.inner, "offset", True)

    def positive_size(self, column: str) -> bool:
        return self.inner.positive_size(column)

    def columns(self) -> dict[str, Any]:
        return self.inner.columns()

    @property
    def title(self) -> str:
        return f"{self.inner.title} by {','.join(self.by)}"

    @property
    def formula(self) -> str:
        return f"{self.inner.formula}; {', '.join(self.separate)} separate by {', '.join(self.by)}"

    @property
    def exponents(self) -> tuple[str, ...]:
        return self.inner.exponents

    @property
    def common_offset(self) -> str | None:
        offset = self.inner.common_offset
        return None if offset in self.separate else offset

    def of(self, name: str, labels: Sequence[str]) -> list[str]:
        """The parameters of the fit that a parameter of the inner law is."""
        return [f"{name}[{label}]" for label in labels] if name in self.separate else [name]

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return [own for name in self.inner.names() for own in self.of(name, labels)]

    def exponents_of(self, labels: Sequence[str]) -> tuple[str, ...]:
        return tuple(own for name in self.inner.exponents for own in self.of(name, labels))

    def places(self, labels: Sequence[str]) -> np.ndarray:
        """Which parameters of the fit the inner law has in each group, shape (groups, parameters of the inner law)."""
        names = self.names(labels)
        each = [self.of(name, labels) for name in self.inner.names()]
        return np.array([[names.index(own[g % len(own)]) for own in each] for g in range(len(labels))])

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        own = [of_group([params[k] for k in column], points.group) for column in self.places(points.labels).T]
        return self.inner.losses(points, own)

    def box(self, points: Points) -> Box:
        inner, places = self.inner.box(points), self.places(points.labels)
        of = [int(np.argmax((places == k).any(axis=0))) for k in range(places.max() + 1)]
        return Box(inner.positive[of], inner.lower[of], inner.upper[of])

    def model(self, points: Points, logarithmic: bool = True, given: Restriction | None = None) -> Model:
        free = unrestricted(self.box(points)) if given is None else given
        if isinstance(self.inner, SumLaw):
            return PowerSum(self._arranged(points, self.inner, free), logarithmic)
        if not isinstance(self.inner, FormulaLaw):
            raise TypeError(f"{type(self.inner).__name__} is neither a sum nor a formula")
        inner = self.inner

        def function(*params: Any) -> Any:
            return inner.losses(points, params)

        def starts(count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
            return self._starts(inner, points, count, rng, losses)[:, free.free]

        return Formula(function, free, starts, self.places(points.labels), points.group, logarithmic)

    def _arranged(self, points: Points, inner: SumLaw, free: Restriction) -> Arranged:
        """Terms with a separate parameter once for each group, of whose points alone they are."""
        position = {name: k for k, name in enumerate(self.names(points.labels))}
        row = {column: k for k, column in enumerate(inner.sizes)}
        coefficients, exponents, members, rows = [], [], [], []
        for term in inner.power_terms:
            apart = any(name in self.separate for name in (term.coefficient, *term.exponents))
            for g in range(len(points.labels)) if apart else (None,):
                own = [self.of(name, points.labels) for name in (term.coefficient, *term.exponents)]
                first, *rest = (position[names[(g or 0) % len(names)]] for names in own)
                coefficients.append(first)
                exponents.append(tuple(rest))
                members.append(g)
                rows += [row[column] for column in term.columns]
        offsets = [position[own] for name in inner.offsets() for own in self.of(name, points.labels)]
        if len(offsets) == 1:  # one of all groups
            offsets *= len(points.labels)
        layout = Layout(tuple(coefficients), tuple(exponents), tuple(offsets), tuple(members), inner.signed_offset)
        return Arranged(np.log(points.sizes[rows]), layout, points.group, free)

    def _starts(
        self, inner: FormulaLaw, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray
    ) -> np.ndarray:
        """Those of the inner law, of all points and, for separate parameters, of each group's."""
        places = self.places(points.labels)
        out = np.empty((count, places.max() + 1))
        together = inner.starts(points, count, rng, losses)
        for g, place in enumerate(places):
            at = points.group == g
            alone = inner.starts(points[at], count, rng, losses[at])
            shared = (places == place).all(axis=0)
            half = np.arange(count)[:, None] % 2 == 0
            out[:, place] = np.where(shared | half, together, alone)
        return out
