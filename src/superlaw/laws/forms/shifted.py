"""A sum of power laws whose sizes are counted from elsewhere than 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import LARGEST_EXPONENT, Box

FURTHEST = 1e3  # of a shift, in units of the largest size: beyond it the term is a straight line


@dataclass(frozen=True)
class ShiftedLaw(FormulaLaw):
    """L = sum_k c_k / (x_k + s_k)^a_k + L_0: what is counted of a size and what acts may differ [Pearce].

    Parameters
    ----------
    terms : sequence of str
        Columns of sizes.
    offset : bool
        Whether there is an L_0.

    Parameters of the fit: ``c_<column>``, ``a_<column>``, ``s_<column>`` (above 0, in units of the size) for every
    term, ``L_0``.
    """

    terms: Sequence[str]
    offset: bool = True
    name = "shifted"
    parts = (Part("terms", "--term", several=True),)

    def __post_init__(self):
        terms = (self.terms,) if isinstance(self.terms, str) else tuple(self.terms)
        object.__setattr__(self, "terms", terms)
        if any("*" in term for term in terms):
            raise InputError(f"the terms {', '.join(terms)}", "columns", "make a product with --let")
        self._plain  # refuses what an additive law does  # noqa: B018

    @property
    def _plain(self) -> AdditiveLaw:
        return AdditiveLaw(self.terms, self.offset)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return [f"{letter}_{x}" for x in self.terms for letter in "cas"] + ["L_0"] * self.offset

    @property
    def exponents(self) -> tuple[str, ...]:
        return tuple(f"a_{x}" for x in self.terms)

    @property
    def common_offset(self) -> str | None:
        return "L_0" if self.offset else None

    @property
    def formula(self) -> str:
        return "L = " + " + ".join([f"c_{x} / ({x} + s_{x})^a_{x}" for x in self.terms] + ["L_0"] * self.offset)

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        total: Any = params[-1] if self.offset else 0.0
        for k, x in enumerate(points.sizes):
            c, a, s = params[3 * k : 3 * k + 3]
            # log(x + s), without overflow of x
            total = total + np.exp(np.log(c) - a * np.logaddexp(np.log(s), np.log(x)))
        return total

    def box(self, points: Points) -> Box:
        count = len(self.terms)
        positive = np.array([True, False, True] * count + [False] * self.offset)
        lower, upper = np.zeros(len(positive)), np.full(len(positive), np.inf)
        lower[0 : 3 * count : 3], upper[0 : 3 * count : 3] = 1e-150, 1e150
        upper[1 : 3 * count : 3] = LARGEST_EXPONENT
        lower[2 : 3 * count : 3] = points.sizes.min(axis=1) * 1e-9
        upper[2 : 3 * count : 3] = points.sizes.max(axis=1) * FURTHEST
        return Box(positive, lower, upper)

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Shifts log-uniform from a hundredth of the smallest size to the largest; the rest as of a sum of powers."""
        low, high = np.log(points.sizes.min(axis=1) / 100), np.log(points.sizes.max(axis=1))
        out = []
        for shift in np.exp(rng.uniform(low, high, (count, len(low)))):
            model = self._plain.model(Points(points.sizes + shift[:, None], points.group))
            found = model.values(model.starts(1, rng, losses, 1 / losses))[0]
            terms = [(found[2 * k], found[2 * k + 1], s) for k, s in enumerate(shift)]
            out.append([*(value for term in terms for value in term), *([found[-1]] if self.offset else [])])
        return np.array(out)
