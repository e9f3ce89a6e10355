"""Token counts on disk: written by ``superlaw lm tokens``, read by heads and by the toy model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from superlaw.errors import InputError

MOST_TOKENS = 1 << 24  # ids beyond belong to no vocabulary


def read_counts(path: str | Path) -> np.ndarray:
    """Counts by token id, shape (largest id + 1,), from a counts file.

    Raises
    ------
    InputError
        When it is not JSON with ``counts`` from token ids to whole numbers.
    """
    path = Path(path)
    need = "a counts file of superlaw lm tokens"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", need) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}, not JSON", need) from None
    counts = record.get("counts") if isinstance(record, dict) else None
    if not isinstance(counts, dict) or not counts:
        raise InputError(f"{path} without counts by token", need)
    values: dict[int, int] = {}
    for key, value in counts.items():
        if not key.isascii() or not key.isdigit() or len(key) > 9 or int(key) >= MOST_TOKENS:
            raise InputError(
                f"{path}: the token {key[:40]!r}", "token ids as whole numbers", "make it with this tokenizer"
            )
        if type(value) is not int or not 0 <= value < 2**53:
            raise InputError(f"{path}: the count {str(value)[:40]} of token {key}", "a whole number, 0 or more")
        values[int(key)] = value
    found = np.zeros(max(values) + 1)
    found[list(values)] = list(values.values())
    return found
