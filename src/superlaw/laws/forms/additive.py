"""A sum of power laws over any columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superlaw.errors import InputError
from superlaw.laws.law import Part, SumLaw, Term


def _split(term: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in term.split("*"))


@dataclass(frozen=True)
class AdditiveLaw(SumLaw):
    """L = sum_k c_k / x_k^a_k + L_0 over any columns [Depth; Poster].

    Parameters
    ----------
    terms : sequence of str
        Column names (width, depth, tokens, steps, batch size, parameters...). A term
        ``"width*depth"`` is a product, c / (width^a depth^b).
    offset : bool
        Whether there is an L_0.

    Parameters of the fit: ``c_<column>``, ``a_<column>`` for every term, ``L_0``.
    """

    terms: Sequence[str]
    offset: bool = True
    name = "additive"
    parts = (Part("terms", "--term", several=True),)

    def __post_init__(self):
        terms = (self.terms,) if isinstance(self.terms, str) else tuple(self.terms)
        object.__setattr__(self, "terms", terms)
        if not terms:
            raise InputError("no terms", "at least one column", "name it with --term")
        if len(set(self.sizes)) < len(self.sizes):
            raise InputError(f"the terms {', '.join(terms)}", "each column once")

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(column for term in self.terms for column in _split(term))

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return tuple(
            Term(f"c_{term}", columns, tuple(f"a_{column}" for column in columns))
            for term in self.terms
            for columns in [_split(term)]
        )

    @property
    def common_offset(self) -> str | None:
        return "L_0" if self.offset else None

    @property
    def title(self) -> str:
        return f"{self.name}({', '.join(self.terms)})"

    @property
    def formula(self) -> str:
        out = []
        for term in self.power_terms:
            powers = " ".join(f"{column}^{a}" for column, a in zip(term.columns, term.exponents, strict=True))
            out.append(f"{term.coefficient} / " + (powers if len(term.columns) == 1 else f"({powers})"))
        return "L = " + " + ".join(out + ["L_0"] * self.offset)
