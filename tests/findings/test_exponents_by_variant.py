"""Variants are named by what sets them apart, and each has the exponent of its own runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_runs import items, made

from superlaw.errors import InputError
from superlaw.figures import initial_bias
from superlaw.figures import variants as figure
from superlaw.figures.catalogue import entry
from superlaw.findings.variants import named, variants
from superlaw.geometry.frames import least_mean_cube_overlap


def runs(exponent: float, **fields) -> pd.DataFrame:
    return made(weight_decay=(-1.0,), exponent=lambda row: exponent, **{"activation": "relu", **fields})


def test_every_variant_has_the_exponent_of_its_runs_alone():
    table = pd.concat([runs(1.0), runs(1.5, initial_bias_std=0.0), runs(0.8, values="constant")], ignore_index=True)
    cells = variants(table).cells.set_index("variant")["exponent"]
    expected = {"b ~ N(0, 1)": 1.0, "b = 0": 1.5, "values constant, b ~ N(0, 1)": 0.8}
    assert cells.to_dict() == pytest.approx(expected)


def test_damaged_runs_are_told():
    lost = pd.DataFrame([{"id": "0" * 16, "status": "damaged"}])
    found = variants(pd.concat([runs(1.0), lost], ignore_index=True))
    assert "Left out: 1 damaged runs; superlaw sweep verify names them." in found.notes


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"loss_function": "cross-entropy", "activation": "linear"}, "cross-entropy"),
        ({"learn_bias": False, "tied": False}, "b fixed at 0, untied"),
        ({"learn_bias": True, "tied": True}, "as published"),
        ({"data_exponent": 0.0, "n_features": 500}, "α = 0, n = 500"),
        ({"correlation": 0.4, "group_size": 10}, "correlation 0.4, group size 10"),
        ({"correlation": 0.0, "group_size": float("nan"), "momentum": None}, "as published"),
    ],
)
def test_a_variant_is_named_by_what_is_not_as_published(row, said):
    assert named(row, list(row)) == said


def test_runs_without_an_exponent_are_refused_and_say_what_to_do():
    with pytest.raises(InputError, match="three widths"):
        variants(made(width=(10, 20)))


def test_the_forest_shows_every_exponent_with_its_interval_beside_one_over_m():
    table = pd.concat([runs(1.0), runs(1.5, initial_bias_std=0.0)], ignore_index=True)
    table["loss"] *= np.exp(0.01 * np.cos(np.arange(len(table))))  # a scatter, so that intervals have a width
    (forest,) = items(figure.data(entry("variants").find(table)), 0, "Forest")
    assert forest.labels == ("b ~ N(0, 1) (4 m, 1 s)", "b = 0 (4 m, 1 s)") and forest.reference == 1
    assert forest.x == pytest.approx([1.0, 1.5], abs=0.02)
    assert (forest.low < forest.x).all() and (forest.x < forest.high).all()
    assert set(forest.colors) == {"strong"}


def test_the_start_of_the_bias_is_drawn_with_silence_and_one_sidedness():
    table = pd.concat([runs(1.0), runs(1.5, initial_bias_std=0.0)], ignore_index=True)
    started = table["initial_bias_std"] > 0
    table["silent_fraction"] = np.where(started, 0.2, 0.0)
    table["mean_cube_overlap"] = np.where(started, 0.0, 0.8 * least_mean_cube_overlap(1000))
    picture = initial_bias.data(entry("initial-bias").find(table))
    losses, silent, skewness = range(3)
    assert items(picture, losses, "Marks")[0].label.startswith("b = 0: $m^{-1.50")
    assert [float(marks.y[0]) for marks in items(picture, silent, "Marks")] == [0.0, 0.2]
    (shares,) = items(picture, skewness, "Marks")
    assert shares.y == pytest.approx(0.8)
    assert initial_bias.draw(picture, "svg")
