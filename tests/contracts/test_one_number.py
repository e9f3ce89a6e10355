"""One question has one answer: every path that prints an exponent of the same runs prints the same number."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import superlaw
from superlaw.files.numbers import with_error
from superlaw.findings.published import PUBLISHED
from superlaw.findings.width_depth import width_depth_fit
from superlaw.studies import demo as study
from superlaw.sweeps.ladder import Rung
from superlaw.sweeps.table import write_runs

# Two weight decays; one width beyond n/10, which the rule leaves out, and two seeds, which it averages.
PLAN = """
name = "one"
seeds = [0, 1]
[base]
n_features = 200
steps = 400
batch = 128
learning_rate = 0.03
warmup = 40
[axes]
data_exponent = [1]
weight_decay = [-1, 1]
width = [5, 10, 20, 40]
"""
GAMMAS = (-1.0, 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    (folder / "one.toml").write_text(PLAN)
    superlaw.sweep(folder / "one.toml", folder / "store", workers=2)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    """(exponent, standard error) by weight decay, from Python."""
    found = superlaw.exponents(folder / "store").set_index("weight_decay")
    assert found.loc[-1.0, "widths"] == (5, 10, 20) and found.loc[-1.0, "why"] == {"beyond n/10": 2}
    return {gamma: (found.loc[gamma, "exponent"], found.loc[gamma, "stderr"]) for gamma in GAMMAS}


def test_python_says_the_same_of_a_sweep_a_store_a_folder_and_a_table(folder, expected, tmp_path):
    swept = superlaw.sweep(folder / "one.toml", folder / "store", workers=1)
    write_runs(superlaw.gather(swept.store), tmp_path / "runs.csv")
    for source in (swept, swept.store, swept.table(), superlaw.gather(swept.store), tmp_path / "runs.csv"):
        found = superlaw.exponents(source).set_index("weight_decay")
        for gamma in GAMMAS:
            assert found.loc[gamma, "exponent"] == pytest.approx(expected[gamma][0], rel=1e-6)
            assert found.loc[gamma, "stderr"] == pytest.approx(expected[gamma][1], rel=1e-6)


def test_sweep_run_prints_it_and_gives_it_as_json(folder, expected, command):
    run = ("sweep", "run", folder / "one.toml", "--store", folder / "store")
    rows = {row["weight_decay"]: row for row in json.loads(command(*run, "--json")[1])["exponents"]}
    out = command(*run)[1]
    for gamma in GAMMAS:
        assert (rows[gamma]["exponent"], rows[gamma]["stderr"]) == pytest.approx(expected[gamma])
        (line,) = [line for line in out.splitlines() if re.match(rf"1\s+{gamma:g}\s", line)]
        assert with_error(*expected[gamma]) in line
    assert "Left out: 4 beyond n/10" in out and len(rows[-1]["runs"]) == 6


def test_the_figure_paints_it(folder, expected, command, tmp_path):
    assert command("figure", "exponents", "--store", folder / "store", "-o", tmp_path / "e.svg")[0] == 0
    (cells,) = [item for panel in json.loads((tmp_path / "e.json").read_text())["panels"]
                for item in panel["items"] if item["kind"] == "map"]  # fmt: skip
    for gamma in GAMMAS:
        place = cells["x"].index(gamma)
        assert (cells["z"][0][place], cells["error"][0][place]) == pytest.approx(expected[gamma])
    assert command("figure", "overview", "--store", folder / "store", "-o", tmp_path / "o.svg")[0] == 0
    labels = re.findall(r"m\^\{-(\S+) ", (tmp_path / "o.json").read_text())
    assert labels == [f"{expected[gamma][0]:.2f}" for gamma in (1.0, -1.0)]


def test_reproduce_judges_it(folder, expected, command, monkeypatch):
    monkeypatch.setitem(
        PUBLISHED, "exponents", replace(PUBLISHED["exponents"], ladder=(Rung(str(folder / "one.toml"), 400),))
    )
    arguments = ("reproduce", "exponents", "--budget", "1h", "--store", folder / "store")
    record = json.loads(command(*arguments, "--json")[1])
    assert record["trained"] == 0
    (claim,) = [one for one in record["claims"] if one["what"] == "alpha_m at alpha = 1, gamma = -1"]
    assert claim["measured"] == pytest.approx(expected[-1.0][0])
    (line,) = [line for line in command(*arguments)[1].splitlines() if line.startswith("alpha_m at alpha = 1")]
    assert with_error(claim["measured"], claim["margin"]) in line


def test_the_demo_prints_the_exponent_of_its_own_runs(command, tmp_path):
    options = ("demo", "--steps", 1500, "--n-features", 300, "--out", tmp_path / "d")
    regimes = json.loads(command(*options, "--json")[1])["regimes"]
    out = command(*options)[1]
    found = superlaw.exponents(tmp_path / "d").set_index("weight_decay")
    for name, gamma in study.REGIMES.items():
        exponent, error = found.loc[gamma, "exponent"], found.loc[gamma, "stderr"]
        assert (regimes[name]["slope"], regimes[name]["slope_stderr"]) == pytest.approx((exponent, error), nan_ok=True)
        assert tuple(regimes[name]["widths_on_line"]) == found.loc[gamma, "widths"]
        assert f"{name} {with_error(exponent, error)}" in out
    assert "at width 39, 63, 100: more than a tenth of the 300 features" in out


def test_a_law_of_width_and_depth_has_one_fit(published, command, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    best = json.loads(command("shape", "best", "--params", "1e9", "--json")[1])["fit"]
    assert command("figure", "chinchilla", "-o", tmp_path / "c.svg")[0] == 0
    titles = [panel["title"] for panel in json.loads((tmp_path / "c.json").read_text())["panels"]]
    claims = json.loads(command("reproduce", "chinchilla", "--store", tmp_path / "r", "--json")[1])["claims"]
    fit = width_depth_fit()
    for column, title, claim in zip(("d_model", "n_layers", "num_tokens"), titles, claims, strict=False):
        own = fit[f"a_{column}"]
        assert title.startswith(f"a = {own}")
        assert claim["measured"] == pytest.approx(own.value)
        assert claim["margin"] == pytest.approx((own.high - own.low) / 2)
        painted = best[f"a_{column}"]
        assert [painted[name] for name in ("value", "low", "high")] == pytest.approx([own.value, own.low, own.high])
    assert fit.interval["cluster"] == "architecture"
