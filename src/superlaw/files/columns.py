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


def in_markdown(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A table in Markdown, right-justified but for the columns numbered in ``left``.

    Examples
    --------
    >>> print(in_markdown(["law", "AIC"], [["power", "-3.1"]]))
    | law | AIC |
    |---|---:|
    | power | -3.1 |
    """
    line = lambda cells: "| " + " | ".join(printable(str(cell)).replace("|", "\\|") for cell in cells) + " |"  # noqa: E731
    rule = "|" + "|".join("---" if i in left else "---:" for i in range(len(header))) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$"} | {
    c: f"\\{c}" for c in "&%$#_{}"
}


def in_latex(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A table in LaTeX (with the package booktabs), right-justified but for the columns numbered in ``left``.

    Examples
    --------
    >>> print(in_latex(["law", "rms error"], [["a_1", "0.1%"]]))
    \\begin{tabular}{lr}
    \\toprule
    law & rms error \\\\
    \\midrule
    a\\_1 & 0.1\\% \\\\
    \\bottomrule
    \\end{tabular}
    """
    cell = lambda text: "".join(_LATEX.get(c, c) for c in printable(str(text)))  # noqa: E731
    line = lambda cells: " & ".join(map(cell, cells)) + r" \\"  # noqa: E731
    places = "".join("l" if i in left else "r" for i in range(len(header)))
    return "\n".join([rf"\begin{{tabular}}{{{places}}}", r"\toprule", line(header), r"\midrule", *map(line, rows),
                      r"\bottomrule", r"\end{tabular}"])  # fmt: skip


def printable(text: str) -> str:
    """Text from anyone on one line of a terminal: control characters escaped.

    Examples
    --------
    >>> print(printable("a\\x1b[2Jb\\nc ±"))
    a\\x1b[2Jb\\nc ±
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
