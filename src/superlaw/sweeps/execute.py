"""Run many specs on an executor, into a store. The coordinator only counts: workers store runs themselves."""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import multiprocessing
import os
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from superlaw.errors import InputError, SuperlawError
from superlaw.files.progress import notebook_line
from superlaw.geometry.blocks import usable_cores
from superlaw.sweeps import worker
from superlaw.sweeps.store import Store
from superlaw.toy.spec import RunSpec
from superlaw.toy.train import DEFAULT_ENGINE

MAX_PENDING = 1000  # tasks submitted at once to an executor of unknown size
AHEAD = 4  # tasks submitted beyond those running, for each worker
CLAIMED_SECONDS = 0.5  # wait before asking again for a run that another sweep is training
MAX_BREAKS = 3  # a run that was running whenever workers died this often is tried alone


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

    @property
    def in_short(self) -> str:
        """What a progress line says beside how many are done."""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"loss {self.loss:.3g}{failed}" if self.loss == self.loss else f"{self.running} running{failed}"


Report = Callable[[Tally], None]
Keep = Callable[[RunSpec], bool]
Work = Callable[..., dict[str, Any]]


def estimated_cost(spec: RunSpec) -> float:
    """Relative cost of a run, for the order of execution: steps x (products + samples)."""
    p = spec.probabilities
    unique = float(np.sum(-np.expm1(spec.batch * np.log1p(-np.minimum(p, 1 - 1e-12)))))
    non_zeros = spec.batch * float(p.sum())
    return spec.steps * spec.n_features * (3 * unique * (spec.width + 4) + 12 * non_zeros)


def longest_first(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """Specs by decreasing cost, so that all workers finish at about the same time."""
    return sorted(specs, key=estimated_cost, reverse=True)


def check_workers(workers: int | None) -> None:
    """Raise InputError for a number of workers that cannot be."""
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}", "1 worker or more")


def _notebook_report() -> Report:
    """A line in the cell of a notebook; elsewhere nothing."""
    line = notebook_line("training", "runs")
    return lambda tally: None if line is None else line.update(tally.done, tally.planned, tally.in_short)


def execute(
    specs: Iterable[RunSpec],
    store: Store,
    workers: int | None = None,
    executor: futures.Executor | None = None,
    engine: str = DEFAULT_ENGINE,
    keep_weights: Keep = lambda spec: True,
    report: Report | None = None,
    work: Work = worker.work,
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
        Called with the Tally whenever something finishes. Without one a notebook shows how far it is.
    work : callable
        What a worker does (see worker.work); benchmarks pass one that does nothing.

    Raises
    ------
    SuperlawError
        When a worker cannot go on (disk full, say). The store stays valid; run it again to resume.
    """
    check_workers(workers)
    report = _notebook_report() if report is None else report
    specs = list(dict.fromkeys(specs))
    present = store.ids()
    todo = deque(longest_first(spec for spec in specs if spec.id not in present))
    tally = Tally(planned=len(specs), stored=len(specs) - len(todo))
    report(tally)
    if not todo:
        return tally
    n_workers = workers or usable_cores()
    job = _Job(store, engine, keep_weights, tally, report, work)
    if executor is not None:
        job.run(executor, todo, limit=MAX_PENDING)
        return tally
    breaks: Counter[str] = Counter()
    while todo:
        # A worker died: any run that was running may be the cause. One that was there every time is
        # tried alone, and given up if its worker dies again.
        suspects = [spec for spec in todo if breaks[spec.id] >= MAX_BREAKS][:1]
        batch, n = (deque(suspects), 1) if suspects else (todo, min(n_workers, len(todo)))
        try:
            with local_pool(n) as pool:
                job.run(pool, batch, limit=(1 + AHEAD) * n)
        except futures.process.BrokenProcessPool:
            breaks.update(spec.id for spec in job.running)
            for spec in suspects:
                tally.failed[spec.id] = f"its worker process died {MAX_BREAKS + 1} times, the last time alone"
        todo = deque(job.left(specs))
    return tally


@contextlib.contextmanager
def local_pool(workers: int) -> Iterator[futures.Executor]:
    """Local processes that stop within a moment when something is raised, each with one thread for BLAS.

    A script's own imports run in each of them before any initialiser, so that the environment must say it: pools
    that compete for cores stand still.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    before = {name: os.environ.get(name) for name in worker.POOLS}
    os.environ.update(dict.fromkeys(worker.POOLS, "1"))
    executor = futures.ProcessPoolExecutor(workers, context, worker.start, (stop,))
    try:
        yield executor
    except BaseException:
        stop.set()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


class _Job:
    """Passes of tasks through an executor, counted."""

    def __init__(self, store: Store, engine: str, keep_weights: Keep, tally: Tally, report: Report, work: Work):
        self.store, self.engine, self.keep_weights, self.work = store, engine, keep_weights, work
        self.tally, self.report = tally, report
        self.counted = store.ids()
        self.token = secrets.token_hex(8)  # in the provenance of the runs that this job trains
        self.running: list[RunSpec] = []  # when the executor broke

    def left(self, specs: list[RunSpec]) -> list[RunSpec]:
        """What is neither stored nor failed, longest first; counts what was stored as its worker died."""
        present = self.store.ids()
        for spec in specs:
            if spec.id in present and spec.id not in self.counted:
                self._count_unreported(spec.id)
        return longest_first(s for s in specs if s.id not in present and s.id not in self.tally.failed)

    def _count_unreported(self, run_id: str) -> None:
        """A run that came into the store while a worker died: its, or another sweep's."""
        self.counted.add(run_id)
        try:
            header = self.store.header(run_id)
        except InputError:
            header = {"provenance": {}}
        if header["provenance"].get("sweep") == self.token:
            self.tally.trained += 1
            self.tally.diverged += header["status"] == "diverged"
        else:
            self.tally.stored += 1

    def run(self, executor: futures.Executor, todo: deque[RunSpec], limit: int) -> None:
        """Submit and count until ``todo`` is empty and nothing is pending."""
        pending: dict[futures.Future, RunSpec] = {}
        try:
            while todo or pending:
                while todo and len(pending) < limit:
                    spec = todo.popleft()
                    pending[self._submit(executor, spec)] = spec
                self.tally.running = sum(future.running() for future in pending)
                done, _ = futures.wait(pending, return_when=futures.FIRST_COMPLETED)
                self.running = [spec for future, spec in pending.items() if future in done or future.running()]
                claimed = [spec for future in done if self._count(future, spec := pending.pop(future)) == "claimed"]
                todo.extend(claimed)  # another sweep trains them: ask again later
                self.tally.running = sum(future.running() for future in pending)
                self.report(self.tally)
                if claimed and len(claimed) == len(done):
                    time.sleep(CLAIMED_SECONDS)
        finally:
            for future in pending:
                future.cancel()
            self.tally.running = 0

    def _submit(self, executor: futures.Executor, spec: RunSpec) -> futures.Future:
        record = spec.to_dict(arrays="digest")
        explicit = spec.frequencies if isinstance(spec.frequencies, np.ndarray) else None
        where = str(self.store.path.resolve())
        return executor.submit(self.work, record, explicit, where, self.engine, self.keep_weights(spec), self.token)

    def _count(self, future: futures.Future, spec: RunSpec) -> str:
        """Count a finished task; its outcome."""
        try:
            result = future.result()
        except (SuperlawError, futures.BrokenExecutor):
            raise
        except Exception as error:  # one run's failure is a result; the others go on
            self.tally.failed[spec.id] = f"{type(error).__name__}: {error}"
            return "failed"
        outcome = result["outcome"]
        if outcome in ("stored", "trained"):
            self.counted.add(spec.id)
        if outcome == "stored":
            self.tally.stored += 1
        elif outcome == "trained":
            self.tally.trained += 1
            self.tally.diverged += result["status"] == "diverged"
            self.tally.loss = result["loss"]
        return outcome
