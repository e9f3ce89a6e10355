"""superlaw reproduce: plans that fit a budget, verdicts that follow from numbers."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_runs import made

from superlaw.errors import InputError
from superlaw.figures.catalogue import entry
from superlaw.findings.exponents import exponent
from superlaw.findings.published import PUBLISHED
from superlaw.findings.published import published as known
from superlaw.findings.verdicts import compare
from superlaw.studies.reproduce import reproduce
from superlaw.sweeps import ladder
from superlaw.sweeps.ladder import SAFETY, Rung, plan_within, seconds_in
from superlaw.sweeps.plan import Plan, load_plan

TINY = Plan(
    "tiny",
    {"n_features": 200, "steps": 200, "batch": 64, "warmup": 20, "learning_rate": 0.05},
    {"data_exponent": (0.5, 1.0), "weight_decay": (-1.0, 1.0), "width": (4, 8, 16)},
)


LADDERS = {name: one.ladder for name, one in PUBLISHED.items() if one.ladder}


def claims(figure, runs):
    """The verdicts on what the figure finds in the runs."""
    return known(figure).judge(entry(figure).find(runs))


@pytest.fixture
def a_machine(monkeypatch):
    """A machine on which every step of every run takes a millisecond and a half, on two cores."""

    def estimate(plan, store, workers):
        return SimpleNamespace(seconds=len(plan.specs) * plan.base["steps"] * 1.5e-3 / 2)

    monkeypatch.setattr(ladder, "estimate", estimate)


@pytest.fixture
def tiny_ladder(monkeypatch, tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.to_toml())
    for name in LADDERS:
        monkeypatch.setitem(PUBLISHED, name, replace(PUBLISHED[name], ladder=(Rung(str(path), 40),)))


@pytest.mark.parametrize("figure", LADDERS)
@pytest.mark.parametrize("budget", ["5m", "10m", "1h", "5h"])
def test_a_plan_fits_its_budget_and_uses_it(figure, budget, a_machine):
    plan = plan_within(LADDERS[figure], figure, budget)
    seconds = ladder.estimate(plan, None, None).seconds
    assert seconds <= SAFETY * seconds_in(budget)
    published = LADDERS[figure][0].plan().base["steps"]
    assert plan.base["steps"] == published or seconds > 0.5 * SAFETY * seconds_in(budget)


@pytest.mark.parametrize("figure", LADDERS)
def test_more_time_never_plans_less_training(figure, a_machine):
    work = [
        ladder.estimate(plan_within(LADDERS[figure], figure, f"{m}m"), None, None).seconds
        for m in (10, 20, 60, 600, 6000)
    ]
    assert all(more >= 0.6 * less for less, more in itertools.pairwise(work)) and work[-1] > work[0]


@pytest.mark.parametrize("figure", LADDERS)
def test_the_full_budget_is_the_published_experiment_exactly(figure):
    plan = plan_within(LADDERS[figure], figure, "full")
    assert {spec.id for spec in plan.specs} == {spec.id for spec in load_plan(LADDERS[figure][0].preset).specs}


@pytest.mark.parametrize("figure", LADDERS)
def test_every_rung_is_a_cut_of_the_published_plans_with_warm_up_in_proportion(figure):
    for rung in LADDERS[figure]:
        plan, whole = rung.plan(rung.least_steps), load_plan(rung.preset)
        assert plan.base["warmup"] / plan.base["steps"] == pytest.approx(whole.base["warmup"] / whole.base["steps"])
        for axis, values in plan.axes.items():
            assert set(values) <= set(whole.axes[axis])


def test_a_plan_survives_its_toml(tmp_path):
    plan = plan_within(LADDERS["weak"], "weak", "full")
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    assert load_plan(tmp_path / "plan.toml") == plan


@pytest.mark.parametrize("budget", ["", "5", "m", "-5m", "0m", "nanm", "infh", "5 minutes"])
def test_a_budget_that_is_no_time_is_refused(budget):
    with pytest.raises(InputError, match="need a time like 90s"):
        seconds_in(budget)


def test_a_budget_too_small_says_what_is_needed(a_machine):
    with pytest.raises(InputError, match=r"about .*s or more on this machine"):
        plan_within(LADDERS["strong"], "strong", "1s")


@pytest.mark.usefixtures("tiny_ladder")
def test_a_reproduction_trains_draws_compares_and_goes_on_where_it_was(command, tmp_path):
    arguments = ("reproduce", "strong", "--budget", "1h", "--store", tmp_path / "r", "--workers", "1", "--json")
    code, out, err = command(*arguments)
    assert code == 0, err
    record = json.loads(out)
    assert record["trained"] == 12 and record["steps"] == 200
    assert (tmp_path / "r" / "strong-1h.png").read_bytes().startswith(b"\x89PNG")
    assert any("The study (weight-decay-grid): n = 1,000, 20,000 steps" in note for note in record["notes"])
    verdicts = {claim["verdict"].split(" ")[0].rstrip(":") for claim in record["claims"]}
    assert verdicts <= {"agrees", "differs", "not", "bent"}
    code, out, _ = command(*arguments)
    again = json.loads(out)
    assert again["trained"] == 0 and again["claims"] == record["claims"]
    code, out, _ = command(*arguments[:-1])
    assert code == 0 and "published" in out and "strong-1h.png" in out


@pytest.mark.usefixtures("tiny_ladder")
@pytest.mark.parametrize("name", [name for name in LADDERS if name not in ("overview", "density")])
def test_every_figure_of_the_grid_is_reproduced(name, tmp_path):
    found = reproduce(name, "1h", tmp_path / "r", workers=1)
    assert found.drawn.path.exists() and found.sweep.tally.trained == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "one with published values"),
        (["llm"], "superlaw figure"),
        (["weak", "--budget", "soon"], "a time like 90s"),
        (["weak", "--budget", "1s"], "or more on this machine"),
        (["weak", "--workers", "0"], "workers"),
        (["weak", "--kind", "gif"], "one of png, pdf, svg"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_made(arguments, said, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("reproduce", *arguments)
    assert code == 2 and not out and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def measured(found):
    return found.exponent, found.high - found.exponent


def a_line(slope, noise=0.0, widths=(10, 20, 40, 80), seed=0):
    import pandas as pd

    m = np.array(widths)
    losses = m**-slope * np.exp(noise * np.random.default_rng(seed).standard_normal(len(m)))
    return exponent(
        pd.DataFrame({"width": m, "loss": losses, "seed": 0, "n_features": 1000, "density": 1.0, "status": "ok"})
    )


def test_a_verdict_weighs_both_errors():
    assert compare("a", "1", 1.0, 0.0, measured(a_line(1.0))).verdict.startswith("agrees")
    assert (
        compare("a", "1", 1.0, 0.0, measured(a_line(0.8))).verdict
        == "differs by -0.20, more than the 95 % margin of 0.00"
    )
    assert compare("a", "1 ± 0.11", 1.0, 0.11, measured(a_line(0.8))).verdict.startswith(
        "agrees"
    )  # 1.96 x 0.11 = 0.216
    assert compare("a", "1 ± 0.1", 1.0, 0.1, measured(a_line(0.8))).verdict.startswith("differs")  # 0.196


def test_an_exponent_too_uncertain_to_tell_the_regimes_apart_decides_nothing():
    loose = a_line(1.0, noise=0.4)
    assert loose.high - loose.exponent > 0.3
    assert compare("a", "1", 1.0, 0.0, measured(loose)).verdict.startswith("not decided")


def test_a_bent_line_neither_agrees_nor_differs():
    assert compare("a", "1", 1.0, 0.0, (0.8, 0.25), bent=1e-4).verdict.startswith("bent line (p = 0.0001)")
    assert compare("a", "1", 1.0, 0.0, (0.8, 0.25), bent=0.5).verdict.startswith("agrees")


def test_a_difference_beyond_even_a_wide_margin_is_a_difference():
    assert compare("a", "1", 1.0, 0.0, (2.0, 0.9)).verdict.startswith("differs by +1.00")


def test_what_was_not_measured_was_not_tested():
    claim = compare("a", "1", 1.0, 0.0, None)
    assert claim.verdict == "not tested" and claim.to_dict()["measured"] is None


def test_the_studys_own_numbers_agree_with_themselves():
    runs = made(data_exponent=(0.0, 1.0, 2.0), weight_decay=(-1.0, 1.0),
                exponent=lambda row: max(1, 2 * row["data_exponent"] - 2) if row["weight_decay"] < 0
                else max(0.05, row["data_exponent"] - 1))  # fmt: skip
    for name in ("strong", "exponents", "weak", "weight-decay"):
        found = claims(name, runs)
        assert found and all(claim.verdict.startswith("agrees") for claim in found), found
    wide = made(("exponential",), exponent=lambda row: 1.005)
    verdicts = {claim.what.split(",")[1].strip(): claim.verdict for claim in claims("overview", wide)}
    assert verdicts["exponential"].startswith("agrees") and verdicts["linear"] == "not tested"
    dense = made(activation_density=(1.0, 7.485470860550345), exponent=lambda row: 1.12)
    assert [claim.verdict[:6] for claim in claims("density", dense)] == ["agrees"] * 3


@pytest.mark.parametrize(("times", "verdict"), [(0.5, "differs: 0.50"), (1.4, "agrees"), (2.0, "differs: 2.00")])
def test_about_as_many_features_as_dimensions_has_two_sides(times, verdict):
    runs = made()
    runs["represented"] = runs["represented"].where(runs["weight_decay"] < 0, runs["represented"] * times)
    found = [claim.verdict for claim in claims("weight-decay", runs) if "a dimension" in claim.what]
    assert found == [verdict] * 4


def test_an_exponent_that_moves_with_density_is_told():
    moved = made(activation_density=(1.0, 7.485470860550345), exponent=lambda row: 1 + 0.05 * row["density"])
    last = claims("density", moved)[-1]
    assert last.verdict.startswith("differs by +0.32") and last.measured == pytest.approx(0.05 * 6.48547, rel=1e-5)


def test_chinchillas_published_values_are_held_against_its_table(published, command, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    code, out, err = command("reproduce", "chinchilla", "--store", tmp_path / "c", "--json")
    assert code == 0, err
    record = json.loads(out)
    measured = {claim["what"]: claim["measured"] for claim in record["claims"]}
    assert measured["exponent of width m"] == pytest.approx(0.98, abs=0.05)
    assert measured["k of N ~ m^k, over architectures"] == pytest.approx(2.52, abs=0.03)
    assert len(record["claims"]) == 5 and "runs" not in record
