"""The shape lab's studies and commands: the note's case, the best shape, and bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superlaw import AdditiveLaw, InputError, PowerLaw, fit_law
from superlaw.figures import shape as figure
from superlaw.findings.best_shape import best_shape
from superlaw.findings.width_depth import width_depth_law
from superlaw.studies.shape import compare_shapes
from superlaw.theory.losses import EPOCH, additive_loss, chinchilla_loss, kaplan_loss
from superlaw.theory.shape import Shape

A, B = ("--a", "width=1600,depth=48"), ("--b", "width=3200,depth=12")
FULL = 76_800 * 2 / math.log(2)  # features at which A requires 1-S = 1/4 and B 1/16, by hand
TRUTH = {"width": (200.0, 1.0), "depth": (6.0, 1.0), "tokens": (500.0, 0.3)}


def table(seed=0, noise=2e-3):
    rng = np.random.default_rng(seed)
    rows = [(m, l, t) for m in (256, 512, 1024, 2048) for l in (4, 8, 16, 32, 64) for t in (1e9, 1e10, 1e11)]
    sizes = dict(zip(("width", "depth", "tokens"), np.array(rows, float).T, strict=True))
    loss = sum(c / sizes[name] ** a for name, (c, a) in TRUTH.items()) + 1.7
    return {**sizes, "loss": loss * np.exp(noise * rng.normal(size=len(loss)))}


@pytest.fixture(scope="module")
def law():
    return width_depth_law(fit_law(table(), AdditiveLaw(["width", "depth", "tokens"])), source="a made table")


@pytest.fixture
def stored(law, tmp_path) -> Path:
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(law.fit.to_dict()))
    return path


@pytest.fixture
def no_table(monkeypatch, tmp_path):
    monkeypatch.setenv("SUPERLAW_DATA", str(tmp_path))


def compared(command, *options):
    code, out, err = command("shape", "compare", *options, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_notes_case_by_command(command, no_table):
    record = compared(command, *A, *B, "--features", FULL)
    assert set(record) == {"shapes", "conclusion"}
    a, b = record["shapes"]
    assert list(a) == ["width", "depth", "params", "aspect_ratio", "neurons", "features_per_neuron", "degree",
                       "activity_required", "losses"]  # fmt: skip
    assert a["params"] == b["params"] == 1_474_560_000
    assert a["depth"] / b["depth"] == 4 and b["aspect_ratio"] / a["aspect_ratio"] == pytest.approx(8, rel=1e-12)
    assert a["neurons"] / b["neurons"] == 2
    for field in ("features_per_neuron", "degree"):
        assert b[field] / a[field] == pytest.approx(2, rel=1e-12)
    assert a["activity_required"] == pytest.approx(1 / 4, rel=1e-12)
    assert b["activity_required"] == pytest.approx(1 / 16, rel=1e-12)
    assert a["losses"]["kaplan"] == b["losses"]["kaplan"]
    for said in ("as many parameters as A", "4 times sparser", "universal", "n = m f(1-S)", "m^2 f(1-S)"):
        assert said in record["conclusion"]


def test_without_features_their_fields_are_null(command, no_table):
    for row in compared(command, *A, *B)["shapes"]:
        assert row["features_per_neuron"] is row["degree"] is row["activity_required"] is None


def test_below_e_features_a_neuron_nothing_is_required(command, no_table):
    record = compared(command, *A, *B, "--features", 76_800)
    assert [row["degree"] for row in record["shapes"]] == [1, 2]
    assert [row["activity_required"] for row in record["shapes"]] == [None, None]
    assert "requires nothing" in record["conclusion"] and "says nothing here" in record["conclusion"]


def test_losses_are_the_laws_of_the_shapes(law):
    found = compare_shapes({"A": Shape(512, 8), "B": Shape(256, 32)}, tokens=1e10, vocabulary=1000, law=law)
    fit = law.fit
    for row in found.rows.values():
        blind = 12 * row.width**2 * row.depth
        assert row.params == blind + 1000 * row.width
        assert row.losses["kaplan"] == kaplan_loss(blind, 1e10)
        assert row.losses["chinchilla"] == chinchilla_loss(row.params, 1e10)
        assert row.losses["chinchilla_refit"] == chinchilla_loss(row.params, 1e10, **EPOCH)
        expected = additive_loss(
            {"width": row.width, "depth": row.depth, "tokens": 1e10},
            {name: fit[f"c_{name}"].value for name in TRUTH},
            {name: fit[f"a_{name}"].value for name in TRUTH},
            fit["L_0"].value,
        )
        assert row.losses["width_depth"] == pytest.approx(expected, rel=1e-12)


def test_a_head_of_its_own_counts_twice(command, no_table):
    tied, untied = (compared(command, *A, *B, "--vocabulary", 100, *more) for more in ((), ("--untied",)))
    for one, two in zip(tied["shapes"], untied["shapes"], strict=True):
        assert two["params"] - one["params"] == 100 * one["width"]


def test_the_argument_needs_equal_parameters():
    found = compare_shapes({"A": Shape(1600, 48), "B": Shape(1600, 24)}, features=1e7)
    assert "does not apply" in found.conclusion[-1] and "universal" not in " ".join(found.conclusion)


def test_equal_shapes_leave_nothing_to_conclude():
    found = compare_shapes({"A": Shape(64, 4), "B": Shape(64, 4)}, features=1e4)
    assert "degrees of superposition are equal" in found.conclusion[-1]


def test_shapes_outside_the_fitted_points_are_said_to_be(law):
    found = " ".join(compare_shapes({"A": Shape(64, 4), "B": Shape(4096, 4)}, law=law).conclusion)
    assert "A: width 64 is outside" in found and "B: width 4,096 is outside" in found
    assert "B: aspect ratio 1.02e+03 is outside" in found


def test_without_the_table_the_other_losses_stand_and_it_is_said_how_to_get_it(command, no_table):
    record = compared(command, *A, *B)
    assert record["shapes"][0]["losses"]["width_depth"] is None
    assert "superlaw data fetch chinchilla-width-depth" in record["conclusion"]


def test_configs_and_further_shapes_stand_beside_typed_ones(command, no_table, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({
        "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024,
    }))  # fmt: skip
    record = compared(command, "--a", tmp_path, "--b", tmp_path / "config.json", "--c", "width=384,depth=48")
    assert [(row["width"], row["depth"]) for row in record["shapes"]] == [(768, 12), (768, 12), (384, 48)]
    assert "124,439,808 parameters by its config" in record["conclusion"]
    code, out, _ = command("shape", "compare", "--a", tmp_path, "--b", "width=384,depth=48", "--features", 1e6)
    assert code == 0 and "degree of superposition n/m" in out


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("width=0,depth=4", "width = 0"),
        ("width=-8,depth=4", "width = -8"),
        ("width=8.5,depth=4", "width = '8.5'"),
        ("width=1e3,depth=4", "width = '1e3'"),
        ("width=nan,depth=4", "width = 'nan'"),
        ("width=,depth=4", "width = ''"),
        ("width=8", "without depth"),
        ("width=8,depht=4", "did you mean depth"),
        ("width=8,depth=4,heads=2", "heads"),
        ("width=8,width=8,depth=4", "width twice"),
        ("width=8,depth=4,", "need width=M,depth=L"),
        ("width=99999999999999999999,depth=4", "width = 99999999999999999999"),
        ("width=٣,depth=4", "whole number"),
        ("", "nothing"),
        ("gone/config.json", "does not exist"),
        ("a b", "hub id"),
    ],
)
def test_a_shape_that_is_none_is_one_line(command, no_table, shape, said):
    for options in (("--a", shape, *B), (*A, "--b", shape)):
        code, out, err = command("shape", "compare", *options)
        assert code == 2 and out == "" and err.count("\n") == 1 and said in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--features", "0"), "--features 0"),
        (("--features", "-3"), "--features -3"),
        (("--features", "nan"), "--features nan"),
        (("--features", "many"), "'--features'"),
        (("--tokens", "0"), "tokens = 0"),
        (("--tokens", "inf"), "tokens = inf"),
        (("--tokens", "1e-300"), "tokens = 1e-300"),
        (("--vocabulary", "0"), "--vocabulary 0"),
        (("--vocabulary", "99999999999"), "vocabulary = 99999999999"),
        (("--untied",), "--vocabulary"),
        (("--fit", "gone.json"), "does not exist"),
        (("--columns", "a,b"), "without --fit"),
    ],
)
def test_bad_options_of_a_comparison_are_one_line(command, no_table, options, said):
    code, out, err = command("shape", "compare", *A, *B, *options)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err


@pytest.mark.parametrize("features", ["1e-300", "2.718281828459045", "1e308"])
def test_the_largest_and_smallest_that_can_be_typed_give_numbers(command, no_table, features):
    largest = "width=2147483647,depth=2147483647"
    record = compared(command, "--a", "width=1,depth=1", "--b", largest, "--features", features, "--tokens", 1)
    assert all(row["degree"] > 0 and row["losses"]["kaplan"] > 0 for row in record["shapes"])


def test_one_shape_is_no_comparison(command):
    code, _, err = command("shape", "compare", *A)
    assert code == 2 and err.count("\n") == 1 and "--b" in err
    with pytest.raises(InputError, match="two or more"):
        compare_shapes({"A": Shape(8, 2)})


def test_the_best_shape_is_the_minimum_along_the_budget(law):
    """No shape of equal parameters has a lower loss: 12 m^2 l = N swept directly."""
    found = best_shape(1e9, 1e10, law)
    assert 12 * found.width.value**2 * found.depth.value == pytest.approx(1e9, rel=1e-9)
    width = np.geomspace(200, 20_000, 20_001)
    swept = law.losses(width, 1e9 / (12 * width**2), 1e10)[0]
    assert found.loss.value <= swept.min() and width[swept.argmin()] == pytest.approx(found.width.value, rel=1e-3)


def test_the_interval_holds_the_truth_and_widths_grow_as_the_cube_root(law):
    """c_m/m + c_l/l at m^2 l = n: 2 c_l/l = c_m/m, so m^3 = n c_m/(2 c_l) and m grows as N^(1/3)."""
    found = best_shape(1e9, None, law)
    m = (1e9 / 12 * 200 / (2 * 6)) ** (1 / 3)
    assert found.width.low < m < found.width.high and found.depth.low < 1e9 / 12 / m**2 < found.depth.high
    assert found.exponents["width"].low < 1 / 3 < found.exponents["width"].high
    assert found.width.high / found.width.low < 1.2


@settings(max_examples=25)
@given(st.floats(5e4, 1e13), st.sampled_from([1, 8, 64]))
def test_the_best_whole_shape_keeps_to_the_budget_and_no_neighbour_beats_it(law, params, multiple):
    found = best_shape(params, None, law, multiple)
    best = found.best
    assert best.params <= params and best.width % multiple == 0 and best.params == 12 * best.width**2 * best.depth
    for depth in range(max(1, best.depth - 3), best.depth + 4):
        for width in range(best.width - 2 * multiple, best.width + 3 * multiple, multiple):
            if width > 0 and 12 * width**2 * depth <= params:
                assert best.loss <= law.losses(width, depth, None)[0, 0] + 1e-12
    assert all(shape.params <= params for shape in found.nearby)
    assert best in found.nearby and best.excess.value == 0


def test_tokens_move_the_loss_and_not_the_shape(law):
    few, many = best_shape(1e9, 1e9, law), best_shape(1e9, 1e11, law)
    assert few.best.width == many.best.width and few.width == many.width and few.loss.value > many.loss.value


def test_a_shape_far_from_the_best_is_worse_beyond_doubt(law):
    found = best_shape(1e9, None, law)
    assert found.nearby[0].excess.low > 0 and found.nearby[-1].excess.low > 0


def test_what_lies_outside_the_points_is_said(law):
    told = " ".join(best_shape(1e13, 1e14, law).warnings)
    for said in ("width = ", "extrapolation", "10T parameters are outside", "100T tokens are outside"):
        assert said in told
    inside = " ".join(best_shape(3e8, 1e10, law).warnings)
    assert "extrapolation" not in inside and "outside the fitted points" not in inside


def test_the_picture_plots_the_numbers(law):
    result = best_shape(1e9, 1e10, law)
    picture = figure.data(result)
    along, by_budget = picture.panels
    curve = along.items[0]
    assert curve.x[curve.y.argmin()] == pytest.approx(result.width.value, rel=1e-9) and curve.y.min() >= -1e-12
    assert np.all(curve.low <= curve.y + 1e-9) and np.all(curve.y <= curve.high + 1e-9)
    width, depth = by_budget.items[:2]
    assert np.allclose(12 * width.y**2 * depth.y, width.x, rtol=1e-9)  # the best sizes spend the budget
    at = np.exp(np.interp(math.log(1e9), np.log(width.x), np.log(width.y)))
    assert at == pytest.approx(result.width.value, rel=1e-9)
    for kind, start in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")):
        assert figure.draw(picture, kind).startswith(start)


def test_the_command_with_a_stored_fit(command, stored, tmp_path, law):
    code, out, err = command("shape", "best", "--params", 1e9, "--fit", stored, "--plot", tmp_path / "best.png")
    assert (code, err) == (0, "") and "best for 1B parameters" in out and "* the best whole shape" in out
    assert (tmp_path / "best.png").read_bytes().startswith(b"\x89PNG")
    record = json.loads(command("shape", "best", "--params", 1e9, "--fit", stored, "--json")[1])
    direct = best_shape(1e9, None, law)
    assert record["best"]["width"] == direct.best.width and record["best"]["depth"] == direct.best.depth
    assert record["width"]["low"] < record["width"]["value"] < record["width"]["high"]


def test_the_published_table_gives_the_fitted_law(published, monkeypatch, command):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    record = json.loads(command("shape", "best", "--params", 1e9, "--tokens", 2e10, "--json")[1])
    assert record["fit"]["a_d_model"]["value"] == pytest.approx(0.945, abs=0.001)
    assert record["width"]["low"] < 1749 < record["width"]["high"] and record["width"]["value"] == pytest.approx(
        1749, 1e-3
    )
    assert any("a_n_layers is poorly determined" in warning for warning in record["warnings"])
    assert any("width / depth from 42.7 to 109" in warning for warning in record["warnings"])
    row = compared(command, *A, *B)["shapes"][0]
    assert row["losses"]["width_depth"] == pytest.approx(2.0501, abs=1e-4)


def test_without_fit_or_table_the_line_says_how_to_get_it(command, no_table):
    code, out, err = command("shape", "best", "--params", 1e9)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert "superlaw data fetch chinchilla-width-depth" in err and "--fit" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--params", "1000"), "at least 49,152"),
        (("--params", "0"), "at least 49,152"),
        (("--params", "-1e9"), "at least"),
        (("--params", "nan"), "at least"),
        (("--params", "inf"), "at least"),
        (("--params", "1e30"), "at most 1e+18"),
        (("--params", "big"), "'--params'"),
        (("--params", "1e9", "--tokens", "-1"), "tokens = -1"),
        (("--params", "1e9", "--multiple", "0"), "multiple = 0"),
        (("--params", "1e9", "--plot", "x.txt"), "ending in"),
        (("--params", "1e9", "--plot", "no/x.png"), "no folder"),
        (("--params", "1e9", "--fit", "gone.json"), "does not exist"),
        (("--params", "1e9", "--columns", "a"), "WIDTH,DEPTH"),
        ((), "--params"),
    ],
)
def test_bad_options_of_the_best_shape_are_one_line(command, no_table, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("shape", "best", *options)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def test_a_law_without_width_and_depth_is_refused(command, tmp_path):
    data = table()
    for law, said in ((PowerLaw("width"), "additive"), (AdditiveLaw(["width", "tokens"]), "depth or n_layers"),
                      (AdditiveLaw(["width*depth", "tokens"]), "one term")):  # fmt: skip
        path = tmp_path / "fit.json"
        path.write_text(json.dumps(fit_law(data, law, interval="none").to_dict()))
        code, _, err = command("shape", "best", "--params", 1e9, "--fit", path)
        assert code == 2 and err.count("\n") == 1 and said in err


def test_columns_name_the_parts_of_a_fit(command, tmp_path):
    data = table()
    renamed = {"m": data["width"], "l": data["depth"], "D": data["tokens"], "loss": data["loss"]}
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(fit_law(renamed, AdditiveLaw(["m", "l", "D"])).to_dict()))
    code, _, err = command("shape", "best", "--params", 1e9, "--fit", path)
    assert code == 2 and "--columns" in err
    code, out, _ = command("shape", "best", "--params", 1e9, "--fit", path, "--columns", "m,l,D", "--tokens", 1e10)
    assert code == 0 and "at 10B tokens" in out
    code, _, err = command("shape", "best", "--params", 1e9, "--fit", path, "--columns", "m,l", "--tokens", 1e10)
    assert code == 2 and "without tokens" in err
