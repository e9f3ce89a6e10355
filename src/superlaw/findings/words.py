"""What runs, a fit, a study of language models say in plain words, and what must be read before."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superlaw.files.numbers import rounded, with_error
from superlaw.findings.exponents import CURVED, LEVEL, RULE, left_out_in_words
from superlaw.findings.heads import laws_by_family
from superlaw.findings.width_depth import PARTS
from superlaw.laws.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.laws.result import Fit

DAMAGED = ("damaged", "stopped")
GEOMETRY = "strong superposition predicts 1"


@dataclass(frozen=True)
class InWords:
    """``warnings``, the gravest first, and ``verdict``: each number with its error."""

    warnings: tuple[str, ...]
    verdict: tuple[str, ...]


def said_of_runs(table: pd.DataFrame, cells: pd.DataFrame) -> InWords:
    """What runs say of their law.

    Parameters
    ----------
    table : DataFrame
        Of runs (sweeps.table), missing and diverged ones included.
    cells : DataFrame
        Their exponents (findings.exponents); empty where no run has a spec.

    Examples
    --------
    >>> import pandas as pd
    >>> nothing = pd.DataFrame({"status": []})
    >>> print(said_of_runs(nothing, pd.DataFrame()).verdict[0])
    Nothing can be said: there is no run.
    """
    counts = Counter(table["status"].astype(str).tolist())
    ended = counts.get("ok", 0) + counts.get("diverged", 0)
    if not ended:
        what = f"none of {len(table)} runs is here and whole" if len(table) else "there is no run"
        return InWords(tuple(_absent(counts, len(table))), (f"Nothing can be said: {what}.",))
    if not counts.get("ok"):
        all_of = f"all {ended} runs" if ended > 1 else "the only run"
        said = f"Nothing can be said of a law: {all_of} diverged, so that there is no loss."
        return InWords((*_absent(counts, len(table)), f"{all_of.capitalize()} diverged."), (said,))
    known = cells[cells["exponent"].notna()]
    warnings = [*_absent(counts, len(table)), *_diverged(counts, ended), *_of_lines(cells, known)]
    if not len(known):
        why = left_out_in_words(cells)
        return InWords(tuple(warnings), (f"Nothing can be said of a law: of {len(table)} runs {why}. {RULE}.",))
    if len(known) == 1:
        return InWords(tuple(warnings), tuple(_of_one(known.iloc[0])))
    verdict = [f"{len(known)} sets of runs that differ in width and seed alone have an exponent."]
    kinds = ("strong", "between", "weak", "none")
    return InWords(tuple(warnings), (*verdict, *(said for kind in kinds for said in _of_regime(known, kind))))


def said_of_fit(fit: Fit) -> InWords:
    """What a fit says of its law: exponents with their intervals, what no size removes, how far the law misses.

    Examples
    --------
    >>> from superlaw import PowerLaw, fit_law
    >>> width = [8.0, 16, 32, 64, 128, 256]
    >>> fit = fit_law({"width": width, "loss": [3 / m + 1 for m in width]}, PowerLaw("width"), interval="none")
    >>> print(said_of_fit(fit).verdict[0])
    The width part of the loss falls as 1/width^1.
    """
    certificate, law = fit.certificate, fit.law
    warnings = tuple(f"{warning}." for warning in fit.warnings)
    if not certificate.converged:
        return InWords(warnings, ("Nothing is to be concluded from this fit: it did not end at an optimum.",))
    said, undetermined = [], [name for name, grade in certificate.flat.items() if grade == "not"]
    columns = {term.exponents[0]: term.columns for term in law.power_terms if len(term.columns) == 1}
    for name in law.exponents:
        (column,) = columns.get(name, ("",))
        said.append(_of_exponent(name, column, fit[name], fit.interval, name in undetermined))
    if undetermined and len(undetermined) == len(law.exponents):
        said.insert(0, "These data determine no exponent of this law.")
    if law.common_offset in fit.params:
        offset = fit[law.common_offset]
        said.append(
            f"What none of the sizes removes is {law.common_offset} = {offset}{_interval(offset, fit.interval)}."
        )
    what = f"{fit.rms_error:.2g} of log L, about {100 * fit.rms_error:.2g} %" if fit.objective.logarithmic else \
           f"{fit.rms_error:.3g}"  # fmt: skip
    said.append(f"The law misses the {fit.n} losses by {what} (root mean square).")
    return InWords(warnings, tuple(said))


def said_of_models(
    heads: Mapping[str, Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], fit: Fit | None, no_fit: str
) -> InWords:
    """What language models say of superposition and of width.

    Parameters
    ----------
    heads : mapping of str to mapping
        By model name: a head's record, of lm.measure.
    rows : sequence of mapping
        One a model and corpus; ``model``, ``family`` and ``loss`` (None: not known).
    fit : Fit or None
        The joint law of the losses, and why there is none.
    no_fit : str
    """
    said = []
    kinds = [head["verdict_kind"] for head in heads.values() if "verdict_kind" in head]
    if kinds:
        strong = sum(kind in ("strong", "strong behind") for kind in kinds)
        said.append(f"{strong} of {len(kinds)} heads are in strong superposition by length and geometry, "
                    f"{kinds.count('long rows only')} by length alone.")  # fmt: skip
    for family, laws in laws_by_family(heads, {row["model"]: row["family"] for row in rows}).items():
        said += [f"{family}: mean squared overlap falls as 1/m^{law.slope}, {law.what} (random directions: 1)."
                 for law in laws]  # fmt: skip
    if fit is None:
        return InWords((), (*said, f"No joint fit: {no_fit}."))
    a, models = fit.params["a"], len({row["model"] for row in rows if row["loss"] is not None})
    falls = f"Loss less an offset for each family and corpus falls as 1/m^{a.value:.3g}"
    rests = f"{fit.n} losses of {models} models"
    if math.isnan(a.low):
        said.append(f"{falls}; no interval can be given ({rests}), so nothing is said of an exponent of 1.")
    else:
        said.append(f"{falls} (95 % interval {a.low:.3g} to {a.high:.3g}; {rests}).")
        where = "within" if a.low <= 1 <= a.high else "outside"
        said.append(f"An exponent of 1, which strong superposition predicts, is {where} the interval.")
    if a.low < a.value / 2 and a.high > 2 * a.value:
        said.append("The interval is so wide that these losses do not determine the exponent: more widths are needed.")
    return InWords(tuple(f"Warning of the fit: {warning}" for warning in fit.warnings), tuple(said))


def _absent(counts: Mapping[str, int], total: int) -> list[str]:
    said = []
    if counts.get("missing"):
        rest = ": what is said here rests on the others" if counts["missing"] < total else ""
        said.append(f"{counts['missing']} of {total} planned runs are missing{rest}.")
    damaged = sum(counts.get(status, 0) for status in DAMAGED)
    if damaged:
        said.append(f"{damaged} runs are damaged or were stopped, and are left out; superlaw sweep verify names them.")
    return said


def _diverged(counts: Mapping[str, int], ended: int) -> list[str]:
    diverged = counts.get("diverged", 0)
    return [f"{diverged} of {ended} runs diverged and are on no line."] if diverged else []


def _of_lines(cells: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """What speaks against the lines."""
    said = []
    tested = known[known["lack_of_fit"].notna()]
    bent = int((tested["lack_of_fit"] < CURVED).sum())
    if bent:
        said.append(
            f"In {bent} of the {len(tested)} sets whose seeds can tell, the line is bent (p < {CURVED:g}): "
            "these exponents are local slopes, not laws."
        )
    elif len(known) and not len(tested):
        said.append("One seed each: nothing here tells how much seeds differ, nor whether a line is bent.")
    if not len(known):
        said.append("These runs determine no exponent.")
    elif len(known) < len(cells):
        said.append(f"{len(cells) - len(known)} of {len(cells)} sets of runs have no exponent.")
    return said


def _of_one(cell: pd.Series) -> list[str]:
    widths = cell["widths"]
    bent = "Locally the" if cell["lack_of_fit"] < CURVED else "The"
    power = f"({with_error(cell['exponent'], cell['stderr'])})"
    said = (
        f"{bent} loss falls as 1/m^{power} over m = {widths[0]} to {widths[-1]} "
        f"({LEVEL:.0%} interval {rounded(cell['low'], cell['stderr'])} to {rounded(cell['high'], cell['stderr'])}; "
        f"{_seeds(cell['seeds'])}), in "
        f"{_in_words(cell['regime'])}."
    )
    theory = cell["theory"]
    if theory != theory:
        return [said, "Theory has no power law there."]
    where = "within" if cell["low"] <= theory <= cell["high"] else "outside"
    return [said, f"Theory has {theory:.3g} there, {where} the interval."]


def _of_regime(known: pd.DataFrame, kind: str) -> list[str]:
    cells = known[known["regime"] == kind]
    if not len(cells):
        return []
    values = cells["exponent"]
    said = f"{_in_words(kind).capitalize()}: " + (
        f"1/m^({with_error(values.iloc[0], cells['stderr'].iloc[0])}) in the only set"
        if len(cells) == 1
        else f"exponents from {values.min():.2f} to {values.max():.2f} in {len(cells)} sets, median "
        f"{values.median():.2f}, standard errors {cells['stderr'].min():.2g} to {cells['stderr'].max():.2g}"
    )
    held = cells[cells["theory"].notna()]
    if len(held):
        inside = int(((held["low"] <= held["theory"]) & (held["theory"] <= held["high"])).sum())
        said += f"; theory's value lies within the {LEVEL:.0%} interval in {inside} of {len(held)}"
    return [f"{said}."]


def _in_words(regime: str) -> str:
    return {"strong": "strong superposition", "weak": "weak superposition", "none": "models as wide as their features",
            "between": "superposition between weak and strong"}.get(regime, "an unknown regime")  # fmt: skip


def _seeds(count: int) -> str:
    return "one seed" if count == 1 else f"{count} seeds"


def _of_exponent(name: str, column: str, estimate: Estimate, interval: dict, undetermined: bool) -> str:
    if undetermined:
        what = f"How loss falls with {column}" if column else f"The exponent {name}"
        return f"{what} is not determined: {name} = {estimate.value:.3g}{_interval(estimate, interval)}."
    said = f"The {column} part of the loss falls as 1/{column}^{_power(estimate)}" if column else f"{name} = {estimate}"
    said += _interval(estimate, interval)
    if column in PARTS["width"] and math.isfinite(estimate.low) and math.isfinite(estimate.high):
        where = "within" if estimate.low <= 1 <= estimate.high else "outside"
        said += f"; {GEOMETRY}, {where} the interval"
    return f"{said}."


def _power(estimate: Estimate) -> str:
    text = str(estimate)
    return f"({text})" if "±" in text else text


def _interval(estimate: Estimate, interval: dict) -> str:
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    return f" ({interval['level']:.0%} interval {_end(estimate.low)} to {_end(estimate.high)})"


def _end(value: float) -> str:
    return "without end" if math.isinf(value) else f"{value:.3g}"
