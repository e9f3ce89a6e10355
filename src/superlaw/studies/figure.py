"""Draw a figure of the study from records, with a JSON file beside it of what was plotted and from which runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.figures import llm, toy
from superlaw.figures.catalogue import CATALOGUE, Entry, entry
from superlaw.figures.panels import Picture, to_dict
from superlaw.figures.style import KINDS
from superlaw.files.outputs import PAGE, PICTURES, KeptFolder, check_output, make_folder, write_atomically
from superlaw.files.records import to_json
from superlaw.findings.comparable import runs_where
from superlaw.findings.width_depth import TABLE
from superlaw.laws.published import load_published
from superlaw.report.render import figure_file
from superlaw.studies.known_plans import known_plans
from superlaw.studies.stored_study import load_study
from superlaw.sweeps.store import Store
from superlaw.sweeps.table import gather
from superlaw.toy.train import make_engine

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects

Places = str | Path | Sequence[str | Path]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure: what it plots, painted as you like; a notebook shows it interactively.

    ``path`` and ``record`` are the files of the picture and of what was plotted, None where none were written;
    ``command`` would make the runs that the picture lacks ("" where no known plan does).
    """

    picture: Picture
    path: Path | None = None
    record: Path | None = None
    command: str = ""

    def __repr__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"Drawn({self.picture.name}: {self.picture.title}, {len(self.picture.runs)} runs{where})"

    def matplotlib(self, axes: Any = None) -> Any:
        """The figure by matplotlib, a new one or on ``axes`` of yours, one for each panel; the matplotlib figure."""
        from superlaw.figures.paint import matplotlib_figure

        return matplotlib_figure(self.picture, axes)

    def plotly(self) -> plotly.graph_objects.Figure:
        """The figure by Plotly, to be looked at, changed and shown by whatever takes its figures."""
        from superlaw.figures.interactive import plotly_figure

        return plotly_figure(self.picture)

    @property
    def data(self) -> pd.DataFrame:
        """What is plotted, a row a mark: panel, series, x, y, ends of errors, and what stands behind it."""
        from superlaw.figures.frame import frame

        return frame(self.picture)

    def _repr_html_(self) -> str:
        """For notebooks: the interactive page in a frame of its own, which needs no connection."""
        from superlaw.report.render import framed

        return framed(self.picture)


def figure(
    name: str,
    out: str | Path | None = None,
    store: Places | None = None,
    study: str | Path | None = None,
    where: str | Sequence[str] | None = None,
    overwrite: bool = False,
) -> Drawn:
    """One figure: what it finds in its source, to be painted, and written where a file is named.

    Parameters
    ----------
    name : str
        See ``figures.catalogue``.
    out : path, optional
        A .png, .pdf or .svg file, or an interactive .html page; what was plotted is written beside it under the same
        name with .json.
    store : path or several
        Folders of runs, or tables of them (``superlaw sweep gather``).
    study : path
        The folder of a language-model study.
    where : str or several
        Runs to use, as ``steps == 20000``; all of several must hold.
    overwrite : bool

    Returns
    -------
    Drawn
        With ``matplotlib()``, ``plotly()`` and ``data``.

    Raises
    ------
    InputError
        Where a source is lacking, nothing can be drawn, or a file is in the way; nothing is written then.
    """
    chosen, out = entry(name), None if out is None else Path(out)
    if out is not None:
        check_output(out, (*PICTURES, PAGE), overwrite)
        check_output(out.with_suffix(".json"), (".json",), overwrite)
    picture = picture_of(chosen, store, study, where)
    completing = _completing(picture, store) if picture.missing else ""
    if out is None:
        return Drawn(picture, command=completing)
    return paint(chosen, picture, out, command=completing, made_by=_command(name, out, store, study, where))


def _command(name: str, out: Path, store: Places | None, study: Any, where: str | Sequence[str] | None) -> str:
    """The command line that draws the same."""
    several = lambda value: [value] if isinstance(value, str | Path) else list(value or ())  # noqa: E731
    options = [("--store", several(store)), ("--study", several(study)), ("--where", several(where))]
    words = [part for option, values in options for value in values for part in (option, str(value))]
    return shlex.join(["superlaw", "figure", name, *words, "-o", str(out)])


def paint(
    chosen: Entry, picture: Picture, out: Path, kept: KeptFolder | None = None, command: str = "", made_by: str = ""
) -> Drawn:
    """Write the picture, and beside it what it plots; into the folder of a command that keeps one."""
    record, kind = out.with_suffix(".json"), out.suffix.lower()
    content = figure_file(picture, kind.lstrip("."), made_by)
    shown = {"figure": chosen.name, "file": out.name, "superlaw": version("superlaw"), **to_dict(picture)}
    for path, written in ((record, (to_json(shown) + "\n").encode()), (out, content)):
        write_atomically(path, written) if kept is None else kept.write(path.name, written)
    return Drawn(picture, out, record, command)


def picture_of(
    chosen: Entry,
    store: Places | None = None,
    study: str | Path | None = None,
    where: str | Sequence[str] | None = None,
) -> Picture:
    """What a figure plots, from its kind of source."""
    if chosen.source == "runs":
        return chosen.module.data(chosen.find(runs_of(chosen, store, where)))
    if chosen.source == "study":
        return _from_study(chosen, study)
    if chosen.source == "published":
        return chosen.module.data(chosen.find(load_published(TABLE)))
    return _trained_live()


def runs_of(chosen: Entry, store: Places | None, where: str | Sequence[str] | None = None) -> pd.DataFrame:
    """The runs of the stores, those alone of which every ``where`` is true."""
    if store is None:
        raise InputError(f"the figure {chosen.name} without --store", "a folder of runs",
                         f"superlaw reproduce {chosen.name} --budget 5m makes one")  # fmt: skip
    return runs_where(gather(store, chosen.profiles), where)


def _completing(picture: Picture, store: Places | None) -> str:
    """The command that makes what the picture lacks: of the plan that holds most of its runs."""
    if not isinstance(store, str | Path) or not Path(store).is_dir():
        return ""
    present, best, most = Store(store, create=False).ids(), "", 0
    for plan, ids in known_plans(Path(store)):
        shared = len(ids & set(picture.runs))
        if shared > most and ids - present:
            best, most = plan.command(store), shared
    return best


def draw_all(
    folder: str | Path,
    store: Places | None = None,
    study: str | Path | None = None,
    where: str | Sequence[str] | None = None,
    kind: str = "png",
    overwrite: bool = False,
) -> tuple[list[Drawn], dict[str, str]]:
    """Draw every figure that the sources allow into a folder; those drawn, and why each other was not.

    Raises
    ------
    InputError
        Where none could be drawn.
    """
    folder = Path(folder)
    kinds = (*KINDS, PAGE.lstrip("."))
    if kind not in kinds:
        raise InputError(f"--kind {kind}", f"one of {', '.join(kinds)}")
    make_folder(folder, "a folder for all figures")
    drawn, reasons = [], {}
    for name in CATALOGUE:
        try:
            drawn.append(figure(name, folder / f"{name}.{kind}", store, study, where, overwrite))
        except InputError as error:
            reasons[name] = str(error)
    if not drawn:
        name, reason = next(iter(reasons.items()))
        raise InputError(f"nothing to draw ({name}: {reason})", "--store, --study or the published tables")
    return drawn, reasons


def _from_study(chosen: Entry, study: str | Path | None) -> Picture:
    if study is None:
        raise InputError(f"the figure {chosen.name} without --study", "the folder of a language-model study",
                         "superlaw lm study FAMILY --corpus NAME=FILE -o DIR makes one")  # fmt: skip
    kept = load_study(study)
    if chosen.name == "llm":
        picture = llm.data(kept.rows, kept.heads, kept.fit, kept.no_fit)
    else:
        picture = chosen.module.data(kept.heads if chosen.name == "norms" else kept.tokenizers)
    return replace(picture, notes=(*picture.notes, *kept.notes))


def _trained_live() -> Picture:
    (engine, runs) = make_engine("fused"), toy.specs()
    return toy.data(list(engine.train(runs)))
