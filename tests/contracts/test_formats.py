"""What is written for other programs is as its JSON schema says: files, and what every command prints with --json."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest
from conftest import ROOT
from jsonschema import Draft202012Validator
from schemas import ELSEWHERE, FOLDER, command_of, schemas, validator, wrong
from typer.main import get_command

from superlaw.cli.main import app
from superlaw.toy.run import read_header

SMALL = "--n-features 60 --width 5 --steps 30 --batch 64 --warmup 3"
GRID = "--only data_exponent=1 --seeds 0 --set steps=20 --set warmup=2 --set n_features=300 --set batch=64"
# Of every command: the same small files, one after the other, in one folder.
LINES = f"""
data sample
data list
data fetch olmo-ladder
data fetch llg-fig4b
train {SMALL} --out a.safetensors
train {SMALL} --out b.safetensors --loss-function cross-entropy --activation-density 2
train {SMALL} --out c.safetensors --optimizer sgd --learning-rate 1e6
show a.safetensors --groups
show b.safetensors
show c.safetensors
evaluate a.safetensors --samples 2000
evaluate b.safetensors --samples 2000
exponents sample/toy-runs.csv
figure list
figure weak --store sample/toy-runs.csv -o weak.png
sweep list
sweep run weight-decay-grid-small --store runs {GRID} --workers 1
sweep run weight-decay-grid-small --store runs {GRID} --dry-run
sweep status weight-decay-grid-small --store runs {GRID}
sweep verify --store runs
report sample/toy-runs.csv -o report.html
law look sample/runs.csv
law fit sample/runs.csv --law additive:width,tokens -o fit.json
law fit sample/runs.csv --law chinchilla:params,tokens --objective log-huber -o huber.json
law fit sample/runs.csv --law chinchilla:params,tokens -o squares.json
law fit sample/runs.csv --law additive:width,tokens --fix a_width=1 --prior L_0=1.8+-0.2 --cluster width
law fit xlstm-llama --law chinchilla:params,tokens --loss val_loss --by context --separate E,A,B -o recipes.json
law compare sample/runs.csv --law additive:width,tokens --law chinchilla:params,tokens
law sensitivity sample/runs.csv --law additive:width,tokens --where "width >= 768"
law saving recipes.json --flops 1e20
law optimum huber.json --flops 1e21
law optimum huber.json --flops 1e20:1e24:3
law optimum fit.json --loss 2.8 --of width --at tokens=1e10
law predict fit.json --at width=1024,tokens=1e11
law backtest fit.json --cost "width**2 * tokens"
law next fit.json --budget 1e21 --cost "6 * width**2 * tokens"
law gain huber.json squares.json
law replicates olmo-ladder --law power:tokens --loss c4_en
lm head sample/head.npy
shape compare --a width=1600,depth=48 --b width=3200,depth=12 --features 1e6
shape capacity --store cap --widths 4 --degrees 2,4 --activities 0.1,0.01 --seeds 0 --steps 60 --workers 1
study width-law olmo-ladder --loss c4_en
"""


def with_json(command=None, words=()):
    """The words of every command that has --json."""
    command = command or get_command(app)
    for name, one in getattr(command, "commands", {}).items():
        yield from with_json(one, (*words, name))
    if any("--json" in option.opts for option in command.params):
        yield " ".join(words)


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    return [shlex.split(line) for line in LINES.strip().splitlines()]


def test_every_command_with_json_has_a_schema_and_is_run(lines):
    commands = set(with_json())
    named = {path.stem for path in (FOLDER / "commands").glob("*.json")}
    assert {command.replace(" ", "-") for command in commands} == named
    assert {command_of(line) for line in lines} | set(ELSEWHERE) == commands


def test_every_command_prints_what_its_schema_says(lines, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []
    for line in lines:
        code, out, err = command(*line, "--json")
        assert code == 0, (line, err)
        found += wrong(command_of(line).replace(" ", "-"), json.loads(out))
    assert not found
    header = read_header(tmp_path / "a.safetensors")
    assert not wrong("run", header) and not wrong("spec", header["spec"])
    assert not wrong("fit", json.loads((tmp_path / "recipes.json").read_text()))
    assert not wrong("figure-record", json.loads((tmp_path / "weak.json").read_text()))


@pytest.mark.parametrize("plan", sorted((ROOT / "src/superlaw/sweeps/presets").glob("*.toml")), ids=lambda p: p.stem)
def test_every_preset_is_a_plan(plan):
    assert not wrong("plan", tomllib.loads(plan.read_text()))


@pytest.mark.parametrize("name", list(schemas()))
def test_a_schema_is_one_and_tells_what_its_keys_mean(name):
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] and schema["$id"].startswith("superlaw:")
    untold = [
        key for key, one in schema.get("properties", {}).items() if not ({"description", "$ref", "const"} & set(one))
    ]
    assert not untold


def test_a_record_of_something_else_is_refused():
    spec = {"n_features": 60, "width": 5, "weight_decay": -1}
    assert not wrong("spec", spec)
    assert wrong("spec", spec | {"wdth": 5}) and wrong("spec", spec | {"width": "5"})
    assert wrong("plan", {"axes": {"width": []}}) and wrong("run", {"id": "0" * 16})
    assert all(wrong(name, {"nothing": 1}) for name in schemas() if name not in ("data-list",))
    assert validator("law-fit").schema["$ref"] == "superlaw:fit"
