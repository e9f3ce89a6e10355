"""What a fit says to a person: its warnings, first, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from superlaw.files.numbers import rounded
from superlaw.laws.certificate import FLAT_LEVEL, NOT, POORLY, STRONG_CORRELATION, Certificate
from superlaw.laws.doubts import doubts
from superlaw.laws.estimate import Estimate
from superlaw.laws.kin import Kin
from superlaw.laws.known import Known
from superlaw.laws.minimum import Minimum
from superlaw.laws.own_runs import status_words
from superlaw.laws.unseen import UnseenTerm

FEW_CLUSTERS = 30  # for a bootstrap
FEWEST_NAMES, FEW_NAMES = 5, 20  # of text in a column: alike errors of so few groups are found too seldom
FEW_DOF, FEW_DOF_OF_CLUSTERS = 3.0, 4.0  # of a parameter's variance
FEW_POINTS = 10  # degrees of freedom of a fit
FEW_FOR_PROFILE = 60  # below which unequal spread is found too seldom
MOST_LEVERAGE = 0.99
FEW_PLACES = 4  # from which starts set out
DECIDED, CONTRADICTED = 0.95, 3.0  # share of what is known of a parameter that is its prior, and errors apart
NOTHING_ADDED = 1e-6  # of a share: rounding


def fit_warnings(
    best: Minimum,
    params: Mapping[str, Estimate],
    certificate: Certificate,
    interval: Mapping[str, Any],
    kin: Kin,
    unseen: Sequence[UnseenTerm] = (),
) -> list[str]:
    """Plain sentences on what the fit cannot be trusted for and what to do, the gravest first."""
    out = [_unseen(term, best, len(unseen) == 1) for term in unseen]
    # Of several, each may stand for another: then what is wrong is not that one is absent.
    gone = set(unseen[0].parameters) if len(unseen) == 1 else set()
    explained = bool(gone) and unseen[0].settled and gone.issuperset(best.edges)
    if best.edges and not explained:
        out.append(
            f"not certified: {' and '.join(best.edges)} ended at the bound of what is searched, where the law "
            "degenerates and a better optimum may lie elsewhere: use a smaller law, or points further apart"
        )
    elif not certificate.converged and not explained:
        out.append(
            f"not converged: the scaled gradient is {certificate.gradient:.1e}, or lower values keep turning up along "
            "a flat direction; do not use these numbers: use a smaller law, or points further apart"
        )
    if best.dof < 1:
        out.append("as many parameters as points: nothing is left to judge the errors by, so no intervals")
    elif certificate.exact:
        out.append("the law passes through every point to rounding: nothing is left to judge the errors by")
    out += _undetermined({k: v for k, v in params.items() if k not in gone}, certificate, explained)
    exponents = [best.problem.names[k] for k in best.problem.exponents]
    out += _strong_correlations(certificate, exponents, best.problem.law.common_offset)
    given = [name for name, at in zip(best.problem.names, best.at_given, strict=True) if at]
    for name in (name for name in certificate.at_bounds if name not in gone):
        own = "the bound that it was given" if name in given else "its bound"
        out.append(f"{name} is at {own} ({params[name].value:g}); its interval is one-sided at best")
    out += _of_priors(best)
    if certificate.converged and certificate.agreement < 0.5:
        out.append(
            f"only {certificate.agreement:.0%} of {certificate.starts} starts ended at the best optimum: "
            "there may be a better one: more --starts, or a --start of your own"
        )
    if interval.get("failed"):
        words = f"{interval['failed']} of {interval['replicates']} bootstrap replicates did not converge"
        if asked := interval.get("asked_replicates"):
            words += f", and no more of {asked} were drawn: the data hardly determine the law"
        out.append(words)
    return out + interval_warnings(best, interval, kin)


def interval_warnings(best: Minimum, interval: Mapping[str, Any], kin: Kin) -> list[str]:
    """Why the intervals may be too narrow, or rough: errors not as the method takes them, or a small design."""
    return _alike(best, interval, kin) + _small(best, interval)


def _alike(best: Minimum, interval: Mapping[str, Any], kin: Kin) -> list[str]:
    """What speaks against errors that are independent and, for the methods that need it, alike."""
    out, uneven = [], interval["method"] in ("profile", "none") and not best.problem.objective.robust
    found = doubts(best, kin, uneven)
    if kin.repeated:
        rows = "1 row repeats" if kin.repeated == 1 else f"{kin.repeated} rows repeat"
        out.append(f"{rows} another in every column and count twice: leave them out")
    for doubt in found:
        p = f"p = {doubt.p:.2g}"
        if doubt.kind == "spread":
            out.append(f"the errors {doubt.of} ({p}): these intervals take them as alike; interval sandwich does not")
        elif doubt.kind == "groups":
            out.append(
                f"rows of {doubt.of} have errors in common ({p}): they are fewer independent points than they seem, "
                "or the law does not hold there; name what was drawn independently with --cluster"
            )
        else:
            out.append(
                f"the errors of rows that follow one another in {doubt.of!r} are alike ({p}): checkpoints of one run "
                "are not independent points: name the run with --cluster; or the law bends another way than the data"
            )
    seen = {doubt.of for doubt in found}
    for column, count in kin.named.items():
        if best.members is None and FEWEST_NAMES <= count < FEW_NAMES and f"the column {column!r}" not in seen:
            out.append(
                f"the column {column!r} has {count} names for {best.problem.n} rows, too few to tell from the errors "
                f"whether rows of one are alike: if they may be, --cluster {column}"
            )
    return out


def _small(best: Minimum, interval: Mapping[str, Any]) -> list[str]:
    """What the design alone says against the intervals."""
    method, clusters, robust = interval["method"], interval.get("clusters", 0), best.problem.objective.robust
    if best.dof < 1 or method == "none":
        return []
    out = []
    enough = FEW_DOF_OF_CLUSTERS if clusters else FEW_DOF
    few = [name for name, dof in zip(best.problem.names, interval.get("dof", ()), strict=False) if dof < enough]
    if few:
        least = min(interval["dof"])
        of = f"few of the {clusters} clusters" if clusters else "few points"
        out.append(
            f"{of} decide {', '.join(few)} ({least:.2g} degrees of freedom at least): the intervals are wide, and "
            "rough: more runs at the ends of the range of sizes"
        )
    elif not clusters and best.dof < FEW_POINTS:
        out.append(f"{best.dof} degrees of freedom: intervals from so few are rough; more points")
    if clusters and method == "bootstrap" and clusters < FEW_CLUSTERS:
        out.append(
            f"{clusters} clusters: bootstrap intervals from fewer than {FEW_CLUSTERS} are themselves uncertain, and "
            "often too narrow; interval sandwich reckons with it"
        )
    if method == "profile" and robust:
        out.append("profile intervals of Huber's loss take the errors as alike everywhere; the bootstrap does not")
    elif method == "profile" and best.dof < FEW_FOR_PROFILE:
        out.append(
            f"profile intervals take the errors as alike, which {best.dof} degrees of freedom cannot test; "
            "interval sandwich does not need it"
        )
    if best.leverage.max() > MOST_LEVERAGE:
        row = int(np.argmax(best.leverage))
        out.append(
            f"one point (row {row + 1} of those used) decides a combination of parameters alone: no error of it shows"
        )
    return out


def _of_priors(best: Minimum) -> list[str]:
    """Priors that the losses contradict, and parameters of which these say nothing."""
    prior, out = best.problem.prior, []
    if prior is None or best.dof < 1:
        return []
    rows = prior.rows / prior.sigma[:, None]
    shares = np.diag(rows @ best.covariance() @ rows.T)  # of the prior's variance that is left
    for k, (error, share) in enumerate(zip(prior.errors(best.theta), shares, strict=True)):
        name, apart = best.problem.names[prior.at[k]], abs(error) / math.sqrt(max(1 - share, 1e-12))
        if apart > CONTRADICTED and 1 - share > NOTHING_ADDED:
            out.append(f"the losses and the prior of {name} are {apart:.1f} standard errors apart: one is wrong")
        elif share > DECIDED:
            out.append(f"{name} is decided by its prior: the losses add {1 - share:.1%} to what is known of it")
    return out


def _unseen(term: UnseenTerm, best: Minimum, alone: bool) -> str:
    """One sentence: it is not seen, by which test, and what to do."""
    names = " and ".join(term.parameters)
    left = (
        "the law passes through every point" if best.exact else f"the law explains as much (F test, p = {term.p:.2g})"
    )
    exponent = term.parameters[-1]
    beside = "" if alone else " beside the others"
    return (
        f"no term of {term.columns} is seen{beside}: without it {left}; {names} mean nothing, nor does an offset "
        f"beside them: drop the term, or say what is known of it (--bound {exponent}=0.1:2, --fix {exponent}=VALUE)"
    )


def _undetermined(params: Mapping[str, Estimate], certificate: Certificate, explained: bool = False) -> list[str]:
    out = []
    if math.isinf(certificate.condition) and not explained:
        out.append("the data do not determine the parameters: some combination of them changes nothing")
    for grade in ("not", "poorly"):
        for name in (name for name, found in certificate.flat.items() if found == grade and name in params):
            estimate = params[name]
            factors = NOT if grade == "not" else POORLY
            ends = ""
            if not math.isnan(estimate.low):
                ends = f"; interval {estimate.low:.3g} to {estimate.high:.3g}"
            verdict = "not determined by these data" if grade == "not" else "poorly determined"
            allowed = f"{factors[0]:g} or {factors[1]:g} times {estimate.value:.3g}"
            out.append(f"{name} is {verdict}: at {FLAT_LEVEL:.0%} its profile allows {allowed}{ends}")
    for name, estimate in params.items():
        if math.isinf(estimate.high) and name not in certificate.flat:
            out.append(f"{name} has no upper end: its profile is flat above {estimate.value:.3g}")
    return out


def _strong_correlations(certificate: Certificate, names: Sequence[str], offset: str | None) -> list[str]:
    """Exponents strongly correlated with one another or with an offset (their c always are with them)."""
    out = []
    for pair, value in certificate.correlation.items():
        first, _, second = pair.partition("~")
        exponents = [name in names for name in (first, second)]
        watched = all(exponents) or (any(exponents) and offset in (first, second))
        if watched and abs(value) >= STRONG_CORRELATION:
            out.append(f"{first} and {second} are strongly correlated ({value:+.2f}): read them together")
    return out


def _figure(x: float, error: float) -> str:
    return "" if math.isnan(x) else "inf" if math.isinf(x) else rounded(x, min(error, abs(x)) if x else error)


def parameter_cells(
    params: Mapping[str, Estimate], interval: Mapping[str, Any], known: Known | None = None
) -> tuple[list[str], list[list[str]]]:
    """A header, and a row for each parameter."""
    by_cluster, method, known = "cluster" in interval, interval["method"], known or Known()
    ends = [] if method == "none" else [f"{interval['level']:.4g} low", "high"]
    rows = []
    for name, e in params.items():
        cells = [e.value, e.stderr, *([e.low, e.high] if ends else []), *([e.naive_stderr] if by_cluster else [])]
        figures = ["" if name in known.fixed and k else _figure(x, e.stderr) for k, x in enumerate(cells)]
        rows.append([name, *figures, *([known.words(name)] if known else [])])
    return ["parameter", "value", "stderr", *ends] + ["naive stderr"] * by_cluster + ["given"] * bool(known), rows


def points_words(used: int, dropped: Mapping[str, Any]) -> str:
    """How many points were used and left out, of which status and by which mask."""
    masks = [status_words(dropped["by_status"])] if "by_status" in dropped else []
    if missing := dropped.get("by_missing"):
        of = ", ".join(f"{column} {count}" for column, count in missing["columns"].items())
        masks.append(f"{missing['rows']} with empty cells" + (f": {of}" if of else ""))
    if dropped["where"]:
        masks.append(f"{dropped['by_where']} by where {dropped['where']!r}")
    if dropped["drop_highest"]:
        masks.append(f"{dropped['by_drop_highest']} by drop-highest {dropped['drop_highest']}, ties included")
    return f"points: {used} used, {dropped['rows']} left out" + (f" ({'; '.join(masks)})" if masks else "")


def certificate_words(c: Certificate) -> str:
    """The evidence in one line."""
    return (
        f"certificate: {'converged' if c.converged else 'NOT converged'}, "
        + ("no errors left to compare the gradient with, " if c.exact else f"scaled gradient {c.gradient:.1e}, ")
        + f"{c.agreement:.0%} of {c.starts} starts"
        + (f" (from {c.places} places)" if c.places is not None and c.places < min(c.starts, FEW_PLACES) else "")
        + f" agree, condition {c.condition:.3g}"
        + ("" if c.derivatives == "exact" else f", derivatives by {c.derivatives}")
    )


def interval_words(interval: Mapping[str, Any]) -> str:
    """How the intervals were made."""
    method, level = interval["method"], f"{interval['level']:.4g}"
    group = f" of the {interval['clusters']} clusters of {interval['cluster']!r}" if "cluster" in interval else ""
    return {
        "profile": f"profile of the objective, calibrated by F, level {level}; stderr from the covariance",
        "bootstrap": f"bootstrap{group or ' of points'}, {interval.get('replicates')} replicates, "
        f"percentiles, level {level}",
        "sandwich": f"sandwich{group or ' of points'} (CR2), "
        f"t quantiles of {min(interval.get('dof', [math.nan])):.3g} degrees of freedom and more, level {level}",
        "none": f"none{' of what did not converge' if 'asked' in interval else ' asked'}; stderr from the covariance",
    }[method]
