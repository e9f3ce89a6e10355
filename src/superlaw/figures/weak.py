"""Weak superposition: the loss is that of the features not learned ([LLG] figure 5)."""

from __future__ import annotations

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint, published, style
from superlaw.figures.panels import Line, Marks, Panel, Picture, Scale
from superlaw.figures.runs import exponents_by_decay, named_runs
from superlaw.findings.comparable import ComparableRuns, spec_of
from superlaw.findings.regimes import WEAK_UP_TO, sum_exponent

draw = paint.draw


def data(chosen: ComparableRuns) -> Picture:
    """Loss against the loss by unlearned features; alpha_m against alpha with the line alpha - 1."""
    if (chosen.table["loss_function"] != "squared-error").any():
        raise InputError("runs with cross-entropy", "squared error, whose unlearned features have a loss of their own",
                         "--where 'loss_function == \"squared-error\"'")  # fmt: skip
    ratio = (chosen.good["loss"] / chosen.good["unlearned_loss"])[chosen.good["unlearned_loss"] > 0]
    notes: tuple[str, ...] = (
        "Runs with γ of 0 or more. Left (bars: over the last 100 steps): at the exact sum over the features that the "
        "run does not represent (norm up to 1/2); on the line the loss is that of the unlearned features alone. Right: "
        f"filled where superposition is weak (at most {WEAK_UP_TO:g} represented features a dimension), hollow where "
        "it is between. Dashed: slope of the exact sum with k = m over the same widths.",
    )
    if len(ratio):
        notes += (f"Loss over loss by unlearned features: median {ratio.median():.2f}, {ratio.min():.2f} to "
                  f"{ratio.max():.2f} over {len(ratio)} runs.",)  # fmt: skip
    panels = _against_unlearned(chosen), _exponents(chosen)
    return Picture("weak", "Weak superposition: the loss beside that of the features not learned", panels, 2,
                   (*chosen.notes, *notes, *published.notes("weak", chosen, panels)),
                   chosen.ids, chosen.missing)  # fmt: skip


def _against_unlearned(chosen: ComparableRuns) -> Panel:
    runs = chosen.good
    decays = sorted(runs["weight_decay"].unique())
    scale = Scale("weight decay γ", decays[0], decays[-1])
    x, y = runs["unlearned_loss"].to_numpy(dtype=float), runs["loss"].to_numpy(dtype=float)
    shown = x > 0
    place = np.asarray(scale.place(runs["weight_decay"].to_numpy(dtype=float)))[shown]
    of = tuple((name,) for name in named_runs(runs[shown]))
    points = Marks(x[shown], y[shown], runs["loss_std"].to_numpy(dtype=float)[shown], color=place, of=of)
    both = np.concatenate([x[shown], y[shown]])
    ends = np.array([both.min(), both.max()]) if both.size else np.ones(2)
    hidden = int((~shown).sum())
    title = f"{hidden} runs represent everything and are not shown" if hidden else ""
    return Panel("loss by unlearned features, Σ (⟨v²⟩ p − p²)", "loss L", (points, Line(ends, ends, "equal")), title,
                 "log", "log", legend="upper left", scale=scale)  # fmt: skip


def _exponents(chosen: ComparableRuns) -> Panel:
    cells = chosen.exponents
    shown = np.isfinite(cells["exponent"]) & cells["regime"].isin(["weak", "between"])
    items = exponents_by_decay(cells[shown], hollow="between")
    alpha = np.array(chosen.values("data_exponent"))
    line = np.linspace(1, max(1.5, alpha.max()), 2)
    items.append(Line(line, line - 1, "α − 1 (n → ∞)"))
    items.append(Line(alpha, np.array([_sum_exponent(chosen, a) for a in alpha]), "exact sum, k = m", style="--"))
    return Panel("data exponent α", f"model exponent {style.ALPHA_M}", tuple(items), legend="upper left")


def _sum_exponent(chosen: ComparableRuns, alpha: float) -> float:
    """That of the sum over the features beyond rank m, over the widths that were trained."""
    here = chosen.table[chosen.table["data_exponent"] == alpha]
    spec = spec_of(here.iloc[0])
    widths = np.array(sorted(here["width"].unique()))
    return float("nan") if spec is None else sum_exponent(spec.probabilities, widths, spec.values)
