"""A store as a table along steps, and a table of runs with the columns of variants."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from superlaw import InputError, Plan, Run, RunSpec, Store, exponents, fit_law, gather, loss_history, sweep, train
from superlaw.sweeps.table import read_runs, write_runs

BASE = {"n_features": 40, "steps": 60, "warmup": 8, "batch": 32}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    plan = Plan("p", BASE, {"weight_decay": (-1.0, 1.0), "width": (2, 3, 4)})
    return sweep(plan, tmp_path_factory.mktemp("runs"), workers=1).store


def test_a_row_is_a_run_and_a_window_of_its_steps(store):
    table = gather(store, along_steps=True)
    assert set(table["id"]) == store.ids()
    for run_id, rows in table.groupby("id"):
        run = store.load(run_id)
        found = loss_history(run)
        np.testing.assert_array_equal(rows["step"], found.step)
        np.testing.assert_array_equal(rows["loss"], found.loss)
        np.testing.assert_array_equal(rows["stderr"], found.stderr)
        assert ((rows["status"] == "warm-up") == found.warm_up).all()
        assert set(rows["width"]) == {run.spec.width} and set(rows["steps"]) == {60}


def test_a_run_along_steps_in_two_folders_is_taken_once(store, tmp_path):
    other = Store(tmp_path)
    for run_id in store.ids():
        other.add(store.load(run_id))
    both = gather([store.path, tmp_path], along_steps=True)
    assert len(both) == len(gather(store, along_steps=True))


def test_diverged_and_damaged_runs_are_rows_that_say_so(store, tmp_path):
    some = Store(tmp_path)
    ids = sorted(store.ids())
    for run_id in ids[:3]:
        some.add(store.load(run_id))
    some.add(train(RunSpec(**BASE | {"warmup": 0}, width=2, learning_rate=1e3)))
    some.file(ids[0]).write_bytes(b"cut")
    table = gather(some, along_steps=True)
    assert (table["status"] == "damaged").sum() == 1
    assert set(table.loc[table["status"] == "diverged", "learning_rate"]) == {1e3}
    whole = table[table["status"] == "ok"]
    assert whole["id"].nunique() == 2 and whole["loss"].notna().all()


def test_a_table_of_runs_has_no_single_steps(store, tmp_path):
    write_runs(gather(store), tmp_path / "runs.csv")
    with pytest.raises(InputError, match="a folder of runs"):
        gather(tmp_path / "runs.csv", along_steps=True)
    with pytest.raises(InputError, match="does not exist"):
        gather(tmp_path / "none", along_steps=True)
    with pytest.raises(InputError, match="without runs"):
        gather(Store(tmp_path / "empty"), along_steps=True)


def test_a_law_of_width_and_step_has_whole_runs_for_clusters(store):
    fit = fit_law(gather(store, along_steps=True), "additive:width,step", cluster="id", where="weight_decay < 0")
    assert fit.interval["clusters"] == 3 and fit.dropped["by_status"]["warm-up"] > 0
    assert "schedule cosine" in fit.warnings[0]


def test_the_columns_of_every_variant_come_back_from_text(tmp_path):
    specs = [
        RunSpec(**BASE, width=2, initial_bias_std=0, tied=True),
        RunSpec(**BASE, width=2, correlation=0.4, group_size=5, learn_bias=True, values="exponential"),
        RunSpec(**BASE, width=2, tied=False, rows="unit", weight_decay=-1, schedule="wsd"),
        RunSpec(**BASE, width=2, learn_bias=False, optimizer="sgd", momentum=0.5, activation="linear"),
    ]
    store = Store(tmp_path / "runs")
    for spec in specs:
        losses = np.ones(60, dtype=np.float32)
        measures = {"loss": 1.0, "loss_std": 0.0, "represented": 2, "represented_fraction": 0.05, "strong": 0}
        store.add(Run(spec, "ok", losses, None, None, {"engine": "made"}, measures))
    table = gather(store, profiles=False)
    write_runs(table, tmp_path / "runs.csv")
    again = read_runs(tmp_path / "runs.csv")
    for name in ("tied", "learn_bias", "rows", "optimizer", "schedule", "values", "activation"):
        assert again[name].tolist() == table[name].tolist(), name
    for name in ("group_size", "momentum", "adam_epsilon", "decay_share", "initial_bias_std", "correlation"):
        assert table[name].dtype == float
        np.testing.assert_array_equal(again[name], table[name])
    assert len(exponents(again)) == len(exponents(table)) == 4


def test_tables_older_than_the_variants_hold_the_defaults():
    for name, runs in (("weight-decay-grid-medium", 240), ("wide-medium", 36)):
        table = gather(ROOT / "docs" / "runs" / f"{name}.csv")
        usual = RunSpec()
        assert len(table) == runs
        for field in ("rows", "optimizer", "schedule", "learn_bias", "adam_epsilon", "initial_bias_std"):
            assert set(table[field]) == {getattr(usual, field)}
        assert table[["momentum", "group_size", "decay_share"]].isna().all().all()


def test_cells_are_told_apart_by_names_truths_and_what_was_left_out(store):
    table = gather(store, profiles=False)
    for change in ({"tied": False}, {"values": "constant"}, {"momentum": 0.9}, {"schedule": "wsd"}):
        (field,) = change
        both = pd.concat([table, table.assign(**change)], ignore_index=True)
        found = exponents(both)
        assert list(found)[:2] == sorted([field, "weight_decay"], key=list(table).index) and len(found) == 4
        assert found["left_out"].add(found["n"]).tolist() == [3, 3, 3, 3]


def test_what_a_run_does_not_use_makes_no_cell(store):
    table = gather(store, profiles=False)
    same = table.assign(group_size=10.0, bias_learning_rate=table["learning_rate"], seed=1)
    assert len(exponents(pd.concat([table, same], ignore_index=True))) == 2
    grouped = same.assign(correlation=0.4)
    found = exponents(pd.concat([table, grouped], ignore_index=True))
    assert list(found)[:3] == ["weight_decay", "correlation", "exponent"] and len(found) == 4


def test_a_grid_over_truths_and_what_was_left_out_is_read_back(tmp_path):
    import xarray as xr

    axes = {"clip": (False, True), "bias_learning_rate": (None, 0.02), "width": (2, 3)}
    result = sweep(Plan("p", BASE, axes), tmp_path / "runs", workers=1)
    result.grid().to_netcdf(tmp_path / "g.nc")
    with xr.open_dataset(tmp_path / "g.nc") as grid:
        assert grid["clip"].values.tolist() == [False, True]
        assert np.isnan(grid["bias_learning_rate"].values[0]) and grid["loss"].shape == (2, 2, 2, 1)


# ---- the command line -----------------------------------------------------------------------


def test_a_folder_of_runs_is_a_table_of_the_law_commands(store, command):
    code, out, err = command("law", "fit", store.path, "--law", "power:width", "--where", "weight_decay < 0")
    assert code == 0 and err == "" and "points: 3 used, 3 left out" in out
    laws = ("--law", "power:width", "--law", "power:weight_decay")
    assert command("law", "sensitivity", store.path, "--law", "power:width", "--no-offset")[0] == 0
    assert command("law", "compare", store.path, *laws[:2], "--no-offset", "--let", "x = 2 * width")[0] == 0


def test_what_did_not_end_well_is_left_out_and_counted(store, tmp_path, command):
    some = Store(tmp_path / "runs")
    for run_id in store.ids():
        some.add(store.load(run_id))
    some.add(train(RunSpec(**BASE | {"warmup": 0}, width=2, learning_rate=1e3)))
    cut = some.file(sorted(store.ids())[0])
    cut.write_bytes(cut.read_bytes()[:-5])
    write_runs(gather(some), tmp_path / "runs.csv")
    for place in (some.path, tmp_path / "runs.csv"):
        out = command("law", "fit", place, "--law", "power:width", "--no-offset")[1]
        assert "points: 5 used, 2 left out (1 damaged, 1 diverged)" in out
        for verb in ("compare", "sensitivity"):
            out = command("law", verb, place, "--law", "power:width", "--no-offset")[1]
            assert "left out: 1 damaged, 1 diverged" in out


def test_along_steps_on_the_command_line_and_in_python_are_one(store, tmp_path, command):
    law = ("--law", "additive:width,step", "--cluster", "id", "--where", "weight_decay < 0")
    code, out, _ = command("law", "fit", store.path, "--along-steps", *law)
    assert code == 0 and "WARNING: losses along steps of runs with the schedule cosine" in out
    fit = fit_law(gather(store, along_steps=True), "additive:width,step", cluster="id", where="weight_decay < 0")
    assert str(fit) == out.rstrip("\n")
    file = tmp_path / "steps.csv"
    assert "6 runs" in command("sweep", "gather", store.path, "-o", file, "--along-steps")[1]
    again = command("law", "fit", file, *law)[1]
    assert [line.split()[:2] for line in again.splitlines() if line.startswith("a_")] == [
        line.split()[:2] for line in out.splitlines() if line.startswith("a_")
    ]


@pytest.mark.parametrize(
    ("place", "options", "said"),
    [
        ("none", (), "does not exist"),
        ("folder", (), "without runs"),
        ("folder", ("--along-steps",), "without runs"),
        ("runs.csv", ("--along-steps",), "a folder of runs"),
        ("none", ("--along-steps",), "does not exist"),
        ("store", (), "a table without the column 'step'"),
    ],
)
def test_what_is_no_store_is_refused_in_one_line(store, tmp_path, monkeypatch, command, place, options, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    write_runs(gather(store), tmp_path / "runs.csv")
    where = store.path if place == "store" else place
    code, out, err = command("law", "fit", where, "--law", "power:step", *options)
    assert code == 2 and out == "" and err.startswith("superlaw: ") and err.count("\n") == 1 and said in err


def test_a_store_without_a_whole_run_says_what_it_has(store, tmp_path, command):
    some = Store(tmp_path)
    some.add(replace(store.load(min(store.ids())), status="diverged"))
    code, _, err = command("law", "fit", tmp_path, "--law", "power:width")
    assert code == 2 and "no run that is ok (1 diverged)" in err


def test_axes_of_truths_are_cut_and_set_on_the_command_line(tmp_path, command):
    (tmp_path / "plan.toml").write_text(
        'n = 1\n[base]\nsteps = 5\n[axes]\ntied = [true, false]\nmomentum = ["none"]\nwidth = [2, 3]\n'.replace(
            "n = 1\n", ""
        )
    )
    run = ("sweep", "run", tmp_path / "plan.toml", "--store", tmp_path / "s", "--dry-run", "--json")
    assert json.loads(command(*run, "--only", "tied=true", "--set", "learn_bias=false")[1])["planned"] == 2
    assert json.loads(command(*run, "--only", "tied=true,false", "--only", "momentum=none")[1])["planned"] == 4
    assert "got tied = 0; need values of that axis: true, false" in command(*run, "--only", "tied=0")[2]
    assert "learn_bias = 3" in command(*run, "--set", "learn_bias=3")[2]


def test_presets_whose_runs_differ_in_length_are_listed_with_the_range(command):
    code, out, err = command("sweep", "list")
    (line,) = [line for line in out.splitlines() if line.startswith("time-small ")]
    assert code == 0 and err == "" and "160" in line and "500 to 8000" in line
