"""Heads, plans, training, help and the command line itself: each case that the first attack found, as a fact."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from harness import QUIET

PLAN = "[base]\nn_features = 20\nsteps = 12\nbatch = 8\nwarmup = 2\n"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_head_of_unit_rows_is_measured(tmp_path, superlaw, dtype):
    W = np.random.default_rng(0).normal(size=(60, 8))
    np.save(tmp_path / "W.npy", (W / np.linalg.norm(W, axis=1, keepdims=True)).astype(dtype))
    assert superlaw("lm", "head", "W.npy", "--json").code == 0
    assert superlaw("lm", "head", "W.npy", "--plot", "f.svg").code == 0


def test_a_head_with_more_columns_than_memory_squared_is_measured(tmp_path, superlaw):
    np.save(tmp_path / "W.npy", np.random.default_rng(0).normal(size=(3, 40_000)).astype(np.float32))
    assert superlaw("lm", "head", "W.npy", "--json").code in (0, 2)


def test_frequencies_of_one_feature_are_refused_before_training(tmp_path, superlaw):
    (tmp_path / "p.csv").write_text("0.5\n")
    (tmp_path / "p.json").write_text("[3]")
    for file in ("p.csv", "p.json"):
        found = superlaw(
            "train", "--frequencies", file, "--out", "out.safetensors", "--steps", 20, "--warmup", 2, "--json"
        )
        assert found.code == 2, found.json()["spec"]["n_features"]


@pytest.mark.parametrize("length", [10**6, 10**12])
@pytest.mark.parametrize("command", ["status", "run", "table"])
def test_a_plan_of_a_million_or_more_runs_is_answered_in_bounded_memory(tmp_path, superlaw, length, command):
    """A thousand values on each of two axes, or of four."""
    axes = "width = [{}]\nweight_decay = {{ start = -1, stop = 1, num = 1000 }}\n".format(
        ", ".join(map(str, range(1, 1001)))
    )
    if length > 10**6:
        axes += "data_exponent = { start = 0, stop = 2, num = 1000 }\n"
        axes += "learning_rate = { start = 0.001, stop = 0.1, num = 1000 }\n"
    (tmp_path / "plan.toml").write_text(f"{PLAN}[axes]\n{axes}".replace("n_features = 20", "n_features = 2000"))
    (tmp_path / "s").mkdir()
    more = {"status": ("--json",), "run": ("--dry-run", "--json"), "table": ("-o", "t.csv")}[command]
    found = superlaw("sweep", command, "plan.toml", "--store", "s", *more, may_change=("t.csv",))
    assert found.code in (0, 2)


def test_measuring_a_run_of_fifty_thousand_features_is_bounded(tmp_path, superlaw):
    line = ("train", "--n-features", 50_000, "--width", 10, "--batch", 64, "--steps", 3, "--warmup", 1, "--json")
    assert superlaw(*line, "--out", "out.safetensors").code == 0


def test_ctrl_c_while_a_run_is_measured_keeps_the_run(tmp_path):
    line = ("train", "--n-features", 50_000, "--width", 10, "--batch", 64, "--steps", 3, "--warmup", 1)
    process = start(tmp_path, *line, "--out", "out.safetensors")
    time.sleep(6)  # three steps take less than one second
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130), err
    assert "Traceback" not in err
    assert (tmp_path / "out.safetensors").exists()


def start(folder, *arguments: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "superlaw", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **QUIET},
        **options,
    )


INTERRUPTED = """
import os, signal, sys
from importlib.metadata import entry_points
class Trap:
    def find_spec(self, name, path=None, target=None):
        if name == TRAP:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Trap())
(entry,) = entry_points(group="console_scripts", name="superlaw")
entry.load()()
"""


@pytest.mark.parametrize("module", ["typer", "superlaw.errors", "numpy", "pandas", "scipy.optimize", "superlaw.laws"])
def test_ctrl_c_during_imports_is_one_line(tmp_path, module):
    import pandas as pd

    pd.DataFrame({"width": [1, 2, 4, 8, 16], "loss": [5, 4, 3.3, 2.9, 2.7]}).to_csv(tmp_path / "t.csv", index=False)
    line = [
        sys.executable,
        "-c",
        INTERRUPTED.replace("TRAP", repr(module)),
        "law",
        "fit",
        "t.csv",
        "--law",
        "power:width",
    ]
    found = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **QUIET})
    assert found.returncode == 130 and found.stderr.count("\n") == 1, found.stderr


def commands(folder, *path: str) -> list[tuple[str, ...]]:
    """Every command, as its groups' helps list them."""
    text = helped(folder, *path)
    panel = text.partition("─ Commands ─")[2]
    names = re.findall(r"^│ ([a-z][a-z-]*) ", panel, re.M)
    return [found for name in names for found in commands(folder, *path, name)] if names else [path]


def helped(folder, *path: str) -> str:
    process = start(folder, *path, "--help")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_no_help_text_swallows_what_stands_in_brackets(tmp_path):
    """Rich takes [all cores] for a style and drops it: 'Processes .'."""
    bad = {}
    for path in commands(tmp_path):
        words = " ".join(re.sub(r"[│╭╮╰╯─*]", " ", helped(tmp_path, *path)).split())
        if found := re.findall(r"\w+ \.(?= |$)", words):
            bad[" ".join(path)] = found
    assert not bad
    assert "all cores" in " ".join(re.sub(r"│", " ", helped(tmp_path, "sweep", "run")).split())


def test_a_model_without_a_tokenizer_is_told_so(tmp_path, superlaw):
    config = {"model_type": "llama", "vocab_size": 20, "hidden_size": 4, "num_hidden_layers": 1}
    config |= {"intermediate_size": 8, "num_attention_heads": 2, "architectures": ["LlamaForCausalLM"]}
    (tmp_path / "m4").mkdir()
    (tmp_path / "m4" / "config.json").write_text(json.dumps(config))
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 5)
    found = superlaw("lm", "loss", "./m4", "--corpus", "a=a.txt", "-o", "l.csv", codes=(1,))
    assert found.code in (1, 2) and "tokenizer" in found.out + found.err
    assert "two tokens" not in found.out + found.err


@pytest.mark.parametrize("name", ["nothere", "no/where"])
def test_a_model_that_is_not_there_is_answered_quickly_offline(tmp_path, superlaw, name):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 5)
    online = {"HF_HUB_OFFLINE": "0"}  # but nobody answers
    found = superlaw(
        "lm", "loss", name, "--corpus", "a=a.txt", "-o", "l.csv", codes=(1,), fresh=True, environment=online
    )
    assert found.code in (1, 2) and found.wall < 15


def test_a_study_whose_source_lacks_its_dot_is_answered_quickly_offline(tmp_path, superlaw):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 5)
    (tmp_path / "family.toml").write_text(
        '[[model]]\nname = "m"\nfamily = "f"\nwidth = 4\ndepth = 2\nsource = "models/m4"\n'
    )
    online = {"HF_HUB_OFFLINE": "0"}
    line = ("lm", "study", "family.toml", "--corpus", "a=a.txt", "-o", "study")
    found = superlaw(*line, codes=(1,), fresh=True, environment=online)
    assert found.code in (1, 2) and found.wall < 20


@pytest.mark.parametrize("seeds", [(0, 1, 2), pytest.param((3, 4, 5), marks=pytest.mark.slow)])
def test_what_a_study_measured_is_kept_whatever_the_fit_does(tmp_path, superlaw, seeds):
    """Flat losses of five widths, on which the joint fit fell over."""
    import csv

    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 5)
    (tmp_path / "family.toml").write_text(
        "".join(
            f'[[model]]\nname = "m{i}"\nfamily = "f"\nwidth = {2**i}\ndepth = 2\nsource = "./m{i}"\n'
            for i in range(2, 8)
        )
    )
    line = ("lm", "study", "family.toml", "--corpus", "a=a.txt", "-o", "study")
    superlaw(*line, codes=(1,), fresh=True, seconds=60)
    rows = list(csv.DictReader((tmp_path / "study" / "losses.csv").open()))
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for row in rows:
            row |= {
                "status": "ok",
                "loss": 10.3 + 0.005 * rng.normal(),
                "stderr": 0.01,
                "bits_per_byte": 1.1,
                "tokens": 200,
                "message": "",
            }
        with (tmp_path / "study" / "losses.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        (tmp_path / "study" / "study.json").unlink(missing_ok=True)
        superlaw(*line, codes=(1,))
        table = json.loads((tmp_path / "study" / "study.json").read_text())
        assert "10.3" in json.dumps(table) or "10.29" in json.dumps(table)


def test_a_plans_name_does_not_steer_the_terminal(tmp_path, superlaw):
    (tmp_path / "plan.toml").write_text(
        f'name = "\\u001b[2J\\u001b[31mred"\nabout = "\\u0007"\n{PLAN}[axes]\nwidth = [2, 3]\n'
    )
    (tmp_path / "s").mkdir()
    superlaw("sweep", "status", "plan.toml", "--store", "s", may_change=("s",))
    superlaw("sweep", "run", "plan.toml", "--store", "s", "--dry-run", may_change=("s",))
    superlaw("sweep", "run", "plan.toml", "--store", "s", "--workers", 1, may_change=("s",))
    superlaw("sweep", "status", "\x1b[31mplan", "--store", "s")
    superlaw("sweep", "status", "plan.toml", "--store", "s", "--only", "\x1b[31mwidth=2")


def test_a_tensors_name_does_not_steer_the_terminal(tmp_path, superlaw):
    from safetensors.numpy import save_file

    W = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    save_file({"\x1b[31mlm_head.weight": W}, tmp_path / "one.safetensors")
    save_file({"\x1b[31ma": W, "\x1b[31mb": W}, tmp_path / "two.safetensors")
    save_file({"lm_head.weight": W}, tmp_path / "\x1b[31mred.safetensors")
    for file in ("one.safetensors", "two.safetensors", "\x1b[31mred.safetensors"):
        superlaw("lm", "head", file)
        superlaw("lm", "head", file, "--tensor", "\x1b[2J")


def test_a_published_table_offline_is_one_line(tmp_path, superlaw):
    found = superlaw("data", "fetch", "chinchilla", environment={"SUPERLAW_DATA": ""})
    assert found.code == 2 and found.err.count("\n") == 1


def test_a_search_that_goes_out_of_range_says_nothing_of_itself_on_stderr(attack, tmp_path, superlaw):
    """RuntimeWarnings are for whoever wrote the program."""
    shutil.copy(attack.example("fit") / "additive.json", tmp_path / "fit.json")
    found = superlaw("shape", "best", "--params", "1e9", "--fit", "fit.json", "--plot", "f.svg")
    assert found.code == 0 and found.err == ""
