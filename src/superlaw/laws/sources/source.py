"""What every reader gives: a table, and what its reading decided; and the guarded bytes that it starts from."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.files.records import parse_json
from superlaw.files.tensors import open_file

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 500_000_000
MOST_COLUMNS = 10_000
# A packed file may unpack to this many times its size (real tables: 3 to 30), or to the second number if small.
MOST_UNPACKED, SMALL = 100, 20_000_000
PACKED = b"\x1f\x8b"  # the first bytes of gzip


@dataclass(frozen=True, eq=False)
class Source:
    """A table as it was read.

    Parameters
    ----------
    table : DataFrame
    kind : str
        What it was read as, in words: "CSV".
    notes : sequence of str
        What the reading decided, each a sentence without its point.
    run : str, optional
        The column of the runs' names, where the reading made one.
    """

    table: pd.DataFrame
    kind: str
    notes: Sequence[str] = ()
    run: str | None = None


def content_of(path: Path) -> bytes:
    """The bytes of a file, unpacked where it ends in .gz.

    Raises
    ------
    InputError
        When there is no such file, it is too large, or no gzip for all its name.
    """
    if not path.is_file():
        raise InputError(f"{path}, which does not exist", "a table of runs", "check the path")
    with open_file(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} of more than {MOST_BYTES} bytes", "a smaller table")
    return unpacked(content, str(path)) if path.suffix.lower() == ".gz" else content


def unpacked(content: bytes, name: str) -> bytes:
    """The content of a gzip file, which is whole and not far larger than it."""
    if not content.startswith(PACKED):
        raise InputError(f"{name}, which is no gzip file", "a packed table", "rename it without .gz")
    most, parts, size = min(MOST_BYTES, max(SMALL, MOST_UNPACKED * len(content))), [], 0
    while content:  # one member after another
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            part = member.decompress(content, most + 1 - size)
        except zlib.error as error:
            raise InputError(f"{name}, which cannot be unpacked ({error})", "a whole gzip file") from None
        parts.append(part)
        size += len(part)
        if size > most:
            raise InputError(f"{name}, which unpacks to more than {most} bytes", "a smaller table")
        if not member.eof:
            raise InputError(f"{name}, which ends too early", "a whole gzip file", "copy it again")
        content = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def json_of(path: Path, need: str) -> Any:
    """A JSON file from anyone, packed or not; NaN and infinity are numbers in it."""
    return parse_json(content_of(path), str(path), need, finite=False)


def check_names(names: Sequence[Any], where: str) -> None:
    """Refuse two columns of one name, and too many columns."""
    stripped = [str(name).strip() for name in names]
    if len(stripped) > MOST_COLUMNS:
        raise InputError(f"{where} of {len(stripped)} columns", f"at most {MOST_COLUMNS}")
    if len(set(stripped)) < len(stripped):
        twice = max(stripped, key=stripped.count)
        raise InputError(f"{where} with two columns {twice!r}", "one column of each name", "rename one of them")


def checked(source: Source, where: str) -> Source:
    """The source with the names of its columns stripped.

    Raises
    ------
    InputError
        For a table without rows, two columns of one name, and a cell that is no number, text or truth value.
    """
    table = source.table
    if not len(table):
        raise InputError(f"{where} with no rows", "a table of runs")
    check_names(list(table.columns), where)
    table.columns = [str(name).strip() for name in table.columns]
    check_cells(table, where)
    return source


def check_cells(table: pd.DataFrame, where: str) -> None:
    """Refuse a cell that holds more than a number, a text or a truth value."""
    for column in table.columns:
        if table[column].dtype == object:
            nested = table[column].map(lambda cell: not isinstance(cell, str | int | float | bool | None))
            if nested.any():
                raise InputError(
                    f"a {type(table[column][nested].iloc[0]).__name__} in row {int(nested.to_numpy().argmax()) + 1}, "
                    f"column {column!r} of {where}",
                    "a number or a text in every cell",
                )


def flat(record: Mapping[str, Any], where: str, before: str = "") -> dict[str, Any]:
    """The cells of an object, those of objects in it under their path with dots.

    Examples
    --------
    >>> flat({"model": {"width": 64, "layers": [1, 2]}, "loss": 3.0}, "runs.json")
    {'model.width': 64, 'model.layers': [1, 2], 'loss': 3.0}
    """
    out: dict[str, Any] = {}
    for key, value in record.items():
        cells = flat(value, where, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
        if twice := out.keys() & cells.keys():
            raise InputError(f"{where} with {min(twice)!r} twice in a row", "each name once")
        out |= cells
    return out


def plain(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The numbers, texts and truth values of an object, flat; what is none is passed over.

    Examples
    --------
    >>> plain({"hidden_size": 64, "architectures": ["Llama"], "rope": {"theta": 1e4}}, "config.json")
    {'hidden_size': 64, 'rope.theta': 10000.0}
    """
    return {key: cell for key, cell in flat(record, where).items() if isinstance(cell, str | int | float | bool)}


def frame_of(rows: Sequence[Mapping[str, Any]], where: str) -> tuple[pd.DataFrame, list[str]]:
    """Objects as a table, a column for each name in any of them, and what to say: columns of lists are left out."""
    import pandas as pd

    rows = [flat(row, where) if any(isinstance(cell, dict) for cell in row.values()) else row for row in rows]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    check_names(columns, where)
    lists = [c for c in columns if all(isinstance(row.get(c), list | None) for row in rows)
             and any(isinstance(row.get(c), list) for row in rows)]  # fmt: skip
    table = pd.DataFrame(list(rows), columns=columns).drop(columns=lists)
    return table, [f"left out, since they hold lists: {', '.join(lists)}"] if lists else []


def numbered(columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Columns of texts, as numbers where every cell that is there is one.

    Examples
    --------
    >>> numbered({"d": ["96", None], "data": ["c4", "pile"]})
    {'d': [96.0, None], 'data': ['c4', 'pile']}
    """
    out: dict[str, Any] = {}
    for name, cells in columns.items():
        try:
            out[name] = [None if cell is None else float(cell) for cell in cells]
        except ValueError:
            out[name] = list(cells)
    return out
