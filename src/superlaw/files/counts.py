"""Counts on disk, as ``superlaw lm tokens`` writes them: read by heads by token, by the toy model as frequencies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from superlaw.errors import InputError
from superlaw.files.records import read_json

MOST_TOKENS = 1 << 24  # ids beyond belong to no vocabulary
KINDS = ("counts", "probabilities")
NUMBERS = 'a list or an object of numbers, as [5, 3, 1] or {"the": 5, "a": 3}'


def read_numbers(path: str | Path, need: str = NUMBERS) -> tuple[list[str] | None, np.ndarray, str | None]:
    """Names, numbers and what the file says they are, of a JSON list or object of numbers.

    Either is at the top or under ``counts`` or ``probabilities``, which then says what they are.

    Returns
    -------
    names : list of str or None
        None for a list.
    numbers : ndarray, shape (n,)
    kind : {"counts", "probabilities"} or None

    Raises
    ------
    InputError
        When it is not JSON, holds something else, or counts that are not whole numbers.
    """
    record, kind = read_json(path, need), None
    if isinstance(record, dict):
        kind = next((key for key in KINDS if isinstance(record.get(key), dict | list)), None)
        record = record[kind] if kind else record
    values = list(record.values()) if isinstance(record, dict) else record
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise InputError(f"{path}, whose JSON is not a list or an object of numbers", need)
    if not values:
        raise InputError(f"{path}, which holds no numbers", "at least one count or probability")
    try:
        numbers = np.array([float(value) for value in values])
    except OverflowError:
        raise InputError(f"{path}, with a number beyond 1e308", "counts or probabilities") from None
    if kind == "counts" and not ((numbers >= 0) & (numbers == np.round(numbers)) & (numbers < 2**53)).all():
        raise InputError(f"counts in {path} that are not whole numbers of 0 or more", "whole numbers below 2^53")
    return list(record) if isinstance(record, dict) else None, numbers, kind


def read_token_counts(path: str | Path) -> np.ndarray:
    """Counts by token id, shape (largest id + 1,), from a counts file.

    Raises
    ------
    InputError
        When it is not JSON with ``counts`` from token ids to whole numbers.
    """
    need, do = "a counts file of superlaw lm tokens", "make it with this tokenizer"
    names, counts, kind = read_numbers(path, need)
    if kind != "counts" or names is None:
        raise InputError(f"{path} without counts by token", need)
    for name in names:
        if len(name) > 8 or not name.isdecimal() or str(int(name)) != name or int(name) >= MOST_TOKENS:
            raise InputError(f"{path}: the token {name[:40]!r}", "token ids as whole numbers", do)
    ids = np.array(names, dtype=np.int64)
    found = np.zeros(ids.max() + 1)
    found[ids] = counts
    return found
