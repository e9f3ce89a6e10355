"""superlaw study: whole questions, put to public tables or to yours by a protocol that was written down before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from superlaw.cli.law_options import TABLE_HELP, Reading, spread
from superlaw.cli.law_table import table_of
from superlaw.cli.options import JsonOption, OverwriteOption, refuse_unused, typed

app = typer.Typer(help="Whole questions, by a protocol that was written down before.", no_args_is_help=True)

OptionalTable = Annotated[str | None, typer.Argument(metavar="TABLE", help=f"{TABLE_HELP} [every public table]")]
FolderOption = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Write page, numbers, picture.")]


@app.callback()
def studies() -> None:
    """Whole questions, by a protocol that was written down before."""


@dataclass(frozen=True)
class Columns:
    """Which columns are what; those of obvious names are found."""

    width: Annotated[str | None, typer.Option(metavar="COL", help="Column of the width.")] = None
    depth: Annotated[str | None, typer.Option(metavar="COL", help="Column of the depth.")] = None
    tokens: Annotated[str | None, typer.Option(metavar="COL", help="Column of the tokens.")] = None
    params: Annotated[str | None, typer.Option(metavar="COL", help="Column of N [12 m^2 l].")] = None
    loss: Annotated[str | None, typer.Option(metavar="COL", help="Column of the loss.")] = None
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="What was drawn independently [the shape].")] = None
    learning_rate: Annotated[str | None, typer.Option(metavar="COL", help="Column of the learning rate.")] = None
    where: Annotated[list[str] | None, typer.Option(metavar="EXPR", help="Rows that count; repeat, all count.")] = None
    best_of: Annotated[
        str | None, typer.Option(metavar="COL,COL", help="Of rows alike in these the lowest loss alone counts.")
    ] = None

    def given(self) -> dict[str, Any]:
        """As the library takes them."""
        best = tuple(part.strip() for part in (self.best_of or "").split(",") if part.strip())
        return {**vars(self), "where": tuple(self.where or ()), "best_of": best}


@app.command("width-law")
@spread
def width_law(
    columns: Columns,
    reading: Reading,
    table: OptionalTable = None,
    out: FolderOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Does width buy 1/m? The protocol put to a table, or to every public one; what each can tell, and all jointly."""
    from superlaw.cli.output import print_json, tell
    from superlaw.findings.width_law import join_widths, judge_width
    from superlaw.studies import width_law as study

    if out is not None:
        study.check_width_law(out, overwrite)
    if table is None:
        names = (*vars(columns), "let", "along_steps")
        refuse_unused("every public table", **dict.fromkeys(names, "a TABLE"))
        answer = study.public_width_laws(tell)
    else:
        read = table_of(table, reading)
        what = study.width_table(read, Path(table).name, **columns.given())
        answer = join_widths([judge_width(read, what, study.width_protocol().rules)])
    written = {} if out is None else study.write_width_law(answer, out, typed(), overwrite)
    if as_json:
        print_json(answer.to_dict())
        return
    for one in answer.verdicts:
        print(f"{one.table.entry}: {one.verdict}")
    if len(answer.verdicts) > 1:
        print(*study.joint_words(answer), sep="\n")
    for path in written.values():
        print(f"written: {path}")
