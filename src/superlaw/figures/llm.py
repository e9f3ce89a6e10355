"""Language models: overlap of the heads and the width part of the loss, against width ([LLG] figure 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture
from superlaw.findings.heads import loss_exponent
from superlaw.geometry.frames import random_mean_abs_overlap
from superlaw.laws.result import Fit
from superlaw.laws.terms import left_for, term_curve, term_names

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
CURVE_POINTS = 60
MAKES = "superlaw lm study FAMILY --corpus NAME=FILE -o DIR makes one"
Rows = Sequence[dict[str, Any]]

draw = paint.draw


def data(rows: Rows, heads: dict[str, dict[str, Any]], fit: Fit | None, no_fit: str = "") -> Picture:
    """Mean squared and mean absolute overlap, losses with their curves, and the width part of the losses.

    Parameters
    ----------
    rows : sequence of dict
        One a model and corpus: model, family, corpus, width, loss, stderr (None: not known).
    heads : dict of str to dict
        By model name: a head's record, of lm.measure.
    fit : Fit or None
        The joint law L = C / m^a + offset[family, corpus].
    no_fit : str
        Why there is none.

    Raises
    ------
    InputError
        Without a head and without a loss.
    """
    measured = [row for row in rows if row["loss"] is not None]
    if not heads and not measured:
        raise InputError("a study without heads and losses", "the folder of a study in which a model was measured",
                         MAKES)  # fmt: skip
    look = _Look(rows)
    panels: list[Panel] = []
    if heads:
        panels += _overlap_panels(rows, heads, look)
    if measured:
        panels.append(_loss_panel(measured, fit, look, not heads))
    notes = _notes(rows, heads, measured, fit, no_fit)
    if measured and fit is not None:
        panel, hidden = _width_panel(measured, fit, look)
        panels.append(panel)
        if hidden:
            notes.append(f"{hidden} losses lie below their fitted offset and cannot be drawn in the last panel.")
    used = [model for model in look.models if model in heads or any(row["model"] == model for row in measured)]
    return Picture("llm", "Language models: overlaps and losses against width", tuple(panels), 2, tuple(notes),
                   tuple(used))  # fmt: skip


class _Look:
    """Colours tell families apart, and corpora where there is one family; markers always tell corpora."""

    def __init__(self, rows: Rows):
        self.models = list(dict.fromkeys(row["model"] for row in rows))
        self.families = list(dict.fromkeys(row["family"] for row in rows))
        self.corpora = list(dict.fromkeys(row["corpus"] for row in rows))

    def color(self, family: str, corpus: str) -> str:
        several = len(self.families) > 1
        return f"C{self.families.index(family) if several else self.corpora.index(corpus)}"

    def marker(self, corpus: str) -> str:
        return MARKERS[self.corpora.index(corpus) % len(MARKERS)]

    def keys(self, families: bool) -> list[Item]:
        """Empty marks for the legend of losses; families are named where no panel of heads names them."""
        none = np.array([])
        if len(self.families) == 1:
            return [Marks(none, none, label=c, color=self.color(self.families[0], c), marker=self.marker(c))
                    for c in self.corpora]  # fmt: skip
        named = [Marks(none, none, label=f, color=f"C{i}") for i, f in enumerate(self.families)] if families else []
        return [*named, *(Marks(none, none, label=c, marker=self.marker(c), filled=False) for c in self.corpora)]


def _overlap_panels(rows: Rows, heads: dict[str, dict[str, Any]], look: _Look) -> list[Panel]:
    families = {row["model"]: row["family"] for row in rows}
    squares: list[Item] = []
    absolutes: list[Item] = []
    for i, family in enumerate(look.families):
        found = sorted((head for name, head in heads.items() if families[name] == family), key=lambda head: head["m"])
        if not found:
            continue
        m = np.array([head["m"] for head in found], dtype=float)
        square = np.array([head["mean_square_overlap"] for head in found])
        of = tuple((head["name"],) for head in found)
        squares.append(Marks(1 / m, square, label=family, color=f"C{i}", joined=True, of=of))
        error = np.array([head["mean_abs_overlap_stderr"] for head in found])
        mean = np.array([head["mean_abs_overlap"] for head in found])
        absolutes.append(Marks(m, mean, error if error.any() else None, color=f"C{i}", joined=True, of=of))
    m = np.array(sorted({head["m"] for head in heads.values()}), dtype=float)
    line = m if len(m) > 1 else np.array([m[0] / 2, m[0] * 2])
    squares.append(Line(1 / line, 1 / line, "random directions, 1/m", style="--"))
    welch = np.array(sorted((head["m"], head["welch"]) for head in heads.values()))
    if (welch[:, 1] > 0).any():
        bound = welch[welch[:, 1] > 0]
        squares.append(Marks(1 / bound[:, 0], bound[:, 1], label="Welch's bound", marker="_"))
    random = np.array([random_mean_abs_overlap(round(x)) for x in line])
    absolutes.append(Line(line, random, "random directions", style="--"))
    return [
        Panel("1/m (m: width of the head)", "mean squared overlap, i ≠ j", tuple(squares), "rows of the heads",
              "log", "log"),
        Panel("width m of the head", "mean |overlap|, i ≠ j", tuple(absolutes), "rows of the heads", "log", "log"),
    ]  # fmt: skip


def _groups(measured: Rows) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(measured, key=lambda row: row["width"]):
        found.setdefault((row["family"], row["corpus"]), []).append(row)
    return dict(sorted(found.items()))


def _column(rows: Rows, name: str) -> np.ndarray:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=float)


def _table(rows: Rows) -> dict[str, Any]:
    return {"width": _column(rows, "width"), **{key: [row[key] for row in rows] for key in ("family", "corpus")}}


def _loss_panel(measured: Rows, fit: Fit | None, look: _Look, families: bool) -> Panel:
    items = look.keys(families)
    for (family, corpus), rows in _groups(measured).items():
        color = look.color(family, corpus)
        width = _column(rows, "width")
        items.append(Marks(width, _column(rows, "loss"), np.nan_to_num(_column(rows, "stderr")), color=color,
                           marker=look.marker(corpus), of=tuple((row["model"],) for row in rows)))  # fmt: skip
        if fit is not None:
            line = np.geomspace(width[0], width[-1], CURVE_POINTS)
            same = {"family": [family] * len(line), "corpus": [corpus] * len(line)}
            items.append(Line(line, fit.loss_at({"width": line, **same})[0], color=color))
    title = "losses, joint fit" if fit else "losses (no joint fit)"
    return Panel("width m", "loss (nats a token)", tuple(items), title, "log")


def _width_panel(measured: Rows, fit: Fit, look: _Look) -> tuple[Panel, int]:
    """Loss less offset against width, with C/m^a and its band; and how many losses lie below their offset."""
    items = look.keys(False)
    hidden = 0
    for (family, corpus), rows in _groups(measured).items():
        part = left_for(fit, "width", _table(rows), _column(rows, "loss"))
        above = part > 0
        of = tuple((row["model"],) for row, shown in zip(rows, above, strict=True) if shown)
        hidden += int((~above).sum())
        items.append(Marks(_column(rows, "width")[above], part[above], np.nan_to_num(_column(rows, "stderr"))[above],
                           color=look.color(family, corpus), marker=look.marker(corpus), of=of))  # fmt: skip
    width = _column(measured, "width")
    line = np.geomspace(width.min(), width.max(), CURVE_POINTS)
    curve, (a, _) = term_curve(fit, "width", line), loss_exponent(fit)
    level = fit.interval["level"]
    # Near the optimum alone does the covariance hold: with an exponent that is not determined the band would lie.
    free = fit.certificate.flat.get(term_names(fit, "width")[1]) == "not"
    low, high = (None, None) if free else (curve.low, curve.high)
    label = "$C/m^a$" + ("" if free else f", {level:.0%} band")
    items.append(Line(line, curve.loss, label, "theory", low=low, high=high))
    lowest = min([curve.loss.min(), *(item.y.min() for item in items if isinstance(item, Marks) and len(item.y))])
    highest = max([curve.loss.max(), *(item.y.max() for item in items if isinstance(item, Marks) and len(item.y))])
    title = ("a not determined" if free else f"a = {a}") + f" ({level:.0%}: {a.low:.3g} to {a.high:.3g})"
    # A wide band must not leave the points a corner of the panel.
    return Panel("width m", "loss − offset[family, corpus] (nats)", tuple(items), title, "log", "log",
                 ylim=(lowest / 3, highest * 3)), hidden  # fmt: skip


def _notes(rows: Rows, heads: dict[str, dict[str, Any]], measured: Rows, fit: Fit | None, no_fit: str) -> list[str]:
    models = list(dict.fromkeys(row["model"] for row in rows))
    notes = []
    if measured:
        notes.append("Bars of losses: the standard error over documents, less than a mark where none is seen.")
    if heads and len({row["family"] for row in rows}) > 1:
        notes.append("Colours tell families, as in the first panel.")
    sampled = sum(head["sampled_pairs"] is not None for head in heads.values())
    if heads:
        exact = (
            f"{sampled} of {len(heads)} from sampled pairs, with their standard error" if sampled else "over all pairs"
        )
        notes.append(f"Mean squared overlaps are exact; mean |overlap| {exact}.")
    if fit is not None:
        a, c = loss_exponent(fit)
        notes.append(f"Joint fit of {fit.n} losses: a = {a}, C = {c.value:.4g} ({fit.interval['level']:.0%}: "
                     f"{c.low:.3g} to {c.high:.3g}), an offset for each family and corpus.")  # fmt: skip
        notes += [f"Warning of the fit: {warning}." for warning in fit.warnings]
    elif no_fit or measured:
        notes.append(f"No joint fit: {no_fit or 'none was made'}.")
    without = [model for model in models if model not in heads]
    if without:
        notes.append(f"Missing: the heads of {', '.join(without)}.")
    lost = [f"{row['model']} on {row['corpus']}" for row in rows if row["loss"] is None]
    if lost:
        notes.append(f"Missing: the losses of {', '.join(lost)}.")
    return notes
