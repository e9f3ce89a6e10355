"""Docstrings as reStructuredText: what has a meaning there and none in ours is escaped; keys become links."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

LITERAL = re.compile(r"(``.+?``|:[a-z:]+:`.+?`)")
KEY = re.compile(r"\[([A-Z][A-Za-z]+(?:-[a-z]+)?)((?:[ ,;][^\[\]]*)?)\](?![_(])")
SECTION = re.compile(r"docs/science\.md(?:#([\w-]+))?")
PAGE = "../science.html"
NOT_KEYS = {"True", "False", "None"}


def readable(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape bars and stars in prose; make links of keys and of sections of the science page."""
    code = False
    for k, line in enumerate(lines):
        text = line.strip()
        code = text.startswith(">>>") or (code and bool(text))
        if not code:
            lines[k] = "".join(part if LITERAL.fullmatch(part) else _prose(part) for part in LITERAL.split(line))


def _prose(text: str) -> str:
    text = re.sub(r"(?<!\*)\*(?!\*)|\*\*(?=\w)|\|", lambda found: "".join(f"\\{c}" for c in found[0]), text)
    text = KEY.sub(_link, text)
    return SECTION.sub(lambda found: f"`{found[0]} <{PAGE}{'#' + found[1] if found[1] else ''}>`__", text)


def _link(found: re.Match[str]) -> str:
    key, rest = found[1], found[2]
    return found[0] if key in NOT_KEYS else f"`[{key}{rest}] <{PAGE}#{key.lower()}>`__"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", readable, priority=400)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
