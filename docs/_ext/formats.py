"""The reference of file formats and of every command's ``--json``: JSON schemas, shown as tables and kept as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCHEMAS = Path(__file__).parents[1] / "reference" / "schemas"


class Formats(SphinxDirective):
    """``{formats} commands`` or ``{formats} files``: every schema of that folder."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        text: list[str] = []
        for path in sorted((SCHEMAS / self.arguments[0]).glob("*.json")):
            self.env.note_dependency(str(path))
            text += [*described(json.loads(path.read_text()), path), ""]
        return self.parse_text_to_nodes("\n".join(text), allow_section_headings=True)


def described(schema: dict[str, Any], path: Path) -> Iterator[str]:
    """A schema as Markdown: what it is, and its keys."""
    where = f"schemas/{path.parent.name}/{path.name}"
    yield from (f"### {schema['title']}", "", f"{schema.get('description', '')} [Schema]({where}).".strip(), "")
    rows = list(keys(schema, schema))
    if rows:
        yield from ("| key | type | meaning |", "|---|---|---|")
        yield from (f"| `{name}` | {kind} | {said} |" for name, kind, said in rows)
        yield ""


def keys(schema: dict[str, Any], whole: dict[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    """Keys of an object, and of the objects within it, as rows: name with its path, type, meaning."""
    schema = resolved(schema, whole)
    for choice in schema.get("oneOf", []):
        yield from keys(choice, whole, before)
    needed = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        said = one.get("description") or resolved(one, whole).get("description", "")
        optional = "" if name in needed else "may be absent; " if said else "may be absent"
        yield f"{before}{name}", kind_of(one, whole), (optional + said).replace("|", r"\|")
        yield from within(one, whole, f"{before}{name}")
    if isinstance(schema.get("additionalProperties"), dict):
        one = schema["additionalProperties"]
        yield f"{before}NAME", kind_of(one, whole), one.get("description", "").replace("|", r"\|")
        yield from within(one, whole, f"{before}NAME")


def within(schema: dict[str, Any], whole: dict[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    schema = resolved(schema, whole)
    if "items" in schema:
        yield from keys(schema["items"], whole, f"{name}[].")
    yield from keys(schema, whole, f"{name}.")


def resolved(schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the file stands for."""
    if "$ref" not in schema:
        return schema
    found: Any = whole
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def kind_of(schema: dict[str, Any], whole: dict[str, Any]) -> str:
    """Its type in words: "number or null", "list of text"."""
    schema = resolved(schema, whole)
    words = {"string": "text", "array": "list", "boolean": "true or false", "integer": "whole number"}
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kinds = schema.get("type", "anything")
    said = [words.get(kind, kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    if "list" in said and "items" in schema and (inner := kind_of(schema["items"], whole)):
        said[said.index("list")] = f"list of {inner}"
    return " or ".join(said)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("formats", Formats)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
