"""Sums of power terms with offsets: the model, its derivatives and its starts, in batches.

    f_i = sum_j c_j prod_k x_ik^-a_k  +  L_g(i)

with every exponent k in one term j and every point i in one group g. In the coordinates
u_j = log c_j - sum_k a_k zbar_k in place of every c_j, with z = log x centred at zbar,
every term is exp(u_j - sum_k a_k (z_ik - zbar_k)): the exponential of a linear form whose gradient and
Hessian need only the constant products of its columns, so that a batch of problems (starts,
bootstrap replicates, simulated sets) costs a few matrix products.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise

import numpy as np

from superlaw.laws.problems.formula import Box
from superlaw.laws.problems.model import FLOOR, LARGEST_EXPONENT, Assembled, Pointwise
from superlaw.laws.problems.projection import Basis, Link, eliminate, project
from superlaw.laws.problems.restriction import Restriction

SURVEY = 16  # exponents of which a surveyed start is the best,
SURVEYED_POINTS = 4000  # by about so many points
FAR, MOST_LOG = 690.0, 700.0  # logarithms of terms, and of coefficients, beyond which there are no numbers


@dataclass(frozen=True)
class Layout:
    """Where a sum's parameters stand in the law's order. One may stand in several places.

    ``coefficients`` of each term; ``exponents`` of each term, one for each of its columns; ``offsets`` of each
    group, one for all, or none. ``members`` is, of each term, the group whose points alone have it, or None.
    """

    coefficients: tuple[int, ...]
    exponents: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    members: tuple[int | None, ...] = ()

    def box(self, p: int, free_sign: bool = False) -> Box:
        """Bounds of the p parameters themselves."""
        lower, upper, positive = np.zeros(p), np.full(p, np.inf), np.zeros(p, bool)
        positive[list(self.coefficients)] = True
        exponents = sorted({k for term in self.exponents for k in term})
        lower[exponents], upper[exponents] = 0.0 - LARGEST_EXPONENT * free_sign, LARGEST_EXPONENT
        return Box(positive, lower, upper)


class PowerSum:
    """One sum of power terms over given points: a :class:`~superlaw.laws.problems.model.Model`.

    Parameters
    ----------
    logs : ndarray, shape (K, n)
        log x for every exponent, term by term.
    layout : Layout
    group : ndarray of int, shape (n,)
        The group of each point, some of which may have none; 0 everywhere for one offset.
    restriction : Restriction
        How the law's parameters hang on those that are solved for.
    uncentred : frozenset of int
        Coefficients that are coordinates themselves, as log c: the columns of their terms are not centred. So are those
        of several terms and those with bounds of their own.
    """

    exact = True

    def __init__(
        self,
        logs: np.ndarray,
        layout: Layout,
        group: np.ndarray,
        restriction: Restriction,
        uncentred: frozenset[int] = frozenset(),
    ):
        self._made_from = (logs, layout, group, restriction)
        self.n, self.p = logs.shape[1], restriction.q
        self._uncentred = uncentred
        counts = np.cumsum([0, *(len(exponents) for exponents in layout.exponents)])
        self._rows = [list(range(low, high)) for low, high in pairwise(counts)]
        present = [None if g is None else group == g for g in layout.members or [None] * len(self._rows)]
        owner, factor, constant = restriction.owner, restriction.factor, restriction.constant
        of_term, of_power = owner[list(layout.coefficients)], [k for term in layout.exponents for k in term]
        self._coefficient, self._exponent, self._offset = (
            _distinct(owner[list(at)]) for at in (layout.coefficients, of_power, layout.offsets)
        )
        self.log_coordinates = np.isin(np.arange(self.p), self._coefficient)
        held, alone = set(np.flatnonzero(restriction.held.any(axis=1))), Counter(of_term.tolist())
        self._centred = [m for m in self._coefficient if alone[m] == 1 and m not in held and m not in uncentred]
        self.centre = np.zeros(len(logs))
        for m, rows, here in zip(of_term, self._rows, present, strict=True):
            if m in self._centred:
                self.centre[rows] = logs[rows].mean(axis=1) if here is None else logs[rows][:, here].mean(axis=1)
        self.z = logs - self.centre[:, None]
        # log c_j = its coordinate + sum_k a_k centre_k: linear in the coordinates, plus what fixed exponents give.
        self._shift, self._shift_of_fixed = np.zeros((self.p, self.p)), np.zeros(self.p)
        for m, rows in zip(of_term, self._rows, strict=True):
            for k in rows if m in self._centred else ():
                self._shift[m, owner[of_power[k]]] += factor[of_power[k]] * self.centre[k]
                self._shift_of_fixed[m] += constant[of_power[k]] * self.centre[k]
        # The coordinates of term j, the derivatives (n, 1 + K_j) of its logarithm by them, and what is fixed of it.
        self._index, self._forms, self._base = [], [], []
        for j, rows in enumerate(self._rows):
            powers = [of_power[k] for k in rows]
            index = _distinct(np.array([of_term[j], *owner[powers]]))
            form = np.zeros((self.n, len(index)))
            base = np.full(self.n, constant[layout.coefficients[j]])
            if of_term[j] >= 0:
                form[:, 0] = 1.0
            for k, power in zip(rows, powers, strict=True):
                if owner[power] >= 0:
                    form[:, index.index(owner[power])] -= factor[power] * self.z[k]
                base = base - constant[power] * self.z[k]
            here = present[j]
            base = base if here is None else np.where(here, base, -2 * FAR)
            self._index.append(np.array(index, dtype=int))
            self._forms.append(form)
            self._base.append(base if base.any() else None)
        self._one_hot, self._fixed_offset = _offsets(group, layout.offsets, restriction, self._offset)
        self._squares = None if self._one_hot is None else self._one_hot**2  # a point has one offset
        self._one_offset = self._one_hot is not None and self._one_hot.shape[1] == 1 and bool((self._one_hot == 1).all())
        self._products = {
            (i, j): (self._forms[i][:, :, None] * self._forms[j][:, None, :]).reshape(self.n, -1)
            for i, j in combinations_with_replacement(range(len(self._rows)), 2)
            if len(self._index[i]) and len(self._index[j])
            and not _apart(present[i], present[j])
        }  # fmt: skip
        seen = Counter(m for index in self._index for m in index.tolist())
        self._shared = [
            (m, [(j, index.tolist().index(m)) for j, index in enumerate(self._index) if m in index])
            for m, count in seen.items() if count > 1
        ]  # fmt: skip
        lower, upper = restriction.box.lower, restriction.box.upper
        with np.errstate(divide="ignore"):
            logs_of = lambda x: np.clip(np.log(np.maximum(x, 0)), -MOST_LOG, MOST_LOG)  # noqa: E731
            self.lower = np.where(self.log_coordinates, logs_of(lower), lower)
            self.upper = np.where(self.log_coordinates, logs_of(upper), upper)
        self._linked = self._link(layout, restriction, present)

    def _link(self, layout: Layout, restriction: Restriction, present: list[np.ndarray | None]) -> Link | None:
        """What the projection must know of shared and fixed parameters; None where there are none."""
        owner, factor, constant = restriction.owner, restriction.factor, restriction.constant
        plain = len(owner) == self.p and len(set(_flat(layout))) == len(_flat(layout))
        if plain and all(here is None for here in present):
            return None
        of_power = [k for term in layout.exponents for k in term]
        powers = np.zeros((len(self._exponent), len(of_power)))
        for k, power in enumerate(of_power):
            if owner[power] >= 0:
                powers[self._exponent.index(owner[power]), k] = factor[power]
        terms = np.zeros((len(layout.coefficients), len(self._coefficient)))
        fixed = np.zeros(len(layout.coefficients))
        for j, c in enumerate(layout.coefficients):
            if owner[c] < 0:
                fixed[j] = np.exp(constant[c])
            else:
                terms[j, self._coefficient.index(owner[c])] = np.exp(constant[c])
        return Link(
            powers, np.array([constant[k] * (owner[k] < 0) for k in of_power]), terms, fixed, self._fixed_offset,
            None if all(here is None for here in present)
            else np.array([np.ones(self.n) if here is None else here for here in present], dtype=float),
        )  # fmt: skip

    def pinned(self, k: int) -> PowerSum:
        return PowerSum(*self._made_from, uncentred=self._uncentred | {k}) if k in self._centred else self

    # -- between coordinates and parameters ------------------------------------------------------
    def _shifts(self, x: np.ndarray) -> np.ndarray:
        """log c_j - u_j of every coefficient: sum_k a_k zbar_k."""
        at = self._coefficient
        return x @ self._shift[at].T + self._shift_of_fixed[at]

    def values(self, theta: np.ndarray) -> np.ndarray:
        out = theta.copy()
        out[..., self._coefficient] = np.exp(theta[..., self._coefficient] + self._shifts(theta))
        return out

    def thetas(self, values: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`values`; a coefficient of 0 becomes the smallest allowed."""
        out = values.copy()
        logs = np.log(np.maximum(values[..., self._coefficient], FLOOR))
        out[..., self._coefficient] = logs - self._shifts(values)
        return np.clip(out, self.lower, self.upper)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        out, at = np.eye(self.p), self._coefficient
        out[at] = self.values(theta)[at, None] * (out[at] + self._shift[at])
        return out

    # -- the model ------------------------------------------------------------------------------
    def _terms(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Each term, and the whole model, shape (B, n)."""
        terms = []
        for index, form, base in zip(self._index, self._forms, self._base, strict=True):
            log = theta[:, index] @ form.T
            terms.append(np.exp(np.clip(log if base is None else log + base, -FAR, FAR)))
        model = terms[0].copy() if len(terms) == 1 else sum(terms[1:], terms[0])
        if self._one_offset:
            model += theta[:, self._offset]
        elif self._one_hot is not None:
            model += theta[:, self._offset] @ self._one_hot.T
        if self._fixed_offset is not None:
            model = model + self._fixed_offset
        return terms, np.maximum(model, FLOOR)

    def losses(self, theta: np.ndarray) -> np.ndarray:
        return self._terms(theta)[1]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        terms, _ = self._terms(theta[None])
        out = np.zeros((self.n, self.p))
        for term, index, form in zip(terms, self._index, self._forms, strict=True):
            out[:, index] += term[0][:, None] * form
        if self._one_hot is not None:
            out[:, self._offset] += self._one_hot
        return out

    def assemble(self, theta: np.ndarray, pointwise: Pointwise) -> Assembled:
        terms, model = self._terms(theta)
        rho, d1, d2, d2_major = pointwise(model)
        batch = len(theta)
        gradient = np.zeros((batch, self.p))
        hessian = np.zeros((batch, self.p, self.p))
        scale = np.zeros((batch, self.p))
        d1_terms, d2_terms = [d1 * term for term in terms], [d2 * term for term in terms]
        for (i, j), product in self._products.items():
            pair = d2_terms[i] * terms[j]
            if i == j:
                pair += d1_terms[i]
            rows, columns = self._index[i], self._index[j]
            block = (pair @ product).reshape(batch, len(rows), len(columns))
            hessian[:, rows[:, None], columns] += block
            if i != j:
                hessian[:, columns[:, None], rows] += block.swapaxes(1, 2)
        for j, (index, form) in enumerate(zip(self._index, self._forms, strict=True)):
            gradient[:, index] += d1_terms[j] @ form
            scale[:, index] += (d2_major * terms[j] ** 2) @ form**2
        for m, places in self._shared:  # the slopes of several terms add up
            slope = sum(terms[j] * self._forms[j][:, column] for j, column in places)
            scale[:, m] = (d2_major * slope**2).sum(axis=1)
        if self._one_hot is not None:  # f is linear in the offsets
            at = np.array(self._offset)
            gradient[:, at], scale[:, at] = d1 @ self._one_hot, d2_major @ self._squares
            hessian[:, at, at] = d2 @ self._squares
            self._cross_offsets(hessian, d2_terms, self._one_hot)
        return rho.sum(axis=1), gradient, hessian, np.sqrt(scale)

    def _cross_offsets(self, hessian: np.ndarray, d2_terms: list[np.ndarray], one_hot: np.ndarray) -> None:
        """The blocks between the offsets and the terms' own parameters, in place."""
        at = np.array(self._offset)
        for term, index, form in zip(d2_terms, self._index, self._forms, strict=True):
            for position, parameter in enumerate(index):
                block = (term * form[:, position]) @ one_hot  # (B, G)
                hessian[:, parameter, at] += block
                hessian[:, at, parameter] += block

    # -- starts -----------------------------------------------------------------------------------
    def starts(self, count: int, rng: np.random.Generator, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Starts from random exponents, log-uniform from 0.03 to 3, after variable projection; for every fourth,
        the best of a few wider ones (0.003 to 10) with their coefficients, as they are: projection may lead all
        of the others to one place."""
        surveyed = count // 4
        exponents = np.exp(rng.uniform(np.log(0.03), np.log(3.0), (count - surveyed, len(self._exponent))))
        found = self._projected(exponents, losses, root)
        if not surveyed:
            return found
        wide = np.exp(rng.uniform(np.log(0.003), np.log(10.0), (surveyed * SURVEY, len(self._exponent))))
        few = slice(None, None, 1 + self.n // SURVEYED_POINTS)
        eliminated = eliminate(self._basis.at(few), wide, root[few], (losses * root)[few])
        squares, theta = eliminated.squares, self._coordinates(wide, eliminated.coefficients)
        best = np.argmin(squares.reshape(surveyed, SURVEY), axis=1) + SURVEY * np.arange(surveyed)
        return np.concatenate([found, theta[best]])

    def improve(self, theta: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Given starts after variable projection from their exponents."""
        return self._projected(np.clip(theta[:, self._exponent], 0.01, 5.0), losses, root)

    def _projected(self, exponents: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        return self._coordinates(*project(self._basis, exponents, losses, root))

    @property
    def _basis(self) -> Basis:
        return Basis(self.z, tuple(map(tuple, self._rows)), self._one_hot, self._linked)

    def _coordinates(self, a: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
        """Coordinates; a coefficient that was eliminated to 0 is revived at a thousandth of the largest."""
        floor = 1e-3 * coefficient.max(axis=1, keepdims=True, initial=0.0) + FLOOR
        J = len(self._coefficient)
        theta = np.empty((len(a), self.p))
        theta[:, self._coefficient] = np.log(np.maximum(coefficient[:, :J], floor))
        theta[:, self._exponent] = a
        theta[:, self._offset] = coefficient[:, J:]
        return np.clip(theta, self.lower, self.upper)


def _distinct(owners: np.ndarray) -> list[int]:
    """Free parameters in the order of their first place, each once; -1 is none."""
    return [m for m in dict.fromkeys(owners.tolist()) if m >= 0]


def _flat(layout: Layout) -> list[int]:
    return [*layout.coefficients, *(k for term in layout.exponents for k in term), *layout.offsets]


def _apart(here: np.ndarray | None, there: np.ndarray | None) -> bool:
    """Whether two terms have no point in common."""
    return here is not None and there is not None and not (here & there).any()


def _offsets(
    group: np.ndarray, offsets: tuple[int, ...], given: Restriction, free: list[int]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The free offset of every point, (n, G) of its multiples, and the fixed one (n,); None where there are none."""
    one_hot, fixed = np.zeros((len(group), len(free))), np.zeros(len(group))
    for g, k in enumerate(offsets):
        if given.owner[k] < 0:
            fixed += (group == g) * given.constant[k]
        else:
            one_hot[:, free.index(given.owner[k])] += (group == g) * given.factor[k]
    return one_hot if free else None, fixed if fixed.any() else None
