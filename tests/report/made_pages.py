"""Pages made by hand, and what a browser would take of them."""

from __future__ import annotations

import html.parser
import itertools

import numpy as np

from superlaw.figures.panels import Line, Map, Marks, Panel, Picture
from superlaw.report.page import Command, Facts, Page, Part, RunIds, Section, Table

HOSTILE = (
    "<script>document.title = 'taken'</script>",
    "\"><img src=x onerror=\"document.title = 'taken'\">",
    "</script></style></textarea><b>bold</b>",
    "{{ 7 * 7 }} {% raw %} ${7 * 7} %{x}",
    "=HYPERLINK(\"http://example.org\", 'a')",
    "+1-2", "@SUM(A1)", "\t=1", "-2+3",
    "gnp.\u202egpj \u2067right to left\u2069 \u05e9\u05dc\u05d5\u05dd",
    "\x1b[2J\x00 control",
    "$\\frac{1}{0}$ costs $5 and $\\alpha_m$",
    "long " * 2000,
    "javascript:alert(1)",
    "a, b\nc; \"d\" 'e'",
)  # fmt: skip
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Seen(html.parser.HTMLParser):
    """Tags with their attributes, the text of the page outside scripts and styles, and elements left open."""

    def __init__(self, page: bytes):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> within {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def picture(name: str) -> Picture:
    """A figure of which everything has this name."""
    x, of = np.array([1.0, 2.0, 4.0]), tuple((f"{name} {k}",) for k in range(3))
    first = Panel(name, name, (Marks(x, 1 / x, 0.1 / x, name, "strong", of=of), Line(x, 1 / x, f"{name} line", "weak")),
                  name, "log", "log")  # fmt: skip
    cells = Map((name, "b"), (name, "d"), np.array([[1.0, 2.0], [np.nan, 4.0]]), name)
    return Picture("made", name, (first, Panel(name, name, (cells,), name)), 2, (name,), of[0])


def part(name: str, rows: int = 3) -> Part:
    """A part on which everything has this name."""
    cells = tuple((f"{name} {k}", k, 1 / (k + 1), None, RunIds((f"{name.split()[0]}",)), name) for k in range(rows))
    table = Table("runs", name, (name, "whole", "real", "none", "runs", "text"), cells, name, of_runs=True)
    section = Section(name, (name,), (Facts(name, ((name, name),)),), (picture(name),), (table,))
    return Part(name, name, (name,), (name,), (section,), (name,), (Command(name, name),))


def page(names=HOSTILE) -> Page:
    """A page of one part for each name."""
    return Page(names[0], tuple(part(name) for name in names), (Command(names[0], names[0]),),
                Facts("made", tuple(zip(names, itertools.cycle(names[1:])))))  # fmt: skip
