"""The capacity map: where features are recovered, with the compressed-sensing line and m^2/2."""

from __future__ import annotations

import numpy as np

from superlaw.figures import paint
from superlaw.figures.panels import Item, Line, Map, Marks, Panel, Picture
from superlaw.findings.capacity_map import SPARSE, CapacityMap, Ceiling
from superlaw.theory.sensing import sensing_degree

LINE_POINTS = 121

draw = paint.draw


def data(result: CapacityMap) -> Picture:
    """The share of features recovered over (1-S, n/m), a map a width, and the most that is held."""
    maps = tuple(_map(result, width) for width in result.widths)
    seeds = ", ".join(map(str, result.seeds))
    notes = (
        f"A feature is recovered where its relative error on fresh samples is below {result.threshold:g} (0: perfect; "
        f"1: answering its mean). γ = {result.weight_decay:g}, {result.steps} steps; means over seeds {seeds}"
        + (f"; {result.diverged} diverged runs left out." if result.diverged else "."),
        "Grey: more than m features active at once on average, n(1-S) > m; not trained.",
        "1/(-x ln x), x = 1-S, is compressed sensing's scale with its unknown constant set to 1.",
    )
    return Picture("capacity", "How many features does a trained model hold?", (*maps, _ceilings(result)),
                   min(3, len(maps) + 1), notes)  # fmt: skip


def _map(result: CapacityMap, width: int) -> Panel:
    activities, degrees = sorted(result.activities), sorted(result.degrees)
    z = np.full((len(degrees), len(activities)), np.nan)
    for cell in result.cells:
        if cell.width == width:
            row = int(np.argmin(np.abs(np.array(degrees) - cell.degree)))
            z[row, activities.index(cell.activity)] = cell.share
    items: list[Item] = [
        Map(tuple(f"{p:.2g}" for p in activities), tuple(degrees), z, "share of features recovered", None, 0, 1,
            text=""),
    ]  # fmt: skip
    if len(activities) > 1 and len(degrees) > 1:
        place = _Place(activities, degrees)
        x = np.geomspace(activities[0], activities[-1], LINE_POINTS)
        x = x[x <= SPARSE]
        items.append(place.line(x, [sensing_degree(p) for p in x], "1/(-x ln x)", "strong", "-"))
        items.append(place.line(x, np.full(len(x), width / 2), "m²/2 features", "C5", "--"))
        half = [c for c in result.ceilings if c.width == width and c.boundary is not None]
        places = place([c.activity for c in half], [c.boundary for c in half])
        items.append(Marks(*places, None, "half recovered", "C3", "D"))
    return Panel("activity 1-S", "features a neuron n/m", tuple(items), f"m = {width}", legend="lower left")


class _Place:
    """Where an activity and a degree lie on a map, whose cells are numbered: NaN outside it."""

    def __init__(self, activities: list[float], degrees: list[float]):
        self.axes = np.log(activities), np.log(degrees)

    def __call__(self, activities: object, degrees: object) -> tuple[np.ndarray, np.ndarray]:
        found = []
        for values, axis in zip((activities, degrees), self.axes, strict=True):
            log = np.log(np.asarray(values, dtype=float))
            edges = np.concatenate([[axis[0] - (axis[1] - axis[0]) / 2], axis, [axis[-1] + (axis[-1] - axis[-2]) / 2]])
            numbers = np.concatenate([[-0.5], np.arange(len(axis)), [len(axis) - 0.5]])
            found.append(np.interp(log, edges, numbers, np.nan, np.nan))
        return found[0], found[1]

    def line(self, activities: object, degrees: object, label: str, color: str, style: str) -> Line:
        """A curve on the map."""
        return Line(*self(activities, degrees), label, color, style)


def _ceilings(result: CapacityMap) -> Panel:
    items: list[Item] = []
    for k, width in enumerate(result.widths):
        line: list[Ceiling] = sorted((c for c in result.ceilings if c.width == width), key=lambda c: c.activity)
        held = np.array([c.most.mean_held for c in line]) / width
        ends = np.array([[np.nanmin(c.most.held), np.nanmax(c.most.held)] for c in line]).T / width
        x = np.array([c.activity for c in line])
        error = np.abs(ends - held) if len(result.seeds) > 1 else None
        items.append(Marks(x, held, error, f"m = {width}", f"C{2 * k}", joined=True))
        items.append(Line(x, np.full(len(x), width / 2), f"m²/2 at m = {width}", f"C{2 * k}", "--"))
    x = np.geomspace(min(result.activities), max(result.activities), LINE_POINTS)
    x = x[x <= SPARSE]
    items.append(Line(x, np.array([sensing_degree(p) for p in x]), "1/(-x ln x)", "strong"))
    return Panel("activity 1-S", "most features held, a neuron", tuple(items), "The most any size held", "log", "log",
                 ylim=(1, 2 * max(result.degrees)), legend="upper right")  # fmt: skip
