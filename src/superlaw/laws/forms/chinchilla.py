"""Chinchilla's law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superlaw.errors import InputError
from superlaw.laws.law import Part, SumLaw, Term


@dataclass(frozen=True)
class Chinchilla(SumLaw):
    """L = E + A / N^alpha + B / D^beta [Chinchilla, equation 2].

    Parameters
    ----------
    params, tokens : str
        Columns of N and D.

    Parameters of the fit: ``E``, ``A``, ``alpha``, ``B``, ``beta``.
    """

    params: str = "N"
    tokens: str = "D"
    name = "chinchilla"
    parts = (Part("params", "--params"), Part("tokens", "--tokens"))

    def __post_init__(self):
        if self.params == self.tokens or "*" in self.params + self.tokens:
            raise InputError(f"params = {self.params!r} and tokens = {self.tokens!r}", "two columns")

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["E", "A", "alpha", "B", "beta"]

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return (Term("A", (self.params,), ("alpha",)), Term("B", (self.tokens,), ("beta",)))

    @property
    def common_offset(self) -> str | None:
        return "E"

    @property
    def compute(self) -> tuple[str, str] | None:
        return (self.params, self.tokens)

    @property
    def formula(self) -> str:
        return f"L = E + A / N^alpha + B / D^beta, N = {self.params!r}, D = {self.tokens!r}"
