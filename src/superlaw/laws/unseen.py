"""Terms that the losses do not show: without them the law explains as much."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy import special

from superlaw.laws.certificate import Certificate
from superlaw.laws.known import Known
from superlaw.laws.law import Term
from superlaw.laws.minimum import Minimum
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import solve

STARTS = 8
SEEN = 0.05  # p of the F test below which a term is seen


@dataclass(frozen=True)
class UnseenTerm:
    """A term: its columns, the parameters that go with it, and the p of the F test of its absence (1 without errors).

    ``settled``: without it the search converges.
    """

    columns: str
    parameters: tuple[str, ...]
    p: float
    settled: bool


def unseen_terms(best: Minimum, certificate: Certificate, seed: int = 0) -> list[UnseenTerm]:
    """Of a sum's terms that look amiss (at a bound, not determined, or the search did not settle), those not seen."""
    law = best.problem.law
    if best.dof < 1 or (len(law.power_terms) == 1 and law.common_offset is None):
        return []
    amiss = {*best.edges, *(name for name, grade in certificate.flat.items() if grade == "not")}
    unsettled = not certificate.converged or math.isinf(certificate.condition)
    out = []
    for term in law.power_terms:
        own = _own_parameters(best.problem, term)
        if own and (unsettled or amiss.intersection(own)):
            found = _without(best, term, own, seed)
            if found.p > SEEN:
                out.append(found)
    return out


def _own_parameters(problem: Problem, term: Term) -> tuple[str, ...]:
    """The parameters that no other term has, none where something is given of them."""
    others = [
        name for other in problem.law.power_terms if other != term for name in (other.coefficient, *other.exponents)
    ]
    own = tuple(name for name in (term.coefficient, *term.exponents) if name not in others)
    tied_to = [to for to, _ in problem.known.tied.values()]
    given = any(name in problem.known.names or name in tied_to for name in own)
    return () if given or term.coefficient not in own else own


def _without(best: Minimum, term: Term, own: tuple[str, ...], seed: int) -> UnseenTerm:
    problem, known = best.problem, best.problem.known
    gone = dict.fromkeys(own, 1.0) | {term.coefficient: 0.0}
    less = Problem.over(
        problem.law, problem.points, problem.target, problem.objective,
        Known({**known.fixed, **gone}, known.tied, known.bounds, known.priors),
    )  # fmt: skip
    prior = less.prior
    if prior is not None and problem.prior is not None:
        prior = replace(prior, strength=problem.prior.strength)
    less = replace(less, weights=problem.weights, prior=prior)
    found = solve(less, STARTS, seed)
    columns, settled = "*".join(term.columns), bool(found.converged[0])
    if best.exact:
        same = Minimum.at(less, found.theta[0], float(found.value[0])).exact
        return UnseenTerm(columns, own, 1.0 if same else 0.0, settled)
    rise = max(float(found.value[0]) - best.value, 0.0)
    f = 2 * rise / (len(own) * best.dispersion)
    return UnseenTerm(columns, own, float(special.fdtrc(len(own), best.dof, f)), settled)
