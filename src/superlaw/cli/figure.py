"""superlaw figure: draw the study's figures from runs; superlaw reproduce: train what one needs and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, WorkersOption, refuse_unused, typed
from superlaw.errors import Interrupted

if TYPE_CHECKING:
    from superlaw.findings.figure_comparison import FigureComparison
    from superlaw.findings.verdicts import Claim
    from superlaw.studies.figure import Drawn
    from superlaw.studies.reproduce import Reproduction

MOST_ROWS = 40  # points of a figure that are printed


def figure(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A figure, all, or list.")],
    store: Annotated[
        list[Path] | None, typer.Option("--store", help="Folder of runs, or a table of superlaw sweep gather; repeat.")
    ] = None,
    study: Annotated[Path | None, typer.Option("--study", help="Folder of a language-model study.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .png, .pdf, .svg or .html file [NAME.png]; a folder for all.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="EXPR", help="Runs to use: 'steps == 20000'; all of several count.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Of all figures: png, pdf, svg or html.")] = "png",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a figure of the study, and a JSON file of what was plotted and from which runs."""
    from superlaw.cli.output import print_json, print_table
    from superlaw.figures.catalogue import CATALOGUE
    from superlaw.studies import figure as library

    _refuse_unused(name, out)
    if name == "list":
        listed = [[entry.name, entry.source, entry.shows] for entry in CATALOGUE.values()]
        if as_json:
            print_json({"figures": [dict(zip(("name", "from", "shows"), row, strict=True)) for row in listed]})
        else:
            print_table(["figure", "from", "shows"], listed, left=(0, 1, 2))
        return
    places = store[0] if store and len(store) == 1 else store
    if name == "all":
        drawn, reasons = library.draw_all(out or Path(), places, study, where, kind, overwrite)
    else:
        drawn, reasons = [library.figure(name, out or Path(f"{name}.{kind}"), places, study, where, overwrite)], {}
    if as_json:
        print_json({"drawn": [_record(one) for one in drawn], "not_drawn": reasons})
        return
    for one in drawn:
        _print(one)
    for missing, reason in reasons.items():
        print(f"not drawn: {missing}: {reason}")


def reproduce(
    name: Annotated[str, typer.Argument(metavar="FIGURE", help="A figure with published values.")],
    budget: Annotated[str, typer.Option(help="90s, 5m, 1h... or full, the published experiment.")] = "5m",
    runs: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Runs that exist (a folder, or a table of them): nothing is trained; repeat."),
    ] = None,
    store: Annotated[Path | None, typer.Option("--store", help="Folder of runs and figure [reproduce-FIGURE].")] = None,
    workers: WorkersOption = None,
    kind: Annotated[str, typer.Option(help="png, pdf or svg.")] = "png",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train what a figure needs within a budget, draw it, and print it beside the published figure and words."""
    from superlaw.cli.output import print_json, tally_bar
    from superlaw.studies import reproduce as library

    if not library.published(name).ladder:
        trained = "a figure that is trained"
        refuse_unused(f"{name}, drawn from a published table", budget=trained, workers=trained, runs=trained)
    if runs:
        refuse_unused("--from, by which nothing is trained", budget="a training", workers="a training")
    try:
        with tally_bar(name, "runs", silent=as_json) as report:
            found = library.reproduce(
                name, budget, store, workers, kind, report, runs=runs or None, overwrite=overwrite, command=typed()
            )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; runs that ended are stored; run the same command to go on") from None
    if as_json:
        print_json(found.to_dict())
    else:
        _print_reproduction(found)
    if found.tally and found.tally.failed:
        raise typer.Exit(1)


def _refuse_unused(name: str, out: Path | None) -> None:
    """Refuse the options of other figures than the one asked for."""
    from superlaw.figures.catalogue import CATALOGUE

    source = CATALOGUE[name].source if name in CATALOGUE else name
    runs, study = "a figure from runs", "a figure from a language-model study"
    if source == "list":
        refuse_unused("list", store=runs, study=study, out="a figure", where=runs, kind="all", overwrite="a figure")
    elif source != "all" and out is not None:
        refuse_unused(f"-o {out}", kind="a FILE whose ending says it")
    if source in ("study", "published", "live"):
        refuse_unused(f"the figure {name}", store=runs, where=runs)
    if source in ("runs", "published", "live"):
        refuse_unused(f"the figure {name}", study=study)


def _record(drawn: Drawn) -> dict[str, Any]:
    from superlaw.figures.symbols import plain

    picture = drawn.picture
    return {
        "figure": picture.name, "file": str(drawn.path), "record": str(drawn.record), "runs": len(picture.runs),
        "notes": [plain(note) for note in picture.notes], "missing": len(picture.missing),
        "command": drawn.command or None,
    }  # fmt: skip


def _print(drawn: Drawn) -> None:
    from superlaw.figures.symbols import plain

    print(f"{drawn.path}: {drawn.picture.title}. What was plotted: {drawn.record}")
    for note in drawn.picture.notes:
        print(f"  {plain(note)}")
    if drawn.command:
        print(f"  do: {drawn.command}")


def _print_reproduction(found: Reproduction) -> None:
    from superlaw.cli.output import duration

    if found.sweep and (tally := found.tally):
        steps = found.sweep.plan.base["steps"]
        print(f"{found.figure} within {found.budget}: {tally.planned} runs of {steps} steps, {tally.trained} trained "
              f"now, {tally.diverged} diverged, {len(tally.failed)} failed; "
              f"{duration(found.seconds)} in all")  # fmt: skip
        for run_id, reason in tally.failed.items():
            print(f"  failed {run_id}: {reason}")
    else:
        source = "runs that exist" if found.drawn.picture.runs else "the published table"
        print(f"{found.figure}: from {source}; {duration(found.seconds)} in all")
    for beside in found.points:
        _print_points(beside)
    _print_words(found.claims)
    _print(found.drawn)
    print(f"Report: {found.report}")
    if found.sweep and found.report:
        print(f"Runs: {found.sweep.store.path}   table: {found.report.with_suffix('.csv')}")


def _print_points(beside: FigureComparison) -> None:
    """As published in the figure: the whole, then point by point, of many those furthest off."""
    from superlaw.cli.output import number, print_table

    kind = beside.kind
    print(f"\nAs published in the figure ({beside.source}): {kind.symbol}, {kind.how}")
    for said in (*beside.sentences(), beside.scatter_in_words()):
        if said:
            print(f"  {said}")
    shown = beside.furthest(MOST_ROWS)
    if not shown:
        return
    rows = []
    for point in shown:
        spreads = [kind.spread(value) if value is not None else "-" for value in (point.spread, point.expected)]
        ours = f"{number(point.measured, 3)} ({point.seeds})"
        rows.append([kind.named(point.where), number(point.published, 3), ours, *spreads,
                     kind.difference(point.difference), point.verdict])  # fmt: skip
    print()
    print_table(["point", "in the figure", "here (seeds)", "seeds' spread", "combined spread", "difference", "verdict"],
                rows, left=(0, 6))  # fmt: skip
    if len(shown) < len(beside.points):
        print(f"(the {len(shown)} furthest of {len(beside.points)}; --json has all)")


def _print_words(claims: tuple[Claim, ...]) -> None:
    """As published in words, with what the figure shows of the same first."""
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import with_error
    from superlaw.findings.verdicts import counted

    figures = any(claim.figure for claim in claims)
    rule = " (exponents here by our rule, not by the figure's)" if figures else ""
    print(f"\nAs published in words{rule}:\n")
    header, rows = ["quantity", "as published in words", "measured", "verdict on the words"], []
    for claim in claims:
        if claim.measured is None or claim.margin is None:
            shown = number(claim.measured, 3)
        else:
            shown = with_error(claim.measured, claim.margin)
        rows.append([claim.what, claim.published, shown, claim.verdict])
    if figures:
        header.insert(1, "as published in the figure")
        for row, claim in zip(rows, claims, strict=True):
            row.insert(1, claim.figure or "-")
    print_table(header, rows, left=(0, 1, 2, 4) if figures else (0, 1, 3))
    print(f"\nOf {len(claims)} values in words: {counted(claims)}. "
          "± is half the 95 % interval of an exponent, half the range of a share.")  # fmt: skip
