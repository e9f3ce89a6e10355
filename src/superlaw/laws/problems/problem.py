"""A problem: a law over the points of a table, with all that its losses are compared by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from superlaw.laws.known import Known
from superlaw.laws.law import Law, Points
from superlaw.laws.objective import Objective
from superlaw.laws.problems.model import Assembled, Model
from superlaw.laws.problems.prior import Prior
from superlaw.laws.problems.restriction import Restriction, restriction
from superlaw.laws.tables import Selection


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised: the model of a law over given points against a target.

    ``names`` are the parameters that are estimated, in the order of every array of them; ``given`` says how all of the
    law's hang on these (None: all are estimated), ``prior`` what else is known of them. ``target`` and ``weights`` have
    shape (n,), or (B, n) for a batch of problems over the same points. ``clusters`` (n,) names what was drawn
    independently.
    """

    law: Law
    points: Points
    names: tuple[str, ...]
    model: Model
    objective: Objective
    target: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    known: Known = field(default_factory=Known)
    given: Restriction | None = None
    prior: Prior | None = None

    @classmethod
    def of(cls, law: Law, rows: Selection, objective: Objective, known: Known | None = None) -> Problem:
        """The problem of fitting a law to selected rows, of whose parameters something may be known."""
        problem = cls.over(law, rows.points, objective.target(rows.losses), objective, known)
        return replace(problem, weights=rows.weights, clusters=rows.clusters)

    @classmethod
    def over(
        cls, law: Law, points: Points, target: np.ndarray, objective: Objective, known: Known | None = None
    ) -> Problem:
        """The problem over points with targets of their own."""
        known, names = known or Known(), tuple(law.names(points.labels))
        given = restriction(known, names, law.exponents_of(points.labels), law.box(points)) if known else None
        model = law.model(points, objective.logarithmic, given)
        free = known.free(names)
        prior = Prior.of(known, free, model)
        return cls(law, points, free, model, objective, target, known=known, given=given, prior=prior)

    @property
    def n(self) -> int:
        """Number of points."""
        return self.model.n

    @property
    def p(self) -> int:
        """Number of parameters."""
        return self.model.p

    @property
    def exponents(self) -> list[int]:
        """Which parameters are exponents."""
        exponents = self.law.exponents_of(self.points.labels)
        return [self.names.index(name) for name in exponents if name in self.names]

    @property
    def held(self) -> np.ndarray:
        """Which bounds (lower, upper) of the parameters were given, and are not the law's own; shape (p, 2)."""
        return np.zeros((self.p, 2), bool) if self.given is None else self.given.held

    def expand(self, values: np.ndarray) -> np.ndarray:
        """All parameters of the law from those that are estimated; shapes (..., p') from (..., p)."""
        return values if self.given is None else self.given.expand(values)

    def at(self, rows: np.ndarray | slice) -> Problem:
        """Some problems of a batch."""
        batched = {name: x for name in ("target", "weights") if (x := getattr(self, name)) is not None and x.ndim == 2}
        some = replace(self, **{name: x[rows] for name, x in batched.items()}) if batched else self
        if self.prior is None or self.prior.mean.ndim == 1:
            return some
        return replace(some, prior=replace(self.prior, mean=self.prior.mean[rows]))

    def one(self, row: int) -> Problem:
        """One problem of a batch, by itself."""
        some = {
            name: x[row] for name in ("target", "weights") if (x := getattr(self, name)) is not None and x.ndim == 2
        }
        prior = self.prior
        if prior is not None and prior.mean.ndim == 2:
            prior = replace(prior, mean=prior.mean[row])
        return replace(self, **some, prior=prior)

    def pinned(self, k: int) -> Problem:
        """The same problem in coordinates whose k-th is parameter k itself."""
        model = self.model.pinned(k)
        return replace(self, model=model, prior=None if self.prior is None else self.prior.over(model))

    def assemble(self, theta: np.ndarray) -> Assembled:
        """Value (B,), gradient (B, p), Hessian (B, p, p) and the scale of each coordinate (B, p)."""
        of_losses = self.model.assemble(theta, self._pointwise)
        return of_losses if self.prior is None else self.prior.added(theta, of_losses)

    def _pointwise(self, losses: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        rho, d1, d2, d2_major = self.objective.derivatives(losses, self.target[..., rows])
        w = None if self.weights is None else self.weights[..., rows]
        return (rho, d1, d2, d2_major) if w is None else (rho * w, d1 * w, d2 * w, d2_major * w)

    def residuals(self, theta: np.ndarray) -> np.ndarray:
        """r at one theta, shape (n,), for one target."""
        return self.objective.residuals(self.model.losses(theta[None])[0], self.target)

    def residual_jacobian(self, theta: np.ndarray) -> np.ndarray:
        """d r / d theta at one theta, shape (n, p)."""
        slope = self.model.gradient(theta)
        return slope / self.model.losses(theta[None])[0][:, None] if self.objective.logarithmic else slope

    def starts(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Random starts, in coordinates, shape (count, p)."""
        return self.model.starts(count, rng, *self._measured())

    def improve(self, theta: np.ndarray) -> np.ndarray:
        """Given starts, shape (B, p), made better where that is cheap."""
        return self.model.improve(theta, *self._measured())

    def _measured(self) -> tuple[np.ndarray, np.ndarray]:
        """The losses, and the root of the weight of their squares."""
        losses = np.exp(self.target) if self.objective.logarithmic else self.target
        root = 1 / losses if self.objective.logarithmic else np.ones_like(losses)
        return losses, root if self.weights is None else root * np.sqrt(self.weights)
