"""The reference of file formats and of every command's ``--json``: JSON schemas, shown as tables and kept as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

DEEPEST = 2  # objects within objects that are told in a table
WORDS = {"string": "text", "array": "list", "boolean": "true or false", "integer": "whole number"}
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
    rows = [(name, kind, said.replace("|", r"\|")) for name, kind, said in keys(schema)]
    if rows:
        yield from ("| key | type | meaning |", "|---|---|---|")
        yield from (f"| `{name}` | {kind} | {said} |" for name, kind, said in rows)
        yield ""


def keys(schema: dict[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    """Keys of an object, and of the objects within it, as rows: name with its path, type, meaning."""
    needed = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        said = one.get("description", "")
        absent = "" if name in needed else "may be absent"
        yield f"{before}{name}", kind_of(one), "; ".join(filter(None, (said, absent)))
        yield from within(one, f"{before}{name}")
    if isinstance(one := schema.get("additionalProperties"), dict):
        yield f"{before}NAME", kind_of(one), one.get("description", "")
        yield from within(one, f"{before}NAME")


def within(schema: dict[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    """Keys of what stands in a key: an object, or a list of them. The deepest are left to the schema's file."""
    if name.count(".") < DEEPEST:
        yield from keys(schema.get("items", {}), f"{name}[].")
        yield from keys(schema, f"{name}.")


def kind_of(schema: dict[str, Any]) -> str:
    """Its type in words: "number or null", "list of text"."""
    if "$ref" in schema:
        return f"as {schema['$ref'].removeprefix('superlaw:')}"
    if "oneOf" in schema:
        return " or ".join(dict.fromkeys(map(kind_of, schema["oneOf"])))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema.get("enum", [schema.get("const")]))
    kinds = schema.get("type", "anything")
    said = [WORDS.get(kind, kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    if "list" in said and schema.get("items"):
        said[said.index("list")] = f"list of {kind_of(schema['items'])}"
    return " or ".join(said)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("formats", Formats)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
