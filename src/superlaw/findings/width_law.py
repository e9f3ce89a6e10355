"""Does the loss of a table's runs fall as 1/width? The protocol of docs/studies/width-law-protocol.md for one table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import SuperlawError
from superlaw.files.records import json_ready
from superlaw.findings.pooled import PooledMean, pooled_mean
from superlaw.findings.width_design import WidthDesign, WidthRules, WidthTable, width_design
from superlaw.laws.compare import LawComparison, compare_laws
from superlaw.laws.estimate import Estimate
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.forms.kaplan import Kaplan
from superlaw.laws.known import Known
from superlaw.laws.law import Law
from superlaw.laws.result import Fit

if TYPE_CHECKING:
    import pandas as pd

WIDTH, COEFFICIENT = "a_width", "c_width"
LEVEL = 0.95
NORMAL = 1.959963984540054
KERNEL = 0.0  # alpha' - 1 at Zipf's alpha' = 1
MANIFOLD = 0.076 * 2.52  # 4/d at Kaplan's exponent in parameters, times Chinchilla's N ~ m^2.52


@dataclass(frozen=True, eq=False)
class WidthVerdict:
    """What one table says of width.

    Parameters
    ----------
    table : WidthTable
    design : WidthDesign
    cannot : str
        Why it cannot tell; empty where it can.
    fit : Fit or None
        The headline; None where the design cannot tell.
    comparison : LawComparison or None
    shared : Fit or None
        With one exponent for width and depth, where depth has a term.
    choices : tuple of (str, float)
        Objective and cut in words, and the exponent; NaN where that fit does not determine it.
    without : tuple of (float, float)
        Each width, and the exponent without it; NaN likewise.
    """

    table: WidthTable
    design: WidthDesign
    cannot: str
    fit: Fit | None = None
    comparison: LawComparison | None = None
    shared: Fit | None = None
    choices: tuple[tuple[str, float], ...] = ()
    without: tuple[tuple[float, float], ...] = ()
    decisive: float = math.inf
    inflation: float = math.inf

    @property
    def exponent(self) -> Estimate | None:
        """a_width, where the table can tell."""
        return None if self.cannot or self.fit is None else self.fit.params[WIDTH]

    @property
    def error(self) -> float:
        """The standard error that a normal interval of this width would have: small samples count as such."""
        found = self.exponent
        return math.nan if found is None else (found.high - found.low) / (2 * NORMAL)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the exponent describes the fit rather than the models; empty where nothing says so."""
        found, out = self.exponent, []
        if found is None or self.comparison is None:
            return ()
        law = AdditiveLaw(self.design.terms)
        ours = next(judged for judged in self.comparison.laws if judged.fit.law == law)
        lead = ours.fit.aic - self.comparison.best.fit.aic
        if lead > self.decisive:
            out.append(f"{self.comparison.best.name} is preferred (AIC by {lead:.1f})")
        for what, values in (("the choices move", self.choices), ("leaving one width out moves", self.without)):
            low, high = _range(values)
            if low < found.low or high > found.high:
                out.append(f"{what} it from {low:.2f} to {high:.2f}, beyond its interval")
        if self.design.with_learning_rate > self.inflation:
            out.append("it is that of width and learning rate together")
        return tuple(out)

    @property
    def verdict(self) -> str:
        """In a sentence."""
        found = self.exponent
        if found is None:
            return f"cannot tell: {self.cannot}"
        where = "holds 1" if found.low <= 1 <= found.high else "lies below 1" if found.high < 1 else "lies above 1"
        said = f"{found.value:.2f}: the interval, {found.low:.2f} to {found.high:.2f}, {where}"
        return said + (f"; within the form alone: {'; '.join(self.doubts)}" if self.doubts else "")

    def excludes(self, value: float) -> bool:
        """Whether the interval lies apart from a value."""
        found = self.exponent
        return found is not None and not found.low <= value <= found.high

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        design = self.design
        return json_ready({
            **asdict(self.table), "verdict": self.verdict, "cannot": self.cannot, "doubts": list(self.doubts),
            "exponent": None if self.exponent is None else asdict(self.exponent),
            "design": {name: getattr(design, name) for name in
                       ("rows", "counted", "terms", "held", "widths", "inflation", "with_learning_rate", "freedom")},
            "fit": self.fit.to_dict() if self.fit else None,
            "laws": self.comparison.to_dict() if self.comparison else None,
            "shared": self.shared.to_dict() if self.shared else None,
            "choices": [{"choice": what, "exponent": value} for what, value in self.choices],
            "without_width": [{"width": width, "exponent": value} for width, value in self.without],
        })  # fmt: skip


def judge_width(table: pd.DataFrame, columns: WidthTable, rules: WidthRules, quick: bool = False) -> WidthVerdict:
    """Put the protocol to a table.

    Parameters
    ----------
    table : DataFrame
    columns : WidthTable
    rules : WidthRules
    quick : bool
        The exponent and whether the table can tell alone, without other laws and choices.

    Raises
    ------
    InputError
        For columns or cells that cannot be used.
    """
    design = width_design(table, columns, rules)
    if design.cannot:
        return WidthVerdict(columns, design, design.cannot)
    runs, law = design.runs, AdditiveLaw(design.terms)
    cluster = "cluster" if runs["cluster"].nunique() > 1 else None
    fit = fit_law(runs, law, objective=rules.objective, cluster=cluster, interval="sandwich", level=LEVEL)
    found = WidthVerdict(columns, design, undetermined(fit), fit, decisive=rules.decisive, inflation=rules.inflation)
    if quick or found.cannot:
        return found
    laws = _laws(design)
    comparison = compare_laws(runs, laws, objective=rules.objective, cluster=cluster, cut_by="width", cuts=(rules.cut,))
    tied, shared = Known(tied={"a_depth": WIDTH}), None
    if "depth" in design.terms:
        shared = fit_law(runs, law, objective=rules.objective, cluster=cluster, interval="sandwich", known=tied)
    choices, without = _choices(design, law, rules), _without(design, law, rules)
    return replace(found, comparison=comparison, shared=shared, choices=choices, without=without)


def undetermined(fit: Fit) -> str:
    """Why a fit does not tell the exponent of its width; empty where it does."""
    if not fit.certificate.converged:
        if COEFFICIENT in fit.certificate.at_bounds:
            return "no width term is seen"
        return "the fit does not converge"
    if fit.certificate.flat.get(WIDTH) == "not":
        found = fit.params[WIDTH]
        return f"the exponent is not determined ({found.low:.2g} to {found.high:.2g})"
    if not math.isfinite(fit.params[WIDTH].high):
        return "the exponent has no upper end"
    return ""


def _laws(design: WidthDesign) -> list[Law]:
    """What the additive law is compared with, as far as the table has the columns."""
    terms = design.terms
    laws: list[Law] = [AdditiveLaw(terms)]
    if "depth" in terms:
        laws.append(AdditiveLaw(("width*depth", *terms[2:])))
    if "tokens" in terms and "N" in design.runs:
        laws += [Chinchilla("N", "tokens"), Kaplan("N", "tokens")]
    return laws


def _choices(design: WidthDesign, law: Law, rules: WidthRules) -> tuple[tuple[str, float], ...]:
    out = []
    for objective in rules.objectives:
        for left_out in rules.narrowest_left_out:
            narrowest = design.widths[int(left_out * len(design.widths))]
            runs = design.runs[design.runs["width"] >= narrowest]
            for share in rules.drop_shares:
                words = [objective, *([f"m >= {narrowest:g}"] if left_out else []),
                         *([f"without the highest {share:.0%} of the losses"] if share else [])]  # fmt: skip
                out.append((", ".join(words), _exponent(runs, law, objective, math.ceil(share * len(runs)))))
    return tuple(out)


def _without(design: WidthDesign, law: Law, rules: WidthRules) -> tuple[tuple[float, float], ...]:
    rest = ((width, design.runs[design.runs["width"] != width]) for width in design.widths)
    return tuple((width, _exponent(runs, law, rules.objective)) for width, runs in rest)


def _exponent(runs: pd.DataFrame, law: Law, objective: str, drop_highest: int = 0) -> float:
    """a_width of some of the runs; NaN where they do not determine it."""
    try:
        fit = fit_law(runs, law, objective=objective, drop_highest=drop_highest, interval="none")
    except SuperlawError:  # too few points or sizes are left: a result, told as "-"
        return math.nan
    known = fit.certificate.converged and fit.certificate.flat.get(WIDTH) != "not"
    return fit.params[WIDTH].value if known else math.nan


def _range(values: Sequence[tuple[Any, float]]) -> tuple[float, float]:
    known = [value for _, value in values if not math.isnan(value)]
    return (min(known), max(known)) if known else (math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class WidthAnswer:
    """All tables together: ``joint`` over one entry a source, ``of_all`` over every entry that can tell."""

    verdicts: tuple[WidthVerdict, ...]
    joint: PooledMean | None
    of_all: PooledMean | None

    @property
    def telling(self) -> tuple[WidthVerdict, ...]:
        """Those that can tell."""
        return tuple(one for one in self.verdicts if not one.cannot)

    @property
    def one_a_source(self) -> tuple[WidthVerdict, ...]:
        """Of each source the entry of most points that can tell."""
        best: dict[str, WidthVerdict] = {}
        for one in self.telling:
            if one.table.source not in best or one.design.counted > best[one.table.source].design.counted:
                best[one.table.source] = one
        return tuple(best.values())

    def excluding(self, value: float) -> int:
        """How many of those that can tell exclude a value."""
        return sum(one.excludes(value) for one in self.telling)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return json_ready({
            "joint": self.joint.to_dict() if self.joint else None,
            "of_all": self.of_all.to_dict() if self.of_all else None,
            "can_tell": len(self.telling),
            "exclude": {"1": self.excluding(1.0), "kernel 0": self.excluding(KERNEL),
                        "manifold 0.19": self.excluding(MANIFOLD)},
            "tables": [one.to_dict() for one in self.verdicts],
        })  # fmt: skip


def join_widths(verdicts: Sequence[WidthVerdict]) -> WidthAnswer:
    """The joint answer of several tables; no mean of fewer than two that can tell."""
    answer = WidthAnswer(tuple(verdicts), None, None)
    return replace(answer, joint=_pooled(answer.one_a_source), of_all=_pooled(answer.telling))


def _pooled(verdicts: Sequence[WidthVerdict]) -> PooledMean | None:
    if len(verdicts) < 2:
        return None
    values = [one.exponent.value for one in verdicts if one.exponent is not None]
    return pooled_mean(np.array(values), np.array([one.error for one in verdicts]), LEVEL)
