"""Chinchilla's law where data repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import LARGEST_EXPONENT, Box

FAR = 300.0  # a log of surplus parameters beyond which there are no numbers
MOST_REPEATS = 1e6  # of the half-lives: beyond it no repetition is worth less than new data


@dataclass(frozen=True)
class DataConstrained(FormulaLaw):
    """L = E + A / N'^alpha + B / D'^beta with repeated tokens and surplus parameters worth less [Muennighoff, eq. 5].

    D' = U + U R_D* (1 - exp(-R/R_D*)), U unique tokens seen 1 + R = D/U times. N' likewise: N_U = min(N, the N of
    lowest loss for U tokens at equal compute, G (G U)^(beta/alpha) with G = (alpha A / (beta B))^(1/(alpha + beta))),
    R = N/N_U - 1, and R_N*.

    Parameters
    ----------
    params, tokens, unique : str
        Columns of N, of D (all tokens seen), and of U (different ones among them).

    Parameters of the fit: ``E``, ``A``, ``alpha``, ``B``, ``beta``, ``R_N``, ``R_D``.
    """

    params: str = "N"
    tokens: str = "D"
    unique: str = "U"
    name = "data_constrained"
    parts = (Part("params", "--params"), Part("tokens", "--tokens"), Part("unique"))

    def __post_init__(self):
        if len(set(self.sizes)) < 3:
            raise InputError(f"the columns {', '.join(self.sizes)}", "three columns")

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["E", "A", "alpha", "B", "beta", "R_N", "R_D"]

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("alpha", "beta")

    @property
    def common_offset(self) -> str | None:
        return "E"

    @property
    def formula(self) -> str:
        return (
            "L = E + A / N'^alpha + B / D'^beta, D' = U (1 + R_D (1 - exp(-(D/U - 1)/R_D))), N' likewise; "
            f"N = {self.params!r}, D = {self.tokens!r}, U = {self.unique!r}"
        )

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        e, a, alpha, b, beta, r_n, r_d = params
        log_n, log_d, log_u = np.log(points.sizes)
        log_u = np.minimum(log_u, log_d)  # no more different tokens than tokens
        log_a, log_b = np.log(a), np.log(b)
        log_g = (log_a - log_b + np.log(alpha) - np.log(beta)) / (alpha + beta)
        surplus = np.maximum(log_n - (log_g + (log_g + log_u) * beta / alpha), 0.0)
        worth_n = log_n - surplus + np.log1p(r_n * -np.expm1(-(np.expm1(np.minimum(surplus, FAR)) / r_n)))
        worth_d = log_u + np.log1p(r_d * -np.expm1(-(np.expm1(log_d - log_u) / r_d)))
        return np.exp(log_a - alpha * worth_n) + np.exp(log_b - beta * worth_d) + e

    def box(self, points: Points) -> Box:
        positive = np.array([False, True, True, True, True, True, True])
        lower = np.array([0.0, 1e-150, 1e-4, 1e-150, 1e-4, 1e-3, 1e-3])
        upper = np.array([np.inf, 1e150, LARGEST_EXPONENT, 1e150, LARGEST_EXPONENT, MOST_REPEATS, MOST_REPEATS])
        return Box(positive, lower, upper)

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Those of Chinchilla's law in N and the D that random half-lives make of the repeats, a third without end."""
        n, d, u = points.sizes
        lives = np.exp(rng.uniform(np.log(0.05), np.log(1e3), (count, 2)))
        out = []
        for r_n, r_d in np.where(rng.random((count, 2)) < 1 / 3, MOST_REPEATS / 2, lives):
            worth = np.minimum(u, d) * (1 + r_d * -np.expm1(-np.maximum(d / u - 1, 0) / r_d))
            model = Chinchilla().model(Points(np.stack([n, worth]), points.group))
            out.append([*model.values(model.starts(1, rng, losses, 1 / losses))[0], r_n, r_d])
        return np.array(out)
