"""Pages as HTML: Jinja2's templates, which escape all text and compute nothing, with the scripts they need inside.

A page asks for nothing from anywhere: its policy, which browsers keep, allows no more than the scripts that it holds,
by their digests.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.figures.described import described
from superlaw.figures.interactive import panel_figure
from superlaw.figures.panels import Forest, Line, Marks, Panel, Picture, Steps
from superlaw.figures.symbols import hypertext, plain, shortened
from superlaw.files.columns import printable
from superlaw.files.records import to_json
from superlaw.report.page import Page, RunIds, Section, Table

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent
DIGITS = 6  # of numbers, those that are copied
CELL = 160  # characters of a cell that are shown; all are copied
WIDE = 40  # characters of a cell, beyond which it takes several lines
TEXT = 2000  # of a sentence
PRINTED, LONG = 40, 60  # rows of a table on paper, and from which number on they are so few
FRAME_TOP, FRAME_ROW = 260, 470  # pixels of a notebook's frame
ROW, FRAME = 24, 110  # pixels: of a forest's row, and around it


def report_page(page: Page) -> bytes:
    """A report as one file of HTML."""
    ids, several = _Ids(), len(page.parts) > 1
    parts = []
    for part in page.parts:
        sections = [_section(section, ids, f"{part.name}: " if several else "") for section in part.sections]
        parts.append({**vars(part), "sections": sections})
    return _render("report.html", title=page.title, parts=parts, commands=page.commands, made=page.made)


def figure_page(picture: Picture, command: str = "") -> bytes:
    """One interactive figure as one file of HTML."""
    return _render("figure.html", title=picture.title, figure=_figure(picture, _Ids()), command=command)


def figure_parts(pictures: Sequence[Picture], level: int) -> list[str]:
    """Interactive figures as pieces of one page that is not made here, and that has Plotly's bundle and ``page.js``.

    Parameters
    ----------
    pictures : sequence of Picture
    level : int
        Of their headings.
    """
    macro, ids = _environment().get_template("parts.html").module.figure, _Ids()  # type: ignore[attr-defined]
    return [str(macro(_figure(picture, ids), level)) for picture in pictures]


def figure_file(picture: Picture, kind: str, command: str = "") -> bytes:
    """A figure of panels as a file of any kind: html, png, pdf or svg."""
    from superlaw.figures.paint import draw

    return figure_page(picture, command) if kind == "html" else draw(picture, kind)


def framed(picture: Picture) -> str:
    """An interactive figure as the HTML of a notebook's cell: a page of its own within it."""
    rows = -(-len(picture.panels) // min(picture.columns, 3))
    height = FRAME_TOP + rows * FRAME_ROW
    page, title = html.escape(figure_page(picture).decode()), html.escape(plain(picture.title))
    return f'<iframe srcdoc="{page}" style="width: 100%; height: {height}px; border: 0" title="{title}"></iframe>'


@functools.cache
def bundle() -> dict[str, str]:
    """What is known of the bundle of Plotly that pages hold: package, version, digests, licence."""
    return json.loads((HERE / "static" / "plotly.json").read_text())


@functools.cache
def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
                        trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    found.filters |= {"text": _text, "code": printable, "plain": lambda text: printable(plain(text))}
    return found


def _render(template: str, title: str, **known: Any) -> bytes:
    from markupsafe import Markup

    scripts = [_static(bundle()["file"]), _static("page.js")]
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = (f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; "
              "base-uri 'none'; form-action 'none'")  # fmt: skip
    shown = _environment().get_template(template).render(
        title=title, policy=policy, css=Markup(_static("page.css")), scripts=[Markup(script) for script in scripts],
        version=version("superlaw"), plotly=bundle()["version"], **known,
    )  # fmt: skip
    return shown.encode()


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _text(value: Any) -> Markup:
    """Text from anyone as HTML, its mathematics with indices."""
    from markupsafe import Markup

    return Markup(hypertext(shortened(_shown(value), TEXT)))


class _Ids:
    """Names of the places of one page, each once."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def __call__(self, kind: str) -> str:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}-{self.counts[kind]}"


def _section(section: Section, ids: _Ids, of: str) -> dict[str, Any]:
    return {
        **vars(section),
        "id": ids("section"),
        "heading": of + section.heading,
        "figures": [_figure(picture, ids) for picture in section.figures],
        "tables": [_table(table, ids) for table in section.tables],
    }


def _figure(picture: Picture, ids: _Ids) -> dict[str, Any]:
    return {
        "id": ids(picture.name),
        "title": picture.title,
        "columns": 2 if len(picture.panels) == 4 else min(picture.columns, len(picture.panels), 3),
        "notes": picture.notes,
        "panels": [_panel(panel, picture, ids) for panel in picture.panels],
    }


def _panel(panel: Panel, picture: Picture, ids: _Ids) -> dict[str, Any]:
    rows = max((len(item.labels) for item in panel.items if isinstance(item, Forest)), default=0)
    return {
        "id": ids("plot"),
        "title": panel.title or panel.ylabel,
        "alt": described(panel),
        "shape": f"{picture.panel[0]:g} / {picture.panel[1]:g}",
        "tall": rows > 0,
        "height": FRAME + ROW * rows,
        "legend": [_entry(item, k) for k, item in enumerate(panel.items) if isinstance(item, Marks | Line | Steps)
                   and item.label] if panel.legend else [],
        "data": _embedded(panel_figure(panel)),
    }  # fmt: skip


def _entry(item: Marks | Line | Steps, place: int) -> dict[str, str]:
    """A line of the legend: which traces it shows or hides, and how its swatch looks; the colour is the trace's."""
    group = {"group": f"1.{place}", "label": item.label or ""}
    if isinstance(item, Marks):
        square = "" if item.marker in ("o", ".") else "--round: 0;"
        look = square + ("" if item.filled else "--fill: transparent;")
        turned = " turned" if item.marker in ("D", "d") else ""
        return group | {"kind": f"mark{turned}{' line' if item.joined else ''}", "look": look}
    dash = {"--": "dashed", ":": "dotted", "-.": "dashed"}.get(item.style, "solid") if isinstance(item, Line) else ""
    return group | {"kind": "line", "look": f"--dash: {dash or 'solid'};"}


def _embedded(record: Any) -> Markup:
    """JSON within a page: no character of it can end its element."""
    from markupsafe import Markup

    text = to_json(record)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _table(table: Table, ids: _Ids) -> dict[str, Any]:
    columns = [
        {"name": name, "number": any(_is_number(row[k]) for row in table.rows)} for k, name in enumerate(table.columns)
    ]
    later = len(table.rows) > LONG
    return {
        **vars(table),
        "id": ids(table.name),
        "columns": columns,
        "rows": [[_cell(value, table.digits) for value in row] for row in table.rows],
        "printed": PRINTED if later else len(table.rows),
        "later": f"On paper the first {PRINTED} of {len(table.rows)} rows; the page has all." if later else "",
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any, digits: int) -> Markup:
    from markupsafe import Markup, escape

    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Markup("<td></td>")
    if _is_number(value):
        whole = _shown(value)
        shown = _shown(value, digits) if isinstance(value, float) else whole
        return Markup(f"<td class=n{'' if shown == whole else f' data-v={whole}'}>{shown}</td>")
    if isinstance(value, RunIds):
        count = f"{len(value.ids)} run{'s' * (len(value.ids) != 1)}"
        ids = escape(" ".join(value.ids))
        return Markup(f'<td data-v="{ids}"><button type="button" data-runs>{count}</button></td>')
    text = printable(str(value))
    if len(text) > CELL:
        said = escape(f"{shortened(text, CELL)} ({len(text):,} characters)")
        return Markup(f'<td class=w data-v="{escape(text)}">{said}</td>')
    return Markup(f"<td{' class=w' if len(text) > WIDE else ''}>{escape(text)}</td>")


def _shown(value: Any, digits: int = DIGITS) -> str:
    """A value as a page writes it."""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
