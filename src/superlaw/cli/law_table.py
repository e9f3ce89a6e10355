"""The table that a law command is given: a file, a folder, or the name of a published one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.cli.law_options import Rows


def table_of(name: str, rows: Rows) -> pd.DataFrame:
    """A folder of runs, a file, or a published table where nothing here has that name."""
    from superlaw.laws.published import TABLES, load_published
    from superlaw.laws.tables import add_columns, load_table

    if rows.along_steps or Path(name).is_dir():
        from superlaw.sweeps.table import gather

        return add_columns(gather(name, profiles=False, along_steps=rows.along_steps), rows.let or ())
    if name in TABLES and not Path(name).exists():
        return add_columns(load_published(name), rows.let or ())
    return load_table(name, rows.let or ())
