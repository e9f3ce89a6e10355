"""The reference of public names, from ``superlaw/__init__.pyi``: its groups are the sections, its names the entries."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import superlaw

STUB = Path(superlaw.__file__).with_suffix(".pyi")


def groups() -> dict[str, list[str]]:
    """Public names by lab, in the order of the stub: a comment ``# toy lab: ...`` opens a group."""
    found: dict[str, list[str]] = {}
    for line in STUB.read_text().splitlines():
        if line.startswith("# ") and not line.startswith("# fmt") and found is not None:
            title = line[2:].rstrip(".")
            current = found.setdefault(title, [])
        elif names := re.findall(r"\w+(?= as \w+)", line):
            current.extend(names)
    return {title: names for title, names in found.items() if names}


class Names(SphinxDirective):
    """``{names} toy lab``: every public name of the group that begins so, with a table of contents before them."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        (names,) = [names for title, names in groups().items() if title.startswith(self.arguments[0])]
        text = [".. list-table::", "   :widths: auto", ""]
        for name in names:
            first = (inspect.getdoc(getattr(superlaw, name)) or "").split("\n\n")[0].replace("\n", " ")
            text += [f"   * - :py:obj:`~superlaw.{name}`", f"     - {_escaped(first)}"]
        text.append("")
        for name in names:
            thing = getattr(superlaw, name)
            if inspect.isclass(thing):
                text += [f".. autoclass:: superlaw.{name}", "   :members:", ""]
            else:
                text += [f".. autofunction:: superlaw.{name}", ""]
        return _parsed(self, text)


def _escaped(text: str) -> str:
    from docstrings import LITERAL, _prose

    return "".join(part if LITERAL.fullmatch(part) else _prose(part) for part in LITERAL.split(text))


def _parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """reStructuredText as nodes, whatever the page is written in."""
    from docutils.statemachine import StringList
    from myst_parser.mocking import MockState
    from sphinx.util.nodes import nested_parse_with_titles

    state = directive.state
    if isinstance(state, MockState):
        text = "\n".join(["```{eval-rst}", *lines, "```"])
        return directive.parse_text_to_nodes(text, allow_section_headings=True)
    node = nodes.container()
    nested_parse_with_titles(state, StringList(lines, source=str(STUB)), node)
    return node.children


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("names", Names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
