"""What is not known of a fit's parameters: by the covariance, a sandwich, the profile, or the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from superlaw.errors import InputError, nearest
from superlaw.laws.bootstrap import bootstrap
from superlaw.laws.minimum import Minimum
from superlaw.laws.problems.model import FLOOR
from superlaw.laws.profile import profile_ends

METHODS = ("profile", "bootstrap", "sandwich", "none")
REPLICATES = 1000


@dataclass(frozen=True)
class Method:
    """How intervals are made: one of METHODS, the bootstrap with its replicates, seed and threads.

    ``cluster`` is the column of what was drawn independently.
    """

    name: str
    level: float = 0.95
    replicates: int = REPLICATES
    seed: int = 0
    workers: int = 2
    cluster: str | None = None

    def __post_init__(self):
        if self.name not in METHODS:
            raise InputError(f"interval = {self.name!r}", f"one of {', '.join(METHODS)}", nearest(self.name, METHODS))
        if not 0 < self.level < 1:
            raise InputError(f"level = {self.level}", "a number between 0 and 1", "0.95 is usual")
        if self.name == "bootstrap" and self.replicates < 20:
            raise InputError(f"{self.replicates} bootstrap replicates", "at least 20")
        if self.cluster is not None and self.name not in ("bootstrap", "sandwich"):
            raise InputError(
                f"the cluster {self.cluster!r} with interval {self.name}", "bootstrap or sandwich, which know clusters"
            )


def usual_method(robust: bool, cluster: str | None) -> str:
    """The method where none is named: the bootstrap for Huber's loss and clusters, else the profile."""
    return "bootstrap" if cluster is not None or robust else "profile"


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Of the parameters: covariances (p, p), plainly and of log c for coefficients, and ends (p,), NaN for none.

    ``plain`` is the covariance that takes the errors as independent and alike; ``drawn`` are bootstrap replicates
    (R, p); ``record`` says how all was made.
    """

    covariance: np.ndarray
    log_covariance: np.ndarray
    plain: np.ndarray
    low: np.ndarray
    high: np.ndarray
    drawn: np.ndarray | None
    record: dict[str, Any]


def fall_threshold(dispersion: float, dof: int, level: float) -> float:
    """How far the minimised value may rise within an interval: lambda/2 F^-1(level; 1, dof)."""
    return 0.5 * dispersion * float(stats.f.ppf(level, 1, dof))


def uncertainty(best: Minimum, method: Method) -> Uncertainty:
    """What the method says of the parameters at an optimum.

    Raises
    ------
    BetterOptimumError
        Where a profile finds a lower value than the optimum.
    """
    record: dict[str, Any] = {"method": method.name, "level": method.level}
    clusters = best.problem.clusters
    if clusters is not None:
        record |= {"cluster": method.cluster, "clusters": len(set(clusters))}
    J = best.jacobian
    plain = J @ best.covariance() @ J.T
    if best.dof > 0 and method.name == "bootstrap":
        return _resampled(best, method, plain, record)
    covariance, low = plain, np.full(len(J), np.nan)
    high = low
    if best.dof > 0 and method.name == "profile":
        low, high = profile_ends(best, fall_threshold(best.dispersion, best.dof, method.level))
    elif best.dof > 0 and method.name == "sandwich":
        inner = best.sandwich()
        dof = best.dof if clusters is None else len(set(clusters)) - 1
        covariance, (low, high) = J @ inner @ J.T, normal_ends(best, inner, dof, method.level)
    scale = np.where(best.problem.model.log_coordinates, 1 / np.maximum(best.values, FLOOR), 1.0)
    return Uncertainty(covariance, scale[:, None] * covariance * scale, plain, low, high, None, record)


def _resampled(best: Minimum, method: Method, plain: np.ndarray, record: dict[str, Any]) -> Uncertainty:
    drawn, failed = bootstrap(best.problem, best.theta, method.replicates, method.seed, method.workers)
    logged = np.where(best.problem.model.log_coordinates, np.log(np.maximum(drawn, FLOOR)), drawn)
    covariance, log_covariance = (np.cov(x, rowvar=False).reshape(plain.shape) for x in (drawn, logged))
    tail = (1 - method.level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    record |= {"replicates": method.replicates, "failed": failed, "seed": method.seed}
    return Uncertainty(covariance, log_covariance, plain, low, high, drawn, record)


def normal_ends(best: Minimum, covariance: np.ndarray, dof: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """t intervals from a covariance of the coordinates; of log c for coefficients, so that c stays above 0."""
    p = best.problem.p
    low, high = np.empty(p), np.empty(p)
    t = float(stats.t.ppf(0.5 + level / 2, dof))
    for k in range(p):
        pinned, here, sigma = best.pinned(k, covariance)
        model, ends = pinned.model, np.tile(here, (2, 1))
        ends[:, k] = np.clip(here[k] + np.array([-1, 1]) * t * sigma, model.lower[k], model.upper[k])
        low[k], high[k] = model.values(ends)[:, k]
    return low, high
