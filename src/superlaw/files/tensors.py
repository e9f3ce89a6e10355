"""The header of a safetensors file, checked in full before one byte of a tensor is believed.

A file is: 8 bytes (little-endian length L), L bytes of JSON (name -> dtype, shape, data_offsets; and
``__metadata__``), then the tensors one after another without holes. Reading only the header lets one
tensor of a large checkpoint be read alone, from a disk or through a ranged request, and a run's numbers
without its weights.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.records import parse_json

NEED, DO = "a whole safetensors file", "download or save it again"
PREFIX = 8  # bytes before the JSON
# The format allows 100 MB. 24 are the names of 200,000 tensors, and parse in less than 1 GB whatever they hold.
LONGEST_HEADER = 24_000_000
LARGEST_TENSOR = 1 << 34  # bytes that a tensor may take on another's word; the largest heads have 10 GB
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32,
    "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16"}  # types whose tensors are read


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as the header states it; ``start`` and ``stop`` count from the first byte of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class TensorHeader:
    """All tensors of a file by name, and the texts that were stored with them."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]


def header_length(prefix: bytes, size: int | None, where: str) -> int:
    """Length of the JSON from the first 8 bytes of a file of ``size`` bytes (None: not known).

    Examples
    --------
    >>> header_length(bytes([2, 0, 0, 0, 0, 0, 0, 0]), 10, "a.safetensors")
    2
    """
    if len(prefix) < PREFIX:
        raise damaged(where, f"it is {len(prefix)} bytes long")
    length = int.from_bytes(prefix[:PREFIX], "little")
    if length > LONGEST_HEADER:
        raise damaged(where, f"its header claims {length} bytes, more than the {LONGEST_HEADER} that are read")
    if size is not None and length > size - PREFIX:
        raise damaged(where, f"its header claims {length} bytes in a file of {size}")
    return length


def parse_header(content: bytes, size: int | None, where: str) -> TensorHeader:
    """A header, every claim of it checked against the others and the file's length.

    Parameters
    ----------
    content : bytes
        The JSON, without the 8 bytes before it.
    size : int or None
        Bytes of the whole file; None when it is not known.
    where : str
        The file's name, for messages.

    Raises
    ------
    DamagedFileError
        When the header is no JSON object, repeats a name, or states a type, shape or place that cannot be.

    Examples
    --------
    >>> text = b'{"w": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}}'
    >>> parse_header(text, 8 + len(text) + 8, "a.safetensors").tensors["w"].shape
    (2, 1)
    """
    record = parse_json(content, f"the header of {where}", NEED, DO, DamagedFileError)
    if not isinstance(record, dict):
        raise damaged(where, "its header is not a JSON object")
    metadata = record.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise damaged(where, "its __metadata__ is not an object of texts")
    entries = [_entry(name, value, PREFIX + len(content), where) for name, value in record.items()]
    place = PREFIX + len(content)
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.stop)):
        if entry.start != place:
            raise damaged(where, f"the tensor {short(entry.name)} leaves a hole or overlaps another")
        place = entry.stop
    if size is not None and place != size:
        raise damaged(where, f"it is {size} bytes long, its header says {place}")
    return TensorHeader({entry.name: entry for entry in entries}, metadata)


def read_tensor_header(path: str | Path) -> TensorHeader:
    """A file's header, checked; no tensor is read.

    Raises
    ------
    InputError
        When there is no such file.
    DamagedFileError
        When the header lies, the file is cut short, or a folder or a dangling link has its name.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = header_length(file.read(PREFIX), size, str(path))
        return parse_header(file.read(length), size, str(path))


def open_file(path: str | Path) -> BinaryIO:
    """Open a file of tensors: a file and nothing else, as a pipe would be waited for."""
    path = Path(path)
    need, do = "a readable file of tensors", "check the path"
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        if path.is_symlink():
            raise damaged(str(path), "a link to nothing") from None
        raise InputError(f"{path}, which does not exist", need, do) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"{short(str(path))} ({error})", need, do) from None
    if not regular:
        raise damaged(str(path), "it is no file")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", need, do) from None


def numpy_dtype(entry: TensorEntry, where: str) -> np.dtype:
    """The NumPy type of a tensor of floating-point numbers; others are refused."""
    if entry.dtype not in FLOATS:
        raise InputError(
            f"{where}: {short(entry.name)} of type {entry.dtype}", f"one of {', '.join(FLOATS)}",
            "quantised weights must be expanded first",
        )  # fmt: skip
    return float_type(entry.dtype)


def float_type(name: str) -> np.dtype:
    """The NumPy type of one of ``FLOATS``.

    Examples
    --------
    >>> float_type("BF16").itemsize
    2
    """
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16 if name == "BF16" else FLOATS[name])


def map_tensor(path: str | Path, entry: TensorEntry) -> np.ndarray:
    """A tensor as it lies in the file, mapped and not copied."""
    dtype = numpy_dtype(entry, str(path))
    if entry.start == entry.stop:
        return np.empty(entry.shape, dtype)
    return np.memmap(path, dtype, "r", entry.start, entry.shape)


def damaged(where: str, why: str) -> DamagedFileError:
    """The error for a file whose header cannot be believed."""
    return DamagedFileError(f"{where}: {why}", NEED, DO)


def short(name: Any) -> str:
    """A name fit for one line of a message, whatever a file claims it to be."""
    text = ascii(name)
    return text if len(text) <= 80 else f"{text[:76]}...'"


def _entry(name: str, value: Any, data: int, where: str) -> TensorEntry:
    if not isinstance(value, dict):
        raise damaged(where, f"the tensor {short(name)} is described by no object")
    dtype, shape, offsets = value.get("dtype"), value.get("shape"), value.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in BITS:
        raise damaged(where, f"the tensor {short(name)} has the unknown type {short(dtype)}")
    if not _whole_numbers(shape):
        raise damaged(where, f"the tensor {short(name)} has no shape of whole numbers")
    if not _whole_numbers(offsets) or len(offsets) != 2 or offsets[1] < offsets[0]:
        raise damaged(where, f"the tensor {short(name)} has no place of two increasing offsets")
    count = offsets[1] - offsets[0]
    if count * 8 != prod(shape) * BITS[dtype]:
        raise damaged(where, f"the tensor {short(name)} has {count} bytes, which do not fit its shape")
    return TensorEntry(name, dtype, tuple(shape), data + offsets[0], data + offsets[1])


def _whole_numbers(values: Any) -> TypeGuard[list[int]]:
    # Beyond 2^63 no file can hold it, and products of such numbers would only cost time.
    return (
        isinstance(values, list)
        and len(values) <= 64
        and all(type(value) is int and 0 <= value < 2**63 for value in values)
    )
