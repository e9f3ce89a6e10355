"""Options that commands share, and the rules for all: none is given twice in vain, none is left unused."""

from __future__ import annotations

import ast
import shlex
import sys
from contextvars import ContextVar
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from superlaw.errors import InputError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
EngineOption = Annotated[
    str | None, typer.Option(help="fused, dense (needs PyTorch), or auto: fused where it can, else dense [auto].")
]
WorkersOption = Annotated[int | None, typer.Option(help="Processes [all cores].")]

_given: ContextVar[dict[str, str]] = ContextVar("given", default={})  # noqa: B039  (only ever replaced)


class Command(TyperCommand):
    """A command that refuses an option given twice where only one value counts."""

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
            _given.set({option.name: _name(option) for option in given})
            return values, rest, order

        parser.parse_args = parse_once
        return parser


def typed() -> str:
    """The command line as it was given, for the page that it makes."""
    return shlex.join(["superlaw", *sys.argv[1:]])


def _name(option: Any) -> str:
    return "/".join((option.opts[0], *option.secondary_opts))


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


def obey_rules(app: typer.Typer) -> typer.Typer:
    """Give every command of an app, and of the apps inside it, these rules and plain help texts.

    Plain, because rich takes ``[default]`` in a help text for its markup and swallows it.
    """
    app.rich_markup_mode = None
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            obey_rules(group.typer_instance)
    return app


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
        return text
    return value if isinstance(value, int | float) else text


def numbers(option: str, text: str | None, kind: type = int) -> tuple[Any, ...] | None:
    """``1,2,3`` as numbers of a kind; None as it is."""
    if text is None:
        return None
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise InputError(f"{option} {text}", f"{what} with commas between, as 0,1,2") from None
