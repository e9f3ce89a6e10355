"""superlaw show: what a stored run shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show(
    run: Annotated[Path, typer.Argument(help="A run file.")],
    groups: Annotated[
        bool, typer.Option("--groups", help="Also overlaps by norm (strong, weak, ignored) and by frequency rank.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a run file, check it whole, print what it shows."""
    from superlaw.cli.output import print_json
    from superlaw.cli.train import groups_of, print_groups, print_run, summary
    from superlaw.toy.run import load_run

    loaded = load_run(run)
    if as_json:
        print_json(summary(loaded, run) | ({"groups": groups_of(loaded)} if groups else {}))
        return
    print_run(loaded, run)
    if groups:
        print_groups(loaded)
