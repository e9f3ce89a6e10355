"""Runs that may be set side by side: those of one protocol; what is left out and missing is said."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.findings.exponents import RULE, as_read, exponents
from superlaw.laws.tables import mask
from superlaw.sweeps.plan import load_plan
from superlaw.sweeps.table import ENDED
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    import pandas as pd

STUDY = "weight-decay-grid"  # the published experiment of most figures
WHOLE = ("n_features", "width", "steps", "batch", "warmup", "seed", "represented", "strong")
NAMED = 3  # missing cells named one by one


@dataclass(frozen=True, eq=False)
class ComparableRuns:
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

    @cached_property
    def exponents(self) -> pd.DataFrame:
        """The exponent of every cell of the axes before width (findings.exponents)."""
        return exponents(self.table, [axis for axis in self.axes if axis != "width"])

    def values(self, axis: str) -> list[Any]:
        """Distinct values of an axis among those that did not diverge, in order."""
        return sorted(self.good[axis].unique().tolist())

    def cell(self, **where: Any) -> pd.DataFrame:
        """Runs at given coordinates, matched to four figures; diverged ones included."""
        table = self.table
        for name, value in where.items():
            text = isinstance(value, str)
            same = table[name] == value if text else np.isclose(table[name], value, rtol=1e-3, atol=1e-6)
            table = table[same]
        return table


@dataclass(frozen=True, eq=False)
class RunsByFamily:
    """Comparable runs of each family of frequencies, and why others have none."""

    families: dict[str, ComparableRuns]
    refused: dict[str, str]


def runs_where(runs: pd.DataFrame, where: str | Sequence[str] | None) -> pd.DataFrame:
    """Runs of a table of which every expression, as ``steps == 20000``, is true; InputError where there is none."""
    for one in [where] if isinstance(where, str) else where or ():
        runs = runs[mask(one, runs)]
        if not len(runs):
            raise InputError(f"--where {one}, which no run fulfils", "an expression that some runs fulfil")
    return runs


def comparable_runs(
    table: pd.DataFrame, axes: Sequence[str], figure: str, where: str = "", study: str = STUDY
) -> ComparableRuns:
    """Runs that differ in the axes and seed alone.

    Of several such sets, the one with most values on the first axis, and of these the largest.

    Parameters
    ----------
    table : DataFrame
        Of sweeps.table.
    axes : sequence of str
        What varies; width among them.
    figure : str
        What the runs are for, to say which command makes them.
    where : str
        Runs to use, as ``weight_decay < 0``.
    study : str
        The preset of the published experiment: what it has more of is said.

    Raises
    ------
    InputError
        Where the table holds no run, or runs of a single width.
    """
    do = f"superlaw reproduce {figure} --budget 5m makes them"
    ended = table[table["status"].isin(ENDED)]
    if not len(ended):
        raise InputError("no whole run of this version", f"runs over {', '.join(axes)} for the figure {figure}", do)
    ended = ended[mask(where, ended)] if where else ended
    if not len(ended):
        raise InputError(f"no run with {where}", f"such runs for the figure {figure}", do)
    fixed = [name for name in DEFAULTS if name not in (*axes, "seed") and name in ended]
    ended = ended.astype({name: int for name in WHOLE if name in ended})  # rows without numbers made them floats
    ended = ended.assign(**{name: as_read(ended[name]) for name in (*fixed, *axes)})
    groups = [group for _, group in ended.groupby(fixed, sort=False, dropna=False)]
    chosen = max(groups, key=lambda group: (group[axes[0]].nunique(), len(group)))
    widths = chosen[chosen["status"] == "ok"]["width"].nunique()
    if widths < 2:
        raise InputError(f"runs of {widths} width{'s' * (not widths)} that did not diverge",
                         f"several widths for the figure {figure}", do)  # fmt: skip
    missing = _missing(chosen, axes)
    notes = (
        _shared(chosen, axes),
        *_cut(chosen, axes, study),
        *_left_out(table, chosen, fixed, groups),
        *_lacking(chosen, axes, missing),
    )
    return ComparableRuns(chosen, tuple(axes), notes, missing)


def runs_by_family(table: pd.DataFrame, axes: Sequence[str], figure: str, study: str = STUDY) -> RunsByFamily:
    """Comparable runs of each family of frequencies by itself; InputError where no family has any."""
    families, refused = {}, {}
    for name, group in table.groupby("frequencies", sort=False):
        try:
            families[name] = comparable_runs(group, axes, figure, study=study)
        except InputError as error:
            refused[name] = error.got
    if not families:
        raise InputError(next(iter(refused.values()), "no whole run of this version"),
                         f"runs over {', '.join(axes)}",
                         f"superlaw reproduce {figure} --budget 5m makes them")  # fmt: skip
    return RunsByFamily(families, refused)


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


def _cut(chosen: pd.DataFrame, axes: Sequence[str], preset: str) -> list[str]:
    """What the published experiment has more of."""
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
        differ = [name for name in fixed if len({str(group.iloc[0][name]) for group in groups}) > 1]  # NaN is NaN
        said.append(
            f"Left out: {others} runs of {len(groups) - 1} other protocols (they differ in {', '.join(differ)})."
        )
    bad = table[~table["status"].isin((*ENDED, "missing"))]
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


def _lacking(chosen: pd.DataFrame, axes: Sequence[str], missing: tuple[dict[str, Any], ...]) -> list[str]:
    """Cells of the grid without a run, and those with fewer seeds than there are: no gap, but less to average."""
    present = set(zip(*(chosen[axis].tolist() for axis in axes), strict=True))
    cells = dict.fromkeys(tuple(run[axis] for axis in axes) for run in missing)
    seeds, total = chosen["seed"].nunique(), len(present | set(cells))
    said = []
    for words, found in (
        ("Missing:", [cell for cell in cells if cell not in present]),
        (f"Fewer than {seeds} seeds:", [cell for cell in cells if cell in present]),
    ):
        if found:
            named = "; ".join(
                ", ".join(f"{k} {_plain(v)}" for k, v in zip(axes, c, strict=True)) for c in found[:NAMED]
            )
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            said.append(f"{words} {len(found)} of the grid's {total} cells ({named}{more}).")
    return said


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spec_of(row: pd.Series) -> RunSpec | None:
    """Features and values of a run of a table as a RunSpec (no other field is set); None for explicit frequencies."""
    if str(row["frequencies"]).startswith("explicit"):
        return None
    names = ("n_features", "frequencies", "data_exponent", "decay_length", "activation_density", "clip", "values")
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


def nearest_to(values: Sequence[float], wanted: float) -> float:
    """The value nearest to the one wanted, the first of two as near.

    Examples
    --------
    >>> nearest_to([0.0, 0.5, 1.5], 1.2)
    1.5
    """
    return min(values, key=lambda value: abs(value - wanted))
