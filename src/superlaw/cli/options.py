"""Options that commands share, and the rules for all: none is given twice in vain, none is left unused."""

from __future__ import annotations

import ast
import functools
import inspect
import math
import platform
import re
import resource
import shlex
import sys
import time
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand, TyperOption

from superlaw.cli.examples import epilog
from superlaw.errors import InputError
from superlaw.files.numbers import scaled

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
EngineOption = Annotated[
    str | None,
    typer.Option(help="fused, dense or dense:DEVICE (PyTorch's), or auto: fused where it can, else dense [auto]."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only results: no progress, no notes.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Also progress in logs, libraries' warnings, time and memory.")
]
WorkersOption = Annotated[int | None, typer.Option(help="Processes [all cores].")]

WHOLE = re.compile(r"[+-]?\d+")
SIZES = ("samples", "features", "tokens", "params", "flops", "budget", "cut")  # numbers that are written as 9.2B
QUIET: ContextVar[bool] = ContextVar("quiet", default=False)
VERBOSE: ContextVar[bool] = ContextVar("verbose", default=False)
_given: ContextVar[dict[str, str]] = ContextVar("given", default={})  # noqa: B039  (only ever replaced)


class Command(TyperCommand):
    """A command that refuses an option given twice where only one value counts, and reads 1.2B as a number."""

    def make_parser(self, ctx: Any) -> Any:
        """The parser, which notes what was given."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_once(args: list[str]) -> Any:
            values, rest, order = parse(args)
            given = [parameter for parameter in order if isinstance(parameter, TyperOption)]
            for option in given:
                if given.count(option) > 1 and not option.multiple:
                    raise InputError(f"{_name(option)} {given.count(option)} times", "it once")
                if option.name in values and (option.name in SIZES or _kind(option) is int):
                    values[option.name] = _written_out(values[option.name], _kind(option))
            _given.set({option.name: _name(option) for option in given})
            return values, rest, order

        parser.parse_args = parse_once
        return parser


def typed() -> str:
    """The command line as it was given, for the page that it makes."""
    return shlex.join(["superlaw", *sys.argv[1:]])


def _name(option: Any) -> str:
    return "/".join((option.opts[0], *option.secondary_opts))


def _kind(option: Any) -> Any:
    """The type of one value of an option."""
    known = option.type_descriptor.annotation
    inner = [one for one in get_args(known) if one is not type(None)]
    return inner[0] if inner else known


def _written_out(value: Any, kind: Any) -> Any:
    """``1.2B`` as 1200000000; anything else as it is, for its own reader to judge."""
    if isinstance(value, list):
        return [_written_out(one, kind) for one in value]
    if kind is int and isinstance(value, str) and WHOLE.fullmatch(value):  # beyond 2^53 a float is another number
        return value
    found = size(value) if isinstance(value, str) else None
    if found is None or kind not in (int, float):
        return value
    return str(int(found)) if found.is_integer() else value if kind is int else repr(found)


def size(text: str) -> float | None:
    """A finite number as people write sizes: 1000, 1e9 or 1.2B; None for any other text."""
    try:
        found = float(text)
    except ValueError:
        return scaled(text)
    return found if math.isfinite(found) else None


def refuse_unused(choice: str, /, **needed: str) -> None:
    """Refuse options that were given and that the command does not use.

    Parameters
    ----------
    choice : str
        What does not use them: "--frequencies linear".
    **needed : str
        By parameter of the command, what would use it: ``data_exponent="--frequencies power"``.
    """
    for name, need in needed.items():
        if name in _given.get():
            raise InputError(f"{_given.get()[name]} with {choice}, which does not use it", need, "or leave it out")


def obey_rules(app: typer.Typer, path: tuple[str, ...] = ()) -> typer.Typer:
    """Give every command of an app, and of the apps inside it, these rules, examples, and plain help texts.

    Plain, because rich takes ``[default]`` in a help text for its markup and swallows it.
    """
    app.rich_markup_mode = None
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        command.cls, command.name = Command, name
        command.epilog = epilog(*path, name)
        command.callback = _loudness(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            obey_rules(group.typer_instance, (*path, str(group.name)))
    return app


def _loudness(command: Callable[..., None]) -> Callable[..., None]:
    """The command with --quiet and --verbose."""
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    own = [p.replace(annotation=hints.get(p.name, p.annotation) if isinstance(p.annotation, str) else p.annotation,
                     kind=kind) for p in signature.parameters.values()]  # fmt: skip
    more = [inspect.Parameter(name, kind, default=False, annotation=annotation)
            for name, annotation in (("quiet", QuietOption), ("verbose", VerboseOption))]  # fmt: skip

    @functools.wraps(command)
    def run(quiet: bool, verbose: bool, **given: Any) -> Any:
        if quiet and verbose:
            raise InputError("--quiet and --verbose", "one of the two")
        QUIET.set(quiet)
        VERBOSE.set(verbose)
        start = time.monotonic()
        if not verbose:
            return command(**given)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            try:
                command(**given)
            finally:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"superlaw {version()}, Python {platform.python_version()}: {time.monotonic() - start:.1f} s, "
                      f"{memory:.0f} MB of memory at most", file=sys.stderr)  # fmt: skip

    run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    return run


def version() -> str:
    """The package's."""
    from importlib.metadata import version

    return version("superlaw")


def assignments(option: str, texts: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dict, each name once."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in text.partition("="))
        if not value:
            raise InputError(f"{option} {text}", f"{option} name=value")
        if name in found:
            raise InputError(f"{option} {name} twice", "each name once")
        found[name] = value
    return found


def scalar(text: str) -> Any:
    """A number or truth value where the text is one, else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = scaled(text)
        return text if found is None else int(found) if found.is_integer() else found
    return value if isinstance(value, int | float) else text


def numbers(option: str, text: str | None, kind: type = int) -> tuple[Any, ...] | None:
    """``1,2,3`` as numbers of a kind; None as it is."""
    if text is None:
        return None
    try:
        return tuple(kind(_written_out(part.strip(), kind)) for part in text.split(","))
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise InputError(f"{option} {text}", f"{what} with commas between, as 0,1,2") from None
