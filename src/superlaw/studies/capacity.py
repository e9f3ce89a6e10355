"""How many features does a trained model hold? Toy models over activity 1 - S and degree n/m.

All n features are equally frequent, p_i = 1 - S. A feature is recovered where its relative error
(toy.recovery) is below a threshold; a model holds the features that it recovers.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.sweeps import worker
from superlaw.sweeps.execute import Report, check_workers, default_workers, execute
from superlaw.sweeps.store import Store
from superlaw.theory.sensing import sensing_degree
from superlaw.theory.strong import strongly_represented
from superlaw.toy.recovery import relative_errors
from superlaw.toy.run import load_run
from superlaw.toy.spec import RunSpec

WIDTHS = (8, 16)
DEGREES = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # n/m
ACTIVITIES = tuple(10 ** -(0.5 + 0.25 * k) for k in range(11))  # 0.32 to 0.001
SEEDS = (0, 1)
STEPS = 5000
ACTIVE_A_STEP = 8  # times that a feature is active in a batch, as far as the batch's limits allow
BATCHES = (512, 4096)
WARMUP_SHARE = 0.1  # of the steps, as in the published protocol
WEIGHT_DECAY = -1.0  # growth toward unit rows: every feature is represented, so that room is what is short
THRESHOLD = 0.5  # more than half of a feature's variance is given back
ACTIVATIONS = 256  # of each feature in the samples that test recovery
SILENT = 0.9  # relative error above which a feature is not blurred but absent
NEAR = 1.5  # a factor: boundaries closer than this to the scale are said to follow it
FULL = 0.5  # the boundary: where the share of recovered features falls below this


@dataclass(frozen=True)
class Cell:
    """One size of model at one activity; ``held``, ``silent`` and ``error`` have an entry for each seed.

    ``held`` counts recovered features, ``silent`` those with a relative error above SILENT, ``error`` is
    the mean relative error over features; NaN for a seed whose run diverged.
    """

    width: int
    n_features: int
    activity: float
    held: tuple[float, ...]
    silent: tuple[float, ...]
    error: tuple[float, ...]

    @property
    def degree(self) -> float:
        """n/m."""
        return self.n_features / self.width

    @property
    def mean_held(self) -> float:
        """Over the seeds that did not diverge."""
        finite = [h for h in self.held if h == h]
        return float(np.mean(finite)) if finite else float("nan")

    @property
    def share(self) -> float:
        """Of the features, recovered."""
        return self.mean_held / self.n_features


@dataclass(frozen=True)
class Ceiling:
    """What models of one width hold at one activity.

    Parameters
    ----------
    most : Cell
        The size at which most features are held.
    boundary : float or None
        n/m at which the share of recovered features falls through one half; None where it does not
        within the sizes trained.
    sensing : float
        The compressed-sensing scale's n/m = 1/(-x ln x).
    half_square : float
        m/2, which is n/m at n = m^2/2.
    """

    width: int
    activity: float
    most: Cell
    boundary: float | None
    sensing: float
    half_square: float


@dataclass(frozen=True)
class CapacityMap:
    """Every trained cell, and the ceiling of each width and activity."""

    cells: tuple[Cell, ...]
    ceilings: tuple[Ceiling, ...]
    widths: tuple[int, ...]
    degrees: tuple[float, ...]
    activities: tuple[float, ...]
    seeds: tuple[int, ...]
    steps: int
    weight_decay: float
    threshold: float
    diverged: int
    trained: int
    stored: int
    store: Path
    sentences: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        finite = lambda x: None if x is None or x != x else float(x)  # noqa: E731
        cells = [
            {
                "width": c.width, "n_features": c.n_features, "degree": c.degree, "activity": c.activity,
                "held": [finite(h) for h in c.held], "share": finite(c.share),
                "silent": [finite(s) for s in c.silent], "relative_error": [finite(e) for e in c.error],
            }
            for c in self.cells
        ]  # fmt: skip
        ceilings = [
            {
                "width": c.width, "activity": c.activity, "held": finite(c.most.mean_held), "at_degree": c.most.degree,
                "held_per_neuron": finite(c.most.mean_held / c.width), "boundary_degree": finite(c.boundary),
                "sensing_degree": c.sensing, "half_square_degree": c.half_square,
            }
            for c in self.ceilings
        ]  # fmt: skip
        return {
            "widths": list(self.widths), "degrees": list(self.degrees), "activities": list(self.activities),
            "seeds": list(self.seeds), "steps": self.steps, "weight_decay": self.weight_decay,
            "threshold": self.threshold, "diverged": self.diverged, "trained": self.trained, "stored": self.stored,
            "store": str(self.store), "cells": cells, "ceilings": ceilings, "sentences": list(self.sentences),
        }  # fmt: skip


def capacity_specs(
    widths: Sequence[int] = WIDTHS,
    degrees: Sequence[float] = DEGREES,
    activities: Sequence[float] = ACTIVITIES,
    seeds: Sequence[int] = SEEDS,
    steps: int = STEPS,
    weight_decay: float = WEIGHT_DECAY,
) -> dict[tuple[int, int, float, int], RunSpec]:
    """The runs by (width, n_features, activity, seed).

    Left out are those with more features active at once than dimensions, n p > m: m numbers cannot give
    back more than m.

    Examples
    --------
    >>> specs = capacity_specs((8,), (2, 4), (0.3, 0.01), (0,))
    >>> list(specs)
    [(8, 16, 0.3, 0), (8, 16, 0.01, 0), (8, 32, 0.01, 0)]
    """
    specs = {}
    for m in widths:
        for n in dict.fromkeys(round(degree * m) for degree in degrees):
            for p in activities:
                for seed in seeds:
                    if n * p <= m:
                        specs[m, n, p, seed] = RunSpec(
                            n_features=n, width=m, data_exponent=0, activation_density=n * p, seed=seed, steps=steps,
                            batch=_batch(p), warmup=max(1, int(WARMUP_SHARE * steps)), weight_decay=weight_decay,
                        )  # fmt: skip
    return specs


def _batch(activity: float) -> int:
    """Samples in which a feature is active about as often, whatever its activity."""
    return int(np.clip(round(ACTIVE_A_STEP / activity), *BATCHES))


def capacity(
    store: str | Path = "capacity",
    workers: int | None = None,
    widths: Sequence[int] = WIDTHS,
    degrees: Sequence[float] = DEGREES,
    activities: Sequence[float] = ACTIVITIES,
    seeds: Sequence[int] = SEEDS,
    steps: int = STEPS,
    weight_decay: float = WEIGHT_DECAY,
    threshold: float = THRESHOLD,
    report: Report = lambda tally: None,
) -> CapacityMap:
    """Train what the store lacks, test every model on fresh samples, and say where the bounds stand.

    Parameters
    ----------
    store : path
        Runs are kept there as they finish; the same call resumes.
    workers : int, optional
        Processes; all cores when left out.
    widths, degrees, activities, seeds : sequence
        m, n/m, 1 - S and replicates.
    steps : int
    weight_decay : float
        -1: all features are represented. 0: the model leaves out what does not pay.
    threshold : float
        Relative error below which a feature is recovered; between 0 and 1.
    report : callable
        Progress; see sweeps.execute.

    Returns
    -------
    CapacityMap
    """
    check_workers(workers)
    if not 0 < threshold <= 1:
        raise InputError(f"threshold = {threshold}", "a relative error above 0 and up to 1, that of the mean")
    for name, values in (("widths", widths), ("degrees", degrees), ("activities", activities), ("seeds", seeds)):
        if not len(values) or len(set(values)) < len(values):
            raise InputError(f"{name} = {', '.join(map(str, values)) or 'none'}", "at least one value, none twice")
    for p in activities:
        if not 0 < p <= 1:
            raise InputError(f"activity = {p}", "a probability 1 - S above 0 and up to 1")
    for d in degrees:
        if not 0 < d < float("inf"):
            raise InputError(f"degree = {d}", "a positive number of features a neuron")
    specs = capacity_specs(widths, degrees, activities, seeds, steps, weight_decay)
    if not specs:
        raise InputError("no cell with n p <= m", "sparser features or fewer of them")
    kept = Store(store)
    tally = execute(specs.values(), kept, workers, report=report)
    if tally.failed:
        reason = next(iter(tally.failed.values()))
        raise InputError(f"{len(tally.failed)} failed runs ({reason})", "all runs", "run again")
    cells = _cells(specs, kept, threshold, workers or default_workers())
    found = CapacityMap(
        cells=cells, ceilings=_ceilings(cells), widths=tuple(widths), degrees=tuple(degrees),
        activities=tuple(activities), seeds=tuple(seeds), steps=steps, weight_decay=weight_decay, threshold=threshold,
        diverged=sum(h != h for cell in cells for h in cell.held), trained=tally.trained, stored=tally.stored,
        store=Path(store),
    )  # fmt: skip
    return replace(found, sentences=tuple(_sentences(found)))


def _cells(specs: dict[tuple, RunSpec], store: Store, threshold: float, workers: int) -> tuple[Cell, ...]:
    context = multiprocessing.get_context("spawn")
    files = [str(store.file(spec.id)) for spec in specs.values()]
    with _one_thread_each():
        pool = ProcessPoolExecutor(min(workers, len(files)), context, worker.start, (context.Event(),))
        try:
            tested = dict(zip(specs, pool.map(_held, files, itertools.repeat(threshold)), strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
    places = dict.fromkeys(key[:3] for key in specs)
    by_seed = {place: [tested[key] for key in tested if key[:3] == place] for place in places}
    return tuple(Cell(*place, *map(tuple, zip(*values, strict=True))) for place, values in by_seed.items())


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started inside have BLAS pools of one thread: pools that compete for cores stand still.

    A script's own imports run in each of them before any initialiser, so that the environment must say it.
    """
    before = {name: os.environ.get(name) for name in worker.POOLS}
    os.environ.update(dict.fromkeys(worker.POOLS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _held(file: str, threshold: float) -> tuple[float, float, float]:
    """Features that a stored run recovers, those it is silent on, the mean error; NaN where it diverged."""
    errors = relative_errors(load_run(file), ACTIVATIONS)
    if not np.isfinite(errors).all():
        return (float("nan"),) * 3
    return float(np.sum(errors < threshold)), float(np.sum(errors > SILENT)), float(errors.mean())


def _ceilings(cells: tuple[Cell, ...]) -> tuple[Ceiling, ...]:
    found = []
    for m, p in dict.fromkeys((cell.width, cell.activity) for cell in cells):
        line = sorted((c for c in cells if (c.width, c.activity) == (m, p) and c.share == c.share),
                      key=lambda c: c.degree)  # fmt: skip
        if line:
            most = max(line, key=lambda c: c.mean_held)
            found.append(Ceiling(m, p, most, _boundary(line), sensing_degree(p), strongly_represented(m) / m))
    return tuple(found)


def _boundary(line: list[Cell]) -> float | None:
    """n/m at which the share falls through one half, between two sizes on a logarithmic scale."""
    for below, above in itertools.pairwise(line):
        if below.share >= FULL > above.share:
            part = (below.share - FULL) / (below.share - above.share)
            return float(below.degree ** (1 - part) * above.degree**part)
    return None


def _sentences(found: CapacityMap) -> list[str]:
    """What was found, each claim from the numbers of this very map."""
    seeds = f"seed{'s' if len(found.seeds) > 1 else ''} {', '.join(map(str, found.seeds))}"
    said = [
        f"A model holds a feature that it gives back with a relative error below {found.threshold:g} on fresh samples "
        f"(1: answering the mean). Features are equally frequent; weight decay {found.weight_decay:g}, "
        f"{found.steps} steps, {seeds}."
    ]
    if found.diverged:
        said.append(f"{found.diverged} runs diverged and are left out.")
    for width in found.widths:
        line = sorted((c for c in found.ceilings if c.width == width), key=lambda c: -c.activity)
        if line:
            said += [_most_in_words(width, line), _boundary_in_words(width, line)]
    said.append(_silent_in_words(found))
    said.append(
        "The scale's constant is not known, and the boundary moves with the threshold: that both agree in size where "
        "features are dense is an observation, not a proof; the decoder is one ReLU layer, not the best there is."
    )
    return [sentence for sentence in said if sentence]


def _most_in_words(width: int, line: list[Ceiling]) -> str:
    top = max(line, key=lambda c: c.most.mean_held)
    held, limit = top.most.mean_held, strongly_represented(width)
    past = [c.activity for c in line if c.most.mean_held > limit]
    beyond = f"more than m^2/2 at 1-S of {max(past):.2g} and less" if past else "never as many as m^2/2"
    return (
        f"m = {width}: at most {held:.4g} features, {held / width:.3g} a neuron or {held / limit:.2g} times m^2/2, at "
        f"1-S = {top.activity:.2g} and n = {top.most.n_features}; {beyond}."
    )


def _boundary_in_words(width: int, line: list[Ceiling]) -> str:
    """How far the boundary follows the scale, from dense to sparse."""
    ratios = [(c.activity, c.boundary / c.sensing) for c in line if c.boundary is not None]
    if not ratios:
        return f"m = {width}: the sizes trained do not cross the boundary at which half of the features are recovered."
    near = list(itertools.takewhile(lambda pair: 1 / NEAR <= pair[1] <= NEAR, ratios))
    said = f"m = {width}: half of the features are recovered up to "
    if near:
        low, high = min(r for _, r in near), max(r for _, r in near)
        said += (
            f"{low:.2f} to {high:.2f} times n/m = 1/(-x ln x) for x = 1-S from {near[0][0]:.2g} to {near[-1][0]:.2g}"
        )
    rest = ratios[len(near) :]
    if rest:
        said += f"{', then ' if near else ''}{rest[-1][1]:.2g} times that scale at {rest[-1][0]:.2g}"
    return said + "."


def _silent_in_words(found: CapacityMap) -> str:
    below = [c for c in found.cells if c.share == c.share and c.degree < sensing_degree(c.activity)]
    lost = sum(c.n_features - h for c in below for h in c.held if h == h)
    if not lost:
        return ""
    silent = sum(s for c in below for s in c.silent if s == s)
    return (
        f"Below the compressed-sensing line {silent / lost:.0%} of the features that are not recovered have a relative "
        f"error above {SILENT}: they are not blurred by interference but absent, their ReLU never on."
    )
