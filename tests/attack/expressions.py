"""Expressions for --where and --let: those of expressions.txt, longer and stranger ones, and drawn ones."""

from __future__ import annotations

from pathlib import Path
from random import Random

LISTED = tuple(Path(__file__).with_name("expressions.txt").read_text(encoding="utf-8").splitlines())
STRANGE = (
    "width == ",
    "",
    " ",
    "\n",
    "(" * 200 + "width" + ")" * 200,
    "-" * 5000 + "1",
    "(" * 5000 + "1" + ")" * 5000,
    "+".join(["width"] * 5000),
    "not " * 3000 + "width",
    "width" + "**1" * 3000,
    "[" * 90 + "1" + "]" * 90,
    "9" * 5000,
    "width > " + "9" * 400,
    "width > -" + "9" * 400,
    "\ud800",
    "'\ud800'",
    "width > '\x00'",
    "width\x00",
    "\x1b[31mwidth",
    "'" + "a" * 100000 + "'",
    "w" * 100000,
)
HANDWRITTEN = LISTED + STRANGE
NAMES = ("width", "loss", "family", "tokens", "`cell`", "nope")


def expression(rng: Random, depth: int = 0) -> str:
    """A drawn expression; many are none."""

    def inner() -> str:
        return expression(rng, depth + 1)

    kind = rng.randrange(10) if depth < 5 else 0
    if kind < 3:
        return rng.choice(
            (
                *NAMES,
                *NAMES,
                "1",
                "0",
                "-1",
                "2.5",
                "1e9",
                "'a'",
                "'%d'",
                "1e308",
                "1000000000",
                "True",
                "None",
                "[1, 2]",
                "[]",
                "'x'",
            )
        )
    if kind < 6:
        return f"{inner()} {rng.choice(('+', '-', '*', '/', '**', '%', '//', '@', '<<'))} {inner()}"
    if kind == 6:
        return f"{inner()} {rng.choice(('<', '<=', '==', '!=', '>', 'in', 'not in', 'is'))} {inner()}"
    if kind == 7:
        return f"({inner()} {rng.choice(('and', 'or'))} {inner()})"
    if kind == 8:
        return f"{rng.choice(('log', 'exp', 'sqrt', 'abs', 'not ', '-', 'log2', 'sum', ''))}({inner()})"
    return f"[{inner()}, {inner()}]"
