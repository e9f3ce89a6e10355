"""Sweeps: tables, grids, exponents; the same bits whoever trains; nothing trained twice."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from superlaw import InputError, Plan, Store, exponents, gather, load_run, sweep, train
from superlaw.sweeps.sweep import Sweep, look
from superlaw.toy.fused import REVISION

NOW = f"fused (revision {REVISION})"

BASE = {"n_features": 40, "steps": 40, "warmup": 5, "batch": 64}
PLAN = Plan("small", BASE, {"weight_decay": (-1.0, 1.0), "width": (3, 5, 8)}, (0, 1))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    return sweep(PLAN, tmp_path_factory.mktemp("store"), workers=2)


def bits(store: Store) -> dict[str, tuple[bytes, bytes, bytes]]:
    return {i: tuple(getattr(store.load(i), name).tobytes() for name in ("W", "b", "losses")) for i in store.ids()}


def stamps(store: Store) -> dict[str, int]:
    return {i: store.file(i).stat().st_mtime_ns for i in store.ids()}


def test_every_planned_run_is_stored_once(swept):
    assert swept.store.ids() == {spec.id for spec in PLAN.specs}
    assert swept.tally.trained == 12 and swept.tally.stored == 0
    assert not list(swept.store.path.glob(".*.tmp")) and not list((swept.store.path / ".claims").iterdir())


def test_one_worker_and_two_give_the_same_bits(swept, tmp_path):
    one = sweep(PLAN, tmp_path, workers=1)
    assert bits(one.store) == bits(swept.store)


def test_what_is_stored_is_not_trained_again_whichever_plan_asks(swept):
    before = stamps(swept.store)
    wider = Plan("other name", BASE, {"width": (3, 5, 8, 10), "weight_decay": (1.0, -1.0)}, (1,))
    again = sweep(wider, swept.store.path, workers=1)
    assert again.tally.trained == 2 and again.tally.stored == 6
    assert {i: t for i, t in stamps(swept.store).items() if i in before} == before


def test_the_table_has_one_row_for_every_planned_run(swept):
    more = Sweep(replace(PLAN, seeds=(0, 1, 9)), swept.store)
    table = more.table()
    assert len(table) == 18 and (table["status"] == "missing").sum() == 6
    assert set(table.loc[table["seed"] == 9, "status"]) == {"missing"}
    row = table.iloc[0]
    assert row["loss"] == swept.store.load(row["id"]).loss and row["engine"] == "fused"


def test_a_sweeps_table_is_gathers_with_the_missing_runs_marked(swept):
    planned, held = swept.table(), gather(swept.store, profiles=False)
    assert list(planned) == list(held)
    held = held[held["id"].isin(planned["id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(planned.sort_values("id", ignore_index=True), held)
    more = Sweep(replace(PLAN, seeds=(0, 9)), swept.store).table()
    (gone,) = more[(more["seed"] == 9) & (more["width"] == 5) & (more["weight_decay"] == -1)].to_dict("records")
    assert list(more) == list(held) and gone["status"] == "missing"
    assert gone["steps"] == 40 and gone["density"] == pytest.approx(1) and np.isnan(gone["loss"])


def test_the_grid_is_labelled_and_refuses_gaps(swept):
    grid = swept.grid()
    assert dict(grid.sizes) == {"weight_decay": 2, "width": 3, "seed": 2}
    for cell, spec in zip(PLAN.cells, PLAN.specs, strict=True):
        assert float(grid["loss"].sel(cell)) == swept.store.load(spec.id).loss
    with pytest.raises(InputError, match="6 missing of the 18 runs"):
        Sweep(replace(PLAN, seeds=(0, 1, 9)), swept.store).grid()


def test_diverged_runs_are_left_out_of_exponents_and_counted(tmp_path):
    plan = Plan("hot", {**BASE, "warmup": 0, "learning_rate": 100.0}, {"width": (3, 5)})
    result = sweep(plan, tmp_path, workers=1)
    assert result.tally.diverged == 2
    (row,) = exponents(result).to_dict("records")
    assert row["n"] == 0 and row["left_out"] == 2 and np.isnan(row["exponent"])
    assert set(result.table()["status"]) == {"diverged"}
    assert np.isnan(result.grid()["loss"]).all()


def test_losses_alone_can_be_kept_or_the_weights_of_chosen_widths(tmp_path):
    result = sweep(replace(PLAN, keep=(5,), seeds=(0,)), tmp_path / "some", workers=1)
    for run in result.runs():
        assert (run.W is not None) == (run.spec.width == 5)
    whole = sweep(replace(PLAN, seeds=(0,)), tmp_path / "all", workers=1)
    moved = ["wall_seconds", "finished", "source"]
    pd.testing.assert_frame_equal(result.table().drop(columns=moved), whole.table().drop(columns=moved))


def test_a_limit_trains_so_many_and_no_more(tmp_path):
    assert sweep(PLAN, tmp_path, workers=1, limit=5).tally.trained == 5
    assert sweep(PLAN, tmp_path, workers=1, limit=0).tally.trained == 0
    assert [spec.id in Store(tmp_path).ids() for spec in PLAN.specs] == [True] * 5 + [False] * 7


def test_any_executor_will_do(tmp_path, swept):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        result = sweep(PLAN, tmp_path, executor=executor)
    assert {i: b for i, b in bits(swept.store).items() if i in result.store.ids()} == bits(result.store)


def test_a_stopped_run_is_not_stored(tmp_path):
    run = train(PLAN.specs[0].change(steps=10**6), watch=lambda *_: True)
    assert run.status == "stopped"
    with pytest.raises(InputError, match="which was stopped"):
        Store(tmp_path).add(run)


def test_an_axis_of_a_named_choice_does_not_collide_with_a_measure(tmp_path):
    plan = Plan("choices", BASE, {"loss_function": ("squared-error",), "width": (3, 5)})
    result = sweep(plan, tmp_path, workers=1)
    assert result.table()["loss"].dtype == float and len(exponents(result)) == 1


def test_where_nothing_needs_superposition_there_is_no_regime(tmp_path):
    result = sweep(Plan("wide", BASE, {"width": (20, 40)}), tmp_path, workers=1)
    assert exponents(result)["regime"].tolist() == ["none"]


def test_a_store_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "f").write_text("x")
    with pytest.raises(InputError, match="which is a file"):
        sweep(PLAN, tmp_path / "f")
    with pytest.raises(InputError, match="does not exist"):
        look(PLAN, tmp_path / "none")


def test_foreign_and_damaged_files_are_set_aside_and_trained_again(tmp_path, command):
    plan_file = tmp_path / "plan.toml"
    plan_file.write_text(
        "seeds = [0, 1]\n[base]\nn_features = 40\nsteps = 40\nwarmup = 5\nbatch = 64\n"
        "[axes]\nweight_decay = [-1, 1]\nwidth = [3, 5, 8]\n"
    )
    result = sweep(PLAN, tmp_path, workers=2)
    ids = [spec.id for spec in PLAN.specs]
    cut, flipped, foreign = (result.store.file(i) for i in ids[:3])
    cut.write_bytes(cut.read_bytes()[:200])
    content = bytearray(flipped.read_bytes())
    content[-10] ^= 4
    flipped.write_bytes(content)
    foreign.write_bytes(b"not a run")
    (tmp_path / "notes.txt").write_text("mine")
    swapped = result.store.file(ids[4])
    swapped.write_bytes(result.store.file(ids[5]).read_bytes())
    untouched = {i: t for i, t in stamps(result.store).items() if i not in (*ids[:3], ids[4])}

    states = [state for state, _ in Sweep(PLAN, result.store).states()]
    assert states == ["damaged"] * 3 + ["ok", "damaged"] + ["ok"] * 7  # the flipped one too: weights are read
    (tmp_path / "._mine.safetensors").write_text("what a Mac leaves beside a file")
    told = command("sweep", "run", plan_file, "--store", tmp_path)[1]
    assert "4 stored runs are DAMAGED" in told and "superlaw sweep verify" in told
    code, _, err = command("sweep", "grid", plan_file, "--store", tmp_path, "-o", tmp_path / "g.nc")
    assert code == 2 and f"superlaw sweep verify --store {tmp_path}, then superlaw sweep run {plan_file}" in err
    code, out, _ = command("sweep", "verify", "--store", tmp_path, "--json")
    record = json.loads(out)
    assert code == 1 and record["good"] == 8
    assert {f["file"].rsplit("/", 1)[1] for f in record["bad"]} == {cut.name, flipped.name, foreign.name, swapped.name}
    assert (tmp_path / "notes.txt").read_text() == "mine"  # not a run file: not the store's business
    assert (tmp_path / "set-aside" / cut.name).stat().st_size == 200
    again = sweep(PLAN, tmp_path, workers=1)
    assert again.tally.trained == 4 and again.tally.stored == 8
    assert command("sweep", "verify", "--store", tmp_path)[0] == 0
    assert untouched.items() <= stamps(again.store).items()


def test_setting_aside_never_overwrites(tmp_path):
    store = Store(tmp_path)
    for text in ("one", "two"):
        (tmp_path / "a").write_text(text)
        store.set_aside(tmp_path / "a")
    assert sorted(p.read_text() for p in (tmp_path / "set-aside").iterdir()) == ["one", "two"]


def test_a_run_that_is_there_is_not_replaced(tmp_path):
    result = sweep(replace(PLAN, seeds=(0,)), tmp_path, workers=1)
    before = stamps(result.store)
    result.store.add(load_run(result.store.file(PLAN.specs[0].id)))
    assert stamps(result.store) == before


# ---- the command line -----------------------------------------------------------------------


@pytest.fixture
def plan_file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        "seeds = [0]\n[base]\nn_features = 40\nsteps = 40\nwarmup = 5\nbatch = 64\n"
        "[axes]\nweight_decay = [-1, 1]\nwidth = [3, 5, 8]\n"
    )
    return path


def test_the_commands_from_dry_run_to_grid(plan_file, tmp_path, command):
    store = tmp_path / "store"
    where = (plan_file, "--store", store)
    dry = json.loads(command("sweep", "run", *where, "--dry-run", "--json")[1])
    assert (dry["planned"], dry["missing"]) == (6, 6) and dry["seconds"] > 0 and dry["bytes"] > 0
    assert not store.exists()

    code, out, err = command("sweep", "run", *where, "--workers", 2, "--json")
    record = json.loads(out)
    assert code == 0 and err == "" and record["trained"] == 6 and len(record["exponents"]) == 2
    code, out, _ = command("sweep", "run", *where)
    assert "6 were stored" in out and "theory" in out and "exponent" in out
    status = json.loads(command("sweep", "status", *where, "--json")[1])
    assert (status["planned"], status["ok"], status["missing"], status["engines"]) == (6, 6, 0, {NOW: 6})

    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        out = tmp_path / f"t{ending}"
        assert command("sweep", "table", *where, "-o", out)[0] == 0
        assert len(read(out)) == 6
    import xarray as xr

    assert command("sweep", "grid", *where, "-o", tmp_path / "g.nc")[0] == 0
    with xr.open_dataset(tmp_path / "g.nc") as grid:
        assert dict(grid.sizes) == {"weight_decay": 2, "width": 3, "seed": 1}
        assert str(grid["status"].values.flat[0]) == "ok"


def test_status_tells_runs_of_an_older_engine_apart(plan_file, tmp_path, command):
    store = Store(tmp_path / "store")
    done = sweep(plan_file, store, workers=1)
    run = done.runs()[0]
    older = {key: value for key, value in run.provenance.items() if key != "engine_revision"}
    (store.path / f"{run.id}.safetensors").unlink()
    store.add(replace(run, provenance=older))
    _, out, _ = command("sweep", "status", plan_file, "--store", store.path)
    assert f"note: trained by several engines: fused 1, {NOW} 5" in out
    assert run.id in store.ids()


def test_overrides_on_the_command_line(plan_file, tmp_path, command):
    options = ("--set", "steps=20", "--only", "width=3,8", "--only", "weight_decay=-1", "--seeds", "4,5", "--json")
    record = json.loads(command("sweep", "run", plan_file, "--store", tmp_path / "s", *options)[1])
    assert record["planned"] == 4
    runs = [load_run(path) for path in (tmp_path / "s").glob("*.safetensors")]
    assert {(r.spec.width, r.spec.seed, r.spec.steps) for r in runs} == {(3, 4, 20), (3, 5, 20), (8, 4, 20), (8, 5, 20)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("run", "weight-decay-grd", "--store", "s"), "did you mean weight-decay-grid"),
        (("run", "none.toml", "--store", "s"), "No such file"),
        (("run", "wide-small"), "--store"),
        (("run", "wide-small", "--store", "s", "--workers", "0"), "workers = 0"),
        (("run", "wide-small", "--store", "s", "--limit", "-1"), "--limit -1"),
        (("run", "wide-small", "--store", "s", "--set", "steps"), "--set name=value"),
        (("run", "wide-small", "--store", "s", "--set", "steps=0"), "steps = 0"),
        (("run", "wide-small", "--store", "s", "--set", "stesp=3"), "did you mean steps"),
        (("run", "wide-small", "--store", "s", "--only", "width=7"), "values of that axis"),
        (("run", "wide-small", "--store", "s", "--seeds", "a"), "--seeds a"),
        (("run", "wide-small", "--store", "s", "--keep", "some"), "keep = 'some'"),
        (("run", "wide-small", "--store", "s", "--keep", ""), "keep = ''"),
        (("run", "wide-small", "--store", "s", "--set", "learning_rate=1" + "0" * 400), "learning_rate beyond"),
        (("run", "wide-small", "--store", "s", "--only", "width=1" + "0" * 400), "values of that axis"),
        (("run", "a" * 5000, "--store", "s"), "a preset's name"),
        (("run", "wide-small", "--store", "s", "--scheduler", ""), "tcp://host:port"),
        (("run", "wide-small", "--store", "s", "--engine", "fusd"), "did you mean fused"),
        (("run", "wide-small", "--store", "file"), "which is a file"),
        (("run", "wide-small", "--store", "s", "--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler"),
        (("run", "wide-small", "--store", "s", "--scheduler", "nonsense"), "tcp://host:port"),
        (("status", "wide-small", "--store", "s"), "does not exist"),
        (("verify", "--store", "s"), "does not exist"),
        (("table", "wide-small", "--store", "s", "-o", "t.xls"), ".csv or .parquet"),
        (("table", "wide-small", "--store", "s", "-o", "no/t.csv"), "no folder"),
        (("grid", "wide-small", "--store", "s", "-o", "file"), ".nc"),
    ],
)
def test_bad_input_is_one_line(command, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    code, out, err = command("sweep", *options)
    assert code == 2 and out == ""
    assert err.startswith("superlaw: ") and err.count("\n") == 1 and said in err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]  # nothing was made


def test_a_grid_with_gaps_says_how_to_fill_them(plan_file, tmp_path, command):
    store = tmp_path / "my store"
    command("sweep", "run", plan_file, "--store", store, "--limit", 2)
    code, _, err = command("sweep", "grid", plan_file, "--store", store, "-o", tmp_path / "g.nc")
    assert code == 2 and "4 missing of the 6 runs" in err and not (tmp_path / "g.nc").exists()
    advised = shlex.split(err.strip().split("; ")[-1])
    assert advised == ["superlaw", "sweep", "run", str(plan_file), "--store", str(store)]
    assert command(*advised[1:])[0] == 0 and command("sweep", "grid", plan_file, "--store", store, "-o",
                                                     tmp_path / "g.nc")[0] == 0  # fmt: skip
