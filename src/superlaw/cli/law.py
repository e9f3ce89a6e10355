"""superlaw law: fit, compare and use scaling laws. Tables in; reports, JSON and figures out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.laws.forms import Law
    from superlaw.laws.objective import Objective

app = typer.Typer(
    help="Fit scaling laws to a table of runs, to the true optimum, with intervals to trust.", no_args_is_help=True
)

LAW_NAMES = ("power", "grouped", "additive", "chinchilla", "kaplan", "broken")
TABLE_HELP = "CSV, Parquet or JSON-lines file, or the name of a published table (superlaw data list)."
LAW_HELP = f"One of {', '.join(LAW_NAMES)}; columns may follow: additive:width,depth or additive:width*depth,tokens."

TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help=TABLE_HELP)]
LawsOption = Annotated[list[str], typer.Option("--law", metavar="NAME[:COL,COL]", help=LAW_HELP)]
LossOption = Annotated[str, typer.Option(metavar="COL", help="Column of the loss.")]
XOption = Annotated[str | None, typer.Option("--x", metavar="COL", help="Size of power, grouped and broken.")]
TermsOption = Annotated[list[str] | None, typer.Option("--term", metavar="COL", help="Term of additive; repeat.")]
ParamsOption = Annotated[str | None, typer.Option("--params", metavar="COL", help="N of chinchilla and kaplan.")]
TokensOption = Annotated[str | None, typer.Option("--tokens", metavar="COL", help="D of chinchilla and kaplan.")]
GroupOption = Annotated[str | None, typer.Option("--group", metavar="COL,COL", help="Groups, an offset each.")]
OffsetOption = Annotated[bool, typer.Option("--offset/--no-offset", help="L_0 of power, additive and broken.")]
ObjectiveOption = Annotated[str, typer.Option(metavar="NAME", help="log-ls, log-huber or ls.")]
DeltaOption = Annotated[float, typer.Option(help="Of Huber's loss.")]
ReductionOption = Annotated[str, typer.Option(metavar="NAME", help="State the objective as sum or mean.")]
DropOption = Annotated[int, typer.Option("--drop-highest", metavar="K", help="Drop losses at or above the K-th.")]
WhereOption = Annotated[str | None, typer.Option("--where", metavar="EXPR", help="Rows to use: 'tokens > 1e9'.")]
LetOption = Annotated[list[str] | None, typer.Option("--let", metavar="NAME=EXPR", help="Add a column; repeat.")]
WeightsOption = Annotated[str | None, typer.Option(metavar="COL", help="Relative weights.")]
ErrorsOption = Annotated[str | None, typer.Option(metavar="COL", help="Standard errors of the loss.")]
IntervalOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="profile, bootstrap, sandwich or none [profile; Huber, clusters: bootstrap]."),
]
LevelOption = Annotated[float, typer.Option(help="Of the intervals.")]
ClusterOption = Annotated[str | None, typer.Option(metavar="COL", help="Points of one value belong together.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of starts, bootstrap and folds.")]
OutOption = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write JSON here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _table(name: str, let: Sequence[str] | None) -> pd.DataFrame:
    """A file, or a published table where no file has that name."""
    from superlaw.laws.published import TABLES, published_table
    from superlaw.laws.table import add_columns, load_table

    if name in TABLES and not Path(name).exists():
        return add_columns(published_table(name), let or ())
    return load_table(name, let or ())


def _objective(name: str, delta: float, reduction: str) -> Objective:
    from superlaw.laws.objective import Objective

    return Objective(name, delta, reduction)


def _law(
    text: str,
    x: str | None = None,
    terms: Sequence[str] | None = None,
    params: str | None = None,
    tokens: str | None = None,
    group: str | None = None,
    offset: bool = True,
) -> Law:
    """The law of ``--law``, its columns from after the colon or from their own options."""
    from superlaw.laws.forms import law_from

    name, _, listed = text.partition(":")
    if name not in LAW_NAMES:
        raise InputError(f"--law {name}", f"one of {', '.join(LAW_NAMES)}", nearest(name, LAW_NAMES))
    columns = [column.strip() for column in listed.split(",") if column.strip()]
    groups = [column.strip() for column in (group or "").split(",") if column.strip()]
    if name == "additive":
        return law_from(name, {"terms": tuple(columns or _needed(terms, name, "--term"))}, offset)
    if name in ("chinchilla", "kaplan"):
        pair = columns or [_needed(params, name, "--params"), _needed(tokens, name, "--tokens")]
        if len(pair) != 2:
            raise InputError(f"--law {text}", f"two columns, {name}:PARAMS,TOKENS")
        return law_from(name, {"params": pair[0], "tokens": pair[1]})
    first = columns[0] if columns else _needed(x, name, "--x")
    if name == "grouped":
        return law_from(name, {"x": first, "group": tuple(columns[1:] or groups or _needed(None, name, "--group"))})
    if len(columns) > 1:
        raise InputError(f"--law {text}", f"one column, {name}:X")
    return law_from(name, {"x": first}, offset)


def _needed(value: Any, law: str, option: str) -> Any:
    if not value:
        raise InputError(f"--law {law} without {option}", f"{option} COL")
    return value


def _writable(path: Path | None) -> None:
    """Refuse a place that cannot be written before anything is computed."""
    if path is not None and not path.parent.is_dir():
        raise InputError(f"{path}, in a folder that does not exist", "an existing folder", f"make {path.parent}")
    if path is not None and path.is_dir():
        raise InputError(f"{path}, which is a folder", "the name of a file")


def _write(path: Path | None, record: dict[str, Any]) -> None:
    from superlaw.files.outputs import write_atomically

    if path is not None:
        write_atomically(path, (json.dumps(record, allow_nan=False, indent=1) + "\n").encode())


@app.command()
def fit(
    table: TableArgument,
    law: Annotated[str, typer.Option("--law", metavar="NAME[:COL,COL]", help=LAW_HELP)],
    loss: LossOption = "loss",
    x: XOption = None,
    term: TermsOption = None,
    params: ParamsOption = None,
    tokens: TokensOption = None,
    group: GroupOption = None,
    offset: OffsetOption = True,
    objective: ObjectiveOption = "log-ls",
    delta: DeltaOption = 1e-3,
    reduction: ReductionOption = "sum",
    drop_highest: DropOption = 0,
    where: WhereOption = None,
    let: LetOption = None,
    weights: WeightsOption = None,
    errors: ErrorsOption = None,
    interval: IntervalOption = None,
    level: LevelOption = 0.95,
    bootstrap: Annotated[int, typer.Option("--bootstrap", metavar="N", help="Replicates.")] = 1000,
    cluster: ClusterOption = None,
    starts: Annotated[int, typer.Option(min=1, help="Random starts.")] = 16,
    seed: SeedOption = 0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the fit: .png, .pdf or .svg.")] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a law to a table: parameters, intervals, a certificate, and warnings first."""
    from superlaw.cli.output import print_json
    from superlaw.laws.fitting import fit_law

    kind = _plot_kind(plot)
    _writable(out)
    _writable(plot)
    chosen = _law(law, x, term, params, tokens, group, offset)
    fitted = fit_law(
        _table(table, let),
        chosen,
        loss,
        objective=_objective(objective, delta, reduction),
        where=where,
        drop_highest=drop_highest,
        weights=weights,
        errors=errors,
        interval=interval,
        level=level,
        replicates=bootstrap,
        cluster=cluster,
        starts=starts,
        seed=seed,
    )
    if plot is not None:
        from superlaw.figures import law as figure
        from superlaw.files.outputs import write_atomically

        write_atomically(plot, figure.draw(figure.data(fitted), kind))
    _write(out, fitted.to_dict())
    print_json(fitted.to_dict()) if as_json else print(fitted)


def _plot_kind(plot: Path | None) -> str:
    kinds = ("png", "pdf", "svg")
    kind = "png" if plot is None else plot.suffix.lower().lstrip(".")
    if kind not in kinds:
        raise InputError(f"--plot {plot}", f"a file ending in .{', .'.join(kinds)}")
    return kind


@app.command()
def compare(
    table: TableArgument,
    law: LawsOption,
    loss: LossOption = "loss",
    x: XOption = None,
    term: TermsOption = None,
    params: ParamsOption = None,
    tokens: TokensOption = None,
    group: GroupOption = None,
    offset: OffsetOption = True,
    objective: ObjectiveOption = "log-ls",
    delta: DeltaOption = 1e-3,
    drop_highest: DropOption = 0,
    where: WhereOption = None,
    let: LetOption = None,
    weights: WeightsOption = None,
    errors: ErrorsOption = None,
    cluster: ClusterOption = None,
    cut_by: Annotated[str | None, typer.Option(metavar="COL", help="Size of the extrapolation test.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation.")] = 10,
    seed: SeedOption = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare laws on the same points: AIC, BIC, cross-validation, extrapolation."""
    from superlaw.cli.output import print_json
    from superlaw.laws.compare import compare_laws

    _writable(out)
    laws = [_law(text, x, term, params, tokens, group, offset) for text in law]
    result = compare_laws(
        _table(table, let),
        laws,
        loss,
        objective=_objective(objective, delta, "sum"),
        where=where,
        drop_highest=drop_highest,
        weights=weights,
        errors=errors,
        cluster=cluster,
        cut_by=cut_by,
        folds=folds,
        seed=seed,
    )
    _write(out, result.to_dict())
    print_json(result.to_dict()) if as_json else print(result)


@app.command()
def sensitivity(
    table: TableArgument,
    law: LawsOption,
    loss: LossOption = "loss",
    x: XOption = None,
    term: TermsOption = None,
    params: ParamsOption = None,
    tokens: TokensOption = None,
    group: GroupOption = None,
    offset: OffsetOption = True,
    objective: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="log-ls, log-huber, ls; repeat [all three].")
    ] = None,
    delta: DeltaOption = 1e-3,
    drop_highest: Annotated[
        list[int] | None, typer.Option("--drop-highest", metavar="K", help="Beside no drop; repeat.")
    ] = None,
    where: Annotated[list[str] | None, typer.Option("--where", metavar="EXPR", help="Beside all rows; repeat.")] = None,
    let: LetOption = None,
    interval: Annotated[str, typer.Option(metavar="NAME", help="profile, bootstrap or sandwich.")] = "profile",
    level: LevelOption = 0.95,
    cluster: ClusterOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit under every choice of objective, filter and law; the exponents' ranges are the headline."""
    from superlaw.cli.output import print_json
    from superlaw.laws.compare import sensitivity as every_choice

    _writable(out)
    laws = [_law(text, x, term, params, tokens, group, offset) for text in law]
    names = objective or ["log-ls", "log-huber", "ls"]
    result = every_choice(
        _table(table, let),
        laws,
        loss,
        objectives=[_objective(name, delta, "sum") for name in names],
        drop_highest=list(dict.fromkeys([0, *(drop_highest or [])])),
        where=list(dict.fromkeys([None, *(where or [])])),
        interval=interval,
        level=level,
        cluster=cluster,
        seed=seed,
    )
    _write(out, result.to_dict())
    print_json(result.to_dict()) if as_json else print(result)


@app.command()
def optimum(
    fit_json: Annotated[Path, typer.Argument(metavar="FIT", help="JSON of superlaw law fit -o.")],
    flops: Annotated[float | None, typer.Option(metavar="C", help="Compute, C = 6 N D.")] = None,
    params: Annotated[float | None, typer.Option(metavar="N", help="Parameters, N = 12 m^2 l.")] = None,
    loss: Annotated[float | None, typer.Option(help="A loss to reach instead: what does it require?")] = None,
    of: Annotated[str | None, typer.Option(metavar="COL", help="With --loss: the size to solve for, or flops.")] = None,
    at: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="With --loss: other sizes; repeat.")] = None,
    width: Annotated[str, typer.Option(metavar="COL", help="Term that is the width.")] = "width",
    depth: Annotated[str, typer.Option(metavar="COL", help="Term that is the depth.")] = "depth",
    tokens: Annotated[str, typer.Option(metavar="COL", help="Term that is the tokens.")] = "tokens",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """The best sizes for a budget, or what a loss requires, from a stored fit, with intervals."""
    from superlaw.cli.output import print_json
    from superlaw.laws.fit import load_fit, number
    from superlaw.laws.optimum import optimum as best
    from superlaw.laws.optimum import required

    if sum(given is not None for given in (flops, params, loss)) != 1:
        raise InputError("none or several of --flops, --params and --loss", "exactly one of them")
    fitted = load_fit(fit_json)
    if loss is None:
        result = best(fitted, flops, params, width, depth, tokens, seed=seed)
        print_json(result.to_dict()) if as_json else print(result)
        return
    value, low, high = required(fitted, loss, of, dict(map(_assignment, at or [])), seed=seed)
    what = of or ("flops" if len(fitted.law.sizes) > 1 else fitted.law.sizes[0])
    level = fitted.interval["level"]
    if as_json:
        record = {"loss": loss, "of": what, "value": number(value), "low": number(low), "high": number(high)}
        print_json({**record, "level": level})
    else:
        print(f"a loss of {loss:g} requires {what} = {value:.5g} ({low:.5g} to {high:.5g}, {level:.4g} interval)")


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--at {text}", "COL=VALUE")
    try:
        return name.strip(), float(value)
    except ValueError:
        return name.strip(), value.strip()  # the name of a group
