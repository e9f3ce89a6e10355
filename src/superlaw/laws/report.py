"""What a fit says to a person: its warnings, first, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from superlaw.files.columns import in_columns
from superlaw.laws.certificate import FLAT_LEVEL, NOT, POORLY, STRONG_CORRELATION, Certificate
from superlaw.laws.estimate import Estimate
from superlaw.laws.law import Law
from superlaw.laws.minimum import Minimum

FEW_CLUSTERS = 30


def fit_warnings(
    best: Minimum, params: Mapping[str, Estimate], certificate: Certificate, interval: Mapping[str, Any]
) -> list[str]:
    """Plain sentences on what the fit cannot be trusted for, the gravest first."""
    out = []
    if not certificate.converged:
        out.append(f"not converged: the scaled gradient is {certificate.gradient:.1e}; do not use these numbers")
    if best.dof < 1:
        out.append("as many parameters as points: nothing is left to judge the errors by, so no intervals")
    out += _undetermined(params, certificate)
    out += _strong_correlations(certificate, best.problem.law)
    for name in certificate.at_bounds:
        out.append(f"{name} is at its bound ({params[name].value:g}); its interval is one-sided at best")
    if certificate.converged and certificate.agreement < 0.5:
        out.append(
            f"only {certificate.agreement:.0%} of {certificate.starts} starts ended at the best optimum: "
            "there may be a better one"
        )
    if interval.get("failed"):
        out.append(f"{interval['failed']} of {interval['replicates']} bootstrap replicates did not converge")
    if 0 < interval.get("clusters", 0) < FEW_CLUSTERS:
        out.append(
            f"{interval['clusters']} clusters: intervals from fewer than {FEW_CLUSTERS} are themselves uncertain"
        )
    if best.problem.objective.robust and interval["method"] == "profile" and best.dof > 0:
        out.append("profile intervals of Huber's loss take the errors as alike everywhere; the bootstrap does not")
    return out


def _undetermined(params: Mapping[str, Estimate], certificate: Certificate) -> list[str]:
    out = []
    if math.isinf(certificate.condition):
        out.append("the data do not determine the parameters: some combination of them changes nothing")
    for grade in ("not", "poorly"):
        for name in (name for name, found in certificate.flat.items() if found == grade):
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


def _strong_correlations(certificate: Certificate, law: Law) -> list[str]:
    """Exponents strongly correlated with one another or with an offset (their c always are with them)."""
    out = []
    for pair, value in certificate.correlation.items():
        first, _, second = pair.partition("~")
        exponents = [name in law.exponents for name in (first, second)]
        watched = all(exponents) or (any(exponents) and law.common_offset in (first, second))
        if watched and abs(value) >= STRONG_CORRELATION:
            out.append(f"{first} and {second} are strongly correlated ({value:+.2f}): read them together")
    return out


def _figure(x: float) -> str:
    return "" if math.isnan(x) else "inf" if math.isinf(x) else f"{x:.5g}"


def parameter_table(params: Mapping[str, Estimate], interval: Mapping[str, Any]) -> str:
    """A line for each parameter, below a header."""
    by_cluster, method = "cluster" in interval, interval["method"]
    ends = [] if method == "none" else [f"{interval['level']:.4g} low", "high"]
    rows = []
    for name, e in params.items():
        cells = [e.value, e.stderr, *([e.low, e.high] if ends else []), *([e.naive_stderr] if by_cluster else [])]
        rows.append([name, *map(_figure, cells)])
    return in_columns(["parameter", "value", "stderr", *ends] + ["naive stderr"] * by_cluster, rows)


def points_words(used: int, dropped: Mapping[str, Any]) -> str:
    """How many points were used and left out, and by which mask."""
    masks = []
    if dropped["where"]:
        masks.append(f"{dropped['by_where']} by where {dropped['where']!r}")
    if dropped["drop_highest"]:
        masks.append(f"{dropped['by_drop_highest']} by drop-highest {dropped['drop_highest']}, ties included")
    return f"points: {used} used, {dropped['rows']} left out" + (f" ({'; '.join(masks)})" if masks else "")


def certificate_words(c: Certificate) -> str:
    """The evidence in one line."""
    return (
        f"certificate: {'converged' if c.converged else 'NOT converged'}, scaled gradient {c.gradient:.1e}, "
        f"{c.agreement:.0%} of {c.starts} starts agree, condition {c.condition:.3g}"
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
        "sandwich": f"sandwich{group}, t quantiles, level {level}",
        "none": "none asked; stderr from the covariance",
    }[method]
