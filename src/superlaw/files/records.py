"""Records as JSON: the one writer, which knows no NaN, and the one reader, which is guarded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from superlaw.errors import InputError

MOST_BYTES = 64_000_000  # of JSON; a million numbers take 20
PLAIN = (float, int, str, bool, type(None))
DEEPEST = 60  # levels of lists and objects; what we write has 8


def json_ready(record: Any) -> Any:
    """A record and all it holds for JSON: NaN and infinity become null, NumPy's numbers and arrays Python's,
    dataclasses dicts, paths text.

    Examples
    --------
    >>> json_ready({"loss": float("nan"), "widths": (8, 16)})
    {'loss': None, 'widths': [8, 16]}
    """
    if type(record) in PLAIN:  # most of what there is: asked first
        return record if type(record) is not float or math.isfinite(record) else None
    if is_dataclass(record) and not isinstance(record, type):
        return {field.name: json_ready(getattr(record, field.name)) for field in fields(record)}
    if isinstance(record, Mapping):
        return {key if isinstance(key, str) else str(key): json_ready(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [json_ready(value) for value in record]
    if hasattr(record, "tolist") and not isinstance(
        record, type
    ):  # an array or a number of NumPy, which is not imported for this
        return json_ready(record.tolist())
    if isinstance(record, Path):
        return str(record)
    return None if isinstance(record, float) and not math.isfinite(record) else record


def to_json(record: Any, indent: int | None = None) -> str:
    """The JSON text of a record (see json_ready).

    Examples
    --------
    >>> to_json({"loss": float("inf")})
    '{"loss": null}'
    """
    return json.dumps(json_ready(record), allow_nan=False, indent=indent)


def read_json(
    path: str | Path, need: str, do: str = "", error: type[InputError] = InputError, finite: bool = True
) -> Any:
    """Read a JSON file from anyone (see parse_json).

    Parameters
    ----------
    path : path
    need : str
        What the file should be, for the message: "a spec as JSON".
    do : str
        What to do next.
    error : type
        InputError, or DamagedFileError for files of our own.
    finite : bool
        Refuse NaN and infinity; configs of models (Mamba's, say) hold them.

    Raises
    ------
    InputError
        One line that names the file, where it cannot be read or is not JSON within the limits.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise error(f"{path} of {size} bytes", f"{need} of at most {MOST_BYTES} bytes", do)
        content = path.read_bytes()
    except FileNotFoundError:
        raise error(f"{path}, which does not exist", need, do or "check the path") from None
    except (OSError, ValueError) as refused:  # ValueError: a name that no system takes
        raise error(f"{path}: {getattr(refused, 'strerror', refused)}", need, do or "check the path") from None
    return parse_json(content, str(path), need, do, error, finite)


def parse_json(
    content: bytes | str, name: str, need: str, do: str = "", error: type[InputError] = InputError, finite: bool = True
) -> Any:
    """Parse JSON from anyone: UTF-8, no key twice, no NaN or infinity (if ``finite``), not beyond the limits above.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2]}', "spec.json", "a spec")
    {'a': [1, 2]}
    >>> parse_json(b'{"a": 1, "a": 2}', "spec.json", "a spec")
    Traceback (most recent call last):
    superlaw.errors.InputError: got spec.json, not JSON: the key 'a' twice; need a spec
    """
    why = ""
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        record = json.loads(text, object_pairs_hook=_once)
        _check(record, "\\u" in text, finite)
        return record
    except UnicodeDecodeError:
        why = "not UTF-8 text"
    except RecursionError:
        why = f"nested deeper than {DEEPEST} levels"
    except ValueError as wrong:
        why = f"not JSON: {wrong}"
    raise error(f"{name}, {why}", need, do)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)[:40]!r} twice")
    return found


def _check(record: Any, escapes: bool, finite: bool) -> None:
    """No NaN, no infinity, no half character, not too deep."""
    rest = [(record, 1)]
    while rest:
        value, depth = rest.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST:
                raise RecursionError
            rest.extend((one, depth + 1) for one in (value.values() if isinstance(value, dict) else value))
            if escapes and isinstance(value, dict):
                rest.extend((key, depth + 1) for key in value)
        elif finite and isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number that is not finite")
        elif escapes and isinstance(value, str) and not value.isascii() and _halves(value):
            raise ValueError("half of a character (a lone surrogate)")


def _halves(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
