"""Exponents of variants of the model: runs that differ in width and seed alone, named by what sets them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from superlaw.errors import InputError
from superlaw.findings.exponents import LEVEL, RULE, exponents, left_out_in_words, runs_of
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    from superlaw.findings.exponents import Source

ALWAYS = {"data_exponent": "α", "weight_decay": "γ", "n_features": "n"}  # shown wherever they vary
PLAIN = {"loss_function": "", "values": "values ", "rows": "rows ", "optimizer": "", "activation": ""}  # a name speaks
SWITCHED = {"learn_bias": "b fixed at 0", "tied": "untied", "clip": "clipped"}  # from what is published


@dataclass(frozen=True, eq=False)
class Variants:
    """The exponent of each variant.

    Parameters
    ----------
    cells : DataFrame
        As of :func:`superlaw.exponents`, with ``variant``: what sets the cell apart from the published protocol and
        from the others.
    notes : tuple of str
    ids : tuple of str
        Of all runs on the lines.
    """

    cells: pd.DataFrame
    notes: tuple[str, ...]
    ids: tuple[str, ...]


def variants(source: Source) -> Variants:
    """The exponents of every set of runs that differ in width and seed alone, variants of one another or not.

    Raises
    ------
    InputError
        Where no set has an exponent.

    Examples
    --------
    >>> found = variants(["docs/runs/initial-bias.csv"])  # doctest: +SKIP
    """
    table = runs_of(source)
    cells = exponents(table)
    varying = [name for name in DEFAULTS if name in cells]
    cells["variant"] = [named(row, varying) for row in cells.to_dict("records")]
    known = cells[cells["exponent"].notna()]
    if not len(known):
        raise InputError("no runs with an exponent", "runs of three widths or more in the scaling range",
                         "superlaw sweep run initial-bias-small --store runs makes some")  # fmt: skip
    left_out = left_out_in_words(cells)
    notes = [f"{RULE}. Bars: {LEVEL:.0%} intervals of the line through the widths."]
    if left_out:
        notes.append(f"Not on a line: {left_out}.")
    damaged = int(table["n_features"].isna().sum())  # of unknown spec: in no cell
    if damaged:
        notes.append(f"Left out: {damaged} damaged runs; superlaw sweep verify names them.")
    return Variants(cells, tuple(notes), tuple(run for runs in known["runs"] for run in runs))


def named(row: Mapping[Any, Any], varying: list[str]) -> str:
    """What sets a cell apart: fields that differ from the published protocol, those of ``ALWAYS`` where they vary."""
    said = []
    for name in varying:
        value = row[name]
        if name in ALWAYS:
            said.append(f"{ALWAYS[name]} = {value:g}")
        elif _follows(name, row):
            continue
        elif name == "initial_bias_std":
            said.append(start_of_bias(row.get("initial_bias_mean", 0.0), value))
        elif not _published(name, value):
            said.append(_in_words(name, value))
    return ", ".join(said) or "as published"


def start_of_bias(mean: float, std: float) -> str:
    """How the bias starts, as it is written.

    Examples
    --------
    >>> start_of_bias(0, 0), start_of_bias(-1, 0.5)
    ('b = 0', 'b ~ N(-1, 0.25)')
    """
    return f"b = {mean:g}" if std == 0 else f"b ~ N({mean:g}, {std**2:g})"


def _follows(name: str, row: Mapping[Any, Any]) -> bool:
    """Whether another field of the cell says as much: logits of cross-entropy, the start of a fixed bias."""
    return (
        (name == "activation" and row.get("loss_function") == "cross-entropy")
        or (name.startswith("initial_bias") and row.get("learn_bias") is False)
        or (name == "initial_bias_mean" and "initial_bias_std" in row)
    )


def _published(name: str, value: Any) -> bool:
    """Whether a field has the value of the published protocol, or none."""
    return value is None or value != value or value == getattr(RunSpec(), name)


def _in_words(name: str, value: Any) -> str:
    if name in SWITCHED:
        return SWITCHED[name]
    if name in PLAIN:
        return f"{PLAIN[name]}{value}"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', ' ')} {shown}"
