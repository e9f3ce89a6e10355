"""One term of a fitted sum: exact on data without noise, its band against the fit's own."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.forms.kaplan import Kaplan
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.terms import left_for, term_curve, term_names

WIDTH = np.geomspace(8, 512, 12)
DEPTH = np.tile([2.0, 4.0, 16.0], 4)


def test_the_terms_of_a_sum_without_noise_are_given_back():
    table = {"width": WIDTH, "depth": DEPTH, "loss": 5 / WIDTH + 3 / DEPTH**0.5 + 1.5}
    fit = fit_law(table, AdditiveLaw(["width", "depth"]))
    assert term_names(fit, "depth") == ("c_depth", "a_depth")
    np.testing.assert_allclose(term_curve(fit, "width", WIDTH).loss, 5 / WIDTH, rtol=1e-6)
    np.testing.assert_allclose(left_for(fit, "width", table, table["loss"]), 5 / WIDTH, rtol=1e-6)
    np.testing.assert_allclose(left_for(fit, "depth", table, table["loss"] + 0.25), 3 / DEPTH**0.5 + 0.25, rtol=1e-6)


def test_offsets_of_groups_are_taken_off():
    groups = np.array(["a", "b"] * 6)
    offset = np.where(groups == "a", 2.0, 3.0)
    table = {"width": WIDTH, "family": groups, "corpus": ["x"] * 12, "loss": 10 / WIDTH + offset}
    fit = fit_law(table, GroupedPowerLaw("width", ("family", "corpus")), objective="ls")
    assert term_names(fit, "width") == ("C", "a")
    np.testing.assert_allclose(left_for(fit, "width", table, table["loss"]), 10 / WIDTH, rtol=1e-5)


@pytest.mark.parametrize("interval", ["profile", "bootstrap"])
def test_without_an_offset_the_term_is_the_law_and_so_is_its_band(interval):
    noise = 1 + 0.05 * np.random.default_rng(0).normal(size=12)
    fit = fit_law({"width": WIDTH, "loss": 4 / WIDTH * noise}, PowerLaw("width", offset=False), interval=interval)
    found, whole = term_curve(fit, "width", WIDTH), fit.predict({"width": WIDTH})
    for mine, theirs in ((found.loss, whole.loss), (found.low, whole.low), (found.high, whole.high)):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    assert (found.low < found.loss).all() and (found.loss < found.high).all()


def test_chinchillas_terms_are_named():
    N, D = np.meshgrid([1e7, 1e8, 1e9, 1e10], [1e9, 1e10, 1e11])
    table = {"N": N.ravel(), "D": D.ravel(), "loss": (400 / N**0.34 + 410 / D**0.28 + 1.7).ravel()}
    fit = fit_law(table, Chinchilla("N", "D"), interval="none")
    assert term_names(fit, "N") == ("A", "alpha")
    assert term_names(fit, "D") == ("B", "beta")
    np.testing.assert_allclose(term_curve(fit, "D", np.array([1e9])).loss, 410 / 1e9**0.28, rtol=1e-5)
    fit = fit_law(table, Kaplan("N", "D"), interval="none")
    with pytest.raises(InputError, match="a sum of terms"):
        term_names(fit, "N")


def test_a_column_that_is_no_term_is_refused():
    table = {"width": WIDTH, "depth": DEPTH, "loss": 5 / (WIDTH * DEPTH) + 1}
    fit = fit_law(table, AdditiveLaw(["width*depth"]), interval="none")
    with pytest.raises(InputError, match="a column that is a term"):
        term_names(fit, "width")
