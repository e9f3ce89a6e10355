"""What was published, beside what was measured here, with a verdict for each (docs/science.md#published-findings).

A number agrees when it lies within the 95 % margin of the difference: our t interval, and 1.96 published
standard errors, in quadrature. Where a value was published as "about" without an error, ``ABOUT`` stands for
its standard error, and the claim says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.figures import chinchilla
from superlaw.figures.density import AXES as DENSITY_AXES
from superlaw.figures.overview import AXES as OVERVIEW_AXES
from superlaw.figures.select import Chosen, choose, nearest_to
from superlaw.figures.strong import AXES as GRID_AXES
from superlaw.figures.weight_decay import SHOWN_EXPONENT
from superlaw.laws.estimate import Estimate
from superlaw.sweeps.scaling import CURVED, STRONG_FROM, exponent, regime
from superlaw.theory.strong import strongly_represented

if TYPE_CHECKING:
    import pandas as pd

Measured = tuple[float, float] | None  # a number and half its 95 % interval
ABOUT = 0.05  # standard error given to what was published as "about 1"
NORMAL = 1.96  # standard errors of a 95 % interval
FACTOR = 1.5  # "about as many" means within this factor
UNDECIDED = 0.3  # of our half interval: a third of the exponent that geometry predicts decides nothing
ABOUT_ONE = f"about 1 (within a factor {FACTOR:g})"
GROWTH = -0.5  # weight decay below which all features are represented
# family, narrowest width used, exponent at gamma = -1; and E, exponent, its error at gamma = -1
PUBLISHED_WIDE = (("exponential", 0, 1.005), ("power", 32, 0.984), ("linear", 32, 0.886))
PUBLISHED_ADDITIVE = ((0.98, 0.08), (1.2, 0.3), (0.299, 0.014))  # width, depth, tokens
PUBLISHED_GROWTH, PUBLISHED_WIDTH = (2.52, 0.03), (0.88, 0.06)
PUBLISHED_DENSITY = ((1.0, 1.12, 0.06), (7.485470860550345, 1.1, 0.2))


@dataclass(frozen=True)
class Claim:
    """One published value beside ours.

    ``measured`` is None where it was not tested; ``margin`` is half the 95 % interval of an exponent, half the
    range of a share or a ratio over the runs it averages.
    """

    what: str
    published: str
    measured: float | None
    margin: float | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


def compare(
    what: str, published: str, value: float, stderr: float, measured: Measured, bent: float = float("nan")
) -> Claim:
    """A published number with its standard error (0: none was given) beside a measured one with half its interval.

    ``bent`` is the chance, were the line straight, of its residuals (``Exponent.lack_of_fit``): a line that the seeds
    show to be bent has a local slope, which neither agrees with a law nor differs from it.

    Examples
    --------
    >>> compare("alpha_m", "1.0", 1.0, 0.0, (0.96, 0.05)).verdict
    'agrees (differs by -0.04, the 95 % margin is 0.05)'
    >>> compare("alpha_m", "1.0", 1.0, 0.0, None).verdict
    'not tested'
    """
    if measured is None:
        return Claim(what, published, None, None, "not tested")
    found, half = measured
    margin = math.hypot(half, NORMAL * stderr)
    if bent < CURVED:
        verdict = f"bent line (p = {bent:.1g}): a local slope, {found - value:+.2f} from it (margin {margin:.2f})"
        return Claim(what, published, found, half, verdict)
    return Claim(what, published, found, half, _verdict(found - value, half, margin))


def _about(what: str, published: str, values: pd.Series, agrees: Callable[[float], bool]) -> Claim:
    """A share or a ratio, averaged over runs."""
    mean = float(values.mean())
    spread = float(values.max() - values.min()) / 2 if len(values) > 1 else None
    return Claim(what, published, mean, spread, "agrees" if agrees(mean) else f"differs: {mean:.2f}")


def _within_factor(value: float) -> bool:
    return 1 / FACTOR <= value <= FACTOR


def _verdict(difference: float, half: float, margin: float) -> str:
    if abs(difference) > margin:
        return f"differs by {difference:+.2f}, more than the 95 % margin of {margin:.2f}"
    if half > UNDECIDED:
        return f"not decided (differs by {difference:+.2f}, within the 95 % margin of {margin:.2f})"
    return f"agrees (differs by {difference:+.2f}, the 95 % margin is {margin:.2f})"


def claims(figure: str, table: pd.DataFrame) -> list[Claim]:
    """Every published value that a figure's runs, or its published table, can be held against."""
    return CLAIMS[figure](table)


def _cell(chosen: Chosen, **where: Any) -> pd.DataFrame:
    """Runs at given coordinates, matched to four figures."""
    table = chosen.table
    for name, value in where.items():
        same = table[name] == value if isinstance(value, str) else np.isclose(table[name], value, rtol=1e-3, atol=1e-6)
        table = table[same]
    return table


def _fitted(table: pd.DataFrame) -> tuple[Measured, float]:
    """The exponent with half its interval, and the chance of so bent a line."""
    found = exponent(table) if len(table) else None
    if found is None:
        return None, float("nan")
    return (found.exponent, float(found.high - found.exponent)), found.lack_of_fit


def _weight_decay(runs: pd.DataFrame) -> list[Claim]:
    chosen = choose(runs, GRID_AXES, "weight-decay")
    good, decays = chosen.good, np.array(chosen.values("weight_decay"))
    found = []
    for decay in decays[decays < GROWTH]:
        here = good[good["weight_decay"] == decay]["represented_fraction"]
        what = f"phi_1/2 at gamma = {decay:.3g}, all widths and alpha"
        found.append(_about(what, f"about 1 (at least {STRONG_FROM})", here, lambda phi: phi >= STRONG_FROM))
    if decays[-1] > 0:
        alpha = nearest_to(chosen.values("data_exponent"), SHOWN_EXPONENT)
        highest = _cell(chosen, weight_decay=decays[-1], data_exponent=alpha)
        for m, here in highest[highest["status"] == "ok"].groupby("width"):
            what = f"represented features a dimension at alpha = {alpha:g}, gamma = {decays[-1]:.3g}, m = {m}"
            found.append(_about(what, ABOUT_ONE, here["represented"] / m, _within_factor))
    return found


def _exponents(chosen: Chosen, regimes: tuple[str, ...]) -> list[Claim]:
    found = []
    for decay in chosen.values("weight_decay"):
        for alpha in chosen.values("data_exponent"):
            here = _cell(chosen, weight_decay=decay, data_exponent=alpha)
            kind, where = regime(here), f"alpha_m at alpha = {alpha:g}, gamma = {decay:.3g}"
            if kind not in regimes:
                continue
            if kind == "strong" and alpha <= 1:
                found.append(compare(where, "about 1", 1.0, ABOUT, *_fitted(here)))
            elif kind == "strong" and alpha >= 2:
                found.append(compare(where, "toward 2 (α − 1)", 2 * (alpha - 1), ABOUT, *_fitted(here)))
            elif kind == "weak" and alpha > 1:
                found.append(compare(where, "about α − 1", alpha - 1, ABOUT, *_fitted(here)))
    return found


def _weak(runs: pd.DataFrame) -> list[Claim]:
    chosen = choose(runs, GRID_AXES, "weak")
    found = _exponents(chosen, ("weak",))
    good = chosen.good[chosen.good["unlearned_loss"] > 0]
    for decay in (decay for decay in chosen.values("weight_decay") if decay >= 0):
        here = good[np.isclose(good["weight_decay"], decay)]
        what = f"loss / loss by unlearned features, gamma = {decay:.3g}"
        found.append(_about(what, ABOUT_ONE, here["loss"] / here["unlearned_loss"], _within_factor))
    return found


def _strong(runs: pd.DataFrame) -> list[Claim]:
    chosen = choose(runs, GRID_AXES, "strong")
    decay = chosen.values("weight_decay")[0]
    here = _cell(chosen, weight_decay=decay, data_exponent=1)
    here = here[here["status"] == "ok"]
    found = _exponents(chosen, ("strong",))
    for m, at in here.groupby("width"):
        room = strongly_represented(m)
        if room < at["n_features"].iloc[0]:  # else there is more room than features
            found.append(
                _about(f"long rows / (m²/2), alpha = 1, m = {m}", ABOUT_ONE, at["strong"] / room, _within_factor)
            )
    for m, at in here[here["strong"] > 2 * here["width"]].groupby("width"):
        spread = at["strong_square_overlap_variance"] / at["random_square_overlap_variance"]
        what = f"variance of the long rows' squared overlaps / random, m = {m}"
        found.append(_about(what, "below 1", spread, lambda ratio: ratio < 1))
        bound = at["strong_mean_square_overlap"] / at["strong_welch"]
        found.append(_about(f"long rows' mean squared overlap / Welch, m = {m}", ABOUT_ONE, bound, _within_factor))
    return found


def _overview(runs: pd.DataFrame) -> list[Claim]:
    chosen = choose(runs, OVERVIEW_AXES, "overview")
    decay, found = chosen.values("weight_decay")[0], []
    for family, least, value in PUBLISHED_WIDE:
        here = _cell(chosen, weight_decay=decay, frequencies=family)
        here = here[here["width"] >= least]
        widths = f", m >= {least}" if least else ""
        what = f"alpha_m, {family}, gamma = {decay:.3g}{widths}"
        found.append(compare(what, f"{value}", value, 0.0, *_fitted(here)))
    return found


def _density(runs: pd.DataFrame) -> list[Claim]:
    chosen = choose(runs, DENSITY_AXES, "density")
    decay, found = chosen.values("weight_decay")[0], []
    for density, value, error in PUBLISHED_DENSITY:
        fit = _fitted(_cell(chosen, weight_decay=decay, activation_density=density))
        what = f"alpha_m at E = {density:.3g}, gamma = {decay:.3g}"
        found.append(compare(what, f"{value} ± {error}", value, error, *fit))
    ends = chosen.values("activation_density")[0], chosen.values("activation_density")[-1]
    fits = [_fitted(_cell(chosen, weight_decay=decay, activation_density=end))[0] for end in ends]
    what, published = "alpha_m at the highest E less that at the lowest", "0 (does not depend on E)"
    if ends[0] == ends[1] or None in fits:
        return [*found, Claim(what, published, None, None, "not tested")]
    (low, low_half), (high, high_half) = fits
    return [*found, compare(what, published, 0.0, 0.0, (high - low, math.hypot(low_half, high_half)))]


def _chinchilla(table: pd.DataFrame) -> list[Claim]:
    fit, grown = chinchilla.additive_fit(table), chinchilla.width_of_params(table)
    found = [
        compare(f"exponent of {name}", f"{value} ± {error}", value, error, _estimate(fit[f"a_{column}"]))
        for (column, name), (value, error) in zip(chinchilla.SIZES.items(), PUBLISHED_ADDITIVE, strict=True)
    ]
    for what, estimate, (value, error) in (
        ("k of N ~ m^k, over architectures", grown.slope, PUBLISHED_GROWTH),
        ("alpha_m = k alpha_N", grown.alpha_m, PUBLISHED_WIDTH),
    ):
        found.append(compare(what, f"{value} ± {error}", value, error, _estimate(estimate)))
    return found


def _estimate(estimate: Estimate) -> Measured:
    half = (estimate.high - estimate.low) / 2
    return estimate.value, half if math.isfinite(half) else NORMAL * estimate.stderr


CLAIMS: dict[str, Callable[[Any], list[Claim]]] = {
    "weight-decay": _weight_decay,
    "exponents": lambda runs: _exponents(choose(runs, GRID_AXES, "exponents"), ("strong", "weak")),
    "weak": _weak,
    "strong": _strong,
    "overview": _overview,
    "density": _density,
    "chinchilla": _chinchilla,
}
