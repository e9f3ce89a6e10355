"""JSON and JSON lines: rows, columns, names with numbers, and the records that known programs write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from superlaw.errors import InputError
from superlaw.files.records import parse_json
from superlaw.laws.fit_record import is_fit
from superlaw.laws.quantities import shown
from superlaw.laws.sources import lm_eval, open_lm, trainer
from superlaw.laws.sources.histories import RUN, table_of
from superlaw.laws.sources.names import named_parts
from superlaw.laws.sources.source import Source, frame_of, numbered

NAME, VALUE = "name", "loss"  # columns of an object of names and numbers
NEED = "a list of runs, an object of runs by name, or one of columns"
# Programs whose records are known: what a record is recognised by, and how it becomes a row.
KNOWN: dict[str, tuple[Callable[[Any], bool], Callable[[Mapping[str, Any], str, str], dict[str, Any]]]] = {
    lm_eval.KIND: (lm_eval.is_results, lm_eval.row_of),
    open_lm.KIND: (open_lm.is_model, open_lm.row_of),
}


def read_lines(content: bytes, where: str) -> Source:
    """An object a line."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            row = parse_json(line, f"line {number} of {where}", "an object a line", finite=False)
            if not isinstance(row, dict):
                raise InputError(f"line {number} of {where}, which is no object", "an object a line")
            rows.append(row)
    return _of_rows(rows, "JSON lines", where)


def read_json_table(record: Any, path: Path) -> Source:
    """A table from a JSON record, by what it looks like.

    Raises
    ------
    InputError
        For a record that is none of what is known, naming what it is.
    """
    where = str(path)
    if trainer.is_state(record):
        history = trainer.history_of(record, _own_name(path), where, trainer.config_beside(path))
        return table_of([history], "trainer_state.json", True, where)
    for kind, (is_known, row_of) in KNOWN.items():
        if is_known(record):
            return of_records([row_of(record, path.stem, where)], kind, where)
    if isinstance(record, list):
        return _of_rows(_objects(record, where), "JSON rows", where)
    if not isinstance(record, dict) or not record:
        raise InputError(f"{where}, which is {_what(record)}", NEED)
    if is_fit(record):
        raise InputError(f"{where}, which is the JSON of a fit", "a table of runs", "superlaw law optimum takes fits")
    return _of_object(record, where)


def _own_name(path: Path) -> str:
    """A state's run is called as its folder, which is the run's or a checkpoint's."""
    folder = path.resolve().parent
    return folder.parent.name if trainer.CHECKPOINT.fullmatch(folder.name) else folder.name


def of_records(rows: Sequence[Mapping[str, Any]], kind: str, where: str) -> Source:
    """Records of runs, a row each, with the parts of their names."""
    table, notes = frame_of(rows, where)
    parts, said = named_parts([str(name) for name in table[RUN]])
    for column, values in numbered(parts).items():
        if column not in table.columns:
            table[column] = values
    return Source(table, kind, [*notes, *said], RUN)


def _objects(record: Sequence[Any], where: str) -> list[dict[str, Any]]:
    for number, row in enumerate(record, 1):
        if not isinstance(row, dict):
            raise InputError(f"entry {number} of {where}, which is {_what(row)}", "an object for every run")
    return list(record)


def _of_rows(rows: Sequence[dict[str, Any]], kind: str, where: str) -> Source:
    notes = []
    if rows and all(open_lm.is_evaluation(row) for row in rows):
        rows, notes = open_lm.evaluations(rows)
    table, more = frame_of(rows, where)
    return Source(table, kind, [*notes, *more])


def _of_object(record: dict[str, Any], where: str) -> Source:
    """An object of columns, of runs by name, or around a list of runs."""
    values = list(record.values())
    if all(isinstance(value, int | float | None) and not isinstance(value, bool) for value in values):
        return _names_and_numbers(record)
    columns, data = record.get("columns"), record.get("data")
    if isinstance(columns, list) and isinstance(data, list):
        return _split(columns, data, where)
    lists = [key for key, value in record.items() if value and _is(value, list, of=dict)]
    if len(lists) == 1:
        found = _of_rows(record[lists[0]], "JSON rows", where)
        return Source(found.table, found.kind, [f"the rows are the list {lists[0]!r}", *found.notes])
    if lists:
        raise InputError(f"{where} with {len(lists)} lists of rows ({shown(lists)})", "one table")
    if all(isinstance(value, list) for value in values):
        return _columns(record, where)
    if all(isinstance(value, dict) for value in values):
        return _by_name(record, where)
    raise InputError(f"{where}, an object with {shown([repr(key) for key in record])}", NEED)


def _is(value: Any, kind: type, of: type) -> bool:
    return isinstance(value, kind) and all(isinstance(one, of) for one in value)


def _names_and_numbers(record: Mapping[str, float]) -> Source:
    """``{"d=96_l=8": 3.2, ...}``: a row a name."""
    import pandas as pd

    parts, notes = named_parts(list(record))
    taken = numbered({key: values for key, values in parts.items() if key not in (NAME, VALUE)})
    table = pd.DataFrame({NAME: list(record), **taken, VALUE: list(record.values())})
    return Source(table, "JSON of names and numbers", [f"the number of each name is its {VALUE}", *notes], NAME)


def _split(columns: list[Any], data: list[Any], where: str) -> Source:
    """Names of columns, and lists of cells: a table of W&B, and pandas' ``split``."""
    for number, cells in enumerate(data, 1):
        if not isinstance(cells, list) or len(cells) != len(columns):
            raise InputError(f"row {number} of {where}, which is {_what(cells)}", f"a list of {len(columns)} cells")
    names = [str(column) for column in columns]
    if len(set(names)) < len(names):
        raise InputError(f"{where} with two columns {max(names, key=names.count)!r}", "one column of each name")
    return _of_rows([dict(zip(names, cells, strict=True)) for cells in data], "JSON table", where)


def _columns(record: Mapping[str, list[Any]], where: str) -> Source:
    lengths = {key: len(values) for key, values in record.items()}
    first = next(iter(record))
    for key, length in lengths.items():
        if length != lengths[first]:
            raise InputError(f"{where} with {lengths[first]} cells in {first!r} and {length} in {key!r}",
                             "as many in every column")  # fmt: skip
    return _of_rows([dict(zip(record, cells, strict=True)) for cells in zip(*record.values(), strict=True)],
                    "JSON columns", where)  # fmt: skip


def _by_name(record: Mapping[str, dict[str, Any]], where: str) -> Source:
    """Runs by name; or pandas' own: columns, and in each its cells by number."""
    inner = list(dict.fromkeys(key for cells in record.values() for key in cells))
    if inner and all(key.isascii() and key.isdecimal() for key in inner):
        cells = [{key: column.get(row) for key, column in record.items()} for row in inner]
        return _of_rows(cells, "JSON columns", where)
    rows = [{RUN: name} | {key: cell for key, cell in row.items() if key != RUN} for name, row in record.items()]
    return of_records(rows, "JSON of runs by name", where)


def _what(value: Any) -> str:
    """A value of JSON in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return f"a list of {len(value)} cells" if isinstance(value, list) else names.get(type(value), "a number")
