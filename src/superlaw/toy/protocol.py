"""What every engine shares: initial state, learning rates, Adam's constants, when a run has diverged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

BETAS = (0.9, 0.999)
EPSILON = 1e-8  # of the norm in weight growth and in unit rows
LEARNING_RATE_FLOOR = 0.05  # eta_min / eta_max
RUNAWAY = 1e3  # a loss this many times the first one (or the loss of y = 0) has diverged

Watch = Callable[[RunSpec, int, float], object]
"""Called now and then with (spec, steps done, current loss); a true answer stops the run."""


class Engine(Protocol):
    """Trains toy models. Takes many specs, so that an engine may train many at once."""

    name: str

    def lacks(self, spec: RunSpec) -> str:
        """The first choice of the spec that this engine does not train, as ``field = value``; empty if none."""
        ...

    def check(self, spec: RunSpec) -> None:
        """Raise InputError when this engine cannot train the spec."""
        ...

    def train(self, specs: Sequence[RunSpec], watch: Watch | None = None) -> Iterator[Run]:
        """Train every spec and yield its Run; a diverged run is a Run with that status."""
        ...


@dataclass(frozen=True, eq=False)
class State:
    """What is trained: W (n, m), b (n,), and the encoder V (n, m) of an untied model."""

    W: np.ndarray
    b: np.ndarray
    encoder: np.ndarray | None = None

    @property
    def finite(self) -> bool:
        """Whether every number is."""
        parts = (self.W, self.b) if self.encoder is None else (self.W, self.b, self.encoder)
        return all(bool(np.isfinite(part).all()) for part in parts)


def initial_state(spec: RunSpec) -> State:
    """W ~ N(0, c^2/m), b ~ N(mean, std^2), then V as W if it is not tied to it, from the spec's seed.

    Unit rows start at norm 1, a bias that is not learned at 0.

    Examples
    --------
    >>> state = initial_state(RunSpec(n_features=4, width=2))
    >>> state.W.shape, state.b.shape, state.encoder
    ((4, 2), (4,), None)
    """
    random = np.random.Generator(np.random.PCG64(spec.seed))
    rows = lambda: random.standard_normal((spec.n_features, spec.width)) * (spec.initial_norm / np.sqrt(spec.width))  # noqa: E731
    W = rows()
    b = spec.initial_bias_mean + spec.initial_bias_std * random.standard_normal(spec.n_features)
    if not spec.learn_bias:
        b = np.zeros(spec.n_features)
    matrices = [W] if spec.tied else [W, rows()]
    if spec.rows == "unit":
        matrices = [A / np.linalg.norm(A, axis=1, keepdims=True) for A in matrices]
    W, *encoder = (A.astype(spec.dtype) for A in matrices)
    return State(W, b.astype(spec.dtype), encoder[0] if encoder else None)


def schedule(spec: RunSpec) -> np.ndarray:
    """Learning rate over eta_max at steps t = 1 .. T: linear warm-up, then by the spec's schedule.

    cosine: to the floor 0.05 at t = T. constant: 1. wsd: 1, then linear to the floor over the last steps.

    Returns
    -------
    ndarray, shape (steps,)

    Examples
    --------
    >>> schedule(RunSpec(steps=4, warmup=2)).round(4)
    array([0.5  , 1.   , 0.525, 0.05 ])
    >>> schedule(RunSpec(steps=4, warmup=2, schedule="wsd", decay_share=0.25)).round(4)
    array([0.5 , 1.  , 1.  , 0.05])
    """
    t = np.arange(1, spec.steps + 1, dtype=np.float64)
    start = spec.warmup if spec.warmup < spec.steps else 0
    rates = SCHEDULES[spec.schedule](t, start, spec)
    if start:
        rates = np.where(t < start, t / start, rates)
    return rates


def _cosine(t: np.ndarray, start: int, spec: RunSpec) -> np.ndarray:
    cosine = (1 - LEARNING_RATE_FLOOR) * (1 + np.cos(np.pi * (t - start) / (spec.steps - start))) / 2
    return cosine + LEARNING_RATE_FLOOR


def _constant(t: np.ndarray, start: int, spec: RunSpec) -> np.ndarray:
    return np.ones_like(t)


def _warmup_stable_decay(t: np.ndarray, start: int, spec: RunSpec) -> np.ndarray:
    assert spec.decay_share is not None, "a spec with wsd has its share"
    left = (spec.steps - t) / (spec.decay_share * spec.steps)  # 1 where the decay begins, 0 at the end
    return LEARNING_RATE_FLOOR + (1 - LEARNING_RATE_FLOOR) * np.minimum(left, 1.0)


SCHEDULES = {"cosine": _cosine, "constant": _constant, "wsd": _warmup_stable_decay}


def runaway_loss(spec: RunSpec, first_loss: float) -> float:
    """The loss above which a run counts as diverged."""
    return RUNAWAY * max(first_loss, spec.untrained_loss)


def diverged_at(losses: np.ndarray, limit: float) -> int | None:
    """Index of the first loss that is not finite or above the limit."""
    with np.errstate(invalid="ignore"):
        bad = ~(losses <= limit)
    return int(np.argmax(bad)) if bad.any() else None
