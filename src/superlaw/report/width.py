"""What a page says of width, table by table: which tables can tell, their exponents, and all of them jointly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from superlaw.figures import width_law as figure
from superlaw.findings.width_law import WidthAnswer, WidthVerdict
from superlaw.report.fits import parameters_section
from superlaw.report.page import Facts, Part, Section, Table

QUESTION = "Does width buy 1/m in language models?"


def width_part(answer: WidthAnswer, joint: Sequence[str]) -> Part:
    """A part on a WidthAnswer; ``joint`` is what its tables say together, in sentences."""
    telling = answer.telling
    silent = len(answer.verdicts) - len(telling)
    warnings = [f"{one.table.entry}: {doubt}." for one in telling for doubt in one.doubts]
    if silent:
        warnings.insert(0, f"{silent} of {len(answer.verdicts)} tables cannot tell an exponent of width.")
    verdict = [*(joint if len(answer.verdicts) > 1 else ()), *(_sentence(one) for one in telling)]
    figures = (figure.data(answer),) if telling else ()
    sections = [Section("Tables", figures=figures, tables=(_tables(answer),))]
    sections += [_of_one(one) for one in answer.verdicts if one.fit is not None]
    left_out = tuple(_sentence(one) for one in answer.verdicts if one.cannot)
    return Part(f"{len(answer.verdicts)} tables of runs", QUESTION, tuple(warnings),
                tuple(verdict) or ("Nothing can be said: no table can tell.",), tuple(sections), left_out)  # fmt: skip


def _sentence(one: WidthVerdict) -> str:
    return f"{one.table.entry}: {one.verdict}."


def _tables(answer: WidthAnswer) -> Table:
    rows = []
    for one in answer.verdicts:
        found, design = one.exponent, one.design
        numbers = (None,) * 3 if found is None else (found.value, found.low, found.high)
        rows.append((one.table.entry, design.counted, len(design.widths), min(design.widths, default=None),
                     max(design.widths, default=None), design.inflation, *numbers, one.verdict))  # fmt: skip
    columns = ("table", "runs", "widths", "narrowest", "widest", "variance inflation", "exponent", "low", "high",
               "verdict")  # fmt: skip
    return Table("tables", "Width, table by table", columns, tuple(rows), "Intervals of 95 %.")


def _of_one(one: WidthVerdict) -> Section:
    assert one.fit is not None  # width_part asks before
    fit, choices = parameters_section(one.fit), [*one.choices]
    choices += [(f"without width {width:g}", value) for width, value in one.without]
    rows = tuple((what, None if math.isnan(value) else value) for what, value in choices)
    tables = [*fit.tables]
    if rows:
        tables.append(Table("choices", "By other choices", ("choice", "exponent of width"), rows,
                            "Empty where that fit does not determine it."))  # fmt: skip
    laws = [Facts("Other laws on these points", (("", str(one.comparison)),), folded=True)] if one.comparison else []
    return Section(one.table.entry, (f"{one.verdict}.", *([one.table.why] if one.table.why else [])),
                   (*fit.facts, *laws), tables=tuple(tables))  # fmt: skip
