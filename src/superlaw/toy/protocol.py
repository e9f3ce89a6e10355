"""What every engine shares: initial state, learning rates, Adam's constants, when a run has diverged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

BETAS = (0.9, 0.999)
EPSILON = 1e-8  # of Adam, and of the norm in weight growth
LEARNING_RATE_FLOOR = 0.05  # eta_min / eta_max
RUNAWAY = 1e3  # a loss this many times the first one (or the loss of y = 0) has diverged

Watch = Callable[[RunSpec, int, float], object]
"""Called now and then with (spec, steps done, current loss); a true answer stops the run."""


class Engine(Protocol):
    """Trains toy models. Takes many specs, so that an engine may train many at once."""

    name: str

    def check(self, spec: RunSpec) -> None:
        """Raise InputError when this engine cannot train the spec."""
        ...

    def train(self, specs: Sequence[RunSpec], watch: Watch | None = None) -> Iterator[Run]:
        """Train every spec and yield its Run; a diverged run is a Run with that status."""
        ...


def initial_state(spec: RunSpec) -> tuple[np.ndarray, np.ndarray]:
    """W ~ N(0, 1/m), shape (n, m), and b ~ N(0, 1), shape (n,), from the spec's seed.

    Examples
    --------
    >>> W, b = initial_state(RunSpec(n_features=4, width=2))
    >>> W.shape, b.shape
    ((4, 2), (4,))
    """
    random = np.random.Generator(np.random.PCG64(spec.seed))
    W = random.standard_normal((spec.n_features, spec.width)) / np.sqrt(spec.width)
    b = random.standard_normal(spec.n_features)
    return W.astype(spec.dtype), b.astype(spec.dtype)


def schedule(steps: int, warmup: int) -> np.ndarray:
    """Learning rate over eta_max at steps t = 1 .. T: linear warm-up, then a cosine to the floor.

    Returns
    -------
    ndarray, shape (steps,)

    Examples
    --------
    >>> schedule(4, 2).round(4)
    array([0.5  , 1.   , 0.525, 0.05 ])
    """
    t = np.arange(1, steps + 1, dtype=np.float64)
    start = warmup if warmup < steps else 0
    cosine = (1 - LEARNING_RATE_FLOOR) * (1 + np.cos(np.pi * (t - start) / (steps - start))) / 2
    rates = cosine + LEARNING_RATE_FLOOR
    if start:
        rates = np.where(t < start, t / start, rates)
    return rates


def runaway_loss(spec: RunSpec, first_loss: float) -> float:
    """The loss above which a run counts as diverged."""
    loss_of_silence = 4 / 3 * float(spec.probabilities.sum())  # <x^2> = 4/3 p: the loss of y = 0
    return RUNAWAY * max(first_loss, loss_of_silence)


def diverged_at(losses: np.ndarray, limit: float) -> int | None:
    """Index of the first loss that is not finite or above the limit."""
    with np.errstate(invalid="ignore"):
        bad = ~(losses <= limit)
    return int(np.argmax(bad)) if bad.any() else None
