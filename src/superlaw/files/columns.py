"""Aligned columns of text, for a terminal, a pipe or a report: no line is cut or wrapped, whatever the width."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

NARROWEST = 16  # a column of texts is folded no further
WORD = 32  # nor within a word, but one that is longer

_most: ContextVar[int | None] = ContextVar("most", default=None)


@contextlib.contextmanager
def fitting(width: int | None) -> Iterator[None]:
    """Within it tables are folded to ``width`` columns, where that helps; to none where it is None."""
    before = _most.set(width)
    try:
        yield
    finally:
        _most.reset(before)


def in_columns(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Sequence[int] = (0,),
    styled: bool = False,
) -> str:
    """A table as text, right-justified but for the columns numbered in ``left``; ``styled`` makes the header bold.

    It is as wide as it needs; within :func:`fitting` the texts of ``left`` are folded so far as that helps.

    Examples
    --------
    >>> print(in_columns(["law", "AIC"], [["power", "-3.1"], ["additive", "12"]]))
    law        AIC
    power     -3.1
    additive    12
    >>> with fitting(24):
    ...     print(in_columns(["law", "AIC"], [["additive of width and tokens", "12"]]))
    law                  AIC
    additive of width     12
    and tokens
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if styled else "")
    shown = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    words = [max((cell_len(word) for cell in column for word in cell.split()), default=0)
             for column in zip(*shown, strict=True)]  # fmt: skip
    folded = _folded(widths, [min(max(NARROWEST, word), WORD) for word in words], left, _most.get())
    for i, (title, width) in enumerate(zip(shown[0], folded, strict=True)):
        table.add_column(Text(title), justify="left" if i in left else "right", width=width,
                         no_wrap=width == widths[i], overflow="fold")  # fmt: skip
    for row in shown[1:]:
        table.add_row(*map(Text, row))
    # as wide as the table needs: nothing depends on the terminal
    out = io.StringIO()
    Console(file=out, width=max(sum(folded) + 2 * len(folded), 1), force_terminal=styled, legacy_windows=False,
            no_color=True).print(table)  # fmt: skip
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _folded(widths: list[int], least: list[int], left: Sequence[int], most: int | None) -> list[int]:
    """Widths of columns, those of texts made less, the widest first, until all fit; as they are where they cannot."""
    found = list(widths)
    excess = sum(found) + 2 * (len(found) - 1) - most if most is not None else 0
    while excess > 0:
        texts = [i for i in left if i < len(found) and found[i] > least[i]]
        if not texts:
            return list(widths)
        found[max(texts, key=lambda i: found[i])] -= 1
        excess -= 1
    return found


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
