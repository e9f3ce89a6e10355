"""What a fit says to a person: its warnings, first, and its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from superlaw.laws.certificate import FLAT_LEVEL, NOT, POORLY, STRONG_CORRELATION, Certificate

if TYPE_CHECKING:
    from superlaw.laws.fit import Estimate, Fit
    from superlaw.laws.forms import Law
    from superlaw.laws.objective import Objective
    from superlaw.laws.table import Selection

FEW_CLUSTERS = 30


def fit_warnings(
    params: dict[str, Estimate],
    certificate: Certificate,
    law: Law,
    dof: int,
    interval: dict[str, Any],
    chosen: Selection,
    objective: Objective,
) -> list[str]:
    """Plain sentences on what the fit cannot be trusted for, the gravest first."""
    out = []
    if not certificate.converged:
        out.append(f"not converged: the scaled gradient is {certificate.gradient:.1e}; do not use these numbers")
    if dof < 1:
        out.append("as many parameters as points: nothing is left to judge the errors by, so no intervals")
    out += _undetermined(params, certificate)
    out += _strong_correlations(certificate, law)
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
    if objective.robust and interval["method"] == "profile" and dof > 0:
        out.append("profile intervals of Huber's loss take the errors as alike everywhere; the bootstrap does not")
    return out


def _undetermined(params: dict[str, Estimate], certificate: Certificate) -> list[str]:
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
        watched = all(exponents) or (any(exponents) and second in ("L_0", "E"))
        watched = watched or (any(exponents) and first in ("L_0", "E"))
        if watched and abs(value) >= STRONG_CORRELATION:
            out.append(f"{first} and {second} are strongly correlated ({value:+.2f}): read them together")
    return out


def _figure(x: float) -> str:
    return "" if math.isnan(x) else "inf" if math.isinf(x) else f"{x:.5g}"


def fit_report(fit: Fit) -> str:
    """The whole report: warnings, parameters, what was fitted and left out, evidence."""
    lines = [f"{formula(fit)}   loss: {fit.columns['loss']}"]
    lines += [f"WARNING: {warning}" for warning in fit.warnings]
    by_cluster = "cluster" in fit.interval
    method = fit.interval["method"]
    ends = [] if method == "none" else [f"{fit.interval['level']:.4g} low", "high"]
    header = ["parameter", "value", "stderr", *ends] + (["naive stderr"] if by_cluster else [])
    rows = [header]
    for name, e in fit.params.items():
        cells = [name, _figure(e.value), _figure(e.stderr)]
        if ends:
            cells += [_figure(e.low), _figure(e.high)]
        rows.append(cells + ([_figure(e.naive_stderr)] if by_cluster else []))
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines.append("")
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines += ["", f"intervals: {_interval_words(fit.interval)}"]
    left = fit.dropped["rows"]
    masks = []
    if fit.dropped["where"]:
        masks.append(f"{fit.dropped['by_where']} by where {fit.dropped['where']!r}")
    if fit.dropped["drop_highest"]:
        masks.append(f"{fit.dropped['by_drop_highest']} by drop-highest {fit.dropped['drop_highest']}, ties included")
    lines.append(f"points: {fit.n} used, {left} left out" + (f" ({'; '.join(masks)})" if masks else ""))
    what = "log L" if fit.loss.logarithmic else "L"
    lines.append(
        f"objective: {fit.objective:.8g}, {fit.objective_name}; rms error of {what} {fit.rms_error:.4g}; "
        f"{fit.dof} degrees of freedom; AIC {fit.aic:.2f}, BIC {fit.bic:.2f}"
    )
    c = fit.certificate
    lines.append(
        f"certificate: {'converged' if c.converged else 'NOT converged'}, scaled gradient {c.gradient:.1e}, "
        f"{c.agreement:.0%} of {c.starts} starts agree, condition {c.condition:.3g}"
        + ("" if c.derivatives == "exact" else f", derivatives by {c.derivatives}")
    )
    return "\n".join(lines)


def _interval_words(interval: dict[str, Any]) -> str:
    method, level = interval["method"], f"{interval['level']:.4g}"
    group = f" of the {interval['clusters']} clusters of {interval['cluster']!r}" if "cluster" in interval else ""
    return {
        "profile": f"profile of the objective, calibrated by F, level {level}; stderr from the covariance",
        "bootstrap": f"bootstrap{group or ' of points'}, {interval.get('replicates')} replicates, "
        f"percentiles, level {level}",
        "sandwich": f"sandwich{group}, t quantiles, level {level}",
        "none": "none asked; stderr from the covariance",
    }[method]


def formula(fit: Fit) -> str:
    """The law in symbols."""
    law = fit.law
    if law.name == "power":
        return f"L = C / {law.sizes[0]}^a" + (" + L_0" if "L_0" in fit.params else "")
    if law.name == "grouped":
        return f"L = C / {law.sizes[0]}^a + L_0[{','.join(law.groups)}]"
    if law.name == "chinchilla":
        return f"L = E + A / N^alpha + B / D^beta, N = {law.sizes[0]!r}, D = {law.sizes[1]!r}"
    if law.name == "kaplan":
        return f"L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, N = {law.sizes[0]!r}, D = {law.sizes[1]!r}"
    if law.name == "broken":
        offset = " + L_0" if "L_0" in fit.params else ""
        return f"L = C x^-a_1 [1 + (x/x_b)^(1/s)]^(-(a_2 - a_1) s){offset}, x = {law.sizes[0]!r}"
    if law.name == "additive":
        parts = []
        for term in law.columns()["terms"]:
            powers = " ".join(f"{column.strip()}^a_{column.strip()}" for column in term.split("*"))
            parts.append(f"c_{term} / {powers}" if "*" not in term else f"c_{term} / ({powers})")
        return "L = " + " + ".join(parts + (["L_0"] if "L_0" in fit.params else []))
    return f"L = function of {', '.join(law.sizes)}"
