"""A single power law."""

from __future__ import annotations

from dataclasses import dataclass

from superlaw.errors import InputError
from superlaw.laws.law import Part, SumLaw, Term


@dataclass(frozen=True)
class PowerLaw(SumLaw):
    """L = C / x^a + L_0, or without L_0. Parameters of the fit: ``C``, ``a``, ``L_0``.

    [Hestness]; [LLG] for x = width.

    Parameters
    ----------
    x : str
        Column of the size.
    offset : bool
        Whether there is an L_0.
    """

    x: str
    offset: bool = True
    name = "power"
    parts = (Part("x", "--x"),)

    def __post_init__(self):
        if "*" in self.x:
            raise InputError(f"x = {self.x!r}", "one column", "make a product with --let")

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return (Term("C", (self.x,), ("a",)),)

    @property
    def common_offset(self) -> str | None:
        return "L_0" if self.offset else None

    @property
    def formula(self) -> str:
        return f"L = C / {self.x}^a" + (" + L_0" if self.offset else "")
