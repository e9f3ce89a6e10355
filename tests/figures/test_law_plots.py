"""The figures of a fit: what is plotted is what the library says, and a caller's axes come back painted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from study_records import check_rendering

from superlaw import backtest, fit_law, frontier, isoflop, law_picture, plot_law, profile_curve
from superlaw.errors import InputError
from superlaw.figures import law_isoflop, law_optimum, paint
from superlaw.figures.law_plots import KINDS
from superlaw.figures.panels import Line, Marks, to_dict
from superlaw.laws.fit import refit
from superlaw.laws.objective import objective_of
from superlaw.report.fits import fit_part


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 11, 60)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=60))
    return fit_law({"N": n, "D": d, "loss": loss}, "chinchilla")


def items(panel, kind):
    return [item for item in panel.items if isinstance(item, kind)]


def test_a_figure_renders_in_every_format(fit):
    check_rendering(paint.draw, law_picture(fit, "profile"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_a_record_that_is_json(fit, kind):
    assert json.dumps(to_dict(law_picture(fit, kind)), allow_nan=False)


def test_runs_are_adjusted_to_the_other_sizes_by_the_law(fit):
    panels = law_picture(fit, "sizes").panels
    assert [panel.xlabel for panel in panels] == ["N", "D", "fitted loss"]
    used = fit.points()
    runs = items(panels[0], Marks)[0]
    middle = np.exp(np.log(used.points.sizes[1]).mean())
    own = fit.loss_at({"N": runs.x, "D": np.full(60, middle)})[0]
    np.testing.assert_allclose(runs.y / own, used.losses / fit.loss_at(used.points)[0])


def test_the_frontier_is_that_of_the_table_and_lies_below_lines_of_equal_size(fit):
    left, right = law_picture(fit, "frontier", flops=(1e19, 1e22)).panels
    best = items(left, Line)[-1]
    found = frontier(fit, best.x.tolist())
    np.testing.assert_allclose(best.y, found.column("loss")[0])
    np.testing.assert_allclose(items(right, Line)[-1].y, found.column("N")[0])
    for line in items(left, Line)[:-1]:
        inside = (line.x >= best.x[0]) & (line.x <= best.x[-1])
        assert (line.y[inside] >= np.interp(np.log(line.x[inside]), np.log(best.x), best.y) - 2e-3).all()
    for line in items(right, Line)[:-1]:  # along an iso-loss line the loss is one
        losses = fit.loss_at({"N": line.y, "D": line.x / 6 / line.y})[0]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-6)


@pytest.mark.parametrize("interval", ["sandwich", "profile"])
def test_a_profile_crosses_its_bound_at_the_ends_of_the_interval(fit, interval):
    used = fit.points().points.sizes
    again = fit_law({"N": used[0], "D": used[1], "loss": fit.points().losses}, "chinchilla", interval=interval)
    for name in ("alpha", "beta", "A"):
        curve, estimate = profile_curve(again, name), again[name]
        rise = np.interp([estimate.low, estimate.high], curve.values, curve.rise)
        np.testing.assert_allclose(rise, curve.bound, rtol=0.02)
        assert curve.rise[np.searchsorted(curve.values, estimate.value)] == pytest.approx(0, abs=1e-6)
        assert set(curve.others) == set(again.params) - {name}


def test_residuals_are_shown_against_every_axis(fit):
    panels = law_picture(fit, "residuals").panels
    assert [panel.xlabel for panel in panels] == ["N", "D", "compute C (FLOP)", "fitted loss"]
    errors = np.log(fit.points().losses / fit.loss_at(fit.points().points)[0])
    for panel in panels:
        np.testing.assert_allclose(items(panel, Marks)[0].y, errors)


@pytest.mark.parametrize("objective", ["log-ls", "ls"])
def test_figures_and_pages_show_the_errors_of_the_fit(fit, objective):
    fit = refit(
        replace(fit, objective=objective_of(objective), interval={"method": "none", "level": 0.95}), fit.points()
    )
    used = fit.points()
    fitted = fit.loss_at(used.points)[0]
    errors = np.log(used.losses / fitted) if objective == "log-ls" else used.losses - fitted
    np.testing.assert_allclose(fit.errors(), errors, rtol=1e-6, atol=1e-12)
    assert np.sqrt((fit.errors() ** 2).mean()) == pytest.approx(fit.rms_error)
    for kind in ("sizes", "residuals"):
        np.testing.assert_array_equal(items(law_picture(fit, kind).panels[-1], Marks)[0].y, fit.errors())
    rows = fit_part(fit, "a fit").sections[-1].tables[0].rows
    assert [row[-1] for row in rows] == fit.errors().tolist()


def test_held_out_runs_are_those_of_the_backtest(fit):
    (one,) = backtest(fit, cuts=[1e19]).cuts
    left, right = law_picture(fit, "predicted", cut=1e19).panels
    fitted, held = items(left, Marks)
    assert (len(fitted.x), len(held.x)) == (one.fitted, one.held)
    np.testing.assert_allclose(held.x, one.predicted)
    np.testing.assert_allclose(held.y, one.measured)
    assert f"{one.covered:.0%} in the band" in right.title


def test_axes_that_are_passed_in_come_back_painted(fit):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, 2)
    back = plot_law(fit, "profile", axes)
    assert back == list(axes) and [axis.get_xlabel() for axis in axes] == ["alpha", "beta"]
    single = Figure().subplots()
    assert plot_law(fit, "profile", single, names=("E",)) == [single]
    new = plot_law(fit, "frontier")
    assert len(new) == 2 and new[0].figure is new[1].figure
    grid = Figure().subplots(2, 2)
    assert plot_law(fit, "residuals", grid) == list(grid.flat)


WRONG = {
    "another figure": (("profiles",), {}, "did you mean profile?"),
    "too few axes": (("frontier", [object()]), {}, "1 axes; need 2"),
    "an option of another figure": (("residuals",), {"cut": 1e19}, "cut with the figure residuals"),
    "an unknown parameter": (("profile",), {"names": ("alhpa",)}, "did you mean alpha?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_drawn_is_one_line(fit, case):
    positional, options, words = WRONG[case]
    with pytest.raises(InputError) as error:
        plot_law(fit, *positional, **options)
    assert words in str(error.value)


def test_a_law_without_compute_has_no_frontier_figure():
    x = np.geomspace(10, 1e4, 12)
    fit = fit_law({"m": x, "loss": 5 / x**0.5 + 1 + 0.01 * np.cos(x)}, "power:m")
    with pytest.raises(InputError, match="a law of N and D"):
        law_picture(fit, "frontier")


def test_frontier_tables_and_iso_flop_curves_are_drawn(fit):
    found = frontier(fit, np.geomspace(1e19, 1e23, 9).tolist())
    picture = law_optimum.data(found, fit)
    np.testing.assert_allclose(items(picture.panels[0], Line)[0].y, found.column("N")[0])
    assert paint.draw(picture).startswith(b"\x89PNG")
    n = np.concatenate([np.geomspace(0.2, 5, 7) * s for s in (1e8, 3e8, 1e9)])
    d = np.repeat([1e18, 1e19, 1e20], 7) / 6 / n
    losses = 1.7 + 400 / n**0.34 + 410 / d**0.28
    curves = isoflop({"N": n, "D": d, "loss": losses * (1 + 1e-3 * np.cos(np.arange(21) ** 2))})
    picture = law_isoflop.data(curves)
    assert len(items(picture.panels[0], Marks)) == 3 + 1
    assert paint.draw(picture).startswith(b"\x89PNG")
