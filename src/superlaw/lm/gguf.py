"""GGUF files: tensors by name, each read alone and its quantised blocks expanded.

A file is (versions 2 and 3, little-endian): "GGUF", its version, how many tensors and keys; each key with the type of
its value and the value; each tensor's name, shape (fastest axis first), type and place; then the tensors, from the next
multiple of the alignment on. Every one of these numbers is a claim: it is held against the bytes that are there before
anything is made of it. The package gguf, whose own reader believes them, is given the bytes of one tensor to expand.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError, MissingExtraError
from superlaw.files.tensors import FLOATS, LARGEST_TENSOR, LONGEST_HEADER, TensorEntry, map_tensor, open_file, short

MAGIC, VERSIONS = b"GGUF", (2, 3)
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
TEXT, ARRAY = 8, 9  # the other types of values
TOKENS, TOKEN_TYPES, UNUSED = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", 5
LISTS = (TOKENS, TOKEN_TYPES)  # arrays that are kept; the others are passed over
AXES = 4  # of a tensor, at most
ALIGNMENT, LARGEST_ALIGNMENT = 32, 1 << 20
ROWS = 4096  # expanded at a time
NEED, DO = "a whole GGUF file", "download it again"


@dataclass(frozen=True)
class GgufHeader:
    """What a file says of itself: its keys (of arrays only the tokens and their types), and its tensors by name.

    A tensor of a type that the package gguf does not know has the type's number for a name and no end.
    """

    keys: dict[str, Any] = field(repr=False)
    tensors: dict[str, TensorEntry]

    @property
    def config(self) -> dict[str, Any] | None:
        """The model's sizes in the words of a config.json; None where the file says none."""
        kind = self.keys.get("general.architecture")
        words = {"hidden_size": "embedding_length", "vocab_size": "vocab_size", "num_hidden_layers": "block_count"}
        found = {word: self.keys.get(f"{kind}.{name}") for word, name in words.items()}
        found = {word: value for word, value in found.items() if type(value) is int}
        return {"model_type": kind, **found} if found else None

    @property
    def tokenizer(self) -> dict[str, Any] | None:
        """The tokens in the words of a tokenizer.json; without those that only fill up the rows ([PAD123])."""
        tokens, types = self.keys.get(TOKENS), self.keys.get(TOKEN_TYPES)
        if not isinstance(tokens, list):
            return None
        unused = (
            types == UNUSED if isinstance(types, np.ndarray) and len(types) == len(tokens) else [True] * len(tokens)
        )
        named = {text: i for i, text in enumerate(tokens) if not (unused[i] and text == f"[PAD{i}]")}
        return {"model": {"vocab": named}}


class _Bytes:
    """The first bytes of a file, read from front to back; what it says is the file's word, and never believed."""

    def __init__(self, content: bytes, size: int, where: str):
        self.content, self.size, self.where, self.at = content, size, where, 0

    def step(self, count: int) -> int:
        """Where the next ``count`` bytes begin; past them."""
        start = self.at
        if count > len(self.content) - start:
            cut = self.size == len(self.content)
            raise damaged(self.where, "it ends within its header" if cut else
                          f"its header goes on beyond the {LONGEST_HEADER} bytes that are read")  # fmt: skip
        self.at += count
        return start

    def number(self, kind: str) -> Any:
        return struct.unpack_from(kind, self.content, self.step(struct.calcsize(kind)))[0]

    def text(self) -> str:
        count = self.number("<Q")
        start = self.step(count)
        return self.content[start : start + count].decode("utf-8", "replace")

    def count(self, least: int, what: str) -> int:
        """A count of things of at least so many bytes each: no more than there is room for."""
        found = self.number("<Q")
        if found * least > self.size - self.at:
            raise damaged(self.where, f"it claims {found} {what} in {self.size} bytes")
        return found

    def value(self, kind: int, keep: bool) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == TEXT:
            return self.text()
        if kind != ARRAY:
            raise damaged(self.where, f"a value has the unknown type {kind}")
        of = self.number("<I")
        if of in SCALARS:
            size = struct.calcsize(SCALARS[of])
            count = self.count(size, "numbers")
            start = self.step(count * size)
            return np.frombuffer(self.content, SCALARS[of].replace("?", "B"), count, start) if keep else None
        if of != TEXT:
            raise damaged(self.where, f"an array has values of the unknown type {of}")
        count = self.count(8, "texts")
        if keep:
            return [self.text() for _ in range(count)]
        for _ in range(count):
            self.step(self.number("<Q"))
        return None


def read_gguf_header(path: Path) -> GgufHeader:
    """The header of a file, checked; no tensor is read.

    Raises
    ------
    DamagedFileError
        When the header lies or the file is cut short.
    MissingExtraError
        Without the package gguf, which knows the sizes of quantised blocks.
    """
    try:
        from gguf.constants import GGML_QUANT_SIZES
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "lm") from None
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, LONGEST_HEADER))
    blocks = {int(kind): (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
    return parse_gguf_header(content, size, str(path), blocks)


def parse_gguf_header(content: bytes, size: int, where: str, blocks: dict[int, tuple[str, int, int]]) -> GgufHeader:
    """A header, every claim of it checked against the file's length and the other claims.

    Parameters
    ----------
    content : bytes
        The first bytes of the file.
    size : int
        Bytes of the whole file.
    where : str
        The file's name, for messages.
    blocks : dict
        By number of a type: its name, the elements of a block and the bytes of a block.

    Examples
    --------
    >>> text = lambda name: struct.pack("<Q", len(name)) + name
    >>> made = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text(b"W") + struct.pack("<IQQIQ", 2, 2, 3, 0, 0)
    >>> made += bytes(-len(made) % 32) + bytes(24)
    >>> parse_gguf_header(made, len(made), "a.gguf", {0: ("F32", 1, 4)}).tensors["W"].shape
    (3, 2)
    """
    source = _Bytes(content, size, where)
    if content[:4] != MAGIC:
        raise damaged(where, "it does not begin with GGUF")
    source.step(4)
    version = source.number("<I")
    if version not in VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS
        what = "big-endian numbers" if swapped else f"version {version}"
        raise InputError(f"{where}, GGUF of {what}", "version 2 or 3, little-endian", "convert it with llama.cpp")
    n_tensors, n_keys = source.count(24, "tensors"), source.count(13, "keys")
    keys: dict[str, Any] = {}
    for _ in range(n_keys):
        name = source.text()
        if name in keys:
            raise damaged(where, f"the key {short(name)} stands there twice")
        keys[name] = source.value(source.number("<I"), name in LISTS)
    alignment = keys.get("general.alignment", ALIGNMENT)
    if type(alignment) is not int or not 0 < alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1):
        raise damaged(where, f"an alignment of {short(alignment)}, no power of two")
    found = [_tensor(source, blocks, alignment) for _ in range(n_tensors)]
    data = source.at + -source.at % alignment
    tensors: dict[str, TensorEntry] = {}
    for entry in found:
        if entry.name in tensors:
            raise damaged(where, f"the tensor {short(entry.name)} stands there twice")
        tensors[entry.name] = TensorEntry(entry.name, entry.dtype, entry.shape, data + entry.start, data + entry.stop)
    _check_places(tensors, data, size, where)
    return GgufHeader(keys, tensors)


def _tensor(source: _Bytes, blocks: dict[int, tuple[str, int, int]], alignment: int) -> TensorEntry:
    """One tensor as the header states it, its place counted from the first tensor."""
    name, axes = source.text(), source.number("<I")
    what = f"the tensor {short(name)}"
    if not 1 <= axes <= AXES:
        raise damaged(source.where, f"{what} has {axes} axes")
    shape = tuple(source.number("<Q") for _ in range(axes))[::-1]
    kind, start = source.number("<I"), source.number("<Q")
    if start % alignment:
        raise damaged(source.where, f"{what} begins at {start}, no multiple of {alignment}")
    if kind not in blocks:
        return TensorEntry(name, f"type {kind}", shape, start, start)
    dtype, elements, size = blocks[kind]
    if shape[-1] % elements:
        raise damaged(source.where, f"{what} has rows of {shape[-1]}, no multiple of the {elements} of {dtype}")
    return TensorEntry(name, dtype, shape, start, start + prod(shape) // elements * size)


def _check_places(tensors: dict[str, TensorEntry], data: int, size: int, where: str) -> None:
    """Each tensor within the file, none over another."""
    end = data
    for entry in sorted(tensors.values(), key=lambda entry: (entry.start, entry.stop)):
        if entry.start < end:
            raise damaged(where, f"the tensor {short(entry.name)} lies over another")
        if entry.stop > size:
            raise damaged(where, f"it is {size} bytes long, its tensor {short(entry.name)} ends at {entry.stop}")
        end = entry.stop


def expand_tensor(path: Path, entry: TensorEntry) -> np.ndarray:
    """One tensor: mapped where its numbers lie in the file as they are, else its blocks expanded into float32.

    Raises
    ------
    InputError
        For a type of integers or one that the package gguf cannot expand, and for a tensor beyond 17 GB.
    """
    what = f"{path}: {short(entry.name)} of type {entry.dtype}"
    if not prod(entry.shape):
        raise InputError(f"{what} and shape {entry.shape}", "a tensor with numbers in it")
    if entry.dtype in FLOATS:
        return map_tensor(path, entry)
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    rows, count = prod(entry.shape[:-1]), entry.shape[-1]
    if 4 * rows * count > LARGEST_TENSOR:
        raise InputError(f"{what} and shape {entry.shape}", f"at most {LARGEST_TENSOR} bytes of float32")
    try:
        kind = GGMLQuantizationType[entry.dtype]
        elements, size = GGML_QUANT_SIZES[kind]
        dequantize(np.zeros((1, size), np.uint8), kind)
    except (KeyError, NotImplementedError):
        raise InputError(what, "a type of numbers that the package gguf can expand", "pip install -U gguf") from None
    W = np.empty((rows, count), np.float32)
    packed = np.memmap(path, np.uint8, "r", entry.start, (rows, count // elements * size))
    with np.errstate(all="ignore"):  # scales may be anything; what becomes NaN is found when rows are measured
        for i in range(0, rows, ROWS):
            W[i : i + ROWS] = dequantize(np.array(packed[i : i + ROWS]), kind)
    return W.reshape(entry.shape)


def open_gguf(path: Path) -> tuple[GgufHeader, dict[str, partial[np.ndarray]]]:
    """The header of a file and a reader of each tensor; of all parts, where the file is one of several.

    Raises
    ------
    InputError
        When a part is missing beside the others.
    """
    header = read_gguf_header(path)
    readers = {name: partial(expand_tensor, path, entry) for name, entry in header.tensors.items()}
    parts = header.keys.get("split.count", 1)
    if type(parts) is not int or parts < 2:
        return header, readers
    ending = f"-of-{parts:05d}.gguf"
    if not path.name.lower().endswith(ending):
        need = f"its name to end in {ending}, so that the others are found"
        raise InputError(f"{path}, one of {parts} parts", need)
    stem, ending = path.name[: -len(ending) - 5], path.name[-len(ending) :]  # in capitals, as it is written
    first = header
    for i in range(1, parts + 1):
        other = path.with_name(f"{stem}{i:05d}{ending}")
        if not other.is_file():
            raise InputError(f"{path}, one of {parts} parts, without {other.name}", "all parts beside each other", DO)
        part = read_gguf_header(other)
        first = part if i == 1 else first  # the part that has the model's sizes and tokens
        readers |= {name: partial(expand_tensor, other, entry) for name, entry in part.tensors.items()}
    return first, readers


def damaged(where: str, why: str) -> DamagedFileError:
    """The error for a file whose header cannot be believed."""
    return DamagedFileError(f"{where}: {why}", NEED, DO)
