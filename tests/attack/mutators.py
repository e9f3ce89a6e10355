"""Mutations of bytes, of text and of trees (JSON, TOML), each drawn by a random.Random."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

Mutator = Callable[[bytes, Random], bytes]
BYTES = (0, 1, 9, 10, 13, 0x1B, 0x22, 0x27, 0x2C, 0x5B, 0x5C, 0x7B, 0x7F, 0x80, 0xC0, 0xED, 0xFE, 0xFF)
NUMBERS = (
    "0",
    "-1",
    "-0.0",
    "1e308",
    "1e309",
    "-1e400",
    "NaN",
    "Infinity",
    "1e-320",
    "9" * 400,
    str(2**31),
    str(2**63),
    str(2**64),
    "0x10",
    "1_000",
    "3.5",
    "",
    "null",
    "true",
    "1e5",
)


def mutate_bytes(content: bytes, rng: Random) -> bytes:
    """One to four blind changes of bytes: flip, set, insert, delete, cut, splice, repeat, blank, renumber."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        size = len(data)
        at = rng.randrange(size) if size else 0
        length = rng.choice((1, 1, 2, 4, 8, 64, max(1, size // 4)))
        kind = rng.randrange(10)
        if kind == 0 and size:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and size:
            data[at] = rng.choice(BYTES)
        elif kind == 2:
            data[at:at] = bytes(rng.choice(BYTES) for _ in range(length))
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            del data[at:]
        elif kind == 5 and size:
            other = rng.randrange(size)
            data[at : at + length] = data[other : other + length]
        elif kind == 6:
            data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 100))
        elif kind == 7:
            data[at : at + length] = bytes([rng.choice((0, 255, 32))]) * length
        elif kind == 8:
            data = bytearray(_renumber(bytes(data), rng))
        else:
            data[at:at] = rng.choice(
                (b"\xef\xbb\xbf", b"\x1b[31m", b"\xff\xfe", b"\r\n", b"\x00", b'"', b"\xed\xa0\x80")
            )
    return bytes(data)


def _renumber(data: bytes, rng: Random) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", data[:200_000]))
    if not found:
        return data
    place = rng.choice(found)
    return data[: place.start()] + rng.choice(NUMBERS).encode() + data[place.end() :]


class Raw(str):
    """Text that is written into JSON or TOML as it stands."""


def odd_value(rng: Random, old: Any = None) -> Any:
    """A value that does not belong: another type, a number that is too much, text that bites."""
    kind = rng.randrange(10)
    if kind < 3:
        return rng.choice((None, True, False, "", "x", [], {}, [[]], [None], {"": None}, {"a": {"a": []}}, [1, "a"]))
    if kind < 6:
        return rng.choice(
            (
                0,
                -1,
                1,
                2,
                1.5,
                -0.0,
                1e308,
                -1e308,
                1e-320,
                math.nan,
                math.inf,
                -math.inf,
                2**31,
                2**53,
                2**63,
                2**64,
                -(2**63),
                10**40,
                10**9,
                10**12,
                Raw("1" + "0" * 400),
                Raw("1e400"),
                Raw("1" * 5000),
            )
        )
    if kind < 8:
        return rng.choice(
            (
                "\ud800",
                "\x1b[2J\x1b[31mred",
                "a\nb",
                "\x00",
                "x" * 100_000,
                "é" * 3,
                "../../etc/passwd",
                "/dev/zero",
                "nan",
                "1",
                "-1e400",
                "__class__",
                "\u202egnp",
                "%s%n{}",
                "ok",
                "[bold]x[/bold]",
                "[/]",
                ".",
            )
        )
    if kind == 8:
        if isinstance(old, bool) or not isinstance(old, int | float):
            return [old] if rng.random() < 0.5 else {"x": old}
        factor = rng.choice((-1, 0.5, 2, 1000, 1e9, 1e18, 1e-9))
        return type(old)(old * factor) if math.isfinite(old) else 1
    depth = rng.choice((50, 200, 990, 1100, 100_000))
    return Raw(rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth)))


def mutate_tree(tree: Any, rng: Random) -> Any:
    """One to three changes of a tree of dicts and lists: replace, remove, rename, add, wrap, swap, repeat."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places or rng.random() < 0.03:
            return odd_value(rng, tree)
        # a place high in the tree is as likely as one of many deep ones
        depth = rng.choice(sorted({len(path) for path in places}))
        path = rng.choice([p for p in places if len(p) == depth])
        parent = tree
        for key in path[:-1]:
            parent = parent[key]
        _change(parent, path[-1], rng)
    return tree


def _change(parent: Any, key: Any, rng: Random) -> None:
    kind = rng.randrange(10)
    if kind < 6:
        parent[key] = odd_value(rng, parent[key])
    elif kind == 6:
        del parent[key]
    elif kind == 7:
        if isinstance(parent, dict):
            new = rng.choice((f"{key}x", key.upper(), "", "\ud800", "a\x1b[31mb", "seed", "id", key[:-1]))
            parent[new] = parent.pop(key) if rng.random() < 0.5 else odd_value(rng)
        else:
            parent.insert(key, odd_value(rng))
    elif kind == 8:
        other = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        parent[key], parent[other] = parent[other], parent[key]
    elif isinstance(parent, list):
        parent *= rng.choice((2, 3, 1000)) if len(parent) < 100 else 2
    else:
        parent[key] = [parent[key]] * 3


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Any:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        if len(path) < 8:
            yield from _places(value, (*path, key))


def to_json(tree: Any, ascii: bool = True) -> bytes:
    """JSON with NaN, with Raw values as they stand, and with surrogates, escaped or as bytes."""
    held: list[str] = []

    def stand_in(value: Any) -> Any:
        if isinstance(value, Raw):
            held.append(str(value))
            return f"@raw {len(held) - 1}@"
        if isinstance(value, dict):
            return {k: stand_in(v) for k, v in value.items()}
        return [stand_in(v) for v in value] if isinstance(value, list) else value

    text = json.dumps(stand_in(tree), ensure_ascii=ascii)
    for i, raw in enumerate(held):
        text = text.replace(f'"@raw {i}@"', raw)
    return text.encode("utf-8", "surrogatepass")


def to_toml(tree: Any) -> bytes:
    """TOML with inline tables; what TOML cannot say is left out or written wrong."""
    if not isinstance(tree, dict):
        return _toml_value(tree).encode("utf-8", "surrogatepass")
    lines = [f"{_toml_key(key)} = {_toml_value(value)}" for key, value in tree.items()]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _toml_key(key: Any) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(repr(value), repr(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return "1979-05-27T07:32:00Z" if value is None else json.dumps(value)


def mutate_json(content: bytes, rng: Random) -> bytes:
    """A JSON file with its tree changed."""
    return to_json(mutate_tree(json.loads(content), rng), ascii=rng.random() < 0.8)


def mutate_toml(content: bytes, rng: Random) -> bytes:
    """A TOML file with its tree changed."""
    import tomllib

    return to_toml(mutate_tree(tomllib.loads(content.decode()), rng))


def mutate_lines(content: bytes, rng: Random) -> bytes:
    """JSON lines with some lines' trees changed, repeated or exchanged."""
    lines = content.splitlines()
    key = None
    for _ in range(rng.choice((1, 1, 2, 5))):
        i = rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind < 5:
            try:
                lines[i] = to_json(mutate_tree(json.loads(lines[i]), rng), ascii=rng.random() < 0.8)
            except (ValueError, RecursionError):  # it was made odd before
                lines[i] = b"{"
        elif kind == 5:
            lines[i:i] = [lines[i]] * rng.choice((1, 50))
        elif kind == 6:
            lines[i] = rng.choice((b"", b"[]", b"1", b"null", b'"x"', b"{}", b"[" * 100_000, b'{"a":1,"a":2}'))
        else:  # a column that is odd in every row
            records = [json.loads(line) for line in content.splitlines()]
            key = rng.choice(list(records[0]))
            new = rng.choice((key, "created_at", "date", "timestamp", f"{key} ", ""))
            value = odd_value(rng, records[0][key])
            lines = [to_json({**{k: v for k, v in r.items() if k != key}, new: value}) for r in records]
    return rng.choice((b"\n", b"\n", b"\n", b"\r\n")).join(lines) + b"\n"


CELLS = (
    "",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "1e-320",
    "9" * 400,
    "text",
    "2024-01-01",
    "true",
    "1,5",
    '"',
    '"a\nb"',
    "\x00",
    "\x1b[31m",
    "1 000",
    "é",
    "𝟙",
    "'",
    "=1+1",
    "[1, 2]",
    "None",
    "\ud800",
    " 3 ",
    "1e308",
    "0x10",
    "x" * 70_000,
)


def mutate_csv(content: bytes, rng: Random) -> bytes:
    """A CSV with odd cells, columns and lines."""
    rows = [line.split(",") for line in content.decode("utf-8", "surrogatepass").splitlines()]
    for _ in range(rng.choice((1, 1, 2, 6))):
        i, j = rng.randrange(len(rows)), rng.randrange(max(1, len(rows[0])))
        names = rows[0] or [""]
        kind = rng.randrange(9)
        if kind < 3:
            i = rng.randrange(1, len(rows)) if len(rows) > 1 else 0
            rows[i] = [*rows[i][:j], rng.choice(CELLS), *rows[i][j + 1 :]]
        elif kind == 3:  # a whole column
            cell = rng.choice(CELLS)
            rows[1:] = [[*row[:j], cell, *row[j + 1 :]] for row in rows[1:]]
        elif kind == 4:  # its name
            name = rng.choice(
                (
                    f"{names[j]} ",
                    rng.choice(names),
                    "",
                    "Unnamed: 0",
                    "a\x1b[31mb",
                    "x" * 10_000,
                    "loss.1",
                    "`",
                    "\n",
                )
            )
            rows[0] = [*rows[0][:j], name, *rows[0][j + 1 :]]
        elif kind == 5:
            rows[i] = rows[i] + [rng.choice(CELLS)] * rng.choice((1, 100))
        elif kind == 6:
            rows[i] = rows[i][:j]
        elif kind == 7:
            rows = [row[:j] + row[j + 1 :] for row in rows]
        else:
            rows = rows[:1] + rows[1:] * rng.choice((0, 2, 50)) if len(rows) < 1000 else rows[:2]
        rows = rows or [[""]]
    end = rng.choice(("\n", "\n", "\n", "\r\n", "\r"))
    return end.join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")


def mutate_text(content: bytes, rng: Random) -> bytes:
    """Prose that is none: one long line, no letters, other encodings, controls, nothing."""
    return rng.choice(
        (
            b"",
            b"\n" * 1000,
            content.replace(b"\n", b" "),
            content.decode("utf-8", "replace").encode("utf-16"),
            b"\x00" * 1000,
            b"a" * 300_000,
            "\u202e\u200d".encode() * 1000,
            content[:40],
            b"\xff\xfe" + content,
            "𝔘𝔫𝔦".encode() * 100,
            b"\x1b[31m " * 100 + content,
            bytes(rng.randrange(256) for _ in range(2000)),
            b"word\n" * 2000,
            b"\xed\xa0\x80" + content,
        )
    )
