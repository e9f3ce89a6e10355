"""Measures of runs made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw import Run, RunSpec, measure, represented_fraction, train


def run_of(W: np.ndarray, losses=(1.0,), **fields) -> Run:
    n, m = W.shape
    spec = RunSpec(n_features=n, width=m, steps=len(losses), **fields)
    return Run(spec, "ok", np.array(losses, np.float32), W.astype(np.float32), np.zeros(n, np.float32))


def test_loss_is_the_mean_of_the_last_hundred_steps():
    losses = np.concatenate([np.full(500, 9.0), np.tile([1.0, 3.0], 50)])
    run = run_of(np.eye(2), losses)
    assert run.loss == 2 and run.loss_std == 1


def test_phi_counts_rows_above_the_threshold():
    W = np.array([[0.4, 0], [0.6, 0], [0, 1.2], [0, 0]])
    assert represented_fraction(W) == 0.5 and represented_fraction(W, 1.0) == 0.25
    shown = measure(run_of(W))
    assert (shown.represented, shown.strong) == (2, 1)
    assert shown.represented_fraction == 0.5 and shown.strong_fraction == 0.25


def test_overlaps_of_the_mercedes_frame_are_at_the_welch_value():
    angles = 2 * np.pi * np.arange(3) / 3
    shown = measure(run_of(1.1 * np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    assert shown.mean_square_overlap == pytest.approx(0.25, rel=1e-6) == shown.welch
    assert shown.square_overlap_variance == pytest.approx(0, abs=1e-12)
    assert shown.strong_mean_square_overlap == pytest.approx(shown.strong_welch, rel=1e-6)


def test_unlearned_loss_uses_the_runs_own_number_of_features():
    W = np.zeros((4, 2))
    W[0, 0] = W[1, 1] = 1
    run = run_of(W)
    p = run.spec.probabilities
    assert measure(run).unlearned_loss == pytest.approx(sum(4 / 3 * p[2:] - p[2:] ** 2))


def test_a_run_without_weights_keeps_its_measures():
    from dataclasses import replace

    run = train(RunSpec(n_features=30, width=4, steps=20, batch=32))
    assert measure(replace(run, W=None, b=None)) == measure(run)
