"""Figure of heads: overlaps and spectrum of each, norms, and overlap against width."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.geometry.frames import random_density
from superlaw.lm.measure import HeadMeasures, norm_edges

BINS = 120
LISTED = 8  # models named in the legend


def data(measured: list[HeadMeasures]) -> dict[str, Any]:
    """What is plotted: for each model a density of |overlap| sqrt(m), norms over their mean, spectrum."""
    models = []
    for shown in measured:
        scaled = shown.overlaps.sample * np.sqrt(shown.m)
        density, edges = np.histogram(scaled, BINS, (0.0, float(np.quantile(scaled, 0.99))), density=True)
        lengths = shown.norms / shown.norms.mean()
        norms, edges_of_norms = np.histogram(lengths, norm_edges(lengths, BINS // 2), density=True)
        models.append({
            "name": shown.head.name.rstrip("/").split("/")[-1], "m": shown.m, "overlap": density,
            "overlap_edges": edges,
            "norm": norms, "norm_edges": edges_of_norms, "spectrum": shown.overlaps.spectrum,
            "mean_square_overlap": shown.overlaps.mean_square, "inverse_width": 1 / shown.m,
            "centred": shown.centred.mean_square if shown.centred else None,
        })  # fmt: skip
    m = min(shown.m for shown in measured)
    x = np.linspace(0, min(4.0, np.sqrt(m) * 0.999), 200)
    return {"models": models, "random": (x, random_density(x / np.sqrt(m), m) / np.sqrt(m)), "random_m": m}


def draw(data: dict[str, Any], kind: str = "png") -> bytes:
    """The figure, as PNG, PDF or SVG."""
    models = data["models"]
    colors = style.shades(len(models))
    figure = style.new_figure((9.6, 7))
    axes = figure.subplots(2, 2)
    (overlap, width), (norm, spectrum) = axes
    for i, (model, color) in enumerate(zip(models, colors, strict=True)):
        label = f"{model['name']} (m = {model['m']})" if i < LISTED else None
        overlap.stairs(model["overlap"], model["overlap_edges"], color=color, label=label)
        norm.stairs(model["norm"], model["norm_edges"], color=color)
        spectrum.loglog(np.arange(1, len(model["spectrum"]) + 1), model["spectrum"] * model["m"], color=color)
        width.loglog(model["m"], model["mean_square_overlap"], "o", color=color)
        if model["centred"] is not None:
            width.loglog(model["m"], model["centred"], "s", mfc="none", color=color)
    overlap.plot(*data["random"], "--", color=style.THEORY, lw=1, label=f"random directions (m = {data['random_m']})")
    m = np.array(sorted(model["m"] for model in models))
    m = m if m[0] < m[-1] else np.array([m[0] / 2, m[0] * 2])
    width.loglog(m, 1 / m, "--", color=style.THEORY, lw=1, label="1/m (random directions)")
    spectrum.axhline(1, ls="--", color=style.THEORY, lw=1)
    width.plot([], [], "o", color=style.THEORY, label="all pairs i ≠ j")
    if any(model["centred"] is not None for model in models):
        width.plot([], [], "s", mfc="none", color=style.THEORY, label="mean row removed")
    overlap.set(xlabel="|overlap| × √m", ylabel="density (sampled pairs)")
    width.set(xlabel="width m", ylabel="mean squared overlap")
    norm.set(xlabel="row norm / mean norm", ylabel="density")
    spectrum.set(xlabel="principal direction", ylabel="share × m (1: even)")
    for panel in axes.flat:
        panel.grid(alpha=0.2)
    overlap.legend(fontsize=7.5, frameon=False)
    width.legend(fontsize=7.5, frameon=False, loc="lower left")
    return style.render(figure, kind)
