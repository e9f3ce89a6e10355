"""What the overlaps of a frame cost: bounds on their moments, and trained models beside the theory."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.geometry.frames import least_mean_cube_overlap, welch
from superlaw.geometry.overlaps import unit_rows
from superlaw.theory.best_frames import SPREADS, best_frame, overlaps_of
from superlaw.theory.interference import interference
from superlaw.toy.measures import measure_run
from superlaw.toy.spec import RunSpec
from superlaw.toy.train import train


@pytest.mark.parametrize("spread", ["equiangular", "one-sided", "two-valued"])
@pytest.mark.parametrize(("n", "m"), [(1000, 25), (1000, 100), (4000, 63)])
def test_spreads_have_the_moments_they_state(spread, n, m):
    g = overlaps_of(spread, n, m)
    assert g is not None
    assert np.mean(g) == pytest.approx(0, abs=2e-3 / np.sqrt(m))
    assert np.mean(g**2) == pytest.approx(welch(n, m), rel=2e-3)
    cube = 0 if spread == "equiangular" else least_mean_cube_overlap(n)
    assert np.mean(g**3) * m**1.5 == pytest.approx(cube * m**1.5, abs=0.02 * (1 + m**1.5 / n))


def test_given_overlaps_of_random_directions_are_random_directions():
    random = np.random.default_rng(0)
    W = random.standard_normal((400_000, 12))
    g = (W[:, 0] / np.linalg.norm(W, axis=1))[:]  # overlaps with a fixed direction
    p = np.full(99, 0.01)
    one, other = interference(p, 12), interference(p, 12, overlaps=g)
    # the mean of 400,000 squares, spread about 1.3/12: 5 standard errors, a false alarm below 1e-6
    assert other.probabilities @ other.values**2 == pytest.approx(one.probabilities @ one.values**2, rel=0.011)


def test_one_sided_overlaps_cost_less_the_wider_the_model_and_nothing_else_where_features_are_many():
    def gain(n, m):
        return best_frame(n, m, overlaps="one-sided").loss / best_frame(n, m, overlaps="random").loss

    assert gain(1000, 100) < 0.55 < 0.9 < gain(1000, 25) < 1  # m = n^(2/3) = 100
    assert gain(100_000, 100) > 0.97  # m far below n^(2/3) = 2154


def test_the_loss_of_a_trained_model_follows_from_how_its_overlaps_are_spread():
    """Flat frequencies, b = 0 at the start: a tight frame, one-sided, whose loss the theory gives from its overlaps."""
    spec = RunSpec(n_features=200, width=25, data_exponent=0, weight_decay=-1, initial_bias_std=0, steps=4000,
                   warmup=400, batch=1024)  # fmt: skip
    run = train(spec)
    assert run.W is not None
    w = unit_rows(run.W)
    g = (w @ w.T)[np.triu_indices(len(w), 1)]
    found = best_frame(200, 25, overlaps=g)
    shown = measure_run(run)
    assert run.loss == pytest.approx(found.loss, rel=0.08)
    assert shown.mean_square_overlap == pytest.approx(welch(200, 25), rel=0.02)
    assert least_mean_cube_overlap(200) <= shown.mean_cube_overlap < 0.5 * least_mean_cube_overlap(200)
    # the same overlaps without a preferred sign would cost half as much again
    assert best_frame(200, 25, overlaps=np.concatenate([g, -g])).loss > 1.5 * found.loss


@pytest.mark.parametrize("call", [
    lambda: overlaps_of("randm", 10, 4), lambda: overlaps_of("one-sided", 10, 10),
    lambda: overlaps_of("equiangular", 10, 1),
])  # fmt: skip
def test_no_such_frame_is_refused(call):
    with pytest.raises(InputError, match="need"):
        call()


def test_every_spread_has_a_loss_below_that_of_answering_nothing():
    assert all(best_frame(1000, 39, overlaps=spread).loss < 4 / 3 for spread in SPREADS)
