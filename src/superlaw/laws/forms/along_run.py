"""The loss along a run, while its learning rate changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import Box


@dataclass(frozen=True)
class AlongRunLaw(FormulaLaw):
    """L = sum_k c_k / x_k^a_k + k rate + L_0: the loss at some tokens seen, of a run under way.

    What the learning rate of the moment keeps the loss above is proportional to it: L - k rate is the loss if it were
    annealed there. (A law in the area under the schedule and the area annealed [Annealing] follows one run no better;
    its memory of how the rate fell is left out here.) Checkpoints of one run are not independent: ``--cluster``.

    Parameters
    ----------
    rate : str
        Column of the learning rate at the moment, in any unit, 0 or more.
    terms : sequence of str
        Columns of sizes: tokens seen so far, and parameters where runs of several sizes are fitted.

    Parameters of the fit: ``c_<column>``, ``a_<column>`` for every term, ``k`` (loss per rate), ``L_0``.
    """

    rate: str
    terms: Sequence[str]
    name = "along_run"
    parts = (Part("rate"), Part("terms", several=True))

    def __post_init__(self):
        terms = (self.terms,) if isinstance(self.terms, str) else tuple(self.terms)
        object.__setattr__(self, "terms", terms)
        if self.rate in self._sum.sizes or any("*" in term for term in terms):
            raise InputError(f"the columns {', '.join(self.sizes)}", "each column once, and no products")

    @property
    def _sum(self) -> AdditiveLaw:
        return AdditiveLaw(self.terms)

    def positive_size(self, column: str) -> bool:
        return column != self.rate

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        *terms, offset = self._sum.names()
        return [*terms, "k", offset]

    @property
    def exponents(self) -> tuple[str, ...]:
        return self._sum.exponents

    @property
    def common_offset(self) -> str | None:
        return "L_0"

    @property
    def formula(self) -> str:
        return self._sum.formula.removesuffix(" + L_0") + f" + k {self.rate} + L_0"

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        *terms, k, offset = params
        rate, *sizes = points.sizes
        total = k * rate + offset
        for j, x in enumerate(sizes):
            total = total + np.exp(np.log(terms[2 * j]) - terms[2 * j + 1] * np.log(x))
        return total

    def box(self, points: Points) -> Box:
        inner = self._sum.box(points)
        place = len(inner.positive) - 1
        positive, lower, upper = (
            np.insert(ends, place, end)
            for ends, end in ((inner.positive, False), (inner.lower, 0.0), (inner.upper, np.inf))
        )
        return Box(positive, np.where(positive, 1e-150, lower), np.where(positive, 1e150, upper))

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """Those of a sum of powers of what random shares of the loss, in proportion to the rate, leave."""
        rate, *sizes = points.sizes
        inner = Points(np.array(sizes), points.group)
        out = []
        for share in np.exp(rng.uniform(np.log(1e-3), np.log(0.5), count)):
            k = share * losses.min() / max(rate.max(), 1e-300)
            model = self._sum.model(inner)
            found = model.values(model.starts(1, rng, losses - k * rate, 1 / losses))[0]
            out.append([*found[:-1], k, found[-1]])
        return np.array(out)
