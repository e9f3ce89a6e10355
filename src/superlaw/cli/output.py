"""How every command prints: one JSON object, or plain tables; progress only on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from superlaw.files.columns import in_columns
from superlaw.files.records import to_json

if TYPE_CHECKING:
    from superlaw.sweeps.execute import Tally


def print_json(record: Any) -> None:
    """One JSON object on stdout and nothing else; what is not a finite number is null."""
    print(to_json(record))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
    """Aligned columns, right-justified but for those numbered in ``left``; plain where stdout is no terminal."""
    print(in_columns(header, rows, left, styled=sys.stdout.isatty()))


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table; a dash for what is missing."""
    return "-" if value is None or value != value else f"{value:.{digits}g}"


@contextlib.contextmanager
def progress_bar(description: str, unit: str, silent: bool = False) -> Iterator[Any]:
    """A rich progress bar on stderr with rate and remaining time, or None where stderr is no terminal."""
    if silent or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:,.1f} {unit}/s" if task.speed else f"- {unit}/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), transient=True) as bar:
        yield _Task(bar, bar.add_task(description, total=None, note=""))


class _Task:
    def __init__(self, bar: Any, task: Any):
        self.bar, self.task = bar, task

    def update(self, done: int, total: int, note: str = "") -> None:
        self.bar.update(self.task, completed=done, total=total, note=note)


@contextlib.contextmanager
def tally_bar(description: str, unit: str, silent: bool = False) -> Iterator[Callable[[Tally], None]]:
    """The ``report`` of a sweep that moves a progress bar, or does nothing."""

    def report(tally: Tally) -> None:
        if bar is not None:
            note = f"{tally.running} running, {len(tally.failed)} failed, loss {tally.loss:.4g}"
            bar.update(tally.done, tally.planned, note)

    with progress_bar(description, unit, silent) as bar:
        yield report


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
