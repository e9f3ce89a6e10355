"""How often each feature is active: the families of docs/science.md#data-model-and-loss, and real counts.

Families give ``frequencies`` p_i, decreasing in rank i, with sum 1; :func:`scale_density` then sets
the activation density E = sum p_i.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest
from superlaw.files.counts import read_numbers

FAMILIES = ("power", "exponential", "linear")


@lru_cache(maxsize=64)
def family_frequencies(family: str, n_features: int, data_exponent: float, decay_length: float) -> np.ndarray:
    """Frequencies of a named family, with sum 1.

    Parameters
    ----------
    family : {"power", "exponential", "linear"}
        p_i proportional to i^-alpha (i from 1), exp(-i / decay_length) (i from 0) or n - i (i from 0).
    n_features : int
        n.
    data_exponent : float
        alpha, of the power family.
    decay_length : float
        In ranks, of the exponential family.

    Returns
    -------
    ndarray, shape (n_features,)

    Examples
    --------
    >>> family_frequencies("linear", 3, 1.0, 400.0)
    array([0.5       , 0.33333333, 0.16666667])
    """
    rank = np.arange(1, n_features + 1, dtype=np.float64)  # (n,)
    if family == "power":
        log_weight = -data_exponent * np.log(rank)
    elif family == "exponential":
        with np.errstate(over="ignore"):  # a tiny decay length leaves the first feature alone
            log_weight = -(rank - 1) / decay_length
    else:
        log_weight = np.log(n_features - (rank - 1))
    weight = np.exp(log_weight - log_weight.max())  # the largest is 1: nothing overflows
    p = weight / weight.sum()
    p.flags.writeable = False  # shared by every spec that asks for the same
    return p


def check_frequencies(values: np.ndarray, name: str = "frequencies") -> np.ndarray:
    """The values as float64, shape (n,); InputError unless all are finite and within 0 and 1."""
    try:
        p = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} that are not a list of numbers", "an array of numbers") from None
    if p.ndim != 1 or p.size == 0:
        raise InputError(f"{name} of shape {p.shape}", "a one-dimensional array with at least one feature")
    for problem, wrong in (
        ("not finite", ~np.isfinite(p)),
        ("negative", p < 0),
        ("above 1", p > 1),
    ):
        if wrong.any():
            i = int(np.argmax(wrong))
            raise InputError(
                f"{name} {problem}: {p[i]:g} at position {i + 1} of {p.size}",
                "probabilities from 0 to 1",
                "lower the activation density or allow clipping" if problem == "above 1" else "mend that value",
            )
    if not p.any():
        raise InputError(f"{name} that are all 0", "at least one feature that can be active")
    return p


def scale_density(frequencies: np.ndarray, activation_density: float, clip: bool = False) -> np.ndarray:
    """Frequencies scaled so that their sum is ``activation_density``.

    Raises InputError when a probability would exceed 1, unless ``clip`` allows cutting it to 1 (the
    sum is then smaller than asked). An excess of a few units in the last place is rounding, and is cut.

    Examples
    --------
    >>> scale_density(np.array([0.75, 0.25]), 1.2)
    array([0.9, 0.3])
    >>> scale_density(np.array([0.75, 0.25]), 2.0, clip=True)
    array([1. , 0.5])
    """
    p = frequencies * (activation_density / frequencies.sum())
    above = p > 1 + 4 * np.finfo(np.float64).eps
    if above.any() and not clip:
        limit = frequencies.sum() / frequencies.max()
        raise InputError(
            f"activation density {activation_density:g}, which makes {above.sum()} of {p.size} probabilities "
            f"exceed 1 (the largest {p.max():.4g})",
            f"a density of at most {limit:.6g}",
            "lower it, or allow clipping (--clip, clip=True)",
        )
    return np.minimum(p, 1.0)


@dataclass(frozen=True, eq=False)
class NamedFrequencies:
    """Frequencies under a name, so that they can stand on an axis of a plan.

    Parameters
    ----------
    name : str
    values : array, mapping or path
        What :func:`frequencies_of` takes: counts, probabilities, a corpus.

    Examples
    --------
    >>> wiki = NamedFrequencies("wiki", {"the": 6, "of": 3, "a": 3})
    >>> str(wiki), wiki == NamedFrequencies("wiki", [6, 3, 3])
    ('wiki', True)
    """

    name: str
    values: Any

    def __post_init__(self):
        object.__setattr__(self, "values", frequencies_of(self.values))

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedFrequencies) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, bytes]:
        return self.name, self.values.tobytes()


def frequencies_of(given: Any, n_features: int | None = None) -> np.ndarray:
    """Frequencies from counts or probabilities, a mapping of words or tokens to either, or the file of a corpus.

    Parameters
    ----------
    given : array, list, mapping, NamedFrequencies, or path
        Whole numbers of which one is above 1 are counts, and divided by their sum. A CSV or JSON file as
        :func:`read_frequencies` reads; the words of any other are counted.
    n_features : int, optional
        Of a mapping or a file: keep that many, the most frequent first.

    Returns
    -------
    ndarray, shape (n,)
        Decreasing for mappings and files; in the order given for arrays.

    Examples
    --------
    >>> frequencies_of({"the": 6, "of": 1, "a": 3})
    array([0.6, 0.3, 0.1])
    >>> frequencies_of([0.5, 0.25])
    array([0.5 , 0.25])
    """
    if isinstance(given, NamedFrequencies):
        return given.values if n_features is None else _most_frequent(given.values, n_features, given.name, "values")
    if isinstance(given, str | Path):
        return _of_file(Path(given), n_features)
    named = isinstance(given, Mapping)
    try:
        values = np.asarray(list(given.values()) if named else given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("frequencies that are not a list of numbers", "counts or probabilities") from None
    if named:
        values = _most_frequent(values, n_features, "the mapping", "entries")
    with np.errstate(invalid="ignore"):
        counts = values.ndim == 1 and values.size and np.isfinite(values).all() and (values >= 0).all()
        whole = counts and (values == np.round(values)).all() and values.max() > 1
    return frequencies_from_counts(values) if whole else check_frequencies(values)


def _of_file(path: Path, n_features: int | None) -> np.ndarray:
    try:
        state = path.stat()
    except OSError as error:
        gone = isinstance(error, FileNotFoundError)
        raise InputError(f"frequencies = {str(path)!r}{', which does not exist' if gone else f': {error.strerror}'}",
                         f"one of {', '.join(FAMILIES)}, numbers, or a file of them",
                         closest(str(path), FAMILIES) or "check the path") from None  # fmt: skip
    return _of_unchanged(path.resolve(), n_features, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _of_unchanged(path: Path, n_features: int | None, *state: int) -> np.ndarray:
    """Of a file, read once for all runs of a plan while it stays as it is."""
    read = read_frequencies if path.suffix.lower() in (".csv", ".tsv", ".json") else read_text
    return read(path, n_features)


def words_in(text: str) -> Counter[str]:
    """Words of a text, lower case, counted.

    Examples
    --------
    >>> words_in("The cat, the hat.").most_common(1)
    [('the', 2)]
    """
    return Counter(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower()))


def read_text(path: str | Path, n_features: int | None = None) -> np.ndarray:
    """Frequencies of the ``n_features`` most frequent words of a text file (all when None), sum 1.

    Returns
    -------
    ndarray, shape (n_features,)
        Decreasing.
    """
    path = Path(path)
    counts = words_in(_read(path))
    if len(counts) < 2:
        raise InputError(f"{path}, which holds {'one word' if counts else 'no words'}", "a text of two words or more")
    most = _most_frequent(np.array(list(counts.values()), dtype=np.float64), n_features, f"{path}", "words")
    return frequencies_from_counts(most)


def read_frequencies(path: str | Path, n_features: int | None = None) -> np.ndarray:
    """Frequencies from a CSV or JSON file of counts or of probabilities.

    JSON: a list of numbers, or an object of names and numbers, either at the top or under ``counts`` or
    ``probabilities``, which then says what they are. CSV: the last column; a first line that is not a
    number is a heading. Otherwise whole numbers are counts and are divided by their sum; anything else is
    a probability, kept as it is.

    Parameters
    ----------
    path : path
    n_features : int, optional
        Keep that many, the most frequent first; all when None.

    Returns
    -------
    ndarray, shape (n_features,)
        Decreasing.
    """
    path = Path(path)
    kind = None
    if path.suffix.lower() == ".json":
        _, p, kind = read_numbers(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        p = np.array(_csv_numbers(path, _read(path)))
    else:
        raise InputError(f"{path}", "a .csv or .json file of counts or probabilities", "use --text FILE for prose")
    if len(p) < 2:
        raise InputError(f"{path}, which holds {'one number' if len(p) else 'no numbers'}", "two or more features")
    whole = np.isfinite(p).all() and (p >= 0).all() and (p == np.round(p)).all()
    if kind == "probabilities" or not whole:
        return _most_frequent(check_frequencies(p, f"probabilities in {path}"), n_features, f"{path}", "values")
    return frequencies_from_counts(_most_frequent(p, n_features, f"{path}", "values"), f"counts in {path}")


def frequencies_from_counts(counts: np.ndarray, name: str = "counts") -> np.ndarray:
    """Counts divided by their sum, shape (n,).

    Examples
    --------
    >>> frequencies_from_counts(np.array([3, 1]))
    array([0.75, 0.25])
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.max() <= 0:
        raise InputError(f"{name} that are all 0", "at least one positive count")
    shares = counts / counts.max()  # first, so that the sum cannot overflow
    return shares / shares.sum()


def _most_frequent(values: np.ndarray, n_features: int | None, name: str, kind: str) -> np.ndarray:
    """The ``n_features`` largest values, decreasing."""
    if n_features is not None and n_features < 1:
        raise InputError(f"n_features = {n_features}", "a whole number from 1")
    if n_features is not None and n_features > values.size:
        raise InputError(
            f"n_features = {n_features}, but {name} has {values.size} {kind}",
            f"at most {values.size}",
            "leave n_features out to use them all",
        )
    return np.sort(values)[::-1][:n_features]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}, which does not exist", "a readable file", "check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}, which is not UTF-8 text", "a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a readable file", "check the path") from None


def _csv_numbers(path: Path, text: str) -> list[float]:
    values: list[float] = []
    rows = csv.reader(text.splitlines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    heading = True  # allowed on the first line
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                values.append(float(row[-1]))
            except ValueError:
                if not heading:
                    raise InputError(
                        f"{path}, line {rows.line_num}: {row[-1][:40]!r} is not a number",
                        "a count or probability in the last column",
                        "use --text FILE for prose",
                    ) from None
            heading = False
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}", "comma-separated values") from None
    return values
