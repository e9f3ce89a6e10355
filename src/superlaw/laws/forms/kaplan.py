"""Kaplan's law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import Box

FAR = 300.0  # logarithms whose numbers can still be squared


@dataclass(frozen=True)
class Kaplan(FormulaLaw):
    """L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D [Kaplan, equation 1.5].

    Parameters
    ----------
    params, tokens : str
        Columns of N (without embeddings) and D.

    Parameters of the fit: ``N_c`` (parameters), ``D_c`` (tokens), ``alpha_N``, ``alpha_D``.
    """

    params: str = "N"
    tokens: str = "D"
    name = "kaplan"
    parts = (Part("params", "--params"), Part("tokens", "--tokens"))

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["N_c", "D_c", "alpha_N", "alpha_D"]

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("alpha_N", "alpha_D")

    @property
    def compute(self) -> tuple[str, str] | None:
        return (self.params, self.tokens)

    @property
    def formula(self) -> str:
        return f"L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, N = {self.params!r}, D = {self.tokens!r}"

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        n_c, d_c, alpha_n, alpha_d = params
        log_n, log_d = np.log(points.sizes)
        inner = np.logaddexp(alpha_n / alpha_d * (np.log(n_c) - log_n), np.log(d_c) - log_d)
        return np.exp(alpha_d * inner)

    def box(self, points: Points) -> Box:
        lower, upper = np.array([1e-150, 1e-150, 1e-4, 1e-4]), np.array([1e150, 1e150, 20.0, 20.0])
        return Box(np.ones(4, bool), lower, upper)

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Exponents at random; given them, L^(1/alpha_D) is linear in N_c^ratio and D_c."""
        from scipy import optimize  # a tenth of a second, which reading this file need not take

        log_n, log_d = np.log(points.sizes)
        out = []
        for alpha_n, alpha_d in np.exp(rng.uniform(np.log(0.02), np.log(0.8), (count, 2))):
            ratio = alpha_n / alpha_d
            left = (np.log(losses) - np.log(losses).mean()) / alpha_d
            basis = np.stack([-ratio * (log_n - log_n.mean()) - left, log_d.mean() - log_d - left], 1)
            c = np.maximum(optimize.nnls(np.exp(np.clip(basis, -FAR, FAR)), np.ones(len(left)))[0], 1e-6)
            level = np.log(c) + np.log(losses).mean() / alpha_d
            out.append([level[0] / ratio + log_n.mean(), level[1] + log_d.mean(), alpha_n, alpha_d])
        found = np.array(out)
        found[:, :2] = np.exp(np.clip(found[:, :2], -600, 600))
        return found

    def falling(self, params: Sequence[np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The loss is least where the sum in its brackets is."""
        n_c, d_c, alpha_n, alpha_d = params
        ratio = alpha_n / alpha_d
        return {self.params: (ratio * np.log(n_c), ratio), self.tokens: (np.log(d_c), np.ones_like(ratio))}
