"""A run's loss along its steps: log-spaced windows, means with honest errors, the warm-up marked."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw import InputError, Run, RunSpec, loss_history


def run_with(losses, **fields) -> Run:
    return Run(RunSpec(steps=len(losses), **fields), "ok", np.asarray(losses, dtype=np.float32), None, None)


@pytest.mark.parametrize("steps", [1, 2, 7, 1000, 20_000])
@pytest.mark.parametrize("points", [1, 3, 24])
def test_every_step_is_in_one_window_and_windows_are_even_in_log(steps, points):
    found = loss_history(run_with(np.ones(steps)), points)
    assert found.steps.sum() == steps and (found.steps > 0).all() and len(found) <= points
    assert (np.diff(found.step) > 0).all() and found.step[0] >= 1 and found.step[-1] <= steps
    late = np.cumsum(found.steps)[-5:]
    if steps == 20_000 and points == 24:
        assert late[1:] / late[:-1] == pytest.approx(20_000 ** (1 / 24), rel=1e-3)


def test_a_windows_loss_is_the_mean_of_its_steps():
    losses = np.random.default_rng(0).random(500)
    found = loss_history(run_with(losses), 5)
    ends = np.cumsum(found.steps)
    first, last = ends[-2], ends[-1]
    assert found.loss[-1] == pytest.approx(losses[first:last].mean(), rel=1e-6)
    assert found.step[-1] == pytest.approx(np.exp(np.log(np.arange(first + 1, last + 1)).mean()))


def test_the_slope_of_a_power_of_the_step_is_its_exponent():
    found = loss_history(run_with(3 * np.arange(1.0, 20_001) ** -0.4), 24)
    slope = np.polyfit(np.log(found.step[-12:]), np.log(found.loss[-12:]), 1)[0]
    assert slope == pytest.approx(-0.4, abs=1e-4)


def test_the_standard_error_is_that_of_the_noise_and_not_of_the_fall():
    random = np.random.default_rng(1)
    t = np.arange(1.0, 4001)
    fall = 5 * t**-0.5
    means, errors = [], []
    for _ in range(300):
        found = loss_history(run_with(fall + 0.003 * random.standard_normal(len(t))), 8)
        means.append(found.loss[-1])
        errors.append(found.stderr[-1])
    count = found.steps[-1]
    assert np.mean(errors) == pytest.approx(0.003 / np.sqrt(count), rel=0.03)
    assert np.std(means) == pytest.approx(np.mean(errors), rel=0.15)
    assert np.std(fall[-count:]) > 4 * 0.003  # which a plain standard deviation would have taken for noise


def test_a_window_of_one_step_has_no_error():
    found = loss_history(run_with(np.ones(1000)))
    assert np.isnan(found.stderr[found.steps == 1]).all() and np.isfinite(found.stderr[found.steps > 1]).all()


def test_windows_within_the_warm_up_are_marked_and_a_warm_up_that_never_ends_is_none():
    found = loss_history(run_with(np.ones(1000), warmup=100))
    starts = np.cumsum(found.steps) - found.steps + 1
    assert found.warm_up.tolist() == (starts < 100).tolist() and found.warm_up.any() and not found.warm_up.all()
    assert not loss_history(run_with(np.ones(1000), warmup=1000)).warm_up.any()


def test_a_diverged_run_has_the_history_that_it_had():
    losses = np.array([1.0, 2.0, 4.0, np.inf], dtype=np.float32)
    found = loss_history(Run(RunSpec(steps=100), "diverged", losses, None, None), 2)
    assert found.loss[0] == 1.5 and np.isinf(found.loss[1])


@pytest.mark.parametrize("points", [0, -1, 2.5, True])
def test_no_windows_are_refused(points):
    with pytest.raises(InputError, match="a whole number of 1 or more"):
        loss_history(run_with(np.ones(10)), points)
