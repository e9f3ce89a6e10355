"""Plans: the published grids exactly, and bad ones refused."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw import InputError, Plan, RunSpec, load_plan
from superlaw.sweeps.plan import preset_names


def test_the_first_grid_is_the_published_one():
    plan = load_plan("weight-decay-grid")
    assert len({spec.id for spec in plan.specs}) == 1020
    assert plan.axes["data_exponent"] == tuple(np.arange(17) / 8)
    assert plan.axes["weight_decay"] == tuple(np.linspace(-1, 1, 10))
    assert plan.axes["width"] == (10, 15, 25, 39, 63, 100)
    spec = plan.specs[0]
    assert (spec.n_features, spec.steps, spec.batch, spec.warmup) == (1000, 20_000, 2048, 2000)
    assert spec.peak_learning_rates == (0.01, 0.01) and spec.loss_scale == 1


def test_the_density_grid_adds_480_runs_to_it():
    first = {spec.id for spec in load_plan("weight-decay-grid").specs}
    density = load_plan("density-grid")
    ids = {spec.id for spec in density.specs}
    assert (len(ids), len(ids & first)) == (540, 60)
    assert density.specs[-1].probabilities[0] == pytest.approx(1, abs=2.3e-16)


def test_wide_is_the_published_one():
    plan = load_plan("wide")
    assert len({spec.id for spec in plan.specs}) == 48
    assert plan.axes["width"] == tuple(2**k for k in range(3, 11))
    for spec in plan.specs:
        m = spec.width
        assert spec.peak_learning_rates == pytest.approx((0.02 * (8 / m) ** 0.25, 2 / m), rel=1e-14)
        assert (spec.n_features, spec.steps, spec.batch, spec.warmup) == (10_240, 40_000, 8192, 2000)
        assert spec.loss_scale == 100
    by_family = {spec.frequencies_name: spec.probabilities for spec in plan.specs}
    rank = np.arange(10_240)
    for family, weight in (
        ("power", (rank + 1.0) ** -1.2),
        ("exponential", np.exp(-rank / 400)),
        ("linear", 10_240.0 - rank),
    ):
        assert by_family[family] == pytest.approx(weight / weight.sum(), rel=1e-12)


def test_a_store_named_after_its_preset_does_not_hide_it(tmp_path, monkeypatch):
    (tmp_path / "density-grid").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_plan("density-grid").name == "density-grid"
    with pytest.raises(InputError, match="need a preset's name or a TOML file"):
        load_plan(str(tmp_path / "density-grid"))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_possible_and_says_how_many_runs_it_has(name):
    plan = load_plan(name)
    assert f"{len(plan.specs):,} runs" in plan.about


def test_the_start_of_the_bias_is_tested_by_the_published_protocol_and_one_change():
    plan = load_plan("initial-bias")
    assert plan.axes["initial_bias_std"] == (0, 1) and plan.axes["width"] == (10, 15, 25, 39, 63, 100)
    published = {spec.id for spec in load_plan("weight-decay-grid").specs if spec.weight_decay == -1}
    first = [spec for spec in plan.specs if spec.seed == 0 and spec.initial_bias_std == 1]
    assert len(first) == 12 and {spec.id for spec in first} <= published
    assert len(plan.specs) == 72 and plan.seeds == (0, 1, 2)


VARIANTS = {
    "cross-entropy": ("loss_function", {"cross-entropy"}),
    "linear": ("activation", {"linear"}),
    "unit-rows": ("rows", {"free", "unit"}),
    "untied": ("tied", {True, False}),
    "values": ("values", {"uniform", "exponential", "half-normal", "constant"}),
    "correlated": ("correlation", {0, 0.4, 0.8}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variants_presets_differ_from_the_published_model_in_it(name):
    field, values = VARIANTS[name]
    for plan in (load_plan(name), load_plan(f"{name}-small")):
        assert {getattr(spec, field) for spec in plan.specs} == values
        assert len([width for width in plan.axes["width"] if width <= plan.base["n_features"] / 10]) >= 3
        assert len(plan.seeds) > 1
    assert {(spec.n_features, spec.steps, spec.batch) for spec in load_plan(name).specs} == {(1000, 20_000, 2048)}


@pytest.mark.parametrize("small", ["", "-small"])
def test_time_and_batch_vary_whole_trainings_in_weak_and_strong_superposition(small):
    for name, field in (("time", "steps"), ("batch", "batch")):
        plan = load_plan(name + small)
        values = plan.axes[field]
        assert len(values) >= 4 and max(values) / min(values) >= 16
        assert max(spec.warmup / spec.steps for spec in plan.specs) <= 0.2
        assert plan.axes["weight_decay"] == (-1, 1) and plan.axes["initial_bias_std"] == (0, 1)


def test_features_grow_at_fixed_widths_and_at_fixed_features_a_dimension():
    for name, share in (("features", 1 / 40), ("features-small", 1 / 20)):
        specs = load_plan(name).specs
        assert len({spec.n_features for spec in specs if spec.width == 64}) >= 4
        assert len({spec.n_features for spec in specs if spec.width / spec.n_features == share}) >= 3
    assert max(spec.n_features for spec in load_plan("features").specs) == 10_240


def test_an_axis_may_be_true_or_false_or_leave_a_field_out(tmp_path):
    plan = load_plan(write(tmp_path, '[axes]\ntied = [true, false]\nadam_epsilon = ["none", 1e-6]'))
    assert [(spec.tied, spec.adam_epsilon) for spec in plan.specs] == [
        (True, 1e-8), (True, 1e-6), (False, 1e-8), (False, 1e-6)]  # fmt: skip
    assert plan.specs[0] == RunSpec()
    chosen = plan.change({"group_size": "none"}, {"tied": [False], "adam_epsilon": ["none"]})
    assert chosen.cells == ({"tied": False, "adam_epsilon": None, "seed": 0},)
    again = load_plan(write(tmp_path, plan.to_toml()))
    assert again.axes == plan.axes and again.specs == plan.specs


def write(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return path


def test_a_plan_from_a_file(tmp_path):
    plan = load_plan(
        write(
            tmp_path,
            'seeds = [3, 4]\nkeep = [8]\n[base]\nsteps = 10\n[axes]\nfrequencies = ["power", "linear"]\nwidth = [4, 8]',
        )
    )
    assert len(plan.specs) == 8 and plan.cells[1] == {"frequencies": "power", "width": 4, "seed": 4}
    assert [plan.keeps_weights(spec) for spec in plan.specs] == [False, False, True, True] * 2


def test_overrides_set_cut_and_reseed():
    plan = load_plan("weight-decay-grid").change(
        {"steps": 2000}, {"width": [10, 25], "weight_decay": [-0.5556]}, [0, 1, 2]
    )
    assert len(plan.specs) == 17 * 2 * 3
    assert plan.specs[0].steps == 2000 and plan.axes["weight_decay"] == (np.linspace(-1, 1, 10)[2],)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bse]\nsteps = 1", "did you mean base"),
        ("[base]\nstep = 1", "did you mean steps"),
        ("[axes]\nwidht = [1]", "did you mean width"),
        ("[axes]\nwidth = []", "empty axis width"),
        ("seeds = []", "empty axis seeds"),
        ("seeds = [1.5]", "whole numbers"),
        ("[axes]\nseed = [1]", "under `seeds`"),
        ("[axes]\nwidth = [4, 4]", "a value twice"),
        ("[axes]\nwidth = 4", "a list, or {start, stop, num}"),
        ("[axes]\nwidth = {start = 1, stop = 2}", "a list, or {start, stop, num}"),
        ("[axes]\nwidth = {start = 1, stop = 2, num = 0}", "num of 1 or more"),
        ("[base]\nwidth = 3\n[axes]\nwidth = [4]", "both in"),
        ('keep = "nothing"', "weights"),
        ("base = 3", r"a table \[base\]"),
        ("[axes]\nwidth = [[1, 2], [3]]", "a list or table in it"),
        ("[axes]\nwidth = [{a = 1}]", "a list or table in it"),
        ("[axes]\nweight_decay = {start = 0, stop = inf, num = 3}", "num of 1 or more"),
        ("[axes]\nweight_decay = {start = 0, stop = 1, num = true}", "num of 1 or more"),
        ('[axes]\nwidth = ["none", 4]', "width = 'none', in the cell width = none"),
        ("[base]\ntied = 1", "tied = 1"),
        ("keep = 5", "keep = 5"),
        ("keep = [true]", "keep = "),
        ("x = " + "[" * 3000, "not TOML"),
        ("[base]\nsteps = 1" + "0" * 5000, "not TOML"),
        ("[axes", "not TOML"),
    ],
)
def test_bad_plans_are_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        _ = load_plan(write(tmp_path, text)).specs


@pytest.mark.parametrize(
    ("axes", "said"),
    [("width = [4, 0]", "width = 0, in the cell width = 0"), ("activation_density = [1, 9]", "activation density 9")],
)
def test_impossible_cells_name_the_cell(tmp_path, axes, said):
    plan = load_plan(write(tmp_path, f"[axes]\n{axes}"))
    with pytest.raises(InputError, match=said):
        _ = plan.specs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base": {"width": 3}}, "--only width"),
        ({"base": {"widht": 3}}, "did you mean width"),
        ({"only": {"width": [11]}}, "values of that axis: 10, 15"),
        ({"only": {"steps": [11]}}, "an axis of the plan"),
        ({"only": {"width": [True]}}, "width = true; need values of that axis: 10, 15"),
        ({"seeds": []}, "empty axis seeds"),
    ],
)
def test_bad_overrides_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        load_plan("weight-decay-grid").change(**change)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(InputError, match="did you mean weight-decay-grid"):
        load_plan("weight-decay-grd")


def test_plans_know_what_they_keep():
    plan = Plan("p", {"n_features": 9}, {"width": (2, 4)}, keep="losses")
    assert not any(plan.keeps_weights(spec) for spec in plan.specs)
