"""Figure of the demo: loss against width, and overlap against width, for both regimes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures import style
from superlaw.findings.exponents import Exponent, outside

if TYPE_CHECKING:
    import pandas as pd


def data(
    title: str, runs: dict[str, pd.DataFrame], lines: dict[str, Exponent | None], unlearned_at_width: np.ndarray
) -> dict[str, Any]:
    """What is plotted: each regime's columns over widths, its line, and theory's curves.

    Parameters
    ----------
    title : str
    runs : dict with the run tables ``weak`` and ``strong``, a row a width
    lines : dict with the exponent of each
    unlearned_at_width : ndarray, shape (widths,)
        The exact sum over unlearned features with k = m.
    """
    series = {}
    for name, table in runs.items():
        line = lines[name]
        columns = ("width", "loss", "loss_std", "mean_square_overlap")
        series[name] = {column: table[column].to_numpy(dtype=float) for column in columns} | {
            "weight_decay": table["weight_decay"].iloc[0],
            "on_line": outside(table) == "",
            "line": np.array(line.widths, dtype=float) if line else None,
            "fit": line.coefficient * np.array(line.widths, dtype=float) ** -line.exponent if line else None,
            "label": f"{name}, exponent {line}" if line else name,
            "unlearned_own": table["unlearned_loss"].to_numpy(dtype=float),
        }
    widths = runs["weak"]["width"].to_numpy()
    return {
        "title": title,
        "regimes": series,
        "width": widths,
        "unlearned_at_width": unlearned_at_width,
        "inverse_width": 1 / widths,
        "welch": runs["strong"]["welch"].to_numpy(dtype=float),
    }


def draw(data: dict[str, Any]) -> bytes:
    """The figure as PNG."""
    figure = style.new_figure((9.6, 4.4))
    left, right = figure.subplots(1, 2)
    figure.suptitle(data["title"], fontsize=10)
    for name, color, marker in (("weak", style.WEAK, "o"), ("strong", style.STRONG, "s")):
        regime = data["regimes"][name]
        label = f"{regime['label']} (γ = {regime['weight_decay']:g})"
        for chosen, face in ((regime["on_line"], color), (~regime["on_line"], "white")):
            if chosen.any():
                at, loss, error = (regime[column][chosen] for column in ("width", "loss", "loss_std"))
                left.errorbar(at, loss, error, fmt=marker, color=color, mfc=face, capsize=2, label=label)
                label = None
        if regime["fit"] is not None:
            left.plot(regime["line"], regime["fit"], "-", color=color, lw=1)
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
        guide = strong["fit"][0] * strong["line"][0] / strong["width"]
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
