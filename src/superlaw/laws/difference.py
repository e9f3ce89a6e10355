"""Do recipes differ in what a law keeps separate for them, and what does one save?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from superlaw.errors import InputError, closest
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.laws.known import Known
from superlaw.laws.minimum import Minimum
from superlaw.laws.optimum import DRAWS, triple_of
from superlaw.laws.problems.problem import Problem
from superlaw.laws.required import LARGEST_LOG, along_frontier, along_size, crossing
from superlaw.laws.result import Fit
from superlaw.laws.separate import SeparateLaw
from superlaw.laws.solve import solve

STARTS = 8


@dataclass(frozen=True)
class FTest:
    """A statistic that is F(k, dof) where nothing differs, and its p."""

    f: float
    k: int
    dof: float
    p: float

    def __str__(self) -> str:
        return f"F({self.k}, {self.dof:.3g}) = {self.f:.3g}, p = {self.p:.2g}"


@dataclass(frozen=True)
class Difference:
    """Whether groups differ in the separate parameters of a fit.

    ``together`` takes the errors as independent and alike (likelihood ratio); ``wald`` rests on the fit's own
    covariance, of a sandwich or bootstrap, with clusters where these are named; ``each`` the same of one parameter
    alone, the others separate as they are.
    """

    by: str
    parameters: tuple[str, ...]
    together: FTest | None
    wald: FTest | None
    each: dict[str, FTest]

    @property
    def verdict(self) -> str:
        """One line: what judges (the Wald test where there are clusters), and what it says."""
        chosen = self.wald or self.together
        if chosen is None:
            return f"whether {', '.join(self.parameters)} differ by {self.by} cannot be told from these points"
        words = "differ" if chosen.p < 0.01 else "may differ" if chosen.p < 0.05 else "are not seen to differ"
        which = "the intervals' covariance" if chosen is self.wald else "errors alike and independent"
        both = "" if self.wald is None or self.together is None else f"; likelihood ratio: {self.together}"
        return f"{', '.join(self.parameters)} {words} by {self.by}: {chosen} ({which}){both}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready(self) | {"verdict": self.verdict}


def difference(fit: Fit, best: Minimum) -> Difference:
    """The tests of a fit of a SeparateLaw at its optimum."""
    law = fit.law
    assert isinstance(law, SeparateLaw)
    free = {name: [own for own in law.of(name, fit.labels) if own in best.problem.names] for name in law.separate}
    free = {name: own for name, own in free.items() if len(own) > 1}
    robust = fit.interval["method"] in ("sandwich", "bootstrap") and not best.exact
    pairs = [(own, names[0]) for names in free.values() for own in names[1:]]
    return Difference(
        ", ".join(law.by),
        tuple(free),
        _likelihood_ratio(best, pairs) if "cluster" not in fit.interval else None,
        _wald(fit, pairs) if robust else None,
        {
            name: found
            for name, names in free.items()
            if robust and (found := _wald(fit, [(own, names[0]) for own in names[1:]]))
        },
    )


def _likelihood_ratio(best: Minimum, pairs: list[tuple[str, str]]) -> FTest | None:
    """By how much the minimised sum rises where the pairs are tied, in units of the dispersion."""
    problem, known = best.problem, best.problem.known
    if best.dof < 1 or best.exact or not pairs:
        return None
    tied = Known(known.fixed, {**known.tied, **dict(pairs)}, known.bounds, known.priors)
    less = Problem.over(problem.law, problem.points, problem.target, problem.objective, tied)
    prior = (
        less.prior
        if problem.prior is None or less.prior is None
        else replace(less.prior, strength=problem.prior.strength)
    )
    less = replace(less, weights=problem.weights, prior=prior)
    values = dict(zip(problem.names, best.values, strict=True))
    start = less.model.thetas(np.array([[values[name] for name in less.names]]))
    rise = max(float(solve(less, STARTS, given=start).value[0]) - best.value, 0.0)
    f = 2 * rise / (len(pairs) * best.dispersion)
    return FTest(f, len(pairs), float(best.dof), float(special.fdtrc(len(pairs), best.dof, f)))


def _wald(fit: Fit, pairs: list[tuple[str, str]]) -> FTest | None:
    """Of the differences of pairs, of logarithms for coefficients, by the fit's covariance."""
    names = list(fit.params)
    if not pairs or not math.isfinite(fit.params[pairs[0][0]].stderr):
        return None
    logs = np.diag(fit.log_covariance) != np.diag(fit.covariance)
    values = np.where(logs, np.log(np.maximum(fit.values, 1e-300)), fit.values)
    contrast = np.zeros((len(pairs), len(names)))
    for row, (own, first) in enumerate(pairs):
        contrast[row, names.index(own)], contrast[row, names.index(first)] = 1.0, -1.0
    d, V = contrast @ values, contrast @ fit.log_covariance @ contrast.T
    try:
        f = float(d @ np.linalg.solve(V, d)) / len(pairs)
    except np.linalg.LinAlgError:
        return None
    by_name = dict(zip(fit.estimated, fit.interval.get("dof", ()), strict=False))
    dof = min([by_name.get(name, float(fit.dof)) for pair in pairs for name in pair])
    dof = max(dof - len(pairs) + 1, 1.0)  # Hotelling's, for a covariance of so few degrees of freedom
    return FTest(f, len(pairs), dof, float(special.fdtrc(len(pairs), dof, f)))


@dataclass(frozen=True)
class Saving(Shown):
    """What each recipe needs for a loss, or reaches with a compute, beside another.

    ``needed`` {label: (value, low, high)} of ``of`` (flops along the frontier, or a size); ``ratio`` the same over that
    of ``against``: below 1 it saves. With ``flops`` given, ``loss`` of each, and ``needed`` is the compute with which
    ``against`` reaches it.
    """

    given: dict[str, float]
    of: str
    against: str
    needed: dict[str, tuple[float, float, float]]
    ratio: dict[str, tuple[float, float, float]]
    loss: dict[str, tuple[float, float, float]]
    level: float
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        (kind, amount), *_ = self.given.items()
        words = lambda t, of="": "{} ({} to {})".format(*(in_short(x, of) for x in t))  # noqa: E731
        header = ["", *(["loss"] if self.loss else []), f"{self.of} needed", f"over {self.against}"]
        columns = [*([self.loss] if self.loss else []), self.needed, self.ratio]
        rows = [[label, *(words(column[label]) for column in columns)] for label in self.needed]
        ends = f"{self.level:.4g} intervals, of joint draws of the parameters"
        if self.loss:
            ends += f"; needed: by {self.against}, for the loss that each reaches with {in_short(amount, kind)}"
        return "\n".join(
            [
                *(f"WARNING: {w}" for w in self.warnings),
                f"at {kind} = {in_short(amount, kind)}",
                in_columns(header, rows),
                ends,
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        name = lambda triples: {k: dict(zip(("value", "low", "high"), t, strict=True)) for k, t in triples.items()}  # noqa: E731
        triples = {key: name(getattr(self, key)) for key in ("needed", "ratio", "loss")}
        return json_ready(
            {key: getattr(self, key) for key in ("given", "of", "against", "level", "warnings")} | triples
        )


def saving(
    fit: Fit,
    loss: float | None = None,
    flops: float | None = None,
    of: str | None = None,
    at: Mapping[str, float] | None = None,
    against: str | None = None,
    draws: int = DRAWS // 4,
    seed: int = 0,
) -> Saving:
    """What recipes of one fit need for a loss, or reach with a compute.

    Parameters
    ----------
    fit : Fit
        Of a SeparateLaw.
    loss, flops : float
        One of the two; ``flops`` for laws of N and D, at whose best both are spent.
    of : str, optional
        With ``loss``: the size column, all others ``at`` given values; by default flops for laws of N and D.
    against : str, optional
        The recipe that the others are compared with; the first by default.

    Raises
    ------
    InputError
        For a fit without groups, a loss or a compute that is no finite number, or a loss that none reaches.
    """
    law = fit.law
    if not isinstance(law, SeparateLaw):
        raise InputError(f"a fit of the law {law.name} without recipes", "one with --by and --separate")
    if (loss is None) == (flops is None):
        raise InputError("both a loss and flops, or none", "one of them")
    if loss is not None and not math.isfinite(loss):
        raise InputError(f"loss = {loss}", "a finite number")
    if flops is not None and not (math.isfinite(flops) and flops > 0):
        raise InputError(f"flops = {flops}", "a positive number")
    against = fit.labels[0] if against is None else against
    if against not in fit.labels:
        raise InputError(f"the recipe {against!r}", f"one of {', '.join(fit.labels)}", closest(against, fit.labels))
    inner = law.inner
    of = ("flops" if inner.compute else inner.sizes[0] if len(inner.sizes) == 1 else None) if of is None else of
    if of is None or (of != "flops" and of not in inner.sizes):
        raise InputError(f"of = {of!r}", f"one of {', '.join(inner.sizes)}", "the size that is to be saved")
    if (of == "flops" or flops is not None) and not inner.compute:
        raise InputError(f"flops for the law {law.name}", "Chinchilla, Kaplan, or another law of N and D")
    curves = _curves(fit, "flops" if flops is not None else of, dict(at or {}), draws, seed)
    rows = len(next(iter(curves.values()))(np.zeros(1)))
    level, found = fit.interval["level"], {}
    losses = {} if flops is None else {g: curve(np.full(rows, math.log(flops))) for g, curve in curves.items()}
    if losses:
        found = {g: crossing(curves[against], goal, rows) for g, goal in losses.items()}
    else:
        found = {g: crossing(curve, float(loss or 0.0), rows) for g, curve in curves.items()}
    if not np.isfinite([log[0] for log in found.values()]).all():
        never = ", ".join(g for g, log in found.items() if not np.isfinite(log[0]))
        raise InputError(f"loss = {loss}", f"one that {never} reaches with some {of} up to e^{LARGEST_LOG:.0f}")
    return Saving(
        {"loss": float(loss)} if loss is not None else {"flops": float(flops or 0.0)}, of, against,
        {g: triple_of(np.exp(log), level) for g, log in found.items()},
        {g: _ratio(log, found[against], level, g == against) for g, log in found.items()},
        {g: triple_of(values, level) for g, values in losses.items()}, level, tuple(fit.warnings),
    )  # fmt: skip


def _ratio(log: np.ndarray, other: np.ndarray, level: float, same: bool) -> tuple[float, float, float]:
    """The ratio of two, from their logs; infinite for draws that never get there."""
    if same:
        return 1.0, 1.0, 1.0
    with np.errstate(invalid="ignore"):
        return triple_of(np.exp(np.where(np.isposinf(log), np.inf, log - other)), level)


def _curves(
    fit: Fit, of: str, at: dict[str, float], draws: int, seed: int
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Of every recipe the loss of each joint draw (the fit's own first) at its own log of a size or of compute."""
    law = fit.law
    assert isinstance(law, SeparateLaw)
    drawn, _ = fit.draws(draws, seed)
    both, out = np.concatenate([fit.values[None], drawn]), {}
    for label, place in zip(fit.labels, law.places(fit.labels), strict=True):
        one, values = fit.of_group(label), both[:, place]
        out[label] = along_frontier(one, values) if of == "flops" else along_size(one, values, of, at)
    return out
