"""Gather: a store as one table, written and read back as text."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.findings.comparable import comparable_runs
from superlaw.geometry.overlaps import row_norms
from superlaw.sweeps.plan import Plan
from superlaw.sweeps.store import Store
from superlaw.sweeps.sweep import sweep
from superlaw.sweeps.table import (
    ADDED,
    ADDED_MEASURES,
    NORM_EDGES,
    PROFILES,
    gather,
    profile,
    rank_edges,
    read_runs,
    write_runs,
)
from superlaw.toy.measures import measure_run
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec


@pytest.fixture
def store(tmp_path):
    plan = Plan("p", {"n_features": 60, "steps": 30, "batch": 64}, {"width": (3, 5), "weight_decay": (-1.0, 1.0)})
    return sweep(plan, tmp_path / "runs", workers=1).store


def test_a_row_is_the_runs_spec_measures_and_provenance(store):
    table = gather(store)
    for _, row in table.iterrows():
        run = store.load(row["id"])
        assert row["width"] == run.spec.width and row["weight_decay"] == run.spec.weight_decay
        assert row["density"] == pytest.approx(1)
        for name, value in measure_run(run).to_dict().items():
            assert row[name] == value or (value is None and row[name] != row[name])
        assert row["engine"] == "fused" and row["finished"] == run.provenance["finished"]
        assert row["norm_counts"].sum() == 60


def test_the_table_read_back_says_the_same(store, tmp_path):
    table = gather(store)
    write_runs(table, tmp_path / "runs.csv")
    again = gather(tmp_path / "runs.csv")
    assert again["id"].tolist() == table["id"].tolist()
    np.testing.assert_allclose(again["loss"], table["loss"], rtol=1e-7)
    for name in PROFILES:
        np.testing.assert_allclose(np.stack(again[name]), np.stack(table[name]), rtol=1e-3)


def test_counts_of_rows_keep_every_digit(store, tmp_path):
    table = gather(store)
    table["norm_counts"] = [np.array([12345, 7655])] * len(table)
    write_runs(table, tmp_path / "runs.csv")
    assert "12345 7655" in (tmp_path / "runs.csv").read_text()


def test_a_table_is_read_whatever_the_case_of_its_ending(store, tmp_path):
    write_runs(gather(store), tmp_path / "RUNS.CSV")
    assert len(gather(tmp_path / "RUNS.CSV")) == len(gather(store))


def test_a_table_of_an_older_version_is_read_with_the_defaults_of_what_it_lacks(store, tmp_path):
    table = gather(store, profiles=False)
    write_runs(table.drop(columns=[*ADDED, *ADDED_MEASURES]), tmp_path / "old.csv")
    old = gather(tmp_path / "old.csv")
    for name in ADDED:
        expected = getattr(RunSpec(), name)
        assert all(value == expected or (expected is None and value != value) for value in old[name]), name
        assert old[name].isna().tolist() == table[name].isna().tolist()
    assert old["silent_fraction"].isna().all() and table["silent_fraction"].notna().all()
    both = comparable_runs(gather([tmp_path / "old.csv", store.path]), ["weight_decay", "width"], "weight-decay")
    assert len(both.table) == 4 and not [note for note in both.notes if note.startswith("Left out")]


def test_variants_are_columns_of_the_table(tmp_path):
    base = {"n_features": 30, "steps": 5, "batch": 64, "activation_density": 2.0}
    axes = {"width": (2, 3), "values": ("uniform", "constant")}
    plan = Plan("p", {**base, "tied": False, "schedule": "wsd", "correlation": 0.5, "group_size": 3}, axes)
    write_runs(gather(sweep(plan, tmp_path / "runs", workers=1).store), tmp_path / "runs.csv")
    table = gather(tmp_path / "runs.csv")
    assert sorted(table["values"].unique()) == ["constant", "uniform"] and not table["tied"].any()
    assert (table["schedule"] == "wsd").all() and (table["decay_share"] == 0.2).all()
    assert (table["group_size"] == 3).all() and table["silent_fraction"].between(0, 1).all()
    assert (table["engine"] == "fused").all()


def test_a_run_in_two_places_is_taken_once(store, tmp_path):
    write_runs(gather(store), tmp_path / "runs.csv")
    assert len(gather([store.path, tmp_path / "runs.csv"])) == 4


def test_without_profiles_no_weights_are_read_and_the_rest_is_the_same(store):
    light, whole = gather(store, profiles=False), gather(store)
    assert not set(PROFILES) & set(light)
    assert light["loss"].tolist() == whole["loss"].tolist()


def test_profiles_count_rows_by_norm_and_by_rank():
    spec = RunSpec(n_features=4, width=2)
    W = np.array([[2.5, 0], [0, 1.01], [0.61, 0], [0, 0.11]], np.float32)
    found = profile(Run(spec, "ok", np.ones(1, np.float32), W, np.zeros(4, np.float32)))
    at = [int(np.searchsorted(NORM_EDGES, norm, side="right")) - 1 for norm in (1.01, 0.61, 0.11)]
    assert found["norm_counts"][-1] == 1 and [found["norm_counts"][i] for i in at] == [1, 1, 1]
    np.testing.assert_allclose(found["norm_by_rank"], row_norms(W))
    assert found["strong_by_rank"].tolist() == [1, 1, 0, 0]


def test_ranks_are_counted_by_frequency_whatever_their_order():
    W = np.diag([0.2, 2.0]).astype(np.float32)
    spec = RunSpec(frequencies=np.array([0.1, 0.4]), width=2)
    found = profile(Run(spec, "ok", np.ones(1, np.float32), W, np.zeros(2, np.float32)))
    np.testing.assert_allclose(found["norm_by_rank"], [2.0, 0.2], rtol=1e-6)


@pytest.mark.parametrize("n", [1, 5, 1000, 152064])
def test_rank_bins_hold_every_rank_once(n):
    edges = rank_edges(n)
    assert edges[0] == 1 and edges[-1] == n + 1 and (np.diff(edges) > 0).all()


def test_a_damaged_run_is_a_row_that_says_so(store):
    path = sorted(store.path.glob("*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:-10])
    table = gather(store)
    assert table["status"].value_counts().to_dict() == {"ok": 3, "damaged": 1}
    write_runs(table, store.path / "table.csv")
    again = read_runs(store.path / "table.csv")
    assert again["status"].value_counts().to_dict() == {"ok": 3, "damaged": 1}


def test_of_two_copies_the_whole_one_is_kept(store, tmp_path):
    write_runs(gather(store), tmp_path / "good.csv")
    path = sorted(store.path.glob("*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:-10])
    both = gather([store.path, tmp_path / "good.csv"])
    assert both["status"].tolist() == ["ok"] * 4


def test_a_cell_that_is_no_number_is_named(store, tmp_path):
    write_runs(gather(store), tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    header, first, *rest = text.splitlines()
    place = header.split(",").index("loss")
    cells = first.split(",")
    cells[place] = "abc"
    (tmp_path / "t.csv").write_text("\n".join([header, ",".join(cells), *rest]))
    with pytest.raises(InputError, match="column 'loss' is not numbers"):
        read_runs(tmp_path / "t.csv")


def test_explicit_frequencies_are_gathered(tmp_path):
    p = np.array([0.5, 0.3, 0.2, 0.1])
    store = Store(tmp_path / "s")
    from superlaw.toy.train import train

    store.add(train(RunSpec(frequencies=p, width=2, steps=10, batch=16)))
    for profiles in (True, False):
        (row,) = gather(store, profiles).to_dict("records")
        assert row["frequencies"].startswith("explicit ") and row["density"] == pytest.approx(1.1)


def test_an_empty_store_and_a_foreign_table_are_refused(tmp_path):
    Store(tmp_path / "empty")
    with pytest.raises(InputError, match="without runs"):
        gather(tmp_path / "empty")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="without the column 'id'"):
        read_runs(tmp_path / "other.csv")
    with pytest.raises(InputError, match="does not exist"):
        read_runs(tmp_path / "none.csv")
