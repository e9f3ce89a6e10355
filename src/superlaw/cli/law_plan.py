"""superlaw law: what is done with a fit: predict, test it backwards, plan the next runs, compare recipes, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from superlaw.cli.law_options import (
    Budgets,
    DeltaOption,
    Drawn,
    Laws,
    Level,
    MaskedRows,
    Minimised,
    SeedOption,
    Shapes,
    TableArgument,
    Written,
    objectives,
    spread,
)  # fmt: skip
from superlaw.cli.law_table import counted_table
from superlaw.cli.options import OverwriteOption, assignments, refuse_unused, typed
from superlaw.errors import InputError
from superlaw.files.outputs import PAGE, PICTURES, check_apart, check_output, write_atomically

FitArgument = Annotated[Path, typer.Argument(metavar="FIT", help="JSON of superlaw law fit -o.")]
AT_HELP = "Sizes (and group) to predict: N=7e9,D=1e12; repeat."
COST_HELP = "What a run costs, over the law's columns [6 * N * D]."


def sizes_at(option: str, text: str) -> dict[str, Any]:
    """``N=7B,D=1e12`` as sizes, or names of groups, by column."""
    from superlaw.files.numbers import scaled

    out: dict[str, Any] = {}
    for name, value in assignments(option, text.split(",")).items():
        try:
            out[name] = float(value)
        except ValueError:
            number = scaled(value)
            out[name] = value if number is None else number  # the name of a group
    return out


def _draw(written: Drawn, kind: str, picture: Any) -> None:
    from superlaw.figures import paint

    assert written.plot is not None
    write_atomically(written.plot, paint.draw(picture, kind))


@spread
def predict(
    fit_json: FitArgument,
    written: Written,
    at: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE,...", help=AT_HELP)] = None,
    points: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="A table of sizes instead: CSV, Parquet or JSON lines.")
    ] = None,
    level: Annotated[float | None, typer.Option(help="Of the bands [the fit's].")] = None,
) -> None:
    """The loss at other sizes, with bands, and how far outside the data they are."""
    from superlaw.laws.predict import predict_losses
    from superlaw.laws.result import load_fit
    from superlaw.laws.tables import load_table

    written.check(fit_json)
    check_apart({"--points": points, "-o": written.out})
    if (at is None) == (points is None):
        raise InputError("--at and --points" if at else "no sizes to predict", "--at COL=VALUE,... or --points TABLE")
    where = load_table(points) if points is not None else [sizes_at("--at", text) for text in at or ()]
    written.give(predict_losses(load_fit(fit_json), where, level))


@spread
def backtest(
    fit_json: FitArgument,
    written: Drawn,
    cost: Annotated[str | None, typer.Option(metavar="EXPR", help=COST_HELP)] = None,
    cut: Annotated[
        list[float] | None, typer.Option(metavar="COST", help="Fit what costs no more; repeat [5 cuts].")
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Fit the cheaper runs, predict the dearer: bias and coverage."""
    from superlaw.laws.backtest import backtest as library
    from superlaw.laws.result import load_fit

    kind = written.check(fit_json, written.plot)
    if written.plot is not None and len(cut or ()) > 1:
        raise InputError(f"--plot with --cut {len(cut or ())} times", "at most one cut to draw")
    fitted = load_fit(fit_json)
    found = library(fitted, cost, cut, seed=seed)
    if written.plot is not None:
        from superlaw.figures import law_predicted

        _draw(written, kind, law_predicted.of_backtest(fitted, found))
    written.give(found)


@dataclass(frozen=True)
class IsoFlopColumns:
    """Columns of iso-FLOP runs."""

    params: Annotated[str, typer.Option(metavar="COL", help="N.")] = "N"
    tokens: Annotated[str, typer.Option(metavar="COL", help="D.")] = "D"
    budget: Annotated[str | None, typer.Option(metavar="COL", help="Budget [runs close in 6 N D].")] = None
    run: Annotated[str | None, typer.Option(metavar="COL", help="Names runs, of a table of checkpoints.")] = None


@spread
def isoflop(
    table: TableArgument,
    columns: IsoFlopColumns,
    rows: MaskedRows,
    level: Level,
    written: Drawn,
    objective: Annotated[str, typer.Option(metavar="NAME", help="Of approach 3: log-ls, log-huber or ls.")] = "log-ls",
    delta: DeltaOption = 1e-3,
    flops: Annotated[
        float | None, typer.Option(metavar="C", help="Compute at which sizes are compared [10 x the largest budget].")
    ] = None,
) -> None:
    """Chinchilla's approaches 1 and 2 beside 3, with the bias of parabolas."""
    from superlaw.laws.forms.chinchilla import Chinchilla
    from superlaw.laws.isoflop import isoflop as library

    kind = written.check(table, written.plot)
    refuse_unused("iso-FLOP curves", weights="superlaw law fit", errors="superlaw law fit")
    (chosen,) = objectives([objective], delta)
    same = {name: value for name, value in rows.columns().items() if name not in ("weights", "errors")}
    read = counted_table(table, rows, [Chinchilla(columns.params, columns.tokens)])
    found = library(
        read, columns.params, columns.tokens, budget=columns.budget, run=columns.run, objective=chosen,
        flops=flops, level=level.level, seed=level.seed, **same,
    )  # fmt: skip
    if written.plot is not None:
        from superlaw.figures import law_isoflop

        _draw(written, kind, law_isoflop.data(found))
    written.give(found)


@spread
def next_(
    fit_json: FitArgument,
    written: Written,
    budget: Annotated[float, typer.Option(metavar="COST", help="What may be spent: FLOP, unless --cost says else.")],
    cost: Annotated[str | None, typer.Option(metavar="EXPR", help=COST_HELP)] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="PARAM", help="Or loss@N=7e9,D=1e12; repeat [all exponents]."),
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Sizes that could be run [a grid over the data and beyond].")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="At most so many runs.")] = 20,
    copies: Annotated[int, typer.Option(min=1, help="At most so many of the same sizes.")] = 1,
    sets: Annotated[int, typer.Option(min=0, help="Simulated, to check the interval expected.")] = 100,
    seed: SeedOption = 0,
) -> None:
    """The runs that would narrow the interval of an exponent or a prediction most for their cost."""
    from superlaw.laws.next_runs import next_runs
    from superlaw.laws.result import load_fit
    from superlaw.laws.tables import load_table

    written.check(fit_json)
    check_apart({"--candidates": candidates, "-o": written.out})
    asked: list[Any] = []
    for text in target or ():
        kind, at, sizes = text.partition("@")
        if at and kind.strip() != "loss":
            raise InputError(f"--target {text}", "PARAM or loss@COL=VALUE,...")
        asked.append(sizes_at("--target", sizes) if at else text)
    pool = None if candidates is None else load_table(candidates)
    found = next_runs(load_fit(fit_json), budget, cost, asked or None, pool, runs=runs, copies=copies, sets=sets,
                      seed=seed)  # fmt: skip
    written.give(found)


@spread
def gain(
    first: Annotated[str, typer.Argument(metavar="A", help="Runs of one recipe, or a FIT.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Runs of the other, or a FIT.")],
    rows: MaskedRows,
    minimised: Minimised,
    level: Level,
    written: Written,
    law: Annotated[
        str, typer.Option("--law", metavar="NAME[:COL,COL]", help="Of tables: chinchilla:N,D, power:flops...")
    ] = "chinchilla",
    at_loss: Annotated[
        list[str] | None, typer.Option(metavar="LOSS,...", help="Losses to compare at; repeat [three, of both].")
    ] = None,
) -> None:
    """Compute-equivalent gain of recipe B over A: the compute that A requires, by that of B, at the same loss."""
    from superlaw.laws.fit import fit_law
    from superlaw.laws.forms import law_of
    from superlaw.laws.gain import gain as library
    from superlaw.laws.result import fit_in

    written.check(first)
    check_apart({"A": Path(first), "B": Path(second), "-o": written.out})
    losses = _losses(at_loss)
    (objective,) = objectives([minimised.objective], minimised.delta)
    given = [fit_in(name) for name in (first, second)]
    if all(given):
        needs = dict.fromkeys(("law", "loss", "let", "along_steps", "count", "where", "drop_highest", "missing",
                               "weights", "errors", "cluster", "level", "objective", "delta"), "tables")  # fmt: skip
        refuse_unused("two fits", **needs)
    fits = []
    for name, known in zip((first, second), given, strict=True):
        if known is None:
            of = law_of(law)
            known = fit_law(counted_table(name, rows, [of]), of, objective=objective, level=level.level,
                            seed=level.seed, **rows.columns())  # fmt: skip
        fits.append(known)
    names = (Path(first).stem, Path(second).stem)
    written.give(library(fits[0], fits[1], losses, names if names[0] != names[1] else ("A", "B"), seed=level.seed))


def _losses(texts: list[str] | None) -> list[float] | None:
    if not texts:
        return None
    try:
        return [float(part) for text in texts for part in text.split(",")]
    except ValueError:
        raise InputError(f"--at-loss {' '.join(texts)}", "numbers with commas between, as 2.5,2.7") from None


@spread
def replicates(
    table: TableArgument,
    laws: Laws,
    rows: MaskedRows,
    level: Level,
    written: Written,
    run: Annotated[
        str | None, typer.Option(metavar="COL", help="Names the run; rows of one are evaluations of it.")
    ] = None,
    objective: Annotated[str, typer.Option(metavar="NAME", help="log-ls or ls.")] = "log-ls",
) -> None:
    """Noise between seeds against the law's lack of fit (F test); evaluation noise apart (--run, --errors)."""
    from superlaw.laws.replicates import replicates as library

    written.check(table)
    refuse_unused("replicates", weights="superlaw law fit", cluster="--run COL")
    chosen = laws.chosen()
    if len(chosen) > 1:
        raise InputError(f"--law {len(chosen)} times", "it once")
    same = {name: value for name, value in rows.columns().items() if name not in ("weights", "cluster")}
    found = library(counted_table(table, rows, chosen), chosen[0], run=run, objective=objective, level=level.level,
                    seed=level.seed, **same)  # fmt: skip
    written.give(found)


def plot(
    fit_json: FitArgument,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="sizes, frontier, profile, residuals or predicted.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="A .png, .pdf, .svg or .html file.")],
    of: Annotated[list[str] | None, typer.Option(metavar="PARAM", help="Of profile; repeat [exponents].")] = None,
    flops: Annotated[str | None, typer.Option(metavar="C:C", help="Of frontier: its ends.")] = None,
    cost: Annotated[
        str | None, typer.Option(metavar="EXPR", help="Of predicted: what a run costs [6 * N * D].")
    ] = None,
    cut: Annotated[float | None, typer.Option(metavar="COST", help="Of predicted: fit what costs no more.")] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """A figure for a paper: loss against compute with the frontier, profiles, residuals, predicted against measured."""
    from superlaw.figures.law_plots import law_picture
    from superlaw.laws.frontier import log_range
    from superlaw.laws.result import load_fit
    from superlaw.report.render import figure_file

    ending = check_output(out, (*PICTURES, PAGE), overwrite)
    check_apart({"FIT": fit_json, "-o": out})
    refuse = {"of": "profile", "flops": "frontier", "cost": "predicted", "cut": "predicted"}
    refuse_unused(f"the figure {kind}", **{name: f"the figure {use}" for name, use in refuse.items() if use != kind})
    options: dict[str, Any] = {"names": tuple(of)} if of else {}
    if flops is not None:
        ends = log_range(flops, "--flops")
        options["flops"] = (float(ends[0]), float(ends[-1]))
    options |= {name: value for name, value in (("cost", cost), ("cut", cut)) if value is not None}
    picture = law_picture(load_fit(fit_json), kind, **options)
    write_atomically(out, figure_file(picture, ending, typed()))
    print(f"{out}: {picture.title}")
    for note in picture.notes:
        print(f"  {note}")


@spread
def optimum(fit_json: FitArgument, budgets: Budgets, shapes: Shapes, written: Drawn, seed: SeedOption = 0) -> None:
    """The best sizes for a budget, or what a loss requires, from a stored fit; of a range: the frontier."""
    from superlaw.laws.frontier import frontier, log_range
    from superlaw.laws.optimum import optimum as best
    from superlaw.laws.required import requirement
    from superlaw.laws.result import load_fit

    kind = written.check(fit_json, written.plot)
    given = {"flops": budgets.flops, "params": budgets.params, "loss": budgets.loss}
    if sum(one is not None for one in given.values()) != 1:
        raise InputError("none or several of --flops, --params and --loss", "exactly one of them")
    ((of, text),) = [(name, text) for name, text in given.items() if text is not None]
    amounts = log_range(text, f"--{of}")
    fitted = load_fit(fit_json)
    at = {name: value for one in budgets.at or () for name, value in sizes_at("--at", one).items()}
    if of == "loss":
        refuse_unused("--loss", **dict.fromkeys(("width", "depth", "tokens"), "a budget of an additive law"))
    else:
        refuse_unused("a budget", of="--loss", at="--loss")
        if fitted.law.compute:
            refuse_unused(f"the law {fitted.law.name}",
                          **dict.fromkeys(("width", "depth", "tokens"), "an additive law"))  # fmt: skip
        if of == "params":
            refuse_unused("--params", tokens="--flops")
    shape: dict[str, Any] = {"width": shapes.width, "depth": shapes.depth, "tokens": shapes.tokens}
    options: dict[str, Any] = {"of": budgets.of, "at": at} if of == "loss" else shape
    if len(amounts) == 1:
        refuse_unused("one budget or loss", plot=f"a range: --{of} LOW:HIGH")
        amount: dict[str, Any] = {of: float(amounts[0])}
        written.give((requirement if of == "loss" else best)(fitted, **amount, **options, seed=seed))
        return
    among: dict[str, Any] = {of: amounts.tolist()}
    found = frontier(fitted, **among, **options, seed=seed)
    if written.plot is not None:
        from superlaw.figures import law_optimum

        _draw(written, kind, law_optimum.data(found, fitted))
    written.give(found)


COMMANDS = (optimum, predict, backtest, next_, gain, isoflop, replicates, plot)
