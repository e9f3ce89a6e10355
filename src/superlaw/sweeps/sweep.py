"""sweep: plan -> Sweep, the plan with whatever runs of it exist."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.laws.slope import fit_slope
from superlaw.sweeps.execute import Report, Tally, check_workers, execute
from superlaw.sweeps.plan import Plan, load_plan
from superlaw.sweeps.scaling import predicted, regime
from superlaw.sweeps.store import Store
from superlaw.toy.run import Run
from superlaw.toy.train import make_engine

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

    def runs(self) -> list[Run | None]:
        """Every planned run in the plan's order, read whole and checked; None where it is missing."""
        return [self.store.load(spec.id) if self.store.has(spec.id) else None for spec in self.plan.specs]

    def states(self) -> list[tuple[str, str | None]]:
        """(status, engine) of every planned run; status is ok, diverged, missing or damaged."""
        present, states = self.store.ids(), []
        for spec in self.plan.specs:
            if spec.id not in present:
                states.append(("missing", None))
                continue
            try:
                header = self.store.header(spec.id)
                whole = header["status"] in ("ok", "diverged")
                states.append((header["status"] if whole else "damaged", header["provenance"].get("engine")))
            except DamagedFileError:
                states.append(("damaged", None))
        return states

    def table(self) -> pd.DataFrame:
        """One row for every planned run: coordinates, id, status, measures, provenance.

        ``status`` is ok, diverged, missing, or damaged (see ``superlaw sweep verify``). Built from the
        headers of the files: weights are not read.
        """
        import pandas as pd  # a third of a second: only tables need it

        present, rows = self.store.ids(), []
        for cell, spec in zip(self.plan.cells, self.plan.specs, strict=True):
            row: dict[str, Any] = {**cell, "id": spec.id, "status": "missing"}
            if spec.id in present:
                try:
                    header = self.store.header(spec.id)
                    row |= {"status": header["status"], **(header["measures"] or {})}
                    row |= {key: header["provenance"].get(key) for key in ("engine", "wall_seconds")}
                except DamagedFileError:
                    row["status"] = "damaged"
            rows.append(row)
        return pd.DataFrame(rows)

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
            raise InputError(
                f"{counts} of the {len(table)} runs of {self.plan.name}", "all of them for a grid",
                f"superlaw sweep run {self.plan.name} --store {self.store.path}",
            )  # fmt: skip
        axes = {**self.plan.axes, "seed": self.plan.seeds}
        shape = tuple(len(values) for values in axes.values())
        names = [name for name in table.columns if name not in axes]
        data = {}
        for name in names:
            column = table[name]
            values = column.astype(str) if column.dtype == object or name in ("id", "status", "engine") else column
            data[name] = (tuple(axes), np.asarray(values.to_list()).reshape(shape))
        return xr.Dataset(data, {name: list(values) for name, values in axes.items()}, {"plan": self.plan.name})

    def exponents(self) -> pd.DataFrame:
        """The model exponent of every cell of the axes other than width, seeds as replicates.

        Columns: the axes; ``exponent``, ``stderr`` and ``r_squared`` of a straight line of log loss on log
        width; ``n`` runs used, ``widths`` and ``seeds`` among them, ``left_out`` runs missing or diverged,
        ``untrained`` runs used whose loss is above that of answering 0 to everything (4/3 E);
        ``represented_fraction`` (mean), ``regime`` by what the runs represent, and ``theory``'s exponent
        there (NaN where theory has none).
        """
        import pandas as pd

        if "width" not in self.plan.axes:
            raise InputError(f"the plan {self.plan.name} without an axis width", "several widths for an exponent")
        table, rest = self.table(), [axis for axis in self.plan.axes if axis != "width"]
        specs = self.plan.specs
        table = table.assign(
            n_features=[spec.n_features for spec in specs],
            silence=[4 / 3 * spec.probabilities.sum() for spec in specs],
            family=[spec.frequencies_name for spec in specs],
            alpha=[spec.data_exponent for spec in specs],
        )
        groups = table.groupby(rest, sort=False) if rest else [((), table)]
        rows = []
        for key, group in groups:
            good = group[group["status"] == "ok"] if "loss" in group else group[:0]
            row: dict[str, Any] = dict(zip(rest, key if isinstance(key, tuple) else (key,), strict=True))
            row |= {"exponent": np.nan, "stderr": np.nan, "r_squared": np.nan}
            if good["width"].nunique() > 1:
                slope = fit_slope(good["width"].to_numpy(), good["loss"].to_numpy())
                row |= {"exponent": slope.exponent, "stderr": slope.stderr, "r_squared": slope.r_squared}
            kind, first = regime(good), group.iloc[0]
            row |= {
                "n": len(good),
                "widths": good["width"].nunique(),
                "seeds": good["seed"].nunique(),
                "left_out": len(group) - len(good),
                "untrained": int((good["loss"] > good["silence"]).sum()) if len(good) else 0,
                "represented_fraction": good["represented_fraction"].mean() if len(good) else np.nan,
                "regime": kind,
                "theory": predicted(kind, first["family"], first["alpha"]),
            }
            rows.append(row)
        return pd.DataFrame(rows)


def sweep(
    plan: str | Path | Plan,
    store: str | Path | Store,
    workers: int | None = None,
    executor: Executor | None = None,
    engine: str = "fused",
    limit: int | None = None,
    report: Report = lambda tally: None,
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
    engine : {"fused", "dense"}
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


def check(plan: Plan, engine: str = "fused", workers: int | None = None) -> None:
    """Raise InputError when the plan cannot be run so; nothing is made or written."""
    check_workers(workers)
    chosen = make_engine(engine)
    for spec in plan.specs:
        chosen.check(spec)


def look(plan: str | Path | Plan, store: str | Path) -> Sweep:
    """The Sweep of a plan and an existing store, training nothing."""
    return Sweep(load_plan(plan), Store(store, create=False))
