"""Standard output as a person's terminal shows it: no line beyond its width but of tables, nobody else's escapes."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any, TextIO

from superlaw.files.columns import printable
from superlaw.files.notebook import is_row

# Control characters and changes of direction, but for line ends; our own style comes whole.
STEERING = re.compile("\x1b\\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
OWN = ("\x1b[0m", "\x1b[1m")
COMMAND = re.compile(r"\s*(do: )?superlaw ")  # a line to copy: it goes on behind a backslash
LOUD = re.compile(r"^(\s*)(WARNING:|DIVERGED|STOPPED|NOT DETERMINED|FAILED)", re.M)
NARROWEST = 20
HANG = "  "


def columns(stream: TextIO) -> int | None:
    """How wide the terminal is (COLUMNS, else as it says); None for a pipe or a file, whose lines are left whole."""
    return max(NARROWEST, shutil.get_terminal_size().columns) if stream.isatty() else None


def styled(stream: TextIO) -> bool:
    """Whether bold and colours may be used: on a terminal that is not dumb, unless NO_COLOR is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Printable:
    """Standard output on which text from files, plans and servers cannot steer the terminal: all of it passes here.

    Prose is broken at the terminal's width, warnings are bold and yellow, and a table that is wider is preceded by a
    line that says so. ``whole`` is the same for what programs read: no line of it is broken or coloured.
    """

    def __init__(self, stream: TextIO, width: int | None = None, style: bool = False):
        self.stream, self.width, self.styled = stream, width, style

    @property
    def whole(self) -> Printable:
        """The same without a width and without style."""
        return Printable(self.stream)

    def write(self, text: str) -> int:
        """Write with control characters escaped, but for our own style on a terminal."""
        own = lambda found: found[0] if self.styled and found[0] in OWN else printable(found[0])  # noqa: E731
        text = STEERING.sub(own, text)
        if self.width is not None:
            text = fitted(text, self.width)
        if self.styled:
            text = LOUD.sub("\\1\x1b[1;33m\\2\x1b[0m", text)
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def fitted(text: str, width: int) -> str:
    """Lines of prose broken at ``width``; tables as they are, after a line that says how wide where they are wider.

    Examples
    --------
    >>> print(fitted("WARNING: the errors are not alike\\na  b", 20))
    WARNING: the errors
      are not alike
    a  b
    """
    out: list[str] = []
    lines = text.split("\n")
    for k, line in enumerate(lines):
        if not is_row(line):
            out += broken(line, width)
            continue
        if k == 0 or not is_row(lines[k - 1]):
            widest = widest_row(lines[k:])
            if widest > width:
                out.append(f"(table, {widest} columns wide:)")
        out.append(line)
    return "\n".join(out)


def widest_row(lines: list[str]) -> int:
    """Columns that the table at the top of some lines needs."""
    widest = 0
    for line in lines:
        if not is_row(line):
            break
        widest = max(widest, _cells(line))
    return widest


def broken(line: str, width: int) -> list[str]:
    """Prose as lines of at most ``width`` columns: a longer word stays whole, a command goes on behind a backslash."""
    if _cells(line) <= width:
        return [line]
    end = " \\" if COMMAND.match(line) else ""
    indent = line[: len(line) - len(line.lstrip())]
    words, lines, now = line.split(), [], indent
    for word in words:
        if now.strip() and _cells(now) + 1 + _cells(word) + len(end) > width:
            lines.append(now + end)
            now = indent + HANG
        now += word if not now.strip() else f" {word}"
    return [*lines, now]


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes; wide letters take two."""
    text = STEERING.sub("", text)
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
