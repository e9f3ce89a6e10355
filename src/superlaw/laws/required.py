"""What a loss requires: a size with all others held, or the least compute, with the sizes that go with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.law import Points
from superlaw.laws.optimum import DRAWS, Triple, budget_of, extrapolations, loss_at_sizes, triple_of
from superlaw.laws.result import Fit

LARGEST_LOG = 160.0  # e^160 = 3e69


@dataclass(frozen=True)
class Requirement(Shown):
    """What a loss requires.

    Parameters
    ----------
    loss : float
    of : str
        The column that was solved for, or "flops".
    size : Triple
        Its value with an interval; an end is infinite where draws of the parameters never get there.
    sizes : dict of str to Triple
        With "flops": the best sizes at that compute.
    at : dict
        Sizes and groups that were held.
    level : float
    drawn_from : str
    warnings : tuple of str
        The fit's, and what the data do not reach.
    """

    loss: float
    of: str
    size: Triple
    sizes: dict[str, Triple]
    at: dict[str, Any]
    level: float
    drawn_from: str
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """A table of it: header and rows."""
        rows = [
            [name, *(in_short(x, name) for x in triple)] for name, triple in {self.of: self.size, **self.sizes}.items()
        ]
        return [f"for a loss of {self.loss:g}", "value", f"{self.level:.4g} low", "high"], rows

    def __str__(self) -> str:
        held = f" at {', '.join(f'{k} = {_short(v)}' for k, v in self.at.items())}" if self.at else ""
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        value, low, high = self.size
        lines.append(
            f"a loss of {self.loss:g} requires {self.of} = {in_short(value, self.of)} ({in_short(low, self.of)} to "
            f"{in_short(high, self.of)}, "
            f"{self.level:.4g} interval, {self.drawn_from}){held}"
        )
        return "\n".join([*lines, *(f"  {column}: {triple}" for column, triple in self.sizes.items())])

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite end is null."""
        return json_ready({
            "loss": self.loss, "of": self.of, **self.size.to_dict(), "level": self.level, "at": self.at,
            "sizes": {column: triple.to_dict() for column, triple in self.sizes.items()},
            "drawn_from": self.drawn_from, "warnings": self.warnings,
        })  # fmt: skip


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def requirement(
    fit: Fit,
    loss: float,
    of: str | None = None,
    at: Mapping[str, Any] | None = None,
    draws: int = DRAWS // 4,
    seed: int = 0,
) -> Requirement:
    """The size that reaches a loss, or the compute C = 6ND at the optimum with its N and D.

    Parameters
    ----------
    loss : float
    of : str, optional
        The size column to solve for; the law's only one by default. With ``"flops"`` (the default for
        Chinchilla and Kaplan) the smallest compute.
    at : dict of str to float, optional
        The other columns (and groups) held at these values.
    draws, seed : int
        Of the parameters' uncertainty.

    Raises
    ------
    InputError
        When the loss is no finite number, the fitted law itself never reaches it, or a column is missing.
    """
    law, at = fit.law, dict(at or {})
    if not isinstance(loss, Real) or not math.isfinite(loss):
        raise InputError(f"loss = {loss}", "a finite number")
    of = _solved_for(fit, of)
    drawn, source = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])
    level, known = fit.interval["level"], {}
    loss_of = along_frontier(fit, both) if of == "flops" else along_size(fit, both, of, at)
    solved = crossing(loss_of, float(loss), len(both))
    if not np.isfinite(solved[0]):
        raise InputError(
            f"loss = {loss:g}", f"a loss that the fitted law reaches with some {of} up to e^{LARGEST_LOG:.0f}"
        )
    if of == "flops":
        budget = budget_of(law, 1.0, None, ("", "", ""))
        with np.errstate(invalid="ignore"):
            log_x, _ = budget.best(law, both, solved)
        sizes = np.exp(np.clip(log_x, -700, 700))
        sizes = np.where(np.isfinite(solved)[:, None], sizes, np.where(solved > 0, np.inf, 0.0)[:, None])
        known = {column: triple_of(sizes[:, k], level) for k, column in enumerate(budget.columns)}
    named = {of: float(np.exp(solved[0]))} if of in law.sizes else {c: t.value for c, t in known.items()}
    held = {column: float(value) for column, value in at.items() if column in law.sizes}
    warnings = [*fit.warnings, *extrapolations(fit, named | held)]
    return Requirement(float(loss), of, triple_of(np.exp(solved), level), known, at, level, source, tuple(warnings))


def _solved_for(fit: Fit, of: str | None) -> str:
    law = fit.law
    if of is None:
        of = "flops" if law.compute else law.sizes[0] if len(law.sizes) == 1 else None
    if of is None or (of != "flops" and of not in law.sizes):
        raise InputError(f"of = {of!r}", f"one of {', '.join(law.sizes)}, or flops for Chinchilla and Kaplan")
    if of == "flops" and not law.compute:
        raise InputError(f"flops for the law {law.name}", "Chinchilla or Kaplan")
    return of


def required_size(
    fit: Fit,
    loss: float,
    of: str | None = None,
    at: Mapping[str, Any] | None = None,
    draws: int = DRAWS // 4,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The value of :func:`requirement`, with the ends of its interval: what a loss requires.

    Raises
    ------
    InputError
        When the loss is no finite number, the fitted law itself never reaches it, or a column is missing.
    """
    return requirement(fit, loss, of, at, draws, seed).size


def along_frontier(fit: Fit, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The loss of each row of parameters at the best sizes for its own log compute, (B,)."""
    budget = budget_of(fit.law, 1.0, None, ("", "", ""))

    def loss_of(log_flops: np.ndarray) -> np.ndarray:
        log_x, _ = budget.best(fit.law, values, log_flops)
        return loss_at_sizes(fit, values, budget.columns, np.exp(np.clip(log_x, -700, 700)))

    return loss_of


def along_size(fit: Fit, values: np.ndarray, of: str, at: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """The loss of each row of parameters at its own log size, (B,), all others held."""
    others = [c for c in (*fit.law.sizes, *fit.law.groups) if c != of]
    missing = [c for c in others if c not in at]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}", "one for every other column", "pass it in at")
    one = fit.points_at({**{c: [at[c]] for c in others}, of: [1.0]})
    row = fit.law.sizes.index(of)

    def loss_of(log_size: np.ndarray) -> np.ndarray:
        sizes = np.repeat(one.sizes[:, None, :], len(values), axis=1)
        sizes[row] = np.exp(log_size)[:, None]
        return fit.loss_at(Points(sizes, one.group, one.labels), values)[:, 0]

    return loss_of


def crossing(loss_of: Callable[[np.ndarray], np.ndarray], goal: float | np.ndarray, rows: int) -> np.ndarray:
    """log x at which each row's falling loss crosses the goal; infinite where it never does."""
    low, high = np.full(rows, -LARGEST_LOG), np.full(rows, LARGEST_LOG)
    never, always = loss_of(high) > goal, loss_of(low) <= goal
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = loss_of(middle) > goal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(never, np.inf, np.where(always, -np.inf, high))
