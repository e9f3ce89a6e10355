"""A law's parameters as functions of the fewer that are estimated: fixed values, ties, bounds, and priors.

Every parameter is a fixed value or a multiple of one free parameter. In the scale in which they are solved for (log c
for what must be positive, the value itself otherwise) this is psi_k = factor_k phi_owner(k) + constant_k.
Shapes: p parameters of the law, q free ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.known import Known
from superlaw.laws.problems.model import FLOOR, Box


@dataclass(frozen=True, eq=False)
class Restriction:
    """How p parameters hang on q.

    Parameters
    ----------
    owner : ndarray of int, shape (p,)
        The free parameter of which each is a multiple; -1 for a fixed one.
    number : ndarray, shape (p,)
        The multiple, or the fixed value.
    positive : ndarray of bool, shape (p,)
        Which are solved for through their logarithm.
    box : Box
        Of the free parameters.
    held : ndarray of bool, shape (q, 2)
        Which of these bounds were given, and are not the law's own.
    """

    owner: np.ndarray
    number: np.ndarray
    positive: np.ndarray
    box: Box
    held: np.ndarray

    @property
    def q(self) -> int:
        """Number of free parameters."""
        return len(self.box.positive)

    @property
    def factor(self) -> np.ndarray:
        """d psi / d phi, shape (p,)."""
        return np.where(self.owner < 0, 0.0, np.where(self.positive, 1.0, self.number))

    @property
    def constant(self) -> np.ndarray:
        """psi at phi = 0, shape (p,)."""
        logs = np.log(np.maximum(np.where(self.positive, self.number, 1.0), FLOOR))
        return np.where(self.positive, logs, np.where(self.owner < 0, self.number, 0.0))

    @property
    def free(self) -> np.ndarray:
        """The position of each free parameter among all, shape (q,)."""
        own = [k for k in range(len(self.owner)) if self.owner[k] >= 0]
        first = {int(self.owner[k]): k for k in reversed(own) if self.number[k] == 1}
        return np.array([first[m] for m in range(self.q)], dtype=int)

    def expand(self, values: np.ndarray) -> np.ndarray:
        """All parameters from the free ones; shapes (..., p) from (..., q)."""
        taken = np.concatenate([values, np.ones((*values.shape[:-1], 1))], axis=-1)
        return taken[..., self.owner] * self.number

    def slopes(self, logs: bool) -> np.ndarray:
        """d parameters / d free ones, shape (p, q); of their logarithms where they are positive, with ``logs``."""
        out = np.zeros((len(self.owner), self.q))
        tied = self.owner >= 0
        out[np.flatnonzero(tied), self.owner[tied]] = (self.factor if logs else self.number)[tied]
        return out


def unrestricted(box: Box) -> Restriction:
    """Of parameters that are all free."""
    p = len(box.positive)
    return Restriction(np.arange(p), np.ones(p), box.positive, box, np.zeros((p, 2), bool))


def restriction(known: Known, names: Sequence[str], exponents: Sequence[str], box: Box) -> Restriction | None:
    """What is known of a law's parameters (``names``, within ``box``); None for nothing but priors.

    Raises
    ------
    InputError
        For names that are none of the law's, values that it does not have, and ties of parameters of two kinds.
    """
    if not known:
        return None
    known.check(names)
    kinds = {name: (bool(positive), name in exponents) for name, positive in zip(names, box.positive, strict=True)}
    for name, (to, _) in known.tied.items():
        if kinds[name] != kinds[to]:
            raise InputError(f"the tie {name} = {to}", "two coefficients, two exponents or two offsets")
    for k, name in enumerate(names):
        _check_range(known, name, bool(box.positive[k]), box.lower[k], box.upper[k])
    free = known.free(names)
    roots = [known.root(name) for name in names]
    owner = np.array([-1 if to is None else free.index(to) for to, _ in roots])
    number = np.array([value for _, value in roots])
    inner, held = _inner_box(known, names, owner, number, box)
    return Restriction(owner, number, box.positive, inner, held)


def _check_range(known: Known, name: str, positive: bool, least: float, most: float) -> None:
    """Refuse values that a law's own bounds exclude."""
    least = 0.0 if positive and least < 1e-100 else least
    root, value = known.root(name)
    if root is None and not least <= value <= most:
        raise InputError(f"{name} = {value:g}", f"a value from {least:g} to {most:g}")
    low, high = known.bounds.get(name, (least, most))
    if high <= least or low >= most:
        raise InputError(f"{name} within {low:g} to {high:g}", f"bounds that leave some of {least:g} to {most:g}")
    if positive and known.priors.get(name, (1.0, 0.0))[0] <= 0:
        raise InputError(f"a prior of {name} with mean {known.priors[name][0]:g}", "a mean above 0")


def _inner_box(
    known: Known, names: Sequence[str], owner: np.ndarray, number: np.ndarray, box: Box
) -> tuple[Box, np.ndarray]:
    """Bounds of the free parameters: the narrowest that all of their multiples have; and which of them were given."""
    q = int(owner.max()) + 1
    lower, upper, positive = np.full(q, -np.inf), np.full(q, np.inf), np.zeros(q, bool)
    held = np.zeros((q, 2), bool)
    for k, name in enumerate(names):
        m = owner[k]
        if m < 0:
            continue
        positive[m] = box.positive[k]
        given = known.bounds.get(name, (-np.inf, np.inf))
        for low, high, own in ((box.lower[k], box.upper[k], False), (*given, True)):
            if low / number[k] > lower[m]:
                lower[m], held[m, 0] = low / number[k], own
            if high / number[k] < upper[m]:
                upper[m], held[m, 1] = high / number[k], own
    for m in range(q):
        if not lower[m] < upper[m]:
            which = " and ".join(name for k, name in enumerate(names) if owner[k] == m)
            raise InputError(f"bounds that leave nothing of {which}", "bounds that agree with one another")
    return Box(positive, lower, upper), held
