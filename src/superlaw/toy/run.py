"""Run: one finished training, and its file. One safetensors file, whole or not at all, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.toy.spec import RunSpec

FORMAT = 1
METADATA_KEY = "superlaw"
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
    W : ndarray, shape (n, m)
    b : ndarray, shape (n,)
    provenance : dict
        Versions, engine, device, wall time: nothing that decides the outcome.
    """

    spec: RunSpec
    status: str
    losses: np.ndarray
    W: np.ndarray
    b: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The spec's id, which names the run."""
        return self.spec.id

    @property
    def loss(self) -> float:
        """Reported loss: the mean over the last 100 steps; NaN for a diverged run."""
        return (
            float(np.mean(self.losses[-REPORTED_STEPS:], dtype=np.float64))
            if self.status == "ok"
            else float("nan")
        )

    @property
    def loss_std(self) -> float:
        """Its spread: the standard deviation over the last 100 steps."""
        return (
            float(np.std(self.losses[-REPORTED_STEPS:], dtype=np.float64))
            if self.status == "ok"
            else float("nan")
        )

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
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        header = {
            "format": FORMAT,
            "id": self.id,
            "status": self.status,
            "spec": self.spec.to_dict(arrays="digest"),
            "provenance": self.provenance,
            "checksum": checksum(tensors),
        }
        write_atomically(path, save(tensors, {METADATA_KEY: json.dumps(header, sort_keys=True)}))
        return path


def checksum(tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor, by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype.str}:{tensor.shape}:".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name in the same folder, flush to disk, rename: whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", "a folder that can be written, with space left"
        ) from None


def load_run(path: str | Path) -> Run:
    """Read a run file, checking its checksum.

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
    except FileNotFoundError:
        raise InputError(f"{path}, which does not exist", "a run file", "check the path") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a readable run file") from None
    try:
        header = run_header(content)
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"not a whole run file ({error})") from None
    try:
        if checksum(tensors) != header["checksum"]:
            raise _damaged(path, "its tensors do not match their checksum")
        record = dict(header["spec"])
        if "frequencies" in tensors:
            record["frequencies"] = tensors.pop("frequencies")
        spec = RunSpec.from_dict(record)
        run = Run(spec, header["status"], tensors["losses"], tensors["W"], tensors["b"], header["provenance"])
    except (KeyError, TypeError) as error:
        raise _damaged(path, f"a field is missing or of the wrong kind: {error}") from None
    if spec.id != header["id"]:
        raise _damaged(path, f"its spec has the id {spec.id}, its header {header['id']}")
    if (
        run.status not in STATUSES
        or run.W.shape != (spec.n_features, spec.width)
        or run.b.shape != (spec.n_features,)
    ):
        raise _damaged(path, "its arrays do not fit its spec")
    return run


def run_header(content: bytes) -> dict[str, Any]:
    """Our own metadata in the head of a run file; ValueError or KeyError when there is none."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError("the header is cut short")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    header = json.loads(metadata[METADATA_KEY])
    if header["format"] != FORMAT:
        raise ValueError(f"format {header['format']}, not {FORMAT}")
    return header


def _damaged(path: Path, why: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: {why}", "a whole run file written by superlaw", "train it again or restore a copy"
    )
