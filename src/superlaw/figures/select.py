"""Which runs of a table a figure may set side by side: those of one protocol; what is left out and missing is said."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.figures.panels import Color, Item, Line, Marks
from superlaw.sweeps.plan import load_plan
from superlaw.sweeps.scaling import RULE, exponent, outside
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    import pandas as pd

ENDED = ("ok", "diverged")
PUBLISHED = {"overview": "wide", "density": "density-grid"}  # the others: weight-decay-grid
WHOLE = ("n_features", "width", "steps", "batch", "warmup", "seed", "represented", "strong")
HOLLOW = "Hollow: outside the scaling range."
NAMED = 3  # missing runs named one by one


@dataclass(frozen=True, eq=False)
class Chosen:
    """Runs of one protocol: they differ in ``axes`` and seed alone.

    ``notes`` says what they share, what was left out and what their grid lacks; ``missing`` lists the
    runs that would fill it.
    """

    table: pd.DataFrame
    axes: tuple[str, ...]
    notes: tuple[str, ...]
    missing: tuple[dict[str, Any], ...]

    @property
    def good(self) -> pd.DataFrame:
        """Those that did not diverge."""
        return self.table[self.table["status"] == "ok"]

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all runs chosen."""
        return tuple(self.table["id"])

    def values(self, axis: str) -> list[Any]:
        """Distinct values of an axis among those that did not diverge, in order."""
        return sorted(self.good[axis].unique().tolist())


def choose(table: pd.DataFrame, axes: Sequence[str], figure: str) -> Chosen:
    """Runs that differ in the axes and seed alone.

    Of several such sets, the one with most values on the first axis, and of these the largest.

    Raises
    ------
    InputError
        Where the table holds no run, or runs of a single width.
    """
    do = f"superlaw reproduce {figure} --budget 5m makes them"
    ended = table[table["status"].isin(ENDED)]
    if not len(ended):
        raise InputError("no whole run of this version", f"runs over {', '.join(axes)} for the figure {figure}", do)
    fixed = [name for name in DEFAULTS if name not in (*axes, "seed") and name in ended]
    ended = ended.astype({name: int for name in WHOLE if name in ended})  # rows without numbers made them floats
    ended = ended.assign(**{name: _rounded(ended[name]) for name in (*fixed, *axes)})
    groups = [group for _, group in ended.groupby(fixed, sort=False, dropna=False)]
    chosen = max(groups, key=lambda group: (group[axes[0]].nunique(), len(group)))
    widths = chosen[chosen["status"] == "ok"]["width"].nunique()
    if widths < 2:
        raise InputError(f"runs of {widths} width{'s' * (not widths)} that did not diverge",
                         f"several widths for the figure {figure}", do)  # fmt: skip
    missing = _missing(chosen, axes)
    notes = (
        _shared(chosen, axes),
        *_cut(chosen, axes, figure),
        *_left_out(table, chosen, fixed, groups),
        *_lacking(chosen, missing),
    )
    return Chosen(chosen, tuple(axes), notes, missing)


def _rounded(column: pd.Series) -> pd.Series:
    """Numbers to seven figures, so that a table read from text and a store agree."""
    if column.dtype.kind != "f":
        return column
    return column.map(lambda value: float(f"{value:.7g}"))


def _shared(chosen: pd.DataFrame, axes: Sequence[str]) -> str:
    """What the runs have in common."""
    first = chosen.iloc[0]
    said = [f"{len(chosen)} runs", f"n = {first['n_features']}"]
    if "data_exponent" not in axes and (chosen["frequencies"] == "power").any():
        said.append(f"α = {first['data_exponent']:g}")
    if "activation_density" not in axes:
        said.append(f"E = {first['density']:.4g}")
    if "weight_decay" not in axes:
        said.append(f"γ = {first['weight_decay']:g}")
    said += [f"{first['steps']:,} steps", f"batch {first['batch']:,}", f"η = {first['learning_rate']:g}"]
    seeds = chosen["seed"].nunique()
    said.append(f"{seeds} seeds" if seeds > 1 else "one seed")
    bars = "the standard deviation over seeds (of a loss with one seed, over the last 100 steps)"
    alone = "of losses, the standard deviation over the last 100 steps"
    return ", ".join(said) + f". Bars: {bars if seeds > 1 else alone}; of exponents, the standard error. {RULE}."


def _cut(chosen: pd.DataFrame, axes: Sequence[str], figure: str) -> list[str]:
    """What the published experiment has more of."""
    preset = PUBLISHED.get(figure, "weight-decay-grid")
    plan, first = load_plan(preset), chosen.iloc[0]
    here = [chosen[axis].nunique() for axis in axes]
    there = [len(plan.axes.get(axis, (None,))) for axis in axes]
    same = all(first[name] == plan.base[name] for name in ("n_features", "steps", "batch"))
    if same and all(ours >= theirs for ours, theirs in zip(here, there, strict=True)):
        return []
    n, steps, batch = (plan.base[name] for name in ("n_features", "steps", "batch"))
    values = ", ".join(
        f"{theirs} of {axis} (here {ours})" for axis, ours, theirs in zip(axes, here, there, strict=True)
    )
    return [f"The study ({preset}): n = {n:,}, {steps:,} steps, batch {batch:,}; values: {values}."]


def _left_out(table: pd.DataFrame, chosen: pd.DataFrame, fixed: list[str], groups: list[pd.DataFrame]) -> list[str]:
    said = []
    others = sum(map(len, groups)) - len(chosen)
    if others:
        differ = [name for name in fixed if len({group.iloc[0][name] for group in groups}) > 1]
        said.append(
            f"Left out: {others} runs of {len(groups) - 1} other protocols (they differ in {', '.join(differ)})."
        )
    bad = table[~table["status"].isin(ENDED)]
    if len(bad):
        said.append(f"Left out: {len(bad)} damaged or stopped runs.")
    diverged = int((chosen["status"] == "diverged").sum())
    if diverged:
        said.append(f"{diverged} runs diverged and are not drawn.")
    return said


def _missing(chosen: pd.DataFrame, axes: Sequence[str]) -> tuple[dict[str, Any], ...]:
    names = [*axes, "seed"]
    present = set(zip(*(chosen[name].tolist() for name in names), strict=True))
    grid = itertools.product(*(sorted(chosen[name].unique().tolist()) for name in names))
    return tuple(dict(zip(names, cell, strict=True)) for cell in grid if cell not in present)


def _lacking(chosen: pd.DataFrame, missing: tuple[dict[str, Any], ...]) -> list[str]:
    if not missing:
        return []
    named = "; ".join(", ".join(f"{k} {_plain(v)}" for k, v in cell.items()) for cell in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return [f"Missing: {len(missing)} of the grid's {len(missing) + len(chosen)} runs ({named}{more})."]


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spec_of(row: pd.Series) -> RunSpec | None:
    """The features of a run of a table as a RunSpec (no other field is set); None for explicit frequencies."""
    if row["frequencies"] == "explicit":
        return None
    names = ("n_features", "frequencies", "data_exponent", "decay_length", "activation_density", "clip")
    fields = {name: row[name] for name in names}
    return RunSpec(**fields | {"n_features": int(row["n_features"]), "clip": bool(row["clip"])})


def over_seeds(table: pd.DataFrame, x: str, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, the mean of y over seeds, and its spread: over seeds, or for one seed's loss over its last steps.

    Each of shape (distinct x,), x increasing.
    """
    shown = table[np.isfinite(table[y].to_numpy(dtype=float))].groupby(x)[y]
    mean = shown.mean()
    spread = shown.std().to_numpy()
    if y == "loss":
        alone = table.groupby(x)["loss_std"].mean().reindex(mean.index).to_numpy()
        spread = np.where(np.isfinite(spread), spread, alone)
    return mean.index.to_numpy(), mean.to_numpy(), np.nan_to_num(spread)


def marks(table: pd.DataFrame, x: str, y: str, **look: Any) -> Marks:
    """Marks of y against x with the spread of :func:`over_seeds`."""
    at, mean, spread = over_seeds(table, x, y)
    return Marks(at, mean, spread if spread.any() else None, **look)


def losses_and_line(runs: pd.DataFrame, name: str, color: Color, marker: str = "o") -> list[Item]:
    """Losses against width, hollow outside the scaling range, and the line through the others with its exponent."""
    if not len(runs):
        return []
    inside, found = outside(runs) == "", exponent(runs)
    label = f"{name}: $m^{{-{found.exponent:.2f} \\pm {found.stderr:.2f}}}$" if found else name
    items: list[Item] = [
        marks(part, "width", "loss", color=color, marker=marker, filled=filled)
        for part, filled in ((runs[inside], True), (runs[~inside], False))
        if len(part)
    ]
    items[0] = replace(items[0], label=label)
    if found:
        ends = np.array([found.widths[0], found.widths[-1]], dtype=float)
        items.append(Line(ends, found.coefficient * ends**-found.exponent, color=color))
    return items


def exponents_by_decay(cells: pd.DataFrame, hollow: str = "") -> list[Item]:
    """Exponents against alpha for each weight decay, side by side; those of the regime ``hollow`` so."""
    items: list[Item] = []
    decays = sorted(cells["weight_decay"].unique())
    for i, decay in enumerate(decays):
        here = cells[cells["weight_decay"] == decay]
        shift, label = 0.02 * (i - (len(decays) - 1) / 2), f"γ = {decay:.3g}"
        for part, filled in ((here[here["regime"] != hollow], True), (here[here["regime"] == hollow], False)):
            if len(part):
                items.append(Marks(part["data_exponent"].to_numpy(), part["exponent"].to_numpy(),
                                   part["stderr"].to_numpy(), label, f"C{i}", filled=filled, shift=shift))  # fmt: skip
                label = None
    return items


def nearest_to(values: Sequence[float], wanted: float) -> float:
    """The value nearest to the one wanted, the first of two as near.

    Examples
    --------
    >>> nearest_to([0.0, 0.5, 1.5], 1.2)
    1.5
    """
    return min(values, key=lambda value: abs(value - wanted))
