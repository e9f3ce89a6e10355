"""superlaw train and superlaw show, as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from superlaw import RunSpec, load_run, train

COLD = ("--n-features", 60, "--width", 5, "--steps", 80, "--batch", 64, "--weight-decay", -1)
SMALL = (*COLD, "--warmup", 10)
KEYS = {
    "id", "path", "status", "loss", "loss_std", "represented_fraction", "strong_fraction", "mean_square_overlap",
    "welch", "wall_seconds", "steps_per_second",
}  # fmt: skip


def test_json_is_one_object_and_nothing_else(command, tmp_path):
    path = tmp_path / "run.safetensors"
    code, out, err = command("train", *SMALL, "--out", path, "--json")
    record = json.loads(out)
    assert code == 0 and err == ""
    assert set(record) >= KEYS
    run = load_run(path)
    assert record["id"] == run.id and record["loss"] == run.loss and record["status"] == "ok"
    assert run.spec == RunSpec(n_features=60, width=5, steps=80, warmup=10, batch=64, weight_decay=-1)


def test_show_repeats_what_train_said(command, tmp_path):
    path = tmp_path / "run.safetensors"
    _, trained, _ = command("train", *SMALL, "--out", path)
    code, shown, _ = command("show", path)
    assert code == 0 and shown == trained
    assert "60 represented" in shown or "of 60 represented" in shown


def test_show_prints_overlaps_by_group(command, tmp_path):
    path = tmp_path / "run.safetensors"
    command("train", *SMALL, "--out", path)
    code, shown, _ = command("show", path, "--groups")
    names = [re.split(r"  +", line)[0] for line in shown[shown.index("\ngroup") :].splitlines()[2:]]
    assert code == 0
    assert names == ["all", "strong", "weak", "ignored", "ranks 1-10", "ranks 11-60", "ranks 1-10 x 11-60"]
    groups = json.loads(command("show", path, "--groups", "--json")[1])["groups"]
    assert [group["group"] for group in groups] == names and groups[0]["pairs"] == 60 * 59 / 2


def test_groups_of_a_run_without_weights_are_refused(command, tmp_path):
    run = train(RunSpec(n_features=20, width=3, steps=10, batch=32))
    path = replace(run, W=None, b=None).save(tmp_path / "run.safetensors")
    assert command("show", path)[0] == 0
    code, _, err = command("show", path, "--groups")
    assert code == 2 and "without its weights" in err and err.count("\n") == 1


def test_without_out_the_file_is_named_by_the_id(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = json.loads(command("train", *SMALL, "--json")[1])
    assert [p.name for p in tmp_path.iterdir()] == [f"{record['id']}.safetensors"]


def test_a_saved_spec_is_overridden_by_options(command, tmp_path):
    first = json.loads(command("train", *SMALL, "--out", tmp_path / "a.safetensors", "--json")[1])
    (tmp_path / "spec.json").write_text(json.dumps(first["spec"]))
    for source in ("spec.json", "a.safetensors"):
        out = command(
            "train", "--spec", tmp_path / source, "--seed", 9, "--out", tmp_path / f"{source}.out.safetensors", "--json"
        )[1]
        assert json.loads(out)["spec"] == {**first["spec"], "seed": 9}


def test_frequencies_of_a_file_in_place_of_a_family_are_left_as_they_are(command, tmp_path):
    command("train", *SMALL, "--out", tmp_path / "A.SAFETENSORS")
    (tmp_path / "p.csv").write_text("0.9\n0.4\n0.2\n")
    out = command("train", "--spec", tmp_path / "A.SAFETENSORS", "--frequencies", tmp_path / "p.csv", "--width", 2,
                  "--out", tmp_path / "b.safetensors", "--json")[1]  # fmt: skip
    assert json.loads(out)["spec"]["activation_density"] is None


def test_a_run_file_with_explicit_frequencies_is_a_spec_too(command, tmp_path):
    counts = tmp_path / "counts.csv"
    counts.write_text("\n".join(str(100 - i) for i in range(40)))
    options = ("--frequencies", counts, "--width", 4, "--steps", 10, "--batch", 32, "--warmup", 2)
    first = json.loads(command("train", *options, "--out", tmp_path / "a.safetensors", "--json")[1])
    again = json.loads(
        command("train", "--spec", tmp_path / "a.safetensors", "--out", tmp_path / "b.safetensors", "--json")[1]
    )
    assert first["id"] == again["id"] and first["loss"] == again["loss"]
    other = json.loads(
        command(
            "train",
            "--spec",
            tmp_path / "a.safetensors",
            "--frequencies",
            "power",
            "--out",
            tmp_path / "c.safetensors",
            "--json",
        )[1]
    )
    assert other["spec"]["n_features"] == 1000


def test_text_becomes_frequencies(command, tmp_path):
    text = tmp_path / "t.txt"
    text.write_text("a a a a b b b c c d e f g h " * 5)
    out = command(
        "train",
        "--text",
        text,
        "--width",
        3,
        "--steps",
        10,
        "--batch",
        32,
        "--out",
        tmp_path / "r.safetensors",
        "--json",
    )[1]
    assert json.loads(out)["spec"]["n_features"] == 8


def test_divergence_is_a_recorded_result(command, tmp_path):
    path = tmp_path / "run.safetensors"
    code, out, _ = command("train", *COLD, "--warmup", 0, "--learning-rate", 100, "--out", path, "--json")
    assert code == 0 and json.loads(out)["status"] == "diverged" and json.loads(out)["loss"] is None
    assert load_run(path).status == "diverged"
    assert "DIVERGED" in command("show", path)[1].splitlines()[0]


def test_a_width_of_n_is_allowed_with_a_note(command, tmp_path):
    options = ("--n-features", 5, "--width", 5, "--steps", 10, "--batch", 16, "--out", tmp_path / "r.safetensors")
    code, out, _ = command("train", *options)
    assert code == 0 and "nothing needs superposition" in out


def test_help_states_the_defaults_of_run_spec():
    import inspect
    import re
    from typing import get_args

    from superlaw.cli.train import train
    from superlaw.toy.spec import RunSpec

    # What follows from another field is stated for where it is used; b's learning rate in words.
    published, sgd, wsd = RunSpec(), RunSpec(optimizer="sgd"), RunSpec(schedule="wsd")
    defaults = published.to_dict() | {"momentum": sgd.momentum, "decay_share": wsd.decay_share}
    stated = 0
    for name, parameter in inspect.signature(train, eval_str=True).parameters.items():
        (option,) = [a for a in get_args(parameter.annotation) if hasattr(a, "help")]
        shown = re.search(r"\[([\w.-]+)[^\]]*\]\.?$", option.help or "")
        if name in defaults and shown and not isinstance(defaults[name], bool) and name != "bias_learning_rate":
            default = defaults[name]
            same = float(shown[1]) == default if isinstance(default, int | float) else shown[1] == default
            assert same, name
            stated += 1
    assert stated >= 22


BAD = [
    (("--width", 0), "width = 0"),
    (("--width", "x"), "--width"),
    (("--widht", 3), "--widht"),
    (("--n-features", -3), "n_features = -3"),
    (("--steps", 0), "steps = 0"),
    (("--batch", 0), "batch = 0"),
    (("--seed", -1), "seed = -1"),
    (("--learning-rate", "nan"), "learning_rate = nan"),
    (("--learning-rate", 0), "learning_rate = 0"),
    (("--weight-decay", "inf"), "weight_decay = inf"),
    (("--activation-density", 9), "activation density 9"),
    (("--activation-density", -1), "activation_density = -1"),
    (("--frequencies", "powr"), "did you mean power?"),
    (("--frequencies", "none.csv"), "does not exist"),
    (("--text", "none.txt"), "does not exist"),
    (("--frequencies", "power", "--text", "t.txt"), "both --frequencies and --text"),
    (("--engine", "fusd"), "did you mean fused?"),
    (("--engine", "dense:"), "dense:DEVICE"),
    (("--engine", "dense:abacus"), "need a PyTorch device here"),
    (("--threads", 0), "threads = 0"),
    (("--threads", 5000), "1 to 256 threads"),
    (("--threads", 3000000000), "1 to 256 threads"),
    (("--out", "a" * 5000), "name too long"),
    (("--spec", "."), "directory"),
    (("--spec", "none.json"), "--spec"),
    (("--out", "/dev/null/x"), "no folder"),
    (("--out", "nowhere/x"), "no folder"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(map(str, o)) for o, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(command, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("train", *options)
    assert code == 2 and out == ""
    assert err.startswith("superlaw: ") and err.count("\n") == 1 and said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", "0.5\n-0.5\n", "negative"),
        ("p.csv", "0.5\nnan\n", "not finite"),
        ("p.csv", "0.5\n1.5\n", "above 1"),
        ("p.csv", "", "no numbers"),
        ("p.json", "[]", "no numbers"),
        ("p.json", "{", "not JSON"),
        ("p.bin", "x", "one word"),
    ],
)
def test_bad_frequency_files_are_one_line(command, tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    code, out, err = command("train", "--frequencies", path, "--out", tmp_path / "r.safetensors")
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "spec", ['{"frequencies": ["a"]}', '{"frequencies": [[1], [2, 3]]}', "[" * 100_000, "[1]", "{"]
)
def test_bad_specs_are_one_line(command, tmp_path, spec):
    path = tmp_path / "spec.json"
    path.write_text(spec)
    code, out, err = command("train", "--spec", path, "--out", tmp_path / "r.safetensors")
    assert code == 2 and out == "" and err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["spec.json"]


def test_what_an_engine_does_not_train_is_one_line_that_names_the_other(command, tmp_path):
    path = tmp_path / "spec.json"
    path.write_text('{"dtype": "float64"}')
    code, out, err = command("train", "--spec", path, "--engine", "fused", "--out", tmp_path / "r.safetensors")
    assert code == 2 and out == "" and err.count("\n") == 1 and "--engine dense" in err


def test_a_full_stdout_is_one_line(tmp_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        process = subprocess.run(
            [sys.executable, "-m", "superlaw", "sweep", "list"], stdout=full, stderr=subprocess.PIPE
        )
    assert process.returncode == 2 and process.stderr.count(b"\n") == 1 and b"No space left" in process.stderr


def test_an_ascii_terminal_gets_its_numbers(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "superlaw", "train", *map(str, SMALL), "--out", str(tmp_path / "r.safetensors")],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0 and b"loss" in done.stdout


def test_an_existing_file_is_kept_unless_overwritten(command, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_text("mine")
    code, _, err = command("train", *SMALL, "--out", path)
    assert code == 2 and "--overwrite" in err and path.read_text() == "mine"
    assert command("train", *SMALL, "--out", path, "--overwrite")[0] == 0


def test_show_names_a_damaged_file(command, tmp_path):
    path = tmp_path / "run.safetensors"
    command("train", *SMALL, "--out", path)
    path.write_bytes(path.read_bytes()[:-5])
    code, out, err = command("show", path)
    assert code == 2 and out == "" and "run.safetensors" in err and err.count("\n") == 1


def test_ctrl_c_leaves_no_half_file_and_exits_130(tmp_path):
    arguments = ["train", "--steps", "2000000", "--out", str(tmp_path / "run.safetensors")]
    process = subprocess.Popen(
        [sys.executable, "-m", "superlaw", *arguments], stderr=subprocess.PIPE, env={**os.environ}, text=True
    )
    try:
        time.sleep(2)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()  # a training that did not hear would go on for an hour
    assert process.returncode == 130
    assert err.count("\n") == 1 and "interrupted" in err
    assert list(tmp_path.iterdir()) == []
