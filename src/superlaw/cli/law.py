"""superlaw law: fit, compare and use scaling laws. Tables in; reports, JSON and figures out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.law_options import (
    Asked,
    Budgets,
    Choices,
    Drawn,
    Given,
    Intervals,
    Laws,
    MaskedRows,
    Minimised,
    Rows,
    Scored,
    SeedOption,
    Shapes,
    Stated,
    TableArgument,
    Written,
    objectives,
    spread,
)  # fmt: skip
from superlaw.cli.options import JsonOption, refuse_unused
from superlaw.errors import InputError
from superlaw.files.outputs import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.laws.law import Law

app = typer.Typer(
    help="Fit scaling laws to a table of runs, to the true optimum, with intervals to trust.", no_args_is_help=True
)


def _table(name: str, rows: Rows) -> pd.DataFrame:
    """A folder of runs, a file, or a published table where nothing here has that name."""
    from superlaw.laws.published import TABLES, load_published
    from superlaw.laws.tables import add_columns, load_table

    if rows.along_steps or Path(name).is_dir():
        from superlaw.sweeps.table import gather

        return add_columns(gather(name, profiles=False, along_steps=rows.along_steps), rows.let or ())
    if name in TABLES and not Path(name).exists():
        return add_columns(load_published(name), rows.let or ())
    return load_table(name, rows.let or ())


def _counted(table: pd.DataFrame, rule: str | None, laws: list[Law]) -> pd.DataFrame:
    """The table with the laws' N counted by a rule, if one is named."""
    from superlaw.laws.counting import counted

    for law in laws if rule is not None else ():
        table = counted(table, rule or "", law)
    return table


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

    kind = written.check(table, written.plot)
    if len(laws.law) > 1:
        raise InputError(f"--law {len(laws.law)} times", "it once", "superlaw law compare takes several")
    (law,), (objective,) = laws.chosen(), objectives([minimised.objective], minimised.delta, minimised.reduction)
    method = intervals.interval or usual_method(objective, rows.cluster)
    if method != "bootstrap":
        refuse_unused(f"--interval {method}", bootstrap="--interval bootstrap")
    same = rows.columns() | {"level": intervals.level, "replicates": intervals.bootstrap, "starts": intervals.starts}
    same["known"] = given.known()
    read = _counted(_table(table, rows), rows.count, [law])
    fitted = fit_law(read, law, objective=objective, interval=method, seed=intervals.seed, **same)
    if written.plot is not None:
        from superlaw.figures import law as figure

        write_atomically(written.plot, figure.draw(figure.data(fitted), kind))
    written.give(fitted)


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
    written.give(compare_laws(_counted(_table(table, rows), rows.count, chosen), chosen, **same))


@app.command()
@spread
def sensitivity(table: TableArgument, laws: Laws, given: Given, rows: Rows, choices: Choices, written: Written) -> None:
    """Fit under every choice of objective, filter, count and law; the exponents' ranges are the headline."""
    from superlaw.laws.sensitivity import sensitivity as every_choice

    written.check(table)
    same: dict[str, Any] = rows.columns() | choices.all() | {"known": given.known()}
    chosen = laws.chosen()
    written.give(every_choice(_table(table, rows), chosen, **same))


@app.command()
@spread
def optimum(
    fit_json: Annotated[Path, typer.Argument(metavar="FIT", help="JSON of superlaw law fit -o.")],
    budgets: Budgets,
    shapes: Shapes,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """The best sizes for a budget, or what a loss requires, from a stored fit, with intervals."""
    from superlaw.laws.optimum import optimum as best
    from superlaw.laws.optimum import required_size
    from superlaw.laws.result import load_fit

    if sum(given is not None for given in (budgets.flops, budgets.params, budgets.loss)) != 1:
        raise InputError("none or several of --flops, --params and --loss", "exactly one of them")
    fitted = load_fit(fit_json)
    if budgets.loss is not None:
        refuse_unused("--loss", **dict.fromkeys(("width", "depth", "tokens"), "a budget of an additive law"))
        found = required_size(fitted, budgets.loss, budgets.of, _at(budgets.at), seed=seed)
        what = budgets.of or ("flops" if fitted.law.compute else fitted.law.sizes[0])
        _say_required(what, found, budgets.loss, fitted.interval["level"], as_json)
        return
    refuse_unused("a budget", of="--loss", at="--loss")
    if fitted.law.compute:
        refuse_unused(f"the law {fitted.law.name}", **dict.fromkeys(("width", "depth", "tokens"), "an additive law"))
    if budgets.params is not None:
        refuse_unused("--params", tokens="--flops")
    found = best(fitted, budgets.flops, budgets.params, width=shapes.width, depth=shapes.depth, tokens=shapes.tokens,
                 seed=seed)  # fmt: skip
    Written(as_json=as_json).give(found)


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
    given = {"loss": asked.loss, "flops": asked.flops, "of": asked.of, "at": _at(asked.at), "against": asked.against}
    written.give(saved(load_fit(fit_json), **given, seed=asked.seed))


def _say_required(what: str, found: tuple[float, float, float], loss: float, level: float, as_json: bool) -> None:
    from superlaw.cli.output import print_json

    value, low, high = found
    if as_json:
        print_json({"loss": loss, "of": what, "value": value, "low": low, "high": high, "level": level})
    else:
        print(f"a loss of {loss:g} requires {what} = {value:.5g} ({low:.5g} to {high:.5g}, {level:.4g} interval)")


def _at(texts: list[str] | None) -> dict[str, Any]:
    """Sizes, or names of groups, by column."""
    from superlaw.cli.options import assignments

    out: dict[str, Any] = {}
    for name, value in assignments("--at", texts).items():
        try:
            out[name] = float(value)
        except ValueError:
            out[name] = value  # the name of a group
    return out
