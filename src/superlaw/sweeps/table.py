"""The run table: a row a run, its spec, measures and provenance, no weights. There is no other.

A sweep's table has a row for every planned run; a store's one for every run that it holds. Either can be
written as a small CSV and read back, and every finding starts from it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.outputs import write_atomically
from superlaw.geometry.overlaps import row_norms
from superlaw.sweeps.store import Store
from superlaw.toy.fields import CHOICES, SWITCHES, checked_field
from superlaw.toy.history import loss_history
from superlaw.toy.measures import STRONG, Measures, measures_of
from superlaw.toy.run import Run
from superlaw.toy.spec import DEFAULTS, RunSpec

if TYPE_CHECKING:
    import pandas as pd

NORM_EDGES = np.linspace(0, 2, 81)  # of the histogram of row norms; longer rows count in the last bin
RANK_BINS = 24  # of frequency ranks, evenly in log
PROFILES = ("norm_counts", "norm_by_rank", "strong_by_rank")
PROVENANCE = ("engine", "superlaw", "machine", "finished", "wall_seconds")
ENDED = ("ok", "diverged")  # statuses of runs that were trained to their end
TEXTS = ("id", "status", "frequencies", *CHOICES, *SWITCHES, "engine", "superlaw", "machine", "finished", "source")
MEASURES = tuple(f.name for f in fields(Measures))
# Of tables that older versions wrote: a column that they lack held what is now the default.
ADDED = ("correlation", "group_size", "rows", "learn_bias", "initial_norm", "initial_bias_mean", "initial_bias_std",
         "optimizer", "momentum", "adam_epsilon", "schedule", "decay_share")  # fmt: skip
ADDED_MEASURES = tuple(f.name for f in fields(Measures) if f.default is not MISSING)
REQUIRED = ("id", "status", "density", *(name for name in DEFAULTS if name not in ADDED),
            *(f.name for f in fields(Measures) if f.default is MISSING))  # fmt: skip
ALONG = ("step", "loss", "stderr", "steps_averaged")  # columns of a run's history
WARM_UP = "warm-up"  # status of its windows within the warm-up
DIGITS = "%.8g"


def run_table(store: Store, specs: Sequence[RunSpec] | None = None, profiles: bool = False) -> pd.DataFrame:
    """One row for every spec, or without specs for every run that the store holds.

    Parameters
    ----------
    store : Store
    specs : sequence of RunSpec, optional
        Planned runs, in the table's order.
    profiles : bool
        Also the columns ``norm_counts`` (rows of W by norm, in the bins NORM_EDGES), ``norm_by_rank`` and
        ``strong_by_rank`` (mean norm, and share of rows with norm above 1, in the bins of
        :func:`rank_edges`), for which the weights of each run are read.

    Returns
    -------
    DataFrame
        ``id``, ``status``, the fields of RunSpec, ``density`` (E = sum p_i), the measures, the profiles
        (arrays; None where a run has no weights), provenance, and ``source``, the store's name. ``status`` is
        ok, diverged, missing, or damaged (see ``superlaw sweep verify``); a missing run has its spec alone.

    Examples
    --------
    >>> import tempfile
    >>> from superlaw.toy.train import train
    >>> store, spec = Store(tempfile.mkdtemp()), RunSpec(n_features=20, width=2, steps=5, batch=8)
    >>> _ = store.add(train(spec))
    >>> run_table(store, [spec, spec.change(width=4)])[["width", "status"]].values.tolist()
    [[2, 'ok'], [4, 'missing']]
    """
    import pandas as pd  # a third of a second: only tables need it

    present = store.ids()
    wanted = [(i, None) for i in sorted(present)] if specs is None else [(spec.id, spec) for spec in specs]
    rows = []
    for run_id, spec in wanted:
        row = {"id": run_id, "status": "missing"} | (_spec_row(spec) if spec else {})
        if run_id in present:
            try:
                row |= _stored_row(store, run_id, spec, profiles)
            except InputError:  # damaged, or of a version whose fields are not ours
                row["status"] = "damaged"
        rows.append(row)
    columns = ["id", "status", *DEFAULTS, "density", *MEASURES, *(PROFILES if profiles else ()), *PROVENANCE]
    table = pd.DataFrame(rows).reindex(columns=columns).assign(source=store.path.name)
    numeric = [name for name in (*DEFAULTS, *MEASURES) if name not in TEXTS]
    absent = [name for name in numeric if table[name].dtype == object]  # None in every run: no number at all
    return table.astype(dict.fromkeys(absent, float))


def history_table(store: Store) -> pd.DataFrame:
    """One row for every whole run of a store and every window of its steps, evenly in log (toy.history).

    Returns
    -------
    DataFrame
        ``id``, ``status`` (ok, diverged, warm-up where a window has steps of the warm-up; damaged runs have one row),
        ``step``, ``loss`` and ``stderr`` (mean over the window, and its error), ``steps_averaged``, the fields of
        RunSpec, ``density``, and ``source``.

    Examples
    --------
    >>> import tempfile
    >>> from superlaw.toy.train import train
    >>> store = Store(tempfile.mkdtemp())
    >>> _ = store.add(train(RunSpec(n_features=20, width=2, steps=100, warmup=10, batch=8)))
    >>> history_table(store)["status"].value_counts().to_dict()
    {'ok': 12, 'warm-up': 9}
    """
    import pandas as pd

    parts = []
    for run_id in sorted(store.ids()):
        try:
            run = store.load(run_id)
        except InputError:
            parts.append(pd.DataFrame([{"id": run_id, "status": "damaged"}]))
            continue
        found = loss_history(run)
        columns = dict(zip(ALONG, (found.step, found.loss, found.stderr, found.steps), strict=True))
        ended = np.where(found.warm_up, WARM_UP, run.status) if run.status == "ok" else run.status
        parts.append(pd.DataFrame({"id": run_id, "status": ended, **columns, **_spec_row(run.spec)}))
    shown = ["id", "status", *ALONG, *DEFAULTS, "density"]
    table = pd.concat([part.dropna(axis=1, how="all") for part in parts], ignore_index=True).reindex(columns=shown)
    return table.assign(source=store.path.name)


def gather(
    store: str | Path | Store | Sequence[str | Path], profiles: bool = True, along_steps: bool = False
) -> pd.DataFrame:
    """The run table of one or more stores, or of tables that :func:`write_runs` wrote.

    ``fit_law(gather(store), "additive:width,steps")`` fits a law to it: rows whose status is not ok are left out there.

    Parameters
    ----------
    store : folder, .csv file, Store, or several of them
    profiles : bool
        See :func:`run_table`.
    along_steps : bool
        Instead one row for every run and window of steps (see :func:`history_table`); of folders alone.

    Returns
    -------
    DataFrame
        As :func:`run_table`'s. A run that stands in several places is taken once.

    Raises
    ------
    InputError
        For a place that is neither, and for one without a run.

    Examples
    --------
    >>> import tempfile
    >>> from superlaw.toy.train import train
    >>> store = Store(tempfile.mkdtemp())
    >>> _ = store.add(train(RunSpec(n_features=20, width=2, steps=5, batch=8)))
    >>> gather(store)[["width", "status"]].values.tolist()
    [[2, 'ok']]
    """
    import pandas as pd

    places = [store] if isinstance(store, str | Path | Store) else list(store)
    if along_steps:
        frames = [_histories(place) for place in places]
        table = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        return table.drop_duplicates(["id", "step"], ignore_index=True)
    frames = [_read_place(place, profiles) for place in places]
    table = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return best_copies(table)


def with_missing(table: pd.DataFrame, specs: Sequence[RunSpec]) -> pd.DataFrame:
    """A run table with a row more for every planned run that it lacks, marked missing.

    Examples
    --------
    >>> import pandas as pd
    >>> with_missing(pd.DataFrame({"status": []}), [RunSpec(width=5)])[["width", "status"]].values.tolist()
    [[5, 'missing']]
    """
    import pandas as pd

    present = set(table["id"]) if "id" in table else set()
    lacking = [spec for spec in dict.fromkeys(specs) if spec.id not in present]
    if not lacking:
        return table
    rows = pd.DataFrame([{"id": spec.id, "status": "missing"} | _spec_row(spec) for spec in lacking])
    columns = ["id", "status", *DEFAULTS, "density", *MEASURES]
    both = pd.concat([part for part in (table, rows) if len(part)], ignore_index=True)
    return both.reindex(columns=[*columns, *(name for name in table if name not in columns)])


def best_copies(table: pd.DataFrame) -> pd.DataFrame:
    """Each run once: whole copies before damaged ones, with profiles before those without, else the first."""
    whole = ~table["status"].isin(ENDED)
    bare = table["norm_counts"].isna() if "norm_counts" in table else whole
    order = np.lexsort([bare, whole])  # stable: the order of the places decides between equals
    best = table.iloc[order].drop_duplicates("id")
    return best.sort_index().reset_index(drop=True)


def _read_place(place: str | Path | Store, profiles: bool) -> pd.DataFrame:
    if not isinstance(place, Store) and Path(place).suffix.lower() == ".csv":
        return read_runs(place)
    return run_table(_with_runs(place), profiles=profiles)


def _histories(place: str | Path | Store) -> pd.DataFrame:
    if not isinstance(place, Store) and not Path(place).is_dir() and Path(place).exists():
        raise InputError(f"{place} along steps", "a folder of runs", "a table of runs has no losses of single steps")
    return history_table(_with_runs(place))


def _with_runs(place: str | Path | Store) -> Store:
    store = place if isinstance(place, Store) else Store(place, create=False)
    if not store.ids():
        raise InputError(f"the store {store.path} without runs", "at least one", "superlaw sweep run makes them")
    return store


def _spec_row(spec: RunSpec) -> dict[str, Any]:
    fields = {name: getattr(spec, name) for name in DEFAULTS} | {"frequencies": _distribution(spec)}
    return fields | {"density": float(spec.probabilities.sum())}


def _distribution(spec: RunSpec) -> str:
    """The family's name; for explicit frequencies the start of their digest too, by which runs are told apart."""
    if isinstance(spec.frequencies, str):
        return spec.frequencies
    return f"explicit {hashlib.sha256(spec.frequencies.tobytes()).hexdigest()[:6]}"


def _stored_row(store: Store, run_id: str, spec: RunSpec | None, profiles: bool) -> dict[str, Any]:
    run = store.load(run_id)  # whole: a header cannot tell that the weights are damaged
    row = {"status": run.status, **_spec_row(spec or run.spec), **measures_of(run).to_dict()}
    return row | (profile(run) if profiles else {}) | {key: run.provenance.get(key) for key in PROVENANCE}


def profile(run: Run) -> dict[str, np.ndarray | None]:
    """How the rows' norms are spread, and spread over frequency ranks; None for a run without weights."""
    if run.W is None or not np.isfinite(run.W).all():
        return dict.fromkeys(PROFILES)
    norms = row_norms(run.W)[np.argsort(-run.spec.probabilities, kind="stable")]
    counts = np.histogram(np.minimum(norms, NORM_EDGES[-1]), NORM_EDGES)[0]
    starts = rank_edges(len(norms))[:-1] - 1
    share = np.diff(np.append(starts, len(norms)))
    return {
        "norm_counts": counts,
        "norm_by_rank": np.add.reduceat(norms, starts) / share,
        "strong_by_rank": np.add.reduceat((norms > STRONG).astype(float), starts) / share,
    }


def rank_edges(n: int) -> np.ndarray:
    """Ranks at which the bins of ``*_by_rank`` begin, and n + 1 at the end; whole, evenly in log.

    Examples
    --------
    >>> rank_edges(4)
    array([1, 2, 3, 4, 5])
    """
    return np.unique(np.geomspace(1, n + 1, RANK_BINS + 1).round().astype(int))


def write_runs(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV (see runs_as_csv)."""
    write_atomically(Path(path), runs_as_csv(table))


def runs_as_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV, numbers to eight figures, profiles as numbers with spaces between."""
    shown = table.copy()
    for column in PROFILES:
        if column in shown:
            shown[column] = [_as_text(values) for values in shown[column]]
    return shown.to_csv(index=False, float_format=DIGITS).encode()


def _as_text(values: np.ndarray | None) -> str:
    if not isinstance(values, np.ndarray):
        return ""
    return " ".join(str(v) if values.dtype.kind in "iu" else f"{v:.4g}" for v in values)


def read_runs(path: str | Path) -> pd.DataFrame:
    """The inverse of :func:`write_runs`; what an older version did not write is filled in (see with_added)."""
    import pandas as pd

    path = Path(path)
    need = "a table that superlaw sweep gather wrote"
    if not path.is_file():
        raise InputError(f"{path}, which does not exist", need, "check the path")
    try:
        table = pd.read_csv(io.BytesIO(path.read_bytes()), dtype={"id": str})
    except (ValueError, OSError) as error:
        raise InputError(f"{path} ({str(error).splitlines()[0]})", need) from None
    lacking = [name for name in REQUIRED if name not in table]
    if lacking:
        raise InputError(f"{path} without the column {lacking[0]!r}", need)
    for column in table.columns.difference(list(TEXTS)):
        try:
            values = _profiles(table[column]) if column in PROFILES else pd.to_numeric(table[column])
            values = pd.Series(values, index=table.index)  # whole numbers beyond 64 bits are left as objects
            table[column] = values.astype(float) if values.dtype == object and column not in PROFILES else values
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(f"{path}, whose column {column!r} is not numbers ({error})", need) from None
    table = with_added(table)
    ended = table[table["status"].isin(ENDED)]
    try:
        _check_specs(ended)
        for column in set(PROFILES) & set(ended):
            for run, n, values in ended[["id", "n_features", column]].itertuples(index=False):
                if isinstance(values, np.ndarray):
                    _check_profile(column, values, int(n), f"{column} of the run {run}")
    except InputError as error:
        raise InputError(f"{path} with {error.got}", need) from None
    return table


def with_added(table: pd.DataFrame) -> pd.DataFrame:
    """A table of an older version with the columns that it lacks: the spec's defaults, no measure.

    Examples
    --------
    >>> import pandas as pd
    >>> with_added(pd.DataFrame({"width": [5]}))["schedule"].tolist()
    ['cosine']
    """
    default = RunSpec()
    lacking = {name: getattr(default, name) for name in ADDED} | dict.fromkeys(ADDED_MEASURES, np.nan)
    known = {name: np.nan if value is None else value for name, value in lacking.items() if name not in table}
    return table.assign(**known)


def _check_specs(ended: pd.DataFrame) -> None:
    """Runs that ended have specs that can be, and whole numbers of rows."""
    for name in DEFAULTS:
        for value in ended[name].unique().tolist():
            checked_field(name, None if value != value else value)
    for name in ("represented", "strong"):
        rows = ended[name]
        if not ((rows >= 0) & (rows <= ended["n_features"]) & (rows == rows.round())).all():
            raise InputError(f"{name} that are no whole numbers of rows", "whole numbers up to n_features")


def _check_profile(column: str, values: np.ndarray, n: int, name: str) -> None:
    counts = column == "norm_counts"
    bins = len(NORM_EDGES) - 1 if counts else len(rank_edges(n)) - 1
    if len(values) != bins or not (np.isfinite(values) & (values >= 0)).all() or (counts and not values.any()):
        raise InputError(f"{name} that is not {bins} numbers of 0 or more", "a number for each bin, not all 0")


def _profiles(column: pd.Series) -> list[np.ndarray | None]:
    return [np.array(text.split(), dtype=float) if isinstance(text, str) else None for text in column]
