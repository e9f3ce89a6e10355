"""superlaw data: published tables of runs, by checksum, points of published figures, and files to try commands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption, OverwriteOption

if TYPE_CHECKING:
    from superlaw.laws.figure_points import FigurePoints
    from superlaw.laws.published import PublishedTable

app = typer.Typer(
    help="Published tables of training runs, fetched once, by checksum; points read off published figures; samples.",
    no_args_is_help=True,
)


@app.command("list")
def list_tables(as_json: JsonOption = False) -> None:
    """Name the tables and where they were published."""
    from superlaw.cli.output import print_json, print_table
    from superlaw.laws.published import TABLES

    if as_json:
        print_json({name: _record(table) for name, table in TABLES.items()})
        return
    print_table(("name", "what", "from"), [(t.name, t.what, t.origin) for t in TABLES.values()], left=(0, 1, 2))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A table of superlaw data list.")],
    as_json: JsonOption = False,
) -> None:
    """Fetch a table into the cache (or find it in SUPERLAW_DATA), verify it, print its path; points are there."""
    from superlaw.cli.output import print_json, print_whole
    from superlaw.laws.published import TABLES, fetch_table

    path = fetch_table(name)
    if as_json:
        print_json({"name": name, "path": str(path), **_record(TABLES[name])})
    else:
        print_whole(str(path))


@app.command()
def sample(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder.")] = Path("sample"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write small files to try every command on: a text, runs, toy runs, a head."""
    from superlaw.cli.output import print_json
    from superlaw.studies.samples import SAMPLES, write_samples

    written = write_samples(out, overwrite)
    if as_json:
        print_json({"folder": out, "files": [
            {"file": written[one.name], "what": one.what, "command": one.command.format(written[one.name])}
            for one in SAMPLES
        ]})  # fmt: skip
        return
    for one in SAMPLES:
        print(f"{written[one.name]}: {one.what}\n  try: {one.command.format(written[one.name])}")


def _record(table: PublishedTable | FigurePoints) -> dict[str, Any]:
    from superlaw.laws.figure_points import FigurePoints

    if isinstance(table, FigurePoints):
        return {"what": table.what, "source": table.source, "read": table.read, "accuracy": table.accuracy}
    return {"what": table.what, "address": table.address, "sha256": table.sha256, "columns_added": list(table.let)}
