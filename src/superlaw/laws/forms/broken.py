"""A power law with one break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import FLOOR, LARGEST_EXPONENT, Box

SURVEY = 16  # random breaks of which a start is the best


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
        """Each the best of ``SURVEY`` random exponents and breaks within the data; given them, the law is linear
        in C and L_0."""
        z, shape = np.log(points.sizes[0]), (count * SURVEY, 1)
        a_1, a_2 = np.exp(rng.uniform(np.log(0.02), np.log(3.0), (2, *shape)))
        z_b, s = rng.uniform(z.min(), z.max(), shape), np.exp(rng.uniform(np.log(0.02), np.log(1.5), shape))
        power = np.exp(-a_1 * (z - z_b) - (a_2 - a_1) * s * np.logaddexp(0.0, (z - z_b) / s)) / losses
        c, offset, squares = _coefficients(power, np.ones_like(z) / losses * self.offset)
        best = np.argmin(squares.reshape(count, SURVEY), axis=1) + SURVEY * np.arange(count)
        log_c = np.log(np.maximum(c, 1e-3 * losses.min())) + a_1[:, 0] * z_b[:, 0]
        columns = [np.exp(log_c), a_1[:, 0], a_2[:, 0], np.exp(z_b[:, 0]), s[:, 0], offset]
        return np.stack(columns[: 5 + self.offset], axis=1)[best]


def _coefficients(power: np.ndarray, one: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """c, l >= 0 that bring c power (B, n) + l one (n,) nearest to 1, and the squares left; shape (B,) each."""
    pp, po, oo = (power**2).sum(1), power @ one, float(one @ one)
    p1, o1, n = power.sum(1), float(one.sum()), power.shape[1]
    determinant = np.maximum(pp * oo - po**2, 1e-12 * pp * oo + FLOOR)
    both = np.stack([p1 * oo - o1 * po, o1 * pp - p1 * po]) / determinant
    alone = np.stack([p1 / np.maximum(pp, FLOOR), np.zeros_like(pp)])
    flat = np.stack([np.zeros_like(pp), np.full_like(pp, o1 / max(oo, FLOOR))])
    c, offset = np.where((both >= 0).all(axis=0), both, np.where(both[1] < 0, alone, flat))
    left = n - 2 * (c * p1 + offset * o1) + c**2 * pp + 2 * c * offset * po + offset**2 * oo
    return c, offset, left
