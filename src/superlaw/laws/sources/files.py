"""Files of tables, by their endings."""

from __future__ import annotations

from pathlib import Path

from superlaw.errors import InputError, SuperlawError
from superlaw.files.records import parse_json
from superlaw.laws.sources import tensorboard
from superlaw.laws.sources.delimited import read_csv
from superlaw.laws.sources.excel import read_excel
from superlaw.laws.sources.histories import table_of
from superlaw.laws.sources.json_tables import read_json_table, read_lines
from superlaw.laws.sources.parquet import read_parquet
from superlaw.laws.sources.source import Source, checked, content_of

KINDS = {".csv": "CSV", ".parquet": "Parquet", ".jsonl": "JSON lines", ".json": "JSON", ".xlsx": "Excel"}
PACKED = (".csv", ".jsonl", ".json")  # those that are also read with .gz behind
TABLES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")  # that may be histories, one a file
SHEET = "#"  # runs.xlsx#SHEET


def ending(path: Path) -> str:
    """The ending that says what a file is, in small letters: ``.csv``, ``.csv.gz``.

    Examples
    --------
    >>> ending(Path("runs.v2.CSV.gz")), ending(Path("a/results.json"))
    ('.csv.gz', '.json')
    """
    last = path.suffix.lower()
    return Path(path.stem).suffix.lower() + last if last == ".gz" else last


def read_file(path: Path) -> Source:
    """A table from one file.

    Raises
    ------
    InputError
        When the file is missing, of another kind, unreadable or empty, when two columns have one name, or a cell
        holds more than a number, a text or a truth value.
    """
    if tensorboard.MARK in path.name and path.is_file():
        histories, notes = tensorboard.read_events([path], path.parent)
        found = table_of(histories, "a TensorBoard event file", True, str(path))
        return checked(Source(found.table, found.kind, [*found.notes, *notes], found.run), str(path))
    path, sheet = _sheet(path)
    if not path.exists():
        raise InputError(f"{path}, which does not exist", "a table of runs", "check the path")
    kind = ending(path)
    if kind.removesuffix(".gz") not in (PACKED if kind.endswith(".gz") else KINDS):
        raise InputError(f"{path}", f"a table ending in {', '.join(KINDS)}, or an event file of TensorBoard",
                         "save it as one of these and try again")  # fmt: skip
    words = KINDS[kind.removesuffix(".gz")]
    content = content_of(path)
    try:
        source = _read(kind.removesuffix(".gz"), content, path, sheet)
    except SuperlawError:
        raise
    except Exception as error:  # parsers of pandas, pyarrow and openpyxl raise what they like on a stranger's bytes
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path}, which is not readable as {words} ({reason})", "one table with a header") from None
    return checked(source, str(path))


def _read(kind: str, content: bytes, path: Path, sheet: str | None) -> Source:
    where = str(path)
    if kind == ".json":
        return read_json_table(parse_json(content, where, "a table of runs", finite=False), path)
    if kind == ".xlsx":
        return read_excel(content, where, sheet)
    return {".csv": read_csv, ".parquet": read_parquet, ".jsonl": read_lines}[kind](content, where)


def _sheet(path: Path) -> tuple[Path, str | None]:
    """``runs.xlsx#SHEET`` as the file and the name of its sheet."""
    file, mark, sheet = path.name.partition(SHEET)
    if mark and file.lower().endswith(".xlsx") and not path.exists():
        return path.with_name(file), sheet
    return path, None
