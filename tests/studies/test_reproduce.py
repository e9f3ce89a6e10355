"""superlaw reproduce: plans that fit a budget, verdicts that follow from numbers."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from conftest import ROOT

from superlaw.errors import InputError
from superlaw.findings.published import PUBLISHED
from superlaw.studies.reproduce import reproduce
from superlaw.sweeps import ladder
from superlaw.sweeps.ladder import SAFETY, Rung, plan_within, seconds_in
from superlaw.sweeps.plan import Plan, load_plan

TINY = Plan(
    "tiny",
    {"n_features": 200, "steps": 200, "batch": 64, "warmup": 20, "learning_rate": 0.05},
    {"data_exponent": (0.5, 1.0), "weight_decay": (-1.0, 1.0), "width": (4, 8, 16)},
)


RUNS = ROOT / "docs" / "runs" / "weight-decay-grid-medium.csv"
LADDERS = {name: one.ladder for name, one in PUBLISHED.items() if one.ladder}


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
    assert code == 0 and "strong-1h.png" in out
    assert out.index("As published in the figure ([LLG] figure 4b)") < out.index("As published in words")
    assert "No runs here for 85 of 85 points" in out  # none of the published widths


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
        (["weak", "--from", RUNS, "--budget", "1h"], "--budget with --from"),
        (["weak", "--from", RUNS, "--workers", "1"], "--workers with --from"),
        (["weak", "--from", "nowhere.csv"], "which does not exist"),
        (["density", "--from", RUNS], "runs of one activation density"),
        (["chinchilla", "--from", RUNS], "drawn from a published table"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_made(arguments, said, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("reproduce", *arguments)
    assert code == 2 and not out and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def test_runs_that_exist_are_set_beside_the_published_points_and_nothing_is_trained(command, tmp_path):
    arguments = ("reproduce", "exponents", "--from", RUNS, "--store", tmp_path / "e")
    code, out, err = command(*arguments)
    assert code == 0, err
    assert sorted(path.name for path in (tmp_path / "e").iterdir() if path.is_file() and path.suffix) == [
        "exponents.html", "exponents.json", "exponents.png",
    ]  # fmt: skip
    assert "[LLG] figure 4b, alpha_m: 20 points, 20 of 20 within twice the combined spread" in out
    assert out.index("As published in the figure") < out.index("As published in words")
    header = next(line for line in out.splitlines() if line.startswith("quantity"))
    assert header.index("as published in the figure") < header.index("as published in words")
    (line,) = [line for line in out.splitlines() if line.startswith("alpha_m at alpha = 1, gamma = -1 ")]
    assert line.split()[8] == "1.24"  # the figure's, beside "about 1"
    record = json.loads(command(*arguments, "--json")[1])
    assert list(record).index("points") < list(record).index("claims") and "trained" not in record
    (points,) = record["points"]
    assert (points["judged"], points["within"], points["published"]) == (20, 20, 170)


def test_chinchillas_published_values_are_held_against_its_table(published, command, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    code, out, err = command("reproduce", "chinchilla", "--store", tmp_path / "c", "--json")
    assert code == 0, err
    record = json.loads(out)
    measured = {claim["what"]: claim["measured"] for claim in record["claims"]}
    assert measured["exponent of width m"] == pytest.approx(0.98, abs=0.05)
    assert measured["k of N ~ m^k, over architectures"] == pytest.approx(2.52, abs=0.03)
    assert len(record["claims"]) == 5 and "runs" not in record
