"""Plans of each figure from the published experiment down to the smallest that still answers its question."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from superlaw.errors import InputError
from superlaw.sweeps.estimate import estimate
from superlaw.sweeps.plan import Plan, load_plan
from superlaw.sweeps.store import Store

SAFETY = 0.75  # share of the budget that is planned: cores share memory, and other work may come
ROUND = 500  # steps of a shortened run are a multiple of this
UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Rung:
    """A cut of a preset: its axes' values, seeds, and the fewest steps worth training."""

    preset: str
    least_steps: int
    only: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] | None = None

    def plan(self, steps: int | None = None) -> Plan:
        """With that many steps (the preset's own when None), warm-up in proportion."""
        plan = load_plan(self.preset).change(only=self.only, seeds=self.seeds)
        if steps is None or steps == plan.base["steps"]:
            return plan
        warmup = max(1, round(plan.base["warmup"] * steps / plan.base["steps"]))
        return plan.change({"steps": steps, "warmup": warmup})


GRID, DENSITY = "weight-decay-grid", "density-grid"
FIVE, THREE = (0, 0.5, 1, 1.5, 2), (0, 1, 2)
ALL_DECAYS = load_plan(GRID).axes["weight_decay"]
# Fine where the transition is (gamma from -0.8 to 0.1), coarse elsewhere.
EIGHT_DECAYS = tuple(ALL_DECAYS[i] for i in (0, 1, 2, 3, 4, 5, 7, 9))
FOUR_WIDTHS, THREE_WIDTHS = (10, 25, 63, 100), (10, 25, 63)
STRONG_DECAYS, WEAK_DECAYS = ALL_DECAYS[:3:2], ALL_DECAYS[5::2]
ENDS = (ALL_DECAYS[0], ALL_DECAYS[-1])
DENSITIES = load_plan(DENSITY).axes["activation_density"][::4]

LADDERS: dict[str, tuple[Rung, ...]] = {
    "weight-decay": (
        Rung(GRID, 20_000),
        Rung(GRID, 6000, {"data_exponent": FIVE, "width": FOUR_WIDTHS}),
        Rung(GRID, 2500, {"data_exponent": THREE, "weight_decay": EIGHT_DECAYS, "width": THREE_WIDTHS}),
        Rung(GRID, 2000, {"data_exponent": (1,), "weight_decay": EIGHT_DECAYS, "width": THREE_WIDTHS}),
    ),
    "exponents": (
        Rung(GRID, 20_000),
        Rung(GRID, 8000, {"data_exponent": FIVE, "weight_decay": (*STRONG_DECAYS, *WEAK_DECAYS)}),
        Rung(GRID, 4000, {"data_exponent": FIVE, "weight_decay": (ENDS[0], WEAK_DECAYS[0]), "width": FOUR_WIDTHS}),
        Rung(GRID, 2000, {"data_exponent": THREE, "weight_decay": (ENDS[0], WEAK_DECAYS[0]), "width": FOUR_WIDTHS}),
    ),
    "weak": (
        Rung(GRID, 20_000),
        Rung(GRID, 10_000, {"data_exponent": FIVE, "weight_decay": WEAK_DECAYS}, (0, 1)),
        Rung(GRID, 5000, {"data_exponent": FIVE, "weight_decay": WEAK_DECAYS}),
        Rung(GRID, 3000, {"data_exponent": (1, 1.5, 2), "weight_decay": WEAK_DECAYS[:1], "width": FOUR_WIDTHS}),
    ),
    "strong": (
        Rung(GRID, 20_000),
        Rung(GRID, 20_000, {"data_exponent": FIVE, "weight_decay": STRONG_DECAYS}, (0, 1)),
        Rung(GRID, 8000, {"data_exponent": FIVE, "weight_decay": ENDS[:1]}),
        Rung(GRID, 3000, {"data_exponent": THREE, "weight_decay": ENDS[:1], "width": FOUR_WIDTHS}),
    ),
    "overview": (
        Rung("wide", 40_000),
        Rung("wide-medium", 10_000),
        Rung("wide-medium", 4000, {"width": (8, 16, 32, 64, 128)}),  # those up to n/10
        Rung("wide-small", 2500),
    ),
    "density": (
        Rung(DENSITY, 20_000),
        Rung(DENSITY, 10_000, {"activation_density": DENSITIES, "weight_decay": ENDS}, (0, 1)),
        Rung(DENSITY, 4000, {"activation_density": DENSITIES, "weight_decay": ENDS}),
        Rung(DENSITY, 3000, {"activation_density": DENSITIES, "weight_decay": ENDS[:1]}),
        Rung(DENSITY, 2500, {"activation_density": DENSITIES[::2], "weight_decay": ENDS[:1], "width": FOUR_WIDTHS}),
    ),
}


def seconds_in(budget: str) -> float | None:
    """Seconds of a budget like 90s, 5m, 1h; None for ``full``.

    Examples
    --------
    >>> seconds_in("5m"), seconds_in("1.5h"), seconds_in("full")
    (300.0, 5400.0, None)
    """
    if budget == "full":
        return None
    try:
        seconds = float(budget[:-1]) * UNITS[budget[-1:]]
    except (KeyError, ValueError):
        seconds = float("nan")
    if not 0 < seconds < float("inf"):
        raise InputError(f"a budget of {budget!r}", "a time like 90s, 5m or 1h, or full")
    return seconds


def plan_within(figure: str, budget: str, workers: int | None = None, store: Store | None = None) -> Plan:
    """The most ambitious plan of a figure whose estimated time on this machine fits the budget.

    From the published experiment down the figure's ladder, the first rung for which the budget allows its
    fewest steps; then as many steps as it allows, up to those of the published experiment.

    Raises
    ------
    InputError
        Where even the last rung takes longer.
    """
    if figure not in LADDERS:
        raise InputError(f"the figure {figure!r}", f"one that is trained: {', '.join(LADDERS)}")
    seconds, rungs = seconds_in(budget), LADDERS[figure]
    if seconds is None:
        return _named(rungs[0].plan(), figure, budget)
    needed = float("inf")
    for rung in rungs:
        least = rung.plan(rung.least_steps)
        needed = estimate(least, store, workers).seconds / SAFETY
        if needed <= seconds:
            most, step = rungs[0].plan().base["steps"], needed / rung.least_steps
            steps = min(most, int(seconds / step / ROUND) * ROUND) if step else most
            return _named(rung.plan(max(steps, rung.least_steps)), figure, budget)
    raise InputError(f"a budget of {budget} for {figure}", f"about {needed:.0f}s or more on this machine")


def _named(plan: Plan, figure: str, budget: str) -> Plan:
    about = f"for the figure {figure} in {budget}: a part of {plan.name}" if budget != "full" else plan.about
    return replace(plan, name=f"{figure}-{budget}", about=about)
