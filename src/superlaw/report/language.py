"""What a page says of a study of language models: heads, tokens, losses, and the joint law of width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from superlaw.errors import InputError
from superlaw.figures import llm, norms, zipf
from superlaw.figures.panels import Picture
from superlaw.findings.words import said_of_models
from superlaw.laws.result import Fit
from superlaw.report.fits import parameters_section
from superlaw.report.page import Part, Section, Table

QUESTION = "Are these language models in strong superposition, and what does their width buy?"
ROW = ("model", "family", "width", "depth", "corpus", "loss", "stderr", "bits_per_byte", "mean_square_overlap",
       "overlap_times_width", "zipf_exponent")  # fmt: skip


def language_part(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    heads: dict[str, dict[str, Any]],
    tokenizers: dict[str, dict[str, dict[str, Any]]],
    fit: Fit | None,
    no_fit: str,
    failures: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Part:
    """A part on a study: its table, records of heads by model and of tokens by tokenizer, its fit."""
    words = said_of_models(heads, rows, fit, no_fit)
    pictures, left_out = _pictures(rows, heads, tokenizers, fit, no_fit)
    sections = [Section("Figures", figures=tuple(pictures))] if pictures else []
    if fit is not None:
        sections.append(parameters_section(fit))
    tables = [_table(rows)]
    if heads:
        tables.append(_heads(heads))
    sections.append(Section("Models", tables=tuple(tables)))
    failed = tuple(f"Failed: {what}: {reason}" for what, reason in failures.items())
    return Part(name, QUESTION, (*words.warnings, *failed), words.verdict, tuple(sections), (*notes, *left_out))


def _pictures(
    rows: Sequence[Mapping[str, Any]],
    heads: dict[str, dict[str, Any]],
    tokenizers: dict[str, dict[str, dict[str, Any]]],
    fit: Fit | None,
    no_fit: str,
) -> tuple[list[Picture], list[str]]:
    table = [dict(row) for row in rows]
    wanted = {
        "llm": lambda: llm.data(table, heads, fit, no_fit),
        "norms": lambda: norms.data(heads),
        "zipf": lambda: zipf.data(tokenizers),
    }
    drawn, reasons = [], []
    for name, make in wanted.items():
        try:
            drawn.append(make())
        except InputError as error:
            reasons.append(f"The figure {name}: {error.got}; needs {error.need}.")
    return drawn, reasons


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    cells = tuple(tuple(row.get(name) for name in ROW) for row in rows)
    note = "loss ± stderr: nats a token, with its standard error over documents. A row a model and corpus."
    return Table("models", "Models and corpora", ROW, cells, note, True)


def _heads(heads: dict[str, dict[str, Any]]) -> Table:
    columns = ("model", "rows n", "width m", "mean squared overlap", "1/m", "Welch", "mean norm", "verdict", "tensor")
    cells = tuple(
        (name, head.get("n"), head["m"], head["mean_square_overlap"], 1 / head["m"], head["welch"],
         head["norms"]["mean"], head["verdict"], head.get("tensor"))
        for name, head in heads.items()
    )  # fmt: skip
    return Table("heads", "Heads", columns, cells, "Over all pairs of rows i ≠ j.")
