"""Write the page of any source: runs, a fit, a capacity map, a study of language models, or several of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.files.outputs import PAGE, check_output, write_atomically
from superlaw.files.records import read_json
from superlaw.findings.capacity_map import CapacityMap, load_capacity
from superlaw.laws.result import Fit, load_fit
from superlaw.report.capacity import capacity_part
from superlaw.report.fits import fit_part
from superlaw.report.language import language_part
from superlaw.report.page import Command, Page, Part, page_of
from superlaw.report.render import report_page
from superlaw.report.runs import QUESTION, runs_part
from superlaw.studies.known_plans import likely_plan
from superlaw.studies.stored_study import StoredStudy, load_study
from superlaw.sweeps.plan import Plan, load_plan
from superlaw.sweeps.store import Store
from superlaw.sweeps.sweep import Sweep
from superlaw.sweeps.table import best_copies, gather, with_missing

if TYPE_CHECKING:
    import pandas as pd

    Source = str | Path | Fit | CapacityMap | StoredStudy | Sweep | Store | pd.DataFrame

CAPACITY = "capacity.json"  # in a store of superlaw shape capacity: its map
NEED = ("a store of runs, a table of superlaw sweep gather, the JSON of a fit or of a capacity map, or the folder of a "
        "language-model study")  # fmt: skip
NO_RUNS = "superlaw sweep run weight-decay-grid-small --store {store}"


@dataclass(frozen=True, eq=False)
class Report:
    """A page that was written: what it says and where it is."""

    page: Page
    path: Path

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be read first."""
        return tuple(warning for part in self.page.parts for warning in part.warnings)

    @property
    def verdict(self) -> tuple[str, ...]:
        """What the page says, in sentences."""
        return tuple(sentence for part in self.page.parts for sentence in part.verdict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "report": str(self.path), "sources": [part.name for part in self.page.parts],
            "warnings": list(self.warnings), "verdict": list(self.verdict),
            "left_out": [reason for part in self.page.parts for reason in part.left_out],
        }  # fmt: skip


def write_report(
    sources: Source | Sequence[Source], out: str | Path, *, plan: str | Path | Plan | None = None,
    overwrite: bool = False,
) -> Report:  # fmt: skip
    """Write one self-contained page about runs, fits, capacity maps or studies of language models.

    Parameters
    ----------
    sources : path, Fit, CapacityMap, Sweep, Store, run table, or several
        Paths: a store of runs, a table of ``superlaw sweep gather``, the JSON of a fit or of a capacity map, the
        folder of a language-model study. All stores and tables of runs are taken together.
    out : path
        A .html file.
    plan : preset name, TOML file or Plan, optional
        Whose runs are expected; what lacks of them is said first. By default the preset, or the plan in the store,
        that holds most of the runs.
    overwrite : bool

    Returns
    -------
    Report

    Raises
    ------
    InputError
        For what is no such source; nothing is written then. An empty store is one: its page says what to do.
    """
    out = Path(out)
    check_output(out, (PAGE,), overwrite)
    given = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not given:
        raise InputError("no source", NEED)
    parts = _parts(given, None if plan is None else load_plan(plan))
    page = page_of(parts, _own_command(given, out, plan))
    write_atomically(out, report_page(page))
    return Report(page, out)


def _own_command(given: list[Any], out: Path, plan: Any) -> str:
    """The command line that writes the same; "" where a source is no path."""
    if not all(isinstance(source, str | Path) for source in given) or isinstance(plan, Plan):
        return ""
    words = [*map(str, given), *(() if plan is None else ("--plan", str(plan))), "-o", str(out)]
    return shlex.join(["superlaw", "report", *words])


def _parts(given: list[Any], plan: Plan | None) -> list[Part]:
    """A part for each source, and one for all runs together, where the first of them stands."""
    found: list[Part | None] = []
    runs: list[Any] = []
    for source in given:
        part = _part(source)
        if part is None and not runs:
            found.append(None)
        if part is None:
            runs.append(source)
        else:
            found.append(part)
    if plan is not None and not runs:
        raise InputError("a plan without runs", "a store or a table of runs beside it", "or leave --plan out")
    return [_runs(runs, plan) if part is None else part for part in found]


def _part(source: Any) -> Part | None:
    """What is said of a source; None of runs, which are taken together."""
    if isinstance(source, Fit):
        return fit_part(source, f"the fit of a {source.law.name} law")
    if isinstance(source, CapacityMap):
        return capacity_part(source, "a capacity map")
    if isinstance(source, StoredStudy):
        return _study(source)
    if not isinstance(source, str | Path):
        return None
    path = Path(source)
    if not path.exists():
        raise InputError(f"{path}, which does not exist", NEED, "check the path")
    if path.is_dir():
        if (path / "study.json").is_file():
            return _study(load_study(path))
        return _capacity(path / CAPACITY, path) if (path / CAPACITY).is_file() else None
    if path.suffix.lower() == ".csv":
        return None
    if path.suffix.lower() != ".json":
        raise InputError(f"{path}", NEED, "superlaw law fit TABLE --law NAME --report FILE makes a page of any table")
    record = read_json(path, NEED)
    if isinstance(record, dict) and "cells" in record:
        return _capacity(path, None)
    fit = load_fit(path)
    return fit_part(fit, f"the fit of {path}")


def _study(study: StoredStudy) -> Part:
    """A part on a study that was read back."""
    return language_part(f"the study of {study.folder}", study.rows, study.heads, study.tokenizers, study.fit,
                         study.no_fit, study.failures, study.notes)  # fmt: skip


def _capacity(path: Path, store: Path | None) -> Part:
    found = load_capacity(path)
    runs = gather(store, profiles=False) if store is not None and Store(store, create=False).ids() else None
    commands = (Command("The map", f"superlaw shape capacity --store {shlex.quote(str(found.store))}"),)
    return capacity_part(found, f"the capacity map of {path}", commands, runs)


def fit_page(fit: Fit, table: str = "", command: str = "") -> bytes:
    """The page of a fit just made of a table."""
    of = f" to {table}" if table else ""
    return report_page(page_of([fit_part(fit, f"the fit of a {fit.law.name} law{of}")], command))


def capacity_page(found: CapacityMap, command: str = "") -> bytes:
    """The page of a capacity map, with its runs."""
    runs = gather(found.store, profiles=False) if Store(found.store, create=False).ids() else None
    return report_page(page_of([capacity_part(found, f"the capacity map of {found.store}", (), runs)], command))


def _runs(sources: list[Any], plan: Plan | None) -> Part:
    """One part on all runs: those that exist, and those of their plan that do not."""
    import pandas as pd

    stores = [Path(s) for s in sources if isinstance(s, str | Path) and Path(s).is_dir()]
    stores += [s.path for s in sources if isinstance(s, Store)]
    frames = [table for source in sources if (table := _table(source)) is not None and len(table)]
    table = best_copies(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame({"status": []})
    place = stores[0] if stores else None
    if plan is None and len(table):
        plan = likely_plan(set(table["id"][table["status"] != "missing"]), place)
    if plan is not None:
        table = with_missing(table, plan.specs)
    commands = [Command("The runs that are missing, and no others" if (table["status"] == "missing").any() else
                        "The runs, those alone that are not there",
                        plan.command(place))] if plan and place else []  # fmt: skip
    if not len(table):
        where = " and ".join(_named(source) for source in sources)
        commands = [Command("Some runs", NO_RUNS.format(store=shlex.quote(str(place or "runs"))))]
        return Part(f"no run in {where}", QUESTION, (f"There is no run in {where}.",),
                    ("Nothing can be said: there is no run.",), commands=tuple(commands))  # fmt: skip
    named = f"{len(table)} runs of {' and '.join(_named(source) for source in sources)}"
    return runs_part(table, named, tuple(commands))


def _table(source: Any) -> pd.DataFrame | None:
    """The run table of one source, with profiles where it has weights; None of an empty store."""
    if isinstance(source, Sweep):
        return source.table()
    if isinstance(source, str | Path | Store):
        is_store = isinstance(source, Store) or Path(source).is_dir()
        store = source if isinstance(source, Store) else Store(source, create=False) if is_store else None
        if store is not None and not store.ids():
            return None
        return gather(source)
    if hasattr(source, "columns") and {"id", "status", "n_features"} <= set(source.columns):
        return source
    raise InputError(f"a source of type {type(source).__name__}", NEED)


def _named(source: Any) -> str:
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, Sweep):
        return f"{source.plan.name} in {source.store.path}"
    return str(source.path) if isinstance(source, Store) else "a table"
