"""Run many specs on an executor, into a store. The coordinator only counts: workers store runs themselves."""

from __future__ import annotations

import concurrent.futures as futures
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from superlaw.errors import InputError, SuperlawError
from superlaw.sweeps import worker
from superlaw.sweeps.store import Store
from superlaw.toy.spec import RunSpec

AHEAD = 4  # tasks submitted beyond those running, for each worker
CLAIMED_SECONDS = 0.5  # wait before asking again for a run that another sweep is training
MAX_BREAKS = 3  # a worker that dies this often on one run: the run is recorded as failed


@dataclass
class Tally:
    """What has happened so far in an execution."""

    planned: int
    stored: int = 0  # before, or by another sweep
    trained: int = 0
    diverged: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # id -> reason
    running: int = 0
    loss: float = float("nan")  # of the last finished run

    @property
    def done(self) -> int:
        """Runs that are present."""
        return self.stored + self.trained


Report = Callable[[Tally], None]
Keep = Callable[[RunSpec], bool]


def estimated_cost(spec: RunSpec) -> float:
    """Relative cost of a run, for the order of execution: steps x (products + samples)."""
    p = spec.probabilities
    unique = float(np.sum(-np.expm1(spec.batch * np.log1p(-np.minimum(p, 1 - 1e-12)))))
    non_zeros = spec.batch * float(p.sum())
    return spec.steps * spec.n_features * (3 * unique * (spec.width + 4) + 12 * non_zeros)


def longest_first(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """Specs by decreasing cost, so that all workers finish at about the same time."""
    return sorted(specs, key=estimated_cost, reverse=True)


def default_workers() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(
    specs: Iterable[RunSpec],
    store: Store,
    workers: int | None = None,
    executor: futures.Executor | None = None,
    engine: str = "fused",
    keep_weights: Keep = lambda spec: True,
    report: Report = lambda tally: None,
) -> Tally:
    """Train every spec that the store lacks.

    Parameters
    ----------
    specs : iterable of RunSpec
    store : Store
    workers : int, optional
        Local processes; all processors when left out. Not used with ``executor``.
    executor : concurrent.futures.Executor, optional
        Where to run instead; it is not shut down. Workers must see the store's folder.
    engine : str
    keep_weights : callable
        Whether to store W and b of a spec's run.
    report : callable
        Called with the Tally whenever something finishes.

    Raises
    ------
    SuperlawError
        When a worker cannot go on (disk full, say). The store stays valid; run it again to resume.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}", "1 worker or more")
    specs = list(dict.fromkeys(specs))
    present = store.ids()
    todo = deque(longest_first(spec for spec in specs if spec.id not in present))
    tally = Tally(planned=len(specs), stored=len(specs) - len(todo))
    report(tally)
    if not todo:
        return tally
    n_workers = workers or default_workers()
    job = _Job(store, engine, keep_weights, tally, report)
    if executor is not None:
        job.run(executor, todo, limit=None)
        return tally
    breaks: Counter[str] = Counter()
    while todo:
        with _LocalPool(min(n_workers, len(todo))) as pool:
            try:
                job.run(pool.executor, todo, limit=(1 + AHEAD) * n_workers)
            except futures.process.BrokenProcessPool:
                _blame(job.in_flight, breaks, tally)
                todo = deque(s for s in specs if not store.has(s.id) and s.id not in tally.failed)
    return tally


def _blame(suspects: Iterable[RunSpec], breaks: Counter[str], tally: Tally) -> None:
    """A worker died: any run in flight may be the cause; one that is there every time is given up."""
    for spec in suspects:
        breaks[spec.id] += 1
        if breaks[spec.id] >= MAX_BREAKS:
            tally.failed[spec.id] = f"its worker process died {MAX_BREAKS} times"


class _LocalPool:
    """Local processes that can be told to stop within a moment."""

    def __init__(self, workers: int):
        context = multiprocessing.get_context("spawn")
        self.stop = context.Event()
        self.executor = futures.ProcessPoolExecutor(workers, context, worker.start, (self.stop,))

    def __enter__(self) -> _LocalPool:
        return self

    def __exit__(self, kind: type | None, *_: Any) -> None:
        if kind is not None:
            self.stop.set()
        self.executor.shutdown(wait=True, cancel_futures=True)


class _Job:
    """One pass of the tasks through an executor."""

    def __init__(self, store: Store, engine: str, keep_weights: Keep, tally: Tally, report: Report):
        self.store, self.engine, self.keep_weights = store, engine, keep_weights
        self.tally, self.report = tally, report
        self.in_flight: list[RunSpec] = []

    def run(self, executor: futures.Executor, todo: deque[RunSpec], limit: int | None) -> None:
        pending: dict[futures.Future, RunSpec] = {}
        try:
            while todo or pending:
                while todo and (limit is None or len(pending) < limit):
                    spec = todo.popleft()
                    pending[self._submit(executor, spec)] = spec
                self.tally.running = len(pending)
                done, _ = futures.wait(pending, return_when=futures.FIRST_COMPLETED)
                claimed = 0
                self.in_flight = list(pending.values())
                for future in done:
                    claimed += self._count(future, pending, todo)
                self.report(self.tally)
                if claimed and claimed == len(done):
                    time.sleep(CLAIMED_SECONDS)
        finally:
            for future in pending:
                future.cancel()
            self.tally.running = 0

    def _submit(self, executor: futures.Executor, spec: RunSpec) -> futures.Future:
        record = spec.to_dict(arrays="digest")
        explicit = spec.frequencies if isinstance(spec.frequencies, np.ndarray) else None
        where = str(self.store.path.resolve())
        return executor.submit(worker.work, record, explicit, where, self.engine, self.keep_weights(spec))

    def _count(self, future: futures.Future, pending: dict[futures.Future, RunSpec], todo: deque[RunSpec]) -> bool:
        """Count a finished task; whether it found its run claimed by another sweep."""
        try:
            result = future.result()
        except (SuperlawError, futures.BrokenExecutor):
            raise
        except Exception as error:  # one run's failure is a result; the others go on
            spec = pending.pop(future)
            self.tally.failed[spec.id] = f"{type(error).__name__}: {error}"
            return False
        spec = pending.pop(future)
        if result["outcome"] == "claimed":
            todo.append(spec)
            return True
        if result["outcome"] == "stored":
            self.tally.stored += 1
        elif result["outcome"] == "trained":
            self.tally.trained += 1
            self.tally.diverged += result["status"] == "diverged"
            self.tally.loss = result["loss"]
        return False
