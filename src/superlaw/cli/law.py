"""superlaw law: fit, compare and use scaling laws. Tables in; reports, JSON and figures out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, refuse_unused
from superlaw.errors import InputError
from superlaw.files.outputs import PICTURES, check_apart, check_output, write_atomically
from superlaw.laws.forms import has_offset_option, law_class, law_names, law_of

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.laws.law import Law
    from superlaw.laws.objective import Objective

app = typer.Typer(
    help="Fit scaling laws to a table of runs, to the true optimum, with intervals to trust.", no_args_is_help=True
)

TABLE_HELP = "CSV, Parquet or JSON-lines file, or the name of a published table (superlaw data list)."
LAW_HELP = f"One of {', '.join(law_names())}; columns may follow: additive:width,depth or additive:width*depth,tokens."

TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help=TABLE_HELP)]
DeltaOption = Annotated[float, typer.Option(help="Of Huber's loss.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of starts, bootstrap and folds.")]


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """A command each of whose parameters that is a dataclass is given as options, one for each field."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    def option(name: str, default: Any, annotation: Any) -> inspect.Parameter:
        kind, empty = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty
        return inspect.Parameter(name, kind, default=empty if default is MISSING else default, annotation=annotation)

    parameters = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            inner = get_type_hints(groups[name], include_extras=True)
            parameters += [option(f.name, f.default, inner[f.name]) for f in fields(groups[name])]
        else:
            parameters.append(option(name, parameter.default, hints[name]))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


@dataclass(frozen=True)
class Laws:
    """Which laws, of which columns."""

    law: Annotated[list[str], typer.Option("--law", metavar="NAME[:COL,COL]", help=LAW_HELP)]
    x: Annotated[str | None, typer.Option("--x", metavar="COL", help="Size of power, grouped and broken.")] = None
    term: Annotated[list[str] | None, typer.Option(metavar="COL", help="Term of additive; repeat.")] = None
    params: Annotated[str | None, typer.Option(metavar="COL", help="N of chinchilla and kaplan.")] = None
    tokens: Annotated[str | None, typer.Option(metavar="COL", help="D of chinchilla and kaplan.")] = None
    group: Annotated[str | None, typer.Option(metavar="COL,COL", help="Groups, an offset each.")] = None
    offset: Annotated[bool, typer.Option("--offset/--no-offset", help="L_0 of power, additive and broken.")] = True

    def chosen(self) -> list[Law]:
        """The laws; columns of options go to every law that takes them and has none after its name."""
        groups = tuple(column.strip() for column in (self.group or "").split(",") if column.strip())
        given = {"--x": self.x, "--term": tuple(self.term or ()), "--params": self.params, "--tokens": self.tokens}
        laws, used = [], set()
        for text in self.law:
            own = {"--group": groups} | ({} if ":" in text and len(self.law) > 1 else given)
            laws.append(law_of(text, own, self.offset))
            used |= _options(type(laws[-1])) & {*own, "--offset"}
        for name in ("x", "term", "params", "tokens", "group", "offset"):
            if f"--{name}" not in used:
                kinds = [law_class(known) for known in law_names()]
                takers = [k.name for k in kinds if f"--{name}" in _options(k)]
                need = f"{', '.join(takers)} without columns after the name"
                refuse_unused(f"--law {' '.join(self.law)}", **{name: need})
        return laws


def _options(law: type[Law]) -> set[str]:
    """The options of the command line that a law takes."""
    return {part.option for part in law.parts} | ({"--offset"} if has_offset_option(law) else set())


@dataclass(frozen=True)
class Rows:
    """What is read of the table."""

    loss: Annotated[str, typer.Option(metavar="COL", help="Column of the loss.")] = "loss"
    let: Annotated[list[str] | None, typer.Option(metavar="NAME=EXPR", help="Add a column; repeat.")] = None
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="Points of one value belong together.")] = None

    def columns(self) -> dict[str, Any]:
        """As the library takes them, which adds no columns itself."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "let"}


@dataclass(frozen=True)
class MaskedRows(Rows):
    """And which rows, how heavy."""

    drop_highest: Annotated[int, typer.Option(metavar="K", help="Drop losses at or above the K-th.")] = 0
    where: Annotated[
        list[str] | None, typer.Option(metavar="EXPR", help="Rows to use: 'tokens > 1e9'; repeat, all count.")
    ] = None
    weights: Annotated[str | None, typer.Option(metavar="COL", help="Relative weights.")] = None
    errors: Annotated[str | None, typer.Option(metavar="COL", help="Standard errors of the loss.")] = None


@dataclass(frozen=True)
class Minimised:
    """What is minimised."""

    objective: Annotated[str, typer.Option(metavar="NAME", help="log-ls, log-huber or ls.")] = "log-ls"
    delta: DeltaOption = 1e-3


@dataclass(frozen=True)
class Stated(Minimised):
    """And how its value is stated."""

    reduction: Annotated[str, typer.Option(metavar="NAME", help="State the objective as sum or mean.")] = "sum"


@dataclass(frozen=True)
class Level:
    """What all intervals have."""

    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95
    seed: SeedOption = 0


@dataclass(frozen=True)
class Intervals(Level):
    """How the intervals of one fit are made, and its search."""

    interval: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="profile, bootstrap, sandwich or none [profile; Huber, cluster: bootstrap]."),
    ] = None
    bootstrap: Annotated[int, typer.Option("--bootstrap", metavar="N", help="Replicates.")] = 1000
    starts: Annotated[int, typer.Option(min=1, help="Random starts.")] = 16


@dataclass(frozen=True)
class Written:
    """Where results go."""

    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write JSON here.")] = None
    overwrite: OverwriteOption = False
    as_json: JsonOption = False

    def check(self, table: str, plot: Path | None = None) -> str:
        """Refuse, before anything is computed, what cannot be written; the format of the plot."""
        check_output(self.out, (".json",), self.overwrite)
        check_apart({"TABLE": Path(table), "-o": self.out, "--plot": plot})
        return check_output(plot, PICTURES, self.overwrite, "--plot")

    def give(self, result: Any) -> None:
        """Write and print what a library call gave."""
        from superlaw.cli.output import print_json
        from superlaw.files.records import to_json

        record = result.to_dict()
        if self.out is not None:
            write_atomically(self.out, (to_json(record, indent=1) + "\n").encode())
        print_json(record) if self.as_json else print(result)


@dataclass(frozen=True)
class Drawn(Written):
    """And a picture."""

    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the fit: .png, .pdf or .svg.")] = None


def _table(name: str, let: list[str] | None) -> pd.DataFrame:
    """A file, or a published table where no file has that name."""
    from superlaw.laws.published import TABLES, published_table
    from superlaw.laws.tables import add_columns, load_table

    if name in TABLES and not Path(name).exists():
        return add_columns(published_table(name), let or ())
    return load_table(name, let or ())


def _objectives(names: list[str], delta: float, reduction: str = "sum") -> list[Objective]:
    """Objectives, of which Huber's alone has a delta."""
    from superlaw.laws.objective import Objective

    found = [Objective(name, delta, reduction) for name in names]
    if not any(objective.robust for objective in found):
        refuse_unused(f"--objective {' '.join(names)}", delta="--objective log-huber")
    return found


@app.command()
@spread
def fit(
    table: TableArgument, laws: Laws, rows: MaskedRows, minimised: Stated, intervals: Intervals, written: Drawn
) -> None:
    """Fit a law to a table: parameters, intervals, a certificate, and warnings first."""
    from superlaw.laws.fit import fit_law
    from superlaw.laws.intervals import usual_method

    kind = written.check(table, written.plot)
    if len(laws.law) > 1:
        raise InputError(f"--law {' --law '.join(laws.law)}", "one law", "superlaw law compare takes several")
    (law,), (objective,) = laws.chosen(), _objectives([minimised.objective], minimised.delta, minimised.reduction)
    method = intervals.interval or usual_method(objective.robust, rows.cluster)
    if method != "bootstrap":
        refuse_unused(f"--interval {method}", bootstrap="--interval bootstrap")
    same = rows.columns() | {"level": intervals.level, "replicates": intervals.bootstrap, "starts": intervals.starts}
    read = _table(table, rows.let)
    fitted = fit_law(read, law, objective=objective, interval=method, seed=intervals.seed, **same)
    if written.plot is not None:
        from superlaw.figures import law as figure

        write_atomically(written.plot, figure.draw(figure.data(fitted), kind))
    written.give(fitted)


@dataclass(frozen=True)
class Scored:
    """How laws are judged."""

    cut_by: Annotated[str | None, typer.Option(metavar="COL", help="Size of the extrapolation test.")] = None
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation.")] = 10
    seed: SeedOption = 0


@app.command()
@spread
def compare(
    table: TableArgument, laws: Laws, rows: MaskedRows, minimised: Minimised, scored: Scored, written: Written
) -> None:
    """Compare laws on the same points: AIC, BIC, cross-validation, extrapolation."""
    from superlaw.laws.compare import compare_laws

    written.check(table)
    chosen, (objective,) = laws.chosen(), _objectives([minimised.objective], minimised.delta)
    same = rows.columns() | asdict(scored) | {"objective": objective}
    written.give(compare_laws(_table(table, rows.let), chosen, **same))


@dataclass(frozen=True)
class Choices(Level):
    """Every combination of these is fitted."""

    objective: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="log-ls, log-huber, ls; repeat [all three].")
    ] = None
    delta: DeltaOption = 1e-3
    drop_highest: Annotated[list[int] | None, typer.Option(metavar="K", help="Beside no drop; repeat.")] = None
    where: Annotated[list[str] | None, typer.Option(metavar="EXPR", help="Beside all rows; repeat.")] = None
    interval: Annotated[
        str | None, typer.Option(metavar="NAME", help="profile, bootstrap or sandwich [profile; cluster: sandwich].")
    ] = None

    def all(self) -> dict[str, Any]:
        """As the library takes them."""
        return {
            "objectives": _objectives(self.objective or ["log-ls", "log-huber", "ls"], self.delta),
            "drop_highest": list(dict.fromkeys([0, *(self.drop_highest or [])])),
            "where": list(dict.fromkeys([None, *(self.where or [])])),
            **{name: getattr(self, name) for name in ("interval", "level", "seed")},
        }


@app.command()
@spread
def sensitivity(table: TableArgument, laws: Laws, rows: Rows, choices: Choices, written: Written) -> None:
    """Fit under every choice of objective, filter and law; the exponents' ranges are the headline."""
    from superlaw.laws.sensitivity import sensitivity as every_choice

    written.check(table)
    same = rows.columns() | choices.all()
    chosen = laws.chosen()
    written.give(every_choice(_table(table, rows.let), chosen, **same))


@dataclass(frozen=True)
class Budgets:
    """What is given: a budget, or a loss to reach."""

    flops: Annotated[float | None, typer.Option(metavar="C", help="Compute, C = 6 N D.")] = None
    params: Annotated[float | None, typer.Option(metavar="N", help="Parameters, N = 12 m^2 l.")] = None
    loss: Annotated[float | None, typer.Option(help="A loss to reach instead: what does it require?")] = None
    of: Annotated[str | None, typer.Option(metavar="COL", help="With --loss: the size to solve for, or flops.")] = None
    at: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="With --loss: other sizes; repeat.")] = None


@dataclass(frozen=True)
class Shapes:
    """Which terms of an additive law are the shape and its tokens."""

    width: Annotated[str, typer.Option(metavar="COL", help="Term that is the width.")] = "width"
    depth: Annotated[str, typer.Option(metavar="COL", help="Term that is the depth.")] = "depth"
    tokens: Annotated[str, typer.Option(metavar="COL", help="Term that is the tokens.")] = "tokens"


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
    from superlaw.laws.optimum import required
    from superlaw.laws.result import load_fit

    if sum(given is not None for given in (budgets.flops, budgets.params, budgets.loss)) != 1:
        raise InputError("none or several of --flops, --params and --loss", "exactly one of them")
    fitted = load_fit(fit_json)
    if budgets.loss is not None:
        refuse_unused("--loss", **dict.fromkeys(("width", "depth", "tokens"), "a budget of an additive law"))
        found = required(fitted, budgets.loss, budgets.of, _at(budgets.at), seed=seed)
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
