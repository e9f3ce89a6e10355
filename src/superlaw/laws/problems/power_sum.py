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
from dataclasses import replace
from functools import reduce
from itertools import combinations_with_replacement

import numpy as np

from superlaw.laws.problems.layout import Arranged
from superlaw.laws.problems.model import FLOOR, Assembled, Pointwise
from superlaw.laws.problems.projection import Basis, eliminate, project

SURVEY = 16  # exponents of which a surveyed start is the best,
SURVEYED_POINTS = 4000  # by about so many points
TOGETHER = (
    16_384  # points whose derivatives are formed at once: of more the numbers between leave the processor's cache
)
FAR, MOST_LOG = 690.0, 700.0  # logarithms of terms, and of coefficients, beyond which there are no numbers


class PowerSum:
    """One sum of power terms over given points: a :class:`~superlaw.laws.problems.model.Model`.

    With ``logarithmic`` it is kept above 0, as errors of log L need.
    """

    exact = True

    def __init__(self, arranged: Arranged, logarithmic: bool = True):
        self._arranged, self.n, self.p = arranged, len(arranged.group), arranged.given.q
        self._logarithmic = logarithmic
        self._coefficient, self._exponent, self._offset = (
            arranged.coefficients, arranged.exponents, arranged.offsets
        )  # fmt: skip
        self.log_coordinates = np.isin(np.arange(self.p), self._coefficient)
        self._shift, self._fixed_shift = arranged.shifts()
        self._index, self._forms, self._base = zip(*arranged.terms(), strict=True)
        self._one_hot, self._fixed_offset = arranged.offset_columns()
        self._squares = None if self._one_hot is None else self._one_hot**2  # a point has one offset
        self._form_squares = [form**2 for form in self._forms]
        self._one_offset = (
            self._one_hot is not None and self._one_hot.shape[1] == 1 and bool((self._one_hot == 1).all())
        )
        self._products = {
            (i, j): (self._forms[i][:, :, None] * self._forms[j][:, None, :]).reshape(self.n, -1)
            for i, j in combinations_with_replacement(range(len(self._index)), 2)
            if self._meet(i, j)
        }
        self._blocks = [slice(i, i + TOGETHER) for i in range(0, max(self.n, 1), TOGETHER)]
        places = Counter(m for index in self._index for m in index.tolist())
        self._shared = {
            m: [(j, index.tolist().index(m)) for j, index in enumerate(self._index) if m in index]
            for m, count in places.items()
            if count > 1
        }
        box = arranged.given.box
        with np.errstate(divide="ignore", invalid="ignore"):
            self.lower, self.upper = (
                np.where(self.log_coordinates, np.clip(np.log(end), -MOST_LOG, MOST_LOG), end)
                for end in (box.lower, box.upper)
            )

    def _meet(self, i: int, j: int) -> bool:
        """Whether two terms have parameters, and points in common."""
        here, there = self._arranged.present[i], self._arranged.present[j]
        apart = here is not None and there is not None and not (here & there).any()
        return bool(len(self._index[i]) and len(self._index[j])) and not apart

    def pinned(self, k: int) -> PowerSum:
        if k not in self._arranged.centred:
            return self
        return PowerSum(replace(self._arranged, uncentred=frozenset({k})), self._logarithmic)

    # -- between coordinates and parameters ------------------------------------------------------
    def _shifts(self, x: np.ndarray) -> np.ndarray:
        """log c_j - u_j of every coefficient: sum_k a_k zbar_k."""
        at = self._coefficient
        return x @ self._shift[at].T + self._fixed_shift[at]

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
    def _terms(self, theta: np.ndarray, rows: slice = slice(None)) -> tuple[list[np.ndarray], np.ndarray]:
        """Each term, and the whole model, shape (B, n), of some points."""
        terms = []
        for index, form, base in zip(self._index, self._forms, self._base, strict=True):
            log = theta[:, index] @ form[rows].T
            terms.append(np.exp(np.clip(log if base is None else log + base[rows], -FAR, FAR)))
        model = terms[0].copy() if len(terms) == 1 else sum(terms[1:], terms[0])
        if self._one_offset:
            model += theta[:, self._offset]
        elif self._one_hot is not None:
            model += theta[:, self._offset] @ self._one_hot[rows].T
        if self._fixed_offset is not None:
            model = model + self._fixed_offset[rows]
        return terms, np.maximum(model, FLOOR) if self._logarithmic else model

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
        blocks = [self._of_block(theta, pointwise, rows) for rows in self._blocks]
        value, gradient, hessian, scale = (reduce(np.add, parts) for parts in zip(*blocks, strict=True))
        return value, gradient, hessian, np.sqrt(scale)

    def _of_block(self, theta: np.ndarray, pointwise: Pointwise, rows: slice) -> Assembled:
        """What some points add to value, gradient, Hessian and the squares of the scales."""
        terms, model = self._terms(theta, rows)
        rho, d1, d2, d2_major = pointwise(model, rows)
        batch, forms = len(theta), [form[rows] for form in self._forms]
        gradient = np.zeros((batch, self.p))
        hessian = np.zeros((batch, self.p, self.p))
        scale = np.zeros((batch, self.p))
        d1_terms, d2_terms = [d1 * term for term in terms], [d2 * term for term in terms]
        for (i, j), product in self._products.items():
            pair = d2_terms[i] * terms[j]
            if i == j:
                pair += d1_terms[i]
            here, there = self._index[i], self._index[j]
            block = (pair @ product[rows]).reshape(batch, len(here), len(there))
            hessian[:, here[:, None], there] += block
            if i != j:
                hessian[:, there[:, None], here] += block.swapaxes(1, 2)
        for j, (index, form) in enumerate(zip(self._index, forms, strict=True)):
            gradient[:, index] += d1_terms[j] @ form
            scale[:, index] += (d2_major * terms[j] ** 2) @ self._form_squares[j][rows]
        for m, places in self._shared.items():  # the slopes of several terms add up
            slope = sum(terms[j] * forms[j][:, column] for j, column in places)
            scale[:, m] = (d2_major * slope**2).sum(axis=1)
        if self._one_hot is not None and self._squares is not None:  # f is linear in the offsets
            at, squares = np.array(self._offset), self._squares[rows]
            gradient[:, at], scale[:, at] = d1 @ self._one_hot[rows], d2_major @ squares
            hessian[:, at, at] = d2 @ squares
            self._cross_offsets(hessian, d2_terms, forms, self._one_hot[rows])
        return rho.sum(axis=1), gradient, hessian, scale

    def _cross_offsets(
        self, hessian: np.ndarray, d2_terms: list[np.ndarray], forms: list[np.ndarray], one_hot: np.ndarray
    ) -> None:
        """The blocks between the offsets and the terms' own parameters, in place."""
        at = np.array(self._offset)
        for term, index, form in zip(d2_terms, self._index, forms, strict=True):
            for position, parameter in enumerate(index if not self._one_offset else ()):
                block = (term * form[:, position]) @ one_hot  # (B, G)
                hessian[:, parameter, at] += block
                hessian[:, at, parameter] += block
            if self._one_offset:
                block = term @ form  # the same where it is 1 everywhere, (B, parameters)
                hessian[:, index, at] += block
                hessian[:, at, index] += block

    # -- starts -----------------------------------------------------------------------------------
    def starts(self, count: int, rng: np.random.Generator, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Starts from random exponents, log-uniform from 0.03 to 3, after variable projection; for every fourth,
        the best of a few wider ones (0.003 to 10) with their coefficients, as they are: projection may lead all
        of the others to one place."""
        surveyed = count // 4
        at = self._exponent
        exponents = np.exp(rng.uniform(np.log(0.03), np.log(3.0), (count - surveyed, len(at))))
        exponents = np.clip(exponents, self.lower[at], self.upper[at])
        found = self._projected(exponents, losses, root)
        if not surveyed:
            return found
        wide = np.exp(rng.uniform(np.log(0.003), np.log(10.0), (surveyed * SURVEY, len(at))))
        if self._basis.link is not None:  # fewer exponents than powers seldom lead to a bound: it is looked at
            wide[::SURVEY] = self.upper[at]
        wide = np.clip(wide, self.lower[at], self.upper[at])
        few = slice(None, None, 1 + self.n // SURVEYED_POINTS)
        eliminated = eliminate(self._basis.at(few), wide, root[few], (losses * root)[few])
        squares, theta = eliminated.squares, self._coordinates(wide, eliminated.coefficients)
        best = np.argmin(squares.reshape(surveyed, SURVEY), axis=1) + SURVEY * np.arange(surveyed)
        return np.concatenate([found, theta[best]])

    def improve(self, theta: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Given starts after variable projection from their exponents."""
        at = self._exponent
        exponents = np.clip(np.clip(theta[:, at], 0.01, 5.0), self.lower[at], self.upper[at])
        return self._projected(exponents, losses, root)

    def _projected(self, exponents: np.ndarray, losses: np.ndarray, root: np.ndarray) -> np.ndarray:
        return self._coordinates(*project(self._basis, exponents, losses, root))

    @property
    def _basis(self) -> Basis:
        rows = tuple(map(tuple, self._arranged.layout.rows))
        return Basis(self._arranged.z, rows, self._one_hot, self._arranged.link(), self._arranged.layout.signed)

    def _coordinates(self, a: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
        """Coordinates; a coefficient that was eliminated to 0 is revived at a thousandth of the largest."""
        floor = 1e-3 * coefficient.max(axis=1, keepdims=True, initial=0.0) + FLOOR
        J = len(self._coefficient)
        theta = np.empty((len(a), self.p))
        theta[:, self._coefficient] = np.log(np.maximum(coefficient[:, :J], floor))
        theta[:, self._exponent] = a
        theta[:, self._offset] = coefficient[:, J:]
        return np.clip(theta, self.lower, self.upper)
