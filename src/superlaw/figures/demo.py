"""Figure of the demo: loss against width, and overlap against width, for both regimes."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.sweeps.widths import WidthScan


def data(title: str, regimes: dict[str, WidthScan], unlearned_at_width: np.ndarray) -> dict[str, Any]:
    """What is plotted: each regime's arrays over widths, and theory's curves.

    Parameters
    ----------
    title : str
    regimes : dict with the scans ``weak`` and ``strong``
    unlearned_at_width : ndarray, shape (widths,)
        The exact sum over unlearned features with k = m.
    """
    series = {}
    for name, scan in regimes.items():
        slope = scan.slope
        series[name] = {
            "weight_decay": scan.weight_decay,
            "width": scan.widths,
            "loss": scan.loss,
            "loss_std": scan.loss_std,
            "fit": slope.coefficient * scan.widths**-slope.exponent if slope else None,
            "label": f"{name}, slope −{slope.exponent:.2f} ± {slope.stderr:.2f}" if slope else name,
            "mean_square_overlap": scan.mean_square_overlap,
            "unlearned_own": scan.unlearned_loss,
        }
    widths = regimes["weak"].widths
    return {
        "title": title,
        "regimes": series,
        "width": widths,
        "unlearned_at_width": unlearned_at_width,
        "inverse_width": 1 / widths,
        "welch": regimes["strong"].welch,
    }


def draw(data: dict[str, Any]) -> bytes:
    """The figure as PNG."""
    figure = style.new_figure((9.6, 4.4))
    left, right = figure.subplots(1, 2)
    figure.suptitle(data["title"], fontsize=10)
    for name, color, marker in (("weak", style.WEAK, "o"), ("strong", style.STRONG, "s")):
        regime = data["regimes"][name]
        label = f"{regime['label']} (γ = {regime['weight_decay']:g})"
        left.errorbar(
            regime["width"],
            regime["loss"],
            regime["loss_std"],
            fmt=marker,
            color=color,
            capsize=2,
            label=label,
        )
        if regime["fit"] is not None:
            left.plot(regime["width"], regime["fit"], "-", color=color, lw=1)
        right.plot(regime["width"], regime["mean_square_overlap"], marker, color=color, label=name)
    left.plot(
        data["width"],
        data["unlearned_at_width"],
        "--",
        color=style.THEORY,
        lw=1,
        label="sum over features beyond m",
    )
    own = data["regimes"]["weak"]
    left.plot(own["width"], own["unlearned_own"], "x", color=style.THEORY, label="weak: sum over its own unlearned")
    strong = data["regimes"]["strong"]
    if strong["fit"] is not None:
        guide = strong["fit"][0] * strong["width"][0] / strong["width"]
        left.plot(strong["width"], guide, ":", color=style.THEORY, lw=1, label="∝ 1/m")
    right.plot(data["width"], data["inverse_width"], ":", color=style.THEORY, lw=1, label="1/m (random directions)")
    right.plot(data["width"], data["welch"], "-.", color=style.THEORY, lw=1, label="Welch bound, all n rows")
    left.set_ylabel("loss L (sum over features)")
    right.set_ylabel("mean squared overlap, all pairs i ≠ j")
    for axes in (left, right):
        style.width_axis(axes, data["width"])
        axes.legend(fontsize=7.5, frameon=False)
    low = min(np.nanmin(r["loss"]) for r in data["regimes"].values())
    left.set_ylim(low * 0.35, None)  # room for the legend below the curves
    return style.render(figure)
