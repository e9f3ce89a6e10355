"""How every command prints: one JSON object, or plain tables; progress only on a terminal."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from superlaw.cli.options import QUIET, VERBOSE
from superlaw.files.columns import fitting, in_columns
from superlaw.files.progress import ProgressLine
from superlaw.files.records import to_json

if TYPE_CHECKING:
    from superlaw.sweeps.execute import Tally

LOGGED = 10  # seconds between two lines of a log


def print_json(record: Any) -> None:
    """One JSON object on stdout and nothing else; what is not a finite number is null."""
    print_whole(to_json(record))


def print_result(result: object) -> None:
    """Print the report of a result, the texts of its tables folded to fit the terminal."""
    with fitting(getattr(sys.stdout, "width", None)):
        text = str(result)
    print(text)


def print_whole(text: str) -> None:
    """Print what a program may read: no line of it is broken at the terminal's width."""
    print(text, file=getattr(sys.stdout, "whole", sys.stdout))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
    """Aligned columns, right-justified but for those numbered in ``left``; texts are folded to fit the terminal."""
    with fitting(getattr(sys.stdout, "width", None)):
        print(in_columns(header, rows, left, getattr(sys.stdout, "styled", False)))


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Names and what is said of them, broken at the terminal's width under themselves."""
    from superlaw.cli.terminal import broken

    wide = max((len(name) for name, _ in facts), default=0) + 1
    most = getattr(sys.stdout, "width", None)
    for name, text in facts:
        lines = [text] if most is None else [line.strip() for line in broken(text, most - wide)]
        for k, line in enumerate(lines):
            print_whole(f"{'' if k else name:<{wide}}{line}")


def tell(text: str) -> None:
    """Say on stderr what is being done; not where --quiet was given."""
    if not QUIET.get():
        print(text, file=sys.stderr)


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table; a dash for what is missing."""
    return "-" if value is None or value != value else f"{value:.{digits}g}"


@contextlib.contextmanager
def progress_bar(description: str, unit: str, silent: bool = False) -> Iterator[ProgressLine | None]:
    """A line on stderr that says how far it is; None where stderr is no terminal, or it is not wanted.

    With --verbose a log gets a line now and then.
    """
    if silent or QUIET.get() or not (sys.stderr.isatty() or VERBOSE.get()):
        yield None
        return
    if not sys.stderr.isatty():
        yield ProgressLine(lambda line: print(line, file=sys.stderr, flush=True), description, unit, every=LOGGED)
        return
    show = lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)  # noqa: E731
    try:
        yield ProgressLine(show, description, unit, lambda: shutil.get_terminal_size().columns - 1)
    finally:
        show("")


@contextlib.contextmanager
def tally_bar(description: str, unit: str, silent: bool = False) -> Iterator[Callable[[Tally], None]]:
    """The ``report`` of a sweep that moves a progress line, or does nothing."""
    with progress_bar(description, unit, silent) as bar:
        yield lambda tally: None if bar is None else bar.update(tally.done, tally.planned, tally.in_short)


def duration(seconds: float) -> str:
    """Seconds in the unit a person would use.

    Examples
    --------
    >>> duration(45), duration(600), duration(20000)
    ('45 s', '10 minutes', '5.6 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def size(count: float) -> str:
    """Bytes in the unit a person would use.

    Examples
    --------
    >>> size(1500), size(2_500_000_000)
    ('1.5 kB', '2.5 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} bytes"
