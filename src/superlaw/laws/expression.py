"""Expressions over a table's columns, for masks and derived columns: arithmetic, no code.

``tokens > 1e9 and family == 'opt'``, ``12 * width**2 * depth``, ``\\`Training FLOP\\` / (6 * N)``.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.laws.cells import as_numbers, is_numeric

MOST_CHARACTERS, DEEPEST = 2000, 30  # of an expression; levels of brackets, in which Python's parser is slow
NUMBERS, TRUTHS, TEXT = "numbers", "comparisons", "text"  # what a part of an expression is
MEMBERS = ast.List | ast.Tuple  # of constants, after `in`

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: np.isin,
    ast.NotIn: lambda a, b: ~np.isin(a, b),
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "log": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}


def names_in(expression: str) -> list[str]:
    """The columns that an expression names, in their order.

    Examples
    --------
    >>> names_in("log(`model.dim`) > 2 and D / N < 20")
    ['model.dim', 'D', 'N']
    """
    tree, quoted = _parsed(expression)
    named = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in _FUNCTIONS]
    return sorted(dict.fromkeys(quoted.get(name, name) for name in named), key=expression.find)


def evaluate(expression: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The value of an expression for every row.

    Parameters
    ----------
    expression : str
        ``+ - * / ** %``, comparisons, ``and or not in``, numbers, quoted text, ``log log10 log2 exp
        sqrt abs``, column names; a name with spaces stands in backticks.
    columns : mapping of str to ndarray, shape (n,)

    Examples
    --------
    >>> evaluate("width >= 512 and depth < 20", {"width": np.array([256, 512]), "depth": np.array([9, 9])})
    array([False,  True])
    """
    tree, quoted = _parsed(expression)
    try:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = _value(tree.body, columns, quoted, expression)
    except (RecursionError, OverflowError) as error:
        raise InputError(f"the expression {expression[:80]!r} ({error})", "smaller numbers, fewer levels") from None
    return found


def _parsed(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """The tree of an expression, and what stands in it for names in backticks."""
    if len(expression) > MOST_CHARACTERS:
        raise InputError(f"an expression of {len(expression)} characters", f"at most {MOST_CHARACTERS}")
    levels = itertools.accumulate((c in "([{") - (c in ")]}") for c in expression)
    if max(levels, default=0) > DEEPEST:
        raise InputError("an expression nested too deeply", f"at most {DEEPEST} levels of brackets")
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        quoted[f"_column_{len(quoted)}"] = match.group(1)
        return f" _column_{len(quoted) - 1} "

    try:
        return ast.parse(re.sub(r"`([^`]*)`", stand_in, expression).strip(), mode="eval"), quoted
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f"the expression {expression!r}",
            "arithmetic over column names",
            "like 'tokens > 1e9'; put a name with spaces in backticks",
        ) from None


def _value(node: ast.AST, columns: Mapping[str, np.ndarray], quoted: dict[str, str], text: str) -> Any:
    def inner(child: ast.AST, *kinds: str) -> Any:
        value = _value(child, columns, quoted, text)
        if NUMBERS in kinds:
            value = _written_numbers(value)
        if kinds and _kind(value) not in kinds:
            got = f"{ast.unparse(child)[:80]!r}, which is {_kind(value)}, in the expression {text!r}"
            raise InputError(got, f"{' or '.join(kinds)} there", "like \"tokens > 1e9 and family == 'opt'\"")
        return value

    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        # Real numbers, NumPy's: 12 * width**2 * depth must not overflow, 1/0 and 9**9**9 are infinite.
        return node.value if isinstance(node.value, str | bool) else np.float64(node.value)
    if isinstance(node, ast.Name):
        name = quoted.get(node.id, node.id)
        if name not in columns:
            advice = _in_backticks(text, columns) or nearest(name, columns)
            raise InputError(f"the column {name!r} in {text!r}", "a column of the table", advice)
        return columns[name]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](inner(node.left, NUMBERS), inner(node.right, NUMBERS))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -inner(node.operand, NUMBERS)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return np.logical_not(inner(node.operand, TRUTHS))
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        out = inner(node.values[0], TRUTHS)
        for child in node.values[1:]:
            out = join(out, inner(child, TRUTHS))
        return out
    if isinstance(node, ast.Compare) and all(type(operation) in _COMPARE for operation in node.ops):
        left, out = inner(node.left), None
        for operation, child in zip(node.ops, node.comparators, strict=True):
            members = child.elts if isinstance(operation, ast.In | ast.NotIn) and isinstance(child, MEMBERS) else None
            if _kind(left) == TEXT and isinstance(left, np.ndarray) and _all_numbers(members or [child]):
                left = _written_numbers(left)  # a column of 70M and 1.4B compared with 1e9
            right = inner(child, _kind(left)) if members is None else [inner(one, _kind(left)) for one in members]
            result = _COMPARE[type(operation)](left, right)
            out, left = result if out is None else np.logical_and(out, result), right
        return out
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _FUNCTIONS
        and len(node.args) == 1
        and not node.keywords
    ):
        return _FUNCTIONS[node.func.id](inner(node.args[0], NUMBERS))
    raise InputError(
        f"{ast.unparse(node)!r} in the expression {text!r}",
        f"column names, numbers, + - * / ** %, comparisons, and, or, not, in, {', '.join(_FUNCTIONS)}",
        _in_backticks(text, columns),
    )


def _in_backticks(text: str, columns: Mapping[str, np.ndarray]) -> str:
    """What to do about a column like ``model.hidden_dim`` that stands in an expression as it is."""
    bare = [name for name in columns if not name.isidentifier() and len(name) > 1 and name in text]
    bare = [name for name in bare if f"`{name}`" not in text]
    return f"write `{max(bare, key=len)}` in backticks" if bare else ""


def _all_numbers(nodes: list[ast.expr]) -> bool:
    return all(isinstance(node, ast.Constant) and type(node.value) in (int, float) for node in nodes)


def _written_numbers(value: Any) -> Any:
    """A column of texts as numbers, where every cell that holds something is one (1.2B, 300M); else as it is."""
    if not isinstance(value, np.ndarray) or _kind(value) != TEXT:
        return value
    import pandas as pd

    column = pd.Series(value)
    return as_numbers(column) if is_numeric(column) else value


def _kind(value: Any) -> str:
    kind = np.asarray(value).dtype.kind
    return TRUTHS if kind == "b" else NUMBERS if kind in "iuf" else TEXT
