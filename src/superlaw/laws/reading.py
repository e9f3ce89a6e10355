"""Tables from anyone's files and folders. Numbers stay the numbers that were written; what was decided is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from superlaw.errors import InputError
from superlaw.laws.origin import Origin, with_origin
from superlaw.laws.sources.files import read_file
from superlaw.laws.sources.folders import read_folder

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path, along_steps: bool = False) -> pd.DataFrame:
    """A table from a file, or from a folder of runs; what the reading decided is its origin.

    Raises
    ------
    InputError
        When there is nothing, or nothing that is known, or when it cannot be read (see sources.files.read_file).
    """
    if path.is_dir():
        source = read_folder(path, along_steps)
    else:
        source = read_file(path)
        if along_steps and source.run is None:
            raise InputError(f"{path} along steps", "a folder of runs", "a table of runs has no losses of single steps")
    return with_origin(source.table, Origin(source.kind, source.notes, source.run))
