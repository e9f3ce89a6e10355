"""Figure of a language-model study: loss against width with the joint fit, overlap against width."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.figures import style


def data(rows: list[dict[str, Any]], fit: Any | None) -> dict[str, Any]:
    """What is plotted: losses of each family and corpus with their curve, overlaps of each model.

    Parameters
    ----------
    rows : list of dict
        One a model and corpus: family, corpus, width, loss, stderr, mean_square_overlap (None: not known).
    fit : Fit or None
        Of the joint law.
    """
    groups = {}
    for key in sorted({(row["family"], row["corpus"]) for row in rows}):
        chosen = sorted((row for row in rows if (row["family"], row["corpus"]) == key and row["loss"] is not None),
                        key=lambda row: row["width"])  # fmt: skip
        if not chosen:
            continue
        width = np.array([row["width"] for row in chosen], dtype=float)
        line = np.geomspace(width.min(), width.max(), 60)
        columns = {"width": line, "family": [key[0]] * 60, "corpus": [key[1]] * 60}
        groups[", ".join(key)] = {
            "width": width,
            "loss": np.array([row["loss"] for row in chosen]),
            "stderr": np.array([row["stderr"] or 0.0 for row in chosen]),
            "line": line,
            "curve": fit.predict(columns).loss if fit else None,
        }
    overlaps = {
        row["model"]: (row["head_width"], row["mean_square_overlap"]) for row in rows if row["mean_square_overlap"]
    }
    m, square = np.array(sorted(overlaps.values()), dtype=float).reshape(-1, 2).T
    a = fit.params["a"] if fit else None
    return {"groups": groups, "m": m, "overlap": square, "title": f"loss − offset ∝ 1/m^a, a = {a}" if a else ""}


def draw(data: dict[str, Any]) -> bytes:
    """The figure as PNG."""
    figure = style.new_figure((9.6, 4.2))
    left, right = figure.subplots(1, 2)
    colors = style.shades(max(1, len(data["groups"])))
    for (name, group), color in zip(data["groups"].items(), colors, strict=False):
        left.errorbar(group["width"], group["loss"], group["stderr"], fmt="o", color=color, capsize=2, label=name)
        if group["curve"] is not None:
            left.plot(group["line"], group["curve"], "-", color=color, lw=1)
    right.plot(data["m"], data["overlap"], "o", color=style.STRONG, label="heads, all pairs i ≠ j")
    right.plot(data["m"], 1 / data["m"], "--", color=style.THEORY, lw=1, label="1/m (random directions)")
    for axes in (left, right):
        style.width_axis(axes, np.unique(data["m"]).astype(int))
        axes.legend(fontsize=7.5, frameon=False)
    left.set_yscale("linear")  # the offsets are most of the losses: no power of ten lies between them
    left.set_ylabel("loss (nats a token)")
    right.set_ylabel("mean squared overlap")
    left.set_title(data["title"], fontsize=9)
    return style.render(figure)
