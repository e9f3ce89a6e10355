"""What a fit recommends: the best sizes for a budget, and the size or budget that a loss requires.

For a sum of power terms c_k / x_k^a_k under a budget prod_k x_k^q_k = B the optimum is closed: at it
a_k c_k x_k^-a_k = mu q_k for all k, so log x_k = (log(a_k c_k / q_k) - log mu) / a_k, and the budget
fixes log mu = [sum_k (q_k/a_k) log(a_k c_k / q_k) - log B] / sum_k (q_k/a_k).
With two terms this is equation 4 of [Chinchilla].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.fit import Fit, number

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
        """For JSON."""
        triple = lambda t: dict(zip(("value", "low", "high"), map(number, t), strict=True))  # noqa: E731
        return {
            "budget": self.budget,
            "sizes": {column: triple(t) for column, t in self.sizes.items()},
            "loss": triple(self.loss),
            "exponents": {column: triple(t) for column, t in self.exponents.items()},
            "level": self.level,
            "drawn_from": self.drawn_from,
            "warnings": list(self.warnings),
        }


def _words(triple: tuple[float, float, float]) -> str:
    return f"{triple[0]:.5g} ({triple[1]:.5g} to {triple[2]:.5g})"


def _terms(fit: Fit, values: np.ndarray, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """log c and a of the terms in these columns, for parameters (B, p): shapes (B, K) each."""
    index = {name: i for i, name in enumerate(fit.params)}
    law = fit.law
    at = lambda name: values[:, index[name]]  # noqa: E731
    if law.name == "kaplan":  # the optimum minimises the inner sum (N_c/N)^p + D_c/D, p = alpha_N/alpha_D
        p = at("alpha_N") / at("alpha_D")
        log_c = np.stack([p * np.log(at("N_c")), np.log(at("D_c"))], axis=1)
        a = np.stack([p, np.ones_like(p)], axis=1)
        order = [law.sizes.index(column) for column in columns]
        return log_c[:, order], a[:, order]
    names = (
        {law.sizes[0]: ("A", "alpha"), law.sizes[1]: ("B", "beta")}
        if law.name == "chinchilla"
        else {column: (f"c_{column}", f"a_{column}") for column in columns}
    )
    pairs = [names[column] for column in columns]
    log_c = np.stack([np.log(np.maximum(at(c), 1e-300)) for c, _ in pairs], axis=1)
    return log_c, np.stack([at(a) for _, a in pairs], axis=1)


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


def _budget(fit: Fit, flops: float | None, params: float | None, width, depth, tokens):
    """Which columns share the budget, their powers in it, and the log of what these multiply to."""
    if (flops is None) == (params is None):
        raise InputError("both budgets or none", "either flops or params")
    kind, amount = ("flops", flops) if flops is not None else ("params", params)
    if not (math.isfinite(amount) and amount > 0):
        raise InputError(f"{kind} = {amount}", "a positive number")
    law = fit.law
    if law.name in ("chinchilla", "kaplan"):
        if kind == "params":
            raise InputError(
                f"params = {amount:g} for the law {law.name}",
                "flops (C = 6ND), or a law of width and depth",
            )
        return kind, amount, law.sizes, np.ones(2), math.log(amount / 6)
    shape = [width, depth] + ([tokens] if kind == "flops" else [])
    if law.name != "additive" or any(column not in law.columns()["terms"] for column in shape):
        raise InputError(
            f"the law {law.name} of {', '.join(law.sizes)}",
            f"Chinchilla, Kaplan, or an additive law with the terms {', '.join(shape)}",
            "name your columns with --width, --depth and --tokens",
        )
    if kind == "params":
        return kind, amount, tuple(shape), np.array([2.0, 1.0]), math.log(amount / 12)
    return kind, amount, tuple(shape), np.array([2.0, 1.0, 1.0]), math.log(amount / 72)


def optimum(
    fit: Fit,
    flops: float | None = None,
    params: float | None = None,
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
    kind, amount, columns, q, log_budget = _budget(fit, flops, params, width, depth, tokens)
    level = fit.interval["level"]
    drawn, source = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])
    log_c, a = _terms(fit, both, columns)
    log_x, power = best_sizes(log_c, a, q, log_budget)
    sizes = np.exp(np.clip(log_x, -700, 700))
    loss = _loss_at(fit, both, columns, log_x)
    warnings = _optimum_warnings(fit, columns, sizes[0], a)
    triple = lambda x: _triple(x, level)  # noqa: E731
    return Optimum(
        budget={kind: float(amount)},
        sizes={column: triple(sizes[:, k]) for k, column in enumerate(columns)},
        loss=triple(loss),
        exponents={column: triple(power[:, k]) for k, column in enumerate(columns)},
        level=level,
        drawn_from=source,
        warnings=tuple(warnings),
    )


def _triple(x: np.ndarray, level: float) -> tuple[float, float, float]:
    tail = (1 - level) / 2
    # without interpolation: between a finite draw and an infinite one there is nothing
    low, high = np.quantile(x[1:], [tail, 1 - tail], method="inverted_cdf")
    return float(x[0]), float(low), float(high)


def _loss_at(fit: Fit, values: np.ndarray, columns: Sequence[str], log_x: np.ndarray) -> np.ndarray:
    """The loss of each row of parameters at its own sizes; terms outside the budget are left out."""
    log_c, a = _terms(fit, values, columns)
    terms = np.exp(np.clip(log_c - a * log_x, -700, 700)).sum(axis=1)
    index = {name: i for i, name in enumerate(fit.params)}
    if fit.law.name == "kaplan":
        return terms ** values[:, index["alpha_D"]]
    offset = next((values[:, index[name]] for name in ("E", "L_0") if name in index), 0.0)
    return terms + offset


def _optimum_warnings(fit: Fit, columns: Sequence[str], sizes: np.ndarray, a: np.ndarray) -> list[str]:
    out = list(fit.warnings)
    for column, size in zip(columns, sizes, strict=True):
        low, high = fit.ranges[column]
        if not low <= size <= high:
            out.append(f"{column} = {size:.3g} is an extrapolation: the data have {low:.3g} to {high:.3g}")
    left_out = [column for column in fit.law.sizes if column not in columns]
    if left_out:
        out.append(f"the loss leaves out the term of {', '.join(left_out)}, which is not in the budget")
    flat = float((a[1:] <= SMALLEST_EXPONENT).any(axis=1).mean())
    if flat > 0:
        out.append(f"in {flat:.1%} of draws an exponent is 0 and there is no optimum")
    return out


def required(
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
    if of is None:
        of = "flops" if law.name in ("chinchilla", "kaplan") else law.sizes[0] if len(law.sizes) == 1 else None
    if of is None or (of != "flops" and of not in law.sizes):
        raise InputError(f"of = {of!r}", f"one of {', '.join(law.sizes)}, or flops for Chinchilla and Kaplan")
    if of == "flops" and law.name not in ("chinchilla", "kaplan"):
        raise InputError(f"flops for the law {law.name}", "Chinchilla or Kaplan")
    drawn, _ = fit.draws(draws, seed)
    both = np.concatenate([fit.values[None], drawn])

    def loss_of(log_x: np.ndarray) -> np.ndarray:  # each row of parameters at its own size, (B,)
        if of == "flops":
            log_c, a = _terms(fit, both, law.sizes)
            best, _ = best_sizes(log_c, a, np.ones(2), log_x - math.log(6))
            return _loss_at(fit, both, law.sizes, best)
        # Few distinct sizes at a time: the loss of every row at every size, of which the diagonal counts.
        out = np.empty(len(log_x))
        for rows in np.array_split(np.arange(len(log_x)), max(1, len(log_x) // 64)):
            table = {c: [at[c]] * len(rows) for c in (*law.sizes, *law.groups) if c != of}
            table[of] = np.exp(log_x[rows])
            out[rows] = np.diagonal(fit.loss_at(table, both[rows]))
        return out

    missing = [c for c in (*law.sizes, *law.groups) if of != "flops" and c != of and c not in at]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}", "one for every other column", "pass it in at")
    solved = _bisect(loss_of, loss, len(both))
    if not np.isfinite(solved[0]):
        raise InputError(
            f"loss = {loss:g}", f"a loss that the fitted law reaches with some {of} up to e^{LARGEST_LOG:.0f}"
        )
    return _triple(np.exp(solved), fit.interval["level"])


LARGEST_LOG = 160.0  # e^160 = 3e69


def _bisect(loss_of: Any, goal: float, rows: int) -> np.ndarray:
    """log x at which each row's falling loss crosses the goal; infinite where it never does."""
    low, high = np.full(rows, -LARGEST_LOG), np.full(rows, LARGEST_LOG)
    never, always = loss_of(high) > goal, loss_of(low) <= goal
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = loss_of(middle) > goal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(never, np.inf, np.where(always, -np.inf, high))
