"""RunSpec: one id for one outcome."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from superlaw import InputError, RunSpec

GOLDEN = {  # ids that must never change: stored runs are found by them
    "defaults": (RunSpec(), "67d6291b301412df"),
    "grid": (RunSpec(width=10, data_exponent=0.125, weight_decay=-1), "dd318bdcbbdcdac1"),
    "wide": (
        RunSpec(
            n_features=10_240, width=64, frequencies="exponential", weight_decay=0.1, steps=40_000, batch=8192,
            learning_rate=0.02, bias_learning_rate=0.25, learning_rate_width_power=0.25,
            bias_learning_rate_width_power=1, warmup=2000, loss_scale=100,
        ),
        "582ad465e2b0a9ef",
    ),
    "explicit": (RunSpec(frequencies=np.array([0.5, 0.25]), width=1, seed=3), "2f1bda05934506ff"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_ids_are_forever(name):
    spec, golden = GOLDEN[name]
    assert spec.id == golden


def test_whatever_does_not_change_the_outcome_does_not_change_the_id():
    assert RunSpec(width=25.0, weight_decay=0).id == RunSpec().id
    assert RunSpec(bias_learning_rate=0.01).id == RunSpec().id
    assert RunSpec(activation_density=1).id == RunSpec().id
    assert RunSpec(decay_length=7).id == RunSpec().id  # the power family has no decay length
    assert RunSpec(weight_decay=-0.0).id == RunSpec().id


@pytest.mark.parametrize(
    "change",
    [
        {"n_features": 999}, {"width": 24}, {"frequencies": "linear"}, {"data_exponent": 1.125},
        {"activation_density": 2}, {"weight_decay": -1}, {"steps": 100}, {"batch": 1}, {"learning_rate": 0.02},
        {"bias_learning_rate": 0.02}, {"learning_rate_width_power": 0.25}, {"warmup": 10}, {"loss_scale": 100},
        {"seed": 1}, {"activation": "linear"}, {"dtype": "float64"},
    ],
)  # fmt: skip
def test_whatever_changes_the_outcome_changes_the_id(change):
    assert RunSpec(**change).id != RunSpec().id
    assert RunSpec().change(**change).id == RunSpec(**change).id


def test_arrays_count_by_value():
    p = np.array([0.5, 0.25])
    assert RunSpec(frequencies=p).id == RunSpec(frequencies=p.copy()).id != RunSpec(frequencies=p[::-1]).id


def test_probabilities_that_replace_a_family_are_left_as_they_are():
    explicit = np.array([1.0, 0.5])
    assert RunSpec().change(frequencies=explicit, n_features=2).probabilities.sum() == 1.5
    assert RunSpec(activation_density=1.2).change(frequencies=explicit, n_features=2).activation_density == 1.2
    back = RunSpec(frequencies=explicit, n_features=2).change(frequencies="power")
    assert back.probabilities.sum() == pytest.approx(1)


def test_a_spec_keeps_its_own_frequencies():
    p = np.array([0.5, 0.25])
    spec = RunSpec(frequencies=p)
    p[0] = 0.9
    assert spec.probabilities[0] == 0.5


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "n_features": st.integers(1, 300),
            "width": st.integers(1, 400),
            "data_exponent": st.floats(-2, 3),
            "weight_decay": st.floats(-2, 2),
            "steps": st.integers(1, 10**6),
            "frequencies": st.sampled_from(["power", "linear", "exponential"]),
            "learning_rate": st.floats(1e-6, 1),
            "bias_learning_rate": st.floats(1e-6, 1),
            "seed": st.integers(0, 2**64 - 1),
        },
    )
)
def test_json_round_trip_keeps_the_id(fields):
    spec = RunSpec(**fields)
    assert RunSpec.from_dict(spec.to_dict()) == spec


def test_wide_learning_rates_depend_on_width_as_published():
    wide = {"learning_rate": 0.02, "bias_learning_rate": 0.25}
    powers = {"learning_rate_width_power": 0.25, "bias_learning_rate_width_power": 1.0}
    for m in (8, 64, 1024):
        eta_W, eta_b = RunSpec(width=m, **wide, **powers).peak_learning_rates
        assert eta_W == pytest.approx(0.02 * (8 / m) ** 0.25, rel=1e-14)
        assert eta_b == pytest.approx(2 / m, rel=1e-14)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": 0}, "width = 0; need a whole number from 1"),
        ({"width": 2.5}, "width = 2.5; need a whole number"),
        ({"width": True}, "need a whole number"),
        ({"steps": 0}, "steps = 0"),
        ({"learning_rate": 0}, "learning_rate = 0"),
        ({"weight_decay": float("nan")}, "weight_decay = nan"),
        ({"frequencies": "powr"}, "did you mean power"),
        ({"activation": "rleu"}, "did you mean relu"),
        ({"learning_rate": True}, "learning_rate = True"),
        ({"learning_rate": "0.1"}, "a number"),
        ({"learning_rate": 10**400}, "beyond 1e308"),
        ({"frequencies": [["a"], ["b"]]}, "not a list of numbers|one-dimensional"),
        ({"seed": -1}, "seed = -1"),
        ({"n_features": 3, "frequencies": np.array([0.5])}, "the same number"),
    ],
)
def test_bad_fields_are_refused_with_what_is_needed(fields, said):
    with pytest.raises(InputError, match=said):
        RunSpec(**fields)


def test_unknown_fields_name_the_nearest():
    with pytest.raises(InputError, match="did you mean width"):
        RunSpec.from_dict({"widht": 3})
    with pytest.raises(InputError, match="did you mean width"):
        RunSpec().change(widht=3)


def test_a_width_of_n_or_more_is_allowed_and_noted():
    assert "nothing needs superposition" in RunSpec(n_features=5, width=5).notes[0]


@pytest.mark.parametrize("change", [{"width": np.int64(0)}, {"width": np.float64(2.5)}, {"loss_scale": np.float32(0)}])
def test_a_message_shows_numbers_as_numbers(change):
    with pytest.raises(InputError, match=r"= [\d.]+") as raised:
        RunSpec(**change)
    assert "np." not in str(raised.value)
