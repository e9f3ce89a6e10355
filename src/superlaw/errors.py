"""Every deliberate error: what was got, what is needed, what to do next, in one line.

The command line prints the line on stderr and exits with ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SuperlawError(Exception):
    """Base of all deliberate errors."""

    exit_code = 2


class InputError(SuperlawError, ValueError):
    """An argument, option, file or table that cannot be used.

    Parameters
    ----------
    got : str
        What was given.
    need : str
        What is needed instead.
    do : str, optional
        What to do next.

    Examples
    --------
    >>> print(InputError("width = 0", "a width of 1 or more"))
    got width = 0; need a width of 1 or more
    """

    def __init__(self, got: str, need: str, do: str = ""):
        self.got, self.need, self.do = got, need, do
        super().__init__(f"got {got}; need {need}" + (f"; {do}" if do else ""))

    def __reduce__(self):  # three arguments, one message: tell pickle (worker processes) which
        return type(self), (self.got, self.need, self.do)


class DamagedFileError(InputError):
    """A stored file that is truncated, altered, or not ours."""


class MissingExtraError(SuperlawError, ImportError):
    """A feature whose optional packages are not installed.

    Examples
    --------
    >>> print(MissingExtraError("the engine dense", "torch"))
    the engine dense needs packages that are not installed; do: pip install 'superlaw[torch]'
    """

    def __init__(self, feature: str, extra: str):
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs packages that are not installed; do: pip install 'superlaw[{extra}]'")

    def __reduce__(self):
        return type(self), (self.feature, self.extra)


class Interrupted(SuperlawError):
    """Ctrl-C, with a line on what is kept and how to go on."""

    exit_code = 130


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name, or the list of known ones.

    Examples
    --------
    >>> nearest("widht", ["width", "steps"])
    'did you mean width?'
    >>> nearest("xyz", ["width", "steps"])
    'known: width, steps'
    """
    known = list(known)
    return closest(name, known) or f"known: {', '.join(known)}"


def closest(name: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name, or nothing: where the message already lists what is known.

    Examples
    --------
    >>> closest("widht", ["width", "steps"]), closest("xyz", ["width", "steps"])
    ('did you mean width?', '')
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
