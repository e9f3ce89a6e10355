"""superlaw figure: the picture, the record beside it, and what it says when runs are missing."""

from __future__ import annotations

import json

import pytest

from superlaw.errors import InputError
from superlaw.studies.figure import draw_all, figure
from superlaw.sweeps.plan import Plan
from superlaw.sweeps.sweep import sweep
from superlaw.sweeps.table import gather, write_runs

TINY = {"n_features": 200, "steps": 60, "batch": 64, "warmup": 6, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    plan = Plan("tiny", TINY, {"weight_decay": (-1.0, 1.0), "width": (4, 8, 16)})
    (folder / "tiny.toml").write_text(plan.to_toml())
    return sweep(plan, folder, workers=1).store


def test_a_figure_comes_with_a_record_of_what_was_plotted_and_from_which_runs(store, tmp_path):
    drawn = figure("overview", tmp_path / "o.svg", store.path)
    record = json.loads((tmp_path / "o.json").read_text())
    assert drawn.path.read_bytes().startswith(b"<?xml")
    assert set(record["runs"]) == store.ids() and record["figure"] == "overview"
    losses = gather(store, profiles=False).query("weight_decay == -1").sort_values("width")["loss"]
    shown = [item for item in record["panels"][0]["items"] if item["kind"] == "marks" and item["color"] == "strong"]
    assert [y for item in shown for y in item["y"]] == pytest.approx(losses.tolist())


def test_a_table_draws_the_same_picture_as_its_store(store, tmp_path):
    write_runs(gather(store), tmp_path / "runs.csv")
    for name in ("strong", "weight-decay"):
        figure(name, tmp_path / f"{name}-store.svg", store.path)
        figure(name, tmp_path / f"{name}-table.svg", tmp_path / "runs.csv")
        one, other = (json.loads((tmp_path / f"{name}-{of}.json").read_text()) for of in ("store", "table"))
        assert one["runs"] == other["runs"] and one["notes"] == other["notes"]


def test_what_exists_is_not_overwritten_and_nothing_is_half_written(store, tmp_path):
    (tmp_path / "o.json").write_text("mine")
    with pytest.raises(InputError, match="which exists"):
        figure("overview", tmp_path / "o.png", store.path)
    assert (tmp_path / "o.json").read_text() == "mine" and not (tmp_path / "o.png").exists()
    figure("overview", tmp_path / "o.png", store.path, overwrite=True)


def test_missing_runs_are_told_with_the_command_that_makes_them(store, tmp_path):
    broken = tmp_path / "part"
    broken.mkdir()
    kept = sorted(store.path.glob("*.safetensors"))[1:]
    for path in kept:
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "tiny.toml").write_text((store.path / "tiny.toml").read_text())
    drawn = figure("overview", tmp_path / "o.png", broken)
    assert len(drawn.picture.missing) == 1
    assert drawn.command == f"superlaw sweep run {broken / 'tiny.toml'} --store {broken}"


def test_where_chooses_runs(store, tmp_path):
    drawn = figure("overview", tmp_path / "o.png", store.path, where="width < 10")
    assert len(drawn.picture.runs) == 4
    with pytest.raises(InputError, match="which no run fulfils"):
        figure("overview", tmp_path / "p.png", store.path, where="width > 1000")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["overview"], "superlaw reproduce overview"),
        (["overveiw", "-o", "x.png"], "did you mean overview?"),
        (["overview", "-o", "x.gif"], "a file ending in .png, .pdf, .svg"),
        (["overview", "-o", "nowhere/x.png"], "make nowhere"),
        (["weak", "--store", "nowhere", "-o", "x.png"], "which does not exist"),
        (["llm", "-o", "x.png"], "superlaw lm study"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(arguments, said, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("figure", *arguments)
    assert code == 2 and not out and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def test_all_draws_what_it_can_and_says_why_not_the_others(store, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(tmp_path))  # without the published table
    drawn, reasons = draw_all(tmp_path / "new", store.path)
    names = {one.picture.name for one in drawn}
    assert {"overview", "weight-decay", "weak", "strong", "toy"} <= names
    assert {"llm", "norms", "zipf", "density", "chinchilla"} <= set(reasons)
    assert "runs of one activation density" in reasons["density"]


def test_all_needs_a_folder(command, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, out, err = command("figure", "all", "-o", tmp_path / "file")
    assert code == 2 and not out and "a folder for all figures" in err


def test_the_command_prints_what_was_drawn(store, command, tmp_path):
    code, out, _ = command("figure", "overview", "--store", store.path, "-o", tmp_path / "o.png", "--json")
    record = json.loads(out)["drawn"][0]
    assert code == 0 and record["runs"] == 6 and record["missing"] == 0
    code, out, _ = command("figure", "list")
    assert code == 0 and "chinchilla" in out
