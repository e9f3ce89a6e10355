"""Figures of training runs: what is plotted is what the runs say, exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_runs import WIDTHS, N, items, made

from superlaw.errors import InputError
from superlaw.figures import density, exponents, overview, strong, weak, weight_decay
from superlaw.figures.catalogue import CATALOGUE
from superlaw.figures.catalogue import FAMILIES as BY_FAMILY
from superlaw.figures.panels import to_dict
from superlaw.figures.published import DIAMOND
from superlaw.findings.comparable import comparable_runs
from superlaw.findings.points import EXPONENTS, SHARES, published_value
from superlaw.geometry.frames import welch
from superlaw.laws.published import load_published
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.frequencies import family_frequencies

FAMILIES = ("power", "exponential", "linear")
ALPHAS = (0.0, 1.0, 2.0)


def painted(module, runs):
    """The picture of what the figure finds in the runs."""
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    return module.data(CATALOGUE[name].find(runs))


def a_grid(**more):
    return made(data_exponent=ALPHAS, weight_decay=(-1.0, -0.5, 1.0), seed=(0, 1), **more)


def ours(picture, panel):
    return [mark for mark in items(picture, panel, "Marks") if mark.marker != DIAMOND]


def theirs(picture, panel):
    """Published points: hollow diamonds."""
    found = [mark for mark in items(picture, panel, "Marks") if mark.marker == DIAMOND]
    assert not any(mark.filled for mark in found)
    return found


def every_figure():
    return {
        overview: made(FAMILIES), weight_decay: a_grid(), exponents: a_grid(), weak: a_grid(), strong: a_grid(),
        density: made(activation_density=(1.0, 4.0)),
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_every_figure_is_drawn_in_every_format_and_twice_the_same(kind, begins):
    for module, runs in every_figure().items():
        picture = painted(module, runs)
        content = module.draw(picture, kind)
        assert content.startswith(begins) and len(content) > 10_000
        assert module.draw(picture, kind) == content


def test_drawing_leaves_the_callers_matplotlib_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    overview.draw(painted(overview, made()))
    assert dict(mpl.rcParams) == before


def test_every_picture_names_its_runs_and_is_plain_json():
    import json

    for module, runs in every_figure().items():
        picture = painted(module, runs)
        used = {weak: runs["weight_decay"] >= 0, strong: runs["weight_decay"] < 0}.get(module, runs["width"] > 0)
        assert set(picture.runs) == set(runs[used]["id"])
        assert json.loads(json.dumps(to_dict(picture), allow_nan=False))["name"] == picture.name


def test_the_overview_shows_each_familys_losses_and_slopes():
    picture = painted(overview, made(FAMILIES))
    assert [panel.title for panel in picture.panels] == ["power, α = 1", "exponential", "linear"]
    weak_marks, strong_marks = ours(picture, 1)
    np.testing.assert_allclose(strong_marks.y, 0.5 / np.array(WIDTHS))
    np.testing.assert_array_equal(strong_marks.x, WIDTHS)
    assert "γ = -1, strong: $m^{-1.00" in strong_marks.label
    assert "γ = 1, weak: $m^{-0.10" in weak_marks.label


def test_the_dashed_line_of_the_overview_is_the_exact_sum_beyond_rank_m():
    picture = painted(overview, made(("exponential",)))
    p = family_frequencies("exponential", N, 1.0, 400.0)
    line = items(picture, 0, "Line")[-1]
    np.testing.assert_allclose(line.y, [unlearned_loss(p, m) for m in WIDTHS])
    assert any("power and linear" in note for note in picture.notes)


def test_models_as_wide_as_their_features_leave_nothing_over():
    runs = made(width=(10, 20, 40, N, N + 63))
    picture = painted(overview, runs)
    line = items(picture, 0, "Line")[-1]
    assert line.x.tolist() == [10, 20, 40]  # from n on the sum is empty
    assert {x for mark in ours(picture, 0) for x in mark.x.tolist()} == {10, 20, 40, N, N + 63}


def test_runs_outside_the_scaling_range_are_hollow_and_off_the_line():
    runs = made(width=(10, 20, 40, 200))
    strong_marks = [m for m in ours(painted(overview, runs), 0) if m.color == "strong"]
    assert [m.filled for m in strong_marks] == [True, False]
    assert strong_marks[1].x.tolist() == [200]
    lines = [line for line in items(painted(overview, runs), 0, "Line") if line.color == "strong"]
    assert lines[0].x.tolist() == [10, 40]


def test_seeds_are_averaged_and_their_spread_is_the_bar():
    runs = made(seed=(0, 1))
    runs.loc[runs["seed"] == 1, "loss"] *= 1.5
    mark = next(m for m in items(painted(overview, runs), 0, "Marks") if m.color == "strong")
    first = 0.5 / np.array(WIDTHS)
    np.testing.assert_allclose(mark.y, 1.25 * first)
    np.testing.assert_allclose(mark.error, np.std([1, 1.5], ddof=1) * first)


def test_weight_decay_shows_phi_by_width_and_over_both_axes():
    picture = painted(weight_decay, a_grid())
    marks = ours(picture, 0)
    assert [m.label for m in marks] == [f"m = {m}" for m in WIDTHS]
    for mark, m in zip(marks, WIDTHS, strict=True):
        np.testing.assert_allclose(mark.y, [1, 1, m / N])
    (cells,) = items(picture, 1, "Map")
    assert cells.x == (-1, -0.5, 1) and cells.y == ALPHAS
    np.testing.assert_allclose(cells.z, [[1, 1, 20 / N]] * 3)  # at m = 20, the middle width
    for steps in picture.panels[0].inset.items:
        assert steps.heights.sum() == pytest.approx(1)


def test_the_exponent_map_holds_each_cells_exponent_and_error():
    runs = a_grid(exponent=lambda row: 1 + row["data_exponent"] if row["weight_decay"] < 0 else 0.1)
    (cells,) = items(painted(exponents, runs), 1, "Map")
    np.testing.assert_allclose(cells.z, [[1, 1, 0.1], [2, 2, 0.1], [3, 3, 0.1]], atol=1e-12)
    np.testing.assert_allclose(cells.error, 0, atol=1e-9)
    straight = items(painted(exponents, runs), 0, "Marks")
    assert all(np.allclose(mark.y, 1) for mark in straight)


def test_exponents_need_three_widths_somewhere():
    with pytest.raises(InputError, match="no cell with three widths"):
        painted(exponents, made(width=(10, 20)))


def test_a_cell_without_enough_widths_is_an_empty_cell():
    runs = a_grid()
    gone = (runs["data_exponent"] == 0) & (runs["weight_decay"] == 1) & (runs["width"] > 20)
    (cells,) = items(painted(exponents, runs[~gone]), 1, "Map")
    assert np.isnan(cells.z[0, 2]) and np.isfinite(cells.z).sum() == 8


def test_weak_runs_stand_at_their_own_unlearned_loss():
    picture = painted(weak, a_grid())
    (mark,) = items(picture, 0, "Marks")
    np.testing.assert_allclose(mark.x, mark.y)  # made so
    assert mark.x.size == 24 and picture.panels[0].scale.high == 1  # those of gamma = 1 alone
    assert len(picture.runs) == 24 and any("median 1.00" in note for note in picture.notes)
    lines = {line.label: line for line in items(picture, 1, "Line")}
    np.testing.assert_allclose(lines["α − 1 (n → ∞)"].y, [0, 1])
    (measured,) = ours(picture, 1)
    np.testing.assert_allclose(measured.y, 0.1)


def test_strong_geometry_stands_beside_its_bounds():
    picture = painted(strong, a_grid())
    by_rank, norms, long_rows, overlaps, spread, found = range(6)
    assert [line.label for line in items(picture, by_rank, "Line") if line.label] == [f"m = {m}" for m in WIDTHS]
    for steps in items(picture, norms, "Steps"):
        assert (steps.heights * np.diff(steps.edges)).sum() == pytest.approx(1)
    (curve,) = items(picture, long_rows, "Line")
    np.testing.assert_allclose(curve.y, np.minimum(1, curve.x**2 / (2 * N)))
    lines = {line.label: line.y for line in items(picture, overlaps, "Line")}
    np.testing.assert_allclose(lines["1/m (random)"], 1 / np.array(WIDTHS))
    np.testing.assert_allclose(lines["Welch, all rows"], [welch(N, m) for m in WIDTHS])
    np.testing.assert_allclose(lines["Welch, long rows"], [welch(min(N, m * m // 2), m) for m in WIDTHS])
    np.testing.assert_allclose(items(picture, spread, "Marks")[0].y, 0)  # made so
    floor = {line.label: line.y for line in items(picture, spread, "Line")}["least for so many rows"]
    np.testing.assert_allclose(floor, 0)  # m²/2 vectors can be equiangular
    theory = {line.label: line for line in items(picture, found, "Line")}
    assert theory["2(α − 1)"].y[-1] == pytest.approx(2)


def test_strong_superposition_is_not_drawn_from_weak_runs():
    with pytest.raises(InputError, match="no run with weight_decay < 0"):
        painted(strong, made(weight_decay=(0.1, 1.0)))
    with pytest.raises(InputError, match="superlaw reproduce overview"):
        painted(overview, made(weight_decay=(0.1, 1.0)))


def test_one_density_is_no_figure():
    with pytest.raises(InputError, match="runs of one activation density"):
        painted(density, made())


def test_density_shows_losses_proportional_to_e_and_one_exponent():
    picture = painted(density, made(activation_density=(1.0, 2.0, 4.0)))
    mark = items(picture, 0, "Marks")[0]
    np.testing.assert_allclose(mark.y, mark.x * 0.5 / 20)
    drawn = [found for found in ours(picture, 2) if len(found.y)]  # others are names of the legend
    assert len(drawn) == 2 and len({found.color for found in drawn}) == 2
    for found in drawn:
        np.testing.assert_allclose(found.y, found.y[0])
    assert [m.label.split(":")[0] for m in items(picture, 1, "Marks")] == ["E = 1", "E = 2", "E = 4"]


def test_only_runs_of_one_protocol_are_set_side_by_side_and_the_others_are_told():
    long, short = made(), made(width=(10, 20), steps=3000)
    chosen = comparable_runs(pd.concat([short, long], ignore_index=True), BY_FAMILY, "overview")
    assert set(chosen.ids) == set(long["id"])
    assert any("4 runs of 1 other protocols (they differ in steps)" in note for note in chosen.notes)


def test_a_smaller_set_that_varies_what_the_figure_is_about_is_preferred():
    many = made(seed=(0, 1, 2, 3))
    families = made(FAMILIES, steps=3000)
    chosen = comparable_runs(pd.concat([many, families], ignore_index=True), BY_FAMILY, "overview")
    assert set(chosen.ids) == set(families["id"])


def test_gaps_of_the_grid_are_named():
    runs = made(seed=(0, 1)).drop(index=3)
    chosen = comparable_runs(runs, BY_FAMILY, "overview")
    (cell,) = chosen.missing
    assert cell == {"frequencies": "power", "weight_decay": -1.0, "width": 20, "seed": 1}
    assert any("Fewer than 2 seeds: 1 of the grid's 8 cells" in note and "width 20" in note for note in chosen.notes)
    without = comparable_runs(runs.drop(index=2), BY_FAMILY, "overview")  # nor is there a run of the other seed
    assert any("Missing: 1 of the grid's 8 cells" in note and "width 20" in note for note in without.notes)
    assert not any("Fewer" in note for note in without.notes)


@pytest.mark.parametrize("module", [overview, weight_decay, exponents, weak, strong, density])
def test_a_damaged_run_changes_nothing_but_a_note(module):
    runs = every_figure()[module]
    damaged = pd.concat([runs, pd.DataFrame([{"id": "zzz", "status": "damaged"}])], ignore_index=True)
    before, after = painted(module, runs), painted(module, damaged)
    assert to_dict(before)["panels"] == to_dict(after)["panels"]
    assert "1 damaged or stopped runs" in " ".join(after.notes) or module is exponents
    assert before.notes[0] == after.notes[0]  # 1000, not 1000.0


@pytest.mark.parametrize("column", ["data_exponent", "weight_decay", "width", "frequencies", "activation_density"])
@pytest.mark.parametrize("module", [overview, weight_decay, exponents, weak, strong, density])
def test_values_at_which_all_runs_diverged_are_left_out_or_refused_in_a_line(module, column):
    whole = made(FAMILIES) if column == "frequencies" else every_figure()[module]
    for value in whole[column].unique():
        runs = whole.copy()
        runs.loc[runs[column] == value, ["status", "loss", "represented_fraction"]] = ["diverged", np.nan, np.nan]
        try:
            picture = painted(module, runs)
        except InputError:
            continue
        assert module.draw(picture, "svg")


def test_a_family_that_cannot_be_drawn_is_named_and_the_others_are_drawn():
    runs = pd.concat([a_grid(), made(("linear",), width=(10,))], ignore_index=True)
    picture = painted(exponents, runs)
    assert any("linear: not drawn (runs of 1 width" in note for note in picture.notes)
    assert len(picture.panels) == 2


def test_what_the_published_experiment_has_more_of_is_told():
    notes = painted(overview, made(FAMILIES, steps=6000)).notes
    assert any(
        "The study (wide): n = 10,240, 40,000 steps, batch 8,192" in note and "8 of width (here 4)" in note
        for note in notes
    )


def test_diverged_runs_are_counted_and_not_drawn():
    runs = made()
    runs.loc[0, ["status", "loss"]] = ["diverged", np.nan]
    picture = painted(overview, runs)
    assert "1 runs diverged and are not drawn." in picture.notes
    assert items(picture, 0, "Marks")[1].x.tolist() == [20, 40, 100]


def test_one_width_is_no_figure():
    with pytest.raises(InputError, match="runs of 1 width"):
        painted(weak, made(width=(10,)))


def the_grid(**more):
    """A grid whose alphas, gammas and widths are published ones."""
    return made(data_exponent=ALPHAS, weight_decay=(-1.0, 1.0), width=(10, 15, 25, 39, 63, 100), seed=(0, 1), **more)


def test_published_losses_are_hollow_diamonds_beside_ours():
    picture = painted(overview, made(FAMILIES, data_exponent=(1.2,), weight_decay=(-1.0, 0.1), width=(8, 16, 32)))
    assert any("Not the published protocol (n_features 1,000 (published 10,240)" in note for note in picture.notes)
    for panel, family in enumerate(FAMILIES):
        weak_points, strong_points = theirs(picture, panel)
        for mark, name in ((weak_points, "llg-fig1b"), (strong_points, "llg-fig1d")):
            table = load_published(name)
            here = table[table["frequencies"] == family]
            assert mark.x.tolist() == here["width"].tolist() and mark.y.tolist() == here["loss"].tolist()
        assert (weak_points.color, strong_points.color) == ("weak", "strong")
    assert not theirs(painted(overview, made()), 0)  # alpha = 1 is not the published family of powers
    assert any(note.startswith("Hollow diamonds: as published ([LLG] figure 1d, [LLG]") for note in picture.notes)


@pytest.mark.parametrize(("module", "panel", "gamma"), [(weak, 1, 1.0), (strong, 5, -1.0)])
def test_published_exponents_are_hollow_diamonds_in_the_colour_of_their_decay(module, panel, gamma):
    picture = painted(module, the_grid())
    (mark,), (own,) = theirs(picture, panel), ours(picture, panel)
    assert mark.color == own.color and mark.x.tolist() == [i / 8 for i in range(17)]
    for alpha, value in zip(mark.x, mark.y, strict=True):
        assert value == published_value(EXPONENTS, weight_decay=gamma, data_exponent=alpha)
    assert any(note.startswith("Hollow diamonds: as published ([LLG] figure 4b)") for note in picture.notes)


def test_decays_that_were_not_published_have_no_diamonds():
    assert not theirs(painted(weak, made(data_exponent=ALPHAS, weight_decay=(0.3,))), 1)


def test_density_shows_the_published_row_of_one_active_feature():
    picture = painted(density, made(activation_density=(1.0, 4.0), width=(10, 15, 25, 39, 63, 100)))
    for mark, gamma in zip(theirs(picture, 2), (-1, 1), strict=True):
        value = published_value(EXPONENTS, weight_decay=gamma, data_exponent=1)
        assert (mark.x.tolist(), mark.y.tolist()) == ([1], [value])


def test_weight_decay_has_the_published_maps_beside_ours():
    picture = painted(weight_decay, the_grid())
    assert [panel.title for panel in picture.panels] == [
        "α = 1", "m = 39", "as published, m = 39", "bars: one combined spread", "all widths", "as published",
    ]  # fmt: skip
    maps = {i: items(picture, i, "Map")[0] for i in (1, 2, 4, 5)}
    for own, other, kind in ((1, 2, SHARES), (4, 5, EXPONENTS)):
        assert (maps[own].x, maps[own].y) == (maps[other].x, maps[other].y) == ((-1.0, 1.0), ALPHAS)
        assert (maps[own].low, maps[own].high) == (maps[other].low, maps[other].high)
        expected = [[published_value(kind, weight_decay=g, data_exponent=a) for g in (-1, 1)] for a in ALPHAS]
        np.testing.assert_array_equal(maps[other].z, expected)
    np.testing.assert_allclose(maps[4].z, [[1, 0.1]] * 3)  # made so
    (phi,) = theirs(picture, 0)
    assert len(phi.x) == 10 and phi.color == ours(picture, 0)[3].color  # that of m = 39


def test_runs_elsewhere_have_our_panels_alone():
    assert len(painted(weight_decay, a_grid()).panels) == 2  # two of the published widths make no line
    assert len(painted(weight_decay, made(data_exponent=(0.3,), width=(10, 15, 25), weight_decay=(-1, 1))).panels) == 2
    assert len(painted(weight_decay, made(width=(10, 15, 25))).panels) == 5  # no m = 39, but lines


def test_exponents_stand_against_the_published_ones():
    picture = painted(exponents, the_grid(exponent=lambda row: 0.1 if row["weight_decay"] > 0 else 1.24))
    within, outside = items(picture, 2, "Marks")
    both = np.concatenate([within.x, outside.x])
    expected = [published_value(EXPONENTS, weight_decay=g, data_exponent=a) for g in (-1, 1) for a in ALPHAS]
    assert sorted(both) == sorted(expected)
    assert set(np.concatenate([within.y, outside.y]).round(9)) == {0.1, 1.24}
    assert (np.abs(within.x - within.y) <= 2 * within.error).all()
    assert (np.abs(outside.x - outside.y) > 2 * outside.error).all()
