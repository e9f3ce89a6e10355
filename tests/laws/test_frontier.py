"""The frontier as a table, and what losses require: the closed forms, one number with optimum and predict, warnings."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw import fit_law, frontier, optimum, required_size, requirement
from superlaw.errors import InputError
from superlaw.laws.frontier import log_range
from superlaw.laws.law import Points


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 11, 60)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=60))
    return fit_law({"N": n, "D": d, "loss": loss}, "chinchilla")


def test_the_frontier_is_equation_4_of_chinchilla_row_by_row(fit):
    C = np.geomspace(1e19, 1e23, 5)
    found = frontier(fit, C.tolist())
    A, alpha, B, beta = (fit[name].value for name in ("A", "alpha", "B", "beta"))
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    np.testing.assert_allclose(found.column("N")[0], G * (C / 6) ** (beta / (alpha + beta)), rtol=1e-9)
    np.testing.assert_allclose(found.column("D")[0], (C / 6) ** (alpha / (alpha + beta)) / G, rtol=1e-9)
    assert found.columns == ["flops", "N", "D", "loss"]
    for row, c in zip(found.rows, C, strict=True):
        assert row == optimum(fit, float(c))


def test_the_loss_of_the_best_sizes_has_the_band_of_predict(fit):
    """To first order the best sizes do not move the loss: the band is the curve's at them."""
    row = optimum(fit, 1e22)
    band = fit.predict(Points(np.array([[row.sizes["N"].value], [row.sizes["D"].value]]), np.zeros(1, int)))
    assert tuple(row.loss) == (band.loss[0], band.low[0], band.high[0])
    assert row.loss.low < row.loss.value < row.loss.high


def test_a_loss_requires_compute_with_its_n_and_d_and_warns_of_extrapolation(fit):
    there = optimum(fit, 1e23)
    found = requirement(fit, there.loss.value)
    assert found.of == "flops" and found.size.value == pytest.approx(1e23, rel=1e-6)
    for name in ("N", "D"):
        assert found.sizes[name].value == pytest.approx(there.sizes[name].value, rel=1e-6)
        assert found.sizes[name].low < found.sizes[name].value < found.sizes[name].high
    assert tuple(required_size(fit, there.loss.value)) == tuple(found.size)
    words = [w for w in found.warnings if "is an extrapolation" in w]
    assert words == [w for w in there.warnings if "is an extrapolation" in w] and len(words) == 2
    inside = requirement(fit, optimum(fit, 1e20).loss.value)
    assert not [w for w in inside.warnings if "extrapolation" in w]


def test_a_size_that_a_loss_requires_and_a_size_that_is_held_warn_too(fit):
    (n_low, n_high), (_, d_high) = fit.ranges["N"], fit.ranges["D"]
    held = {"D": 10 * d_high}
    loss = float(fit.loss_at({"N": [np.sqrt(n_low * n_high)], "D": [held["D"]]})[0, 0])
    found = requirement(fit, loss, "N", held)
    assert found.size.value == pytest.approx(np.sqrt(n_low * n_high), rel=1e-6) and found.at == held
    assert [w.split(" = ")[0] for w in found.warnings if "extrapolation" in w] == ["D"]


def test_a_range_of_losses_keeps_those_that_are_never_reached_as_a_warning(fit):
    E = fit["E"].value
    found = frontier(fit, loss=[E - 0.1, E + 0.5, E + 1])
    assert [row.loss for row in found.rows] == pytest.approx([E + 0.5, E + 1])
    assert found.warnings[-1] == f"never reached: a loss of {E - 0.1:g}"
    with pytest.raises(InputError, match="loss = "):
        frontier(fit, loss=[E - 0.2, E - 0.1])


def test_rows_beyond_the_data_say_so_in_their_column(fit):
    header, rows = frontier(fit, [1e20, 1e25]).cells
    assert header[-1] == "beyond the data"
    assert [row[-1] for row in rows] == ["", "N, D"]


def test_a_range_is_even_in_its_logs():
    np.testing.assert_allclose(log_range("1e20:1e24:3", "--flops"), [1e20, 1e22, 1e24])
    assert log_range("2.5", "--loss").tolist() == [2.5] and len(log_range("1:10", "--loss")) == 13


@pytest.mark.parametrize("text", ["1e20:", "2:1", "0:1", "1:2:1", "1:2:3:4", "x", "1:inf", "1:2:9999", "nan:2"])
def test_a_range_that_is_none_is_one_line(text):
    with pytest.raises(InputError, match="need --flops NUMBER, LOW:HIGH"):
        log_range(text, "--flops")


def test_one_kind_of_range_and_not_too_many(fit):
    for wrong in ({}, {"flops": [1e20], "loss": [2.5]}, {"flops": []}, {"flops": [1e20] * 2001}):
        with pytest.raises(InputError, match="1 to 2000 of one of them"):
            frontier(fit, **wrong)
