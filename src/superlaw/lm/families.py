"""A family file: models of known width and depth, in TOML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from superlaw.errors import InputError, closest

SHIPPED = {"paper": Path(__file__).with_name("paper.toml")}


@dataclass(frozen=True)
class FamilyModel:
    """One model of a study.

    Parameters
    ----------
    name : str
        Letters, digits, dots and dashes: it names files.
    family : str
        Models of one family share an offset in the joint fit.
    width, depth : int
    source : str
        A folder (relative to the family file when it starts with a dot) or a hub id.
    """

    name: str
    family: str
    width: int
    depth: int
    source: str


def load_family(path: str | Path) -> list[FamilyModel]:
    """Read a family file, or the shipped one named ``paper``: the 27 models of [LLG].

    Raises
    ------
    InputError
        When it is missing, no TOML, or a model in it is not whole.

    Examples
    --------
    >>> models = load_family("paper")
    >>> len(models), models[1]
    (27, FamilyModel(name='opt-350m', family='opt', width=1024, depth=24, source='facebook/opt-350m'))
    """
    file = SHIPPED.get(str(path), Path(path))
    try:
        record = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a family file (TOML), or paper", "check the path") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, not TOML: {str(error)[:100]}", "[[model]] tables in TOML") from None
    listed = record.get("model")
    if not isinstance(listed, list) or not listed or set(record) != {"model"}:
        raise InputError(f"{path} with {', '.join(sorted(record)) or 'nothing'}", "[[model]] tables and nothing else")
    models = [_model(entry, f"{path}, model {i}", file.parent) for i, entry in enumerate(listed, 1)]
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise InputError(f"{path} with {max(names, key=names.count)} twice", "a name for each model")
    return models


def _model(entry: Any, where: str, folder: Path) -> FamilyModel:
    known = [field.name for field in fields(FamilyModel)]
    if not isinstance(entry, dict):
        raise InputError(where, "a [[model]] table")
    for key in entry:
        if key not in known:
            raise InputError(f"{where}: {key}", ", ".join(known), closest(key, known))
    for key in known:
        kind = int if key in ("width", "depth") else str
        if type(entry.get(key)) is not kind or not entry[key] or (kind is int and entry[key] < 1):
            what = "a whole number, 1 or more" if kind is int else "a text"
            raise InputError(f"{where}: {key} = {entry.get(key)!r}", what)
    if not re.fullmatch(r"\w[\w.-]*", entry["name"]):
        raise InputError(f"{where}: name = {entry['name']!r}", "letters, digits, dots and dashes")
    source = entry["source"]
    if source.startswith("."):  # absolute, so that a folder that is not there is not taken for a hub id
        source = str(folder.resolve() / source)
    return FamilyModel(**{**entry, "source": source})
