"""The JSON schemas of docs/reference/schemas, and whether a record is as they say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "schemas"
# Commands that take long, or need what tests/contracts/test_formats.py has not: held wherever a test runs them.
ELSEWHERE = ("demo", "reproduce", "law isoflop", "shape best", "lm tokens", "lm loss", "lm study")


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """All schemas, by the name of their file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.json"))}


@cache
def validator(name: str) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    known = Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in schemas().values()])
    return Draft202012Validator(schemas()[name], registry=known)


def wrong(name: str, record: Any) -> list[str]:
    """Where a record is not as the schema of that name says; empty where it is."""
    return [f"{name}, {error.json_path}: {error.message[:300]}" for error in validator(name).iter_errors(record)]


def command_of(arguments: list[str]) -> str:
    """The words of a command that its schema is named by: "law fit", "train"."""
    for count in (2, 1):
        if "-".join(arguments[:count]) in schemas():
            return " ".join(arguments[:count])
    return ""
