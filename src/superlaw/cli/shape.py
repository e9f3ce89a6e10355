"""superlaw shape: what width and depth mean for features, and which of them a budget should buy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, WorkersOption, numbers, refuse_unused, typed
from superlaw.errors import InputError, Interrupted, closest
from superlaw.files.numbers import in_short, scaled
from superlaw.files.outputs import PICTURES, KeptFolder, check_output, write_atomically

if TYPE_CHECKING:
    from superlaw.findings.best_shape import BestShape
    from superlaw.findings.capacity_map import CapacityMap
    from superlaw.findings.width_depth import WidthDepthLaw
    from superlaw.studies.shape import ShapeComparison
    from superlaw.theory.shape import Architecture, Shape

app = typer.Typer(help="Width and depth: features, sparsity, losses, the best for a budget.", no_args_is_help=True)

CAPACITY = "capacity.png"  # in the store, where -o is left out
SHAPE_HELP = "width=M,depth=L; or a config.json, a model folder, a hub id."
MoreOption = Annotated[str | None, typer.Option(metavar="SHAPE", help="A further shape.")]
FitOption = Annotated[Path | None, typer.Option("--fit", metavar="FIT", help="JSON of superlaw law fit -o, additive.")]
ColumnsOption = Annotated[
    str | None, typer.Option(metavar="W,D[,T]", help="Columns of the fit that are width, depth, tokens [by name].")
]
TokensOption = Annotated[float | None, typer.Option(metavar="D", help="Training tokens [unlimited].")]


@app.command()
def compare(
    a: Annotated[str, typer.Option("--a", metavar="SHAPE", help=SHAPE_HELP)],
    b: Annotated[str, typer.Option("--b", metavar="SHAPE", help=SHAPE_HELP)],
    c: MoreOption = None,
    d: MoreOption = None,
    e: MoreOption = None,
    f: MoreOption = None,
    g: MoreOption = None,
    h: MoreOption = None,
    features: Annotated[float | None, typer.Option(metavar="F", help="Features that each model represents.")] = None,
    tokens: TokensOption = None,
    vocabulary: Annotated[int | None, typer.Option(metavar="V", help="Count V m of embeddings too.")] = None,
    untied: Annotated[bool, typer.Option("--untied", help="With --vocabulary: a head of its own, 2 V m.")] = False,
    fit: FitOption = None,
    columns: ColumnsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shapes side by side: parameters, neurons, features, required sparsity, predicted losses."""
    from superlaw.cli.output import print_json
    from superlaw.studies.shape import compare_shapes

    given = {"A": a, "B": b, "C": c, "D": d, "E": e, "F": f, "G": g, "H": h}
    found = {name: _shape(text, f"--{name.lower()}") for name, text in given.items() if text is not None}
    if untied and not vocabulary:
        raise InputError("--untied without --vocabulary", "--vocabulary V")
    if vocabulary is not None and vocabulary < 1:
        raise InputError(f"--vocabulary {vocabulary}", "a whole number of 1 or more")
    if features is not None and not 0 < features < float("inf"):
        raise InputError(f"--features {features}", "a positive number")
    shapes = {name: shape for name, (shape, _) in found.items()}
    law, missing = _law_if_there_is_one(fit, columns)
    result = compare_shapes(shapes, features, tokens, vocabulary or 0, not untied, law)
    notes = [missing] if missing else []
    notes += [note for name, (shape, whole) in found.items() if (note := _counted(name, given[name], shape, whole))]
    if as_json:
        record = result.to_dict()
        record["conclusion"] = " ".join([record["conclusion"], *notes])
        print_json(record)
    else:
        _print_comparison(result, notes)


def _shape(text: str, option: str) -> tuple[Shape, Architecture | None]:
    """A shape as typed, or of a config with what its parameters are counted from."""
    from superlaw.lm.config import config_architecture, config_shape, read_config
    from superlaw.theory.shape import Shape

    if "=" not in text:
        if not text.strip():
            raise InputError(f"{option} with nothing", SHAPE_HELP)
        config = read_config(text)
        return config_shape(config, text), config_architecture(config)
    sizes: dict[str, int] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in ("width", "depth"):
            raise InputError(f"{option} {text}: {key or part!r}", "width=M,depth=L", closest(key, ("width", "depth")))
        if key in sizes:
            raise InputError(f"{option} {text}: {key} twice", "width=M,depth=L")
        found = scaled(value)
        whole = int(found) if found is not None and found.is_integer() else value
        if not equals or not re.fullmatch(r"[+-]?\d{1,40}", str(whole), re.ASCII):
            raise InputError(f"{option} {text}: {key} = {value[:40]!r}", "a whole number of 1 or more")
        sizes[key] = int(whole)
    for key in ("width", "depth"):
        if key not in sizes:
            raise InputError(f"{option} {text} without {key}", "width=M,depth=L")
    return Shape(**sizes), None


def _law(fit: Path | None, columns: str | None, interval: str = "bootstrap") -> WidthDepthLaw:
    from superlaw.findings.width_depth import width_depth_law

    names = None
    if columns is not None:
        names = tuple(name.strip() for name in columns.split(","))
        if not 2 <= len(names) <= 3 or not all(names):
            raise InputError(f"--columns {columns}", "WIDTH,DEPTH or WIDTH,DEPTH,TOKENS")
        if fit is None:
            raise InputError(f"--columns {columns} without --fit", "--fit FIT whose columns these are")
    if fit is None:
        return width_depth_law(interval=interval)
    from superlaw.laws.result import load_fit

    return width_depth_law(load_fit(fit), names, source=f"that of {fit}")


def _law_if_there_is_one(fit: Path | None, columns: str | None) -> tuple[WidthDepthLaw | None, str]:
    """The law, or why there is none: a comparison has more to say than its loss."""
    from superlaw.errors import DamagedFileError

    if fit is not None or columns is not None:
        return _law(fit, columns), ""
    try:
        return _law(None, None, "none"), ""
    except DamagedFileError:
        raise
    except InputError as error:
        return None, f"No loss by the width-depth law: {error.got}; {error.do}."


def _counted(name: str, model: str, shape: Shape, whole: Architecture | None) -> str:
    """What a config counts exactly, beside 12 m^2 l."""
    if whole is None:
        return ""
    return (
        f"{name} ({model}) has {whole.params:,} parameters by its config, {whole.embedding_params:,} of them "
        f"embeddings (12 m^2 l: {shape.params:,})."
    )


def _print_comparison(result: ShapeComparison, notes: list[str]) -> None:
    from superlaw.cli.output import number, print_table

    lines: list[tuple[str, Any]] = [
        ("width m", lambda r: str(r.width)), ("depth l", lambda r: str(r.depth)),
        ("parameters", lambda r: in_short(r.params)), ("aspect ratio m/l", lambda r: number(r.aspect_ratio)),
        ("neurons m l", lambda r: in_short(r.neurons)),
    ]  # fmt: skip
    if result.features is not None:
        lines += [
            ("features a layer F/l", lambda r: in_short(result.features / r.depth)),
            ("features a neuron F/(m l)", lambda r: number(r.features_per_neuron)),
            ("degree of superposition n/m", lambda r: number(r.degree)),
            ("activity 1-S at most", lambda r: number(r.activity_required) if r.activity_required else "any"),
        ]
    for key, words in (("kaplan", "Kaplan"), ("chinchilla", "Chinchilla"), ("chinchilla_refit", "Chinchilla, refit"),
                       ("width_depth", "width and depth")):  # fmt: skip
        lines.append((f"loss, {words}", lambda r, key=key: number(r.losses[key], 5)))
    print_table(["", *result.rows], [[words, *map(show, result.rows.values())] for words, show in lines])
    print()
    for sentence in (*result.conclusion, *notes):
        print(sentence)


@app.command()
def best(
    params: Annotated[float, typer.Option(metavar="N", help="Budget of parameters, 12 m^2 l: no embeddings.")],
    tokens: TokensOption = None,
    fit: FitOption = None,
    columns: ColumnsOption = None,
    multiple: Annotated[int, typer.Option(metavar="K", help="Widths of whole shapes are multiples of it.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Of draws from the fit's uncertainty.")] = 0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Figure: .png, .pdf or .svg.")] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Width and depth of lowest loss at a budget, by an additive law, with the fit's uncertainty."""
    from superlaw.cli.output import print_json
    from superlaw.findings.best_shape import best_shape, check_budget

    kind = check_output(plot, PICTURES, overwrite, "--plot")
    if plot is None:
        refuse_unused("no --plot", overwrite="--plot FILE")
    check_budget(params, tokens, multiple)
    result = best_shape(params, tokens, _law(fit, columns), multiple, seed)
    if plot is not None:
        from superlaw.figures import shape as figure

        write_atomically(plot, figure.draw(figure.data(result), kind))
    if as_json:
        print_json({**result.to_dict(), "figure": plot})
    else:
        _print_best(result, plot)


def _print_best(result: BestShape, plot: Path | None) -> None:
    from superlaw.cli.output import print_table

    for warning in result.warnings:
        print(f"WARNING: {warning}")
    data = "with unlimited data" if result.tokens is None else f"at {in_short(result.tokens)} tokens"
    print(f"law: {result.law.source}")
    print(f"best for {in_short(result.params)} parameters (12 m^2 l), {data}; "
          f"{result.level:.4g} intervals from {result.drawn_from}")  # fmt: skip
    for name in ("width", "depth"):
        print(f"  {name} {getattr(result, name):.4g}, growing as N^{result.exponents[name]:.4g}")
    print(f"  loss {result.loss:.4g}")
    whole = result.best
    print(f"whole: width {whole.width} (a multiple of {result.multiple}), depth {whole.depth}, "
          f"{in_short(whole.params)} parameters, loss {whole.loss:.5g}")  # fmt: skip
    print()
    header = ["width", "depth", "m/l", "parameters", "loss", "above the best", "interval"]
    rows = []
    for shape in result.nearby:
        mark = "*" if (shape.width, shape.depth) == (whole.width, whole.depth) else ""
        interval = f"{shape.excess.low:+.4f} to {shape.excess.high:+.4f}"
        rows.append([str(shape.width), f"{shape.depth}{mark}", f"{shape.width / shape.depth:.3g}",
                     in_short(shape.params), f"{shape.loss:.4f}", f"{shape.excess.value:+.4f}", interval])  # fmt: skip
    print_table(header, rows)
    print("* the best whole shape; every shape has at most the budget's parameters")
    if plot:
        print(f"Figure: {plot}")


@app.command()
def capacity(
    store: Annotated[Path, typer.Option(help="Folder of runs; what it holds is not trained again.")] = Path("capacity"),
    workers: WorkersOption = None,
    widths: Annotated[str | None, typer.Option(metavar="M,M", help="Widths m [8,16].")] = None,
    degrees: Annotated[str | None, typer.Option(metavar="D,D", help="Features a neuron n/m [1.5 to 32].")] = None,
    activities: Annotated[str | None, typer.Option(metavar="P,P", help="Activities 1-S [0.32 to 0.001].")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="S,S", help="Replicates [0,1].")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps of each model [10000].")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="-1: all features are represented [-1].")] = None,
    threshold: Annotated[float | None, typer.Option(help="Relative error of a recovered feature [0.5].")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Figure, .png, .pdf or .svg [STORE/capacity.png]."),
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """How many features does a trained model hold? Toy models over 1-S and n/m, and where the bounds stand."""
    from superlaw.cli.output import print_json, tally_bar
    from superlaw.files.records import to_json
    from superlaw.report.page import REPORT
    from superlaw.studies import capacity as study
    from superlaw.studies.report import CAPACITY as RECORD
    from superlaw.studies.report import capacity_page

    kind = check_output(out, PICTURES, overwrite) or "png"
    kept = KeptFolder(store, "shape capacity", overwrite)
    kept.check(RECORD, REPORT, *([CAPACITY] if out is None else []))
    asked = {
        "widths": numbers("--widths", widths), "degrees": numbers("--degrees", degrees, float),
        "activities": numbers("--activities", activities, float), "seeds": numbers("--seeds", seeds),
        "steps": steps, "weight_decay": weight_decay, "threshold": threshold,
    }  # fmt: skip
    options = {name: value for name, value in asked.items() if value is not None}
    with tally_bar("capacity", "models", silent=as_json) as report:
        try:
            result = study.measure_capacity(store, workers, **options, report=report)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; finished runs are in {store}; run the same command to resume") from None
    from superlaw.figures import capacity as figure

    kept.write(RECORD, to_json(result.to_dict(), indent=1).encode())
    page = kept.write(REPORT, capacity_page(result, typed()))
    content = figure.draw(figure.data(result), kind)
    if out is None:
        out = kept.write(CAPACITY, content)
    else:
        write_atomically(out, content)
    if as_json:
        print_json({**result.to_dict(), "figure": out, "report": page})
    else:
        _print_capacity(result, out)
        print(f"Report: {page}")


def _print_capacity(result: CapacityMap, out: Path) -> None:
    from superlaw.cli.output import number, print_table

    header = ["m", "1-S", "most held", "at n", "held/m", "half held up to n/m", "1/(-x ln x)", "m/2"]
    rows = []
    for c in result.ceilings:
        spread = "" if len(c.most.held) < 2 else f" ({min(c.most.held):.0f} to {max(c.most.held):.0f})"
        rows.append([str(c.width), number(c.activity, 3), f"{c.most.mean_held:.4g}{spread}", str(c.most.n_features),
                     number(c.most.mean_held / c.width, 3), number(c.boundary, 3), number(c.sensing, 3),
                     number(c.half_square, 3)])  # fmt: skip
    print_table(header, rows, left=())
    print()
    for sentence in result.sentences:
        print(sentence)
    print(f"Figure: {out}   runs: {result.store}/*.safetensors")
