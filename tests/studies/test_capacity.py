"""The capacity study: what it trains, what it counts, and what its small version already shows."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from superlaw import InputError
from superlaw.figures import capacity as figure
from superlaw.studies import capacity as study
from superlaw.theory.sensing import sensing_degree

SMALL = {"widths": (6,), "degrees": (1, 2, 8), "activities": (0.3, 0.01), "seeds": (0,), "steps": 1500}
TYPED = ("--widths", "6", "--degrees", "1,2,8", "--activities", "0.3,0.01", "--seeds", "0", "--steps", 1500)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return study.measure_capacity(tmp_path_factory.mktemp("capacity") / "runs", 2, **SMALL)


def test_no_cell_asks_for_more_active_features_than_dimensions():
    specs = study.capacity_specs()
    assert specs and all(n * p <= m for m, n, p, _ in specs)
    for (m, n, p, seed), spec in specs.items():
        assert (spec.width, spec.n_features, spec.seed) == (m, n, seed)
        assert np.allclose(spec.probabilities, p, rtol=1e-12)  # equally frequent
        assert spec.batch * p >= 4 - 0.1  # every feature is seen at every step


def test_a_dimension_for_each_feature_holds_them_all_and_crowding_does_not(result):
    """n = m: all; 8 features a neuron: not even at 1-S = 0.01 all of them."""
    by = {(cell.degree, cell.activity): cell for cell in result.cells}
    assert by[1, 0.01].share == by[1, 0.3].share == 1
    assert by[8, 0.01].share < 1
    assert (8, 0.3) not in by


def test_sparser_features_are_held_with_less_error(result):
    by = {(cell.degree, cell.activity): cell for cell in result.cells}
    assert by[2, 0.01].error[0] < by[2, 0.3].error[0] / 2
    assert by[2, 0.01].share == 1


def test_a_second_call_trains_nothing_and_counts_the_same(result):
    again = study.measure_capacity(result.store, 2, **SMALL)
    assert (again.trained, again.stored) == (0, result.trained)
    assert again.cells == result.cells


def test_a_stricter_threshold_holds_fewer_features_of_the_same_runs(result):
    strict = study.measure_capacity(result.store, 2, **SMALL, threshold=0.05)
    assert strict.trained == 0
    pairs = list(zip(strict.cells, result.cells, strict=True))
    assert all(a.mean_held <= b.mean_held for a, b in pairs) and any(a.mean_held < b.mean_held for a, b in pairs)


def test_sentences_follow_the_numbers(result):
    text = " ".join(result.sentences)
    assert "relative error below 0.5" in text and "weight decay -1" in text and "1500 steps, seed 0" in text


def test_the_picture_plots_the_numbers_with_both_lines(result):
    picture = figure.data(result)
    (shown, sensing, square, *_), ceiling = picture.panels[0].items, picture.panels[1]
    share = {(c.degree, c.activity): c.share for c in result.cells}
    assert shown.z[0, 0] == share[1, 0.01] and shown.z[2, 0] == share[8, 0.01] and np.isnan(shown.z[2, 1])
    # cells are numbered: m^2/2 is 3 features a neuron, between the rows 2 and 8
    assert np.nanmax(square.y) == pytest.approx(1 + math.log(1.5) / math.log(4))
    inside = np.isfinite(sensing.y)
    assert inside.any() and np.all(np.diff(sensing.y[inside]) <= 1e-9)  # denser features, fewer of them
    held = ceiling.items[0]
    assert held.y == pytest.approx([c.most.mean_held / 6 for c in sorted(result.ceilings, key=lambda c: c.activity)])
    assert figure.draw(picture).startswith(b"\x89PNG")


def test_the_command_prints_the_table_or_json_and_draws(result, command, tmp_path):
    code, out, err = command("shape", "capacity", "--store", result.store, *TYPED, "-o", tmp_path / "map.svg")
    assert (code, err) == (0, "") and "1/(-x ln x)" in out and "relative error below 0.5" in out
    assert b"<svg" in (tmp_path / "map.svg").read_bytes()
    record = json.loads(command("shape", "capacity", "--store", result.store, *TYPED, "--json")[1])
    assert record["trained"] == 0 and len(record["cells"]) == len(result.cells)
    assert record["ceilings"][0]["sensing_degree"] == pytest.approx(sensing_degree(0.3))
    assert (result.store / "capacity.png").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--widths", "0"), "width = 0"),
        (("--widths", "8,x"), "whole numbers"),
        (("--widths", "8,8"), "none twice"),
        (("--degrees", "nan"), "degree = nan"),
        (("--degrees", "0.01"), "n_features = 0"),
        (("--activities", "2"), "activity = 2"),
        (("--activities", "1", "--degrees", "4"), "no cell"),
        (("--threshold", "0"), "threshold = 0"),
        (("--steps", "0"), "steps = 0"),
        (("--workers", "0"), "workers = 0"),
        (("--seeds", "-1"), "seed = -1"),
        (("--weight-decay", "inf"), "weight_decay = inf"),
        (("-o", "map.txt"), "ending in"),
        (("-o", "no/map.png"), "no folder"),
        (("--store", "/dev/null/x"), "/dev/null/x"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_made(command, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("shape", "capacity", *options)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def test_a_threshold_between_zero_and_one_is_needed():
    with pytest.raises(InputError, match="threshold"):
        study.measure_capacity("nowhere", threshold=1.5)
