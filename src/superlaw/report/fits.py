"""What a page says of a fitted law: parameters, the curve through its points, the points themselves."""

from __future__ import annotations

import math

from superlaw.figures import law as figure
from superlaw.figures import law_residuals
from superlaw.findings.words import said_of_fit
from superlaw.laws import report
from superlaw.laws.result import Fit
from superlaw.report.page import Facts, Part, Section, Table

QUESTION = "What law do these losses obey, and do they determine it?"


def fit_part(fit: Fit, name: str) -> Part:
    """A part on a fit; without its points (of one read back from JSON) there is no curve, and that is said."""
    words = said_of_fit(fit)
    left_out = [f"{report.points_words(fit.n, fit.dropped).removeprefix('points: ')}."]
    sections = [parameters_section(fit)]
    if fit.data is None:
        left_out.append("The points and the curve: the file of this fit does not hold them (it is of an older version, "
                        "or they are too many); superlaw law fit --report makes a page that does.")  # fmt: skip
    else:
        pictures = (figure.data(fit), law_residuals.data(fit))
        sections.append(Section("The law through its points", figures=pictures, tables=(_points(fit),)))
    return Part(name, QUESTION, words.warnings, words.verdict, tuple(sections), tuple(left_out))


def parameters_section(fit: Fit) -> Section:
    """The law, its parameters, and what the numbers rest on."""
    frame = fit.to_frame()
    facts = (
        ("law", fit.law.formula),
        ("loss", str(fit.columns["loss"])),
        ("points", report.points_words(fit.n, fit.dropped).removeprefix("points: ")),
        ("range of the sizes", "; ".join(f"{c} {low:.4g} to {high:.4g}" for c, (low, high) in fit.ranges.items())),
        ("minimised", f"{fit.objective_name}: {fit.objective_value:.6g}, {fit.dof} degrees of freedom"),
        ("intervals", report.interval_words(fit.interval)),
        ("certificate", report.certificate_words(fit.certificate).removeprefix("certificate: ")),
        *([("AIC, BIC", f"{fit.aic:.2f}, {fit.bic:.2f}")] if math.isfinite(fit.aic) else []),
    )
    rows = tuple((str(name), *values) for name, *values in frame.itertuples(name=None))
    note = (
        f"Intervals of {fit.interval['level']:.0%}." if fit.interval["method"] != "none" else "No intervals were made."
    )
    table = Table("parameters", "Parameters", ("parameter", *map(str, frame.columns)), rows, note)
    return Section("The fit", facts=(Facts("", facts),), tables=(table,))


def _points(fit: Fit) -> Table:
    assert fit.data is not None  # fit_part asks before
    points, losses = fit.data.points, fit.data.losses
    fitted, errors = fit.loss_at(points)[0], fit.errors()
    groups = [points.labels[g] for g in points.group] if points.labels else []
    columns = ("row", *fit.law.sizes, *(["group"] if groups else []), "loss", "fitted",
               f"error of {'log L' if fit.objective.logarithmic else 'L'}")  # fmt: skip
    rows = []
    for k, row in enumerate(fit.data.rows.tolist()):
        rows.append((f"row {row + 1}", *map(float, points.sizes[:, k]), *groups[k : k + 1], float(losses[k]),
                     float(fitted[k]), float(errors[k])))  # fmt: skip
    note = "Rows are counted from 1 in the table that was fitted, its header not counted."
    return Table("points", "Points", columns, tuple(rows), note, True, digits=6)
