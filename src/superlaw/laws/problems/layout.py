"""How a sum of power terms is laid out over given points: its coordinates, and what each term is of them.

    log term_j(i) = sum_m forms_j[i, m] theta[index_j[m]] + base_j[i]

Shapes: n points, p parameters of the law, q free ones (the coordinates), J terms of K exponents in all.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from superlaw.laws.problems.model import LARGEST_EXPONENT, Box
from superlaw.laws.problems.projection import Link
from superlaw.laws.problems.restriction import Restriction

NONE = -1e4  # the logarithm of a term where it is absent


@dataclass(frozen=True)
class Layout:
    """Where a sum's parameters stand in the law's order. One may stand in several places.

    ``coefficients`` of each term; ``exponents`` of each term, one for each of its columns; ``offsets`` of each
    group, one for all, or none. ``members`` is, of each term, the group whose points alone have it, or None. Offsets
    that are ``signed`` may be negative.
    """

    coefficients: tuple[int, ...]
    exponents: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    members: tuple[int | None, ...] = ()
    signed: bool = False

    @property
    def powers(self) -> list[int]:
        """The exponents of all terms, (K,)."""
        return [k for term in self.exponents for k in term]

    @property
    def rows(self) -> list[list[int]]:
        """Of each term, which of the K exponents it has."""
        ends = np.cumsum([0, *map(len, self.exponents)]).tolist()
        return [list(range(low, high)) for low, high in itertools.pairwise(ends)]

    @property
    def plain(self) -> bool:
        """Whether every parameter stands in one place and every term holds everywhere."""
        places = [*self.coefficients, *self.powers, *self.offsets]
        return len(set(places)) == len(places) and all(member is None for member in self.members)

    def box(self, p: int) -> Box:
        """Bounds of the p parameters themselves. A single power without an offset may rise as well."""
        lower, upper, positive = np.zeros(p), np.full(p, np.inf), np.zeros(p, bool)
        positive[list(self.coefficients)] = True
        free_sign = not self.offsets and len(set(self.coefficients)) == 1
        lower[self.powers], upper[self.powers] = 0.0 - LARGEST_EXPONENT * free_sign, LARGEST_EXPONENT
        lower[list(self.offsets)] = -np.inf if self.signed else 0.0
        return Box(positive, lower, upper)


@dataclass(frozen=True, eq=False)
class Arranged:
    """A layout over given points, of whose parameters some are fixed or hang together.

    ``logs`` (K, n) are those of the sizes, ``group`` (n,) the group of every point. Terms whose coefficient is in
    ``uncentred``, is bounded, or stands in several terms have it as a coordinate itself (its logarithm); of the others
    the columns are centred.
    """

    logs: np.ndarray
    layout: Layout
    group: np.ndarray
    given: Restriction
    uncentred: frozenset[int] = frozenset()

    @property
    def _of_term(self) -> list[int]:
        """The free coefficient of each term, -1 for none."""
        return self.given.owner[list(self.layout.coefficients)].tolist()

    @property
    def _of_power(self) -> list[int]:
        """The free exponent of each of the K, -1 for none."""
        return self.given.owner[self.layout.powers].tolist()

    @cached_property
    def coefficients(self) -> list[int]:
        """Which coordinates belong to coefficients,"""
        return _distinct(self._of_term)

    @cached_property
    def exponents(self) -> list[int]:
        """which are exponents,"""
        return _distinct(self._of_power)

    @cached_property
    def offsets(self) -> list[int]:
        """and which offsets."""
        return _distinct(self.given.owner[list(self.layout.offsets)].tolist())

    @cached_property
    def centred(self) -> frozenset[int]:
        """The coefficients whose coordinate is that at the centre of their term's points."""
        bounded, places = np.asarray(self.given.held.any(axis=1)), Counter(self._of_term)
        return frozenset(m for m in self.coefficients if places[m] == 1 and not bounded[m]) - self.uncentred

    @cached_property
    def present(self) -> list[np.ndarray | None]:
        """The points that have each term, None for all."""
        members = self.layout.members or [None] * len(self.layout.coefficients)
        return [None if member is None else self.group == member for member in members]

    @cached_property
    def centre(self) -> np.ndarray:
        """zbar of each of the K exponents' columns, 0 where a term is not centred."""
        out = np.zeros(len(self.logs))
        for m, rows, here in zip(self._of_term, self.layout.rows, self.present, strict=True):
            if m in self.centred:
                some = slice(None) if here is None or not here.any() else here
                out[rows] = self.logs[rows][:, some].mean(axis=1)
        return out

    @cached_property
    def z(self) -> np.ndarray:
        """Centred logs of the sizes, (K, n)."""
        return self.logs - self.centre[:, None]

    def shifts(self) -> tuple[np.ndarray, np.ndarray]:
        """log c = its coordinate + S theta + s: S (q, q) and s (q,), which are 0 but for centred coefficients."""
        linear, constant = np.zeros((self.given.q, self.given.q)), np.zeros(self.given.q)
        factor, fixed = self.given.factor, self.given.constant
        for m, rows in zip(self._of_term, self.layout.rows, strict=True):
            for k in rows if m in self.centred else ():
                power, own = self.layout.powers[k], self._of_power[k]
                if own >= 0:
                    linear[m, own] += factor[power] * self.centre[k]
                else:
                    constant[m] += fixed[power] * self.centre[k]
        return linear, constant

    def terms(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        """Of each term: index, form (n, len(index)) and base (n,), None where that is 0."""
        n, factor, constant = len(self.group), self.given.factor, self.given.constant
        out = []
        for j, rows in enumerate(self.layout.rows):
            own = [self._of_power[k] for k in rows]
            index = _distinct([self._of_term[j], *own])
            form, base = np.zeros((n, len(index))), np.full(n, constant[self.layout.coefficients[j]])
            if self._of_term[j] >= 0:
                form[:, 0] = 1.0
            for k, m in zip(rows, own, strict=True):
                power = self.layout.powers[k]
                if m >= 0:
                    form[:, index.index(m)] -= factor[power] * self.z[k]
                else:
                    base = base - constant[power] * self.z[k]
            here = self.present[j]
            base = base if here is None else np.where(here, base, NONE)
            out.append((np.array(index, dtype=int), form, base if base.any() else None))
        return out

    def offset_columns(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The multiple of every free offset at each point, (n, G), and what is fixed of it, (n,); None for nothing."""
        one_hot, fixed = np.zeros((len(self.group), len(self.offsets))), np.zeros(len(self.group))
        for g, k in enumerate(self.layout.offsets):
            if self.given.owner[k] < 0:
                fixed += (self.group == g) * self.given.constant[k]
            else:
                one_hot[:, self.offsets.index(self.given.owner[k])] += (self.group == g) * self.given.factor[k]
        return one_hot if self.offsets else None, fixed if fixed.any() else None

    def link(self) -> Link | None:
        """What the projection must know of fixed and shared parameters; None where there are none."""
        given, layout = self.given, self.layout
        if layout.plain and len(given.owner) == given.q and not given.held.any():
            return None
        powers, fixed_powers = np.zeros((len(self.exponents), len(self.logs))), np.zeros(len(self.logs))
        for k, (power, m) in enumerate(zip(layout.powers, self._of_power, strict=True)):
            if m >= 0:
                powers[self.exponents.index(m), k] = given.factor[power]
            else:
                fixed_powers[k] = given.constant[power]
        terms, fixed_terms = np.zeros((len(self._of_term), len(self.coefficients))), np.zeros(len(self._of_term))
        for j, (c, m) in enumerate(zip(layout.coefficients, self._of_term, strict=True)):
            if m >= 0:
                terms[j, self.coefficients.index(m)] = np.exp(given.constant[c])
            else:
                fixed_terms[j] = np.exp(given.constant[c])
        everywhere = all(here is None for here in self.present)
        present = None if everywhere else np.stack([np.ones_like(self.z[0]) if h is None else h for h in self.present])
        bounds = np.stack([given.box.lower, given.box.upper])[:, self.exponents]
        return Link(powers, fixed_powers, terms, fixed_terms, bounds, self.offset_columns()[1], present)


def _distinct(owners: list[int]) -> list[int]:
    """Coordinates in the order of their first place, each once; -1 is none."""
    return [m for m in dict.fromkeys(owners) if m >= 0]
