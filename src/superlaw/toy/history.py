"""A run's loss along its steps, on a grid even in log: mean and standard error over a window around each point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.toy.run import Run

POINTS = 24


@dataclass(frozen=True, eq=False)
class LossHistory:
    """Mean losses over windows that follow one another and are evenly long in log; arrays of shape (windows,).

    Parameters
    ----------
    step : ndarray
        Geometric mean of the steps in a window.
    loss, stderr : ndarray
        Mean of L over them, and its standard error from the differences of steps that follow one another, which a
        falling loss does not widen; NaN for a window of one step.
    steps : ndarray of int
        How many steps a window has.
    warm_up : ndarray of bool
        Whether some of them belong to the warm-up of the learning rate.
    """

    step: np.ndarray
    loss: np.ndarray
    stderr: np.ndarray
    steps: np.ndarray
    warm_up: np.ndarray

    def __len__(self) -> int:
        return len(self.step)


def loss_history(run: Run, points: int = POINTS) -> LossHistory:
    """The losses of a run over log-spaced windows of steps.

    The windows end at whole numbers of steps, evenly in log up to the last; early ones that would hold no step are
    left out. A window's mean stands at the geometric mean of its steps: for a loss t^-a it is
    the loss there, but for a factor that is the same in every window of one ratio.

    With a schedule that depends on its end (cosine, wsd) the loss at a step is not that of a training of so many
    steps: use runs of several lengths, or ``schedule = constant``.

    Parameters
    ----------
    run : Run
    points : int
        Windows asked for.

    Examples
    --------
    >>> from superlaw.toy.spec import RunSpec
    >>> run = Run(RunSpec(steps=1000, warmup=10), "ok", np.arange(1.0, 1001) ** -0.5, None, None)
    >>> found = loss_history(run, points=3)
    >>> found.steps, found.warm_up
    (array([ 10,  90, 900]), array([ True, False, False]))
    """
    if not isinstance(points, int) or isinstance(points, bool) or points < 1:
        raise InputError(f"points = {points!r}", "a whole number of 1 or more")
    losses = np.asarray(run.losses, dtype=np.float64)
    if not len(losses):
        raise InputError(f"the run {run.id} without losses", "a run of one step or more")
    edges = np.unique(np.append(0, np.geomspace(1, len(losses), points + 1)[1:].round().astype(int)))
    counts = np.diff(edges)
    starts = edges[:-1]
    steps = np.arange(1.0, len(losses) + 1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a run that diverged has what it has
        changes = np.append(np.diff(losses) ** 2, 0.0)
        changes[edges[1:] - 1] = 0.0  # from one window to the next
        variance = np.add.reduceat(changes, starts) / (2.0 * (counts - 1))  # of one loss: that of a difference is twice
        stderr = np.where(counts > 1, np.sqrt(variance / counts), np.nan)
    warmup = run.spec.warmup if run.spec.warmup < run.spec.steps else 0
    return LossHistory(
        step=np.exp(np.add.reduceat(np.log(steps), starts) / counts),
        loss=np.add.reduceat(losses, starts) / counts,
        stderr=stderr,
        steps=counts,
        warm_up=starts + 1 < warmup,
    )
