"""Folders of runs: which of the known programs wrote them, and one table of them all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.cells import numbers
from superlaw.laws.sources import tensorboard, trainer
from superlaw.laws.sources.files import TABLES, ending, read_file
from superlaw.laws.sources.histories import History, step_column, table_of
from superlaw.laws.sources.json_tables import KNOWN, of_records
from superlaw.laws.sources.source import Source, checked, json_of, plain

MOST_FILES, DEEPEST = 20_000, 6
STATES, EVENTS, HISTORIES, RECORDS = "trainer_state.json", "event files", "tables", "JSON files"
# Of files of several kinds those of a Trainer come first: it writes event files of the same numbers beside them.
BESIDE = {STATES: (EVENTS, RECORDS), EVENTS: (RECORDS,)}


def read_folder(folder: Path, along_steps: bool) -> Source:
    """One table of the runs in a folder and the folders in it.

    Raises
    ------
    InputError
        For a folder without any run that is known, or with runs of several kinds.
    """
    files = {kind: paths for kind, paths in _files(folder).items() if paths}
    kinds = list(files)
    if not kinds:
        raise InputError(f"{folder}, a folder without runs", "trainer_state.json files, event files, JSON results, or "
                         "histories of runs as CSV, JSON lines or Parquet, one a file",
                         "superlaw.gather makes a table of a store of superlaw sweep")  # fmt: skip
    kind = next((one for one in (STATES, EVENTS) if one in kinds), kinds[0])
    others = [one for one in kinds if one != kind]
    if any(one not in BESIDE.get(kind, ()) for one in others):
        held = ", ".join(f"{len(paths)} {one}" for one, paths in files.items())
        raise InputError(f"{folder} with {held}", "runs of one kind", "name a folder in it, or a file")
    notes = [f"beside them, not read: {', '.join(f'{len(files[one])} {one}' for one in others)}"] if others else []
    source = _read(kind, files[kind], folder, along_steps)
    return checked(Source(source.table, source.kind, [*source.notes, *notes], source.run), str(folder))


def _read(kind: str, paths: Sequence[Path], folder: Path, along_steps: bool) -> Source:
    if kind == STATES:
        return table_of(trainer.read_states(paths, folder), "trainer_state.json of a Trainer", along_steps, str(folder))
    if kind == EVENTS:
        histories, notes = tensorboard.read_events(paths, folder)
        found = table_of(histories, "TensorBoard event files", along_steps, str(folder))
        return Source(found.table, found.kind, [*found.notes, *notes], found.run)
    if kind == HISTORIES:
        return table_of([_history(path, folder) for path in paths], "histories of runs", along_steps, str(folder))
    if along_steps:
        raise InputError(f"{folder} along steps", "runs that were logged along their steps", "leave --along-steps out")
    return _records(paths, folder)


def _files(folder: Path) -> dict[str, list[Path]]:
    """The files that may hold runs, by kind; hidden folders are passed over."""
    found: dict[str, list[Path]] = {STATES: [], EVENTS: [], HISTORIES: [], RECORDS: []}
    seen = 0
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and depth < DEEPEST)
        seen += len(names)
        if seen > MOST_FILES:
            raise InputError(f"{folder} of more than {MOST_FILES} files", "a folder of runs", "name a folder in it")
        for name in sorted(names):
            path = Path(place, name)
            if name == trainer.STATE:
                found[STATES].append(path)
            elif tensorboard.MARK in name:
                found[EVENTS].append(path)
            elif ending(path) in TABLES:
                found[HISTORIES].append(path)
            elif ending(path) == ".json":
                found[RECORDS].append(path)
    return found


def _history(path: Path, folder: Path) -> History:
    """A table in a folder is the history of one run, called as the file."""
    table = read_file(path).table
    step = step_column(list(table.columns))
    if step is None and len(table) > 1:
        raise InputError(f"{path} of {len(table)} rows, without a column of steps",
                         "one run a file in a folder of tables, with its steps", "or name one table")  # fmt: skip
    name = str(path.relative_to(folder))[: -len(ending(path))]
    if step is None:
        return History(name, table)
    try:
        steps = numbers(table, step, np.arange(len(table)), positive=False)
    except InputError as error:
        raise InputError(f"{error.got} of {path}", "the number of a step", "mend the cell") from None
    order = np.argsort(steps, kind="stable")
    return History(name, table.assign(**{step: steps}).iloc[order], step)


def _records(paths: Sequence[Path], folder: Path) -> Source:
    """JSON files, each one run: all as one known program writes them, or flat objects of numbers and texts."""
    rows, kinds = [], {}
    for path in paths:
        record = json_of(path, "the record of a run")
        kind = next((name for name, (is_known, _) in KNOWN.items() if is_known(record)), "JSON files, one a run")
        kinds.setdefault(kind, path)
        if len(kinds) > 1:
            raise InputError(f"{folder} with {' and '.join(f'{one} ({at.name})' for one, at in kinds.items())}",
                             "records of one kind")  # fmt: skip
        if not isinstance(record, Mapping):
            raise InputError(f"{path}, which is no object", "an object of numbers for every run")
        name = str(path.relative_to(folder))[: -len(ending(path))]
        rows.append(KNOWN[kind][1](record, name, str(path)) if kind in KNOWN else {"run": name, **_own(record, path)})
    return of_records(rows, next(iter(kinds)), str(folder))


def _own(record: Mapping[str, object], path: Path) -> dict[str, object]:
    return {key: value for key, value in plain(record, str(path)).items() if key != "run"}
