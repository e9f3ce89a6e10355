"""What was published for each figure: its points, its values in words, the experiment with the cuts that still answer.

A value published as "about" without an error is given the standard error ``ABOUT``, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest
from superlaw.findings.comparable import ComparableRuns, RunsByFamily, nearest_to
from superlaw.findings.exponents import exponent_difference
from superlaw.findings.figure_comparison import FigureComparison
from superlaw.findings.points import (
    EXPONENTS,
    SHARES,
    exponents_beside,
    losses_beside,
    published_line,
    published_value,
    shares_beside,
)
from superlaw.findings.regimes import STRONG_FROM, regime
from superlaw.findings.verdicts import ABOUT_ONE, Claim, about, compare, estimated, fitted, untested, within_factor
from superlaw.findings.width_depth import SIZES, ChinchillaTerms
from superlaw.sweeps.ladder import Rung
from superlaw.sweeps.plan import load_plan
from superlaw.theory.strong import strongly_represented

ABOUT = 0.05  # standard error given to what was published as "about 1"
GROWTH = -0.5  # weight decay below which all features are represented
ALPHA = 1.0  # the data exponent at which represented features are counted, or the nearest there is
# family, narrowest width used, exponent at gamma = -1; and E, exponent, its error at gamma = -1
WIDE = (("exponential", 0, 1.005), ("power", 32, 0.984), ("linear", 32, 0.886))
BY_DENSITY = ((1.0, 1.12, 0.06), (7.485470860550345, 1.1, 0.2))
TERMS = ((0.98, 0.08), (1.2, 0.3), (0.299, 0.014))  # exponents of width, depth, tokens
PARAMS_OF_WIDTH, WIDTH = (2.52, 0.03), (0.88, 0.06)

GRID, DENSITY = "weight-decay-grid", "density-grid"
FIVE, THREE = (0, 0.5, 1, 1.5, 2), (0, 1, 2)
ALL_DECAYS = load_plan(GRID).axes["weight_decay"]
# Fine where the transition is (gamma from -0.8 to 0.1), coarse elsewhere.
EIGHT_DECAYS = tuple(ALL_DECAYS[i] for i in (0, 1, 2, 3, 4, 5, 7, 9))
FOUR_WIDTHS, THREE_WIDTHS = (10, 25, 63, 100), (10, 25, 63)
STRONG_DECAYS, WEAK_DECAYS = ALL_DECAYS[:3:2], ALL_DECAYS[5::2]
ENDS = (ALL_DECAYS[0], ALL_DECAYS[-1])
DENSITIES = load_plan(DENSITY).axes["activation_density"][::4]


@dataclass(frozen=True)
class Published:
    """A figure of the study: ``judge`` holds its words against the finding that the figure paints.

    ``points`` holds what was read of it as points against the same, one to one. ``ladder`` has the plans of its runs,
    from the published experiment down to the smallest that still answers its
    question; it is empty for a figure of a published table.
    """

    judge: Callable[[Any], list[Claim]]
    ladder: tuple[Rung, ...] = ()
    points: Callable[[Any], tuple[FigureComparison, ...]] = lambda found: ()


def published(figure: str) -> Published:
    """What was published for the figure of that name; InputError where nothing was."""
    if figure not in PUBLISHED:
        hint = closest(figure, PUBLISHED)
        raise InputError(f"the figure {figure!r}", f"one with published values: {', '.join(PUBLISHED)}",
                         f"{hint} (any other is drawn with superlaw figure)".strip())  # fmt: skip
    return PUBLISHED[figure]


def _weight_decay(chosen: ComparableRuns) -> list[Claim]:
    good, decays = chosen.good, np.array(chosen.values("weight_decay"))
    found = []
    for decay in decays[decays < GROWTH]:
        here = good[good["weight_decay"] == decay]["represented_fraction"]
        what = f"phi_1/2 at gamma = {decay:.3g}, all widths and alpha"
        claim = about(what, f"about 1 (at least {STRONG_FROM})", here, lambda phi: phi >= STRONG_FROM)
        found.append(claim.beside(published_value(SHARES, weight_decay=decay), " (m = 39)"))
    if decays[-1] > 0:
        alpha = nearest_to(chosen.values("data_exponent"), ALPHA)
        highest = chosen.cell(weight_decay=decays[-1], data_exponent=alpha)
        for m, here in highest[highest["status"] == "ok"].groupby("width"):
            what = f"represented features a dimension at alpha = {alpha:g}, gamma = {decays[-1]:.3g}, m = {m}"
            claim = about(what, ABOUT_ONE, here["represented"] / here["width"], within_factor)
            width, n = here["width"].iloc[0], here["n_features"].iloc[0]
            share = published_value(SHARES, weight_decay=decays[-1], data_exponent=alpha, width=width)
            found.append(claim if share is None else claim.beside(share * n / width))
    return found


def _exponents(chosen: ComparableRuns, regimes: tuple[str, ...]) -> list[Claim]:
    found = []
    for decay in chosen.values("weight_decay"):
        for alpha in chosen.values("data_exponent"):
            here = chosen.cell(weight_decay=decay, data_exponent=alpha)
            kind, where = regime(here), f"alpha_m at alpha = {alpha:g}, gamma = {decay:.3g}"
            if kind not in regimes:
                continue
            if kind == "strong" and alpha <= 1:
                said, value = "about 1", 1.0
            elif kind == "strong" and alpha >= 2:
                said, value = "toward 2 (α − 1)", 2 * (alpha - 1)
            elif kind == "weak" and alpha > 1:
                said, value = "about α − 1", alpha - 1
            else:
                continue
            claim = compare(where, said, value, ABOUT, *fitted(here))
            found.append(claim.beside(published_value(EXPONENTS, weight_decay=decay, data_exponent=alpha)))
    return found


def _weak(chosen: ComparableRuns) -> list[Claim]:
    found = _exponents(chosen, ("weak",))
    good = chosen.good[chosen.good["unlearned_loss"] > 0]
    for decay in (decay for decay in chosen.values("weight_decay") if decay >= 0):
        here = good[np.isclose(good["weight_decay"], decay)]
        what = f"loss / loss by unlearned features, gamma = {decay:.3g}"
        found.append(about(what, ABOUT_ONE, here["loss"] / here["unlearned_loss"], within_factor))
    return found


def _strong(chosen: ComparableRuns) -> list[Claim]:
    decay = chosen.values("weight_decay")[0]
    here = chosen.cell(weight_decay=decay, data_exponent=1)
    here = here[here["status"] == "ok"]
    found = _exponents(chosen, ("strong",))
    for m, at in here.groupby("width"):
        room = strongly_represented(at["width"].iloc[0])
        if room < at["n_features"].iloc[0]:  # else there is more room than features
            found.append(
                about(f"long rows / (m²/2), alpha = 1, m = {m}", ABOUT_ONE, at["strong"] / room, within_factor)
            )
    for m, at in here[here["strong"] > 2 * here["width"]].groupby("width"):
        spread = at["strong_square_overlap_variance"] / at["random_square_overlap_variance"]
        what = f"variance of the long rows' squared overlaps / random, m = {m}"
        found.append(about(what, "below 1", spread, lambda ratio: ratio < 1))
        bound = at["strong_mean_square_overlap"] / at["strong_welch"]
        found.append(about(f"long rows' mean squared overlap / Welch, m = {m}", ABOUT_ONE, bound, within_factor))
    return found


def _overview(chosen: ComparableRuns) -> list[Claim]:
    decay, found = chosen.values("weight_decay")[0], []
    for family, least, value in WIDE:
        here = chosen.cell(weight_decay=decay, frequencies=family)
        here = here[here["width"] >= least]
        widths = f", m >= {least}" if least else ""
        what = f"alpha_m, {family}, gamma = {decay:.3g}{widths}"
        claim = compare(what, f"{value}", value, 0.0, *fitted(here))
        found.append(claim.beside(published_line(family, decay, least)))
    return found


def _density(chosen: ComparableRuns) -> list[Claim]:
    decay, found = chosen.values("weight_decay")[0], []
    for density, value, error in BY_DENSITY:
        fit = fitted(chosen.cell(weight_decay=decay, activation_density=density))
        what = f"alpha_m at E = {density:.3g}, gamma = {decay:.3g}"
        claim = compare(what, f"{value} ± {error}", value, error, *fit)
        line = published_value(EXPONENTS, weight_decay=decay, data_exponent=1) if density == 1 else None
        found.append(claim.beside(line))
    ends = chosen.values("activation_density")[0], chosen.values("activation_density")[-1]
    said = "0 (does not depend on E)"
    for decay in chosen.values("weight_decay"):
        low, high = (chosen.cell(weight_decay=decay, activation_density=end) for end in ends)
        if {regime(low), regime(high)} != {"strong"}:
            continue
        what = f"alpha_m at E = {ends[1]:.3g} less that at E = {ends[0]:.3g}, gamma = {decay:.3g}"
        moved = exponent_difference(low, high) if ends[0] < ends[1] else None
        found.append(compare(what, said, 0.0, 0.0, moved))
    strong = len(found) > len(BY_DENSITY)
    return found if strong else [*found, untested("alpha_m at the highest E less that at the lowest", said)]


def _chinchilla(terms: ChinchillaTerms) -> list[Claim]:
    fit, grown = terms.fit, terms.grown
    found = [
        compare(f"exponent of {name}", f"{value} ± {error}", value, error, estimated(fit[f"a_{column}"]))
        for (column, name), (value, error) in zip(SIZES.items(), TERMS, strict=True)
    ]
    for what, estimate, (value, error) in (
        ("k of N ~ m^k, over architectures", grown.slope, PARAMS_OF_WIDTH),
        ("alpha_m = k alpha_N", grown.alpha_m, WIDTH),
    ):
        found.append(compare(what, f"{value} ± {error}", value, error, estimated(estimate)))
    return found


def _all_exponents(found: RunsByFamily) -> list[Claim]:
    power = found.families.get("power")
    return _exponents(power, ("strong", "weak")) if power else []


def _lines_where(keep: Callable[[Any], Any]) -> Callable[[ComparableRuns], tuple[FigureComparison, ...]]:
    return lambda chosen: (exponents_beside(chosen.good, keep),)


def _density_points(chosen: ComparableRuns) -> tuple[FigureComparison, ...]:
    """Its row E = 1 is the row alpha = 1 of figure 4b; at other E no figure was read."""
    good = chosen.good
    alone = good[np.isclose(good["activation_density"], 1)]
    return (exponents_beside(alone, lambda table: table["data_exponent"] == 1),)


def _all_points(found: RunsByFamily) -> tuple[FigureComparison, ...]:
    power = found.families.get("power")
    return (exponents_beside(power.good),) if power else ()


PUBLISHED: dict[str, Published] = {
    "weight-decay": Published(
        _weight_decay,
        (
            Rung(GRID, 20_000),
            Rung(GRID, 6000, {"data_exponent": FIVE, "width": FOUR_WIDTHS}),
            Rung(GRID, 2500, {"data_exponent": THREE, "weight_decay": EIGHT_DECAYS, "width": THREE_WIDTHS}),
            Rung(GRID, 2000, {"data_exponent": (1,), "weight_decay": EIGHT_DECAYS, "width": THREE_WIDTHS}),
        ),
        lambda chosen: (shares_beside(chosen.good), exponents_beside(chosen.good)),
    ),
    "exponents": Published(
        _all_exponents,
        (
            Rung(GRID, 20_000),
            Rung(GRID, 8000, {"data_exponent": FIVE, "weight_decay": (*STRONG_DECAYS, *WEAK_DECAYS)}),
            Rung(GRID, 4000, {"data_exponent": FIVE, "weight_decay": (ENDS[0], WEAK_DECAYS[0]), "width": FOUR_WIDTHS}),
            Rung(GRID, 2000, {"data_exponent": THREE, "weight_decay": (ENDS[0], WEAK_DECAYS[0]), "width": FOUR_WIDTHS}),
        ),
        _all_points,
    ),
    "weak": Published(
        _weak,
        (
            Rung(GRID, 20_000),
            Rung(GRID, 10_000, {"data_exponent": FIVE, "weight_decay": WEAK_DECAYS}, (0, 1)),
            Rung(GRID, 5000, {"data_exponent": FIVE, "weight_decay": WEAK_DECAYS}),
            Rung(GRID, 3000, {"data_exponent": (1, 1.5, 2), "weight_decay": WEAK_DECAYS[:1], "width": FOUR_WIDTHS}),
        ),
        _lines_where(lambda table: table["weight_decay"] >= 0),
    ),
    "strong": Published(
        _strong,
        (
            Rung(GRID, 20_000),
            Rung(GRID, 20_000, {"data_exponent": FIVE, "weight_decay": STRONG_DECAYS}, (0, 1)),
            Rung(GRID, 8000, {"data_exponent": FIVE, "weight_decay": ENDS[:1]}),
            Rung(GRID, 3000, {"data_exponent": THREE, "weight_decay": ENDS[:1], "width": FOUR_WIDTHS}),
        ),
        _lines_where(lambda table: table["weight_decay"] < 0),
    ),
    "overview": Published(
        _overview,
        (
            Rung("wide", 40_000),
            Rung("wide-medium", 10_000),
            Rung("wide-medium", 4000, {"width": (8, 16, 32, 64, 128)}),  # those up to n/10
            Rung("wide-small", 2500),
        ),
        lambda chosen: losses_beside(chosen.good),
    ),
    "density": Published(
        _density,
        (
            Rung(DENSITY, 20_000),
            Rung(DENSITY, 10_000, {"activation_density": DENSITIES, "weight_decay": ENDS}, (0, 1)),
            Rung(DENSITY, 4000, {"activation_density": DENSITIES, "weight_decay": ENDS}),
            Rung(DENSITY, 3000, {"activation_density": DENSITIES, "weight_decay": ENDS[:1]}),
            Rung(DENSITY, 2500, {"activation_density": DENSITIES[::2], "weight_decay": ENDS[:1], "width": FOUR_WIDTHS}),
        ),
        _density_points,
    ),
    "chinchilla": Published(_chinchilla),
}
