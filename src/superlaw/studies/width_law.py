"""Does width buy 1/m in language models? The protocol put to public tables or to one of yours, and its page."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.figures import width_law as figure
from superlaw.files.outputs import KeptFolder
from superlaw.files.records import to_json
from superlaw.findings.pooled import PooledMean
from superlaw.findings.width_design import WidthRules, WidthTable
from superlaw.findings.width_law import KERNEL, MANIFOLD, WIDTH, WidthAnswer, WidthVerdict, join_widths, judge_width
from superlaw.laws.published import load_published
from superlaw.laws.quantities import DEPTH, PARAMS, RATE, TOKENS, columns_of
from superlaw.report.page import page_of
from superlaw.report.render import report_page
from superlaw.report.width import width_part

if TYPE_CHECKING:
    import pandas as pd

STEM = "width-law"
FILES = (f"{STEM}.md", f"{STEM}.json", f"{STEM}.html", f"{STEM}.png")


SEVERAL = ("where", "let", "best_of")  # fields of a table that hold any number of texts


@dataclass(frozen=True)
class WidthProtocol:
    """The rules, and the public tables that they are put to (docs/studies/width-law-protocol.md)."""

    rules: WidthRules
    tables: tuple[WidthTable, ...]


def width_protocol() -> WidthProtocol:
    """The protocol as it was written down before the fits were run.

    Examples
    --------
    >>> protocol = width_protocol()
    >>> len(protocol.tables), protocol.rules.inflation
    (15, 10.0)
    """
    record = tomllib.loads((files("superlaw.studies") / "width_law.toml").read_text(encoding="utf-8"))
    rules = WidthRules(**{key: _listed(value) for key, value in record["rules"].items()})
    tables = [{key: _listed(value, key in SEVERAL) for key, value in table.items()} for table in record["tables"]]
    return WidthProtocol(rules, tuple(WidthTable(**table) for table in tables))


def _listed(value: Any, several: bool = False) -> Any:
    """TOML's arrays as tuples; a single text as one of several where there may be more."""
    return tuple(value) if isinstance(value, list) else (value,) if several else value


def width_law(table: pd.DataFrame, columns: WidthTable | None = None) -> WidthVerdict:
    """What one table of runs says of width, by the protocol.

    Parameters
    ----------
    table : DataFrame
        A row a run.
    columns : WidthTable, optional
        Its columns; by obvious names when left out (:func:`width_table`).

    Raises
    ------
    InputError
        For columns or cells that cannot be used.
    """
    return judge_width(table, width_table(table) if columns is None else columns, width_protocol().rules)


def width_table(table: pd.DataFrame, entry: str = "table", **given: Any) -> WidthTable:
    """Columns of a table: those given, and of the others what obvious names say (docs/laws.md)."""
    parts = {
        "depth": ("depth", DEPTH),
        "tokens": ("tokens", TOKENS),
        "params": ("N", PARAMS),
        "learning_rate": ("lr", RATE),
    }
    found = {part: name if columns_of(table, quantity) else None for part, (name, quantity) in parts.items()}
    known: dict[str, Any] = found | {part: value for part, value in given.items() if value}
    return WidthTable(entry, "", entry, **known)


def public_width_laws(report: Callable[[str], None] = lambda entry: None) -> WidthAnswer:
    """The protocol put to every public table of it, and all joined."""
    protocol, verdicts = width_protocol(), []
    for columns in protocol.tables:
        report(columns.entry)
        verdicts.append(judge_width(load_published(columns.name), columns, protocol.rules))
    return join_widths(verdicts)


def check_width_law(folder: str | Path, overwrite: bool = False) -> KeptFolder:
    """The folder of a study, refused where something else is in the way."""
    kept = KeptFolder(Path(folder), "study width-law", overwrite)
    kept.check(*FILES)
    return kept


def write_width_law(answer: WidthAnswer, folder: str | Path, command: str, overwrite: bool = False) -> dict[str, Path]:
    """Write the page (Markdown, and the report), its numbers and its picture into a folder; where each is.

    Raises
    ------
    InputError
        For a file in the way that this study did not write.
    """
    kept = check_width_law(folder, overwrite)
    record = {"superlaw": version("superlaw"), "command": command, **answer.to_dict()}
    report = page_of([width_part(answer, joint_words(answer))], command)
    contents = (page(answer, command).encode(), (to_json(record, indent=1) + "\n").encode(), report_page(report))
    written = {name: kept.write(name, content) for name, content in zip(FILES[:3], contents, strict=True)}
    if answer.telling:
        written[FILES[3]] = kept.write(FILES[3], figure.draw(figure.data(answer), "png"))
    return written


def page(answer: WidthAnswer, command: str) -> str:
    """Everything in Markdown: the joint answer, a row a table, a section a table."""
    out = ["# Width, table by table", "", f"Made by `{command}` (superlaw {version('superlaw')}); the protocol: "
           "[width-law-protocol.md](width-law-protocol.md).", ""]  # fmt: skip
    if len(answer.verdicts) > 1:
        out += [*joint_words(answer), ""]
    out += ["| table | runs | widths | variance inflation | a_m (95 %) | 12 choices | without a width | verdict |",
            "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    out += [_row(one) for one in answer.verdicts]
    for one in answer.verdicts:
        out += ["", *section(one)]
    return "\n".join(out) + "\n"


def joint_words(answer: WidthAnswer) -> list[str]:
    """What all tables say together, in sentences."""
    tell = len(answer.telling)
    out = [f"{tell} of {len(answer.verdicts)} tables can tell."]
    if not tell:
        return out
    rivals = {"1": 1.0, f"the kernel's {KERNEL:g}": KERNEL, f"the manifold's {MANIFOLD:.2f}": MANIFOLD}
    apart = [f"{answer.excluding(value)} exclude {name}" for name, value in rivals.items()]
    out.append(f"Of these {', '.join(apart)}.")
    for words, found in (("One entry a source", answer.joint), ("All entries that can tell", answer.of_all)):
        if found is not None:
            out.append(f"{words}: {_pooled(found)}")
    return out


def _pooled(found: PooledMean) -> str:
    further = ""
    if not math.isnan(found.next_low):
        further = f" One more table's own exponent would lie between {found.next_low:.2f} and {found.next_high:.2f}."
    return (
        f"mean {found.mean:.2f} ({found.low:.2f} to {found.high:.2f}) over {found.k}, standard deviation between them "
        f"{found.spread:.2f}; I² = {found.inconsistency:.0%}, heterogeneity p = {found.heterogeneity_p:.2g}.{further}"
    )


def _row(one: WidthVerdict) -> str:
    design, found = one.design, one.exponent
    interval = "-" if found is None else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    cells = [
        one.table.entry, str(design.counted), f"{len(design.widths)}, {design.widths[0]:g} to {design.widths[-1]:g}",
        _inflation(design.inflation), interval, _moves(one.choices), _moves(one.without), one.verdict,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _inflation(value: float) -> str:
    return "all of it" if value > 1e6 else f"{value:.3g}"


def _moves(values: Sequence[tuple[Any, float]]) -> str:
    known = [value for _, value in values if not math.isnan(value)]
    if not known:
        return "-"
    few = f" ({len(known)} of {len(values)})" if len(known) < len(values) else ""
    return f"{min(known):.2f} to {max(known):.2f}{few}"


def section(one: WidthVerdict) -> list[str]:
    """One table, in Markdown lines."""
    design, table = one.design, one.table
    held = "".join(f" {name} = {value:g} alone, with no term of its own." for name, value in design.held.items())
    rate = "" if math.isnan(design.with_learning_rate) else f", {design.with_learning_rate:.3g} with the learning rate"
    out = [
        f"## {table.entry}", "", f"**{one.verdict}.**", "",
        f"{design.counted} of {design.rows} rows{f': {table.why}' if table.why else ''}. {len(design.widths)} widths, "
        f"{design.widths[0]:g} to {design.widths[-1]:g}; variance inflation "
        f"{_inflation(design.inflation)}{rate}.{held}",
    ]  # fmt: skip
    if one.fit is None:
        return out
    out += ["", "```text", str(one.fit), "```"]
    if one.comparison is None:
        return out
    out += ["", "```text", str(one.comparison), "```", "", "| choice | a_m |", "|---|---|"]
    out += [f"| {what} | {_number(value)} |" for what, value in one.choices]
    without = ", ".join(f"{width:g}: {_number(value)}" for width, value in one.without)
    out += ["", f"Without one width: {without}."]
    if one.shared is not None:
        found, lead = one.shared.params[WIDTH], one.shared.aic - one.fit.aic
        out += ["", f"One exponent for width and depth: {found.value:.2f} ({found.low:.2f} to {found.high:.2f}), AIC "
                    f"{lead:+.1f} against one for each."]  # fmt: skip
    return out


def _number(value: float) -> str:
    return "not determined" if math.isnan(value) else f"{value:.2f}"
