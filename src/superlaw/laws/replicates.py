"""Noise between seeds against a law's lack of fit, and seeds' noise apart from that of the evaluation.

Runs of the same sizes differ by their seeds alone. The squares of a least-squares fit split into those about the mean
of each size (pure error) and the rest (lack of fit); if the law holds, the ratio of their means has Fisher's F
distribution, as in a linear regression (Draper and Smith, *Applied Regression Analysis*, 1998, section 2.1). With
several evaluations of a run, or with the standard error of each, the pure error splits again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from superlaw.errors import InputError
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.records import json_ready
from superlaw.laws.cells import numbers, row_name, written
from superlaw.laws.fit import fit_law
from superlaw.laws.forms import law_of
from superlaw.laws.law import Law, Points
from superlaw.laws.objective import objective_of
from superlaw.laws.optimum import Triple
from superlaw.laws.problems.problem import Problem
from superlaw.laws.result import Fit
from superlaw.laws.solve import solve
from superlaw.laws.tables import DROP, as_table, with_columns, without_gaps

DRAWS = 20_000  # of the intervals of components


@dataclass(frozen=True)
class Replicates(Shown):
    """What repeated runs say.

    Parameters
    ----------
    runs, sizes, repeated : int
        Runs, different sizes, and sizes that were run more than once.
    seeds : Triple
        Deviation between seeds (of log L, or of L), evaluation apart where it is known, with an interval.
    evaluation : Triple or None
        Deviation of an evaluation; NaN ends where it was stated, not measured.
    misfit : Triple
        Deviation of the law's own error at a size, beyond the noise.
    F, p : float
        Lack of fit against pure error, and the chance of so large an F if the law holds.
    dof : (int, int)
        Of lack of fit, and of pure error.
    errors_of : str
    level : float
    fit : Fit
        Least squares, of all rows.
    """

    runs: int
    sizes: int
    repeated: int
    seeds: Triple
    evaluation: Triple | None
    misfit: Triple
    F: float
    p: float
    dof: tuple[int, int]
    errors_of: str
    level: float
    fit: Fit

    @property
    def verdict(self) -> str:
        """One sentence."""
        if math.isnan(self.p):
            return "as many parameters as sizes: no lack of fit to test"
        if self.p < 0.01:
            return (
                f"the law does not hold to the scatter of seeds (F = {self.F:.3g}, p = {self.p:.2g}): intervals that "
                "take its errors as noise do not cover what it misses"
            )
        if self.p < 0.05:
            return f"a hint that the law does not hold to the scatter of seeds (F = {self.F:.3g}, p = {self.p:.2g})"
        return f"no lack of fit beyond the scatter of seeds (F = {self.F:.3g}, p = {self.p:.2g})"

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table that is printed: header and rows."""
        header = ["part of the error", f"deviation of {self.errors_of}", f"{self.level:.4g} low", "high"]
        parts = [("between seeds", self.seeds), ("of an evaluation", self.evaluation), ("the law's lack of fit",
                                                                                        self.misfit)]  # fmt: skip
        rows = [[name, *("-" if math.isnan(x) else f"{x:.3g}" for x in t)] for name, t in parts if t is not None]
        return header, rows

    def __str__(self) -> str:
        return "\n".join([
            f"{self.runs} runs at {self.sizes} sizes, {self.repeated} of them repeated; {self.dof[1]} degrees of "
            f"freedom between seeds, {self.dof[0]} of lack of fit",
            in_columns(*self.cells),
            self.verdict,
        ])  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        parts = {
            name: None if t is None else t.to_dict()
            for name, t in (("seeds", self.seeds), ("evaluation", self.evaluation), ("misfit", self.misfit))
        }
        return json_ready({**{name: getattr(self, name) for name in
                              ("runs", "sizes", "repeated", "F", "p", "dof", "errors_of", "level", "verdict")},
                           **parts, "fit": self.fit.to_dict()})  # fmt: skip


def replicates(
    table: Any,
    law: Law | str,
    loss: str = "loss",
    *,
    run: str | None = None,
    errors: str | None = None,
    objective: str = "log-ls",
    where: str | Sequence[str] | None = None,
    drop_highest: int = 0,
    missing: str = "refuse",
    level: float = 0.95,
    seed: int = 0,
) -> Replicates:
    """The noise between seeds, apart from that of evaluation, and whether the law fits to it.

    Parameters
    ----------
    table, law, loss, where, drop_highest, missing
        As in :func:`superlaw.fit_law`.
    run : str, optional
        Column that names the trained run: several rows of one run are evaluations of it.
    errors : str, optional
        Column of the standard error of each loss's evaluation.
    objective : {"log-ls", "ls"}
        Errors of log L, or of L.
    level : float
        Of the intervals.
    seed : int
        Of the draws behind the intervals.

    Raises
    ------
    InputError
        Where no sizes were run twice, or both ``run`` and ``errors`` are given.

    Examples
    --------
    >>> rng, x = np.random.default_rng(0), np.repeat(np.geomspace(10, 1e4, 8), 3)
    >>> found = replicates({"m": x, "loss": (5 / x**0.5 + 1) * np.exp(0.02 * rng.normal(size=24))}, "power:m")
    >>> found.dof, round(found.seeds.value, 3)
    ((5, 16), 0.015)
    """
    if run is not None and errors is not None:
        raise InputError("a column of runs and one of errors", "one of the two: evaluations repeated, or their errors")
    if objective_of(objective).robust:
        raise InputError(f"objective = {objective}", "log-ls or ls: the split of squares is that of least squares")
    law = law_of(law)
    table = with_columns(as_table(table), (loss, *law.sizes, *law.groups, run, errors))
    table = without_gaps(table, (loss, run, errors), loss) if missing == DROP else table
    fit = fit_law(table, law, loss, objective=objective, where=where, drop_highest=drop_highest, missing=missing,
                  interval="none", level=level, seed=seed)  # fmt: skip
    used = fit.points()
    y = fit.objective.target(used.losses)
    rows = table.iloc[used.rows]
    cell = _codes(np.vstack([used.points.sizes, used.points.group]).T)
    names = np.arange(len(y)) if run is None else _codes(np.vstack([cell, _text_codes(rows[run])]).T)
    split = _Split.of(y, cell, names)
    if split.between_dof < 1:
        raise InputError("no sizes that were run twice", "two or more seeds of some sizes",
                         "rows of one run do not count as seeds" if run else "")  # fmt: skip
    stated = None
    if errors is not None:
        of_each = _stated_errors(table, errors, used.rows) / (used.losses if fit.objective.logarithmic else 1.0)
        stated = float((of_each**2).mean())
    return _found(fit, split, stated, used.points, level, seed)


@dataclass(frozen=True, eq=False)
class _Split:
    """Sums of squares: within runs (evaluations), between runs of one size (seeds), and the means of runs."""

    within: float
    within_dof: int
    between: float
    between_dof: int
    evaluations: float  # of a run, on average as the mean square between runs counts them
    means: np.ndarray
    cell: np.ndarray  # the size of each run
    first: np.ndarray  # a row of each run

    @classmethod
    def of(cls, y: np.ndarray, cell: np.ndarray, run: np.ndarray) -> _Split:
        counts = np.bincount(run)
        means = np.bincount(run, y) / counts
        within = float(((y - means[run]) ** 2).sum())
        _, first = np.unique(run, return_index=True)
        of_run = cell[first]
        sizes = np.bincount(of_run, counts)  # rows of a size
        middle = np.bincount(of_run, counts * means) / sizes
        between = float((counts * (means - middle[of_run]) ** 2).sum())
        runs, cells = len(counts), len(sizes)
        dof = runs - cells
        share = (np.bincount(of_run, counts**2) / sizes).sum()
        evaluations = float((len(y) - share) / dof) if dof else 1.0
        return cls(within, len(y) - runs, between, dof, evaluations, means, of_run, first)


def _codes(keys: np.ndarray) -> np.ndarray:
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def _text_codes(column: Any) -> np.ndarray:
    if column.isna().any():
        raise InputError(f"an empty cell in the column {column.name!r}", "the name of a run in every row")
    return np.unique(column.astype(str).to_numpy(), return_inverse=True)[1]


def _stated_errors(table: Any, column: str, rows: np.ndarray) -> np.ndarray:
    """Standard errors of evaluations, (n,); one of 0 is an evaluation without noise."""
    errors = numbers(table, column, rows, positive=False)
    if (below := np.flatnonzero(errors < 0)).size:
        first = int(rows[below[0]])
        raise InputError(f"{written(table[column].iloc[first])} in {row_name(table, first)}, column {column!r}",
                         "a standard error of 0 or more")  # fmt: skip
    return errors


def _found(fit: Fit, split: _Split, stated: float | None, points: Points, level: float, seed: int) -> Replicates:
    rng, tails = np.random.default_rng(seed), [0.5 - level / 2, 0.5 + level / 2]

    def deviation(variance: float, draws: np.ndarray) -> Triple:
        low, high = np.quantile(np.maximum(draws, 0), tails)
        return Triple(math.sqrt(max(variance, 0)), math.sqrt(low), math.sqrt(high))

    # What each variance may be, given its squares: squares over a chi-squared variable (the fiducial argument).
    pure = split.between / split.between_dof
    pure_draws = split.between / rng.chisquare(split.between_dof, DRAWS)
    evaluation, own, own_draws = None, 0.0, np.zeros(DRAWS)
    if split.within_dof > 0:
        own = split.within / split.within_dof
        own_draws = split.within / rng.chisquare(split.within_dof, DRAWS)
        evaluation = deviation(own, own_draws)
    elif stated is not None:
        own, own_draws = stated, np.full(DRAWS, stated)
        evaluation = Triple(math.sqrt(stated), math.nan, math.nan)
    seeds = deviation((pure - own) / split.evaluations, (pure_draws - own_draws) / split.evaluations)
    # The law against the means of runs, each as one observation.
    runs = len(split.means)
    cells = np.bincount(split.cell)
    squares, free = _least_squares(fit, points[split.first], split.means)
    middle = np.bincount(split.cell, split.means) / cells
    scatter = float(((split.means - middle[split.cell]) ** 2).sum())
    dof = len(cells) - free
    between = scatter / split.between_dof
    lack = max(squares - scatter, 0.0)
    nothing = Triple(math.nan, math.nan, math.nan)
    F = p = math.nan
    misfit = nothing
    if dof > 0:
        F = lack / dof / between if between > 0 else math.inf
        p = float(stats.f.sf(F, dof, split.between_dof))
        each = (runs - (cells**2).sum() / runs) / max(len(cells) - 1, 1)  # runs of a size
        draws = lack / rng.chisquare(dof, DRAWS) - scatter / rng.chisquare(split.between_dof, DRAWS)
        misfit = deviation((lack / dof - between) / each, draws / each)
    what = "log L" if fit.objective.logarithmic else "L"
    return Replicates(runs, len(cells), int((cells > 1).sum()), seeds, evaluation, misfit, F, p,
                      (max(dof, 0), split.between_dof), what, level, fit)  # fmt: skip


def _least_squares(fit: Fit, points: Points, means: np.ndarray) -> tuple[float, int]:
    """The law's least squares over means of runs, and the number of its free parameters."""
    problem = Problem.over(fit.law, points, means, fit.objective)
    found = solve(problem, 8, 0, problem.model.thetas(fit.values)[None])
    theta = found.theta[0]
    free = int(((theta > problem.model.lower) & (theta < problem.model.upper)).sum())
    return 2 * float(found.value[0]), free
