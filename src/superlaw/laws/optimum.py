"""What a fit recommends: the best sizes for a budget, and the size or budget that a loss requires.

For a sum of power terms c_k / x_k^a_k under a budget prod_k x_k^q_k = B the optimum is closed: at it
a_k c_k x_k^-a_k = mu q_k for all k, so log x_k = (log(a_k c_k / q_k) - log mu) / a_k, and the budget
fixes log mu = [sum_k (q_k/a_k) log(a_k c_k / q_k) - log B] / sum_k (q_k/a_k).
With two terms this is equation 4 of [Chinchilla].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.records import json_ready
from superlaw.laws.law import Law, Points
from superlaw.laws.result import Fit

DRAWS = 4000
SMALLEST_EXPONENT = 1e-6  # of a draw; a term with none has no optimum


@dataclass(frozen=True)
class Optimum:
    """The best sizes for a budget, each with an interval.

    ``sizes`` {column: (value, low, high)}; ``loss`` (value, low, high); ``exponents`` {column:
    d log size / d log budget}; ``warnings`` name sizes outside the data.
    """

    budget: dict[str, float]
    sizes: dict[str, tuple[float, float, float]]
    loss: tuple[float, float, float]
    exponents: dict[str, tuple[float, float, float]]
    level: float
    drawn_from: str
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        (kind, amount), *_ = self.budget.items()
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        lines.append(f"best for {kind} = {amount:.4g} ({self.level:.4g} intervals, {self.drawn_from})")
        for column, triple in self.sizes.items():
            power = self.exponents[column]
            lines.append(
                f"  {column}: {_words(triple)}; grows as {kind}^{power[0]:.3f} ({power[1]:.3f} to {power[2]:.3f})"
            )
        lines.append(f"  loss: {_words(self.loss)}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite end is null."""
        name = lambda triple: dict(zip(("value", "low", "high"), triple, strict=True))  # noqa: E731
        by_column = lambda triples: {column: name(t) for column, t in triples.items()}  # noqa: E731
        found = {"sizes": by_column(self.sizes), "loss": name(self.loss), "exponents": by_column(self.exponents)}
        return json_ready(self) | json_ready(found)


def _words(triple: tuple[float, float, float]) -> str:
    return f"{triple[0]:.5g} ({triple[1]:.5g} to {triple[2]:.5g})"


def best_sizes(
    log_c: np.ndarray, a: np.ndarray, q: np.ndarray, log_budget: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """log of the best sizes, and their powers in the budget; shapes (B, K) each.

    Examples
    --------
    >>> log_x, power = best_sizes(np.log([[406.4, 410.7]]), np.array([[0.34, 0.28]]), np.ones(2), 0.0)
    >>> power.round(3)
    array([[0.452, 0.548]])
    """
    a = np.maximum(a, SMALLEST_EXPONENT)
    level = log_c + np.log(a / q)
    log_mu = ((q / a * level).sum(axis=1) - log_budget) / (q / a).sum(axis=1)
    return (level - log_mu[:, None]) / a, 1 / a / (q / a).sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Budget:
    """What is shared: ``amount`` = factor * prod_k x_k^powers_k of the columns."""

    kind: str
    amount: float
    columns: tuple[str, ...]
    powers: tuple[float, ...]
    factor: float

    def best(self, law: Law, values: np.ndarray, log_amount: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log of the best sizes, and their powers in the amount, for parameters (B, p); shapes (B, K) each."""
        log_c, a = self.terms(law, values)
        return best_sizes(log_c, a, np.array(self.powers), log_amount - math.log(self.factor))

    def terms(self, law: Law, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log c and a of the terms that share the budget; shapes (B, K) each."""
        falling = law.falling(list(values.T))
        log_c, a = zip(*(falling[column] for column in self.columns), strict=True)
        return np.stack(log_c, axis=1), np.stack(a, axis=1)


def _budget(law: Law, flops: float | None, params: float | None, shape: tuple[str, str, str]) -> Budget:
    """The columns that share a budget: N and D of a law of these, else width, depth and tokens."""
    if (flops is None) == (params is None):
        raise InputError("both budgets or none", "either flops or params")
    kind, amount = ("flops", flops) if flops is not None else ("params", params)
    if not (isinstance(amount, Real) and math.isfinite(amount) and amount > 0):
        raise InputError(f"{kind} = {amount}", "a positive number")
    if law.compute:
        if kind == "params":
            raise InputError(
                f"params = {amount:g} for the law {law.name}", "flops (C = 6ND), or a law of width and depth"
            )
        return Budget(kind, float(amount), law.compute, (1.0, 1.0), 6.0)
    columns, alone = (shape if kind == "flops" else shape[:2]), [t.columns for t in law.power_terms]
    if any((column,) not in alone for column in columns):
        raise InputError(
            f"the law {law.name} of {', '.join(law.sizes)}",
            f"Chinchilla, Kaplan, or an additive law with the terms {', '.join(columns)}",
            "name your columns with --width, --depth and --tokens",
        )
    return Budget(kind, float(amount), columns, (2.0, 1.0, 1.0)[: len(columns)], 72.0 if kind == "flops" else 12.0)


def optimum(
    fit: Fit,
    flops: float | None = None,
    params: float | None = None,
    *,
    width: str = "width",
    depth: str = "depth",
    tokens: str = "tokens",
    draws: int = DRAWS,
    seed: int = 0,
) -> Optimum:
    """The sizes of lowest loss for a budget, with intervals.

    Parameters
    ----------
    fit : Fit
        Of Chinchilla or Kaplan for ``flops`` (C = 6 N D); of an additive law with width and depth for
        ``params`` (N = 12 m^2 l), and with tokens too for ``flops`` (C = 72 m^2 l D).
    flops, params : float
        The budget, one of the two.
    width, depth, tokens : str
        Columns of the additive law that play these parts.
    draws, seed : int
        Of the parameters' uncertainty.

    Raises
    ------
    InputError
        When the law has no such optimum.
    """
    budget = _budget(fit.law, flops, params, (width, depth, tokens))
    level = fit.interval["level"]
    drawn, source = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])
    log_x, power = budget.best(fit.law, both, math.log(budget.amount))
    sizes = np.exp(np.clip(log_x, -700, 700))
    triple = lambda x: _triple(x, level)  # noqa: E731
    return Optimum(
        budget={budget.kind: budget.amount},
        sizes={column: triple(sizes[:, k]) for k, column in enumerate(budget.columns)},
        loss=triple(_loss_at(fit, both, budget.columns, sizes)),
        exponents={column: triple(power[:, k]) for k, column in enumerate(budget.columns)},
        level=level,
        drawn_from=source,
        warnings=tuple(_optimum_warnings(fit, budget, sizes[0], drawn)),
    )


def _triple(x: np.ndarray, level: float) -> tuple[float, float, float]:
    tail = (1 - level) / 2
    # without interpolation: between a finite draw and an infinite one there is nothing
    low, high = np.quantile(x[1:], [tail, 1 - tail], method="inverted_cdf")
    return float(x[0]), float(low), float(high)


def _loss_at(fit: Fit, values: np.ndarray, columns: Sequence[str], sizes: np.ndarray) -> np.ndarray:
    """The loss of each row of parameters at its own sizes (B, K), sizes of other columns without limit."""
    own = np.full((len(fit.law.sizes), len(values), 1), np.inf)
    for k, column in enumerate(columns):
        own[fit.law.sizes.index(column)] = sizes[:, k, None]
    return fit.loss_at(Points(own, np.zeros(1, int), fit.labels), values)[:, 0]


def _optimum_warnings(fit: Fit, budget: Budget, sizes: np.ndarray, drawn: np.ndarray) -> list[str]:
    out = list(fit.warnings)
    for column, size in zip(budget.columns, sizes, strict=True):
        low, high = fit.ranges[column]
        if not low <= size <= high:
            out.append(f"{column} = {size:.3g} is an extrapolation: the data have {low:.3g} to {high:.3g}")
    left_out = [column for column in fit.law.sizes if column not in budget.columns]
    if left_out:
        out.append(f"the loss leaves out the term of {', '.join(left_out)}, which is not in the budget")
    _, a = budget.terms(fit.law, drawn)
    flat = float((a <= SMALLEST_EXPONENT).any(axis=1).mean())
    if flat > 0:
        out.append(f"in {flat:.1%} of draws an exponent is 0 and there is no optimum")
    return out


def required_size(
    fit: Fit,
    loss: float,
    of: str | None = None,
    at: dict[str, float] | None = None,
    draws: int = DRAWS // 4,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The size that reaches a loss, or the compute C = 6ND at the optimum: value, low, high.

    Parameters
    ----------
    loss : float
    of : str, optional
        The size column to solve for; the law's only one by default. With ``"flops"`` (the default for
        Chinchilla and Kaplan) the smallest compute.
    at : dict of str to float, optional
        The other columns (and groups) held at these values.

    Returns
    -------
    value, low, high : float
        Infinite where the law (or a draw of its parameters) never gets there.

    Raises
    ------
    InputError
        When the fitted law itself never reaches that loss, or a column is missing.
    """
    law, at = fit.law, dict(at or {})
    if not isinstance(loss, Real):
        raise InputError(f"loss = {loss}", "a number")
    if of is None:
        of = "flops" if law.compute else law.sizes[0] if len(law.sizes) == 1 else None
    if of is None or (of != "flops" and of not in law.sizes):
        raise InputError(f"of = {of!r}", f"one of {', '.join(law.sizes)}, or flops for Chinchilla and Kaplan")
    if of == "flops" and not law.compute:
        raise InputError(f"flops for the law {law.name}", "Chinchilla or Kaplan")
    drawn, _ = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])
    loss_of = _along_frontier(fit, both) if of == "flops" else _along_size(fit, both, of, at)
    solved = _bisect(loss_of, float(loss), len(both))
    if not np.isfinite(solved[0]):
        raise InputError(
            f"loss = {loss:g}", f"a loss that the fitted law reaches with some {of} up to e^{LARGEST_LOG:.0f}"
        )
    return _triple(np.exp(solved), fit.interval["level"])


def _along_frontier(fit: Fit, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The loss of each row of parameters at the best sizes for its own log compute, (B,)."""
    budget = _budget(fit.law, 1.0, None, ("", "", ""))

    def loss_of(log_flops: np.ndarray) -> np.ndarray:
        log_x, _ = budget.best(fit.law, values, log_flops)
        return _loss_at(fit, values, budget.columns, np.exp(np.clip(log_x, -700, 700)))

    return loss_of


def _along_size(fit: Fit, values: np.ndarray, of: str, at: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
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


LARGEST_LOG = 160.0  # e^160 = 3e69


def _bisect(loss_of: Callable[[np.ndarray], np.ndarray], goal: float, rows: int) -> np.ndarray:
    """log x at which each row's falling loss crosses the goal; infinite where it never does."""
    low, high = np.full(rows, -LARGEST_LOG), np.full(rows, LARGEST_LOG)
    never, always = loss_of(high) > goal, loss_of(low) <= goal
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = loss_of(middle) > goal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(never, np.inf, np.where(always, -np.inf, high))
