"""The model's picture: rows of W, what they share, and how long they are, by frequency rank ([TMS], [LLG] figure 2).

Five features in two and in three dimensions. Weak and strong superposition start from the same numbers and see
features of the same frequencies; their weight decays, +1 and -1, alone differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Arrows, Bars, Line, Map, Panel, Picture
from superlaw.toy.measures import REPRESENTED
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

DECAYS = {"weak": 1.0, "strong": -1.0}
FEATURES = 5
# Of 64 starts these end, under weak decay, with the m most frequent features alone. The others keep other
# features, or opposite pairs besides, which ReLU tells apart at almost no cost while n is not far above m.
SEEDS = {2: 63, 3: 53}
PANEL = (2.35, 2.2)  # inches

draw = paint.draw


def specs() -> tuple[RunSpec, ...]:
    """The runs to train: m = 2 and 3, each weak and strong; about a second in all.

    Examples
    --------
    >>> [(spec.width, spec.weight_decay) for spec in specs()]
    [(2, 1.0), (2, -1.0), (3, 1.0), (3, -1.0)]
    """
    return tuple(
        RunSpec(n_features=FEATURES, width=m, data_exponent=1.0, activation_density=0.3, weight_decay=decay,
                steps=5000, batch=256, learning_rate=0.02, warmup=100, seed=seed)
        for m, seed in SEEDS.items() for decay in DECAYS.values()
    )  # fmt: skip


def data(runs: Sequence[Run]) -> Picture:
    """Three panels a run: rows as arrows, W W^T, row norms by rank.

    Parameters
    ----------
    runs : sequence of Run
        Of :func:`specs`, or of any models of two or three dimensions, with their weights.

    Raises
    ------
    InputError
        Without a run that can be drawn.
    """
    shown = [run for run in runs if run.status == "ok" and run.W is not None and run.spec.width in (2, 3)]
    if not shown:
        raise InputError(f"{len(runs)} runs, none of them whole, with weights and 2 or 3 dimensions",
                         "trained runs of figures.toy.specs()", "superlaw figure toy trains them")  # fmt: skip
    left = f"Left out: {len(runs) - len(shown)} runs that diverged, lack weights or are wider than 3. "
    return Picture(
        "toy", f"The toy model: {shown[0].spec.n_features} features in {_dimensions(shown)} dimensions",
        tuple(panel for run in shown for panel in _panels(run)), 3,
        ((left if len(shown) < len(runs) else "") + _shared(shown),), tuple(run.id for run in shown), panel=PANEL,
    )  # fmt: skip


def _dimensions(runs: list[Run]) -> str:
    return " and ".join(str(m) for m in sorted({run.spec.width for run in runs}))


def _shared(runs: list[Run]) -> str:
    spec = runs[0].spec
    p = ", ".join(f"{x:.2g}" for x in np.sort(spec.probabilities)[::-1])
    chosen = {run.id for run in runs} <= {spec.id for spec in specs()}
    starts = (
        " Starts chosen from 64 for a clear weak picture: most others keep opposite pairs or other features besides "
        f"(ReLU tells opposite rows apart). Seeds: {', '.join(f'{s} for m = {m}' for m, s in SEEDS.items())}."
    )
    return (
        f"Features by frequency rank, 1 the most frequent; p = {p}; {spec.steps:,} steps, batch {spec.batch}. "
        "Dashed circle: length 1. Dotted line: length 1/2, above which a feature counts as represented. Rows are "
        "turned together, feature 1 along the first axis, which leaves W Wᵀ as it is. One run each, no error bars."
    ) + (starts if chosen else "")


def _panels(run: Run) -> tuple[Panel, Panel, Panel]:
    by_rank = np.argsort(-run.spec.probabilities, kind="stable")
    W = np.asarray(run.W, dtype=float)[by_rank]
    n, m = W.shape
    norms, ranks = np.linalg.norm(W, axis=1), np.arange(1, n + 1)
    regime = "strong" if run.spec.weight_decay < 0 else "weak"
    title = f"{regime}, m = {m}, γ = {run.spec.weight_decay:g}".replace("-", "−")
    names = tuple(str(rank) if norm > REPRESENTED else "" for rank, norm in zip(ranks, norms, strict=True))
    kept = int(np.sum(norms > REPRESENTED))
    return (
        Panel("first axis" if m == 2 else "seen from the side and above", "second axis" if m == 2 else "",
              (Arrows(turned(W), names, regime),), title),
        Panel("feature, by rank", "feature, by rank",
              (Map(tuple(ranks.tolist()), tuple(ranks[::-1].tolist()), (W @ W.T)[::-1], "$W_i·W_j$",
                   low=-1.2, high=1.2, text="z.1f", diverging=True),),
              f"W Wᵀ, m = {m}, {regime}"),
        Panel("feature, by rank", "row norm $‖W_i‖$",
              (Bars(ranks, norms, color=regime), Line(np.array([0.5, n + 0.5]), np.full(2, REPRESENTED), style=":")),
              f"{kept} of {n} represented", ticks=tuple(ranks.tolist()), ylim=(0, 1.3)),
    )  # fmt: skip


def turned(W: np.ndarray) -> np.ndarray:
    """Rows turned together so that the first ones lie along the axes in turn; W W^T stays as it is.

    Examples
    --------
    >>> turned(np.array([[0.0, -2.0], [3.0, 0.0]])) + 0.0
    array([[2., 0.],
           [0., 3.]])
    """
    lower = np.linalg.qr(W.T)[1].T  # W = L Q^T, L with zeros above its diagonal
    sign = np.where(np.diag(lower) < 0, -1.0, 1.0)
    return lower * sign
