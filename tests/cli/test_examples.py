"""Every --help ends with two examples, and they run, on a terminal of 80 columns that no line but a table's exceeds."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from app_commands import commands
from made_model import make_model

from superlaw.cli.examples import EXAMPLES, WIDEST
from superlaw.files.notebook import is_row
from superlaw.findings.published import PUBLISHED
from superlaw.sweeps.ladder import Rung

WIDTH = 80
PLAN = """
[base]
n_features = 250
steps = 300
batch = 128
learning_rate = 0.05
warmup = 20
[axes]
data_exponent = [0.5, 1]
weight_decay = [-1, 1]
width = [5, 10, 25]
"""
NEEDS_A_MODEL = ("lm tokens", "lm loss", "lm study")
SLOW = ("reproduce", "report", "shape capacity", *NEEDS_A_MODEL)  # run in other tests too; here by hand
MINUTES = {"study width-law -o width-law"}  # every public table
MINUTES |= {"playground", "playground --port 8000 --browser"}  # until Ctrl-C; tests/playground has the page


def table(sizes, loss) -> str:
    """Runs as CSV: width, depth, params, tokens, flops, seed, loss."""
    random, rows = np.random.default_rng(0), ["width,depth,params,tokens,flops,seed,loss"]
    for width, depth, tokens, seed in sizes:
        params = 12 * width**2 * depth
        noisy = loss(width, depth, params, tokens) * (1 + 2e-3 * random.standard_normal())
        rows.append(f"{width},{depth},{params},{tokens:.6g},{6 * params * tokens:.6g},{seed},{noisy:.8g}")
    return "\n".join(rows) + "\n"


def grid(seeds=(0,)):
    return [(w, w // 32, t, s) for w in (128, 256, 512, 1024) for t in (1e9, 4e9, 16e9, 64e9) for s in seeds]


def chinchilla(times=1.0):
    return lambda width, depth, params, tokens: 1.7 + times * (60 / params**0.28 + 500 / tokens**0.3)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder of someone who has runs, a store, fits, a text and a head."""
    from superlaw import fit_law, load_run, load_table, sweep, train
    from superlaw.files.records import to_json
    from superlaw.toy.spec import RunSpec

    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.toml").write_text(PLAN)
    (folder / "weight-decay-grid-small.toml").write_text(PLAN)
    sweep(folder / "tiny.toml", folder / "runs")
    train(RunSpec(n_features=60, width=6, steps=40, batch=64, warmup=4)).save(folder / "run.safetensors")
    assert load_run(folder / "run.safetensors").status == "ok"
    (folder / "runs.csv").write_text(table(grid((0, 1)), lambda w, d, n, t: 1.7 + 30 / w + 500 / t**0.3))
    for name, times in (("old", 1.0), ("new", 0.9)):
        (folder / f"{name}.csv").write_text(table(grid(), chinchilla(times)))
    budgets = [
        (w, w // 32, c / 72 / w**2 / (w // 32), 0) for c in (1e17, 3e17, 1e18) for w in (128, 192, 256, 384, 512, 768)
    ]
    (folder / "isoflop.csv").write_text(table(budgets, chinchilla()))
    (folder / "sizes.csv").write_text("width,tokens\n512,1e12\n2048,1e12\n")
    (folder / "my.txt").write_text(" ".join(f"word{i} " * (1 + 200 // (i + 1)) for i in range(50)))
    text = "\n".join(" ".join(f"w{i * k % 30}" for i in range(40)) for k in range(1, 60))
    for name in ("wiki", "a"):
        (folder / f"{name}.txt").write_text(text)
    np.save(folder / "head.npy", np.random.default_rng(0).standard_normal((200, 16)))
    old, new = (load_table(folder / f"{name}.csv").assign(recipe=name) for name in ("old", "new"))
    import pandas as pd

    from superlaw import Chinchilla, SeparateLaw

    fits = {
        "fit": (folder / "runs.csv", "additive:width,tokens"),
        "chinchilla": (folder / "old.csv", "chinchilla:params,tokens"),
        "recipes": (pd.concat([old, new]), SeparateLaw(Chinchilla("params", "tokens"), ["recipe"], ["A"])),
    }
    for name, (runs, law) in fits.items():
        (folder / f"{name}.json").write_text(
            to_json(fit_law(load_table(runs) if name != "recipes" else runs, law).to_dict())
        )
    return folder


@pytest.fixture(scope="module")
def models(place):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    for width in (8, 16, 24):
        make_model(place / f"model-{width}", [f"w{i}" for i in range(30)], width)
    make_model(place / "model", [f"w{i}" for i in range(30)])
    rows = [
        f'[[model]]\nname = "model-{w}"\nsource = "model-{w}"\nfamily = "own"\nwidth = {w}\ndepth = 2\n'
        for w in (8, 16, 24)
    ]
    (place / "family.toml").write_text("\n".join(rows))


def smaller(arguments: list[str]) -> list[str]:
    """The same command with a model, or a search, that takes a second."""
    name, more = " ".join(arguments[:2]), []
    if arguments[0] in ("demo", "train"):
        stated = arguments.index("--steps") if "--steps" in arguments else len(arguments)
        arguments = [*arguments[:stated], *arguments[stated + 2 :]]
        more = ["--steps", "40", *([] if "--text" in arguments or "--spec" in arguments else ["--n-features", "120"])]
    elif name in ("sweep run", "sweep status", "sweep table", "sweep grid"):
        arguments = [*arguments[:2], f"{arguments[2]}.toml", *arguments[3:]]
    elif arguments[0] == "evaluate" and "--samples" not in arguments:
        more = ["--samples", "20k"]
    elif name == "shape capacity":
        more = ["--degrees", "2", "--activities", "0.1", "--steps", "10"]
        more += [] if "--widths" in arguments else ["--widths", "4", "--seeds", "0"]
    return [*arguments, *more]


def test_every_command_has_two_examples_with_which_its_help_ends(command):
    assert set(EXAMPLES) == {" ".join(path) for path, _ in commands()}
    for name, lines in EXAMPLES.items():
        code, shown, _ = command(*name.split(), "--help")
        assert code == 0 and shown.endswith("".join(f"  superlaw {line}\n" for line in lines))
        for line in lines:
            assert line.startswith(name) and len(f"superlaw {line}") <= WIDEST


def test_no_line_of_a_help_is_wider_than_the_terminal(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    for path in ((), *(path for path, _ in commands())):
        for line in command(*path, "--help")[1].splitlines():
            assert len(line) <= WIDTH, (path, line)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in EXAMPLES]
)
def test_the_examples_run_and_fit_the_terminal(name, place, command, monkeypatch, published, request):
    if name in NEEDS_A_MODEL:
        request.getfixturevalue("models")
    monkeypatch.chdir(place)
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    monkeypatch.setattr("superlaw.cli.main.columns", lambda stream: WIDTH)
    for figure in ("strong", "exponents"):
        monkeypatch.setitem(PUBLISHED, figure, replace(PUBLISHED[figure], ladder=(Rung(str(place / "tiny.toml"), 40),)))
    for line in EXAMPLES[name]:
        if line in MINUTES:
            continue
        for file in re.findall(r"(?:-o|--plot|--report|--per-feature) (\S+)", line):
            if (place / file).is_file():
                (place / file).unlink()
        code, out, err = command(*smaller(shlex.split(line)))
        assert code == 0, (line, err)
        if "--json" not in line and not line.endswith("--table md") and name != "data fetch":
            check_width(out)


def check_width(out: str) -> None:
    """No line beyond the terminal, but of a table that says so, and words that cannot be broken."""
    allowed = WIDTH
    for line in out.splitlines():
        said = re.fullmatch(r"\(table, (\d+) columns wide:\)", line)
        if said:
            allowed = int(said[1])
        elif not is_row(line):
            allowed = WIDTH
            assert len(line) <= WIDTH or len(line.split()) == 1, line
        else:
            assert len(line) <= allowed, line
