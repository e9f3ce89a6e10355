"""Parquet, by pyarrow."""

from __future__ import annotations

import io

from superlaw.errors import MissingExtraError
from superlaw.laws.sources.source import Source, check_names


def read_parquet(content: bytes, where: str) -> Source:
    """A Parquet file."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(f"reading {where}", "tables") from None

    table = parquet.read_table(io.BytesIO(content))
    check_names(table.column_names, where)
    frame = table.to_pandas()
    frame.attrs = {}  # a stranger's
    if any(name is not None for name in frame.index.names):  # columns that pandas was told to use as names of rows
        frame = frame.reset_index()
    return Source(frame, "Parquet")
