"""The law commands refuse what they would not use, never overwrite, and take laws by name; Python takes both."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from superlaw.errors import InputError
from superlaw.laws import forms
from superlaw.laws.fit import fit_law
from superlaw.laws.forms import law_names, law_of
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.optimum import optimum
from superlaw.laws.required import required_size


@pytest.fixture
def runs():
    """Sixty runs of Chinchilla's law in two recipes, with one per cent of noise."""
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 11, 60)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=60))
    return pd.DataFrame({"N": n, "D": d, "recipe": ["a", "b"] * 30, "w": 1.0, "e": 0.01, "loss": loss})


@pytest.fixture
def table(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs.to_csv("runs.csv", index=False)
    return "runs.csv"


REFUSED = {
    "a second law": ("--law power:N --law power:D", "--law 2 times; need it once", "superlaw law compare"),
    "groups of a law that has none": ("--law chinchilla:N,D --group recipe", "--group", "need grouped"),
    "a group that is no column": ("--law grouped:N --group recipy", "without the column 'recipy'", "mean recipe?"),
    "groups that are no column either": ("--law chinchilla:N,D --group nonexistent", "--group", "need grouped"),
    "a size beside columns": ("--law power:N --x D", "columns named once"),
    "terms of another law": ("--law power:N --term D", "--term", "need additive"),
    "no offset where there is always one": ("--law chinchilla:N,D --no-offset", "--offset/--no-offset", "power"),
    "a delta without Huber": ("--law power:N --delta 0.1", "--delta", "--objective log-huber"),
    "replicates without a bootstrap": ("--law power:N --bootstrap 50", "--bootstrap", "--interval bootstrap"),
    "errors with weights": ("--law power:N --errors e --weights w", "one of the two"),
    "a column too many": ("--law chinchilla:N,D,w", "2 column(s), chinchilla:PARAMS,TOKENS"),
    "a column too few": ("--law chinchilla:N", "--tokens COL"),
    "an option twice": ("--law power:N --loss loss --loss w", "--loss 2 times"),
    "two outputs in one file": ("--law power:N -o a.json --plot a.json", "naming one file"),
    "JSON in a picture": ("--law power:N -o a.png", "-o a.png", ".json"),
    "the table itself": ("--law power:N --plot runs.csv", "runs.csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_not_be_used_is_refused_in_one_line(command, table, case, tmp_path):
    options, *words = REFUSED[case]
    code, out, err = command("law", "fit", table, *options.split())
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    for word in words:
        assert word in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


@pytest.mark.parametrize("option, name", [("-o", "mine.json"), ("--plot", "mine.png")])
def test_a_users_file_is_replaced_only_when_asked(command, table, tmp_path, option, name):
    (tmp_path / name).write_text("mine")
    ask = ("law", "fit", table, "--law", "power:N", "--interval", "none", option, name)
    code, _, err = command(*ask)
    assert code == 2 and "pass --overwrite" in err
    assert (tmp_path / name).read_text() == "mine"
    assert command(*ask, "--overwrite")[0] == 0
    assert (tmp_path / name).read_bytes() != b"mine"


def test_every_where_counts(command, table, runs):
    ask = ("law", "fit", table, "--law", "power:N", "--interval", "none", "--json")
    both = json.loads(command(*ask, "--where", "N > 1e8", "--where", "recipe == 'a'")[1])
    assert both["n"] == int(((runs["N"] > 1e8) & (runs["recipe"] == "a")).sum())
    assert both["dropped"]["where"] == "(N > 1e8) and (recipe == 'a')"
    assert fit_law(runs, "power:N", where=["N > 1e8", "recipe == 'a'"], interval="none").n == both["n"]


def test_compare_gives_options_to_the_laws_that_take_them(command, table):
    laws = ("--law", "grouped", "--law", "power", "--law", "chinchilla:N,D")
    code, out, err = command("law", "compare", table, *laws, "--x", "N", "--group", "recipe", "--json")
    assert (code, err) == (0, "")
    assert {law["name"] for law in json.loads(out)["laws"]} == {"grouped", "power", "chinchilla"}
    code, _, err = command("law", "compare", table, "--law", "power:N", "--law", "broken:N", "--x", "D")
    assert code == 2 and "--x" in err


def test_optimum_refuses_columns_that_its_law_does_not_take(command, table):
    assert command("law", "fit", table, "--law", "chinchilla", "-o", "fit.json")[0] == 0
    for given, word in (("--flops 1e20 --width w", "--width"), ("--flops 1e20 --of N", "--of"),
                        ("--loss 2.5 --depth d", "--depth")):  # fmt: skip
        code, _, err = command("law", "optimum", "fit.json", *given.split())
        assert code == 2 and word in err


def test_a_law_may_be_named(runs):
    assert law_of("chinchilla") == Chinchilla("N", "D")
    assert law_of("additive:N*D,w") == AdditiveLaw(["N*D", "w"])
    assert law_of("power:N") == PowerLaw("N")
    fit = fit_law(runs, "chinchilla", interval="none")
    assert fit.to_dict() == fit_law(runs, Chinchilla(), interval="none").to_dict()


@pytest.mark.parametrize("wrong", ["chincilla", "power", "function", 3, None, PowerLaw, ["power:N"]])
def test_what_is_no_law_is_one_line(runs, wrong):
    with pytest.raises(InputError) as error:
        fit_law(runs, wrong)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [np.array([1e20, 1e21]), "1e20", True * 0, float("nan"), -1.0])
def test_a_budget_that_is_no_number_is_one_line(runs, wrong):
    fit = fit_law(runs, "chinchilla", interval="none")
    with pytest.raises(InputError, match="flops = "):
        optimum(fit, flops=wrong)
    with pytest.raises(InputError, match="loss = "):
        required_size(fit, np.array([2.0, 3.0]))


LAW = '''"""An exponential."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.laws.law import FormulaLaw, Part, Points
from superlaw.laws.problems.model import Box


@dataclass(frozen=True)
class Exponential(FormulaLaw):
    """L = C exp(-x/s) + L_0."""

    x: str
    name = "exponential"
    parts = (Part("x", "--x"),)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        return ["C", "s", "L_0"]

    @property
    def formula(self) -> str:
        return f"L = C exp(-{self.x}/s) + L_0"

    def losses(self, points: Points, params: Sequence[Any]) -> Any:
        c, s, offset = params
        return c * np.exp(-points.sizes[0] / s) + offset

    def box(self, points: Points) -> Box:
        return Box(np.ones(3, bool), np.full(3, 1e-9), np.full(3, 1e9))

    def starts(self, points: Points, count: int, rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
        return np.exp(rng.uniform(-1, 3, (count, 3)))
'''


def test_a_file_put_into_forms_is_a_law_that_the_command_line_fits(command, tmp_path, monkeypatch):
    """Nothing else in the source says its name: fit, report, JSON, reading back and comparing follow."""
    (tmp_path / "exponential.py").write_text(LAW)
    monkeypatch.setattr(forms, "__path__", [*forms.__path__, str(tmp_path)])
    assert "exponential" in law_names()
    x = np.linspace(1, 20, 15)
    pd.DataFrame({"x": x, "loss": 5 * np.exp(-x / 4) + 2}).to_csv(tmp_path / "runs.csv", index=False)
    ask = (tmp_path / "runs.csv", "--law", "exponential:x")
    code, out, err = command("law", "fit", *ask, "-o", tmp_path / "fit.json", "--plot", tmp_path / "fit.png")
    assert (code, err) == (0, "")
    assert out.startswith("L = C exp(-x/s) + L_0   loss: loss\n")
    params = json.loads((tmp_path / "fit.json").read_text())["params"]
    assert [params[name]["value"] for name in ("C", "s", "L_0")] == pytest.approx([5, 4, 2], rel=1e-6)
    code, out, _ = command("law", "optimum", tmp_path / "fit.json", "--loss", "3", "--json")
    assert json.loads(out)["value"] == pytest.approx(4 * np.log(5), rel=1e-6)
    code, out, _ = command("law", "compare", *ask, "--law", "power", "--x", "x")
    assert code == 0 and "exponential" in out
