"""The reference of commands, from the program itself: what ``--help`` says, a heading a command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from superlaw.cli.main import app as program


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and its words, as ``("law fit", command)``, in the order of the help."""

    def within(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if words:
            yield " ".join(words), command
        for name, inner in getattr(command, "commands", {}).items():
            yield from within(inner, (*words, name))

    return within(typer.main.get_command(program), ())


class Commands(SphinxDirective):
    """``{commands}``: every command of the program."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join(line for words, command in commands() for line in described(words, command))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def described(words: str, command: Any) -> Iterator[str]:
    """A command as Markdown."""
    yield from (f"{'##' if ' ' not in words else '###'} superlaw {words}", "", _plain(command.help or ""), "")
    if hasattr(command, "commands"):
        return
    context = typer.Context(command, info_name=f"superlaw {words}")
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    rows = [(one.get_usage_pieces(context)[0], one.help or "") for one in arguments]
    rows += [record for one in command.params if one not in arguments and (record := one.get_help_record(context))]
    yield from ("```text", " ".join(command.get_usage(context).removeprefix("Usage:").split()), "```", "")
    yield from ("| given | meaning |", "|---|---|", *(f"| `{name}` | {_cell(said)} |" for name, said in rows), "")


def _cell(text: str) -> str:
    return _plain(text).replace("|", r"\|")


def _plain(text: str) -> str:
    """A help text as Markdown that shows it as it is."""
    return "".join(f"\\{c}" if c in "*_[]<>`$#" else c for c in " ".join(text.split()))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
