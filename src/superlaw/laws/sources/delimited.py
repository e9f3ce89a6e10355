"""CSV."""

from __future__ import annotations

import csv
import io

from superlaw.errors import InputError
from superlaw.laws.sources.source import Source, check_names

OTHERS = {";": "semicolons", "\t": "tabs"}  # that part cells elsewhere


def read_csv(content: bytes, where: str) -> Source:
    """A table with a header line, cells parted by commas.

    Raises
    ------
    InputError
        For another separator, two columns of one name, and rows with more cells than the header has names.
    """
    import pandas as pd

    # pandas renames a second column of one name, which nobody would notice: look at the header first
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    header = next(lines, [])
    check_names(header, where)
    if len(header) == 1 and (mark := next((mark for mark in OTHERS if mark in header[0]), None)):
        raise InputError(f"{where} with {OTHERS[mark]} between its cells", "commas", "save it with commas")
    if len(next(filter(None, lines), [])) > len(header):  # pandas would take the first cells for names of the rows
        raise InputError(f"{where}, whose rows have more cells than the header has names", "a name for each column")
    return Source(pd.read_csv(io.BytesIO(content), index_col=False), "CSV")
