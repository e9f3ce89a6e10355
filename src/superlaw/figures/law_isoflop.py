"""Iso-FLOP curves with their parabolas, and the optimal N against compute by Chinchilla's three approaches."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture, Scale
from superlaw.laws.frontier import frontier
from superlaw.laws.isoflop import IsoFlop

POINTS = 40

draw = paint.draw


def data(found: IsoFlop) -> Picture:
    """The budgets' runs with parabolas and vertices; and N against C with the three lines."""
    used = [curve for curve in found.curves if not curve.why]
    logs = np.log10([curve.budget for curve in used])
    scale = Scale("log10 of C (FLOP)", float(logs.min()), float(logs.max()))
    items: list[Item] = []
    for curve, log_c in zip(used, logs, strict=True):
        color = float(scale.place(log_c))
        x = np.geomspace(curve.params.min(), curve.params.max(), POINTS)
        items += [Line(x, np.polyval(curve.parabola, np.log(x)), color=color),
                  Marks(curve.params, curve.loss, color=np.full(len(curve.loss), color))]  # fmt: skip
    at = np.array([curve.vertex[0] for curve in used])
    lowest = np.array([np.polyval(c.parabola, np.log(n)) for c, n in zip(used, at, strict=True)])
    items.append(Marks(at, lowest, label="vertex", color="strong", marker="D"))
    n, d = found.fit.law.compute or ("N", "D")
    names = ", ".join(f"{one.name}: a = {one.a.value:.3f} ({one.a.low:.3f} to {one.a.high:.3f})"
                      for one in found.approaches)  # fmt: skip
    bias = found.approaches[1].clean_a - found.approaches[2].a.value
    notes = (f"{names}; {found.level:.0%} intervals. On losses of approach 3's law without noise, parabolas at these "
             f"runs are off by {bias:+.3f} in a.",)  # fmt: skip
    panels = (Panel(n, "loss", tuple(items), "iso-FLOP curves", "log", "linear", scale=scale),
              Panel("compute C (FLOP)", n, _sizes(found), "", "log", "log"))  # fmt: skip
    return Picture("law-isoflop", f"{n} and {d} by compute, {len(used)} budgets", panels, 2, notes)


def _sizes(found: IsoFlop) -> tuple[Item, ...]:
    used = [curve for curve in found.curves if not curve.why]
    C = np.geomspace(used[0].budget, max(found.flops, used[-1].budget), POINTS)
    budgets = np.array([curve.budget for curve in used])
    items: list[Item] = [
        Marks(budgets, np.array([curve.best[0] for curve in used]), label="1, best run"),
        Marks(budgets, np.array([curve.vertex[0] for curve in used]), label="2, parabolas", color="strong", marker="D"),
    ]
    for one, color in zip(found.approaches[:2], ("theory", "strong"), strict=True):
        items.append(Line(C, one.params.value * (C / found.flops) ** one.a.value, color=color))
    column = (found.fit.law.compute or ("N", "D"))[0]
    best = frontier(found.fit, C.tolist()).column(column)
    items.append(Line(C, best[0], "3, the law", "weak", low=best[1], high=best[2]))
    return tuple(items)
