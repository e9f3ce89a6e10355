"""What results show of themselves: a line for a prompt, a table for a notebook, a plot; and frequencies as people have
them."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import superlaw
from superlaw import NamedFrequencies, Plan, RunSpec, Store, fit_law, frequencies_of, sweep, train
from superlaw.errors import InputError

SMALL = {"n_features": 40, "width": 4, "steps": 30, "batch": 32, "warmup": 3}


@pytest.fixture(scope="module")
def run():
    return train(RunSpec(**SMALL))


@pytest.fixture(scope="module")
def fit():
    x = np.geomspace(10, 1e4, 12)
    return fit_law({"m": x, "loss": 5 / x**0.5 + 1 + 0.01 * np.cos(x)}, "power:m")


@pytest.fixture
def swept(tmp_path):
    return sweep(Plan("p", {**SMALL, "width": 4}, {"weight_decay": (-1.0, 1.0)}, (0, 1)), tmp_path / "s", 1)


def test_every_result_is_one_short_line_at_a_prompt(run, fit, swept):
    head = superlaw.measure_head(superlaw.lm.head.Head("W", "W", "made", np.random.default_rng(0).normal(size=(90, 8))))
    laws = superlaw.compare_laws({"m": np.arange(5.0, 25), "loss": 1 / np.arange(5.0, 25)}, ["power:m"])
    for one in (run, fit, swept, head, laws):
        assert "\n" not in repr(one) and 20 < len(repr(one)) < 400, repr(one)
    assert run.id in repr(run) and "loss" in repr(run)
    assert "4 of 4 stored" in repr(swept)
    assert str(fit["a"]) in repr(fit)


def test_a_notebook_shows_tables_with_names_as_text(run, fit, swept):
    for one in (run, fit, swept):
        shown = one._repr_html_()
        assert (shown.startswith("<") and "<table" in shown) or "<pre" in shown
    bad = superlaw.files.notebook.report_html("WARNING: <script>alert(1)</script>\na  <b>\n")
    assert "<script" not in bad and "<b>WARNING:</b>" in bad and "&lt;b&gt;" in bad


def test_results_draw_themselves_on_axes_of_ones_own(run, fit):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2)
    assert run.plot(axes) == list(axes)
    line = axes[0].lines[0]
    assert line.get_ydata()[-1] == pytest.approx(np.mean(run.losses[-len(line.get_ydata()) :]), rel=0.5)
    np.testing.assert_allclose(np.sort(axes[1].lines[0].get_ydata()), np.sort(np.linalg.norm(run.W, axis=1)), rtol=1e-6)
    _, ax = plt.subplots()
    assert fit.plot(ax=ax) == [ax] and ax.get_xlabel() == "m"
    plt.close("all")


def test_a_sweep_gives_its_labelled_grid_under_both_names(swept):
    assert swept.to_xarray().identical(swept.grid()) and swept.to_xarray().sizes == {"weight_decay": 2, "seed": 2}


def test_counts_mappings_and_files_are_frequencies(tmp_path):
    text = "a a a a a a b b b c "
    (tmp_path / "t.txt").write_text(text)
    (tmp_path / "t.json").write_text(json.dumps({"b": 3, "a": 6, "c": 1}))
    (tmp_path / "t.csv").write_text("word,count\na,6\nc,1\nb,3\n")
    given = [
        {"b": 3, "a": 6, "c": 1},
        [6, 3, 1],
        np.array([6, 3, 1]),
        *(tmp_path / f"t.{e}" for e in ("txt", "json", "csv")),
    ]
    specs = [RunSpec(frequencies=one, width=2) for one in (*given, str(tmp_path / "t.txt"))]
    assert len({spec.id for spec in specs}) == 1
    np.testing.assert_allclose(specs[0].frequencies, [0.6, 0.3, 0.1])
    assert RunSpec(frequencies=given[0], n_features=2, width=2).n_features == 2
    np.testing.assert_array_equal(frequencies_of([0.5, 0.25]), [0.5, 0.25])  # probabilities stay


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a a b")
    first = RunSpec(frequencies=path, width=1)
    path.write_text("a a a a b")
    os.utime(path, ns=(1, 1))
    assert RunSpec(frequencies=path, width=1).id != first.id


@pytest.mark.parametrize("bad", ["powr", "none.csv", {"a": -1}, {"a": "x"}, [3, float("nan")], {}, [[1, 2]]])
def test_frequencies_that_are_none_are_refused(bad):
    with pytest.raises(InputError):
        RunSpec(frequencies=bad)


def test_frequencies_stand_on_an_axis_and_are_told_apart(tmp_path):
    (tmp_path / "t.csv").write_text("5\n3\n2\n")
    axis = (NamedFrequencies("flat", [2, 2, 2]), str(tmp_path / "t.csv"), "power")
    base = {name: value for name, value in SMALL.items() if name not in ("n_features", "width")}
    plan = Plan("p", base, {"frequencies": axis, "width": (1, 2)})
    found = sweep(plan, tmp_path / "s", 1)
    table = found.table()
    assert table["frequencies"].nunique() == 3 and (table["status"] == "ok").all()
    assert table["n_features"].tolist() == [3, 3, 3, 3, 1000, 1000]
    assert found.grid()["frequencies"].values.tolist()[0] == "flat"
    assert len(Store(tmp_path / "s").ids()) == 6


def test_a_notebook_shows_progress(monkeypatch, capsys):
    shown = []

    class Line:
        def update(self, *arguments):
            shown.append(arguments)

    monkeypatch.setattr("superlaw.toy.train.notebook_line", lambda *names: Line())
    train(RunSpec(**SMALL))
    assert shown and shown[-1][0] == shown[-1][1] == 30
    monkeypatch.undo()
    train(RunSpec(**SMALL))
    assert capsys.readouterr() == ("", "")  # elsewhere nothing
