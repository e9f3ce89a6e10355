"""Loss against compute with lines of equal size and the compute-optimal frontier; sizes against compute with lines of
equal loss."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture, Scale
from superlaw.laws.frontier import Frontier, frontier
from superlaw.laws.law import Points
from superlaw.laws.required import crossing
from superlaw.laws.result import Fit

POINTS = 40  # of a line
LINES = 7  # of equal size, and of equal loss

draw = paint.draw


def data(fit: Fit, flops: tuple[float, float] | None = None) -> Picture:
    """The picture of a law of N and D.

    Parameters
    ----------
    fit : Fit
    flops : (float, float), optional
        Ends of the frontier; by default those of the data and a decade beyond.

    Raises
    ------
    InputError
        For a law without N and D.
    """
    law = fit.law
    if not law.compute:
        raise InputError(f"the law {law.name}", "a law of N and D, such as chinchilla")
    n, d, losses = _runs(fit)
    C = 6 * n * d
    low, high = flops or (float(C.min()), float(C.max()) * 10)
    best = frontier(fit, np.geomspace(low, high, POINTS).tolist())
    logs = np.log10(n)
    scale = Scale(f"log10 of {law.compute[0]}", float(logs.min()), float(logs.max()))
    panels = (
        Panel("compute C (FLOP)", "loss", _against_compute(fit, C, n, losses, best, scale), "", "log", "log",
              scale=scale),
        Panel("compute C (FLOP)", law.compute[0], _sizes(fit, C, n, losses, best), "", "log", "log"),
    )  # fmt: skip
    edge = float(C.max())
    notes = (
        f"C = 6 N D. Dotted: equal {law.compute[0]} (left), equal loss (right). Solid: the compute-optimal frontier "
        f"with its {fit.interval['level']:.0%} band; beyond {edge:.2g} FLOP it is an extrapolation.",
    )
    return Picture("law-frontier", f"{law.name} law, {len(losses)} points", panels, 2, notes)


def _runs(fit: Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    used, law = fit.points(), fit.law
    assert law.compute is not None
    n, d = (used.points.sizes[law.sizes.index(column)] for column in law.compute)
    return n, d, used.losses


def _at(fit: Fit, n: np.ndarray, d: np.ndarray) -> Points:
    """Points of N and D, other sizes at their middle, of the first group."""
    law, sizes = fit.law, fit.points().points.sizes
    assert law.compute is not None
    rows = np.tile(np.exp(np.log(sizes).mean(axis=1))[:, None], (1, len(n)))
    for column, values in zip(law.compute, (n, d), strict=True):
        rows[law.sizes.index(column)] = values
    return Points(rows, np.zeros(len(n), int), fit.labels)


def _against_compute(
    fit: Fit, C: np.ndarray, n: np.ndarray, losses: np.ndarray, best: Frontier, scale: Scale
) -> tuple[Item, ...]:
    items: list[Item] = [Marks(C, losses, color=scale.place(np.log10(n)))]
    _, d, _ = _runs(fit)
    for size in np.geomspace(n.min(), n.max(), LINES):
        near = np.abs(np.log(n / size)) <= np.log(n.max() / n.min()) / LINES
        ends = (d[near].min(), d[near].max()) if near.any() else (d.min(), d.max())
        along = np.geomspace(*ends, POINTS)
        curve = fit.loss_at(_at(fit, np.full(POINTS, size), along))[0]
        items.append(Line(6 * size * along, curve, color=float(scale.place(np.log10(size))), style=":"))
    amounts, band = best.column("flops")[0], best.column("loss")
    items.append(Line(amounts, band[0], "frontier", "strong", low=band[1], high=band[2]))
    return tuple(items)


def _sizes(fit: Fit, C: np.ndarray, n: np.ndarray, losses: np.ndarray, best: Frontier) -> tuple[Item, ...]:
    law = fit.law
    assert law.compute is not None
    items: list[Item] = [Marks(C, n, label="runs", small=True)]
    grid = np.geomspace(n.min(), n.max() * 3, POINTS)
    band = best.column(law.compute[0])
    C_all = best.column("flops")[0]
    for loss in np.quantile(losses, np.linspace(0.02, 0.9, LINES)):
        log_d = crossing(lambda x: fit.loss_at(_at(fit, grid, np.exp(x)))[0], float(loss), POINTS)
        with np.errstate(over="ignore"):
            at = 6 * grid * np.exp(log_d)
        inside = np.isfinite(log_d) & (at <= C_all[-1]) & (at >= C_all[0] / 3)
        if inside.sum() > 1:
            items.append(Line(at[inside], grid[inside], style=":"))
    items.append(Line(C_all, band[0], f"best {law.compute[0]}", "strong", low=band[1], high=band[2]))
    return tuple(items)
