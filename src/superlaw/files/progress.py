"""How far something has come, in one line: for a terminal, a log or a notebook's cell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

SHAPE = "{desc} {n:,}/{total:,} [{bar:10}] {rate_noinv_fmt} {remaining} left{postfix}"
SHAPE_WITHOUT_END = "{desc} {n:,} {rate_noinv_fmt}{postfix}"
EVERY = 0.25  # seconds between two states of a line that is shown

Report = Callable[[int, int, str], None]  # how many of how many are done, and a note


def progress_line(
    name: str, done: int, total: int, seconds: float, unit: str = "", note: str = "", width: int = 80
) -> str:
    """What is done, of how much, how fast, how long it will take, and a note; cut at ``width``.

    Examples
    --------
    >>> progress_line("demo", 6, 12, 30.0, "models", "loss 0.0431")
    'demo 6/12 [#####     ]  0.20 models/s 00:30 left, loss 0.0431'
    """
    from tqdm import tqdm  # spared where no progress is shown

    shape = SHAPE if total else SHAPE_WITHOUT_END
    return tqdm.format_meter(
        done, total, seconds, ncols=width, prefix=name, ascii=" #", unit=f" {unit}", bar_format=shape,
        postfix=note or None,
    )  # fmt: skip


class ProgressLine:
    """A line that is shown anew as work goes on, four times a second at most.

    Parameters
    ----------
    show : callable
        Given each line.
    name, unit : str
        What is done, and what is counted.
    width : callable
        How wide the line may be now.
    every : float
        Seconds between two lines, but for the last.
    """

    def __init__(
        self, show: Callable[[str], None], name: str, unit: str, width: Callable[[], int] = lambda: 80,
        every: float = EVERY,
    ):  # fmt: skip
        self.show, self.name, self.unit, self.width, self.every = show, name, unit, width, every
        self.start = time.monotonic()
        self.shown = -every

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` are."""
        now = time.monotonic() - self.start
        if now - self.shown >= self.every or done == total:
            self.shown = now
            self.show(progress_line(self.name, done, total, now, self.unit, note, self.width()))


def in_notebook() -> bool:
    """Whether this is a cell of a notebook, whose output can change."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def notebook_line(name: str, unit: str) -> ProgressLine | None:
    """A progress line in the cell of a notebook that runs; None elsewhere."""
    if not in_notebook():
        return None
    from IPython.display import display  # pyright: ignore[reportMissingImports]

    handle: Any = display(_Text(""), display_id=True)
    return ProgressLine(lambda line: handle.update(_Text(line)), name, unit, lambda: 100)


class _Text:
    """Text that a notebook shows as it is."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text
