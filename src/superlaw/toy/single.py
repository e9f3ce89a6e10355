"""Samples with one active feature: the exact mean of the loss over its value."""

from __future__ import annotations

import numpy as np

from superlaw.theory.values import Values
from superlaw.toy.model import TrainedModel

ENTRIES = 1 << 18  # of a block: 2 MB in float64
MOST_POINTS = 2_000_000_000  # outputs of a quadrature: a minute or so


def alone_probabilities(p: np.ndarray) -> np.ndarray | None:
    """w_i: the chance that feature i is the active one where just one is, shape (n,); None where that never happens.

    Examples
    --------
    >>> alone_probabilities(np.array([0.5, 0.5, 0.0]))
    array([0.5, 0.5, 0. ])
    """
    sure = p >= 1
    if sure.sum() > 1:
        return None
    odds = sure.astype(float) if sure.any() else p / (1 - p)
    return odds / odds.sum() if odds.sum() > 0 else None


def closed_losses(model: TrainedModel, values: Values) -> np.ndarray:
    """<L> over v with feature i alone active, shape (n,), for ReLU and linear, squared error: sums of polynomials.

    Feature j answers f(a v + b_j) to i's v, a = V_i . W_j. Where a unit is on it is a square of a v + b_j (less v, of
    i itself), and its mean needs <1>, <v>, <v^2> over the v at which it is on (Values.above).
    """
    V, W, b = (part.astype(np.float64) for part in (model.encoder, model.W, model.b))
    n = len(b)
    found, rows = np.empty(n), max(1, ENTRIES // n)
    for start in range(0, n, rows):
        own = np.arange(start, min(start + rows, n))
        a = V[own] @ W.T  # (rows, n)
        on, mean, square = _on(a, b, values) if model.activation == "relu" else (1.0, 1.0, values.second_moment)
        losses = a**2 * square + 2 * a * b * mean + b**2 * on
        # of i itself less v: k v + b with k = a - 1 where on, v where off
        place = (np.arange(len(own)), own)
        on, mean, square = (np.broadcast_to(one, a.shape)[place] for one in (on, mean, square))
        k = a[place] - 1
        losses[place] = (k**2 - 1) * square + 2 * k * b[own] * mean + b[own] ** 2 * on + values.second_moment
        found[own] = losses.sum(axis=1)
    return found


def _on(a: np.ndarray, b: np.ndarray, values: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """<1>, <v> and <v^2> over the v at which a v + b > 0, shape of a."""
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(a == 0, np.inf, -b / a)  # where a v + b is 0
    above = values.above(np.maximum(turn, 0.0))
    whole = (1.0, 1.0, values.second_moment)
    rises, falls = a > 0, a < 0
    never = np.where(falls, turn <= 0, b <= 0)
    parts = (np.where(rises, x, np.where(never, 0.0, all_ - np.where(falls, x, 0.0)))
             for x, all_ in zip(above, whole, strict=True))  # fmt: skip
    on, mean, square = parts
    return on, mean, square


def quadrature_losses(model: TrainedModel, values: Values, loss_function: str) -> np.ndarray | None:
    """The same for any activation and for cross-entropy, by Gauss's quadrature over v; None where it would take long.

    With cross-entropy the one active feature is the whole target: L = log sum_j exp z_j - z_i.
    """
    V, W, b = (part.astype(np.float64) for part in (model.encoder, model.W, model.b))
    v, weights = values.nodes()
    n = len(b)
    if n * n * len(v) > MOST_POINTS:
        return None
    found, rows = np.empty(n), max(1, ENTRIES // (n * len(v)))
    for start in range(0, n, rows):
        own = np.arange(start, min(start + rows, n))
        z = (V[own] @ W.T)[:, None, :] * v[:, None] + b  # (rows, nodes, n)
        place = (np.arange(len(own)), slice(None), own)
        if loss_function == "cross-entropy":
            largest = z.max(axis=2)
            losses = largest + np.log(np.exp(z - largest[:, :, None]).sum(axis=2)) - z[place]
        else:
            y = model.f(z)
            y[place] -= v
            losses = np.einsum("ikj,ikj->ik", y, y)
        found[own] = losses @ weights
    return found
