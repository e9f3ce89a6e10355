"""The best shape: the loss along a budget, and the best width and depth by budget."""

from __future__ import annotations

import math

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture
from superlaw.findings.best_shape import BestShape
from superlaw.laws.optimum import best_sizes

POINTS = 61
AROUND = 4.0  # widths drawn, as a factor of the best one
BUDGETS = 300.0  # and budgets
HIGHEST = 0.45  # of the loss panel: beyond it lie shapes that nobody would train

draw = paint.draw


def data(result: BestShape) -> Picture:
    """Loss above the best along the budget with its band, and how the best sizes grow with the budget."""
    notes = [
        f"{result.level:.0%} bands from {result.drawn_from}; law {result.law.source}.",
        *(f"{warning}." for warning in result.warnings),
    ]
    title = f"The best shape for {result.params:.3g} parameters by an additive law of width and depth"
    return Picture("shape", title, (_along(result), _by_budget(result)), 2, tuple(notes))


def _along(result: BestShape) -> Panel:
    width = np.geomspace(result.width.value / AROUND, result.width.value * AROUND, POINTS)
    depth = result.params / (12 * width**2)
    law, tokens = result.law, result.tokens
    least = law.losses(result.width.value, result.depth.value, tokens)
    above = law.losses(width, depth, tokens)[0] - least[0]
    drawn = law.losses(width, depth, tokens, result.values)
    drawn = drawn - law.losses(result.width.value, result.depth.value, tokens, result.values)
    low, high = np.quantile(drawn, [(1 - result.level) / 2, (1 + result.level) / 2], axis=0)
    shapes = [s for s in result.nearby if s.loss - least[0, 0] < HIGHEST]
    ends = np.array([result.width.low, result.width.high])
    items: tuple[Item, ...] = (
        Line(width, above, "12 m² l = N", "weak", "-", low, high),
        Marks(np.array([s.width for s in shapes], float), np.array([s.loss - least[0, 0] for s in shapes]), None,
              f"whole shapes (widths: multiples of {result.multiple})", "theory", "s"),
        Marks(np.array([result.best.width], float), np.array([result.best.loss - least[0, 0]]), None,
              f"best whole: {result.best.width} × {result.best.depth}", "strong", "D"),
        Line(ends, np.full(2, -0.015), f"best width, {result.level:.0%}", "strong"),
    )  # fmt: skip
    return Panel("width m (depth l = N / 12 m²)", "loss above the best, nats per token", items, "Along the budget",
                 "log", xlim=(width[0], width[-1]), ylim=(-0.03, 1.4 * HIGHEST), legend="upper center")  # fmt: skip


def _by_budget(result: BestShape) -> Panel:
    law, fit = result.law, result.law.fit
    budgets = np.geomspace(result.params / BUDGETS, result.params * BUDGETS, POINTS)
    index = {name: i for i, name in enumerate(fit.params)}
    both = np.concatenate([fit.values[None], result.values])
    columns = (law.width, law.depth)
    log_c = np.stack([np.log(np.maximum(both[:, index[f"c_{column}"]], 1e-300)) for column in columns], axis=1)
    a = np.stack([both[:, index[f"a_{column}"]] for column in columns], axis=1)
    log_x, power = best_sizes(log_c, a, np.array([2.0, 1.0]), math.log(result.params / 12))
    items: list[Item] = []
    highest = 1.0
    for k, (name, color) in enumerate((("best width m", "C0"), ("best depth l", "C1"))):
        grown = np.clip(log_x[:, k, None] + power[:, k, None] * np.log(budgets / result.params), -700, 700)
        low, high = np.quantile(np.exp(grown[1:]), [(1 - result.level) / 2, (1 + result.level) / 2], axis=0)
        items.append(Line(budgets, np.exp(grown[0]), name, color, "-", low, high))
        highest = max(highest, float(np.exp(grown[0]).max()))
    shapes = law.fitted_shapes()
    if shapes is not None:
        models = np.unique(shapes, axis=1)
        trained = 12 * models[0] ** 2 * models[1]
        items += [Marks(trained, models[0], None, "fitted models", "C0", "."),
                  Marks(trained, models[1], None, None, "C1", ".")]  # fmt: skip
    items.append(Line(np.full(2, result.params), np.array([1.0, highest]), None, "theory", ":"))
    return Panel("parameters N = 12 m² l", "width m, depth l", tuple(items), "By budget", "log", "log",
                 ylim=(1, None), legend="upper left")  # fmt: skip
