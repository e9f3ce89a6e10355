"""Sums of power terms with offsets: the model, its derivatives and its variable projection, in batches.

    f_i = sum_j c_j prod_k x_ik^-a_k  +  L_g(i)

with every exponent k in one term j and every point i in one group g. In the coordinates
theta = (u_1..u_J, a_1..a_K, L_1..L_G), u_j = log c_j - sum_k a_k zbar_k with z = log x centred at zbar,
every term is exp(u_j - sum_k a_k (z_ik - zbar_k)): the exponential of a linear form whose gradient and
Hessian need only the constant products of its columns, so that a batch of problems (starts,
bootstrap replicates, simulated sets) costs a few matrix products.

Shapes: B problems, n points, p = J + K + G parameters.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from scipy import optimize

from superlaw.laws.objective import Objective

LARGEST_EXPONENT = 20.0  # no law of learning falls faster; a fit that ends here says so
FLOOR = 1e-300  # of a model's value, so that its logarithm exists


class PowerSum:
    """One sum of power terms over given points.

    Parameters
    ----------
    logs : ndarray, shape (K, n)
        log x for every exponent.
    terms : sequence of tuples of int
        The exponents of every term.
    group : ndarray of int, shape (n,), optional
        The group of each point; without it there is no offset.
    n_groups : int
        Number of groups, some of which may have no points here.
    free_sign : bool
        Allow negative exponents.
    uncentred : int, optional
        A term whose columns are not centred, so that its u is log c itself.
    """

    def __init__(
        self,
        logs: np.ndarray,
        terms: list[tuple[int, ...]],
        group: np.ndarray | None = None,
        n_groups: int = 1,
        free_sign: bool = False,
        uncentred: int | None = None,
    ):
        self._made_from = (logs, terms, group, n_groups, free_sign)
        self.n = logs.shape[1]
        self.terms = terms
        J, K = len(terms), len(logs)
        self.n_terms, self.n_exponents = J, K
        self.n_groups = 0 if group is None else n_groups
        self.p = J + K + self.n_groups
        self.log_coordinates = np.arange(self.p) < J
        self.centre = logs.mean(axis=1)
        if uncentred is not None:
            self.centre[list(terms[uncentred])] = 0.0
        self.z = logs - self.centre[:, None]
        self.group = group
        self._index = [np.array([j, *(J + k for k in term)]) for j, term in enumerate(terms)]
        ones = np.ones(self.n)
        # (n, 1 + K_j): derivative of the exponent of term j by its own parameters
        self._forms = [np.column_stack([ones, *(-self.z[k] for k in term)]) for term in terms]
        self._offset = slice(J + K, self.p)
        if group is not None:
            self._one_hot = (group[:, None] == np.arange(self.n_groups)).astype(float)
        self._products = {
            (i, j): (self._forms[i][:, :, None] * self._forms[j][:, None, :]).reshape(self.n, -1)
            for i, j in combinations_with_replacement(range(J), 2)
        }
        lowest = -LARGEST_EXPONENT if free_sign else 0.0
        self.lower = np.concatenate([np.full(J, -700.0), np.full(K, lowest), np.zeros(self.n_groups)])
        self.upper = np.concatenate([np.full(J, 700.0), np.full(K, LARGEST_EXPONENT), np.full(self.n_groups, np.inf)])

    def pinned(self, k: int) -> tuple[PowerSum, int]:
        """The same problem in coordinates one of which is parameter k itself (its log for a c)."""
        if k >= self.n_terms:
            return self, k
        return PowerSum(*self._made_from, uncentred=k), k

    # -- between coordinates and parameters (c.., a.., L..) --------------------------------------
    def values(self, theta: np.ndarray) -> np.ndarray:
        """Parameters of theta, shapes (..., p)."""
        out = theta.copy()
        for j, term in enumerate(self.terms):
            shift = sum(theta[..., self.n_terms + k] * self.centre[k] for k in term)
            out[..., j] = np.exp(theta[..., j] + shift)
        return out

    def thetas(self, values: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`values`; a coefficient of 0 becomes the smallest allowed."""
        out = values.copy()
        for j, term in enumerate(self.terms):
            shift = sum(values[..., self.n_terms + k] * self.centre[k] for k in term)
            out[..., j] = np.log(np.maximum(values[..., j], FLOOR)) - shift
        return np.clip(out, self.lower, self.upper)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """d values / d theta, shape (p, p), at one theta."""
        out = np.eye(self.p)
        values = self.values(theta)
        for j, term in enumerate(self.terms):
            out[j, j] = values[j]
            for k in term:
                out[j, self.n_terms + k] = values[j] * self.centre[k]
        return out

    # -- the model ------------------------------------------------------------------------------
    def _parts(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        parts = []
        for index, form in zip(self._index, self._forms, strict=True):
            parts.append(np.exp(np.clip(theta[:, index] @ form.T, -690, 690)))  # (B, n)
        model = parts[0].copy() if len(parts) == 1 else sum(parts[1:], parts[0])
        if self.n_groups == 1:
            model += theta[:, -1:]
        elif self.n_groups:
            model += theta[:, self._offset] @ self._one_hot.T
        return parts, np.maximum(model, FLOOR)

    def model(self, theta: np.ndarray) -> np.ndarray:
        """f, shape (B, n)."""
        return self._parts(theta)[1]

    def gradient_of_model(self, theta: np.ndarray) -> np.ndarray:
        """d f / d theta, shape (n, p), at one theta."""
        parts, _ = self._parts(theta[None])
        out = np.zeros((self.n, self.p))
        for part, index, form in zip(parts, self._index, self._forms, strict=True):
            out[:, index] += part[0][:, None] * form
        if self.n_groups:
            out[:, self._offset] = self._one_hot
        return out

    def assemble(
        self, theta: np.ndarray, target: np.ndarray, objective: Objective, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Value (B,), gradient (B, p), Hessian (B, p, p) and the scale of each coordinate (B, p).

        The scale is the root of the diagonal of the majoriser's Gauss-Newton matrix.
        """
        parts, model = self._parts(theta)
        rho, d1, d2, d2_major = objective.derivatives(model, target)
        if weights is not None:
            rho, d1, d2, d2_major = rho * weights, d1 * weights, d2 * weights, d2_major * weights
        batch = len(theta)
        gradient = np.zeros((batch, self.p))
        hessian = np.zeros((batch, self.p, self.p))
        scale = np.zeros((batch, self.p))
        d1_parts, d2_parts = [d1 * part for part in parts], [d2 * part for part in parts]
        for (i, j), product in self._products.items():
            pair = d2_parts[i] * parts[j]
            if i == j:
                pair += d1_parts[i]
            rows, columns = self._index[i], self._index[j]
            block = (pair @ product).reshape(batch, len(rows), len(columns))
            hessian[:, rows[:, None], columns] += block
            if i != j:
                hessian[:, columns[:, None], rows] += block.swapaxes(1, 2)
        for j, (index, form) in enumerate(zip(self._index, self._forms, strict=True)):
            gradient[:, index] += d1_parts[j] @ form
            scale[:, index] += (d2_major * parts[j] ** 2) @ form**2
        if self.n_groups:
            self._add_offsets(gradient, hessian, scale, d1, d2, d2_major, d2_parts)
        return rho.sum(axis=1), gradient, hessian, np.sqrt(scale)

    def _add_offsets(self, gradient, hessian, scale, d1, d2, d2_major, d2_parts) -> None:
        """The offsets' share, in place: f is linear in them."""
        at = np.arange(self.n_terms + self.n_exponents, self.p)
        gradient[:, at] = d1 @ self._one_hot
        scale[:, at] = d2_major @ self._one_hot
        hessian[:, at, at] = d2 @ self._one_hot
        for part, index, form in zip(d2_parts, self._index, self._forms, strict=True):
            for position, parameter in enumerate(index):
                block = (part * form[:, position]) @ self._one_hot  # (B, G)
                hessian[:, parameter, at] += block
                hessian[:, at, parameter] += block

    # -- variable projection --------------------------------------------------------------------
    def starts(
        self,
        count: int,
        rng: np.random.Generator,
        target: np.ndarray,
        objective: Objective,
        weights: np.ndarray | None,
    ) -> np.ndarray:
        """Starts from random exponents, log-uniform from 0.03 to 3, after variable projection."""
        exponents = np.exp(rng.uniform(np.log(0.03), np.log(3.0), (count, self.n_exponents)))
        return self.project(exponents, target, objective, weights)

    def improve(
        self, theta: np.ndarray, target: np.ndarray, objective: Objective, weights: np.ndarray | None
    ) -> np.ndarray:
        """A given start after variable projection from its exponents."""
        exponents = theta[:, self.n_terms : self.n_terms + self.n_exponents]
        return self.project(np.clip(exponents, 0.01, 5.0), target, objective, weights)

    def project(
        self,
        exponents: np.ndarray,
        target: np.ndarray,
        objective: Objective,
        weights: np.ndarray | None,
        steps: int = 12,
    ) -> np.ndarray:
        """theta near a local optimum, from exponents alone, shape (B, K) -> (B, p).

        Given the exponents the law is linear in its coefficients, so these are eliminated (Golub and
        Pereyra, 1973, with Kaufman's Jacobian) from the squares of f/L - 1, which agree with those of
        log f - log L to first order, or of f - L; coefficients stay at 0 or above.
        """
        losses = np.exp(target) if objective.logarithmic else target
        row = (1 / losses if objective.logarithmic else np.ones_like(losses)) * (
            1.0 if weights is None else np.sqrt(weights)
        )
        right = losses * row
        a = exponents.copy()
        batch, damping = len(a), np.full(len(a), 1e-2)
        best = self._eliminate(a, row, right)
        for _ in range(steps):
            step = self._exponent_step(best, damping)
            trial = np.clip(a + np.clip(step, -1.0, 1.0), 0.25 * a, np.maximum(4 * a, 0.05))
            trial = np.minimum(trial, LARGEST_EXPONENT / 2)
            new = self._eliminate(trial, row, right)
            better = new[0] < best[0]
            small = np.abs(trial - a).max(axis=1) < 1e-3 * a.max(axis=1)
            a[better] = trial[better]
            best = tuple(
                np.where(better.reshape(batch, *[1] * (x.ndim - 1)), x, y) for x, y in zip(new, best, strict=True)
            )
            damping = np.where(better, damping * 0.2, damping * 10)
            if (small | (damping > 1e6)).all():
                break
        return self._theta(a, best[1])

    def _eliminate(self, a: np.ndarray, row: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
        """Best coefficients >= 0 at given exponents: squares, coefficients, normal equations."""
        basis = [np.exp(np.clip(-(a[:, list(term)] @ self.z[list(term)]), -690, 690)) for term in self.terms]
        slopes = [  # d basis / d a_k, in the order of the exponents' terms
            -self.z[k] * basis[j] for j, term in enumerate(self.terms) for k in term
        ]
        batch = len(a)
        columns = [(b * row)[:, :, None] for b in basis]
        if self.n_groups:
            columns.append(np.broadcast_to((row[..., None] * self._one_hot), (batch, self.n, self.n_groups)))
        phi = np.concatenate(columns, axis=2)  # (B, n, J + G)
        norm = np.sqrt((phi**2).sum(axis=1)) + FLOOR
        phi = phi / norm[:, None, :]
        right = np.broadcast_to(right, (batch, self.n))
        gram = phi.swapaxes(1, 2) @ phi + 1e-13 * np.eye(phi.shape[2])
        moment = (phi.swapaxes(1, 2) @ right[:, :, None])[:, :, 0]
        c = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
        for b in np.flatnonzero((c < 0).any(axis=1)):
            root = np.linalg.cholesky(gram[b])  # the same squares, in J + G rows
            c[b] = optimize.nnls(root.T, np.linalg.solve(root, moment[b]))[0]
        residual = (phi @ c[:, :, None])[:, :, 0] - right
        coefficient = c / norm
        owner = [j for j, term in enumerate(self.terms) for _ in term]
        tangent = np.stack([s * row * coefficient[:, j, None] for s, j in zip(slopes, owner, strict=True)], 2)
        cross = phi.swapaxes(1, 2) @ tangent
        reduced = tangent.swapaxes(1, 2) @ tangent - cross.swapaxes(1, 2) @ np.linalg.solve(gram, cross)
        slope = (tangent.swapaxes(1, 2) @ residual[:, :, None])[:, :, 0]
        return (residual**2).sum(axis=1), coefficient, reduced, slope

    def _exponent_step(self, state: tuple[np.ndarray, ...], damping: np.ndarray) -> np.ndarray:
        _, _, reduced, slope = state
        diagonal = np.einsum("bkk->bk", reduced)
        shift = damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + FLOOR
        return -np.linalg.solve(reduced + shift[:, :, None] * np.eye(shift.shape[1]), slope[:, :, None])[:, :, 0]

    def _theta(self, a: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
        """Coordinates; a coefficient that was eliminated to 0 is revived at a thousandth of the largest."""
        order = np.argsort([k for term in self.terms for k in term], kind="stable")
        assert (order == np.arange(self.n_exponents)).all()  # exponents are numbered term by term
        J = self.n_terms
        floor = 1e-3 * coefficient.max(axis=1, keepdims=True) + FLOOR
        theta = np.concatenate([np.log(np.maximum(coefficient[:, :J], floor)), a, coefficient[:, J:]], axis=1)
        return np.clip(theta, self.lower, self.upper)
