"""superlaw data: published tables, by checksum."""

from __future__ import annotations

from typing import Annotated

import typer

from superlaw.cli.options import JsonOption

app = typer.Typer(help="Published tables of training runs, fetched once, by checksum.", no_args_is_help=True)


@app.command("list")
def list_tables(as_json: JsonOption = False) -> None:
    """Name the tables and where they were published."""
    from superlaw.cli.output import print_json, print_table
    from superlaw.laws.published import TABLES

    if as_json:
        print_json({
            name: {"what": t.what, "address": t.address, "sha256": t.sha256, "columns_added": list(t.let)}
            for name, t in TABLES.items()
        })  # fmt: skip
        return
    print_table(("name", "what", "from"), [(t.name, t.what, t.repository) for t in TABLES.values()], left=(0, 1, 2))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A table of superlaw data list.")],
    as_json: JsonOption = False,
) -> None:
    """Fetch a table into the cache (or find it in SUPERLAW_DATA), verify it, print its path."""
    from superlaw.cli.output import print_json
    from superlaw.laws.published import TABLES, fetch_table

    path = fetch_table(name)
    print_json({"name": name, "path": str(path), "sha256": TABLES[name].sha256}) if as_json else print(path)
