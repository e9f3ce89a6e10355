"""Every command that writes obeys one policy: nothing that exists is replaced without --overwrite, a suffix decides
the format, folders are named, one file is never two."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from app_commands import commands

from superlaw import RunSpec, Store, train
from superlaw.cli.main import app
from superlaw.sweeps.table import gather, write_runs

PLAN = "[base]\nn_features = 40\nsteps = 20\nbatch = 32\nwarmup = 2\n[axes]\nwidth = [4, 6]\nweight_decay = [-1, 1]\n"
TRAIN = ("train", "--n-features", 20, "--width", 3, "--steps", 10, "--batch", 16, "--warmup", 1)
CAPACITY = ("shape", "capacity", "--store", "runs", "--widths", 4, "--degrees", 2, "--activities", 0.1, "--seeds", 0,
            "--steps", 10)  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a sweep's store, a plan, heads, a text, and files of the user's in the way."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(PLAN)
    store = Store(tmp_path / "store")
    for width, decay in itertools.product((4, 6), (-1, 1)):
        store.add(train(RunSpec(n_features=40, steps=20, batch=32, warmup=2, width=width, weight_decay=decay)))
    np.save(tmp_path / "head.npy", np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32))
    write_runs(gather(store), tmp_path / "runs.csv")
    return tmp_path


WRITERS = {
    "train": (*TRAIN, "--out", "FILE.safetensors"),
    "sweep table": ("sweep", "table", "plan.toml", "--store", "store", "-o", "FILE.csv"),
    "sweep gather": ("sweep", "gather", "store", "-o", "FILE.csv"),
    "sweep grid": ("sweep", "grid", "plan.toml", "--store", "store", "-o", "FILE.nc"),
    "figure": ("figure", "overview", "--store", "store", "-o", "FILE.png"),
    "lm head": ("lm", "head", "head.npy", "--plot", "FILE.svg"),
    "shape best": ("shape", "best", "--params", "1e8", "--plot", "FILE.png"),
    "shape capacity": (*CAPACITY, "-o", "FILE.png"),
}


def named(arguments: tuple, name: str) -> tuple:
    return tuple(name if str(a).startswith("FILE") else a for a in arguments)


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS)
def test_a_file_that_exists_is_kept_and_replaced_with_overwrite(arguments, command, place, monkeypatch, published):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    mine = next(Path(a) for a in map(str, arguments) if a.startswith("FILE"))
    mine.write_text("mine")
    code, out, err = command(*arguments)
    assert (code, out, mine.read_text()) == (2, "", "mine")
    assert err.count("\n") == 1 and f"{mine}, which exists" in err and "--overwrite" in err
    code, _, err = command(*arguments, "--overwrite")
    assert code == 0, err
    assert mine.read_bytes() != b"mine"


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(("name", "said"), [("x.txt", "a file"), ("nowhere/x.png", "no folder nowhere")])
def test_a_wrong_suffix_and_a_missing_folder_are_refused_and_nothing_is_made(name, said, arguments, command, place):
    before = sorted(place.rglob("*"))
    code, out, err = command(*named(arguments, name))
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert sorted(place.rglob("*")) == before


def test_a_figure_keeps_the_record_of_another_too(command, place):
    (place / "o.json").write_text("mine")
    code, _, err = command("figure", "overview", "--store", "store", "-o", "o.png")
    assert code == 2 and "o.json, which exists" in err and (place / "o.json").read_text() == "mine"
    assert not (place / "o.png").exists()


def test_a_suffix_in_capitals_decides_the_format_too(command, place):
    assert command("lm", "head", "head.npy", "--plot", "A.PDF")[0] == 0
    assert (place / "A.PDF").read_bytes()[:4] == b"%PDF"


def test_an_output_is_never_an_input(command, place):
    before = (place / "runs.csv").read_bytes()
    code, _, err = command("sweep", "gather", "runs.csv", "-o", "./runs.csv", "--overwrite")
    assert code == 2 and "naming one file" in err and (place / "runs.csv").read_bytes() == before
    command(*TRAIN, "--out", "a.safetensors")
    code, _, err = command("train", "--spec", "a.safetensors", "--seed", 1, "--out", "a.safetensors", "--overwrite")
    assert code == 2 and "--spec and --out naming one file" in err
    (place / "a.txt").write_text("text")
    read = ("lm", "tokens", "--tokenizer", "tokenizer.json", "--corpus", "a=a.txt", "-o", "tokenizer.json")
    (place / "tokenizer.json").write_text("{}")
    code, _, err = command(*read, "--overwrite")
    assert code == 2 and "-o and --tokenizer naming one file" in err
    assert (place / "tokenizer.json").read_text() == "{}"


DEMO = ("demo", "--steps", 20, "--n-features", 40, "--out", "kept")
KEEPERS = {
    "demo": (DEMO, "demo.png"),
    "reproduce": (("reproduce", "chinchilla", "--store", "kept"), "chinchilla.json"),
    "shape capacity": (tuple("kept" if a == "runs" else a for a in CAPACITY), "capacity.png"),
}


@pytest.mark.parametrize(("arguments", "name"), KEEPERS.values(), ids=KEEPERS)
def test_a_kept_folder_rewrites_its_own_file_and_refuses_one_that_was_changed(
    arguments, name, command, place, monkeypatch, published
):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    assert command(*arguments)[0] == 0
    assert command(*arguments)[0] == 0  # its own, unchanged
    path = place / "kept" / name
    path.write_text("mine")
    code, out, err = command(*arguments)
    assert code == 2 and out == "" and err.count("\n") == 1 and f"{Path('kept') / name}, which" in err
    assert path.read_text() == "mine"
    assert command(*arguments, "--overwrite")[0] == 0 and path.read_bytes() != b"mine"


def test_what_is_in_the_way_is_refused_before_anything_is_trained(command, place):
    (place / "kept").mkdir()
    (place / "kept" / "demo.png").write_text("mine")
    assert command(*DEMO)[0] == 2
    assert [path.name for path in (place / "kept").iterdir()] == ["demo.png"]


def test_a_folder_that_one_command_keeps_is_not_the_others(command, place):
    assert command(*DEMO)[0] == 0
    (place / "kept" / "capacity.png").write_bytes((place / "kept" / "demo.png").read_bytes())
    code, _, err = command(*KEEPERS["shape capacity"][0])
    assert code == 2 and "which this command did not write" in err


def test_every_command_that_can_write_has_overwrite():
    writers = {"--out", "--plot", "-o"}
    for path, one in commands():
        names = {name for parameter in one.params for name in parameter.opts}
        if names & writers or path in [("reproduce",), ("shape", "capacity")]:
            assert "--overwrite" in names, path


def test_json_of_results_that_are_no_numbers_is_json(command, place):
    code, out, _ = command(*TRAIN, "--learning-rate", 100, "--out", "d.safetensors", "--json")
    record = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert code == 0 and record["id"]


def test_the_apps_are_typers():
    assert isinstance(app, typer.Typer) and len(list(commands())) > 20
