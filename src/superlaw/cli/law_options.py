"""The options of the law commands, each stated once, in groups that commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, refuse_unused
from superlaw.errors import InputError
from superlaw.files.outputs import PAGE, PICTURES, check_apart, check_output, write_atomically
from superlaw.laws.forms import has_offset_option, law_class, law_names, law_of

if TYPE_CHECKING:
    from superlaw.laws.known import Known
    from superlaw.laws.law import Law
    from superlaw.laws.objective import Objective

TABLE_HELP = (
    "CSV, JSON, JSON-lines (also .gz), Parquet or Excel file; a TensorBoard event file; a folder of runs (of superlaw "
    "sweep run, W&B histories, trainer_state.json, event files, lm-eval or open_lm results); or the name of a "
    "published table (superlaw data list)."
)
LAW_HELP = f"One of {', '.join(law_names())}; columns may follow: additive:width,depth or additive:width*depth,tokens."

OBJECTIVES_HELP = "log-ls, log-huber, ls, plain-huber, asymmetric:K (runs below the law K times) or envelope."

COUNT_HELP = (
    "Make the laws' N: body, head, embeddings, attention or flops (of columns width, depth, vocab, context, flops, "
    "tokens), or an expression."
)

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
    term: Annotated[list[str] | None, typer.Option(metavar="COL", help="Term of additive and shifted; repeat.")] = None
    params: Annotated[str | None, typer.Option(metavar="COL", help="N of chinchilla, kaplan and their kin.")] = None
    tokens: Annotated[str | None, typer.Option(metavar="COL", help="D of chinchilla, kaplan and their kin.")] = None
    group: Annotated[str | None, typer.Option(metavar="COL,COL", help="Groups, an offset each.")] = None
    offset: Annotated[
        bool, typer.Option("--offset/--no-offset", help="L_0 of power, additive, shifted and broken.")
    ] = True
    by: Annotated[str | None, typer.Option(metavar="COL,COL", help="Recipes: --separate parameters are own.")] = None
    separate: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="Parameters that --by tells apart.")] = None

    def chosen(self) -> list[Law]:
        """The laws, with the parameters that are separate."""
        from superlaw.laws.separate import SeparateLaw

        if bool(self.by) != bool(self.separate):
            alone, other = ("--by", "--separate") if self.by else ("--separate", "--by")
            raise InputError(f"{alone} without {other}", "both", "parameters, and the column of recipes they differ by")
        by, separate = ([x.strip() for x in (text or "").split(",") if x.strip()] for text in (self.by, self.separate))
        return [SeparateLaw(law, by, separate) if by else law for law in self._named()]

    def _named(self) -> list[Law]:
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
class Reading:
    """How the table is read."""

    let: Annotated[list[str] | None, typer.Option(metavar="NAME=EXPR", help="Add a column; repeat.")] = None
    along_steps: Annotated[
        bool,
        typer.Option("--along-steps", help="Of a folder of runs: not a row a run, but one for each logged step."),
    ] = False


@dataclass(frozen=True)
class Given:
    """What is known of the parameters before the fit."""

    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="E=1.69, alpha=beta or alpha=1.2*beta: known, or tied; repeat."),
    ] = None
    bound: Annotated[
        list[str] | None, typer.Option(metavar="NAME=LOW:HIGH", help="Bounds, either of which may be left out; repeat.")
    ] = None
    prior: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=MEAN+-SIGMA", help="An observation of the parameter, beside those of losses; repeat."
        ),
    ] = None

    def known(self) -> Known:
        """As the library takes it."""
        from superlaw.laws.known import Known

        return Known.said(self.fix or (), self.bound or (), self.prior or ())


@dataclass(frozen=True)
class Rows(Reading):
    """What is read of the table."""

    loss: Annotated[str, typer.Option(metavar="COL", help="Column of the loss.")] = "loss"
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="Points of one value belong together.")] = None
    missing: Annotated[
        str, typer.Option(metavar="NAME", help="Empty or NaN cells that are needed: refuse, or drop the row.")
    ] = "refuse"

    def columns(self) -> dict[str, Any]:
        """As the library takes them, which reads no table and adds no columns itself."""
        own = {field.name for field in fields(self)} - {field.name for field in fields(Reading)} - {"count"}
        return {name: getattr(self, name) for name in own}


@dataclass(frozen=True)
class MaskedRows(Rows):
    """And which rows, how heavy."""

    count: Annotated[str | None, typer.Option(metavar="RULE", help=COUNT_HELP)] = None

    drop_highest: Annotated[int, typer.Option(metavar="K", help="Drop losses at or above the K-th.")] = 0
    where: Annotated[
        list[str] | None, typer.Option(metavar="EXPR", help="Rows to use: 'tokens > 1e9'; repeat, all count.")
    ] = None
    weights: Annotated[str | None, typer.Option(metavar="COL", help="Relative weights.")] = None
    errors: Annotated[str | None, typer.Option(metavar="COL", help="Standard errors of the loss.")] = None


@dataclass(frozen=True)
class Minimised:
    """What is minimised."""

    objective: Annotated[str, typer.Option(metavar="NAME", help=OBJECTIVES_HELP)] = "log-ls"
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
        typer.Option(metavar="NAME", help="sandwich, bootstrap, profile or none [sandwich; Huber: bootstrap]."),
    ] = None
    bootstrap: Annotated[int, typer.Option("--bootstrap", metavar="N", help="Replicates.")] = 1000
    starts: Annotated[int, typer.Option(min=1, help="Random starts.")] = 16


@dataclass(frozen=True)
class Written:
    """Where results go."""

    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write JSON here.")] = None
    overwrite: OverwriteOption = False
    as_json: JsonOption = False
    as_table: Annotated[
        str | None, typer.Option("--table", metavar="md|tex", help="Print the table alone, as Markdown or LaTeX.")
    ] = None

    def check(self, table: str | Path, plot: Path | None = None, report: Path | None = None) -> str:
        """Refuse, before anything is computed, what cannot be written; the format of the plot."""
        if self.as_table not in (None, "md", "tex"):
            raise InputError(f"--table {self.as_table}", "md or tex")
        if self.as_table and self.as_json:
            raise InputError("--table and --json", "one of the two")
        check_output(self.out, (".json",), self.overwrite)
        check_output(report, (PAGE,), self.overwrite, "--report")
        check_apart({"TABLE": Path(table), "-o": self.out, "--plot": plot, "--report": report})
        return check_output(plot, PICTURES, self.overwrite, "--plot")

    def give(self, result: Any) -> None:
        """Write and print what a library call gave."""
        from superlaw.cli.output import print_json, print_result, print_whole
        from superlaw.files.columns import in_latex, in_markdown
        from superlaw.files.records import to_json

        if self.out is not None:
            write_atomically(self.out, (to_json(result.to_dict(), indent=1) + "\n").encode())
        if self.as_json:
            print_json(result.to_dict())
        elif self.as_table:
            write = in_markdown if self.as_table == "md" else in_latex
            print_whole("\n\n".join(write(*cells) for cells in getattr(result, "tables", None) or [result.cells]))
        else:
            print_result(result)


@dataclass(frozen=True)
class Drawn(Written):
    """And a picture."""

    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the fit: .png, .pdf or .svg.")] = None
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page about the fit: .html.")] = None


def objectives(names: list[str], delta: float, reduction: str = "sum") -> list[Objective]:
    """Objectives, of which Huber's alone has a delta."""
    from superlaw.laws.objective import objective_of

    found = [replace(objective_of(name), delta=delta, reduction=reduction) for name in names]
    if not any(objective.robust for objective in found):
        refuse_unused(f"--objective {' '.join(names)}", delta="--objective log-huber")
    return found


@dataclass(frozen=True)
class Scored:
    """How laws are judged."""

    cut_by: Annotated[str | None, typer.Option(metavar="COL", help="Size of the extrapolation test.")] = None
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation.")] = 10
    seed: SeedOption = 0


@dataclass(frozen=True)
class Choices(Level):
    """Every combination of these is fitted."""

    objective: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"{OBJECTIVES_HELP[:-1]}; repeat [log-ls, log-huber, ls].")
    ] = None
    delta: DeltaOption = 1e-3
    drop_highest: Annotated[list[int] | None, typer.Option(metavar="K", help="Beside no drop; repeat.")] = None
    where: Annotated[list[str] | None, typer.Option(metavar="EXPR", help="Beside all rows; repeat.")] = None
    count: Annotated[list[str] | None, typer.Option(metavar="RULE", help=f"{COUNT_HELP} Repeat.")] = None
    interval: Annotated[str, typer.Option(metavar="NAME", help="sandwich, bootstrap or profile.")] = "sandwich"

    def all(self) -> dict[str, Any]:
        """As the library takes them."""
        return {
            "objectives": objectives(self.objective or ["log-ls", "log-huber", "ls"], self.delta),
            "drop_highest": list(dict.fromkeys([0, *(self.drop_highest or [])])),
            "where": list(dict.fromkeys([None, *(self.where or [])])),
            "counts": list(dict.fromkeys(self.count or [None])),
            **{name: getattr(self, name) for name in ("interval", "level", "seed")},
        }


@dataclass(frozen=True)
class Budgets:
    """What is given: a budget, or a loss to reach; one, or a range of them."""

    flops: Annotated[str | None, typer.Option(metavar="C[:C[:COUNT]]", help="Compute, C = 6 N D; or a range.")] = None
    params: Annotated[
        str | None, typer.Option(metavar="N[:N[:COUNT]]", help="Parameters, N = 12 m^2 l; or a range.")
    ] = None
    loss: Annotated[
        str | None, typer.Option(metavar="L[:L[:COUNT]]", help="A loss to reach instead: what does it require?")
    ] = None
    of: Annotated[str | None, typer.Option(metavar="COL", help="With --loss: the size to solve for, or flops.")] = None
    at: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE,...", help="With --loss: other sizes; repeat.")] = (
        None
    )


@dataclass(frozen=True)
class Asked:
    """What recipes are compared at."""

    loss: Annotated[float | None, typer.Option(help="A loss that each is to reach.")] = None
    flops: Annotated[float | None, typer.Option(metavar="C", help="A compute, C = 6 N D, for each.")] = None
    of: Annotated[str | None, typer.Option(metavar="COL", help="With --loss: the size to solve for, or flops.")] = None
    at: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="With --of: other sizes; repeat.")] = None
    against: Annotated[str | None, typer.Option(metavar="NAME", help="Recipe to compare with [the first].")] = None
    seed: SeedOption = 0


@dataclass(frozen=True)
class Shapes:
    """Which terms of an additive law are the shape and its tokens."""

    width: Annotated[str, typer.Option(metavar="COL", help="Term that is the width.")] = "width"
    depth: Annotated[str, typer.Option(metavar="COL", help="Term that is the depth.")] = "depth"
    tokens: Annotated[str, typer.Option(metavar="COL", help="Term that is the tokens.")] = "tokens"
