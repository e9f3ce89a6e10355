"""What the name of a run says: ``width=64,depth=2`` and ``d=1024_l=24_h=8-0.25``."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
# A key stands at the start or after a separator; its value is a number, or else ends at the next separator.
PART = re.compile(rf"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9_.]*)=({NUMBER}(?![A-Za-z0-9.])|[^=,;:/\s_-]+)", re.ASCII)
LONE = re.compile(rf"(?<![A-Za-z0-9.=])(?:{NUMBER})(?![A-Za-z0-9.])", re.ASCII)
LONGEST = 1000  # characters of a name that is looked at
MOST_PARTS = 30


def named_parts(names: Sequence[str]) -> tuple[dict[str, list[str | None]], list[str]]:
    """The ``key=value`` parts of names as columns, and what to say of them.

    Numbers that stand in every name alike, without a key, become ``name_1``, ``name_2`` ... where any name has a key.

    Examples
    --------
    >>> columns, notes = named_parts(["c4-d=96_l=8-0.25", "c4-d=512_l=24-1.0"])
    >>> columns
    {'d': ['96', '512'], 'l': ['8', '24'], 'name_1': ['0.25', '1.0']}
    >>> notes
    ["the parts d, l of the names are columns, and their numbers without a key name_1 ('0.25' in the first)"]
    """
    found = [dict(PART.findall(name[:LONGEST])[:MOST_PARTS]) for name in names]
    keys = list(dict.fromkeys(key for parts in found for key in parts))[:MOST_PARTS]
    if not keys:
        return {}, []
    columns: dict[str, list[str | None]] = {key: [parts.get(key) for parts in found] for key in keys}
    lone = [_unsigned(PART.sub(" ", name[:LONGEST])) for name in names]
    count = len(lone[0]) if len({len(numbers) for numbers in lone}) == 1 else 0
    more: dict[str, list[str | None]] = {
        key: [numbers[i] for numbers in lone]
        for i in range(min(count, MOST_PARTS))
        if (key := f"name_{i + 1}") not in columns
    }
    note = f"the parts {', '.join(keys)} of the names are columns"
    if more:
        firsts = ", ".join(repr(values[0]) for values in more.values())
        note += f", and their numbers without a key {', '.join(more)} ({firsts} in the first)"
    return columns | more, [note]


def _unsigned(rest: str) -> list[str]:
    """The numbers of what is left of a name; a dash before one parts it from what stands before."""
    return [number.lstrip("+-") for number in LONE.findall(rest)]
