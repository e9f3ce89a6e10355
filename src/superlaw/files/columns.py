"""Aligned columns of text, for a terminal, a pipe or a report: no line is cut or wrapped, whatever the width."""

from __future__ import annotations

import io
from collections.abc import Sequence


def in_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), styled: bool = False
) -> str:
    """A table as text, right-justified but for the columns numbered in ``left``; ``styled`` makes the header bold.

    Examples
    --------
    >>> print(in_columns(["law", "AIC"], [["power", "-3.1"], ["additive", "12"]]))
    law        AIC
    power     -3.1
    additive    12
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if styled else "")
    shown = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    for i, title in enumerate(shown[0]):
        table.add_column(Text(title), justify="left" if i in left else "right", no_wrap=True, overflow="ignore")
    for row in shown[1:]:
        table.add_row(*map(Text, row))
    # as wide as the table needs: nothing depends on the terminal
    widest = sum(max(map(cell_len, column)) + 2 for column in zip(*shown, strict=True))
    out = io.StringIO()
    Console(file=out, width=max(widest, 1), force_terminal=styled, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def printable(text: str) -> str:
    """Text from anyone on one line of a terminal: control characters escaped.

    Examples
    --------
    >>> print(printable("a\\x1b[2Jb\\nc ±"))
    a\\x1b[2Jb\\nc ±
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
