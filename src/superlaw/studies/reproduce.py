"""Reproduce a figure of the study: plan within a budget, train, draw, compare with what was published; or compare runs
that exist."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.figures.catalogue import entry
from superlaw.figures.style import KINDS
from superlaw.figures.symbols import plain
from superlaw.files.outputs import PAGE, KeptFolder, make_folder, write_atomically
from superlaw.findings.figure_comparison import FigureComparison
from superlaw.findings.published import published
from superlaw.findings.verdicts import Claim
from superlaw.findings.width_depth import TABLE
from superlaw.laws.published import load_published
from superlaw.report.claims import beside_in_words, beside_sections
from superlaw.report.page import Command, Part, Section, page_of
from superlaw.report.render import report_page
from superlaw.report.runs import runs_part
from superlaw.studies.figure import Drawn, Places, paint, runs_of
from superlaw.sweeps.execute import Report, Tally, check_workers
from superlaw.sweeps.ladder import Rung, plan_within, seconds_in
from superlaw.sweeps.plan import Plan, load_plan
from superlaw.sweeps.store import Store
from superlaw.sweeps.sweep import Sweep, sweep
from superlaw.sweeps.table import run_table, runs_as_csv

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.figures.panels import Picture


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What was trained and drawn, and how it compares; ``seconds`` of this call.

    ``points`` are the published figure's beside ours, ``claims`` its words. ``plan`` and ``sweep`` are None where
    nothing was trained: of runs that existed, and of a figure that is drawn from a published table.
    """

    figure: str
    budget: str
    drawn: Drawn
    points: tuple[FigureComparison, ...]
    claims: tuple[Claim, ...]
    seconds: float
    plan: Plan | None = None
    sweep: Sweep | None = None
    report: Path | None = None

    @property
    def tally(self) -> Tally | None:
        """What was trained; None for a published table."""
        return self.sweep.tally if self.sweep else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        record: dict[str, Any] = {"figure": self.figure, "seconds": round(self.seconds, 1)}
        if self.sweep and (tally := self.tally):
            record |= {"budget": self.budget, "steps": self.sweep.plan.base["steps"], "runs": tally.planned,
                       "trained": tally.trained, "stored": tally.stored, "diverged": tally.diverged,
                       "failed": tally.failed}  # fmt: skip
        notes = [plain(note) for note in self.drawn.picture.notes]
        return record | {
            "file": str(self.drawn.path), "report": str(self.report), "notes": notes,
            "points": [one.to_dict() for one in self.points], "claims": [claim.to_dict() for claim in self.claims],
        }  # fmt: skip


def reproduce(
    name: str,
    budget: str = "5m",
    store: str | Path | None = None,
    workers: int | None = None,
    kind: str = "png",
    report: Report | None = None,
    *,
    runs: Places | None = None,
    overwrite: bool = False,
    command: str = "",
) -> Reproduction:
    """Train what a figure needs within a budget, draw it, and compare with what was published.

    Parameters
    ----------
    name : str
        A figure with published values: one that is trained, or chinchilla.
    budget : str
        90s, 5m, 1h..., or ``full`` for the published experiment. Fewer steps and fewer cells fit a
        smaller one; the figure states them.
    store : path
        Folder of the runs, the plan (NAME-BUDGET.toml), the figure and the page (NAME-BUDGET.html);
        ``reproduce-NAME`` when left out. The same call goes on with the same plan and trains nothing twice.
    workers : int, optional
    kind : {"png", "pdf", "svg"}
    report : callable
        Progress; see sweeps.execute.
    runs : path or several
        Runs that exist, in folders or tables of ``superlaw sweep gather``: nothing is trained, whatever the budget.
    overwrite : bool
        Replace a figure, table or page in the folder that no such call wrote, or that was changed since.
    command : str
        The command line that was given, for the page.

    Returns
    -------
    Reproduction
    """
    begin = time.perf_counter()
    folder = Path(store if store is not None else f"reproduce-{name}")
    known = published(name)
    check_workers(workers)
    seconds_in(budget)
    if kind not in KINDS:
        raise InputError(f"--kind {kind}", f"one of {', '.join(KINDS)}")
    kept = KeptFolder(folder, "reproduce", overwrite)
    if runs is not None and not known.ladder:
        raise InputError(f"runs for the figure {name}", "a figure of runs", "it is drawn from a published table")
    trains = bool(known.ladder) and runs is None
    plan, done, stem = None, None, f"{name}-{budget}" if trains else name
    kept.check(f"{stem}.{kind}", f"{stem}.json", f"{stem}{PAGE}", *([f"{stem}.csv"] if trains else ()))
    chosen = entry(name)
    if trains:
        plan, destination = _kept_or_planned(known.ladder, name, budget, folder, workers)
        done = sweep(plan, destination, workers, report=report)
        table = run_table(destination, plan.specs, profiles=True)
        kept.write(f"{stem}.csv", runs_as_csv(table))
    else:
        table = load_published(TABLE) if runs is None else runs_of(chosen, runs)
    found = chosen.find(table)
    picture = chosen.module.data(found)
    make_folder(folder)
    drawn = paint(chosen, picture, folder / f"{stem}.{kind}", kept)
    points, claims = known.points(found), tuple(known.judge(found))
    part = _part(picture, table if known.ladder else None, points, claims, plan, folder)
    page = kept.write(f"{stem}{PAGE}", report_page(page_of([part], command)))
    return Reproduction(name, budget, drawn, points, claims, time.perf_counter() - begin, plan, done, page)


def _part(
    picture: Picture,
    runs: pd.DataFrame | None,
    points: tuple[FigureComparison, ...],
    claims: tuple[Claim, ...],
    plan: Plan | None,
    folder: Path,
) -> Part:
    """What the page says: how the published points lie, then the figure, then the runs."""
    verdict, sections = beside_in_words(points, claims), beside_sections(points, claims)
    question = f"{picture.title}: as published?"
    if runs is None:
        return Part(picture.name, question, (), verdict, (Section("The figure", figures=(picture,)), *sections))
    line = [] if plan is None else [Command("The runs alone", shlex.join(
        ["superlaw", "sweep", "run", str(folder / f"{plan.name}.toml"), "--store", str(folder)]))]  # fmt: skip
    part = runs_part(runs, f"{len(runs)} runs", tuple(line), (picture,))
    first, *rest = (section for section in part.sections if section.heading != "Figures")
    return replace(part, question=question, verdict=(*verdict, *part.verdict),
                   sections=(Section("The figure", figures=(picture,)), *sections, first, *rest))  # fmt: skip


def _kept_or_planned(
    ladder: tuple[Rung, ...], name: str, budget: str, folder: Path, workers: int | None
) -> tuple[Plan, Store]:
    """The plan of an earlier call with this budget, or a new one, kept beside its runs."""
    path = folder / f"{name}-{budget}.toml"
    if path.is_file():
        return load_plan(path), Store(folder)
    plan = plan_within(ladder, name, budget, workers, Store(folder, create=False) if folder.exists() else None)
    store = Store(folder)
    write_atomically(path, plan.to_toml().encode())
    return plan, store
