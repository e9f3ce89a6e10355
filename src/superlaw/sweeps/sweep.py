"""sweep: plan -> Sweep, the plan with whatever runs of it exist."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.notebook import facts_html
from superlaw.sweeps.execute import Report, Tally, check_workers, execute
from superlaw.sweeps.plan import NONE, Plan, as_said, load_plan
from superlaw.sweeps.store import Store
from superlaw.sweeps.table import MEASURES, PROVENANCE, run_table
from superlaw.toy.frequencies import NamedFrequencies
from superlaw.toy.run import Run
from superlaw.toy.train import DEFAULT_ENGINE, engine_for

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class Sweep:
    """A plan and the store that holds its runs.

    ``tally`` says what the call that made it did (None when it only looked).
    """

    plan: Plan
    store: Store
    tally: Tally | None = None

    def __repr__(self) -> str:
        return f"Sweep({self.plan.name} in {self.store.path}: {self._stored})"

    def _repr_html_(self) -> str:
        axes = [(axis, ", ".join(map(as_said, values))) for axis, values in self.plan.axes.items()]
        base = ", ".join(f"{field} = {as_said(value)}" for field, value in self.plan.base.items())
        facts = [("runs", self._stored), *axes, ("seeds", ", ".join(map(str, self.plan.seeds))), ("all", base)]
        return facts_html(f"Sweep {self.plan.name} in {self.store.path}", facts)

    @property
    def _stored(self) -> str:
        specs = {spec.id for spec in self.plan.specs}
        return f"{len(specs & self.store.ids())} of {len(specs)} stored"

    def runs(self) -> list[Run | None]:
        """Every planned run in the plan's order, read whole and checked; None where it is missing."""
        return [self.store.load(spec.id) if self.store.has(spec.id) else None for spec in self.plan.specs]

    def states(self) -> list[tuple[str, str | None]]:
        """(status, engine) of every planned run; status is ok, diverged, missing or damaged.

        Runs are read whole: a header does not tell that weights are damaged. An engine whose arithmetic has changed
        is named with its revision: bits of two revisions differ.
        """
        present, states = self.store.ids(), []
        for spec in self.plan.specs:
            if spec.id not in present:
                states.append(("missing", None))
                continue
            try:
                run = self.store.load(spec.id)
                whole = run.status in ("ok", "diverged")
                states.append((run.status if whole else "damaged", _engine(run.provenance)))
            except InputError:
                states.append(("damaged", None))
        return states

    def table(self) -> pd.DataFrame:
        """The run table: one row for every planned run in the plan's order, missing ones included and marked.

        The columns are those of :func:`~superlaw.gather`; runs are read whole, so that damaged ones are told.
        """
        return run_table(self.store, self.plan.specs)

    def grid(self) -> xr.Dataset:
        """Measures over the axes and seeds, labelled; diverged runs are NaN and marked in ``status``.

        Raises
        ------
        InputError
            When a cell is missing or damaged: an average over what happens to exist is never made.
        """
        import xarray as xr

        table = self.table()
        absent = table[~table["status"].isin(["ok", "diverged"])]
        if len(absent):
            counts = ", ".join(f"{n} {status}" for status, n in absent["status"].value_counts().items())
            first = f"{self.store.verifying}, then " if (absent["status"] == "damaged").any() else ""
            raise InputError(f"{counts} of the {len(table)} runs of {self.plan.name}", "all of them for a grid",
                             first + self.plan.command(self.store.path))  # fmt: skip
        axes = {**self.plan.axes, "seed": self.plan.seeds}
        shape = tuple(len(values) for values in axes.values())
        names = [name for name in ("id", "status", *MEASURES, *PROVENANCE) if name in table]
        data = {}
        for name in names:
            column = table[name]
            values = column if name in MEASURES or name == "wall_seconds" else column.astype(str)
            data[name] = (tuple(axes), np.asarray(values.to_list()).reshape(shape))
        return xr.Dataset(data, {name: _labels(values) for name, values in axes.items()}, {"plan": self.plan.name})

    def to_xarray(self) -> xr.Dataset:
        """:meth:`grid`, under the name that other libraries have for it."""
        return self.grid()


def _labels(values: Sequence[Any]) -> list[Any]:
    """Values of an axis as netCDF can hold them: NaN among numbers, a word among words, for what was left out."""
    absent = NONE if any(isinstance(value, str) for value in values) else np.nan
    plain = [str(value) if isinstance(value, NamedFrequencies) else value for value in values]
    return [absent if value is None else value for value in plain]


def _engine(provenance: dict[str, Any]) -> str | None:
    name, revision = provenance.get("engine"), provenance.get("engine_revision")
    return f"{name} (revision {revision})" if name and revision else name


def sweep(
    plan: str | Path | Plan,
    store: str | Path | Store,
    workers: int | None = None,
    executor: Executor | None = None,
    engine: str = DEFAULT_ENGINE,
    limit: int | None = None,
    report: Report | None = None,
) -> Sweep:
    """Train what the store lacks of a plan.

    Parameters
    ----------
    plan : preset name, TOML file, or Plan
    store : folder
        Runs are stored there as they finish; what is there already is not trained again.
    workers : int, optional
        Local processes, one model each; all processors when left out.
    executor : concurrent.futures.Executor, optional
        Where to run instead (a Dask client's ``get_executor()``, say).
    engine : {"auto", "fused", "dense"}
    limit : int, optional
        At most this many new runs, in the plan's order.
    report : callable
        Progress: called with a Tally.

    Returns
    -------
    Sweep

    Examples
    --------
    In a script, call it under ``if __name__ == "__main__":`` (workers import the script).

    >>> import tempfile
    >>> plan = Plan("tiny", {"n_features": 20, "steps": 20, "batch": 32}, {"width": (2, 4)})
    >>> sweep(plan, tempfile.mkdtemp(), workers=1).table()["status"].tolist()
    ['ok', 'ok']
    """
    plan = load_plan(plan)
    check(plan, engine, workers)
    store = store if isinstance(store, Store) else Store(store)
    store.clean()
    specs = plan.specs
    if limit is not None:
        present = store.ids()
        missing = [spec for spec in dict.fromkeys(specs) if spec.id not in present]
        allowed = {spec.id for spec in missing[: max(0, limit)]}
        specs = tuple(spec for spec in specs if spec.id in allowed or spec.id in present)
    tally = execute(specs, store, workers, executor, engine, plan.keeps_weights, report)
    store.clean()  # what workers that died on the way were writing
    return Sweep(plan, store, tally)


def check(plan: Plan, engine: str = DEFAULT_ENGINE, workers: int | None = None) -> None:
    """Raise InputError when the plan cannot be run so; nothing is made or written."""
    check_workers(workers)
    for spec in plan.specs:
        engine_for(spec, engine)


def look(plan: str | Path | Plan, store: str | Path) -> Sweep:
    """The Sweep of a plan and an existing store, training nothing."""
    return Sweep(load_plan(plan), Store(store, create=False))
