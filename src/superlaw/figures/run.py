"""One run: its loss along training, and the norms of its rows by rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture
from superlaw.files.numbers import with_error
from superlaw.geometry.groups import REPRESENTED
from superlaw.geometry.overlaps import row_norms
from superlaw.toy.history import loss_history
from superlaw.toy.run import Run

draw = paint.draw


def data(run: Run) -> Picture:
    """Mean losses over log-spaced windows of steps; norms of rows against rank, where the run kept its weights."""
    history, spec = loss_history(run), run.spec
    bars = np.where(np.isfinite(history.stderr), history.stderr, 0.0)
    losses: list[Item] = [Marks(history.step, history.loss, bars, color="C0", joined=True)]
    ends = np.array([1.0, len(run.losses)])
    losses.append(Line(ends, np.full(2, spec.untrained_loss), "answering without looking", "theory", ":"))
    title = f"loss {with_error(run.loss, run.loss_std)}" if run.status == "ok" else run.status
    panels = [Panel("step", "loss L", tuple(losses), title, "log", "log", legend="lower left")]
    if run.W is not None:
        order = np.argsort(-spec.probabilities, kind="stable")
        norms = row_norms(run.W)[order]
        rank = np.arange(1.0, len(norms) + 1)
        represented = float(np.mean(norms > REPRESENTED))
        items: tuple[Item, ...] = (
            Marks(rank, norms, color="C0", marker=".", small=True),
            Line(np.array([rank[0], rank[-1]]), np.full(2, REPRESENTED), "represented", "theory", ":"),
        )
        panels.append(Panel("rank of the feature", "norm of its row", items, f"{represented:.0%} represented", "log",
                            legend="lower left"))  # fmt: skip
    return Picture("run", f"n = {spec.n_features}, m = {spec.width}, gamma = {spec.weight_decay:g}", tuple(panels),
                   len(panels), spec.notes, (run.id,))  # fmt: skip


def plot_run(run: Run, axes: Any = None) -> Any:
    """Draw a run with matplotlib: its loss along training, and the norms of its rows by rank.

    Parameters
    ----------
    run : Run
    axes : Axes or sequence of Axes, optional
        One for each panel (of a run without weights there is one); a new figure is made without.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> from superlaw import RunSpec, train
    >>> run = train(RunSpec(n_features=30, width=4, steps=60, warmup=6, batch=64))
    >>> [axis.get_xlabel() for axis in plot_run(run)]
    ['step', 'rank of the feature']
    """
    return paint.on_axes(data(run), axes)
