"""TensorBoard's event files, through its own reader: scalars and hyperparameters; every folder of them is a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from superlaw.errors import InputError, MissingExtraError
from superlaw.laws.sources.histories import LOGGED, History
from superlaw.laws.sources.source import MOST_BYTES, frame_of

MARK = "tfevents"  # in the name of every event file
LENGTH, FRAME = 8, 16  # bytes of a record's length, and of all that stands around it
HPARAMS = "hparams"
STEP = "step"


def read_events(paths: Sequence[Path], folder: Path) -> tuple[list[History], list[str]]:
    """The runs of some event files, and what to say of them: files that end within a record."""
    files_of: dict[Path, list[Path]] = {}
    for path in sorted(paths):
        files_of.setdefault(path.parent, []).append(path)
    runs: dict[Path, History] = {}
    notes = []
    for home, files in files_of.items():
        scalars: dict[int, dict[str, float]] = {}
        facts: dict[str, Any] = {}
        for path in files:
            if not _read(path, scalars, facts):
                notes.append(f"{path} ends within a record: read up to there")
        rows, _ = frame_of([{STEP: step} | scalars[step] for step in sorted(scalars)], str(home))
        name = str(home.relative_to(folder)) if home != folder else home.resolve().name
        runs[home] = History(name, rows, STEP if len(rows) else None, facts)
    return _with_hyperparameters(runs), notes


def _with_hyperparameters(runs: dict[Path, History]) -> list[History]:
    """PyTorch writes a run's hyperparameters into a folder of their own in the run's: they are the run's."""
    out = dict(runs)
    for home, run in runs.items():
        inner = [path for path, other in runs.items() if path.parent == home and other.facts]
        if not run.facts and len(inner) == 1:
            child = out.pop(inner[0])
            last = child.rows.drop(columns=STEP).iloc[-1].dropna().to_dict() if len(child.rows) else {}
            out[home] = replace(run, facts={**child.facts, **last})
    return list(out.values())


def _read(path: Path, scalars: dict[int, dict[str, float]], facts: dict[str, Any]) -> bool:
    """Add what a file holds; whether it was whole. What is logged again at a step takes the place of the first."""
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.compat.proto import event_pb2
    except ImportError:
        raise MissingExtraError(f"reading {path}", "tables") from None

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} of {size} bytes", f"at most {MOST_BYTES}")
    used = 0
    for record in islice(RawEventFileLoader(str(path)).Load(), _whole_records(path, size)):
        used += len(record) + FRAME
        try:
            event = event_pb2.Event.FromString(record)  # type: ignore[attr-defined]
        except DecodeError as error:
            raise InputError(f"{path}, whose records are no events ({error})", "an event file of TensorBoard") from None
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == HPARAMS:
                facts |= _hyperparameters(value.metadata.plugin_data.content, path)
            elif (number := _scalar(value)) is not None:
                tag = value.tag + LOGGED if value.tag == STEP else value.tag
                scalars.setdefault(int(event.step), {})[tag] = number
    if not used and size:
        raise InputError(f"{path}, which holds no whole record", "an event file of TensorBoard", "copy it again")
    return used == size


def _whole_records(path: Path, size: int) -> int:
    """How many records there are before one that would pass the end of the file, which the reader would try to hold."""
    count, at = 0, 0
    with path.open("rb") as file:
        while at + FRAME <= size:
            file.seek(at)
            at += int.from_bytes(file.read(LENGTH), "little") + FRAME
            count += at <= size
    return count


def _scalar(value: Any) -> float | None:
    """The number of a value, written as such or as a tensor of one."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or any(dim.size != 1 for dim in value.tensor.tensor_shape.dim):
        return None  # a histogram, a picture, a text
    from tensorboard.util import tensor_util

    try:
        array = tensor_util.make_ndarray(value.tensor)
    except (KeyError, TypeError, ValueError):  # of a type that is none
        return None
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "iuf" else None


def _hyperparameters(content: bytes, path: Path) -> dict[str, Any]:
    """Numbers, texts and truth values of the hparams plugin."""
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData  # type: ignore[attr-defined]

    try:
        started = HParamsPluginData.FromString(content).session_start_info
    except DecodeError as error:
        raise InputError(f"{path}, whose hyperparameters cannot be read ({error})", "an event file") from None
    kinds = ("number_value", "string_value", "bool_value")
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in started.hparams.items()
            if value.WhichOneof("kind") in kinds}  # fmt: skip
