"""Figure of heads: overlaps, norms and spectrum of each, what is left without dominant directions, overlap by width and
by frequency of the tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import style
from superlaw.findings.heads import common_directions
from superlaw.findings.reference_heads import reference_heads
from superlaw.geometry.dominant import AS_RANDOM
from superlaw.geometry.frames import random_density
from superlaw.lm.measure import HeadMeasures, norm_edges

BINS = 120
LISTED = 8  # models named in the legend


def data(measured: list[HeadMeasures]) -> dict[str, Any]:
    """What is plotted: for each model a density of |overlap| sqrt(m), norms over their mean, spectrum; other heads."""
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
            "centred": shown.centred_square, "excess": shown.peeled.excess,
            "buckets": [(b.name, b.mean_square, b.centred) for b in shown.buckets],
        })  # fmt: skip
    m = min(shown.m for shown in measured)
    x = np.linspace(0, min(4.0, np.sqrt(m) * 0.999), 200)
    others = [(head.name, head.m, head.excess / head.m, head.centred_excess / head.m) for head in reference_heads()
              if not head.name.startswith("random")]  # fmt: skip
    return {"models": models, "random": (x, random_density(x / np.sqrt(m), m) / np.sqrt(m)), "random_m": m,
            "others": others, "gone": common_directions([shown.to_dict() for shown in measured])}  # fmt: skip


def draw(data: dict[str, Any], kind: str = "png") -> bytes:
    """The figure, as PNG, PDF or SVG."""
    models = data["models"]
    colors = style.shades(len(models))
    figure = style.new_figure((13.2, 7))
    axes = figure.subplots(2, 3)
    (overlap, width, removed), (norm, spectrum, buckets) = axes
    for i, (model, color) in enumerate(zip(models, colors, strict=True)):
        label = f"{model['name']} (m = {model['m']})" if i < LISTED else None
        overlap.stairs(model["overlap"], model["overlap_edges"], color=color, label=label)
        norm.stairs(model["norm"], model["norm_edges"], color=color)
        spectrum.loglog(np.arange(1, len(model["spectrum"]) + 1), model["spectrum"] * model["m"], color=color)
        removed.loglog(np.arange(len(model["excess"])) + 1, model["excess"], color=color)
    overlap.plot(*data["random"], "--", color=style.THEORY, lw=1, label=f"random directions (m = {data['random_m']})")
    spectrum.axhline(1, ls="--", color=style.THEORY, lw=1)
    removed.axhline(1, ls="--", color=style.THEORY, lw=1)
    removed.axhspan(1, AS_RANDOM, color=style.THEORY, alpha=0.15, lw=0, label="as random, within a quarter")
    _draw_widths(width, data, colors)
    _draw_buckets(buckets, models, colors)
    overlap.set(xlabel="|overlap| × √m", ylabel="density (sampled pairs)")
    norm.set(xlabel="row norm / mean norm", ylabel="density")
    spectrum.set(xlabel="principal direction", ylabel="share × m (1: even)")
    removed.set(xlabel="1 + dominant directions removed", ylabel="mean squared overlap / random")
    for panel in axes.flat:
        panel.grid(alpha=0.2)
    for panel in (overlap, width, removed):
        panel.legend(fontsize=7.5, frameon=False, loc="upper left" if panel is width else "best")
    return style.render(figure, kind)


def _draw_widths(panel: Any, data: dict[str, Any], colors: list[Any]) -> None:
    """Overlap against width, heads of the reference table in grey."""
    for model, color in zip(data["models"], colors, strict=True):
        panel.loglog(model["m"], model["mean_square_overlap"], "o", color=color)
        panel.loglog(model["m"], model["centred"], "s", mfc="none", color=color)
        if data["gone"]:
            panel.loglog(model["m"], model["excess"][data["gone"]] / (model["m"] - data["gone"]), "^", color=color)
    for name, m, square, centred in data["others"]:
        panel.loglog([m, m], [square, centred], ":", color=style.THEORY, lw=0.8)
        panel.loglog(m, square, "o", ms=3, color=style.THEORY)
        panel.loglog(m, centred, "s", ms=3, mfc="none", color=style.THEORY)
        panel.annotate(f"  {name}", (m, centred), fontsize=6, color=style.THEORY, va="center")
    widths = [model["m"] for model in data["models"]] + [m for _, m, _, _ in data["others"]]
    m = np.array([min(widths) / 1.5, max(widths) * 1.5])
    panel.loglog(m, 1 / m, "--", color=style.THEORY, lw=1, label="1/m (random directions)")
    panel.plot([], [], "o", color=style.THEORY, label="all pairs i ≠ j (grey: other heads)")
    panel.plot([], [], "s", mfc="none", color=style.THEORY, label="mean row removed")
    if data["gone"]:
        panel.plot([], [], "^", color=style.THEORY, label=f"dominant directions removed: {data['gone']}")
    panel.set(xlabel="width m", ylabel="mean squared overlap", ylim=(None, 50))  # above all overlaps: the legend


def _draw_buckets(panel: Any, models: list[dict[str, Any]], colors: list[Any]) -> None:
    """Overlap within head, middle and tail of the token ranks, in units of random directions."""
    panel.set(xlabel="ranks of the tokens", ylabel="mean squared overlap / random")
    if not any(model["buckets"] for model in models):
        panel.text(0.5, 0.5, "ranks not known\n(--tokens or --ranks-by-id)", ha="center", va="center",
                   transform=panel.transAxes, color=style.THEORY, fontsize=8)  # fmt: skip
        panel.set(xticks=[], yticks=[])
        return
    panel.set_yscale("log")
    panel.axhline(1, ls="--", color=style.THEORY, lw=1)
    for model, color in zip(models, colors, strict=True):
        known = [(name, a, b) for name, a, b in model["buckets"] if a and b]
        names = [name for name, _, _ in known]
        panel.plot(names, [a * model["m"] for _, a, _ in known], "o-", color=color)
        panel.plot(names, [b * model["m"] for _, _, b in known], "s:", mfc="none", color=color)
