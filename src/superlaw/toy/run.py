"""Run: one finished training, and its file. One safetensors file, whole or not at all, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.notebook import facts_html
from superlaw.files.numbers import with_error
from superlaw.files.outputs import write_atomically
from superlaw.files.records import json_ready, parse_json
from superlaw.files.tensors import PREFIX, TensorHeader, header_length, open_file, parse_header
from superlaw.toy.fields import check_known, checked_field
from superlaw.toy.spec import DEFAULTS, RunSpec

NEED = "a whole run file written by superlaw"
DO = "move it away (superlaw sweep verify does, in a store) and train again"
FORMAT = 1
METADATA_KEY, DIGEST_KEY = "superlaw", "sha256"  # our header, and its own checksum
STATUSES = ("ok", "diverged", "stopped")
MOST_FEATURES = 10**7  # of a run stored without its weights, whose number nothing else in the file bears out
REPORTED_STEPS = 100  # the reported loss is the mean over this many last steps


@dataclass(frozen=True, eq=False)
class Run:
    """One training run: what was asked, what came out, and where it was made.

    Parameters
    ----------
    spec : RunSpec
    status : {"ok", "diverged", "stopped"}
    losses : ndarray, shape (steps done,)
        L of each step: the sum over features, mean over the batch; with cross-entropy nats, mean over its samples
        that have an active feature.
    W : ndarray, shape (n, m), or None
    b : ndarray, shape (n,), or None
        None in a run that was stored without its weights.
    provenance : dict
        Versions, engine, device, wall time: nothing that decides the outcome.
    measures : dict, optional
        The numbers of measures.measure_run, so that a table of runs needs no weights.
    encoder : ndarray, shape (n, m), optional
        V of an untied model, h = V^T x; W is the decoder.
    """

    spec: RunSpec
    status: str
    losses: np.ndarray
    W: np.ndarray | None
    b: np.ndarray | None
    provenance: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] | None = None
    encoder: np.ndarray | None = None

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

    def __repr__(self) -> str:
        return f"Run({self.id}: {self._model}, {self._training}, {self._end})"

    def _repr_html_(self) -> str:
        found = self.measures or {}
        facts = [("model", self._model), ("training", self._training), ("end", self._end)]
        if found.get("represented") is not None:
            facts.append(("represented", f"{found['represented']:g} of {self.spec.n_features} features (norm > 1/2), "
                                         f"{found['strong']:g} strongly (> 1)"))  # fmt: skip
        if found.get("mean_square_overlap") is not None:
            facts.append(("overlap²", f"{found['mean_square_overlap']:.3g}, 1/m = {1 / self.spec.width:.3g}"))
        return facts_html(f"Run {self.id}", facts)

    @property
    def _model(self) -> str:
        spec = self.spec
        return f"n = {spec.n_features}, m = {spec.width}, {spec.frequencies_name} frequencies"

    @property
    def _training(self) -> str:
        spec = self.spec
        return f"gamma = {spec.weight_decay:g}, {len(self.losses)} steps of {spec.batch}, seed {spec.seed}"

    @property
    def _end(self) -> str:
        return f"loss {with_error(self.loss, self.loss_std)}" if self.status == "ok" else self.status

    def plot(self, axes: Any = None) -> Any:
        """Draw its loss along training and the norms of its rows with matplotlib: see :func:`superlaw.plot_run`."""
        import superlaw

        return superlaw.plot_run(self, axes)

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
        tensors = {"W": self.W, "b": self.b, "encoder": self.encoder, "losses": self.losses}
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
        text = json.dumps(json_ready(header), sort_keys=True)
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
    from safetensors.numpy import load

    with open_file(path) as file:
        content = file.read()
    header = _parse(path, content, len(content))
    tensors = load(content)
    if checksum(tensors) != header["tensors"]:
        raise _damaged(path, "its tensors do not match their checksum")
    record = dict(header["spec"])
    if "frequencies" in tensors:
        record["frequencies"] = tensors["frequencies"]
    try:
        spec = RunSpec.from_dict(record)
    except InputError as error:
        raise _damaged(path, f"its spec: {error.got}") from None
    if spec.id != header["id"]:
        raise _damaged(path, f"its spec has the id {spec.id}, its header {header['id']}")
    return Run(
        spec, header["status"], tensors["losses"], tensors.get("W"), tensors.get("b"),
        header["provenance"], header["measures"], tensors.get("encoder"),
    )  # fmt: skip


def read_header(path: str | Path) -> dict[str, Any]:
    """The header of a run file (id, status, spec, measures, provenance) without its tensors.

    Its own checksum, the types of all it states and the file's length are checked, so that one bad file stops
    nobody; the tensors' checksum and the spec's id are not (see load_run).
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(PREFIX)
        return _parse(path, start + file.read(header_length(start, size, str(path))), size)


def _parse(path: str | Path, content: bytes, size: int) -> dict[str, Any]:
    """Our header within the file's own, every type and shape in both checked."""
    try:
        length = header_length(content, size, str(path))
        whole = parse_header(content[PREFIX : PREFIX + length], size, str(path))
    except DamagedFileError as error:
        raise DamagedFileError(error.got, NEED, DO) from None
    text, digest = (whole.metadata.get(key) for key in (METADATA_KEY, DIGEST_KEY))
    if text is None or digest is None:
        raise _damaged(path, "it has no header of ours")
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise _damaged(path, "its header does not match its checksum")
    header = parse_json(text, f"the header of {path}", NEED, DO, DamagedFileError)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _damaged(path, f"it is not of the format {FORMAT}, which this version reads")
    for key, fits in _FIELDS.items():
        if key not in header or not fits(header[key]):
            raise _damaged(path, f"its header has no {key} as a run has")
    _check_spec(path, header["spec"], whole)
    return header


def _numbers(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "loss" in value
        and all(type(number) in (int, float, NoneType) for number in value.values())
    )


def _flat(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(one, dict | list) for one in value.values())


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, str),
    "status": lambda value: value in STATUSES,
    "spec": lambda value: isinstance(value, dict),
    "provenance": _flat,
    "measures": lambda value: value is None or _numbers(value),
    "tensors": lambda value: isinstance(value, str),
}


def _check_spec(path: str | Path, spec: dict[str, Any], whole: TensorHeader) -> None:
    """The spec's values by field, and that the arrays have its shapes: nothing is made from its numbers before."""
    shapes = {name: entry.shape for name, entry in whole.tensors.items()}
    explicit = not isinstance(spec.get("frequencies", ""), str)
    try:
        check_known(spec, DEFAULTS)
        n, m = (checked_field(name, spec.get(name)) for name in ("n_features", "width"))
        for name, value in spec.items():
            if name != "frequencies":
                checked_field(name, value)
    except InputError as error:
        raise _damaged(path, f"its spec: {error.got}") from None
    expected = {
        "W": (n, m),
        "b": (n,),
        "encoder": (n, m),
        "frequencies": (n,),
        "losses": shapes.get("losses", (0,))[:1],
    }
    real = all(entry.dtype in ("F32", "F64") for entry in whole.tensors.values())
    fits = all(shape == expected.get(name) for name, shape in shapes.items())
    lone = ("encoder" in shapes) != ("W" in shapes and not spec.get("tied", True))
    if not real or not fits or lone or "losses" not in shapes or explicit != ("frequencies" in shapes):
        raise _damaged(path, "its arrays do not fit its spec")
    if len(shapes) == 1 and n > MOST_FEATURES:
        raise _damaged(path, f"it claims {n} features and holds none of them")


def _damaged(path: str | Path, why: str) -> DamagedFileError:
    return DamagedFileError(f"{path}: {why}", NEED, DO)
