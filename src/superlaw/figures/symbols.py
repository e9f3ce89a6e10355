"""Labels with mathematics, ``$\\alpha_m$`` as matplotlib writes it, for pages and for plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from superlaw.files.columns import printable

MATHS = re.compile(r"\$([^$]*)\$")
LETTERS = {"alpha": "α", "gamma": "γ", "phi": "φ", "pm": "±", "cdot": "·"}
PART = re.compile(r"\\([a-z]+)|([_^])(?:\{([^{}]*)\}|(.))|([^\\_^{}]+)")  # a symbol, an index, or what stands as it is


def hypertext(text: str) -> str:
    """A label as HTML that pages and Plotly show: indices as such, all else as text.

    Mathematics of which we know no symbol stays as it was written.

    Examples
    --------
    >>> print(hypertext("loss: $m^{-1.00 \\\\pm 0.01}$"))
    loss: m<sup>-1.00 ± 0.01</sup>
    >>> print(hypertext("<b>$\\\\alpha_m$ costs $5"))
    &lt;b&gt;α<sub>m</sub> costs $5
    """
    return _parts(text, _escaped, _letter, lambda mark, inside: f"<{mark}>{inside}</{mark}>")


def plain(text: str) -> str:
    """A label as a terminal shows it, its symbols by name.

    Examples
    --------
    >>> plain("$\\\\phi_{1/2}$ and $m^{-1.0}$")
    'phi_1/2 and m^-1.0'
    """
    return _parts(text, str, str, lambda mark, inside: ("_" if mark == "sub" else "^") + inside)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, an ellipsis in place of the rest.

    Examples
    --------
    >>> shortened("a long name", 6)
    'a lon…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(text: str) -> str:
    return html.escape(printable(text), quote=False)


def _letter(name: str) -> str:
    return LETTERS[name]


def _parts(
    text: str, literal: Callable[[str], str], symbol: Callable[[str], str], index: Callable[[str, str], str]
) -> str:
    """The text piece by piece: what is literal, and of mathematics the symbols and the indices."""

    def mathematics(piece: str) -> str:
        shown = []
        for name, mark, braces, one, rest in PART.findall(piece):
            if name:
                shown.append({"pm": "±", "cdot": "·"}.get(name) or symbol(name))
            elif mark:
                shown.append(index("sub" if mark == "_" else "sup", mathematics(braces or one)))
            else:
                shown.append(literal(rest))
        return "".join(shown)

    found, at = [], 0
    for match in MATHS.finditer(text):
        found.append(literal(text[at : match.start()]))
        found.append(mathematics(match[1]) if _known(match[1]) else literal(match[0]))
        at = match.end()
    return "".join([*found, literal(text[at:])])


def _known(piece: str) -> bool:
    """Whether mathematics has nothing but what is written here."""
    whole = "".join(match[0] for match in PART.finditer(piece)) == piece
    return whole and all(match[1] in LETTERS for match in PART.finditer(piece) if match[1])
