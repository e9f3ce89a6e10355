"""Plans of one question, from the published experiment down to the smallest that answers it, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
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


def plan_within(
    rungs: Sequence[Rung], figure: str, budget: str, workers: int | None = None, store: Store | None = None
) -> Plan:
    """The most ambitious plan of a figure whose estimated time on this machine fits the budget.

    From the published experiment down the figure's rungs, the first for which the budget allows its
    fewest steps; then as many steps as it allows, up to those of the published experiment.

    Raises
    ------
    InputError
        Where even the last rung takes longer.
    """
    seconds = seconds_in(budget)
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
