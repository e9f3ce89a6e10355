"""What must not change a fit, and what must change with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.forms.kaplan import Kaplan
from superlaw.laws.forms.power import PowerLaw

OBJECTIVES = st.sampled_from(["log-ls", "log-huber", "ls"])
PROPERTY = settings(max_examples=12, deadline=None, derandomize=True)


def runs(seed, n=60):
    rng = np.random.default_rng(seed)
    width, tokens = 2.0 ** rng.uniform(5, 11, n), 10 ** rng.uniform(8, 11, n)
    loss = (40 / width**0.8 + 600 / tokens**0.33 + 1.5) * np.exp(0.02 * rng.normal(size=n))
    return {"width": width, "tokens": tokens, "group": rng.choice(["a", "b"], n), "loss": loss}


def fit(table, law, objective, **options):
    return fit_law(table, law, objective=objective, **({"interval": "none"} | options))


LAW = AdditiveLaw(["width", "tokens"])


@PROPERTY
@given(st.integers(0, 10**6), OBJECTIVES, st.floats(-12, 12), st.floats(-12, 12))
def test_units_of_sizes_move_coefficients_and_nothing_else(seed, objective, one, two):
    table = runs(seed)
    scaled = table | {"width": table["width"] * 10**one, "tokens": table["tokens"] * 10**two}
    before, after = fit(table, LAW, objective), fit(scaled, LAW, objective)
    assert after.objective_value == pytest.approx(before.objective_value, rel=1e-9)
    for name in ("a_width", "a_tokens", "L_0"):
        assert after[name].value == pytest.approx(before[name].value, rel=1e-5, abs=1e-7)
        assert after[name].stderr == pytest.approx(before[name].stderr, rel=1e-4, nan_ok=True)
    for column, power in (("width", one), ("tokens", two)):
        expected = np.log10(before[f"c_{column}"].value) + power * before[f"a_{column}"].value
        assert np.log10(after[f"c_{column}"].value) == pytest.approx(expected, rel=1e-5, abs=1e-4)


@PROPERTY
@given(st.integers(0, 10**6), st.sampled_from(["log-ls", "log-huber"]), st.floats(-6, 6))
def test_units_of_the_loss_scale_coefficients_and_offset(seed, objective, power):
    table = runs(seed)
    before = fit(table, LAW, objective)
    after = fit(table | {"loss": table["loss"] * 10**power}, LAW, objective)
    assert after.objective_value == pytest.approx(before.objective_value, rel=1e-9)
    for name, estimate in before.params.items():
        scale = 1 if name.startswith("a_") else 10**power
        assert after[name].value == pytest.approx(estimate.value * scale, rel=1e-4, abs=1e-9 * scale)


@PROPERTY
@given(st.integers(0, 10**6), OBJECTIVES)
def test_the_order_of_rows_does_not_matter(seed, objective):
    table = runs(seed)
    order = np.random.default_rng(seed).permutation(len(table["loss"]))
    for law in (LAW, GroupedPowerLaw("width", ["group"]), Kaplan("width", "tokens")):
        before = fit(table, law, objective)
        after = fit({name: column[order] for name, column in table.items()}, law, objective)
        assert after.objective_value == pytest.approx(before.objective_value, rel=1e-9)
        np.testing.assert_allclose(after.values, before.values, rtol=1e-4, atol=1e-7)


@PROPERTY
@given(st.integers(0, 10**6), OBJECTIVES)
def test_duplicated_rows_equal_weights(seed, objective):
    table = runs(seed)
    times = np.random.default_rng(seed).integers(1, 4, len(table["loss"]))
    repeated = {name: np.repeat(column, times) for name, column in table.items()}
    weighted = fit(table | {"w": times.astype(float)}, LAW, objective, weights="w")
    duplicated = fit(repeated, LAW, objective)
    np.testing.assert_allclose(weighted.values, duplicated.values, rtol=1e-4, atol=1e-7)


@PROPERTY
@given(st.integers(0, 10**6))
def test_errors_of_the_loss_are_weights_of_their_inverse_square(seed):
    table = runs(seed)
    sigma = np.random.default_rng(seed).uniform(0.01, 0.05, len(table["loss"]))
    for objective, weight in (("ls", sigma**-2.0), ("log-ls", (table["loss"] / sigma) ** 2)):
        by_errors = fit(table | {"s": sigma}, LAW, objective, errors="s")
        by_weights = fit(table | {"w": weight}, LAW, objective, weights="w")
        np.testing.assert_allclose(by_errors.values, by_weights.values, rtol=1e-6, atol=1e-9)


def test_the_same_seed_gives_the_same_fit_and_the_number_of_workers_does_not_matter():
    table = runs(1)
    fits = [
        fit(table, LAW, "log-huber", interval="bootstrap", replicates=300, seed=4, workers=workers)
        for workers in (1, 1, 3)
    ]
    assert str(fits[0]) == str(fits[1]) == str(fits[2])
    np.testing.assert_array_equal(fits[0].replicates, fits[2].replicates)


def test_an_offset_that_the_data_push_below_0_stays_at_0_and_is_named():
    width = np.geomspace(8, 512, 30)
    loss = 5 / width**0.5 - 0.05 + 1e-4 * np.random.default_rng(0).normal(size=30)
    found = fit({"width": width, "loss": loss}, PowerLaw("width"), "ls", interval="profile")
    assert found["L_0"].value == 0
    assert found.certificate.at_bounds == ("L_0",)
    assert found.dof == 28
    assert any("L_0 is at its bound (0)" in warning for warning in found.warnings)
