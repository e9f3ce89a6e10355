"""No option is lost in silence: given twice it counts or is refused, unused it is refused with what would use it."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from app_commands import commands

from superlaw import RunSpec, Store, train
from superlaw.cli.options import Command


def test_every_command_of_the_app_has_the_rules():
    assert len(list(commands())) > 20
    for path, one in commands():
        assert isinstance(one, Command) and one.rich_markup_mode is None, path


@pytest.mark.parametrize("spelling", ["--steps 10 --steps 20", "--steps=10 --steps=20", "--clip --no-clip"])
def test_an_option_given_twice_is_refused(command, tmp_path, monkeypatch, spelling):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("train", "--width", 3, *spelling.split())
    assert code == 2 and out == "" and err.count("\n") == 1
    assert re.search(r"--(steps|clip/--no-clip) 2 times; need it once", err)
    assert list(tmp_path.iterdir()) == []


def test_options_of_other_nouns_are_refused_twice_too(command):
    for arguments in (
        ("law", "fit", "t.csv", "--law", "power", "--level", 0.9, "--level", 0.5),
        ("law", "optimum", "fit.json", "--flops", "1e20", "--flops", "1e21"),
        ("shape", "best", "--params", "1e8", "--params", "1e9"),
        ("lm", "head", "x", "--seed", 1, "--seed", 2),
        ("demo", "--json", "--json"),
    ):
        code, _, err = command(*arguments)
        assert code == 2 and "2 times; need it once" in err, arguments


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Runs of three widths, two weight decays and two seeds."""
    monkeypatch.chdir(tmp_path)
    kept = Store(tmp_path / "store")
    for width, decay, seed in itertools.product((4, 6, 8), (-1, 1), (0, 1)):
        kept.add(
            train(RunSpec(n_features=40, steps=20, batch=32, warmup=2, width=width, weight_decay=decay, seed=seed))
        )
    return kept


def test_every_where_counts(command, store):
    arguments = ("figure", "overview", "--store", store.path, "--where", "width < 8", "--where", "seed == 1")
    code, out, err = command(*arguments, "-o", "f.png", "--json")
    assert code == 0, err
    assert json.loads(out)["drawn"][0]["runs"] == 4


def test_a_field_set_twice_or_an_axis_cut_twice_is_refused(command, store):
    for option in ("--set", "--only"):
        code, _, err = command(
            "sweep", "status", "wide-small", "--store", store.path, option, "steps=1", option, "steps=2"
        )
        assert code == 2 and f"{option} steps twice" in err


TRAIN = ("train", "--n-features", 20, "--width", 3, "--steps", 10)
RUN = ("sweep", "run", "wide-small", "--store", "s")
LOSS = ("loss", "m", "--corpus", "t=t.txt", "-o", "o.csv")
UNUSED = [
    ((*TRAIN, "--decay-length", 100), "--decay-length with power frequencies", "--frequencies exponential"),
    ((*TRAIN, "--frequencies", "linear", "--data-exponent", 1), "--data-exponent with linear", "--frequencies power"),
    (("train", "--frequencies", "p.csv", "--data-exponent", 2), "--data-exponent with explicit", "--frequencies power"),
    (("train", "--frequencies", "p.csv", "--clip"), "--clip", "--activation-density E"),
    (("train", "--text", "t.txt", "--decay-length", 2), "--decay-length with explicit", "exponential"),
    ((*RUN, "--scheduler", "tcp://h:1", "--workers", 2), "--workers with --scheduler", "local processes"),
    ((*RUN, "--dry-run", "--limit", 2), "--limit with --dry-run", "training"),
    ((*RUN, "--dry-run", "--scheduler", "tcp://h:1"), "--scheduler with --dry-run", "training"),
    (("figure", "list", "--store", "s"), "--store with list", "a figure"),
    (("figure", "toy", "--store", "s"), "--store with the figure toy", "a figure from runs"),
    (("figure", "llm", "--study", "s", "--where", "a == 1"), "--where with the figure llm", "a figure from runs"),
    (
        ("figure", "overview", "--store", "s", "--study", "x"),
        "--study with the figure overview",
        "language-model study",
    ),
    (("figure", "overview", "--store", "s", "-o", "x.png", "--kind", "pdf"), "--kind with -o x.png", "ending"),
    (("reproduce", "chinchilla", "--workers", 2), "--workers with chinchilla", "trained"),
    (("reproduce", "chinchilla", "--budget", "1h"), "--budget with chinchilla", "trained"),
    (("lm", "head", "h.npy", "--overwrite"), "--overwrite with no --plot", "--plot FILE"),
    (("lm", "head", "h.npy", "--pairs", "exact", "--seed", 3), "--seed with --pairs exact", "--pairs sampled"),
    (("lm", "head", "h.npy", "--tensor", "W", "--encoder"), "--encoder with --tensor W", "by name"),
    (("lm", "head", "org/model", "--follow-links"), "--follow-links with hub ids", "a folder"),
    (("lm", *LOSS, "--field", "body"), "--field with plain text", "JSON lines"),
    (("lm", "loss", "m", "--corpus", "t=t.jsonl", "-o", "o.csv", "--document", "line"), "--document", "plain text"),
    (("shape", "best", "--params", "1e8", "--overwrite"), "--overwrite with no --plot", "--plot FILE"),
    (
        ("shape", "compare", "--a", "width=8,depth=2", "--b", "width=4,depth=8", "--untied"),
        "--untied",
        "--vocabulary V",
    ),
    (("shape", "best", "--params", "1e8", "--columns", "w,d"), "--columns w,d without --fit", "--fit FIT"),
]


@pytest.mark.parametrize(("arguments", "said", "need"), UNUSED, ids=[said for _, said, _ in UNUSED])
def test_an_option_that_is_not_used_is_refused_with_what_would_use_it(
    arguments, said, need, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("a a a b b c d e f " * 9)
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "p.csv").write_text("3\n2\n1\n")
    (tmp_path / "h.npy").write_bytes(b"")
    before = sorted(tmp_path.iterdir())
    code, out, err = command(*arguments)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert said in err and need in err
    assert sorted(tmp_path.iterdir()) == before


def test_the_same_options_are_taken_where_they_are_used(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = ("--batch", 16, "--warmup", 1)
    assert command(*TRAIN, *more, "--data-exponent", 1.5, "--clip")[0] == 0
    assert command(*TRAIN, *more, "--frequencies", "exponential", "--decay-length", 9)[0] == 0
