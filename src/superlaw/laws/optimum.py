"""What a fit recommends for a budget: the best sizes, and the loss that they give.

For a sum of power terms c_k / x_k^a_k under a budget prod_k x_k^q_k = B the optimum is closed: at it
a_k c_k x_k^-a_k = mu q_k for all k, so log x_k = (log(a_k c_k / q_k) - log mu) / a_k, and the budget
fixes log mu = [sum_k (q_k/a_k) log(a_k c_k / q_k) - log B] / sum_k (q_k/a_k).
With two terms this is equation 4 of [Chinchilla].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from superlaw.errors import InputError
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.law import Law, Points
from superlaw.laws.result import Fit

DRAWS = 4000
SMALLEST_EXPONENT = 1e-6  # of a draw; a term with none has no optimum


class Triple(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        value, low, high = (format(x, spec) if spec else in_short(x) for x in self)
        return f"{value} ({low} to {high})"

    def __str__(self) -> str:
        return format(self)

    def to_dict(self) -> dict[str, float]:
        """By name."""
        return self._asdict()


@dataclass(frozen=True)
class Optimum(Shown):
    """The best sizes for a budget, each with an interval.

    ``sizes`` {column: (value, low, high)}; ``loss`` (value, low, high); ``exponents`` {column:
    d log size / d log budget}; ``warnings`` name sizes outside the data.
    """

    budget: dict[str, float]
    sizes: dict[str, Triple]
    loss: Triple
    exponents: dict[str, Triple]
    level: float
    drawn_from: str
    warnings: tuple[str, ...]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """A table of it: header and rows."""
        (kind, amount), *_ = self.budget.items()
        level = f"{self.level:.4g} low"
        rows = [[column, *(in_short(x, column) for x in triple), *(f"{x:.3f}" for x in self.exponents[column])]
                for column, triple in self.sizes.items()]  # fmt: skip
        rows.append(["loss", *(f"{x:.5g}" for x in self.loss), "", "", ""])
        return [
            f"at {kind} = {in_short(amount, kind)}",
            "value",
            level,
            "high",
            f"power of {kind}",
            level,
            "high",
        ], rows

    def __str__(self) -> str:
        (kind, amount), *_ = self.budget.items()
        lines = [f"WARNING: {warning}" for warning in self.warnings]
        lines.append(f"best for {kind} = {in_short(amount, kind)} ({self.level:.4g} intervals, {self.drawn_from})")
        for column, triple in self.sizes.items():
            power = self.exponents[column]
            lines.append(f"  {column}: {triple}; grows as {kind}^{power[0]:.3f} ({power[1]:.3f} to {power[2]:.3f})")
        lines.append(f"  loss: {self.loss}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite end is null."""
        by_column = lambda triples: {column: t.to_dict() for column, t in triples.items()}  # noqa: E731
        found = {"sizes": by_column(self.sizes), "loss": self.loss.to_dict(), "exponents": by_column(self.exponents)}
        return json_ready(self) | json_ready(found)


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


def budget_of(law: Law, flops: float | None, params: float | None, shape: tuple[str, str, str]) -> Budget:
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
    budget = budget_of(fit.law, flops, params, (width, depth, tokens))
    level = fit.interval["level"]
    drawn, source = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])
    log_x, power = budget.best(fit.law, both, math.log(budget.amount))
    sizes = np.exp(np.clip(log_x, -700, 700))
    triple = lambda x: triple_of(x, level)  # noqa: E731
    return Optimum(
        budget={budget.kind: budget.amount},
        sizes={column: triple(sizes[:, k]) for k, column in enumerate(budget.columns)},
        loss=_best_loss(fit, both, budget.columns, sizes),
        exponents={column: triple(power[:, k]) for k, column in enumerate(budget.columns)},
        level=level,
        drawn_from=source,
        warnings=tuple(_optimum_warnings(fit, budget, sizes[0], drawn)),
    )


def _best_loss(fit: Fit, values: np.ndarray, columns: Sequence[str], sizes: np.ndarray) -> Triple:
    """The loss at the best sizes. To first order the best sizes do not move it, so the band is the curve's there;
    where a term is left out of the budget, percentiles of draws at their own best sizes."""
    if set(columns) == set(fit.law.sizes):
        at = Points(sizes[0, [columns.index(c) for c in fit.law.sizes]][:, None], np.zeros(1, int), fit.labels)
        band = fit.predict(at)
        return Triple(float(band.loss[0]), float(band.low[0]), float(band.high[0]))
    return triple_of(loss_at_sizes(fit, values, columns, sizes), fit.interval["level"])


def triple_of(x: np.ndarray, level: float) -> Triple:
    """The first of some values, with percentiles of the others, which are its draws."""
    tail = (1 - level) / 2
    # without interpolation: between a finite draw and an infinite one there is nothing
    low, high = np.quantile(x[1:], [tail, 1 - tail], method="inverted_cdf")
    return Triple(float(x[0]), float(low), float(high))


def loss_at_sizes(fit: Fit, values: np.ndarray, columns: Sequence[str], sizes: np.ndarray) -> np.ndarray:
    """The loss of each row of parameters at its own sizes (B, K), sizes of other columns without limit."""
    own = np.full((len(fit.law.sizes), len(values), 1), np.inf)
    for k, column in enumerate(columns):
        own[fit.law.sizes.index(column)] = sizes[:, k, None]
    return fit.loss_at(Points(own, np.zeros(1, int), fit.labels), values)[:, 0]


def extrapolations(fit: Fit, sizes: Mapping[str, float]) -> list[str]:
    """Which sizes the data do not reach, in words."""
    out = []
    for column, size in sizes.items():
        low, high = fit.ranges[column]
        if not low <= size <= high:
            out.append(
                f"{column} = {in_short(size, column)} is an extrapolation: the data have {in_short(low, column)} to "
                f"{in_short(high, column)}"
            )
    return out


def _optimum_warnings(fit: Fit, budget: Budget, sizes: np.ndarray, drawn: np.ndarray) -> list[str]:
    out = [*fit.warnings, *extrapolations(fit, dict(zip(budget.columns, sizes, strict=True)))]
    left_out = [column for column in fit.law.sizes if column not in budget.columns]
    if left_out:
        out.append(f"the loss leaves out the term of {', '.join(left_out)}, which is not in the budget")
    _, a = budget.terms(fit.law, drawn)
    flat = float((a <= SMALLEST_EXPONENT).any(axis=1).mean())
    if flat > 0:
        out.append(f"in {flat:.1%} of draws an exponent is 0 and there is no optimum")
    return out
