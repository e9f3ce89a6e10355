"""Chinchilla's law with one exponent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.law import Term


@dataclass(frozen=True)
class CoupledLaw(Chinchilla):
    """L = E + A / N^alpha + B / D^alpha: the best N and D grow in proportion [Muennighoff, appendix A].

    Exponents in another ratio are Chinchilla's law with a tie, ``--fix "alpha=1.2*beta"``.

    Parameters
    ----------
    params, tokens : str
        Columns of N and D.

    Parameters of the fit: ``E``, ``A``, ``B``, ``alpha``.
    """

    name = "coupled"

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["E", "A", "B", "alpha"]

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return (Term("A", (self.params,), ("alpha",)), Term("B", (self.tokens,), ("alpha",)))

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("alpha",)

    @property
    def formula(self) -> str:
        return f"L = E + A / N^alpha + B / D^alpha, N = {self.params!r}, D = {self.tokens!r}"
