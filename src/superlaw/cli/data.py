"""superlaw data: published tables of runs, by checksum, and points of published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption

if TYPE_CHECKING:
    from superlaw.laws.figure_points import FigurePoints
    from superlaw.laws.published import PublishedTable

app = typer.Typer(
    help="Published tables of training runs, fetched once, by checksum; points read off published figures.",
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


def _record(table: PublishedTable | FigurePoints) -> dict[str, Any]:
    from superlaw.laws.figure_points import FigurePoints

    if isinstance(table, FigurePoints):
        return {"what": table.what, "source": table.source, "read": table.read, "accuracy": table.accuracy}
    return {"what": table.what, "address": table.address, "sha256": table.sha256, "columns_added": list(table.let)}
