"""How results show themselves in a notebook: what they print, with its tables aligned and its warnings seen."""

from __future__ import annotations

import html
from collections.abc import Sequence

from superlaw.files.columns import printable

LOUD = ("WARNING:", "NOTE:", "note:")


class Shown:
    """A result that a notebook shows as it prints: its tables in columns, its warnings first and bold."""

    def _repr_html_(self) -> str:
        return report_html(str(self))


def report_html(text: str) -> str:
    """A printed report as HTML: prose in paragraphs that wrap, columns as they stand.

    Examples
    --------
    >>> report_html("WARNING: few points\\n\\na  1\\nb <2\\n")
    '<p><b>WARNING:</b> few points</p><pre>a  1</pre><p>b &lt;2</p>'
    """
    out: list[str] = []
    table: list[str] = []

    def end_table() -> None:
        if table:
            out.append(f"<pre>{html.escape(chr(10).join(table))}</pre>")
            table.clear()

    for line in text.splitlines():
        if is_row(line):
            table.append(line)
            continue
        end_table()
        if line.strip():
            loud = next((word for word in LOUD if line.startswith(word)), "")
            said = f"<b>{loud}</b>{html.escape(line[len(loud) :])}" if loud else html.escape(line)
            out.append(f"<p>{said}</p>")
    end_table()
    return "".join(out)


def is_row(line: str) -> bool:
    """Whether a line is a row of a table: its columns stand two spaces apart, as in no prose.

    Examples
    --------
    >>> is_row("law     AIC"), is_row("  a sentence")
    (True, False)
    """
    return "  " in line.strip()


def facts_html(title: str, facts: Sequence[tuple[str, str]]) -> str:
    """Names and values as a table of HTML under a title.

    Examples
    --------
    >>> facts_html("Run", [("loss", "0.1 ± 0.2")])
    '<b>Run</b><table><tr><th>loss</th><td>0.1 ± 0.2</td></tr></table>'
    """
    text = lambda value: html.escape(printable(value))  # noqa: E731
    rows = "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>" for name, value in facts)
    return f"<b>{text(title)}</b><table>{rows}</table>"
