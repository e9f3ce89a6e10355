"""What is not known of a fit's parameters: by the covariance, a sandwich, the profile, or the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from superlaw.errors import InputError, closest
from superlaw.laws.bootstrap import bootstrap
from superlaw.laws.minimum import Minimum
from superlaw.laws.objective import Objective
from superlaw.laws.problems.model import FLOOR
from superlaw.laws.profile import profile_ends
from superlaw.laws.sandwich import Sandwich, sandwich

FEWEST_REPLICATES = 2  # that converged, for a covariance and percentiles to exist
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
            raise InputError(f"interval = {self.name!r}", f"one of {', '.join(METHODS)}", closest(self.name, METHODS))
        if not 0 < self.level < 1:
            raise InputError(f"level = {self.level}", "a number between 0 and 1", "0.95 is usual")
        if self.name == "bootstrap" and self.replicates < 20:
            raise InputError(f"{self.replicates} bootstrap replicates", "at least 20")
        if self.cluster is not None and self.name not in ("bootstrap", "sandwich"):
            raise InputError(
                f"the cluster {self.cluster!r} with interval {self.name}", "bootstrap or sandwich, which know clusters"
            )


def usual_method(objective: Objective, cluster: str | None) -> str:
    """The method where none is named: the sandwich, for Huber's loss without clusters the bootstrap, for an envelope,
    whose few lowest points no method knows the errors of, none."""
    if objective.envelope:
        return "none"
    return "bootstrap" if objective.robust and cluster is None else "sandwich"


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


def fall_threshold(dispersion: Any, dof: Any, level: float) -> Any:
    """How far the minimised value may rise within an interval: lambda/2 F^-1(level; 1, dof)."""
    return 0.5 * dispersion * special.fdtri(1, dof, level)


@np.errstate(all="ignore")  # of laws that overflow at the ends of what is possible
def uncertainty(best: Minimum, method: Method, settled: bool = True) -> Uncertainty:
    """What the method says of the parameters at an optimum; of a place that is none (not ``settled``), no intervals.

    Raises
    ------
    BetterOptimumError
        Where a profile finds a lower value than the optimum.
    """
    name = method.name if settled else "none"
    record: dict[str, Any] = {"method": name, "level": method.level} | ({} if settled else {"asked": method.name})
    clusters = best.problem.clusters
    if clusters is not None:
        record |= {"cluster": method.cluster, "clusters": len(set(clusters))}
    J = best.jacobian
    plain = J @ best.covariance() @ J.T
    if best.dof > 0 and name == "bootstrap":
        return _resampled(best, method, plain, record)
    covariance, low = plain, np.full(len(J), np.nan)
    high = low
    if best.dof > 0 and name == "profile":
        low, high = profile_ends(best, fall_threshold(best.dispersion, best.dof, method.level))
    elif best.dof > 0 and name == "sandwich":
        found = sandwich(best)
        covariance, (low, high) = J @ found.covariance @ J.T, sandwich_ends(best, found, method.level)
        record["dof"] = [round(float(dof), 2) for dof in found.dof]
    scale = np.where(best.problem.model.log_coordinates, 1 / np.maximum(best.values, FLOOR), 1.0)
    return Uncertainty(covariance, scale[:, None] * covariance * scale, plain, low, high, None, record)


def _resampled(best: Minimum, method: Method, plain: np.ndarray, record: dict[str, Any]) -> Uncertainty:
    drawn, count, failed = bootstrap(best.problem, best.theta, method.replicates, method.seed, method.workers)
    record |= {"replicates": count, "failed": failed, "seed": method.seed}
    record |= {"asked_replicates": method.replicates} if count < method.replicates else {}
    if len(drawn) < FEWEST_REPLICATES:
        none = np.full(best.problem.p, np.nan)
        scale = np.where(best.problem.model.log_coordinates, 1 / np.maximum(best.values, FLOOR), 1.0)
        return Uncertainty(plain, scale[:, None] * plain * scale, plain, none, none, None, record)
    logged = np.where(best.problem.model.log_coordinates, np.log(np.maximum(drawn, FLOOR)), drawn)
    covariance, log_covariance = (np.cov(x, rowvar=False).reshape(plain.shape) for x in (drawn, logged))
    tails = percentile_tails(best, method.level)
    low, high = (
        np.array([np.quantile(x, q) for x, q in zip(drawn.T, ends, strict=True)]) for ends in (tails, 1 - tails)
    )
    return Uncertainty(covariance, log_covariance, plain, low, high, drawn, record)


def percentile_tails(best: Minimum, level: float) -> np.ndarray:
    """The share of replicates beyond each end of every parameter's interval, shape (p,).

    Replicates scatter as normal errors would, but their scale is known by few degrees of freedom: for squares the
    percentiles are those at which a normal variable reaches the t quantile [Hesterberg]. For Huber's loss plain
    percentiles are wide enough.
    """
    if best.problem.objective.robust:
        return np.full(best.problem.p, (1 - level) / 2)
    return np.asarray(special.ndtr(special.stdtrit(sandwich(best).dof, (1 - level) / 2)))


def sandwich_ends(best: Minimum, found: Sandwich, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends (p,) by the sandwich's variances: of the profile that rises as they say, for Huber's loss of t intervals."""
    if best.problem.objective.robust:
        return _normal_ends(best, found, level)
    return profile_ends(best, fall_threshold(found.dispersion, found.dof, level))


def _normal_ends(best: Minimum, found: Sandwich, level: float) -> tuple[np.ndarray, np.ndarray]:
    """t intervals from a covariance of the coordinates; of log c for coefficients, so that c stays above 0."""
    p = best.problem.p
    low, high = np.empty(p), np.empty(p)
    for k, reach in enumerate(special.stdtrit(found.dof, 0.5 + level / 2) * np.sqrt(found.variance)):
        pinned, here, _ = best.pinned(k)
        model, ends = pinned.model, np.tile(here, (2, 1))
        ends[:, k] = np.clip(here[k] + np.array([-1, 1]) * reach, model.lower[k], model.upper[k])
        low[k], high[k] = model.values(ends)[:, k]
    return low, high
