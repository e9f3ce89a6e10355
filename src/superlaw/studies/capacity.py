"""How many features does a trained model hold? Toy models over activity 1 - S and degree n/m.

All n features are equally frequent, p_i = 1 - S. A feature is recovered where its relative error
(toy.recovery) is below a threshold; a model holds the features that it recovers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from superlaw.errors import InputError
from superlaw.findings.capacity_map import SILENT, CapacityMap, Cell, ceilings_of, sentences_on
from superlaw.geometry.blocks import usable_cores
from superlaw.sweeps.execute import Report, check_workers, execute, local_pool
from superlaw.sweeps.store import Store
from superlaw.toy.recovery import relative_errors
from superlaw.toy.run import load_run
from superlaw.toy.spec import RunSpec
from superlaw.toy.train import make_engine

WIDTHS = (8, 16)
DEGREES = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # n/m
ACTIVITIES = tuple(10 ** -(0.5 + 0.25 * k) for k in range(11))  # 0.32 to 0.001
SEEDS = (0, 1)
STEPS = 10_000
ACTIVE_A_STEP = 8  # times that a feature is active in a batch, as far as the batch's limits allow
BATCHES = (512, 4096)
WARMUP_SHARE = 0.1  # of the steps, as in the published protocol
WEIGHT_DECAY = -1.0  # growth toward unit rows: every feature is represented, so that room is what is short
LEAST_ACTIVITY = 1e-5  # 256 times active in a test of 26 million samples
THRESHOLD = 0.5  # more than half of a feature's variance is given back
ACTIVATIONS = 256  # of each feature in the samples that test recovery


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


def measure_capacity(
    store: str | Path = "capacity",
    workers: int | None = None,
    widths: Sequence[int] = WIDTHS,
    degrees: Sequence[float] = DEGREES,
    activities: Sequence[float] = ACTIVITIES,
    seeds: Sequence[int] = SEEDS,
    steps: int = STEPS,
    weight_decay: float = WEIGHT_DECAY,
    threshold: float = THRESHOLD,
    report: Report | None = None,
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
    _check(widths, degrees, activities, seeds, threshold)
    specs = capacity_specs(widths, degrees, activities, seeds, steps, weight_decay)
    if not specs:
        raise InputError("no cell with n p <= m", "sparser features or fewer of them")
    engine = make_engine("fused")
    for spec in specs.values():
        engine.check(spec)
    kept = Store(store)
    tally = execute(specs.values(), kept, workers, report=report)
    if tally.failed:
        reason = next(iter(tally.failed.values()))
        raise InputError(f"{len(tally.failed)} failed runs ({reason})", "all runs", "run again")
    cells = _cells(specs, kept, threshold, workers or usable_cores())
    found = CapacityMap(
        cells=cells, ceilings=ceilings_of(cells), widths=tuple(widths), degrees=tuple(degrees),
        activities=tuple(activities), seeds=tuple(seeds), steps=steps, weight_decay=weight_decay, threshold=threshold,
        diverged=sum(h != h for cell in cells for h in cell.held), trained=tally.trained, stored=tally.stored,
        store=Path(store),
    )  # fmt: skip
    return replace(found, sentences=tuple(sentences_on(found)))


def _check(
    widths: Sequence[int],
    degrees: Sequence[float],
    activities: Sequence[float],
    seeds: Sequence[int],
    threshold: float,
) -> None:
    """Refuse what cannot be trained or tested, before anything is made."""
    if not 0 < threshold <= 1:
        raise InputError(f"threshold = {threshold}", "a relative error above 0 and up to 1, that of the mean")
    for name, values in (("widths", widths), ("degrees", degrees), ("activities", activities), ("seeds", seeds)):
        if not len(values) or len(set(values)) < len(values):
            raise InputError(f"{name} = {', '.join(map(str, values)) or 'none'}", "at least one value, none twice")
    for m in widths:
        if m < 1:
            raise InputError(f"width = {m}", "a whole number of 1 or more")
    for p in activities:
        if not LEAST_ACTIVITY <= p <= 1:
            raise InputError(f"activity = {p}", f"a probability 1 - S from {LEAST_ACTIVITY:g} to 1",
                             "rarer features are not seen often enough to be tested")  # fmt: skip
    for d in degrees:
        if not 0 < d < float("inf"):
            raise InputError(f"degree = {d}", "a positive number of features a neuron")


def _cells(specs: dict[tuple, RunSpec], store: Store, threshold: float, workers: int) -> tuple[Cell, ...]:
    files = [str(store.file(spec.id)) for spec in specs.values()]
    with local_pool(min(workers, len(files))) as pool:
        tested = dict(zip(specs, pool.map(_held, files, itertools.repeat(threshold)), strict=True))
    places = dict.fromkeys(key[:3] for key in specs)
    by_seed = {place: [tested[key] for key in tested if key[:3] == place] for place in places}
    return tuple(Cell(*place, *map(tuple, zip(*values, strict=True))) for place, values in by_seed.items())


def _held(file: str, threshold: float) -> tuple[float, float, float]:
    """Features that a stored run recovers, those it is silent on, the mean error; NaN where it diverged."""
    errors = relative_errors(load_run(file), ACTIVATIONS)
    if not np.isfinite(errors).all():
        return np.nan, np.nan, np.nan
    return float(np.sum(errors < threshold)), float(np.sum(errors > SILENT)), float(errors.mean())
