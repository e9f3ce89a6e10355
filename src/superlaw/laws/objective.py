"""What a fit minimises: least squares or Huber, on log L or on L, as a sum or a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from superlaw.errors import InputError, closest

NAMES = ("log-ls", "log-huber", "ls", "plain-huber")
ENVELOPE = 1000.0  # so heavy is a run below the law that none of fewer runs than this lies there
ONE_SIDED = {"asymmetric": ("log-ls", 10.0), "envelope": ("log-huber", ENVELOPE)}  # words for a name and its asymmetry


@dataclass(frozen=True)
class Objective:
    """The sum over points of w_i rho(r_i).

    Parameters
    ----------
    name : {"log-ls", "log-huber", "ls", "plain-huber"}
        ``log-ls``: r = log f - log L, rho = r^2. ``log-huber``: the same r, rho = r^2/2 within
        ``delta`` and delta (|r| - delta/2) beyond [Chinchilla]. ``ls`` and ``plain-huber``: the same of
        r = f - L.
    delta : float
        Where Huber's loss turns from square to straight.
    reduction : {"sum", "mean"}
        How the value is stated. It does not move the optimum.
    asymmetry : float
        K: the rho of a run that lies below the law counts K times, as where runs that were tuned too little lie above
        the frontier that is sought. With squares the law is an expectile [Expectiles], with Huber's loss and a small
        delta the quantile 1 / (1 + K) [Quantiles], of the losses at every size.

    Examples
    --------
    >>> print(Objective("log-huber"))
    sum of Huber's loss (delta 0.001) of log L
    >>> print(objective_of("asymmetric:10"))
    sum of squared errors of log L, of runs below the law 10 times
    """

    name: str = "log-ls"
    delta: float = 1e-3
    reduction: str = "sum"
    asymmetry: float = 1.0

    def __post_init__(self):
        if self.name not in NAMES:
            names = (*NAMES, *ONE_SIDED)
            raise InputError(f"objective = {self.name!r}", f"one of {', '.join(names)}", closest(str(self.name), names))
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta = {self.delta}", "a positive number")
        if self.reduction not in ("sum", "mean"):
            raise InputError(f"reduction = {self.reduction!r}", "sum or mean")
        if not (np.isfinite(self.asymmetry) and self.asymmetry > 0):
            raise InputError(f"asymmetry = {self.asymmetry}", "a number above 0, 1 for none")

    def __str__(self) -> str:
        what = "log L" if self.logarithmic else "L"
        loss = f"Huber's loss (delta {self.delta:g})" if self.robust else "squared errors"
        below = "" if self.asymmetry == 1 else f", of runs below the law {self.asymmetry:g} times"
        return f"{self.reduction} of {loss} of {what}{below}"

    def to_dict(self) -> dict[str, str | float]:
        """For JSON; an asymmetry of 1 is left out."""
        record: dict[str, str | float] = {"name": self.name, "delta": self.delta, "reduction": self.reduction}
        return record if self.asymmetry == 1 else record | {"asymmetry": self.asymmetry}

    @property
    def logarithmic(self) -> bool:
        """Whether the errors are those of log L."""
        return self.name.startswith("log")

    @property
    def robust(self) -> bool:
        """Whether large errors count linearly."""
        return self.name.endswith("huber")

    @property
    def envelope(self) -> bool:
        """Whether the law is to lie below all runs."""
        return self.asymmetry >= ENVELOPE

    def target(self, losses: np.ndarray) -> np.ndarray:
        """What the model is compared with: log L or L."""
        return np.log(losses) if self.logarithmic else losses

    def residuals(self, model: np.ndarray, target: np.ndarray) -> np.ndarray:
        """r, shape of ``model``."""
        return np.log(model) - target if self.logarithmic else model - target

    def tilt(self, r: np.ndarray) -> np.ndarray | float:
        """How many times each point counts by its side, shape of ``r``."""
        return 1.0 if self.asymmetry == 1 else np.where(r > 0, self.asymmetry, 1.0)

    def rho(self, r: np.ndarray) -> np.ndarray:
        """The loss of each point, with r^2/2 (not r^2) for squares: what the solver minimises."""
        if not self.robust:
            return 0.5 * r * r * self.tilt(r)
        size = np.abs(r)
        inside = np.minimum(size, self.delta)
        return inside * (size - 0.5 * inside) * self.tilt(r)

    def psi(self, r: np.ndarray) -> np.ndarray:
        """rho'."""
        return (np.clip(r, -self.delta, self.delta) if self.robust else r) * self.tilt(r)

    def stated(self, minimised: np.ndarray | float, n: int) -> float:
        """The value as reported, from the sum of :meth:`rho`."""
        value = float(minimised) * (1 if self.robust else 2)
        return value / n if self.reduction == "mean" else value

    def derivatives(
        self, model: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """rho, d rho/d f, d^2 rho/d f^2, and the last as a majoriser that is never negative.

        The majoriser is Gauss and Newton's for squares and that of iterated reweighting for Huber.
        Shapes are all that of ``model``.
        """
        r = self.residuals(model, target)
        psi, rho = self.psi(r), self.rho(r)
        curved: Any = 1.0
        weight: Any = 1.0
        if self.robust:
            size = np.abs(r)
            curved = (size <= self.delta).astype(r.dtype)
            weight = self.delta / np.maximum(size, self.delta)
        if self.asymmetry != 1:
            tilt = self.tilt(r)
            curved, weight = curved * tilt, weight * tilt
        if not self.logarithmic:
            return rho, psi, curved + np.zeros_like(r), weight + np.zeros_like(r)
        inverse = 1 / model  # r = log f: r' = 1/f, r'' = -1/f^2
        square = inverse**2
        return rho, psi * inverse, (curved - psi) * square, weight * square

    def dispersion(self, r: np.ndarray, dof: float, weights: np.ndarray | None = None) -> float:
        """lambda in 2 (F - F_min) / lambda ~ F(1, dof): the residual variance for squares.

        In general it is E[psi^2] / E[psi'] of the drop-in-dispersion test (Huber and Ronchetti,
        Robust Statistics, 2009, section 7.10).
        """
        if dof < 1:
            return float("nan")
        w = np.ones_like(r) if weights is None else weights
        spread = float(w @ self.psi(r) ** 2) / dof
        return spread / (self.curved_share(r) if self.robust else float(np.mean(w * self.tilt(r)) / np.mean(w)))

    def curved_share(self, r: np.ndarray) -> float:
        """E[psi'], the share of errors within delta; 1 for squares.

        With delta far below the errors few points are within it, so the share is read off a wider
        window of Powell's kind, h = 1.06 s n^(-1/5), and scaled by delta / h: as in quantile regression.
        """
        if not self.robust:
            return 1.0
        spread = 1.4826 * float(np.median(np.abs(r)))
        window = max(self.delta, 1.06 * spread * len(r) ** -0.2)
        share = max(float(np.mean(np.abs(r) <= window)), 1 / len(r)) * self.delta / window
        return share * (1 + self.asymmetry) / 2

    def curved_shares(self, r: np.ndarray, spread: np.ndarray, p: int) -> np.ndarray:
        """E[psi'] of each point (n,), where errors have deviations in proportion to ``spread`` (n,); 1 for squares.

        As :meth:`curved_share`, by one density of r / spread. A fit of p parameters with a small delta passes
        through p points, whose errors of 0 say nothing of the density and are left out of it.
        """
        n = len(r)
        if not self.robust:
            return np.ones(n)
        u, delta = np.sort(np.abs(r / spread)), self.delta / spread
        narrow = 1.06 * 1.4826 * float(np.median(u)) * n**-0.2
        window = np.maximum(delta, narrow)
        share = np.searchsorted(u, window, side="right") / n
        fewer = np.maximum(share * n - p, 1) / max(n - p, 1)
        share -= (share - fewer) * np.clip(2 - 2 * delta / window, 0, 1)
        return np.maximum(share, 1 / n) * delta / window * (1 + self.asymmetry) / 2

    def log_likelihood(self, r: np.ndarray, target: np.ndarray) -> float:
        """The largest log likelihood of the losses L over the scale of the errors.

        Squares: Gaussian. Huber: the density exp(-rho(r)/t) / Z(t), with
        Z = sqrt(2 pi t) erf(delta / sqrt(2 t)) + 2 (t/delta) exp(-delta^2 / (2 t)),
        at the t that is most likely. Errors of log L carry the factor 1/L of their density. An asymmetry K leaves
        half of Z(t) and half of Z(t/K).
        """
        n, total = len(r), float(self.rho(r).sum())
        change = -float(target.sum()) if self.logarithmic else 0.0
        if total == 0:
            return float("inf")
        if not self.robust:
            mass = 0.5 * (1 + self.asymmetry**-0.5)
            return -0.5 * n * (np.log(2 * np.pi * 2 * total / n) + 1) - n * np.log(mass) + change

        from scipy import optimize  # a tenth of a second: squares do without

        def mass_of(t: float) -> float:
            edge = self.delta / np.sqrt(2 * t)
            return np.sqrt(2 * np.pi * t) * special.erf(edge) + 2 * t / self.delta * np.exp(-(edge**2))

        def negative(log_t: float) -> float:
            t = np.exp(log_t)
            return total / t + n * np.log(0.5 * (mass_of(t) + mass_of(t / self.asymmetry)))

        centre = np.log(total / n)
        found = optimize.minimize_scalar(negative, bounds=(centre - 15, centre + 15), method="bounded")
        return -float(found.fun) + change


def objective_of(objective: str | Objective) -> Objective:
    """An objective from itself or its name.

    Names are those of :class:`Objective`, ``asymmetric:K`` (squares of log L, runs below the law K times) and
    ``envelope`` (Huber's loss, no run below the law but for delta).

    Examples
    --------
    >>> objective_of("asymmetric:10") == Objective("log-ls", asymmetry=10)
    True
    """
    if isinstance(objective, Objective):
        return objective
    name, _, factor = str(objective).partition(":")
    if name not in ONE_SIDED:
        return Objective(objective)
    base, asymmetry = ONE_SIDED[name]
    if factor:
        try:
            asymmetry = float(factor)
        except ValueError:
            raise InputError(f"objective = {objective!r}", f"a number after {name}:", f"like {name}:10") from None
    return Objective(base, asymmetry=asymmetry)
