"""superlaw report: one page about runs, fits, capacity maps, studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from superlaw.cli.options import JsonOption, OverwriteOption


def report(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Store or table of runs, JSON of a fit or capacity map, lm study."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The page, .html.")],
    plan: Annotated[
        str | None, typer.Option(metavar="PLAN", help="Preset or TOML whose runs are expected [found by the runs].")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained page: verdict and warnings first, figures, tables, how to make it again."""
    from superlaw.cli.output import print_json
    from superlaw.studies.report import write_report

    found = write_report(sources, out, plan=plan, overwrite=overwrite)
    if as_json:
        print_json(found.to_dict())
        return
    for warning in found.warnings:
        print(f"WARNING: {warning}")
    for sentence in found.verdict:
        print(sentence)
    print(f"Report: {out}")
