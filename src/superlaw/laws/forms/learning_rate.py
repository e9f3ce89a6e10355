"""What a learning rate and a batch beside the best ones cost, and how the best ones go with N and D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.law import FormulaLaw, Part, Points, of_group
from superlaw.laws.problems.model import Box

LARGEST_CURVATURE = 10.0  # of log L by the log of a rate, halved
STEEPEST = 5.0  # power of N, of D and of the batch that a best rate or batch has
SHARE = 0.7  # of the points that a start is made from


@dataclass(frozen=True)
class LearningRateLaw(FormulaLaw):
    """L = L_0[N,D] exp[h_rate ln^2(rate / best rate) + h_batch ln^2(batch / best batch)].

    The best batch is b* = c_batch N^n_batch D^d_batch; the best rate c_rate N^n_rate D^d_rate at that batch, and
    (batch/b*)^r times that at another: optima as power laws [StepLaw], a parabola in log about them. The loss of a well
    tuned run is free at every N and D, so that no law of it bends these powers: several rates and batches are needed at
    each.

    Parameters of the fit: ``c_rate``, ``n_rate``, ``d_rate``, ``h_rate``, ``c_batch``, ``n_batch``, ``d_batch``,
    ``h_batch``, ``r``, and ``L_0[N,D]`` for every N and D.

    Parameters
    ----------
    params, tokens, rate, batch : str
        Columns of N, D, the (peak) learning rate and the batch (in tokens, say).
    """

    params: str = "N"
    tokens: str = "D"
    rate: str = "lr"
    batch: str = "batch"
    name = "learning_rate"
    parts = (Part("params", "--params"), Part("tokens", "--tokens"), Part("rate"), Part("batch"))

    def __post_init__(self):
        if len(set(self.sizes)) < 4:
            raise InputError(f"the columns {', '.join(self.sizes)}", "four columns")

    @property
    def groups(self) -> tuple[str, ...]:
        return (self.params, self.tokens)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        best = [f"{what}_{of}" for of in ("rate", "batch") for what in ("c", "n", "d", "h")]
        return [*best, "r", *(f"L_0[{label}]" for label in labels)]

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("n_rate", "d_rate", "n_batch", "d_batch", "r")

    @property
    def formula(self) -> str:
        return (
            f"L = L_0[{self.params},{self.tokens}] exp[h_rate ln^2(rate / (c_rate N^n_rate D^d_rate (batch/b*)^r)) + "
            f"h_batch ln^2(batch/b*)], b* = c_batch N^n_batch D^d_batch; N = {self.params!r}, D = {self.tokens!r}, "
            f"rate = {self.rate!r}, batch = {self.batch!r}"
        )

    def places(self, labels: Sequence[str]) -> np.ndarray:
        return np.array([[*range(9), 9 + g] for g in range(len(labels))])

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        return self.at_points(points, [*params[:9], of_group(params[9:], points.group)])

    def at_points(self, points: Points, params: Sequence[Any]) -> Any:
        c_rate, n_rate, d_rate, h_rate, c_batch, n_batch, d_batch, h_batch, r, least = params
        log_n, log_d, log_rate, log_batch = np.log(points.sizes)
        beside = log_batch - (np.log(c_batch) + n_batch * log_n + d_batch * log_d)
        off = log_rate - (np.log(c_rate) + n_rate * log_n + d_rate * log_d) - r * beside
        return least * np.exp(h_rate * np.square(off) + h_batch * np.square(beside))

    def box(self, points: Points) -> Box:
        coefficient, power, curvature = (1e-150, 1e150), (-STEEPEST, STEEPEST), (1e-6, LARGEST_CURVATURE)
        best = [coefficient, power, power, curvature]
        ends = [*best, *best, power, *[(0.0, np.inf)] * len(points.labels)]
        lower, upper = np.array(ends).T
        return Box(np.isin(np.arange(len(ends)), (0, 3, 4, 7)), lower, upper)

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        """By the quadratic regression of log L on a random share of the points."""
        return np.array([_regressed(points, np.log(losses), rng) for _ in range(count)])


def _regressed(points: Points, log_losses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All parameters by regression of log L (n,), of a random share of the points.

    With m the log of the best, h (x - m_x - r (y - m_y))^2 + k (y - m_y)^2 is quadratic in x and y, and linear in log N
    and log D times these.
    """
    logs = np.log(points.sizes)
    middle = logs.mean(axis=1)
    n, d, x, y = logs - middle[:, None]
    one_hot = (points.group[:, None] == np.arange(len(points.labels))).astype(float)
    of_both = np.stack([x, x * n, x * d, y, y * n, y * d, x * x, x * y, y * y], axis=1)
    features = np.hstack([of_both, one_hot])
    some = rng.random(len(n)) < SHARE
    gram = features[some].T @ features[some] + 1e-9 * some.sum() * np.eye(features.shape[1])
    c = np.linalg.solve(gram, features[some].T @ log_losses[some])
    h = max(c[6], 1e-4)
    r = float(np.clip(-c[7] / (2 * h), -STEEPEST / 2, STEEPEST / 2))
    k = max(c[8] - h * r * r, 1e-4)
    off = -c[0:3] / (2 * h)  # m_x - r m_y, of 1, log N and log D
    batch = -(c[3:6] + r * c[0:3]) / (2 * k)
    found: list[float] = []
    for powers, at, curvature in ((off + r * batch, middle[2], h), (batch, middle[3], k)):
        powers = np.clip(powers, -STEEPEST / 2, STEEPEST / 2)
        level = at + powers[0] - powers[1] * middle[0] - powers[2] * middle[1]
        found += [np.exp(np.clip(level, -300, 300)), powers[1], powers[2], min(curvature, LARGEST_CURVATURE / 2)]
    lowest = [log_losses[points.group == g].min() for g in range(len(points.labels))]
    return np.array([*found, r, *np.exp(lowest)])
