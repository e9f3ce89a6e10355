"""Excel workbooks (.xlsx), by openpyxl: one sheet, its first row that is not empty the header."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from superlaw.errors import InputError, MissingExtraError, nearest
from superlaw.laws.sources.source import MOST_BYTES, Source, check_names

# Parsers of XML can take long over a part that is none: no workbook unpacks to more than this many times its size, or
# to the second number if small (real ones: 5 to 15).
MOST_UNPACKED, SMALL = 50, 5_000_000
MOST_CELLS = 10_000_000  # those that are empty within a row counted too


def read_excel(content: bytes, where: str, sheet: str | None = None) -> Source:
    """One sheet of a workbook; of several that hold something one must be named, ``runs.xlsx#SHEET``.

    Raises
    ------
    InputError
        For a file that is no workbook, or unpacks to far more than its size, and for sheets that are not named.
    """
    try:
        import openpyxl
    except ImportError:
        raise MissingExtraError(f"reading {where}", "tables") from None

    _check_archive(content, where)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheets = [one for one in book.worksheets if sheet is None or one.title == sheet]
    if not sheets:
        raise InputError(f"{where} without the sheet {sheet!r}", "a sheet of it", nearest(sheet or "", book.sheetnames))
    filled = {one.title: rows for one in sheets if (rows := list(_rows(one, where)))}
    if len(filled) > 1:
        raise InputError(f"{where} with {len(filled)} sheets ({', '.join(filled)})", "one table",
                         f"name the sheet: {where}#{next(iter(filled))}")  # fmt: skip
    rows = next(iter(filled.values()), [])
    return Source(
        _frame(rows, where), "Excel", [f"the sheet {next(iter(filled))!r}"] if len(book.sheetnames) > 1 else []
    )


def _check_archive(content: bytes, where: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(f"{where}, which is no workbook ({error})", "an .xlsx file", "save it as one") from None
    if size > min(MOST_BYTES, max(SMALL, MOST_UNPACKED * len(content))):
        raise InputError(f"{where}, which unpacks to {size} bytes", "a smaller workbook")


def _rows(sheet: Any, where: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows that hold something, with their numbers in the sheet."""
    sheet.reset_dimensions()  # what the file claims of its size need not be so
    cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells += len(row) or 1
        if cells > MOST_CELLS:
            raise InputError(f"{where} of more than {MOST_CELLS} cells", "a smaller table")
        if any(cell is not None for cell in row):
            yield number, row


def _frame(rows: Sequence[tuple[int, Sequence[Any]]], where: str) -> Any:
    import pandas as pd

    if not rows:
        return pd.DataFrame()
    header = list(rows[0][1])
    width = max(i for i, name in enumerate(header, 1) if name is not None)
    for i, name in enumerate(header[:width], 1):
        if name is None and any(len(row) >= i and row[i - 1] is not None for _, row in rows[1:]):
            raise InputError(
                f"{where}, whose column {i} has cells but no name", "a name for each column in its first row"
            )
    named = [i for i in range(width) if header[i] is not None]
    for number, row in rows[1:]:
        if any(cell is not None for cell in row[width:]):
            raise InputError(f"row {number} of {where}, which has a cell beyond the {width} column(s) of the header",
                             "a name for each column")  # fmt: skip
    check_names([header[i] for i in named], where)
    cells = [[_cell(row[i]) if i < len(row) else None for i in named] for _, row in rows[1:]]
    return pd.DataFrame(cells, columns=[str(header[i]) for i in named])


def _cell(cell: Any) -> Any:
    """A cell as a number, a text or a truth value; what Excel says of an error is a text."""
    return str(cell) if isinstance(cell, datetime | date | time | timedelta) else cell
