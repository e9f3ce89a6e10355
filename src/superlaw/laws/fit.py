"""Fit: a law with its parameters, intervals, certificate and warnings; printed, stored and used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from superlaw.errors import DamagedFileError, InputError, nearest
from superlaw.laws import report
from superlaw.laws.certificate import (
    Certificate,
)
from superlaw.laws.forms import Law, law_from
from superlaw.laws.intervals import (
    residual_jacobian,
)
from superlaw.laws.objective import Objective
from superlaw.laws.powers import FLOOR
from superlaw.laws.solve import Problem
from superlaw.laws.table import Selection, as_table, select

FORMAT = 1


@dataclass(frozen=True)
class Estimate:
    """One parameter: its value, standard error and interval; NaN where the method gives none.

    ``naive_stderr`` takes the points as independent, where the others go by clusters.
    """

    value: float
    stderr: float = math.nan
    low: float = math.nan
    high: float = math.nan
    naive_stderr: float = math.nan

    def __str__(self) -> str:
        """The value to the second figure of its standard error."""
        if not (math.isfinite(self.stderr) and self.stderr > 0):
            return f"{self.value:.4g}"
        decimals = max(0, 1 - math.floor(math.log10(self.stderr)))
        return f"{self.value:.{decimals}f} ± {self.stderr:.{decimals}f}"


@dataclass(frozen=True)
class Prediction:
    """A law's loss at given sizes, with a band; shape (n,) each."""

    loss: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of :func:`superlaw.fit_law`. Print it for a report; ``to_dict`` gives JSON.

    Parameters
    ----------
    law : Law
    columns : dict
        The column of the loss and of each part of the law.
    params : dict of str to Estimate
    covariance : ndarray, shape (p, p)
        Of the parameters in the order of ``params``.
    log_covariance : ndarray, shape (p, p)
        The same with log c in place of every c that must be positive: closer to normal.
    objective : float
        Its value at the optimum, as ``objective_name`` states it.
    loss : Objective
        What was minimised.
    n, dof : int
        Points used, and points less parameters that are not at a bound.
    dropped : dict
        How many rows were left out, and by which mask.
    interval : dict
        Method, level, and what belongs to the method (replicates, seed, cluster).
    certificate : Certificate
    warnings : tuple of str
    rms_error : float
        Root mean square of the errors (of log L, or of L).
    ranges : dict
        Lowest and highest size of each column in the data.
    labels : tuple of str
        Groups with an offset each.
    data : Selection, optional
        The points used; not kept in JSON.
    replicates : ndarray, optional
        Bootstrap replicates of the parameters, shape (R, p), to ten figures.
    """

    law: Law
    columns: dict[str, Any]
    params: dict[str, Estimate]
    covariance: np.ndarray
    log_covariance: np.ndarray
    objective: float
    loss: Objective
    n: int
    dof: int
    dropped: dict[str, Any]
    interval: dict[str, Any]
    certificate: Certificate
    warnings: tuple[str, ...]
    rms_error: float
    log_likelihood: float
    ranges: dict[str, tuple[float, float]]
    labels: tuple[str, ...] = ()
    data: Selection | None = field(default=None, repr=False)
    replicates: np.ndarray | None = field(default=None, repr=False)

    @property
    def objective_name(self) -> str:
        """What was minimised, in words."""
        return str(self.loss)

    @property
    def values(self) -> np.ndarray:
        """Parameters, shape (p,)."""
        return np.array([estimate.value for estimate in self.params.values()])

    @property
    def aic(self) -> float:
        """Akaike's criterion of the losses; the scale of the errors counts as a parameter."""
        return 2 * (len(self.params) + 1) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return math.log(self.n) * (len(self.params) + 1) - 2 * self.log_likelihood

    def __getitem__(self, name: str) -> Estimate:
        if name not in self.params:
            raise InputError(f"the parameter {name!r}", "a parameter of the fit", nearest(name, self.params))
        return self.params[name]

    def __str__(self) -> str:
        return report.fit_report(self)

    def predict(self, sizes: Any, level: float | None = None, points: bool = False) -> Prediction:
        """The law's loss at other sizes, with a band.

        Parameters
        ----------
        sizes : DataFrame or mapping of column to values
        level : float, optional
            Of the band; the fit's own by default.
        points : bool
            The band of new points instead of the curve: the errors' spread is added.

        Returns
        -------
        Prediction
            The band is of percentiles over bootstrap replicates where the fit has them; else that of the
            linearised law (of log L where the fit is of log L), by t quantiles.
        """
        level = self.interval["level"] if level is None else level
        problem, at = self._problem_at(sizes)
        theta = at(self.values[None])[0]
        f = problem.model(theta[None])[0]
        covariance = self._coordinate_covariance(problem, theta)
        t = stats.t.ppf(0.5 + level / 2, max(self.dof, 1))
        noise = t * self.rms_error if points else 0.0
        if self.replicates is not None:
            curves = self.loss.target(problem.model(at(self.replicates)))
            ends = np.quantile(curves, [0.5 - level / 2, 0.5 + level / 2], axis=0) - self.loss.target(f)
            below, above = np.hypot(np.minimum(ends[0], 0), noise), np.hypot(np.maximum(ends[1], 0), noise)
        else:
            J = residual_jacobian(problem, theta, self.loss)
            variance = np.einsum("nk,kl,nl->n", J, covariance, J)
            below = above = np.hypot(t * np.sqrt(np.maximum(variance, 0)), noise)
        if self.loss.logarithmic:
            return Prediction(f, f * np.exp(-below), f * np.exp(above))
        return Prediction(f, f - below, f + above)

    def loss_at(self, sizes: Any, values: np.ndarray) -> np.ndarray:
        """The law's loss for other parameters, shape (B, p), at given sizes: shape (B, n)."""
        problem, at = self._problem_at(sizes)
        return problem.model(at(values))

    def _problem_at(self, sizes: Any) -> tuple[Problem, Any]:
        table = as_table(sizes)
        if not len(table):
            raise InputError("no sizes", "at least one row to predict")
        table = table.assign(**{"_": 1.0})
        chosen = select(table, self.law, "_", labels=self.labels or None, logarithmic=False)
        problem = self.law.problem(chosen.points, self.loss.logarithmic)
        order = self.law.order(self.labels)

        def coordinates(values: np.ndarray) -> np.ndarray:
            inner = np.empty_like(values, dtype=float)
            inner[:, order] = values
            return problem.thetas(inner)

        return problem, coordinates

    def _coordinate_covariance(self, problem: Problem, theta: np.ndarray) -> np.ndarray:
        """``log_covariance`` in a problem's own coordinates, of which it is a linear image; shape (p, p)."""
        inside = np.empty(len(theta), dtype=int)
        inside[self.law.order(self.labels)] = np.arange(len(theta))
        covariance = self.log_covariance[np.ix_(inside, inside)]
        scale = np.where(problem.log_coordinates, 1 / np.maximum(problem.values(theta), FLOOR), 1.0)
        back = np.linalg.inv(scale[:, None] * problem.jacobian(theta))
        return back @ covariance @ back.T

    def draws(self, count: int, seed: int = 0) -> tuple[np.ndarray, str]:
        """Parameters drawn from their uncertainty, shape (count, p), and where they come from.

        Bootstrap replicates where the fit has them; else normal draws from the covariance (of log c for
        coefficients), kept within the law's bounds.
        """
        if self.replicates is not None:
            pick = np.random.default_rng(seed).integers(len(self.replicates), size=count)
            return self.replicates[pick], "bootstrap replicates"
        table = {column: list(ends) for column, ends in self.ranges.items()}
        for i, column in enumerate(self.law.groups):
            table[column] = [self.labels[0].split(",")[i]] * 2
        problem, at = self._problem_at(table)
        theta = at(self.values[None])[0]
        covariance = self._coordinate_covariance(problem, theta)
        root = np.linalg.svd((covariance + covariance.T) / 2)
        noise = np.random.default_rng(seed).normal(size=(count, len(theta)))
        drawn = theta + noise * np.sqrt(root.S) @ root.Vh
        drawn = problem.values(np.clip(drawn, problem.lower, problem.upper))
        return drawn[:, self.law.order(self.labels)], "normal draws from the covariance"

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an interval's open end is null."""
        return {
            "format": FORMAT,
            "law": self.law.name,
            "columns": self.columns,
            "offset": getattr(self.law, "offset", True),
            "labels": list(self.labels),
            "params": {
                name: {
                    key: number(getattr(estimate, key))
                    for key in ("value", "stderr", "low", "high", "naive_stderr")
                    if key != "naive_stderr" or "cluster" in self.interval
                }
                for name, estimate in self.params.items()
            },
            "covariance": [[number(x) for x in row] for row in self.covariance],
            "log_covariance": [[number(x) for x in row] for row in self.log_covariance],
            "objective": self.objective,
            "objective_name": self.objective_name,
            "loss": {"name": self.loss.name, "delta": self.loss.delta, "reduction": self.loss.reduction},
            "n": self.n,
            "dof": self.dof,
            "rms_error": self.rms_error,
            "log_likelihood": number(self.log_likelihood),
            "aic": number(self.aic),
            "bic": number(self.bic),
            "ranges": {column: list(ends) for column, ends in self.ranges.items()},
            "dropped": self.dropped,
            "interval": self.interval,
            "certificate": self.certificate.to_dict(),
            "warnings": list(self.warnings),
            **({} if self.replicates is None else {"replicates": self.replicates.tolist()}),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], law: Law | None = None) -> Fit:
        """The inverse of :meth:`to_dict`. A fit of your own function needs its ``law`` again."""
        try:
            if record["format"] != FORMAT:
                raise InputError(f"a fit of format {record['format']}", f"format {FORMAT}", "fit again")
            if law is None:
                law = law_from(record["law"], record["columns"], record["offset"])
            open_ends = {"naive_stderr": math.nan, "stderr": math.nan, "low": -math.inf, "high": math.inf}
            if record["interval"]["method"] == "none":
                open_ends |= {"low": math.nan, "high": math.nan}
            read = lambda entry, key: open_ends.get(key) if entry.get(key) is None else entry[key]  # noqa: E731
            params = {
                name: Estimate(*(read(entry, key) for key in Estimate.__dataclass_fields__))
                for name, entry in record["params"].items()
            }
            likelihood = record["log_likelihood"]
            return cls(
                law=law,
                columns=record["columns"],
                params=params,
                covariance=np.array(record["covariance"], dtype=float).reshape(len(params), len(params)),
                log_covariance=np.array(record["log_covariance"], float).reshape(len(params), len(params)),
                objective=record["objective"],
                loss=Objective(**record["loss"]),
                n=record["n"],
                dof=record["dof"],
                dropped=record["dropped"],
                interval=record["interval"],
                certificate=Certificate.from_dict(record["certificate"]),
                warnings=tuple(record["warnings"]),
                rms_error=record["rms_error"],
                log_likelihood=math.inf if likelihood is None else likelihood,
                ranges={column: tuple(ends) for column, ends in record["ranges"].items()},
                labels=tuple(record["labels"]),
                replicates=np.array(record["replicates"], float) if "replicates" in record else None,
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise DamagedFileError(
                f"a record that is not a fit ({type(error).__name__}: {error})",
                "the JSON of superlaw law fit -o",
                "fit again",
            ) from None


def ten_figures(x: np.ndarray) -> np.ndarray:
    """Rounded to ten significant figures, so that JSON holds the same numbers."""
    place = 10.0 ** (9 - np.floor(np.log10(np.abs(x), where=x != 0, out=np.zeros_like(x))))
    return np.round(x * place) / place


def number(x: float) -> float | None:
    """For JSON, which has no infinity and no NaN."""
    return float(x) if math.isfinite(x) else None


def load_fit(path: str | Path) -> Fit:
    """Read the JSON of a fit.

    Raises
    ------
    InputError
        When there is no such file, or it holds no fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}, which does not exist", "the JSON of superlaw law fit -o", "check the path")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DamagedFileError(f"{path} ({error})", "the JSON of superlaw law fit -o", "fit again") from None
    return Fit.from_dict(record)
