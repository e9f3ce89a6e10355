"""Laws of issue "what is known" among the random problems: their truth, and the law anew for SciPy.

Each is written from its documented formula, in coordinates of its own (terms at the middle of the data).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import superlaw
from superlaw.laws.known import Known
from superlaw.laws.separate import SeparateLaw

FIXED, FACTOR = 0.5, 1.2  # an offset that is fixed, and a tie of two exponents
Values = dict[str, float]


class Further:
    """One law: how many parameters it has, its law and what is known, and the losses of coordinates u."""

    params: int

    def law(self) -> Any:
        raise NotImplementedError

    def known(self) -> Known | None:
        return None

    def box(self, table: dict[str, np.ndarray]) -> tuple[list[float], list[float]]:
        raise NotImplementedError

    def losses(self, table: dict[str, np.ndarray], u: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def coordinates(self, table: dict[str, np.ndarray], values: Values) -> np.ndarray:
        """u of superlaw's parameters."""
        raise NotImplementedError

    def scatter(self, table: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError


def middle(table: dict[str, np.ndarray], name: str) -> float:
    return float(np.log(table[name]).mean())


def power(log_term: float, exponent: float, z: np.ndarray) -> np.ndarray:
    """exp(log_term - exponent z), z the log of a size from the middle."""
    return np.exp(np.minimum(log_term - exponent * z, 300))


class TwoPowers(Further):
    """E + A / x^a + B / y^b with b = a / factor, or E fixed: Chinchilla with something known."""

    def __init__(self, factor: float | None = None, fixed: bool = False, coupled: bool = False):
        self.factor, self.fixed, self.coupled = factor, fixed, coupled
        self.params = 5 - (factor is not None) - fixed

    def law(self):
        return superlaw.CoupledLaw("x", "y") if self.coupled else superlaw.Chinchilla("x", "y")

    def known(self):
        if self.coupled:
            return None
        return Known(fixed={"E": FIXED} if self.fixed else {},
                     tied={} if self.factor is None else {"alpha": ("beta", self.factor)})  # fmt: skip

    def _split(self, u):
        log_a, log_b, b, *rest = u
        a = b * self.factor if self.factor is not None else rest.pop()
        return log_a, log_b, a, b, FIXED if self.fixed else rest.pop()

    def box(self, table):
        most = 20.0 if self.factor is None else 20.0 / max(self.factor, 1.0)
        lower, upper = [-60.0, -60.0, 0.0], [60.0, 60.0, most]
        if not self.fixed:
            lower, upper = [*lower, 0.0], [*upper, np.inf]
        if self.factor is None:
            lower, upper = [*lower, 0.0], [*upper, 20.0]
        return lower, upper

    def losses(self, table, u):
        log_a, log_b, a, b, E = self._split(u)
        z = {name: np.log(table[name]) - middle(table, name) for name in "xy"}
        return E + power(log_a, a, z["x"]) + power(log_b, b, z["y"])

    def coordinates(self, table, values):
        a, b = values["alpha"], values["alpha" if self.coupled else "beta"]
        log_a, log_b = (np.log(max(values[k], 1e-300)) for k in "AB")
        u = [log_a - a * middle(table, "x"), log_b - b * middle(table, "y"), b]
        return np.array([*u, *([] if self.fixed else [values["E"]]), *([a] if self.factor is None else [])])

    def scatter(self, table, rng):
        share = rng.dirichlet(np.ones(3)) * np.median(table["loss"])
        a, b = np.exp(rng.uniform(np.log(0.003), np.log(8), 2))
        u = [np.log(share[0]), np.log(share[1]), b]
        return np.array([*u, *([] if self.fixed else [share[2]]), *([a] if self.factor is None else [])])


class Repeats(Further):
    """The data-constrained law of N = x, D = y, U = z."""

    params = 7

    def law(self):
        return superlaw.DataConstrained("x", "y", "z")

    def box(self, table):
        low, high = np.log(1e-4), np.log(20.0)
        half = np.log(1e-3), np.log(1e6)
        return [0.0, -60.0, low, -60.0, low, half[0], half[0]], [np.inf, 60.0, high, 60.0, high, half[1], half[1]]

    def losses(self, table, u):
        E, log_a, log_alpha, log_b, log_beta, log_rn, log_rd = u
        alpha, beta, r_n, r_d = np.exp([log_alpha, log_beta, log_rn, log_rd])
        log_A, log_B = log_a + alpha * middle(table, "x"), log_b + beta * middle(table, "y")
        N, D = table["x"], table["y"]
        U = np.minimum(table["z"], D)
        log_g = (np.log(alpha) + log_A - np.log(beta) - log_B) / (alpha + beta)
        log_n_u = np.minimum(np.log(N), log_g + beta / alpha * (np.log(U) + log_g))
        more_n = np.expm1(np.clip(np.log(N) - log_n_u, 0, 600))
        n = log_n_u + np.log1p(r_n * -np.expm1(-more_n / r_n))
        d = np.log(U) + np.log1p(r_d * -np.expm1(-(D / U - 1) / r_d))
        return E + np.exp(np.minimum(log_A - alpha * n, 300)) + np.exp(np.minimum(log_B - beta * d, 300))

    def coordinates(self, table, values):
        E, A, alpha, B, beta, r_n, r_d = values.values()
        log_a, log_b = np.log(A) - alpha * middle(table, "x"), np.log(B) - beta * middle(table, "y")
        return np.array([E, log_a, np.log(alpha), log_b, np.log(beta), np.log(r_n), np.log(r_d)])

    def scatter(self, table, rng):
        share = rng.dirichlet(np.ones(3)) * np.median(table["loss"])
        a, b = rng.uniform(np.log(0.02), np.log(3), 2)
        return np.array([share[2], np.log(share[0]), a, np.log(share[1]), b, *rng.uniform(-1, 4, 2)])


class Along(Further):
    """c / x^a + k y + L_0, y the rate."""

    params = 4

    def law(self):
        return superlaw.AlongRunLaw("y", ["x"])

    def box(self, table):
        return [-60.0, 0.0, 0.0, 0.0], [60.0, 20.0, np.inf, np.inf]

    def losses(self, table, u):
        log_c, a, k, offset = u
        z = np.log(table["x"]) - middle(table, "x")
        return power(log_c, a, z) + k * table["y"] / table["y"].max() + offset

    def coordinates(self, table, values):
        c, a, k, offset = values.values()
        return np.array([np.log(c) - a * middle(table, "x"), a, k * table["y"].max(), offset])

    def scatter(self, table, rng):
        share = rng.dirichlet(np.ones(3)) * np.median(table["loss"])
        return np.array([np.log(share[0]), np.exp(rng.uniform(np.log(0.003), np.log(8))), share[1], share[2]])


class Recipes(Further):
    """E + A[g] / x^a[g] + B / y^b of three groups."""

    params = 9

    def law(self):
        return SeparateLaw(superlaw.Chinchilla("x", "y"), "group", ["A", "alpha"])

    def box(self, table):
        return [0.0, *[-60.0] * 3, *[0.0] * 3, -60.0, 0.0], [np.inf, *[60.0] * 3, *[20.0] * 3, 60.0, 20.0]

    def losses(self, table, u):
        g = np.searchsorted(["a", "b", "c"], table["group"])
        z = {name: np.log(table[name]) - middle(table, name) for name in "xy"}
        return u[0] + np.exp(np.minimum(u[1:4][g] - u[4:7][g] * z["x"], 300)) + power(u[7], u[8], z["y"])

    def coordinates(self, table, values):
        a = np.array([values[f"alpha[{g}]"] for g in "abc"])
        A = np.log([max(values[f"A[{g}]"], 1e-300) for g in "abc"]) - a * middle(table, "x")
        b = values["beta"]
        return np.array([values["E"], *A, *a, np.log(max(values["B"], 1e-300)) - b * middle(table, "y"), b])

    def scatter(self, table, rng):
        share = rng.dirichlet(np.ones(3)) * np.median(table["loss"])
        a = np.exp(rng.uniform(np.log(0.003), np.log(8), 4))
        return np.array([share[2], *[np.log(share[0])] * 3, *a[:3], np.log(share[1]), a[3]])


FURTHER: dict[str, Further] = {
    "coupled": TwoPowers(1.0, coupled=True),
    "chinchilla, exponents tied": TwoPowers(FACTOR),
    "chinchilla, E fixed": TwoPowers(fixed=True),
    "data_constrained": Repeats(),
    "along_run": Along(),
    "two recipes": Recipes(),
}
