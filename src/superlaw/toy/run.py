"""Run: one finished training, and its file. One safetensors file, whole or not at all, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.outputs import write_atomically
from superlaw.toy.spec import RunSpec

FORMAT = 1
METADATA_KEY, DIGEST_KEY = "superlaw", "sha256"  # our header, and its own checksum
STATUSES = ("ok", "diverged", "stopped")
REPORTED_STEPS = 100  # the reported loss is the mean over this many last steps


@dataclass(frozen=True, eq=False)
class Run:
    """One training run: what was asked, what came out, and where it was made.

    Parameters
    ----------
    spec : RunSpec
    status : {"ok", "diverged", "stopped"}
    losses : ndarray, shape (steps done,)
        L of each step: the sum over features, mean over the batch.
    W : ndarray, shape (n, m), or None
    b : ndarray, shape (n,), or None
        None in a run that was stored without its weights.
    provenance : dict
        Versions, engine, device, wall time: nothing that decides the outcome.
    measures : dict, optional
        The numbers of measures.measure, so that a table of runs needs no weights.
    """

    spec: RunSpec
    status: str
    losses: np.ndarray
    W: np.ndarray | None
    b: np.ndarray | None
    provenance: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The spec's id, which names the run."""
        return self.spec.id

    @property
    def loss(self) -> float:
        """Reported loss: the mean over the last 100 steps; NaN for a diverged run."""
        return float(np.mean(self.losses[-REPORTED_STEPS:], dtype=np.float64)) if self.status == "ok" else float("nan")

    @property
    def loss_std(self) -> float:
        """Its spread: the standard deviation over the last 100 steps."""
        return float(np.std(self.losses[-REPORTED_STEPS:], dtype=np.float64)) if self.status == "ok" else float("nan")

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the run to one file: first under a temporary name beside it, then renamed.

        Raises
        ------
        InputError
            When the file exists (unless ``overwrite``) or the folder cannot be written.
        """
        from safetensors.numpy import save

        path = Path(path)
        if path.exists() and not overwrite:
            raise InputError(f"{path}, which exists", "a new file name", "choose another or pass --overwrite")
        tensors = {"W": self.W, "b": self.b, "losses": self.losses}
        if isinstance(self.spec.frequencies, np.ndarray):
            tensors["frequencies"] = self.spec.frequencies
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items() if tensor is not None}
        header = {
            "format": FORMAT,
            "id": self.id,
            "status": self.status,
            "spec": self.spec.to_dict(arrays="digest"),
            "provenance": self.provenance,
            "measures": self.measures,
            "tensors": checksum(tensors),
        }
        text = json.dumps(header, sort_keys=True)
        metadata = {METADATA_KEY: text, DIGEST_KEY: hashlib.sha256(text.encode()).hexdigest()}
        write_atomically(path, save(tensors, metadata))
        return path


def checksum(tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor, by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype.str}:{tensor.shape}:".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def load_run(path: str | Path) -> Run:
    """Read a run file, checking its checksums.

    Raises
    ------
    InputError
        When there is no such file.
    DamagedFileError
        When it is truncated, altered, or not a run of ours; nothing is half-read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    header = _parse_header(path, content, len(content))
    try:
        tensors = load(content)
        if checksum(tensors) != header["tensors"]:
            raise _damaged(path, "its tensors do not match their checksum")
        record = dict(header["spec"])
        if "frequencies" in tensors:
            record["frequencies"] = tensors.pop("frequencies")
        spec = RunSpec.from_dict(record)
        run = Run(
            spec, header["status"], tensors["losses"], tensors.get("W"), tensors.get("b"),
            header["provenance"], header["measures"],
        )  # fmt: skip
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise (
            error if isinstance(error, DamagedFileError) else _damaged(path, f"not a whole run file ({error})")
        ) from None
    if spec.id != header["id"]:
        raise _damaged(path, f"its spec has the id {spec.id}, its header {header['id']}")
    shapes_fit = run.W is None or (run.W.shape == (spec.n_features, spec.width) and run.b.shape == (spec.n_features,))
    if run.status not in STATUSES or not shapes_fit:
        raise _damaged(path, "its arrays do not fit its spec")
    return run


def read_header(path: str | Path) -> dict[str, Any]:
    """The header of a run file (id, status, spec, measures, provenance) without its tensors.

    Its own checksum and the file's length are checked; the tensors' checksum is not (see load_run).
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            content = start + file.read(min(int.from_bytes(start, "little"), size))
    except OSError as error:
        raise _unreadable(path, error) from None
    return _parse_header(path, content, size)


def _parse_header(path: Path, content: bytes, size: int) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")
    if size < 8 or length > size - 8:
        raise _damaged(path, "it is cut short, or not a safetensors file")
    try:
        head = json.loads(content[8 : 8 + length])
        text = head["__metadata__"][METADATA_KEY]
        digest = head["__metadata__"][DIGEST_KEY]
        header = json.loads(text)
        end = max(tensor["data_offsets"][1] for name, tensor in head.items() if name != "__metadata__")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"it has no header of ours ({type(error).__name__}: {error})") from None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise _damaged(path, "its header does not match its checksum")
    if header["format"] != FORMAT:
        raise _damaged(path, f"it has the format {header['format']}, this version reads {FORMAT}")
    if 8 + length + end != size:
        raise _damaged(path, f"it is {size} bytes long, its header says {8 + length + end}")
    return header


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}, which does not exist", "a run file", "check the path")
    return InputError(f"{path}: {error.strerror}", "a readable run file", "check the path")


def _damaged(path: Path, why: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: {why}",
        "a whole run file written by superlaw",
        "move it away (superlaw sweep verify does, in a store) and train again",
    )
