"""Fit: a law with its parameters, intervals, certificate and warnings; printed, stored and used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from superlaw.errors import DamagedFileError, InputError, nearest
from superlaw.files.columns import in_columns
from superlaw.files.notebook import Shown
from superlaw.files.records import json_ready, read_json
from superlaw.laws import report
from superlaw.laws.certificate import Certificate
from superlaw.laws.estimate import Estimate
from superlaw.laws.fit_record import is_fit
from superlaw.laws.known import Known
from superlaw.laws.law import Law, Points
from superlaw.laws.linear import Linear
from superlaw.laws.minimum import Minimum
from superlaw.laws.objective import Objective
from superlaw.laws.problems.model import FLOOR
from superlaw.laws.problems.problem import Problem
from superlaw.laws.separate import SeparateLaw
from superlaw.laws.stored import FORMAT, MOST_POINTS, parts_of, points_record
from superlaw.laws.tables import Selection, points_of

if TYPE_CHECKING:
    import pandas as pd

STATED = (  # in JSON as they are here
    *("n", "dof", "rms_error", "log_likelihood", "aic", "bic"),
    *("ranges", "dropped", "interval", "certificate", "warnings"),
)


@dataclass(frozen=True)
class PredictedLoss:
    """A law's loss at given sizes, with a band; shape (n,) each."""

    loss: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit(Shown):
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
    objective : Objective
        What was minimised.
    objective_value : float
        Its value at the optimum, as ``objective_name`` states it.
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
    notes : tuple of str
        What was decided when the table was read.
    data : Selection, optional
        The points used: their sizes, losses, weights and clusters. Not in JSON before format 2.
    replicates : ndarray, optional
        Bootstrap replicates of the parameters, shape (R, p), to ten figures.
    known : Known
        What was given of the parameters. One that is fixed has a standard error of 0 and no covariance.
    prior_strength : float, optional
        By what dispersion of the errors priors were weighed (problems/prior.py).
    difference : dict, optional
        Of a law with separate parameters: whether these differ (difference.py), and in words.
    """

    law: Law
    columns: dict[str, Any]
    params: dict[str, Estimate]
    covariance: np.ndarray
    log_covariance: np.ndarray
    objective: Objective
    objective_value: float
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
    notes: tuple[str, ...] = ()
    data: Selection | None = field(default=None, repr=False)
    replicates: np.ndarray | None = field(default=None, repr=False)
    known: Known = field(default_factory=Known)
    prior_strength: float | None = None
    difference: dict[str, Any] | None = None

    @property
    def objective_name(self) -> str:
        """What was minimised, in words."""
        return str(self.objective)

    @property
    def values(self) -> np.ndarray:
        """Parameters, shape (p,)."""
        return np.array([estimate.value for estimate in self.params.values()])

    @property
    def aic(self) -> float:
        """Akaike's criterion of the losses; the scale of the errors counts as a parameter."""
        return 2 * (len(self.estimated) + 1) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return math.log(self.n) * (len(self.estimated) + 1) - 2 * self.log_likelihood

    @property
    def estimated(self) -> tuple[str, ...]:
        """The parameters that are neither fixed nor tied to others."""
        return self.known.free(tuple(self.params))

    def __getitem__(self, name: str) -> Estimate:
        if name not in self.params:
            raise InputError(f"the parameter {name!r}", "a parameter of the fit", nearest(name, self.params))
        return self.params[name]

    @property
    def free_values(self) -> np.ndarray:
        """Those of ``estimated``, shape (q,)."""
        return np.array([self.params[name].value for name in self.estimated])

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table of parameters that is printed: header and rows."""
        return report.parameter_cells(self.params, self.interval, self.known)

    def __repr__(self) -> str:
        known = ", ".join(f"{name} = {estimate}" for name, estimate in self.params.items())
        count = len(self.warnings)
        return f"Fit({self.law.name}: {known}; {self.n} points, {count} warning{'s' * (count != 1)})"

    def plot(self, kind: str = "sizes", ax: Any = None, **options: Any) -> Any:
        """Draw a figure of the fit with matplotlib, on axes of yours or new ones: see :func:`superlaw.plot_law`."""
        import superlaw

        return superlaw.plot_law(self, kind, ax, **options)

    def __str__(self) -> str:
        what = "log L" if self.objective.logarithmic else "L"
        return "\n".join([
            f"{self.law.formula}   loss: {self.columns['loss']}",
            *(f"WARNING: {warning}" for warning in self.warnings),
            "",
            in_columns(*self.cells),
            "",
            f"intervals: {report.interval_words(self.interval)}",
            report.points_words(self.n, self.dropped),
            *([f"table: {'; '.join(self.notes)}"] if self.notes else []),
            f"objective: {self.objective_value:.8g}, {self.objective_name}; rms error of {what} {self.rms_error:.4g}; "
            f"{self.dof} degrees of freedom; "
            + (f"AIC {self.aic:.2f}, BIC {self.bic:.2f}" if math.isfinite(self.aic) else "no errors for AIC and BIC"),
            report.certificate_words(self.certificate),
            *([] if self.difference is None else [self.difference["verdict"]]),
        ])  # fmt: skip

    def loss_at(self, sizes: Any, values: np.ndarray | None = None) -> np.ndarray:
        """The law's loss at given sizes, shape (B, n), for parameters (B, p) [the fit's own, B = 1].

        Parameters
        ----------
        sizes : DataFrame, mapping of column to values, or Points
            Sizes of Points may be infinite (the term is gone), or of shape (columns, B, n).
        """
        points = sizes if isinstance(sizes, Points) else self.points_at(sizes)
        values = self.values[None] if values is None else np.asarray(values, dtype=float)
        losses = self.law.losses(points, [values[:, k, None] for k in range(values.shape[1])])
        losses = np.maximum(losses, FLOOR) if self.objective.logarithmic else losses
        return np.broadcast_to(losses, (len(values), points.sizes.shape[-1]))

    def of_group(self, label: str) -> Fit:
        """Of a fit with separate parameters that of one group by itself: of the inner law, without points."""
        if not isinstance(self.law, SeparateLaw):
            raise InputError(f"the group {label!r} of the law {self.law.name}", "a fit with separate parameters")
        if label not in self.labels:
            raise InputError(f"the group {label!r}", "a group of the fit", nearest(label, self.labels))
        names, inner = list(self.params), self.law.inner
        at = self.law.places(self.labels)[self.labels.index(label)]
        own = dict(zip((names[k] for k in at), inner.names(), strict=True))
        known = self.known.of_each(own)
        dof = dict(zip(self.estimated, self.interval.get("dof", ()), strict=False))
        mine = [
            dof.get(self.known.root(name)[0] or "", float(self.dof))
            for name in own
            if own[name] in known.free(list(own.values()))
        ]
        return replace(
            self,
            law=inner,
            params={new: self.params[old] for old, new in own.items()},
            covariance=self.covariance[np.ix_(at, at)],
            log_covariance=self.log_covariance[np.ix_(at, at)],
            replicates=None if self.replicates is None else self.replicates[:, at],
            interval=self.interval | ({"dof": mine} if dof else {}),
            labels=(),
            data=None,
            known=known,
            difference=None,
        )

    def points_at(self, sizes: Any) -> Points:
        """A table of sizes (and groups) as points of the law, each cell checked."""
        return points_of(sizes, self.law, self.labels)

    def predict(self, sizes: Any, level: float | None = None, points: bool = False) -> PredictedLoss:
        """The law's loss at other sizes, with a band.

        Parameters
        ----------
        sizes : DataFrame, mapping of column to values, or Points
        level : float, optional
            Of the band; the fit's own by default.
        points : bool
            The band of new points instead of the curve: the errors' spread is added.

        Returns
        -------
        PredictedLoss
            The band is of percentiles over bootstrap replicates where the fit has them; else that of the
            linearised law (of log L where the fit is of log L), by t quantiles: of a sandwich with the degrees of
            freedom of each prediction, where the fit has its points.
        """
        inside: float = self.interval["level"] if level is None else level
        at = sizes if isinstance(sizes, Points) else self.points_at(sizes)
        logarithmic = self.objective.logarithmic
        f = self.loss_at(at)[0]
        dof = max(self.dof, 1)
        noise = special.stdtrit(dof, 0.5 + inside / 2) * self.rms_error * math.sqrt(self.n / dof) if points else 0.0
        if self.replicates is not None:
            curves = self.objective.target(self.loss_at(at, self.replicates))
            ends = np.quantile(curves, [0.5 - inside / 2, 0.5 + inside / 2], axis=0) - self.objective.target(f)
            below, above = np.hypot(np.minimum(ends[0], 0), noise), np.hypot(np.maximum(ends[1], 0), noise)
        else:
            below = above = np.hypot(self.linear.reach(self.linear.slopes(at), inside), noise)
        return PredictedLoss(f, *((f * np.exp(-below), f * np.exp(above)) if logarithmic else (f - below, f + above)))

    @property
    def _fewest_dof(self) -> float:
        """Degrees of freedom of the least certain parameter."""
        return min(self.interval.get("dof", [max(self.dof, 1)]))

    @cached_property
    def linear(self) -> Linear:
        """The law as a linear regression at these parameters."""
        best = None if self.data is None else self.minimum()
        return Linear(self.law, self.objective, self.labels, self.values, self.log_covariance, self._fewest_dof, best,
                      self.interval["method"] == "sandwich")  # fmt: skip

    @property
    def takes_errors_as_alike(self) -> bool:
        """Whether its intervals rest on errors that are independent and alike."""
        return self.interval["method"] in ("profile", "none")

    def points(self) -> Selection:
        """The points of the fit.

        Raises
        ------
        InputError
            Where it has none: it was read from a file of format 1, or has more than are kept.
        """
        if self.data is None:
            raise InputError("a fit without its points (written before format 2, or of too many)", "a fit with them",
                             "fit again: superlaw law fit TABLE ... -o FIT")  # fmt: skip
        return self.data

    def errors(self) -> np.ndarray:
        """Measured less fitted at each of its points, of log L or of L as the objective has them, shape (n,).

        Raises
        ------
        InputError
            For a fit without its points.

        Examples
        --------
        >>> from superlaw import PowerLaw, fit_law
        >>> width = np.array([8.0, 16, 32, 64, 128, 256])
        >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1 + 0.01 * np.cos(width)}, PowerLaw("width"))
        >>> print(f"{np.sqrt((fit.errors() ** 2).mean()):.6f} {fit.rms_error:.6f}")
        0.003796 0.003796
        """
        used = self.points()
        return self.objective.target(used.losses) - self.objective.target(self.loss_at(used.points)[0])

    def minimum(self) -> Minimum:
        """The optimum over the fit's points, with what intervals need there."""
        problem = Problem.of(self.law, self.points(), self.objective, self.known)
        theta = problem.model.thetas(self.free_values)
        if problem.prior is not None and self.prior_strength is not None:
            problem = replace(problem, prior=replace(problem.prior, strength=self.prior_strength))
        value = float(problem.assemble(theta[None])[0][0])
        return Minimum.at(problem, theta, value)

    def draws(self, count: int, seed: int = 0) -> tuple[np.ndarray, str]:
        """Parameters drawn from their uncertainty, shape (count, p), and where they come from.

        Bootstrap replicates where the fit has them; else normal draws from the covariance (of log c for
        coefficients), kept within the law's bounds; of a sandwich, t draws of its fewest degrees of freedom.
        """
        if self.replicates is not None:
            pick = np.random.default_rng(seed).integers(len(self.replicates), size=count)
            return self.replicates[pick], "bootstrap replicates"
        sizes = np.array([self.ranges[column] for column in self.law.sizes])
        few = self._fewest_dof if "dof" in self.interval else None
        words = "normal draws from the covariance"
        if few is not None:
            words = f"t draws ({few:.3g} degrees of freedom) from the covariance"
        drawn = self.linear.draws(Points(sizes, np.zeros(2, int), self.labels), count, seed, few)
        return self.known.kept(drawn, tuple(self.params)), words

    def to_frame(self) -> pd.DataFrame:
        """The parameters as a table: value, errors and interval, and whether the data determine an exponent.

        Returns
        -------
        DataFrame
            A row a parameter; ``value``, ``stderr``, ``low``, ``high`` (without intervals: left out), ``naive_stderr``
            (of a fit by clusters) and ``determined``: yes, poorly or not.

        Examples
        --------
        >>> from superlaw import PowerLaw, fit_law
        >>> width = np.array([8.0, 16, 32, 64, 128, 256])
        >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1}, PowerLaw("width"))
        >>> fit.to_frame()["value"].round(6).to_dict()
        {'C': 3.0, 'a': 0.5, 'L_0': 1.0}
        """
        import pandas as pd

        shown = ["value", "stderr", *(["low", "high"] if self.interval["method"] != "none" else [])]
        shown += ["naive_stderr"] if "cluster" in self.interval else []
        rows = {name: {column: getattr(estimate, column) for column in shown} for name, estimate in self.params.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=shown).rename_axis("parameter")
        return frame.assign(determined=[self.certificate.flat.get(name, "yes") for name in self.params])

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an interval's open end is null."""
        naive = () if "cluster" in self.interval else ("naive_stderr",)
        return json_ready({
            "format": FORMAT,
            "law": self.law.name,
            "columns": self.columns,
            "offset": getattr(self.law, "offset", True),
            "labels": self.labels,
            "params": {
                name: {key: value for key, value in asdict(estimate).items() if key not in naive}
                for name, estimate in self.params.items()
            },
            "covariance": self.covariance,
            "log_covariance": self.log_covariance,
            "objective": self.objective_value,
            "objective_name": self.objective_name,
            "loss": self.objective.to_dict(),
            **{name: getattr(self, name) for name in STATED},
            **({} if self.data is None or self.n > MOST_POINTS else {"points": points_record(self.law, self.data)}),
            **({"notes": self.notes} if self.notes else {}),
            **({} if self.replicates is None else {"replicates": self.replicates}),
            **({"known": self.known.to_dict()} if self.known else {}),
            **({} if self.prior_strength is None else {"prior_strength": self.prior_strength}),
            **({} if not isinstance(self.law, SeparateLaw) else {
                "separate": {"by": self.law.by, "parameters": self.law.separate}}),
            **({} if self.difference is None else {"difference": self.difference}),
        })  # fmt: skip

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], law: Law | None = None) -> Fit:
        """The inverse of :meth:`to_dict`. A fit of your own function needs its ``law`` again."""
        return cls(**parts_of(record, law))


def load_fit(path: str | Path) -> Fit:
    """Read the JSON of a fit.

    Raises
    ------
    InputError
        When there is no such file, or it holds no fit.
    """
    return Fit.from_dict(read_json(path, "the JSON of superlaw law fit -o", "fit again", DamagedFileError))


def fit_in(path: str | Path) -> Fit | None:
    """The fit that a JSON file holds; None of a file that is none, which may be a table of runs.

    Raises
    ------
    InputError
        For a fit that is damaged, and a JSON file that cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    record = read_json(path, "the JSON of superlaw law fit -o, or a table of runs", finite=False)
    return Fit.from_dict(record) if is_fit(record) else None
