"""What a sweep will cost, by timing a few steps of its cheapest and dearest runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from superlaw.geometry.blocks import usable_cores
from superlaw.sweeps.execute import estimated_cost
from superlaw.sweeps.plan import Plan
from superlaw.sweeps.store import Store
from superlaw.toy.spec import RunSpec
from superlaw.toy.train import DEFAULT_ENGINE, engine_for

HEADER_BYTES = 4000
TIMED_SECONDS = 0.3


@dataclass(frozen=True)
class Cost:
    """Runs planned, stored and missing; seconds and bytes that the missing ones need."""

    planned: int
    stored: int
    missing: int
    workers: int
    seconds: float
    bytes: int
    cheapest_step: float
    dearest_step: float


def estimate(plan: Plan, store: Store | None, workers: int | None = None, engine: str = DEFAULT_ENGINE) -> Cost:
    """Count a plan's runs and estimate the time and disk of those that are missing.

    Seconds a step are taken as linear in the cost model between the cheapest and the dearest run, both
    timed here for a moment; good to some tens of per cent.
    """
    specs = list(dict.fromkeys(plan.specs))
    present = store.ids() if store else set()
    missing = [spec for spec in specs if spec.id not in present]
    n = workers or usable_cores()
    if not missing:
        return Cost(len(specs), len(specs), 0, n, 0.0, 0, 0.0, 0.0)
    cost = np.array([estimated_cost(spec) / spec.steps for spec in missing])  # of a step
    cheap, dear = int(np.argmin(cost)), int(np.argmax(cost))
    low, high = seconds_a_step(missing[cheap], engine), seconds_a_step(missing[dear], engine)
    span = cost[dear] - cost[cheap]
    step = low + (high - low) * (cost - cost[cheap]) / span if span > 0 else np.full(len(cost), low)
    steps = np.array([spec.steps for spec in missing])
    size = sum(
        4 * (spec.steps + (spec.n_features * (spec.width + 1) if plan.keeps_weights(spec) else 0)) + HEADER_BYTES
        for spec in missing
    )
    total = float(np.sum(step * steps))
    longest = float(np.max(step * steps))
    return Cost(len(specs), len(specs) - len(missing), len(missing), n, max(total / n, longest), size, low, high)


def seconds_a_step(spec: RunSpec, engine: str) -> float:
    """Seconds that one step takes here, the best of a moment's trainings."""
    best, begin, steps = float("inf"), time.perf_counter(), 2
    while time.perf_counter() - begin < TIMED_SECONDS:
        (run,) = engine_for(spec, engine).train([spec.change(steps=steps, warmup=steps)])
        best = min(best, run.provenance["wall_seconds"] / max(1, len(run.losses)))
        steps *= 2
    return best
