"""Tables from anyone's files: CSV, Parquet, JSON lines. Numbers stay the numbers that were written."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.files.records import parse_json
from superlaw.files.tensors import open_file

if TYPE_CHECKING:
    import pandas as pd

READERS = {".csv": "CSV", ".parquet": "Parquet", ".jsonl": "JSON lines"}
MOST_BYTES = 500_000_000
MOST_COLUMNS = 10_000


def read_table(path: Path) -> pd.DataFrame:
    """A table by its file's ending, with the names of its columns stripped.

    Raises
    ------
    InputError
        When the file is missing, of another kind, unreadable or empty, when two columns have one name, or a cell
        holds more than a number, a text or a truth value.
    """
    kind = READERS.get(path.suffix.lower())
    if path.is_dir():
        raise InputError(f"{path}, which is a folder", "a table", "superlaw.gather makes one of a folder of runs")
    if kind is None:
        raise InputError(f"{path}", f"a table ending in {', '.join(READERS)}", "save it as one of these and try again")
    if not path.is_file():
        raise InputError(f"{path}, which does not exist", "a table of runs", "check the path")
    with open_file(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} of more than {MOST_BYTES} bytes", "a smaller table")
    read = {"CSV": _csv, "Parquet": _parquet, "JSON lines": _json_lines}[kind]
    try:
        table = read(content, path)
    except InputError:
        raise
    except ImportError:
        raise InputError(f"{path}", "the package pyarrow to read Parquet", "pip install pyarrow") from None
    except Exception as error:  # the parsers of pandas and pyarrow raise what they like on a stranger's bytes
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path}, which is not readable as {kind} ({reason})", "one table with a header") from None
    if not len(table):
        raise InputError(f"{path} with no rows", "a table of runs")
    table.columns = [str(name).strip() for name in table.columns]
    _check_cells(table, path)
    return table


def _distinct(names: Sequence[Any], path: Path) -> None:
    stripped = [str(name).strip() for name in names]
    if len(stripped) > MOST_COLUMNS:
        raise InputError(f"{path} of {len(stripped)} columns", f"at most {MOST_COLUMNS}")
    if len(set(stripped)) < len(stripped):
        twice = max(stripped, key=stripped.count)
        raise InputError(f"{path} with two columns {twice!r}", "one column of each name", "rename one of them")


def _csv(content: bytes, path: Path) -> pd.DataFrame:
    import pandas as pd

    # pandas renames a second column of one name, which nobody would notice: look at the header first
    _distinct(next(csv.reader(io.StringIO(content.decode("utf-8-sig"))), []), path)
    return pd.read_csv(io.BytesIO(content))


def _parquet(content: bytes, path: Path) -> pd.DataFrame:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(content))
    _distinct(table.column_names, path)
    return table.to_pandas()


def _json_lines(content: bytes, path: Path) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            row = parse_json(line, f"line {number} of {path}", "an object a line", finite=False)
            if not isinstance(row, dict):
                raise InputError(f"line {number} of {path}, which is no object", "an object a line")
            rows.append(row)
    _distinct(list(dict.fromkeys(name for row in rows for name in row)), path)
    return pd.DataFrame(rows)


def _check_cells(table: pd.DataFrame, path: Path) -> None:
    for column in table.columns:
        if table[column].dtype == object:
            nested = table[column].map(lambda cell: not isinstance(cell, str | int | float | bool | None))
            if nested.any():
                raise InputError(
                    f"a {type(table[column][nested].iloc[0]).__name__} in row {int(nested.to_numpy().argmax()) + 1}, "
                    f"column {column!r} of {path}",
                    "a number or a text in every cell",
                )
