"""What a run costs: FLOP unless told otherwise, by an expression over the columns of a law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.expression import evaluate
from superlaw.laws.law import Law, Points
from superlaw.laws.separate import SeparateLaw

SHAPE = ("width", "depth", "tokens")  # of 72 m^2 l D, as in optimum


@dataclass(frozen=True)
class Cost:
    """The cost of a run with given sizes.

    Parameters
    ----------
    law : Law
    expression : str
        Over the law's columns of sizes, such as ``"6 * N * D"``.
    """

    law: Law
    expression: str

    def of(self, points: Points) -> np.ndarray:
        """The cost at each point, shape (n,).

        Raises
        ------
        InputError
            Where it is no number above 0.
        """
        found = np.asarray(evaluate(self.expression, dict(zip(self.law.sizes, points.sizes, strict=True))))
        if found.dtype.kind != "f":
            raise InputError(f"the cost {self.expression!r}", "a number for every run", "like '6 * N * D'")
        found = np.broadcast_to(found, (points.n,))
        bad = ~(np.isfinite(found) & (found > 0))
        if bad.any():
            at = int(bad.argmax())
            sizes = ", ".join(f"{c} = {x:.4g}" for c, x in zip(self.law.sizes, points.sizes[:, at], strict=True))
            raise InputError(f"a cost of {found[at]:g} by {self.expression!r} at {sizes}", "a number above 0")
        return found

    def __str__(self) -> str:
        return self.expression.replace("`", "")


def cost_of(law: Law, expression: str | None = None) -> Cost:
    """The cost that is named, or the law's own: 6 N D, or 72 m^2 l D of a law of width, depth and tokens.

    Raises
    ------
    InputError
        Where the law has none of its own.

    Examples
    --------
    >>> from superlaw import Chinchilla
    >>> cost = cost_of(Chinchilla("params", "tokens"))
    >>> print(cost, cost.of(Points(np.array([[1e9], [2e10]]), np.zeros(1, int))))
    6 * params * tokens [1.2e+20]
    """
    if expression is not None:
        return Cost(law, expression)
    compute = law.inner.compute if isinstance(law, SeparateLaw) else law.compute
    if compute:
        n, d = compute
        return Cost(law, f"6 * `{n}` * `{d}`")
    if set(SHAPE) <= set(law.sizes):
        return Cost(law, "72 * width**2 * depth * tokens")
    sizes = list(law.sizes)
    like = " * ".join(["6", *sizes[:2]]) if len(sizes) > 1 else sizes[0]
    raise InputError(
        f"no cost of a run for the law {law.title}", "an expression over its columns", f"--cost '{like}', say"
    )
