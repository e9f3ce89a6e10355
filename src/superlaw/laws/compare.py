"""Judgement between laws: AIC and BIC, cross-validation, extrapolation, and a sensitivity table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.fit import Fit, number
from superlaw.laws.fitting import fit_law
from superlaw.laws.forms import Law
from superlaw.laws.objective import Objective
from superlaw.laws.solve import descend_gradually, solve
from superlaw.laws.table import Selection, as_table, select

FOLDS = 10
CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)  # quantiles of the size below which an extrapolation is fitted
FOLD_STARTS = 8


@dataclass(frozen=True)
class Judged:
    """One law on the common points.

    ``cross_validation`` is the root mean square error of log L (or of L) of held-out points;
    ``extrapolation`` the same above each cut in size, NaN where it cannot be scored.
    """

    name: str
    fit: Fit
    cross_validation: float
    extrapolation: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "law": self.fit.law.name,
            "parameters": len(self.fit.params),
            "objective": self.fit.objective,
            "rms_error": self.fit.rms_error,
            "aic": number(self.fit.aic),
            "bic": number(self.fit.bic),
            "cross_validation": number(self.cross_validation),
            "extrapolation": [number(x) for x in self.extrapolation],
            "fit": self.fit.to_dict(),
        }


@dataclass(frozen=True)
class Comparison:
    """Laws compared on the same points, best AIC first."""

    laws: tuple[Judged, ...]
    n: int
    folds: str
    cut_by: str
    cuts: tuple[float, ...]
    what: str
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Judged:
        """The law of lowest AIC."""
        return self.laws[0]

    def __str__(self) -> str:
        header = ["law", "parameters", "rms error", "AIC - best", "BIC - best", "cross-validation"]
        header += [f"above {cut:.3g}" for cut in self.cuts]
        lowest_bic = min(judged.fit.bic for judged in self.laws)
        rows = [header]
        for judged in self.laws:
            fit = judged.fit
            cells = [judged.name, str(len(fit.params)), f"{fit.rms_error:.5f}"]
            cells += [f"{fit.aic - self.best.fit.aic:.1f}", f"{fit.bic - lowest_bic:.1f}"]
            cells += [_error(judged.cross_validation), *map(_error, judged.extrapolation)]
            rows.append(cells)
        lines = [f"NOTE: {note}" for note in self.notes] + _aligned(rows)
        lines.append(
            f"{self.n} points; errors are root mean squares of {self.what}; cross-validation over "
            f"{self.folds}; 'above' columns: fitted on {self.cut_by} up to the cut, scored above it"
        )
        lines.append(self.verdict)
        return "\n".join(lines)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if len(self.laws) == 1:
            return f"{self.best.name} stands alone: name another law to compare it with"
        second = self.laws[1]
        lead = second.fit.aic - self.best.fit.aic
        strength = "decisively" if lead > 10 else "clearly" if lead > 4 else "not clearly"
        held = min(self.laws, key=lambda judged: judged.cross_validation)
        agree = (
            "and predicts held-out points best"
            if held is self.best
            else f"but {held.name} predicts held-out points best"
        )
        return f"{self.best.name} is {strength} preferred to {second.name} (AIC by {lead:.1f}), {agree}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "laws": [judged.to_dict() for judged in self.laws],
            "best": self.best.name,
            "n": self.n,
            "folds": self.folds,
            "cut_by": self.cut_by,
            "cuts": list(self.cuts),
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


def _error(x: float) -> str:
    return "-" if math.isnan(x) else f"{x:.5f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)])
        for row in rows
    ]


def compare_laws(
    table: Any,
    laws: Sequence[Law],
    loss: str = "loss",
    *,
    objective: str | Objective = "log-ls",
    where: str | None = None,
    drop_highest: int = 0,
    weights: str | None = None,
    errors: str | None = None,
    cluster: str | None = None,
    cut_by: str | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Comparison:
    """Compare laws on the same points.

    Parameters
    ----------
    table, loss, objective, where, drop_highest, weights, errors
        As in :func:`superlaw.fit_law`.
    laws : sequence of Law
    cluster : str, optional
        Column whose values are held out whole in cross-validation.
    cut_by : str, optional
        Size column of the extrapolation test; by default the first of the first law.
    folds, seed : int
        Of the cross-validation; the seed deals the points (or clusters) to the folds.

    Raises
    ------
    InputError
        As in :func:`superlaw.fit_law`; or for no laws.
    """
    if not laws:
        raise InputError("no laws", "at least one", "name it with --law")
    table = as_table(table)
    objective = Objective(objective) if isinstance(objective, str) else objective
    common = {"where": where, "drop_highest": drop_highest, "weights": weights, "errors": errors}
    fits = [fit_law(table, law, loss, objective=objective, interval="none", seed=seed, **common) for law in laws]
    columns = {"logarithmic": objective.logarithmic, "cluster": cluster, **common}
    chosen = [select(table, law, loss, **columns) for law in laws]
    fold, fold_words = _folds(chosen[0], cluster, folds, seed)
    cut_by = laws[0].sizes[0] if cut_by is None else cut_by
    if cut_by not in table.columns:
        raise InputError(f"--cut-by {cut_by}", "a size column of the table")
    size = table[cut_by].to_numpy(float)[chosen[0].rows]
    cuts = _cuts(size)
    judged, notes = [], []
    for name, fit, law, points in zip(_names(laws), fits, laws, chosen, strict=True):
        held_out = [_held_out(law, fit, points, fold != k, seed) for k in range(int(fold.max()) + 1)]
        squares = np.concatenate(held_out)
        unscored = int(np.isnan(squares).sum())
        if unscored:
            notes.append(f"{name}: {unscored} held-out points are of a group with no others: not scored")
        ahead = [_held_out(law, fit, points, size <= cut, seed) for cut in cuts]
        judged.append(Judged(name, fit, _rms(squares), tuple(_rms(x) for x in ahead)))
    judged.sort(key=lambda entry: entry.fit.aic)
    what = "log L" if objective.logarithmic else "L"
    return Comparison(tuple(judged), fits[0].n, fold_words, cut_by, tuple(float(c) for c in cuts), what, tuple(notes))


def _names(laws: Sequence[Law]) -> list[str]:
    names = [law.name for law in laws]
    full = [f"{law.name}({', '.join(law.columns().get('terms', law.sizes))})" for law in laws]
    return [long if names.count(short) > 1 else short for short, long in zip(names, full, strict=True)]


def _rms(squares: np.ndarray) -> float:
    scored = squares[~np.isnan(squares)]
    return float(np.sqrt(scored.mean())) if len(scored) else math.nan


def _folds(chosen: Selection, cluster: str | None, folds: int, seed: int) -> tuple[np.ndarray, str]:
    """The fold of each point, points of a cluster together."""
    unit = np.arange(chosen.points.n)
    if chosen.clusters is not None:
        unit = np.unique(chosen.clusters, return_inverse=True)[1]
    count = int(unit.max()) + 1
    if not folds >= 2:
        raise InputError(f"{folds} folds", "at least 2")
    folds = min(folds, count)
    deal = np.random.default_rng(seed).permutation(count) % folds
    return deal[unit], f"{folds} folds of {'points' if cluster is None else f'the clusters of {cluster!r}'}"


def _cuts(size: np.ndarray) -> list[float]:
    distinct = np.unique(size)
    if len(distinct) < 3:
        return []
    at = {float(distinct[min(int(q * len(distinct)), len(distinct) - 2)]) for q in CUTS}
    return sorted(at)


def _held_out(law: Law, fit: Fit, chosen: Selection, used: np.ndarray, seed: int) -> np.ndarray:
    """Squared errors of the points not used, by a fit to those used; NaN where it cannot be."""
    objective = fit.loss
    problem = law.problem(chosen.points, objective.logarithmic)
    target = objective.target(chosen.losses)
    out = np.full(int((~used).sum()), np.nan)
    order = law.order(chosen.points.labels)
    if used.sum() < problem.p or any(len(np.unique(row[used])) < 2 for row in chosen.points.sizes):
        return out
    weights = used.astype(float) * (1.0 if chosen.weights is None else chosen.weights)
    values = np.empty(problem.p)
    values[order] = fit.values
    warm = descend_gradually(problem, problem.thetas(values)[None], target, objective, weights)
    best = solve(problem, target, objective, weights, FOLD_STARTS, seed)
    theta = warm.theta if warm.converged[0] and warm.value[0] <= best.value[0] else best.theta[:1]
    errors = objective.residuals(problem.model(theta)[0], target)[~used]
    known = np.isin(chosen.points.group[~used], chosen.points.group[used])
    out[known] = errors[known] ** 2
    return out


@dataclass(frozen=True)
class Sensitivity:
    """The same exponent under every choice of objective, filter and law.

    ``rows`` are dicts: objective, filter, law, n, exponents {name: (value, low, high)}, warnings.
    """

    rows: tuple[dict[str, Any], ...]
    level: float

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest estimate of each exponent over all rows."""
        names = dict.fromkeys(name for row in self.rows for name in row["exponents"])
        out = {}
        for name in names:
            values = [row["exponents"][name][0] for row in self.rows if name in row["exponents"]]
            out[name] = (min(values), max(values))
        return out

    @property
    def headline(self) -> str:
        """The ranges, in one line."""
        parts = [f"{name} from {low:.3g} to {high:.3g}" for name, (low, high) in self.ranges.items()]
        return f"over {len(self.rows)} choices of objective, filter and law: {'; '.join(parts)}"

    def __str__(self) -> str:
        names = list(self.ranges)
        header = ["law", "objective", "filter", "n", *(f"{n} ({self.level:.4g})" for n in names), "warnings"]
        table = [header]
        for row in self.rows:
            cells = [row["law"], row["objective"], row["filter"], str(row["n"])]
            for name in names:
                found = row["exponents"].get(name)
                cells.append("-" if found is None else f"{found[0]:.3g} [{found[1]:.3g}, {found[2]:.3g}]")
            table.append([*cells, str(len(row["warnings"]))])
        return "\n".join([self.headline, "", *_aligned(table)])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = []
        for row in self.rows:
            exponents = {
                name: dict(zip(("value", "low", "high"), map(number, triple), strict=True))
                for name, triple in row["exponents"].items()
            }
            rows.append({**row, "exponents": exponents})
        ranges = {name: list(ends) for name, ends in self.ranges.items()}
        return {"headline": self.headline, "ranges": ranges, "level": self.level, "rows": rows}


def sensitivity(
    table: Any,
    laws: Sequence[Law],
    loss: str = "loss",
    *,
    objectives: Sequence[str | Objective] = ("log-ls", "log-huber", "ls"),
    drop_highest: Sequence[int] = (0,),
    where: Sequence[str | None] = (None,),
    interval: str | None = "profile",
    level: float = 0.95,
    cluster: str | None = None,
    seed: int = 0,
) -> Sensitivity:
    """Fit under every combination of objective, filter and law.

    Parameters
    ----------
    laws, objectives, drop_highest, where : sequences
        Every combination of these is a row.
    interval, level, cluster, seed
        As in :func:`superlaw.fit_law`.

    Raises
    ------
    InputError
        As in :func:`superlaw.fit_law`.
    """
    table = as_table(table)
    if cluster is not None and interval == "profile":
        interval = "sandwich"
    rows = []
    for name, law in zip(_names(laws), laws, strict=True):
        for choice in objectives:
            objective = Objective(choice) if isinstance(choice, str) else choice
            for mask in where:
                for count in drop_highest:
                    fit = fit_law(
                        table,
                        law,
                        loss,
                        objective=objective,
                        where=mask,
                        drop_highest=count,
                        interval=interval,
                        level=level,
                        cluster=cluster,
                        seed=seed,
                    )
                    rows.append(_row(name, fit, mask, count))
    return Sensitivity(tuple(rows), level)


def _row(name: str, fit: Fit, mask: str | None, count: int) -> dict[str, Any]:
    words = [mask] * bool(mask) + [f"drop highest {count}"] * bool(count)
    return {
        "law": name,
        "objective": fit.loss.name,
        "filter": ", ".join(words) or "all",
        "n": fit.n,
        "exponents": {
            key: (fit.params[key].value, fit.params[key].low, fit.params[key].high) for key in fit.law.exponents
        },
        "warnings": list(fit.warnings),
    }
