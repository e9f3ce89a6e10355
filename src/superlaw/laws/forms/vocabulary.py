"""Chinchilla's law with the vocabulary's parameters apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superlaw.errors import InputError
from superlaw.laws.law import Part, SumLaw, Term


@dataclass(frozen=True)
class VocabularyLaw(SumLaw):
    """L = E + A_1 / N_nv^alpha_1 + A_2 / N_v^alpha_2 + B / D^beta [Vocabulary, equation 5].

    N_nv are the parameters without, N_v those of the vocabulary (its size times the width). Losses of models with
    different vocabularies compare only after the loss of the unigram model is taken away: they are then negative, and
    so is E (published as -E); the objective is ``ls`` or ``plain-huber``.

    Parameters
    ----------
    params, vocabulary, tokens : str
        Columns of N_nv, N_v and D.

    Parameters of the fit: ``E``, ``A_1``, ``alpha_1``, ``A_2``, ``alpha_2``, ``B``, ``beta``.
    """

    params: str = "N_nv"
    vocabulary: str = "N_v"
    tokens: str = "D"
    name = "vocabulary"
    parts = (Part("params", "--params"), Part("vocabulary"), Part("tokens", "--tokens"))
    signed_offset = True

    def __post_init__(self):
        if len(set(self.sizes)) < 3 or any("*" in column for column in self.sizes):
            raise InputError(f"the columns {', '.join(self.sizes)}", "three columns")

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["E", "A_1", "alpha_1", "A_2", "alpha_2", "B", "beta"]

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return (
            Term("A_1", (self.params,), ("alpha_1",)),
            Term("A_2", (self.vocabulary,), ("alpha_2",)),
            Term("B", (self.tokens,), ("beta",)),
        )

    @property
    def common_offset(self) -> str | None:
        return "E"

    @property
    def formula(self) -> str:
        return (
            "L = E + A_1 / N_nv^alpha_1 + A_2 / N_v^alpha_2 + B / D^beta, "
            f"N_nv = {self.params!r}, N_v = {self.vocabulary!r}, D = {self.tokens!r}"
        )
