"""Which laws a table can decide, judged before any fit: from its sizes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.forms import law_class, law_names
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.law import Law, Points, SumLaw
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.tables import points_of

if TYPE_CHECKING:
    import pandas as pd

EXPONENT, ERROR, IRREDUCIBLE = 0.3, 0.01, 0.5  # what is taken of a law that nobody has fitted yet
LEVEL = 0.95
MOST_POINTS = 2000  # that are computed with; more count as more, but have the same sizes
A_QUARTER, A_HALF = 0.25, 0.5  # of an exponent, as the warnings of a fit have them (certificate.POORLY, NOT)
YES, POOR, NO = "yes", "poorly", "no"
ASSUMED = (
    f"judged from the sizes alone: exponents of {EXPONENT:g}, errors of {ERROR:.0%} that are independent, "
    f"{IRREDUCIBLE:.0%} of the loss irreducible"
)


@dataclass(frozen=True)
class Decidable:
    """What a table could say of one law.

    Parameters
    ----------
    law : str
        As ``--law`` takes it.
    points, parameters : int
    verdict : {"yes", "poorly", "no"}
        Whether every exponent would be known to a quarter at 95 %, to a half, or not.
    known_to : dict of str to float
        The half-width of each exponent's interval, as a share of the exponent.
    reason : str
        Why not, where nothing could be computed.
    """

    law: str
    points: int
    parameters: int
    verdict: str
    known_to: dict[str, float]
    reason: str = ""


def decidable(table: pd.DataFrame, sizes: Sequence[str], group: str | None = None) -> list[Decidable]:
    """Every law whose columns are there, judged.

    Parameters
    ----------
    table : DataFrame
        Sizes as numbers above 0.
    sizes : sequence of str
        The columns that are sizes, named as the laws name them: N, D, width, depth ...
    group : str, optional
        A column of groups.
    """
    few = {size for size in sizes if table[size].nunique() < 3}
    return [
        _judged(law, text, table, [size for size in law.sizes if size in few])
        for law, text in _candidates(sizes, group)
        if set(law.sizes) <= set(sizes)
    ]


def _candidates(sizes: Sequence[str], group: str | None) -> Iterator[tuple[Law, str]]:
    """Laws with the columns that they name themselves; sums of powers over what there is."""
    shape = [name for name in ("width", "depth") if name in sizes]
    time = next((name for name in ("D", "steps") if name in sizes), None)
    terms = [*shape, *([time] if time else [])]
    if shape and len(terms) > 1:
        yield AdditiveLaw(terms), f"additive:{','.join(terms)}"
    for name in law_names():
        kind = law_class(name)
        if all(isinstance(field.default, str) for field in fields(kind) if field.name in _parts(kind)):  # type: ignore[arg-type]
            law = kind()
            yield law, f"{name}:{','.join(law.sizes)}"
    for size in sizes:
        yield law_class("power")(size), f"power:{size}"  # type: ignore[call-arg]
    if group is not None and sizes:
        yield law_class("grouped")(sizes[0], (group,)), f"grouped:{sizes[0]},{group}"  # type: ignore[call-arg]


def _parts(kind: type[Law]) -> set[str]:
    return {part.field for part in kind.parts}


def _judged(law: Law, text: str, table: pd.DataFrame, few: Sequence[str]) -> Decidable:
    """One law, where ``few`` are its sizes of fewer than three values."""
    n = len(table)
    points = points_of(table.iloc[np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(int))], law)
    p = len(law.names(points.labels))
    if n <= p:
        return Decidable(text, n, p, NO, {}, f"{n} points for {p} parameters")
    if few:
        return Decidable(text, n, p, NO, {}, f"fewer than 3 values of {', '.join(few)}")
    asked = law if isinstance(law, SumLaw) else AdditiveLaw(law.sizes)
    known = _known_to(asked, points, n)
    if known is None:
        return Decidable(text, n, p, NO, {}, f"{' and '.join(law.sizes)} vary together")
    worst = max(known.values())
    verdict = YES if worst < A_QUARTER else POOR if worst < A_HALF else NO
    return Decidable(text, n, p, verdict, known, "" if asked is law else "as a sum of powers")


def _known_to(law: SumLaw, points: Points, n: int) -> dict[str, float] | None:
    """Half-widths of the exponents' intervals of n points like these, from the Jacobian at a typical law; None where
    it is singular."""
    from scipy.special import stdtrit

    values = _typical(law, points)
    problem = Problem.over(law, points, np.zeros(points.n), Objective("log-ls"))
    theta = problem.model.thetas(np.array([values[name] for name in problem.names]))
    J = problem.residual_jacobian(theta)
    scale = np.linalg.norm(J, axis=0)
    if not (np.isfinite(scale) & (scale > 0)).all() or np.linalg.cond(J / scale) > 1e8:
        return None
    back = problem.model.jacobian(theta) / scale
    covariance = ERROR**2 * points.n / n * back @ np.linalg.inv((J / scale).T @ (J / scale)) @ back.T
    t = float(stdtrit(n - problem.p, 0.5 + LEVEL / 2))
    spread = np.sqrt(np.diag(covariance))
    return {name: float(t * spread[problem.names.index(name)] / EXPONENT) for name in law.exponents}


def _typical(law: SumLaw, points: Points) -> Mapping[str, Any]:
    """Parameters of a law whose terms are alike at the middle of the sizes, and half of whose loss is irreducible."""
    offsets = law.offsets(points.labels)
    share = (1 - (IRREDUCIBLE if offsets else 0)) / max(len(law.power_terms), 1)
    middle = dict(zip(law.sizes, np.log(points.sizes).mean(axis=1), strict=True))
    values: dict[str, Any] = dict.fromkeys(offsets, IRREDUCIBLE)
    for term in law.power_terms:
        values |= dict.fromkeys(term.exponents, EXPONENT)
        values[term.coefficient] = share * np.exp(EXPONENT * sum(middle[column] for column in term.columns))
    if set(values) != set(law.names(points.labels)):
        raise InputError(f"the law {law.name}", "a sum of powers")
    return values
