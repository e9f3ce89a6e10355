"""What a capacity map holds: cells, the ceiling of each width and activity, and what is said of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError
from superlaw.files.records import read_json
from superlaw.files.shapes import COUNT, NUMBER, Number, misfit
from superlaw.theory.sensing import sensing_degree
from superlaw.theory.strong import strongly_represented

SIZE, POSITIVE = Number(1, 1e9, whole=True), Number(1e-12, 1e12)
BY_SEED = ("held", "silent", "relative_error")
CELL = {"width": SIZE, "n_features": SIZE, "activity": Number(1e-12, 1),
        **{part: [(None, NUMBER)] for part in BY_SEED}}  # fmt: skip
MAP = {
    "widths": [SIZE],
    "degrees": [POSITIVE],
    "activities": [POSITIVE],
    "seeds": [COUNT],
    **dict.fromkeys(("steps", "diverged", "trained", "stored"), COUNT),
    "weight_decay": NUMBER,
    "threshold": POSITIVE,
    "store": str,
    "cells": [CELL],
}
SILENT = 0.9  # relative error above which a feature is not blurred but absent
NEAR = 1.5  # a factor: boundaries closer than this to the scale are said to follow it
SPARSE = 1 / math.e  # the most active features of which compressed sensing speaks
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
    sensing : float or None
        The compressed-sensing scale's n/m = 1/(-x ln x); None outside its sparse regime, 1-S above 1/e.
    half_square : float
        m/2, which is n/m at n = m^2/2.
    """

    width: int
    activity: float
    most: Cell
    boundary: float | None
    sensing: float | None
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
                "sensing_degree": finite(c.sensing), "half_square_degree": c.half_square,
            }
            for c in self.ceilings
        ]  # fmt: skip
        return {
            "widths": list(self.widths), "degrees": list(self.degrees), "activities": list(self.activities),
            "seeds": list(self.seeds), "steps": self.steps, "weight_decay": self.weight_decay,
            "threshold": self.threshold, "diverged": self.diverged, "trained": self.trained, "stored": self.stored,
            "store": str(self.store), "cells": cells, "ceilings": ceilings, "sentences": list(self.sentences),
        }  # fmt: skip


def load_capacity(path: str | Path) -> CapacityMap:
    """Read the JSON of a capacity map back (``to_dict``, as superlaw shape capacity keeps and prints it).

    Raises
    ------
    InputError
        Where there is none, or it is no capacity map.
    """
    need, do = "the JSON of superlaw shape capacity", "run it again"
    record = read_json(path, need, do, DamagedFileError)
    if wrong := misfit(record, MAP) or _strange_cell(record):
        raise DamagedFileError(f"{path}, not a capacity map ({wrong})", need, do)
    known = lambda values: tuple(math.nan if value is None else float(value) for value in values)  # noqa: E731
    cells = tuple(
        Cell(c["width"], c["n_features"], c["activity"], *(known(c[part]) for part in BY_SEED)) for c in record["cells"]
    )
    listed = {name: tuple(record[name]) for name in ("widths", "degrees", "activities", "seeds")}
    same = {name: record[name] for name in ("steps", "weight_decay", "threshold", "diverged", "trained", "stored")}
    found = CapacityMap(cells=cells, ceilings=ceilings_of(cells), **listed, **same, store=Path(record["store"]))
    return replace(found, sentences=tuple(sentences_on(found)))


def _strange_cell(record: Mapping[str, Any]) -> str:
    """What cell is not one of the map's own; "" where all are."""
    for i, cell in enumerate(record["cells"]):
        if cell["width"] not in record["widths"] or cell["activity"] not in record["activities"]:
            return f"cells[{i}] is at no place of the map"
        if any(len(cell[part]) != len(record["seeds"]) for part in BY_SEED):
            return f"cells[{i}] is not of {len(record['seeds'])} seeds"
    return ""


def ceilings_of(cells: tuple[Cell, ...]) -> tuple[Ceiling, ...]:
    """The ceiling of every width and activity at which a run came to an end."""
    found = []
    for m, p in dict.fromkeys((cell.width, cell.activity) for cell in cells):
        line = sorted((c for c in cells if (c.width, c.activity) == (m, p) and c.share == c.share),
                      key=lambda c: c.degree)  # fmt: skip
        if line:
            most = max(line, key=lambda c: c.mean_held)
            sensing = sensing_degree(p) if p <= SPARSE else None
            found.append(Ceiling(m, p, most, _boundary(line), sensing, strongly_represented(m) / m))
    return tuple(found)


def _boundary(line: list[Cell]) -> float | None:
    """n/m at which the share falls through one half, between two sizes on a logarithmic scale."""
    for below, above in itertools.pairwise(line):
        if below.share >= FULL > above.share:
            part = (below.share - FULL) / (below.share - above.share)
            return float(below.degree ** (1 - part) * above.degree**part)
    return None


def sentences_on(found: CapacityMap) -> list[str]:
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
    ratios = [(c.activity, c.boundary / c.sensing) for c in line if c.boundary is not None and c.sensing is not None]
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
    below = [c for c in found.cells if c.share == c.share and c.activity <= SPARSE
             and c.degree < sensing_degree(c.activity)]  # fmt: skip
    lost = sum(c.n_features - h for c in below for h in c.held if h == h)
    if not lost:
        return ""
    silent = sum(s for c in below for s in c.silent if s == s)
    return (
        f"Below the compressed-sensing line {silent / lost:.0%} of the features that are not recovered have a relative "
        f"error above {SILENT}: no better than answering their mean, where interference alone would blur them."
    )
