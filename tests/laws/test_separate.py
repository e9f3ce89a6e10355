"""Two recipes in one law, terms that are not seen, and rules of counting parameters."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from superlaw import Fit, InputError, fit_law, optimum, required_size, sensitivity
from superlaw.laws.counting import RULES, counted
from superlaw.laws.difference import saving
from superlaw.laws.forms import law_of
from superlaw.laws.known import Known
from superlaw.laws.separate import SeparateLaw


def made(n: int = 120, noise: float = 0.004, seed: int = 0, other: float = 330.0) -> pd.DataFrame:
    """Runs of two recipes that differ in A alone (400 and ``other``), four rows a run."""
    rng = np.random.default_rng(seed)
    N, D, recipe = 10 ** rng.uniform(7, 10, n), 10 ** rng.uniform(9, 11.5, n), np.array(["a", "b"])[np.arange(n) % 2]
    loss = 1.7 + np.where(recipe == "a", 400.0, other) / N**0.34 + 900 / D**0.31
    return pd.DataFrame({"N": N, "D": D, "recipe": recipe, "run": np.arange(n) // 4,
                         "loss": loss * np.exp(noise * rng.normal(size=n))})  # fmt: skip


def apart(separate: list[str], text: str = "chinchilla") -> SeparateLaw:
    return SeparateLaw(law_of(text), "recipe", separate)


RUNS = made()


@pytest.mark.parametrize("text, names", [("chinchilla", ["E", "A", "alpha", "B", "beta"]),
                                         ("kaplan", ["N_c", "D_c", "alpha_N", "alpha_D"]),
                                         ("coupled", ["E", "A", "B", "alpha"])])  # fmt: skip
def test_everything_separate_is_a_fit_of_each_recipe_alone(text, names):
    joint = fit_law(RUNS, apart(names, text), interval="none")
    for recipe in "ab":
        alone = fit_law(RUNS, text, where=f"recipe == '{recipe}'", interval="none")
        for name in names:
            assert joint[f"{name}[{recipe}]"].value == pytest.approx(alone[name].value, rel=1e-6), name
    squares = sum(fit_law(RUNS, text, where=f"recipe == '{r}'", interval="none").objective_value for r in "ab")
    assert joint.objective_value == pytest.approx(squares, rel=1e-9)


def test_separate_parameters_that_are_tied_are_the_shared_law():
    tied = fit_law(RUNS, apart(["A", "alpha"]), known=Known(tied={"A[b]": "A[a]", "alpha[b]": "alpha[a]"}))
    shared = fit_law(RUNS, "chinchilla")
    for name, own in (("E", "E"), ("A", "A[a]"), ("A", "A[b]"), ("alpha", "alpha[b]"), ("beta", "beta")):
        assert tied[own].value == pytest.approx(shared[name].value, rel=1e-7)
        assert tied[own].low == pytest.approx(shared[name].low, rel=1e-5)


@pytest.mark.parametrize("interval", ["profile", "sandwich", "bootstrap"])
def test_a_difference_is_found_and_named(interval):
    fit = fit_law(RUNS, apart(["A", "beta"]), interval=interval, replicates=200)
    found = fit.difference
    assert found["parameters"] == ["A", "beta"]
    assert found["together"]["p"] < 1e-10 and (found["together"]["k"], found["together"]["dof"]) == (2, 113)
    if interval != "profile":
        assert found["wald"]["p"] < 1e-6
        assert found["each"]["A"]["p"] < 0.01 < found["each"]["beta"]["p"]
    assert str(fit).splitlines()[-1] == found["verdict"]
    assert found["verdict"].startswith("A, beta differ by recipe: F(2, ")


def test_the_likelihood_ratio_is_the_textbook_f():
    fit, shared = fit_law(RUNS, apart(["A"]), interval="none"), fit_law(RUNS, "chinchilla", interval="none")
    f = (shared.objective_value - fit.objective_value) / (fit.objective_value / fit.dof)
    assert fit.difference["together"]["f"] == pytest.approx(f, rel=1e-7)
    assert fit.difference["wald"] is None


@pytest.mark.slow
def test_where_nothing_differs_the_tests_alarm_as_often_as_they_say():
    """200 sets at 5 %: from 1 to 22 alarms but for a chance of 1e-4 (binomial)."""
    alarms = {"together": 0, "wald": 0}
    for seed in range(200):
        found = fit_law(made(40, 0.004, seed, other=400.0), apart(["A", "alpha"])).difference
        for name in alarms:
            alarms[name] += found[name]["p"] < 0.05
    assert min(alarms.values()) >= 1 and max(alarms.values()) <= 22, alarms


def test_clusters_are_judged_by_the_clusters_covariance_alone():
    fit = fit_law(RUNS, apart(["A"]), cluster="run")
    assert fit.difference["together"] is None and fit.difference["wald"]["dof"] < 30


def test_what_a_recipe_saves_is_what_its_law_says():
    """At one loss along the frontier, and at one compute: of noise-free runs, against optima of either law alone."""
    exact = made(noise=0)
    fit = fit_law(exact, apart(["A", "E"]), interval="sandwich")
    alone = {r: fit_law(exact, "chinchilla", where=f"recipe == '{r}'") for r in "ab"}
    found = saving(fit, loss=2.3)
    for recipe in "ab":
        assert found.needed[recipe][0] == pytest.approx(required_size(alone[recipe], 2.3)[0], rel=1e-6)
        assert found.ratio[recipe][0] == pytest.approx(
            required_size(alone[recipe], 2.3)[0] / required_size(alone["a"], 2.3)[0], rel=1e-6
        )
    given = saving(fit, flops=1e21)
    for recipe in "ab":
        assert given.loss[recipe][0] == pytest.approx(optimum(alone[recipe], 1e21).loss[0], rel=1e-9)
        assert given.needed[recipe][0] == pytest.approx(required_size(alone["a"], given.loss[recipe][0])[0], rel=1e-6)
    size = saving(fit, loss=2.3, of="N", at={"D": 1e11}, against="b")
    assert size.needed["a"][0] == pytest.approx(required_size(alone["a"], 2.3, "N", {"D": 1e11})[0], rel=1e-6)
    assert size.ratio["b"] == (1, 1, 1)


@pytest.mark.slow
def test_the_interval_of_a_saving_covers_it():
    """100 sets; the true ratio of compute at loss 2.3 from the truth. 84 or fewer hits: chance below 1e-5."""
    exact = saving(fit_law(made(noise=0), apart(["A"])), loss=2.3).ratio["b"][0]
    hits = 0
    for seed in range(100):
        low, high = saving(fit_law(made(60, 0.004, 1000 + seed), apart(["A"])), loss=2.3).ratio["b"][1:]
        hits += low <= exact <= high
    assert hits > 84, hits


def test_a_stored_fit_of_recipes_is_read_back_whole_and_gives_each_by_itself():
    for options in ({}, {"interval": "bootstrap", "replicates": 40}, {"known": Known(fixed={"E": 1.7})}):
        fit = fit_law(RUNS, apart(["A", "alpha"]), **options)
        back = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
        assert back.to_dict() == fit.to_dict() and back.law == fit.law
        one = back.of_group("b")
        assert list(one.params) == ["E", "A", "alpha", "B", "beta"] and one.law == law_of("chinchilla")
        at = {"N": [1e9], "D": [1e11]}
        both = back.predict({**at, "recipe": ["b"]})
        assert one.predict(at).loss == pytest.approx(both.loss, rel=1e-12)
        # with its points a fit knows the degrees of freedom of each prediction; one recipe by itself has none
        assert one.predict(at).low == pytest.approx(both.low, rel=1e-3)
        assert json.loads(json.dumps(one.to_dict()))["law"] == "chinchilla"
        assert optimum(one, 1e21).sizes["N"][0] > 0
    with pytest.raises(InputError, match="'c'"):
        back.of_group("c")


@pytest.mark.parametrize("words, make", {
    "without groups of its own": lambda: SeparateLaw(law_of("grouped:N", {"--group": ("recipe",)}), "recipe", ["C"]),
    "did you mean alpha": lambda: apart(["alfa"]),
    "columns of groups": lambda: SeparateLaw(law_of("chinchilla"), [], ["A"]),
    "each once": lambda: apart(["A", "A"]),
    "a size of the law": lambda: SeparateLaw(law_of("chinchilla"), "D", ["A"]),
    "one of the two|one of them": lambda: saving(fit_law(RUNS, apart(["A"]), interval="none")),
    "one with --by": lambda: saving(fit_law(RUNS, "chinchilla", interval="none"), loss=2.3),
    "one of a, b": lambda: saving(fit_law(RUNS, apart(["A"])), loss=2.3, against="c"),
    "loss = nan; need a finite number": lambda: saving(fit_law(RUNS, apart(["A"])), loss=math.nan),
    "flops = nan; need a positive number": lambda: saving(fit_law(RUNS, apart(["A"])), flops=math.nan),
    "flops = -1.0; need a positive number": lambda: saving(fit_law(RUNS, apart(["A"])), flops=-1.0),
    "reaches with some flops": lambda: saving(fit_law(RUNS, apart(["A"])), loss=0.5),
    "the size that is to be saved": lambda: saving(fit_law(RUNS, apart(["A"])), loss=2.3, of="M"),
}.items())  # fmt: skip
def test_what_cannot_be_separate_or_saved_is_refused(words, make):
    with pytest.raises(InputError, match=words) as error:
        make()
    assert "\n" not in str(error.value)


def test_the_command_line_fits_recipes_and_says_what_one_saves(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RUNS.to_csv("runs.csv", index=False)
    ask = ("law", "fit", "runs.csv", "--law", "chinchilla", "--by", "recipe", "--separate", "A")
    code, out, err = command(*ask, "-o", "fit.json", "--plot", "fit.png")
    assert (code, err) == (0, "") and "A differ by recipe" in out
    code, out, err = command("law", "saving", "fit.json", "--loss", "2.3", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["ratio"]["b"]["value"] == pytest.approx(0.55, abs=0.05)
    code, out, _ = command("law", "saving", "fit.json", "--flops", "1e21", "--against", "b")
    assert code == 0 and "over b" in out
    code, _, err = command("law", "saving", "fit.json")
    assert code == 2 and err.count("\n") == 1


# -- terms that are not seen ------------------------------------------------------------------------------------------
def flat_in_width(seed: int, noise: float = 0.003) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    m, D = 2 ** rng.uniform(6, 12, 60), 10 ** rng.uniform(9, 11.5, 60)
    return {"width": m, "tokens": D, "loss": (1.7 + 500 / D**0.3) * np.exp(noise * rng.normal(size=60))}


@pytest.mark.parametrize("seed", range(5))
def test_a_term_that_vanishes_is_said_so_first_and_not_as_a_search_that_failed(seed):
    fit = fit_law(flat_in_width(seed), "additive:width,tokens")
    assert fit.warnings[0].startswith("no term of width is seen: without it the law explains as much (F test, p")
    assert "--bound a_width=0.1:2" in fit.warnings[0]
    rest = " ".join(fit.warnings[1:])
    assert not any(words in rest for words in ("not converged", "not certified", "a_width is", "do not determine"))


def test_without_noise_too_and_with_hubers_loss():
    for objective in ("log-ls", "log-huber"):
        fit = fit_law(flat_in_width(0, 0.0), "additive:width,tokens", objective=objective, replicates=20)
        assert fit.warnings[0].startswith("no term of width is seen: without it the law passes through every point")


def test_a_term_that_is_there_is_never_called_unseen():
    for seed in range(5):
        table = flat_in_width(seed)
        table["loss"] = table["loss"] + 20 / table["width"]
        fit = fit_law(table, "additive:width,tokens")
        assert not any("is seen" in warning for warning in fit.warnings)


def test_what_is_bounded_as_advised_is_an_ordinary_fit():
    fit = fit_law(flat_in_width(0), "additive:width,tokens", known=Known(bounds={"a_width": (0.1, 2.0)}))
    assert not any("is seen" in w or "not converged" in w or "not certified" in w for w in fit.warnings)
    assert fit["a_tokens"].value == pytest.approx(0.3, abs=0.02)


# -- what counts as a parameter ---------------------------------------------------------------------------------------
SHAPES = pd.DataFrame({"width": [512.0, 1024.0], "depth": [8.0, 12.0], "vocab": 32000.0, "context": 2048.0,
                       "tokens": [1e9, 2e9], "flops": [6e17, 6e18]})  # fmt: skip


@pytest.mark.parametrize("rule, expected", {
    "body": [12 * 512**2 * 8, 12 * 1024**2 * 12],
    "head": [12 * 512**2 * 8 + 32000 * 512, 12 * 1024**2 * 12 + 32000 * 1024],
    "embeddings": [12 * 512**2 * 8 + 64000 * 512, 12 * 1024**2 * 12 + 64000 * 1024],
    "attention": [12 * 512**2 * 8 + 32000 * 512 + 2 * 8 * 512 * 2048,
                  12 * 1024**2 * 12 + 32000 * 1024 + 2 * 12 * 1024 * 2048],
    "flops": [1e8, 5e8],
    "3 * width": [1536, 3072],
}.items())  # fmt: skip
def test_rules_of_counting(rule, expected):
    assert counted(SHAPES, rule, law_of("chinchilla"))["N"].tolist() == expected
    assert "N" not in SHAPES


def test_counting_is_an_axis_of_sensitivity(command, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    m, l, D = 2 ** rng.uniform(8, 12, 60), np.round(rng.uniform(4, 40, 60)), 10 ** rng.uniform(9, 11, 60)
    N = 12 * m**2 * l + 50000 * m
    table = pd.DataFrame({"width": m, "depth": l, "vocab": 50000.0, "tokens": D,
                          "loss": 1.7 + 400 / N**0.34 + 500 / D**0.3})  # fmt: skip
    found = sensitivity(
        table, ["chinchilla:N,tokens"], objectives=["log-ls"], counts=["body", "head"], interval="profile"
    )
    values = {row["count"]: row["exponents"]["alpha"][0] for row in found.rows}
    assert values["head"] == pytest.approx(0.34, abs=1e-6) and values["body"] < 0.3
    assert "rule of counting" in found.headline
    monkeypatch.chdir(tmp_path)
    table.to_csv("runs.csv", index=False)
    options = ["--count", "body", "--count", "head", "--objective", "log-ls", "--fix", "E=1.7", "--interval", "profile"]
    code, out, err = command("law", "sensitivity", "runs.csv", "--law", "chinchilla:N,tokens", *options)
    assert (code, err) == (0, "") and "body" in out and "head" in out
    code, out, _ = command("law", "fit", "runs.csv", "--law", "chinchilla:N,tokens", "--count", "head", "--json")
    assert json.loads(out)["params"]["alpha"]["value"] == pytest.approx(0.34, abs=1e-6)
    assert set(RULES) == {"body", "head", "embeddings", "attention", "flops"}
