"""The learning-rate schedule and the initial state of docs/science.md#training."""

from __future__ import annotations

import math

import numpy as np
import pytest

from superlaw import RunSpec
from superlaw.toy.protocol import initial_state, schedule


def by_the_formula(t: int, T: int, t_w: int) -> float:
    if t_w >= T:
        return 0.95 * (1 + math.cos(math.pi * t / T)) / 2 + 0.05
    if t < t_w:
        return t / t_w
    return 0.95 * (1 + math.cos(math.pi * (t - t_w) / (T - t_w))) / 2 + 0.05


@pytest.mark.parametrize(("T", "t_w"), [(20_000, 2000), (50, 2000), (10, 10), (10, 9), (10, 0), (1, 0)])
def test_schedule_is_the_formula(T, t_w):
    expected = [by_the_formula(t, T, t_w) for t in range(1, T + 1)]
    assert schedule(RunSpec(steps=T, warmup=t_w)) == pytest.approx(expected, rel=1e-12)


def test_the_last_step_is_at_the_floor_and_the_peak_is_at_the_end_of_warm_up():
    rates = schedule(RunSpec(steps=20_000, warmup=2000))
    assert rates[-1] == pytest.approx(0.05) and rates[1999] == 1 == rates.max()


def test_initial_state_has_the_stated_variances():
    state = initial_state(RunSpec(n_features=20_000, width=16))
    W, b = state.W, state.b
    # chi-square of 320,000 and 20,000 normal values: 5 standard deviations, false alarms below 1e-6
    assert W.var() * 16 == pytest.approx(1, abs=5 * math.sqrt(2 / W.size))
    assert b.var() == pytest.approx(1, abs=5 * math.sqrt(2 / b.size))
    assert W.dtype == np.float32


def test_seeds_differ_and_repeat():
    spec = RunSpec(n_features=10, width=3)
    assert np.array_equal(initial_state(spec).W, initial_state(spec).W)
    assert not np.array_equal(initial_state(spec).W, initial_state(spec.change(seed=1)).W)
