"""The painter for pages: Plotly draws what the records hold, says what stands behind it, and takes no name for code."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from made_runs import WIDTHS, made
from test_run_figures import every_figure, painted

from superlaw.errors import InputError
from superlaw.figures import overview, weight_decay
from superlaw.figures.frame import frame
from superlaw.figures.interactive import panel_figure, plotly_figure
from superlaw.figures.panels import Arrows, Bars, Forest, Line, Map, Marks, Panel, Picture, Scale, Steps
from superlaw.studies.figure import Drawn

HOSTILE = "<script>alert(1)</script>\"'%{x}\u202e" + "long " * 2000
OURS = re.compile(r"</?(?:sub|sup)>|<br>|<extra>|</extra>")


def every_item(name: str = "a name") -> Panel:
    """A panel with one item of each kind, all called so."""
    x, of = np.array([1.0, 2.0, 4.0]), ((name,),) * 3
    marks = Marks(x, x, 0.1 * x, name, of=of)
    return Panel(
        name, name,
        (marks, Marks(x, x, color=x / 4, of=of), Line(x, x, name, low=x / 2, high=2 * x), Bars(x, x, label=name),
         Steps(x[:2], x, name)),
        name, "log", "log", tuple(x), (name,) * 3, scale=Scale(name, 0, 1),
        inset=Panel(name, name, (marks,), name),
    )  # fmt: skip


def others(name: str = "a name") -> list[Panel]:
    x = np.array([1.0, 2.0])
    cells = Map((name, 1.0), (name, 2.0), np.array([[1.0, np.nan], [2.0, 3.0]]), name, error=np.ones((2, 2)))
    return [
        Panel(name, name, (cells,), name),
        Panel(name, name, (Arrows(np.eye(3)[:2], (name, name)),), name),
        Panel(name, name, (Forest((name, name), x, x - 1, x + 1, ("weak", "C3"), np.array([False, True]), 1.0),), name),
    ]  # fmt: skip


def texts(value) -> list[str]:
    """Every text of a figure that Plotly could take for markup."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_every_figure_is_one_of_plotlys_with_the_records_numbers():
    for module, runs in every_figure().items():
        picture = painted(module, runs)
        shown = plotly_figure(picture)
        drawn = sorted(y for trace in shown.data if trace.error_y.array is not None for y in trace.y if y is not None)
        marks = [item for panel in picture.panels for item in panel.items if isinstance(item, Marks)]
        expected = sorted(y for item in marks if item.error is not None for y in item.y[np.isfinite(item.y)])
        np.testing.assert_allclose(drawn, expected, rtol=1e-5)
        json.dumps([panel_figure(panel) for panel in picture.panels], allow_nan=False)


def test_every_kind_of_item_is_drawn():
    shown = plotly_figure(Picture("made", "Made", (every_item(), *others()), 2))
    kinds = {(trace.type, getattr(trace, "mode", None)) for trace in shown.data if trace.type == "scatter"}
    assert kinds == {("scatter", "markers"), ("scatter", "lines")}
    assert sum(trace.type == "bar" for trace in shown.data) == 3  # bars, cells with and without a number
    assert len({trace.xaxis for trace in shown.data}) == 5  # four panels and an inset


def test_a_mark_says_its_value_error_seeds_and_runs():
    runs = made(seed=(0, 1))
    runs.loc[runs["seed"] == 1, "loss"] *= 1.5
    data = panel_figure(painted(overview, runs).panels[0])["data"]
    trace = next(t for t in data if t["name"].startswith("γ = -1"))
    here = runs[(runs["weight_decay"] == -1) & (runs["width"] == 10)]
    x, said, ids = trace["customdata"][0]
    assert x == "10" and said.startswith(f"{1.25 * 0.05:.4g} ± {0.05 * np.std([1, 1.5], ddof=1):.2g}<br>")
    assert all(f"{run}, seed {seed}" in said for run, seed in zip(here["id"], here["seed"], strict=True))
    assert ids.split("\n") == list(here["id"])
    assert "width m: %{customdata[0]}" in trace["hovertemplate"]


def test_the_legend_hides_a_line_with_its_marks_and_nothing_else():
    data = panel_figure(painted(overview, made(width=(10, 20, 40, 200))).panels[0])["data"]
    strong = {t["legendgroup"] for t in data if t.get("line", {}).get("color") == "#D55E00"}
    others = {t["legendgroup"] for t in data if t.get("line", {}).get("color") != "#D55E00"}
    assert len(strong) == 1 and not strong & others  # filled, hollow, and the line


def test_a_map_has_its_numbers_in_its_cells_and_says_where_there_is_none():
    picture = painted(weight_decay, made(data_exponent=(0.0, 1.0), weight_decay=(-1.0, 1.0)))
    cells, bar = panel_figure(picture.panels[1])["data"]
    assert cells["text"] == ["1.00", "0.02"] * 2 and cells["base"] == [-0.5, -0.5, 0.5, 0.5]
    assert bar["marker"]["cmin"] == 0 and bar["marker"]["cmax"] == 1
    assert len(cells["customdata"][0][2].split("\n")) == 1  # a run a cell
    (known, unknown, _) = panel_figure(others()[0])["data"]
    assert len(known["x"]) == 3 and unknown["x"] == [1] and "no value" in unknown["customdata"][0][1]


def test_names_are_text_whatever_they_are():
    for panel in (every_item(HOSTILE), *others(HOSTILE)):
        shown = panel_figure(panel)
        for trace in shown["data"]:  # what stands behind a mark is looked up, never shown
            trace["customdata"] = [said[:2] for said in trace.get("customdata", ())]
        for text in texts(shown):
            assert "<" not in OURS.sub("", text) and "\u202e" not in text and len(text) < 2000
        for trace in shown["data"]:  # a name in a template is no variable of it
            assert "%{x}" not in trace.get("hovertemplate", "").replace("%{x:.4~g}", "")
    assert plotly_figure(Picture("made", HOSTILE, (every_item(HOSTILE),)))


def test_the_toys_arrows_end_where_their_rows_do():
    tips = np.array([[1.0, 0.0], [0.0, -1.0], [0.01, 0.0]])
    shown = panel_figure(Panel("", "", (Arrows(tips, ("1", "2", "")),)))
    arrows = [a for a in shown["layout"]["annotations"] if a["showarrow"]]
    assert [(a["x"], a["y"]) for a in arrows] == [(1, 0), (0, -1)]  # the third is a point


def test_the_object_of_a_figure_gives_all_of_it():
    picture = painted(overview, made(seed=(0, 1)))
    drawn = Drawn(picture)
    marks = drawn.data[drawn.data["kind"] == "marks"]
    strong = marks[marks["series"].str.startswith("γ = -1")]
    np.testing.assert_allclose(strong["y"], 0.5 / np.array(WIDTHS))
    assert [len(of) for of in strong["of"]] == [2] * len(WIDTHS)
    assert drawn.plotly().data and drawn._repr_html_().startswith("<iframe srcdoc=")
    figure = drawn.matplotlib()
    assert len(figure.axes) == 1 and figure.axes[0].get_xlabel() == "width m"


def test_a_figure_is_painted_on_axes_of_the_callers():
    from matplotlib.figure import Figure

    own = Figure()
    axes = own.subplots(1, 2)
    picture = Picture("made", "Made", (every_item(), every_item()))
    assert Drawn(picture).matplotlib(axes) is own and axes[1].get_ylabel() == "a name"
    with pytest.raises(InputError, match="2, one for each panel"):
        Drawn(picture).matplotlib(axes[:1])


def test_the_frame_has_every_mark_of_every_kind():
    shown = frame(Picture("made", "Made", (every_item(), *others())))
    assert dict(shown["kind"].value_counts()) == {"marks": 9, "line": 3, "bars": 3, "map": 4, "steps": 2, "arrows": 2,
                                                  "forest": 2}  # fmt: skip
    line = shown[shown["kind"] == "line"]
    np.testing.assert_allclose(line["low"], [0.5, 1, 2])
