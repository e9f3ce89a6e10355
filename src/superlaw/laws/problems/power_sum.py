"""Sums of power terms with offsets: the model, its derivatives and its starts, in batches.

    f_i = sum_j c_j prod_k x_ik^-a_k  +  L_g(i)

with every exponent k in one term j and every point i in one group g. In the coordinates
u_j = log c_j - sum_k a_k zbar_k in place of every c_j, with z = log x centred at zbar,
every term is exp(u_j - sum_k a_k (z_ik - zbar_k)): the exponential of a linear form whose gradient and
Hessian need only the constant products of its columns, so that a batch of problems (starts,
bootstrap replicates, simulated sets) costs a few matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise

import numpy as np

from superlaw.laws.problems.model import FLOOR, LARGEST_EXPONENT, Assembled, Pointwise
from superlaw.laws.problems.projection import Basis, eliminate, project

SURVEY = 16  # exponents of which a surveyed start is the best,
SURVEYED_POINTS = 4000  # by about so many points


@dataclass(frozen=True)
class Layout:
    """Where a sum's parameters stand in the law's order.

    ``coefficients`` of each term; ``exponents`` of each term, one for each of its columns; ``offsets`` of each
    group, one for all, or none.
    """

    coefficients: tuple[int, ...]
    exponents: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]


class PowerSum:
    """One sum of power terms over given points: a :class:`~superlaw.laws.problems.model.Model`.

    Parameters
    ----------
    logs : ndarray, shape (K, n)
        log x for every exponent, term by term.
    layout : Layout
    group : ndarray of int, shape (n,)
        The group of each point, some of which may have none; 0 everywhere for one offset.
    free_sign : bool
        Allow negative exponents.
    uncentred : int, optional
        A parameter that, if a coefficient, is a coordinate itself, as log c: its columns are not centred.
    """

    exact = True

    def __init__(
        self, logs: np.ndarray, layout: Layout, group: np.ndarray, free_sign: bool = False, uncentred: int | None = None
    ):
        self._made_from = (logs, layout, group, free_sign)
        self.n = logs.shape[1]
        counts = np.cumsum([0, *(len(exponents) for exponents in layout.exponents)])
        self._rows = [list(range(low, high)) for low, high in pairwise(counts)]
        self._coefficient = list(layout.coefficients)
        self._exponent = [k for exponents in layout.exponents for k in exponents]
        self._offset = list(layout.offsets)
        self.p = len(self._coefficient) + len(self._exponent) + len(self._offset)
        self.log_coordinates = np.isin(np.arange(self.p), self._coefficient)
        self.centre = logs.mean(axis=1)
        if uncentred in layout.coefficients:
            self.centre[self._rows[layout.coefficients.index(uncentred)]] = 0.0
        self.z = logs - self.centre[:, None]
        # The parameters of term j, and the derivatives (n, 1 + K_j) of its logarithm by them.
        self._index = [np.array([c, *a]) for c, a in zip(layout.coefficients, layout.exponents, strict=True)]
        self._forms = [np.column_stack([np.ones(self.n), *(-self.z[k] for k in rows)]) for rows in self._rows]
        self._one_hot = (group[:, None] == np.arange(len(self._offset))).astype(float) if self._offset else None
        self._products = {
            (i, j): (self._forms[i][:, :, None] * self._forms[j][:, None, :]).reshape(self.n, -1)
            for i, j in combinations_with_replacement(range(len(self._rows)), 2)
        }
        self.lower, self.upper = np.full(self.p, -700.0), np.full(self.p, 700.0)
        self.lower[self._exponent], self.upper[self._exponent] = 0.0 - LARGEST_EXPONENT * free_sign, LARGEST_EXPONENT
        self.lower[self._offset], self.upper[self._offset] = 0.0, np.inf

    def pinned(self, k: int) -> PowerSum:
        return PowerSum(*self._made_from, uncentred=k) if k in self._coefficient else self

    # -- between coordinates and parameters ------------------------------------------------------
    def _shift(self, x: np.ndarray, j: int) -> np.ndarray:
        """log c_j - u_j: sum_k a_k zbar_k."""
        return sum((x[..., self._exponent[k]] * self.centre[k] for k in self._rows[j]), np.zeros(x.shape[:-1]))

    def values(self, theta: np.ndarray) -> np.ndarray:
        out = theta.copy()
        for j, c in enumerate(self._coefficient):
            out[..., c] = np.exp(theta[..., c] + self._shift(theta, j))
        return out

    def thetas(self, values: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`values`; a coefficient of 0 becomes the smallest allowed."""
        out = values.copy()
        for j, c in enumerate(self._coefficient):
            out[..., c] = np.log(np.maximum(values[..., c], FLOOR)) - self._shift(values, j)
        return np.clip(out, self.lower, self.upper)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        out = np.eye(self.p)
        values = self.values(theta)
        for c, rows in zip(self._coefficient, self._rows, strict=True):
            out[c, c] = values[c]
            for k in rows:
                out[c, self._exponent[k]] = values[c] * self.centre[k]
        return out

    # -- the model ------------------------------------------------------------------------------
    def _terms(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Each term, and the whole model, shape (B, n)."""
        terms = []
        for index, form in zip(self._index, self._forms, strict=True):
            terms.append(np.exp(np.clip(theta[:, index] @ form.T, -690, 690)))
        model = terms[0].copy() if len(terms) == 1 else sum(terms[1:], terms[0])
        if len(self._offset) == 1:
            model += theta[:, self._offset]
        elif self._one_hot is not None:
            model += theta[:, self._offset] @ self._one_hot.T
        return terms, np.maximum(model, FLOOR)

    def losses(self, theta: np.ndarray) -> np.ndarray:
        return self._terms(theta)[1]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        terms, _ = self._terms(theta[None])
        out = np.zeros((self.n, self.p))
        for term, index, form in zip(terms, self._index, self._forms, strict=True):
            out[:, index] += term[0][:, None] * form
        if self._one_hot is not None:
            out[:, self._offset] = self._one_hot
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
        if self._one_hot is not None:  # f is linear in the offsets
            at = np.array(self._offset)
            gradient[:, at], scale[:, at] = d1 @ self._one_hot, d2_major @ self._one_hot
            hessian[:, at, at] = d2 @ self._one_hot
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
        return Basis(self.z, tuple(map(tuple, self._rows)), self._one_hot)

    def _coordinates(self, a: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
        """Coordinates; a coefficient that was eliminated to 0 is revived at a thousandth of the largest."""
        floor = 1e-3 * coefficient.max(axis=1, keepdims=True) + FLOOR
        J = len(self._coefficient)
        theta = np.empty((len(a), self.p))
        theta[:, self._coefficient] = np.log(np.maximum(coefficient[:, :J], floor))
        theta[:, self._exponent] = a
        theta[:, self._offset] = coefficient[:, J:]
        return np.clip(theta, self.lower, self.upper)
