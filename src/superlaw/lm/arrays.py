"""Arrays in files that say little of them: NumPy's .npy and .npz, and a matrix at a known place of any file."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.tensors import FLOATS, LARGEST_TENSOR, float_type, open_file, short

CHUNK = 1 << 20


def read_npy(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped and not copied.

    Raises
    ------
    DamagedFileError
        When it is not one whole array of numbers.
    """
    need, do = "a whole .npy file of numbers", "save it again"
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy's parser of headers raises whatever a broken one makes its parts raise
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise DamagedFileError(f"{path}: {reason}", need, do) from None
    if not isinstance(array, np.ndarray):
        raise DamagedFileError(f"{path}, not one array", need, do)
    return array


def read_npz(path: Path) -> dict[str, Callable[[], np.ndarray]]:
    """Arrays of a .npz file by name, each with a reader.

    An array is unpacked into a temporary file, up to the length that the archive states and no further, and mapped
    there: what its own header claims is held against the bytes that came out.

    Raises
    ------
    DamagedFileError
        When it is no archive of arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {name: info for name, info in archive.NameToInfo.items() if name.endswith(".npy")}
    except Exception as error:  # broken archives raise whatever they make their parts raise
        raise _no_archive(path, error) from None
    if not entries:
        raise DamagedFileError(f"{path}, an archive without arrays", "arrays as numpy.savez writes them")
    return {name.removesuffix(".npy"): partial(_unpacked, path, name) for name in entries}


def _unpacked(path: Path, name: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "array.npy"
        try:
            with zipfile.ZipFile(path) as archive, archive.open(name) as packed, copy.open("wb") as file:
                size, free = archive.getinfo(name).file_size, shutil.disk_usage(folder).free
                if size > min(LARGEST_TENSOR, free):
                    got = f"{path}: {short(name)} of {size} bytes"
                    raise InputError(got, f"at most {LARGEST_TENSOR}, and space for it in {folder}", "save it as .npy")
                while chunk := packed.read(CHUNK):  # no more than the size that the archive states
                    file.write(chunk)
        except InputError:
            raise
        except Exception as error:
            raise _no_archive(path, error) from None
        try:
            return read_npy(copy)  # mapped: it stays when its folder goes
        except DamagedFileError as error:
            raise DamagedFileError(
                error.got.replace(str(copy), f"{path}: {short(name)}"), error.need, error.do
            ) from None


def _no_archive(path: Path, error: Exception) -> DamagedFileError:
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return DamagedFileError(f"{path}: {ascii(reason)[1:-1]}", "a whole .npz file of arrays", "save it again")


@dataclass(frozen=True)
class RawMatrix:
    """A matrix that lies in row order at a known place of a file, or of several files read as one.

    Parameters
    ----------
    files : tuple of Path
        Joined in this order.
    dtype : str
        F64, F32, F16 or BF16, little-endian.
    rows, cols : int
    offset : int
        Of its first byte.

    Examples
    --------
    >>> RawMatrix.parse("model.bin:f16:51865:768:233").nbytes
    79664640
    """

    files: tuple[Path, ...]
    dtype: str
    rows: int
    cols: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> RawMatrix:
        """From ``FILE:DTYPE:ROWS:COLS:OFFSET``; FILE may be ``A+B``.

        Raises
        ------
        InputError
            When it is not of that form.
        """
        form, parts = "FILE:DTYPE:ROWS:COLS:OFFSET, as model.bin:f16:51865:768:233", text.rsplit(":", 4)
        numbers = [int(part) for part in parts[2:] if re.fullmatch(r"[0-9]{1,15}", part)]
        if len(numbers) < 3 or not parts[0] or 0 in numbers[:2]:
            raise InputError(f"--raw {short(text)}", form, "several files that follow one another: A+B")
        if (dtype := parts[1].upper()) not in FLOATS:
            raise InputError(f"--raw {short(text)}: the type {short(parts[1])}", f"one of {', '.join(FLOATS)}".lower())
        whole = Path(parts[0])
        files = (whole,) if "+" not in parts[0] or whole.is_file() else tuple(map(Path, parts[0].split("+")))
        return cls(files, dtype, *numbers)

    @property
    def name(self) -> str:
        """The files' names."""
        return "+".join(file.name for file in self.files)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix."""
        return self.rows * self.cols * float_type(self.dtype).itemsize

    def read(self) -> np.ndarray:
        """The matrix, shape (rows, cols): mapped where it lies in one file, else copied together.

        Raises
        ------
        InputError
            When a file is missing, or they end before the matrix does.
        """
        sizes = [_size(file) for file in self.files]
        if self.offset + self.nbytes > sum(sizes):
            need = f"{self.offset + self.nbytes}: {self.nbytes} of the matrix from byte {self.offset} on"
            raise InputError(
                f"--raw: {self.name} of {sum(sizes)} bytes", need, "check the shape, the type and the place"
            )
        spans, at = [], 0  # of each file that holds some of it: where, and how many bytes
        for file, size in zip(self.files, sizes, strict=True):
            begin, end = max(self.offset, at), min(self.offset + self.nbytes, at + size)
            spans += [(file, begin - at, end - begin)] if begin < end else []
            at += size
        shape, dtype = (self.rows, self.cols), float_type(self.dtype)
        if len(spans) == 1:
            return np.memmap(spans[0][0], dtype, "r", spans[0][1], shape)
        parts = [np.memmap(file, np.uint8, "r", start, (count,)) for file, start, count in spans]
        return np.concatenate(parts).view(dtype).reshape(shape)


def _size(path: Path) -> int:
    with open_file(path) as file:
        return os.fstat(file.fileno()).st_size
