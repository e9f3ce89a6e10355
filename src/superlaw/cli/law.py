"""superlaw law: fit, compare and use scaling laws. Tables in; reports, JSON and figures out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from superlaw.cli import law_plan
from superlaw.cli.law_look import look
from superlaw.cli.law_options import (
    Asked,
    Choices,
    Drawn,
    Given,
    Intervals,
    Laws,
    MaskedRows,
    Minimised,
    Rows,
    Scored,
    Stated,
    TableArgument,
    Written,
    objectives,
    spread,
)  # fmt: skip
from superlaw.cli.law_table import counted_table, table_of
from superlaw.cli.options import refuse_unused, typed
from superlaw.errors import InputError
from superlaw.files.outputs import write_atomically

app = typer.Typer(
    help="Fit scaling laws to a table of runs, to the true optimum, with intervals to trust.", no_args_is_help=True
)
app.command()(look)


@app.command()
@spread
def fit(
    table: TableArgument,
    laws: Laws,
    given: Given,
    rows: MaskedRows,
    minimised: Stated,
    intervals: Intervals,
    written: Drawn,
) -> None:
    """Fit a law to a table: parameters, intervals, a certificate, and warnings first."""
    from superlaw.laws.fit import fit_law
    from superlaw.laws.intervals import usual_method

    kind = written.check(table, written.plot, written.report)
    if len(laws.law) > 1:
        raise InputError(f"--law {len(laws.law)} times", "it once", "superlaw law compare takes several")
    (law,), (objective,) = laws.chosen(), objectives([minimised.objective], minimised.delta, minimised.reduction)
    method = intervals.interval or usual_method(objective, rows.cluster)
    if method != "bootstrap":
        refuse_unused(f"--interval {method}", bootstrap="--interval bootstrap")
    same = rows.columns() | {"level": intervals.level, "replicates": intervals.bootstrap, "starts": intervals.starts}
    same["known"] = given.known()
    read = counted_table(table, rows, [law])
    fitted = fit_law(read, law, objective=objective, interval=method, seed=intervals.seed, **same)
    if written.plot is not None:
        from superlaw.figures import law as figure

        write_atomically(written.plot, figure.draw(figure.data(fitted), kind))
    if written.report is not None:
        from superlaw.studies.report import fit_page

        write_atomically(written.report, fit_page(fitted, table, typed()))
    written.give(fitted)
    if written.report is not None and not written.as_json:
        print(f"Report: {written.report}")


@app.command()
@spread
def compare(
    table: TableArgument, laws: Laws, rows: MaskedRows, minimised: Minimised, scored: Scored, written: Written
) -> None:
    """Compare laws on the same points: AIC, BIC, cross-validation, extrapolation."""
    from superlaw.laws.compare import compare_laws

    written.check(table)
    chosen, (objective,) = laws.chosen(), objectives([minimised.objective], minimised.delta)
    same: dict[str, Any] = rows.columns() | asdict(scored) | {"objective": objective}
    written.give(compare_laws(counted_table(table, rows, chosen), chosen, **same))


@app.command()
@spread
def sensitivity(table: TableArgument, laws: Laws, given: Given, rows: Rows, choices: Choices, written: Written) -> None:
    """Fit under every choice of objective, filter, count and law; the exponents' ranges are the headline."""
    from superlaw.laws.sensitivity import sensitivity as every_choice

    written.check(table)
    same: dict[str, Any] = rows.columns() | choices.all() | {"known": given.known()}
    chosen = laws.chosen()
    written.give(every_choice(table_of(table, rows), chosen, **same))


@app.command()
@spread
def saving(
    fit_json: Annotated[Path, typer.Argument(metavar="FIT", help="JSON of superlaw law fit --by -o.")],
    asked: Asked,
    written: Written,
) -> None:
    """What each recipe of one fit needs for a loss, or reaches with a compute, beside another."""
    from superlaw.laws.difference import saving as saved
    from superlaw.laws.result import load_fit

    written.check(str(fit_json))
    at = {column: value for text in asked.at or () for column, value in law_plan.sizes_at("--at", text).items()}
    given = {"loss": asked.loss, "flops": asked.flops, "of": asked.of, "at": at, "against": asked.against}
    written.give(saved(load_fit(fit_json), **given, seed=asked.seed))


for command in law_plan.COMMANDS:
    app.command(command.__name__.removesuffix("_"))(command)
