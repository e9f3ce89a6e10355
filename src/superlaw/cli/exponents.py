"""superlaw exponents: the exponent of every set of runs that differ in width and seed alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superlaw.cli.options import JsonOption


def exponents(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="Folders of runs, or tables of them.")],
    where: Annotated[
        list[str] | None, typer.Option(metavar="EXPR", help="Runs to use: 'steps == 20000'; all of several count.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The exponent of every set of runs that differ in width and seed alone, with its error and regime."""
    from superlaw.cli.output import number, print_json, print_table
    from superlaw.files.numbers import with_error
    from superlaw.findings.comparable import runs_where
    from superlaw.findings.exponents import bent_in_words
    from superlaw.findings.variants import variants
    from superlaw.sweeps.table import gather

    found = variants(runs_where(gather(stores, profiles=False), where))
    rows = found.cells.to_dict("records")
    if as_json:
        print_json({"notes": found.notes, "cells": rows})
        return
    table = [
        [row["variant"], row["regime"] or "-", _widths(row["widths"]), str(row["seeds"] or "-"),
         with_error(row["exponent"], row["stderr"]),
         "-" if row["low"] != row["low"] else f"{number(row['low'], 3)} to {number(row['high'], 3)}",
         bent_in_words(row["lack_of_fit"])]
        for row in rows
    ]  # fmt: skip
    print_table(["runs", "regime", "widths", "seeds", "exponent", "95 %", "bent"], table, left=(0, 1, 2, 6))
    for note in found.notes:
        print(note)


def _widths(widths: tuple[int, ...]) -> str:
    return f"{min(widths)} to {max(widths)}" if widths else "-"
