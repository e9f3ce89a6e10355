"""What a record of JSON must look like, written as it looks; and where one does not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Number:
    """Any finite number between two, both included; ``whole``: one without a point."""

    low: float = -sys.float_info.max
    high: float = sys.float_info.max
    whole: bool = False

    def __contains__(self, value: Any) -> bool:
        return type(value) in ((int,) if self.whole else (int, float)) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a {'whole ' * self.whole}number of {self.low:.3g} to {self.high:.3g}"


NUMBER = Number()
WHOLE, COUNT = Number(-(2**53), 2**53, whole=True), Number(0, 2**53, whole=True)
WORDS = {str: "a text", bool: "true or false", None: "null"}


def misfit(record: Any, shape: Any, at: str = "") -> str:
    """Where a record is not as its shape, in words; empty where it is.

    Parameters
    ----------
    record : JSON
    shape
        A Number; ``str`` or ``bool``; None or a text, which are meant themselves; ``[shape]``, a list of any length;
        ``{key: shape}``, an object with these keys or more, of which "key?" may be missing; ``{str: shape}``, an
        object of any keys; a tuple of shapes, one of which must fit.
    at : str
        What the record is called in the words.

    Examples
    --------
    >>> misfit({"loss": 2.5, "note": 1}, {"loss": (None, NUMBER), "seed?": COUNT})
    ''
    >>> misfit({"loss": ["2"]}, {"loss": [Number(0, 9)]})
    'loss[0] is not a number of 0 to 9'
    """
    if isinstance(shape, tuple):
        found = [misfit(record, one, at) for one in shape]
        return "" if "" in found else found[-1]
    parts, kind = [], WORDS.get(shape) if isinstance(shape, type | None) else str(shape)
    if isinstance(shape, list):
        fits, kind = isinstance(record, list), "a list"
        parts = [(one, shape[0], f"{at}[{i}]") for i, one in enumerate(record)] if fits else []
    elif isinstance(shape, dict):
        fits, kind = isinstance(record, Mapping), "an object"
        parts = _entries(record, shape, f"{at}." if at else "") if fits else []
    elif isinstance(shape, Number):
        fits = record in shape
    else:
        fits = type(record) is shape or (type(record) is type(shape) and record == shape)
    if not fits:
        return f"{at or 'it'} is not {kind}"
    return next(filter(None, (misfit(*part) for part in parts)), "")


def _entries(record: Mapping[str, Any], shape: dict[Any, Any], before: str) -> list[tuple[Any, Any, str]]:
    if str in shape:
        return [(value, shape[str], before + str(key)[:40]) for key, value in record.items()]
    # A key that is missing is no null: ... stands for it, which nothing fits.
    names = [(key.removesuffix("?"), key) for key in shape]
    return [(record.get(name, ...), shape[key], before + name) for name, key in names if name in record or name == key]
