"""The table that a law command is given: a file, a folder, or the name of a published one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from superlaw.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.cli.law_options import MaskedRows, Reading
    from superlaw.laws.law import Law

OURS = re.compile(r"[0-9a-f]{16}\.safetensors|\.claims")  # what a store of superlaw sweep holds


def table_of(name: str, reading: Reading) -> pd.DataFrame:
    """A store of our runs, any other file or folder, or a published table where nothing here has that name."""
    from superlaw.laws.published import TABLES, load_published
    from superlaw.laws.tables import add_columns, load_table

    path, let = Path(name), reading.let or ()
    if path.is_dir() and any(OURS.fullmatch(entry.name) for entry in path.iterdir()):
        from superlaw.sweeps.table import gather

        return add_columns(gather(name, profiles=False, along_steps=reading.along_steps), let)
    if name in TABLES and not path.exists() and not reading.along_steps:
        return add_columns(load_published(name), let)
    if not path.exists() and not path.suffix:
        need = "a file, a folder of runs, or a published table"
        raise InputError(f"{name}, which does not exist, nor is it a published table", need, nearest(name, TABLES))
    return load_table(name, let, reading.along_steps)


def counted_table(name: str, rows: MaskedRows, laws: Sequence[Law]) -> pd.DataFrame:
    """The same, with the N of each law counted by the rule, if one is named."""
    from superlaw.laws.counting import counted

    table = table_of(name, rows)
    for law in laws if rows.count is not None else ():
        table = counted(table, rows.count or "", law)
    return table
