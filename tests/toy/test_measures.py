"""Measures of runs made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from superlaw import Run, RunSpec, measure_run, represented_fraction, train
from superlaw.toy.measures import measures_of


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
    shown = measure_run(run_of(W))
    assert (shown.represented, shown.strong) == (2, 1)
    assert shown.represented_fraction == 0.5 and shown.strong_fraction == 0.25


def test_overlaps_of_the_mercedes_frame_are_at_the_welch_value():
    angles = 2 * np.pi * np.arange(3) / 3
    shown = measure_run(run_of(1.1 * np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    assert shown.mean_square_overlap == pytest.approx(0.25, rel=1e-6) == shown.welch
    assert shown.square_overlap_variance == pytest.approx(0, abs=1e-12)
    assert shown.strong_mean_square_overlap == pytest.approx(shown.strong_welch, rel=1e-6)


def test_unlearned_loss_uses_the_runs_own_number_of_features():
    W = np.zeros((4, 2))
    W[0, 0] = W[1, 1] = 1
    run = run_of(W)
    p = run.spec.probabilities
    assert measure_run(run).unlearned_loss == pytest.approx(sum(4 / 3 * p[2:] - p[2:] ** 2))


@pytest.mark.parametrize(("values", "moment"), [("exponential", 2), ("half-normal", np.pi / 2), ("constant", 1)])
def test_unlearned_loss_has_the_second_moment_of_the_values(values, moment):
    run = run_of(np.diag([1.0, 0, 0]), values=values)
    p = run.spec.probabilities
    assert measure_run(run).unlearned_loss == pytest.approx(sum(moment * p[1:] - p[1:] ** 2))


def test_cross_entropy_has_no_unlearned_loss_and_no_silent_features():
    shown = measure_run(run_of(np.eye(3), loss_function="cross-entropy"))
    assert np.isnan(shown.unlearned_loss) and np.isnan(shown.silent_fraction) and shown.represented == 3


def test_silent_fraction_counts_features_below_their_threshold():
    run = run_of(np.diag([1.0, 1.0, 0.5, 0.0]))
    assert measure_run(run).silent_fraction == 0.25  # the one without a row
    run.b[:] = [-1.9, -2.0, -0.6, 0.1]  # largest logits: 0.1, 0, -0.1, 0.1
    assert measure_run(run).silent_fraction == 0.5
    assert np.isnan(measure_run(replace(run, W=np.full_like(run.W, np.nan))).silent_fraction)


def test_a_run_without_weights_keeps_its_measures():
    run = train(RunSpec(n_features=30, width=4, steps=20, batch=32))
    assert measure_run(replace(run, W=None, b=None)) == measure_run(run)


def test_strong_and_weak_rows_are_measured_apart():
    """A long Mercedes frame in a plane, two middling parallel rows in another, one short row, one of no length."""
    W = np.zeros((7, 4))
    angles = 2 * np.pi * np.arange(3) / 3
    W[:3, 0], W[:3, 1] = 1.5 * np.cos(angles), 1.5 * np.sin(angles)
    W[3:5, 2], W[5, 3] = 0.8, 0.3
    shown = measure_run(run_of(W))
    assert (shown.strong, shown.represented) == (3, 5)
    assert shown.strong_mean_square_overlap == pytest.approx(1 / 4, rel=1e-6)
    assert shown.strong_largest_overlap == pytest.approx(1 / 2, rel=1e-6)
    assert shown.strong_mean_abs_overlap == pytest.approx(1 / 2, rel=1e-6)
    assert shown.strong_etf_distance == pytest.approx(0, abs=1e-9)
    assert shown.weak_mean_square_overlap == pytest.approx(1) and shown.largest_overlap == pytest.approx(1)
    assert shown.weak_welch == 0 == shown.weak_square_overlap_variance
    assert shown.etf_distance == pytest.approx(shown.square_overlap_variance / shown.random_square_overlap_variance)
    # Dimensions: three share a plane, two a line, one has its own.
    assert shown.dimensionality_sum == pytest.approx(4) and shown.represented_dimensionality == pytest.approx(3 / 5)
    # Second moment of the unit rows: 3/2, 3/2, 2, 1; of the rows: 27/8, 27/8, 1.28, 0.09.
    assert shown.participation_ratio == pytest.approx(36 / 9.5)
    assert shown.weight_participation_ratio == pytest.approx(8.12**2 / (2 * 3.375**2 + 1.28**2 + 0.09**2), rel=1e-5)


def test_without_the_pairs_only_what_needs_them_is_missing():
    run = train(RunSpec(n_features=30, width=4, steps=20, batch=32))
    cheap, full = measure_run(run, variances=False).to_dict(), measure_run(run).to_dict()
    missing = {name for name, value in cheap.items() if value is None}
    assert missing == {
        "square_overlap_variance", "etf_distance", "mean_abs_overlap", "largest_overlap",
        "strong_square_overlap_variance", "strong_etf_distance", "strong_mean_abs_overlap", "strong_largest_overlap",
        "weak_square_overlap_variance", "weak_etf_distance",
    }  # fmt: skip
    assert all(cheap[name] == full[name] for name in cheap if name not in missing)


NEW = (
    "mean_abs_overlap", "largest_overlap", "etf_distance", "strong_mean_abs_overlap", "strong_largest_overlap",
    "strong_etf_distance", "weak_mean_square_overlap", "weak_square_overlap_variance", "weak_welch",
    "weak_etf_distance", "participation_ratio", "weight_participation_ratio", "dimensionality_sum",
    "represented_dimensionality", "silent_fraction",
)  # fmt: skip


def test_a_run_stored_before_a_measure_existed_still_shows_the_others():
    run = train(RunSpec(n_features=30, width=4, steps=20, batch=32))
    old = replace(run, measures={name: value for name, value in run.measures.items() if name not in NEW})
    bare = measure_run(replace(old, W=None, b=None))
    assert bare.loss == run.loss and bare.mean_square_overlap == run.measures["mean_square_overlap"]
    assert all(np.isnan(getattr(bare, name)) for name in NEW)
    assert measures_of(old) == measures_of(run) == measure_run(run)  # with weights: what is missing is computed


def test_a_run_with_numbers_that_are_not_finite_has_no_geometry():
    W = np.eye(4, 2)
    W[0, 0] = np.nan
    shown = measure_run(run_of(W)).to_dict()
    assert shown["dimensionality_sum"] is shown["participation_ratio"] is shown["etf_distance"] is None
