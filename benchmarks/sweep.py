"""Sweeps: how well two workers share one, what the coordinator costs, how fast `status` is.

python benchmarks/sweep.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time

import numpy as np

from superlaw.sweeps.execute import execute
from superlaw.sweeps.plan import Plan
from superlaw.sweeps.store import Store
from superlaw.sweeps.sweep import Sweep, sweep
from superlaw.toy.run import Run

EQUAL = Plan(
    "equal runs",
    {"n_features": 1000, "steps": 2500, "warmup": 200, "weight_decay": -1},
    {"width": (25,)},
    tuple(range(16)),
)


def nothing(record, *_):
    """A trainer that does nothing."""
    return {"outcome": "trained", "status": "ok", "loss": 1.0, "seconds": 0.0}


def timed_sweep(workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        sweep(EQUAL, folder, workers=workers)
        return time.perf_counter() - begin


def scaling(rounds: int) -> None:
    one, two = [], []
    for _ in range(rounds):
        one.append(timed_sweep(1))
        two.append(timed_sweep(2))
    ratios = np.array(two) / np.array(one)
    print(f"2 workers / 1 worker, {len(EQUAL.specs)} equal runs: {np.median(ratios):.3f} of the time "
          f"({ratios.min():.3f} to {ratios.max():.3f} over {rounds} rounds; {np.median(one):.1f} s with one), load "
          f"{os.getloadavg()[0]:.1f}")  # fmt: skip


class Pretending(Store):
    """A store that believes what the execution has counted, since a trainer that does nothing writes nothing."""

    def __init__(self, path, specs):
        super().__init__(path)
        self.answers = [set(), set(), {spec.id for spec in specs}]  # before, before, after

    def ids(self):
        return self.answers.pop(0)


def coordinator(runs: int = 2000) -> None:
    specs = Plan("many", {"n_features": 1000, "steps": 10}, {"width": (10,)}, tuple(range(runs))).specs
    with tempfile.TemporaryDirectory() as folder:
        store = Pretending(folder, specs)
        before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        tally = execute(specs, store, workers=2, work=nothing)
        after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - wall
        assert tally.trained == runs
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"coordinator: {1e3 * cpu / runs:.2f} ms of CPU a run over {runs} runs ({wall:.1f} s of wall time in all)")


def status(runs: int = 10_000) -> None:
    plan = Plan(
        "stored", {"n_features": 1000, "steps": 100}, {"width": (10, 25)}, tuple(range(runs // 2)), keep="losses"
    )
    measures = {"loss": 1.0, "loss_std": 0.1, "represented_fraction": 1.0, "represented": 1000}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for spec in plan.specs:
            made = {"engine": "fused", "wall_seconds": 1.0}
            store.add(Run(spec, "ok", np.ones(100, np.float32), None, None, made, measures))
        seconds = []
        for _ in range(5):
            begin = time.perf_counter()
            states = Sweep(Plan(plan.name, plan.base, plan.axes, plan.seeds), Store(folder)).states()
            seconds.append(time.perf_counter() - begin)
        assert len(states) == runs
        table = time.perf_counter()
        Sweep(plan, store).table()
        table = time.perf_counter() - table
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    print(f"status of {runs} stored runs: {np.median(seconds):.2f} s ({spread}); table {table:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    status()
    coordinator()
    scaling(options.rounds)


if __name__ == "__main__":
    main()
