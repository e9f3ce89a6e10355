"""A power law with one break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.formula import Box
from superlaw.laws.problems.model import LARGEST_EXPONENT


@dataclass(frozen=True)
class BrokenPowerLaw(FormulaLaw):
    """L = L_0 + C x^-a_1 [1 + (x/x_b)^(1/s)]^(-(a_2 - a_1) s): exponent a_1 before x_b, a_2 beyond.

    One break of [Broken], equation 1; ``s`` is the width of the break in log x.

    Parameters
    ----------
    x : str
        Column of the size.
    offset : bool
        Whether there is an L_0.

    Parameters of the fit: ``C``, ``a_1``, ``a_2``, ``x_b``, ``s``, ``L_0``.
    """

    x: str
    offset: bool = True
    name = "broken"
    parts = (Part("x", "--x"),)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["C", "a_1", "a_2", "x_b", "s"] + ["L_0"] * self.offset

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("a_1", "a_2")

    @property
    def common_offset(self) -> str | None:
        return "L_0" if self.offset else None

    @property
    def formula(self) -> str:
        offset = " + L_0" if self.offset else ""
        return f"L = C x^-a_1 [1 + (x/x_b)^(1/s)]^(-(a_2 - a_1) s){offset}, x = {self.x!r}"

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        c, a_1, a_2, x_b, s, *offset = params
        z = np.log(points.sizes[0])
        soft = s * np.logaddexp(0.0, (z - np.log(x_b)) / s)
        return np.exp(np.log(c) - a_1 * z - (a_2 - a_1) * soft) + (offset[0] if offset else 0.0)

    def box(self, points: Points) -> Box:
        """A break outside the data, or sharper than any spacing, is no break that data can show."""
        x = points.sizes[0]
        keep = slice(0, 5 + self.offset)
        return Box(
            np.array([True, False, False, True, True, False][keep]),
            np.array([1e-150, 0, 0, x.min(), 1e-2, 0.0][keep]),
            np.array([1e150, LARGEST_EXPONENT, LARGEST_EXPONENT, x.max(), 10.0, np.inf][keep]),
        )

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Exponents and break at random; given them, the law is linear in C and L_0."""
        z = np.log(points.sizes[0])
        out = []
        for _ in range(count):
            a_1, a_2 = np.exp(rng.uniform(np.log(0.05), np.log(3.0), 2))
            z_b, s = rng.uniform(z.min(), z.max()), np.exp(rng.uniform(np.log(0.05), np.log(1.5)))
            shape = -a_1 * (z - z_b) - (a_2 - a_1) * s * np.logaddexp(0.0, (z - z_b) / s)
            basis = np.stack([np.exp(shape)] + [np.ones_like(z)] * self.offset, 1) / losses[:, None]
            c = optimize.nnls(basis, np.ones(len(z)))[0]
            log_c = np.log(max(c[0], 1e-3 * losses.min())) + a_1 * z_b
            out.append([np.exp(log_c), a_1, a_2, np.exp(z_b), s, *c[1:]])
        return np.array(out)
