"""Judgement between laws: AIC and BIC, cross-validation and extrapolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.records import json_ready
from superlaw.laws.cells import numbers
from superlaw.laws.fit import fit_law
from superlaw.laws.forms import law_of
from superlaw.laws.law import Law
from superlaw.laws.objective import Objective, objective_of
from superlaw.laws.own_runs import status_words
from superlaw.laws.problems.problem import Problem
from superlaw.laws.result import Fit
from superlaw.laws.solve import descend_gradually, solve
from superlaw.laws.tables import DROP, REFUSE, Choice, Selection, as_table, select, with_columns, without_gaps

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
        fit = self.fit
        return json_ready({
            "name": self.name,
            "law": fit.law.name,
            "parameters": len(fit.params),
            "objective": fit.objective_value,
            "rms_error": fit.rms_error,
            "aic": fit.aic,
            "bic": fit.bic,
            "cross_validation": self.cross_validation,
            "extrapolation": self.extrapolation,
            "fit": fit.to_dict(),
        })  # fmt: skip


@dataclass(frozen=True)
class LawComparison(Shown):
    """Laws compared on the same points, best AIC first."""

    laws: tuple[Judged, ...]
    n: int
    folds: str
    cut_by: str
    cuts: tuple[float, ...]
    what: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"LawComparison({', '.join(judged.name for judged in self.laws)} on {self.n} points: {self.verdict})"

    @property
    def best(self) -> Judged:
        """The law of lowest AIC."""
        return self.laws[0]

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        header = ["law", "parameters", "rms error", "AIC - best", "BIC - best", "cross-validation"]
        header += [f"above {cut:.3g}" for cut in self.cuts]
        lowest_bic = min(judged.fit.bic for judged in self.laws)
        rows = []
        for judged in self.laws:
            fit = judged.fit
            cells = [judged.name, str(len(fit.params)), f"{fit.rms_error:.5f}"]
            cells += [f"{fit.aic - self.best.fit.aic:.1f}", f"{fit.bic - lowest_bic:.1f}"]
            rows.append([*cells, _error(judged.cross_validation), *map(_error, judged.extrapolation)])
        return header, rows

    def __str__(self) -> str:
        return "\n".join([
            *(f"NOTE: {note}" for note in self.notes),
            in_columns(*self.cells),
            f"{self.n} points; errors are root mean squares of {self.what}; cross-validation over "
            f"{self.folds}; 'above' columns: fitted on {self.cut_by} up to the cut, scored above it",
            self.verdict,
        ])  # fmt: skip

    @property
    def verdict(self) -> str:
        """One sentence."""
        if len(self.laws) == 1:
            return f"{self.best.name} stands alone: name another law to compare it with"
        second = self.laws[1]
        lead = second.fit.aic - self.best.fit.aic  # NaN where a law passes through every point
        strength = "decisively" if lead > 10 else "clearly" if lead > 4 else "not clearly"
        held = min(self.laws, key=lambda judged: judged.cross_validation)
        agree = (
            "and predicts held-out points best"
            if held is self.best
            else f"but {held.name} predicts held-out points best"
        )
        if math.isnan(lead):
            return f"{self.best.name} leaves no errors to compare laws by, {agree}"
        return f"{self.best.name} is {strength} preferred to {second.name} (AIC by {lead:.1f}), {agree}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready({
            "laws": [judged.to_dict() for judged in self.laws],
            "best": self.best.name,
            **{name: getattr(self, name) for name in ("n", "folds", "cut_by", "cuts", "verdict", "notes")},
        })  # fmt: skip


def _error(x: float) -> str:
    return "-" if math.isnan(x) else f"{x:.5f}"


def compare_laws(
    table: Any,
    laws: Sequence[Law | str],
    loss: str = "loss",
    *,
    objective: str | Objective = "log-ls",
    where: str | Sequence[str] | None = None,
    drop_highest: int = 0,
    weights: str | None = None,
    errors: str | None = None,
    cluster: str | None = None,
    missing: str = REFUSE,
    cut_by: str | None = None,
    cuts: Sequence[float] = CUTS,
    folds: int = FOLDS,
    seed: int = 0,
) -> LawComparison:
    """Compare laws on the same points.

    Parameters
    ----------
    table, loss, objective, where, drop_highest, weights, errors, missing
        As in :func:`superlaw.fit_law`.
    laws : sequence of Law or str
    cluster : str, optional
        Column whose values are held out whole in cross-validation.
    cut_by : str, optional
        Size column of the extrapolation test; by default the first of the first law.
    cuts : sequence of float
        Shares of its distinct sizes that an extrapolation is fitted on.
    folds, seed : int
        Of the cross-validation; the seed deals the points (or clusters) to the folds.

    Raises
    ------
    InputError
        As in :func:`superlaw.fit_law`; or for no laws.
    """
    if not laws:
        raise InputError("no laws", "at least one", "name it with --law")
    table, objective, laws = as_table(table), objective_of(objective), [law_of(law) for law in laws]
    choice = Choice(loss, where, drop_highest, weights, errors, cluster, missing)
    used = [loss, weights, errors, cluster, *(column for law in laws for column in (*law.sizes, *law.groups))]
    table = with_columns(table, used)
    if missing == DROP:  # a row that one law cannot use is used by none
        table = without_gaps(table, used, loss)
    same: dict[str, Any] = {"where": where, "drop_highest": drop_highest, "weights": weights, "errors": errors,
                            "missing": missing}  # fmt: skip
    fits = [fit_law(table, law, loss, objective=objective, interval="none", seed=seed, **same) for law in laws]
    chosen = [select(table, law, choice, objective.logarithmic) for law in laws]
    fold, fold_words = _folds(chosen[0], cluster, folds, seed)
    cut_by = laws[0].sizes[0] if cut_by is None else cut_by
    if cut_by not in table.columns:
        raise InputError(f"--cut-by {cut_by}", "a size column of the table", nearest(cut_by, map(str, table.columns)))
    size = numbers(table, cut_by, chosen[0].rows, positive=False)
    ends = _cuts(size, cuts)
    judged, notes = [], [*chosen[0].cautions, *chosen[0].notes]
    if gone := chosen[0].dropped.get("by_missing", {}).get("rows"):
        notes.append(f"left out: {gone} rows with empty cells")
    if statuses := chosen[0].dropped.get("by_status"):
        notes.append(f"left out: {status_words(statuses)}")
    for name, fit, rows in zip(titles(laws), fits, chosen, strict=True):
        squares = np.concatenate([_held_out(fit, rows, fold != k, seed) for k in range(int(fold.max()) + 1)])
        unscored = int(np.isnan(squares).sum())
        if unscored:
            notes.append(f"{name}: {unscored} held-out points are of a group with no others: not scored")
        ahead = [_rms(_held_out(fit, rows, size <= cut, seed)) for cut in ends]
        judged.append(Judged(name, fit, _rms(squares), tuple(ahead)))
    judged.sort(key=lambda entry: -math.inf if entry.fit.certificate.exact else entry.fit.aic)
    what = "log L" if objective.logarithmic else "L"
    return LawComparison(
        tuple(judged), fits[0].n, fold_words, cut_by, tuple(float(c) for c in ends), what, tuple(notes)
    )


def titles(laws: Sequence[Law]) -> list[str]:
    """The laws' names, with their columns where a name alone stands for two."""
    names = [law.name for law in laws]
    return [law.title if names.count(law.name) > 1 else law.name for law in laws]


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


def _cuts(size: np.ndarray, shares: Sequence[float]) -> list[float]:
    distinct = np.unique(size)
    if len(distinct) < 3:
        return []
    at = {float(distinct[min(int(q * len(distinct)), len(distinct) - 2)]) for q in shares}
    return sorted(at)


def _held_out(fit: Fit, rows: Selection, used: np.ndarray, seed: int) -> np.ndarray:
    """Squared errors of the points not used, by a fit to those used; NaN where it cannot be."""
    problem = Problem.of(fit.law, rows, fit.objective, fit.known)
    out = np.full(int((~used).sum()), np.nan)
    if used.sum() < problem.p or any(len(np.unique(row[used])) < 2 for row in rows.points.sizes):
        return out
    problem = replace(problem, weights=used.astype(float) * (1.0 if rows.weights is None else rows.weights))
    values = np.array([fit.params[name].value for name in problem.names])
    warm = descend_gradually(problem, problem.model.thetas(values)[None])
    best = solve(problem, FOLD_STARTS, seed)
    theta = warm.theta if warm.converged[0] and warm.value[0] <= best.value[0] else best.theta
    errors = problem.residuals(theta[0])[~used]
    known = np.isin(rows.points.group[~used], rows.points.group[used])
    out[known] = errors[known] ** 2
    return out
