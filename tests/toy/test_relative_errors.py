"""Relative errors of features against errors derived by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from superlaw import InputError, RunSpec
from superlaw.toy.recovery import relative_errors
from superlaw.toy.run import Run

ACTIVATIONS = 20_000


def model(W, b, p, activation="relu"):
    W, b = np.asarray(W, np.float32), np.asarray(b, np.float32)
    spec = RunSpec(
        n_features=len(W), width=W.shape[1], data_exponent=0, activation_density=p * len(W), steps=1,
        activation=activation,
    )  # fmt: skip
    return Run(spec, "ok", np.ones(1, np.float32), W, b)


def test_a_model_with_a_dimension_for_each_feature_makes_no_error():
    assert np.abs(relative_errors(model(np.eye(3), np.zeros(3), 0.2), 500)).max() < 1e-12


def test_a_feature_that_never_occurs_has_no_error():
    spec = RunSpec(frequencies=np.array([0.3, 0.0]), width=2, steps=1)
    W, b = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    np.testing.assert_allclose(relative_errors(Run(spec, "ok", np.ones(1, np.float32), W, b), 500), [0, np.nan],
                               atol=1e-12)  # fmt: skip


def test_answering_the_mean_has_a_relative_error_of_one_and_silence_a_little_more():
    """The mean is p; silence costs <x^2> = 4/3 p against a variance of 4/3 p - p^2."""
    p = 0.2
    assert relative_errors(model(np.zeros((2, 1)), [p, p], p), 500) == pytest.approx(1, abs=1e-3)
    silent = relative_errors(model(np.zeros((2, 1)), [0, 0], p), ACTIVATIONS)
    expected = (4 / 3) / (4 / 3 - p)
    # <x^2> and its square over 100,000 samples: the ratio's standard error is below 0.002; five of them
    assert silent == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("p", [0.05, 0.3])
def test_an_antipodal_pair_fails_only_where_both_are_active(p):
    """y_1 = relu(x_1 - x_2): the error is min(v_1, v_2) with both active, <min^2> = 2/3, and 0 otherwise.

    Samples with both active: 20,000 p; <min^4> = 16/15, so the relative standard error of the mean of
    min^2 is sqrt(16/15 / (4/9) - 1) / sqrt(20,000 p) = 1.18 / sqrt(20,000 p). Five of them.
    """
    expected = (2 / 3 * p**2) / (4 / 3 * p - p**2)
    found = relative_errors(model([[1.0], [-1.0]], [0, 0], p), ACTIVATIONS)
    assert found == pytest.approx(expected, rel=5 * 1.3 / math.sqrt(ACTIVATIONS * p))


def test_an_answer_to_absent_features_is_an_error():
    """Two features on one direction: each is answered with the sum, wrong by the other, <x^2> = 4/3 p."""
    p = 0.1
    found = relative_errors(model([[1.0], [1.0]], [0, 0], p), ACTIVATIONS)
    assert found == pytest.approx((4 / 3) / (4 / 3 - p), abs=0.03)


def test_without_relu_the_pair_is_wrong_when_either_is_active():
    p = 0.1
    found = relative_errors(model([[1.0], [-1.0]], [0, 0], p, "linear"), ACTIVATIONS)
    assert found == pytest.approx((4 / 3) / (4 / 3 - p), abs=0.03)


def test_two_samplings_agree_to_their_error_and_one_repeats():
    run = model([[1.0], [-1.0]], [0, 0], 0.2)
    assert np.array_equal(relative_errors(run, 400), relative_errors(run, 400))
    assert not np.array_equal(relative_errors(run, 400), relative_errors(run, 400, seed=1))


def test_a_diverged_run_recovers_nothing_and_one_without_weights_is_refused():
    run = model(np.eye(2), np.zeros(2), 0.2)
    assert np.isnan(relative_errors(replace(run, status="diverged"))).all()
    with pytest.raises(InputError, match="without its weights"):
        relative_errors(replace(run, W=None, b=None))
    with pytest.raises(InputError, match="activations"):
        relative_errors(run, 0)
