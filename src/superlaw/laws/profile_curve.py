"""The profile of one parameter as a curve: how far the minimised objective rises when it is held elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.laws.intervals import fall_threshold
from superlaw.laws.problems.problem import Problem
from superlaw.laws.result import Fit
from superlaw.laws.sandwich import sandwich
from superlaw.laws.solve import descend

POINTS = 41
WIDER = 1.4  # than the interval, to either side


@dataclass(frozen=True, eq=False)
class ProfileCurve:
    """The profile of a parameter.

    Parameters
    ----------
    name : str
    values : ndarray, shape (n,)
        At which the parameter was held, ascending, its estimate among them.
    rise : ndarray, shape (n,)
        2 (F - F_min) / lambda, which an interval's level bounds: lambda the residual variance, or for a sandwich what
        it becomes by the sandwich's variance of this parameter.
    bound : float
        The rise at the ends of the interval of the fit's level.
    others : dict of str to ndarray
        The other parameters where the objective is least.
    """

    name: str
    values: np.ndarray
    rise: np.ndarray
    bound: float
    others: dict[str, np.ndarray]


def profile_curve(fit: Fit, name: str, low: float | None = None, high: float | None = None) -> ProfileCurve:
    """Hold a parameter at values about its estimate and solve for all others.

    Parameters
    ----------
    fit : Fit
        With its points.
    name : str
        A parameter.
    low, high : float, optional
        Ends of the values; by default somewhat beyond the interval.

    Raises
    ------
    InputError
        For an unknown parameter, a fit without points, or one without degrees of freedom.

    Examples
    --------
    >>> x = np.geomspace(10, 1e4, 12)
    >>> from superlaw import fit_law
    >>> fit = fit_law({"m": x, "loss": 5 / x**0.5 + 1 + 0.01 * np.cos(x)}, "power:m")
    >>> curve = profile_curve(fit, "a")
    >>> float(curve.rise.min()), bool((curve.rise[[0, -1]] > curve.bound).all())
    (0.0, True)
    """
    if name not in fit.params:
        raise InputError(f"the parameter {name!r}", "a parameter of the fit", nearest(name, fit.params))
    if name not in fit.estimated:
        raise InputError(f"the parameter {name}, which is given ({fit.known.words(name)})", "one that is estimated")
    best, k = fit.minimum(), fit.estimated.index(name)
    if best.dof < 1 or best.exact:
        raise InputError("a fit that leaves no errors", "one whose errors are known", "more points")
    level = fit.interval["level"]
    dispersion, dof = best.dispersion, float(best.dof)
    if not fit.takes_errors_as_alike:
        found = sandwich(best)
        dispersion, dof = float(found.dispersion[k]), float(found.dof[k])
    pinned, here, _ = best.pinned(k)
    estimate, error = fit[name], fit[name].stderr
    ends = [estimate.low, estimate.high]
    if not np.isfinite(ends).all():
        ends = [estimate.value - 3 * error, estimate.value + 3 * error]
    if pinned.model.log_coordinates[k]:
        ends = list(np.exp(_around(np.log(estimate.value), *np.log(np.maximum(ends, 1e-300)))))
    else:
        ends = list(_around(estimate.value, *ends))
    first, last = ends[0] if low is None else low, ends[1] if high is None else high
    if not first < estimate.value < last:
        raise InputError(f"values of {name} from {first:g} to {last:g}", f"ends about its estimate {estimate.value:g}")
    values = np.unique(np.append(np.linspace(first, last, POINTS), estimate.value))
    held = _held(pinned, k, here, values, int(np.searchsorted(values, estimate.value)))
    rise = 2 * np.maximum(held[1] - best.value, 0.0) / dispersion
    bound = 2 * float(fall_threshold(1.0, dof, level))
    parameters = pinned.expand(pinned.model.values(held[0]))
    others = {other: parameters[:, i] for i, other in enumerate(fit.params) if other != name}
    return ProfileCurve(name, values, rise, bound, others)


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    return value - WIDER * (value - low), value + WIDER * (high - value)


def _held(problem: Problem, k: int, here: np.ndarray, values: np.ndarray, middle: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (n, p) and values (n,) with parameter k held, each from its neighbour nearer to the estimate."""
    fixed = np.arange(problem.p) == k
    where = np.log(values) if problem.model.log_coordinates[k] else values
    where = np.clip(where, problem.model.lower[k], problem.model.upper[k])
    theta, least = np.tile(here, (len(values), 1)), np.zeros(len(values))
    for order in (range(middle, len(values)), range(middle, -1, -1)):
        start = here
        for i in order:
            begin = np.where(fixed, where[i], start)[None]
            found = descend(problem, begin, fixed, most=100, tolerance=1e-7)
            start = theta[i] = found.theta[0]
            least[i] = found.value[0]
    return theta, least
