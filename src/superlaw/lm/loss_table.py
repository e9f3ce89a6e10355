"""The table of losses on disk: CSV, a row for each model and corpus, replaced whole at every change."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from superlaw.errors import InputError
from superlaw.files.outputs import write_atomically

if TYPE_CHECKING:
    from superlaw.lm.corpora import Corpus
    from superlaw.lm.loss import Loss, LossOptions

OPTIONS = ("document", "max_length", "documents")  # what decides a loss; batches, type and device are recorded only


def read_losses(path: Path, options: LossOptions, corpora: list[Corpus]) -> list[Loss]:
    """Rows of a table made with the same options, none where there is no table."""
    from superlaw.lm.loss import Loss

    if not path.exists():
        return []
    kinds = {field.name: field.type for field in fields(Loss)}
    convert = {"int": int, "float": lambda text: float(text or "nan"), "str": str}
    do = "choose another -o"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if list(reader.fieldnames or ()) != list(kinds):
                raise InputError(f"{path}, which is no table of losses", "a new file or one of superlaw lm loss", do)
            rows = [Loss(**{key: convert[kinds[key]](value) for key, value in row.items()}) for row in reader]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path}, not readable as losses ({type(error).__name__})", "a whole table", do) from None
    for row in rows:
        for key in OPTIONS:
            if getattr(row, key) != getattr(options, key):
                raise InputError(f"{path}, made with {key} = {getattr(row, key)}", f"{getattr(options, key)} again", do)
        for one in corpora:
            if row.corpus == one.name and row.source != one.source:
                raise InputError(f"{path}, where {one.name} is {row.source}", f"a new name for {one.source}", do)
    return rows


def write_losses(path: Path, rows: Iterable[Loss]) -> None:
    """Write the table; what is not a number is left empty."""
    out = io.StringIO()
    writer = None
    for row in rows:
        record = {key: "" if value != value else value for key, value in asdict(row).items()}
        if writer is None:
            writer = csv.DictWriter(out, list(record), lineterminator="\n")
            writer.writeheader()
        writer.writerow(record)
    write_atomically(path, out.getvalue().encode())
