"""Token frequency against rank, for each corpus and tokenizer, and the exponents of the fits ([LLG] App. D)."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Marks, Panel, Picture

PER_DECADE = 12  # ranks drawn
ESTIMATES = (("likelihood", "o"), ("split_half", "s"), ("regression", "^"))
NEEDS = "superlaw lm study FAMILY --corpus NAME=FILE -o DIR counts them"
Tokenizers = dict[str, dict[str, dict[str, Any]]]

draw = paint.draw


def data(tokenizers: Tokenizers) -> Picture:
    """A panel a corpus, frequency against rank with the split-half line; then all exponents.

    Parameters
    ----------
    tokenizers : dict of str to dict
        By the tokenizer's name, then by corpus: a record of lm.tokens (``corpora`` of a counts file).

    Raises
    ------
    InputError
        Without a record, or for one without counts by rank.
    """
    corpora = list(dict.fromkeys(corpus for found in tokenizers.values() for corpus in found))
    if not corpora:
        raise InputError("no token counts", "the folder of a language-model study with tokens counted", NEEDS)
    panels = [_frequencies(corpus, tokenizers) for corpus in corpora]
    parts = [
        (name, corpus, found[corpus]) for name, found in tokenizers.items() for corpus in corpora if corpus in found
    ]
    counted = "; ".join(
        f"{name}, {corpus}: {one['tokens']:,} tokens, {one['distinct']:,} distinct"
        + ("" if one["whole_corpus"] else " (the first part of the corpus)")
        for name, corpus, one in parts
    )
    missing = [f"{name} on {corpus}" for name, found in tokenizers.items() for corpus in corpora if corpus not in found]
    return Picture(
        "zipf", "Token frequency against rank", (*panels, _exponents(parts)), min(2, 1 + len(panels)),
        (f"Tokens counted: {counted}.",
         "Bars of frequencies: the counting error, √count / tokens. Ranks are taken from the same counts, which "
         "flatters the first and steepens the last; the split-half exponent ranks by one half and counts in the other. "
         "Bars of exponents: the standard error as if tokens were independent draws from an exact power law; the "
         "estimates differ by more, which is the honest error.",
         *([f"Missing: {', '.join(missing)}."] if missing else [])),
        tuple(f"{name}: {corpus}" for name, corpus, _ in parts),
    )  # fmt: skip


def by_rank(record: dict[str, Any]) -> np.ndarray:
    """Counts of one corpus, most frequent first, shape (distinct,).

    Raises
    ------
    InputError
        For a record without counts.
    """
    counts = record.get("counts")
    if not counts:
        raise InputError("a record of tokens without counts", "one of this version", NEEDS)
    return np.sort(np.fromiter(counts.values(), dtype=float))[::-1]


def _frequencies(corpus: str, tokenizers: Tokenizers) -> Panel:
    items: list[Item] = []
    found = [(name, records[corpus]) for name, records in tokenizers.items() if corpus in records]
    for i, (name, record) in enumerate(found):
        counts = by_rank(record)
        total = counts.sum()
        ranks = thinned(len(counts))
        chosen = counts[ranks - 1]
        half = record["split_half"]
        label = f"{name}: α = {half['exponent']:.3f}" + (f" ± {half['stderr']:.1g}" if half["stderr"] else "")
        items.append(Marks(ranks, chosen / total, np.sqrt(chosen) / total, label, f"C{i}"))
        items.append(Line(ranks, _law(half["exponent"], len(counts))[ranks - 1], color=f"C{i}"))
    last = max(len(by_rank(record)) for _, record in found)
    first = max(float(by_rank(record)[0] / record["tokens"]) for _, record in found)
    ends = np.array([1.0, last])
    items.append(Line(ends, 2 * first / ends, "slope −1", style="--"))
    return Panel("rank r", "frequency (share of tokens)", tuple(items), corpus, "log", "log", legend="lower left")


def thinned(distinct: int) -> np.ndarray:
    """Ranks evenly spaced in their logarithm, the first and the last among them.

    Examples
    --------
    >>> thinned(3)
    array([1, 2, 3])
    """
    size = 1 + int(np.ceil(PER_DECADE * np.log10(max(distinct, 2))))
    return np.unique(np.round(np.geomspace(1, distinct, size)).astype(int))


def _law(exponent: float, distinct: int) -> np.ndarray:
    """p_r = r^-alpha / sum r^-alpha over the ranks that occur, shape (distinct,)."""
    p = np.arange(1, distinct + 1.0) ** -exponent
    return p / p.sum()


def _exponents(parts: list[tuple[str, str, dict[str, Any]]]) -> Panel:
    x = np.arange(len(parts), dtype=float)
    items: list[Item] = []
    for i, (kind, marker) in enumerate(ESTIMATES):
        known = [j for j, (_, _, one) in enumerate(parts) if one.get(kind) and one[kind]["exponent"] is not None]
        if not known:
            continue
        value, error = (
            np.array([parts[j][2][kind][key] or 0.0 for j in known], dtype=float) for key in ("exponent", "stderr")
        )
        beside = x[known] + 0.15 * (i - 1)
        items.append(Marks(beside, value, error, kind.replace("_", " "), f"C{i}", marker))
    items.append(Line(np.array([-0.5, len(parts) - 0.5]), np.ones(2), "1 (Zipf)", style="--"))
    names = tuple(f"{name}, {corpus}" for name, corpus, _ in parts)
    drawn = [item for item in items if isinstance(item, Marks)]
    low = min([1.0, *(float(np.min(item.y - item.error)) for item in drawn)])
    high = max([1.0, *(float(np.max(item.y + item.error)) for item in drawn)])
    room = high - low + 0.1  # above the marks, for the legend
    return Panel("", "exponent α of $p_r ∼ r^{-α}$", tuple(items), "exponents", ticks=tuple(x.tolist()),
                 tick_labels=names, xlim=(-0.5, len(parts) - 0.5),
                 ylim=(low - 0.08 * room, high + 0.5 * room))  # fmt: skip
