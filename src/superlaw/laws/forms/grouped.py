"""A power law with an offset for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from superlaw.errors import InputError
from superlaw.laws.law import Part, SumLaw, Term


@dataclass(frozen=True)
class GroupedPowerLaw(SumLaw):
    """L = C / x^a + L_0[group]: one C and a, an offset for each group [LLG section 4].

    Parameters
    ----------
    x : str
        Column of the size.
    group : sequence of str
        Columns whose combinations are the groups (family, corpus...).

    Parameters of the fit: ``C``, ``a``, ``L_0[family,corpus]``.
    """

    x: str
    group: Sequence[str]
    name = "grouped"
    parts = (Part("x", "--x"), Part("group", "--group", several=True, size=False))

    def __post_init__(self):
        group = (self.group,) if isinstance(self.group, str) else tuple(self.group)
        object.__setattr__(self, "group", group)
        if not group:
            raise InputError("no group", "at least one column of groups", "name it with --group")

    @property
    def power_terms(self) -> tuple[Term, ...]:
        return (Term("C", (self.x,), ("a",)),)

    def offsets(self, labels: Sequence[str] = ()) -> tuple[str, ...]:
        return tuple(f"L_0[{label}]" for label in labels)

    @property
    def formula(self) -> str:
        return f"L = C / {self.x}^a + L_0[{','.join(self.groups)}]"
