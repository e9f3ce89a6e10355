"""Random directions: their overlaps follow the Beta law, and others do not."""

from __future__ import annotations

import numpy as np
import pytest
from known_frames import frame_of_28, random_rows
from scipy import stats

from superlaw.errors import InputError
from superlaw.geometry.blocks import sample_overlaps
from superlaw.geometry.frames import (
    compare_with_random,
    random_cdf,
    random_density,
    random_largest_overlap,
    random_mean_abs_overlap,
    random_quantile,
    random_square_overlap,
)  # fmt: skip

WIDTHS = [2, 3, 4, 10, 100, 1000]


@pytest.mark.parametrize("m", WIDTHS)
def test_the_square_of_an_overlap_follows_the_beta_law(m):
    law = stats.beta(1 / 2, (m - 1) / 2)
    x = np.linspace(0, 0.999, 50) / np.sqrt(max(1, m / 20))
    assert random_cdf(x, m) == pytest.approx(law.cdf(x**2), rel=1e-10)
    assert random_density(x[1:], m) == pytest.approx(law.pdf(x[1:] ** 2) * 2 * x[1:], rel=1e-9)
    assert random_cdf(random_quantile(np.array([0.01, 0.5, 0.999]), m), m) == pytest.approx([0.01, 0.5, 0.999])
    assert random_square_overlap(m) == pytest.approx((law.mean(), law.var()))
    assert random_mean_abs_overlap(m) == pytest.approx(law.expect(np.sqrt), rel=1e-6)


def test_in_one_dimension_every_overlap_is_one():
    assert random_cdf(np.array([0.5, 1.0]), 1).tolist() == [0, 1]
    assert random_quantile(0.5, 1) == 1 == random_largest_overlap(10, 1)
    assert np.isnan(random_density(np.array([0.5]), 1)).all()


@pytest.mark.parametrize("m", [2, 3, 12, 200])
def test_overlaps_of_independent_random_pairs_pass(m):
    w = random_rows(4000, m, seed=m).reshape(2000, 2, m)
    found = compare_with_random(np.einsum("ij,ij->i", w[:, 0], w[:, 1]), m)
    assert found.count == 2000 and found.p_value > 1e-4  # the rate of false alarms


def test_pairs_sampled_among_many_random_rows_pass():
    assert compare_with_random(sample_overlaps(random_rows(5000, 20), 2000, seed=3), 20).p_value > 1e-4


@pytest.mark.parametrize("m", [5, 30])
def test_random_rows_of_another_width_fail(m):
    """A tenth fewer dimensions in use than columns is seen with 20,000 pairs."""
    narrow = random_rows(40_000, round(0.9 * m)).reshape(20_000, 2, -1)
    assert compare_with_random(np.einsum("ij,ij->i", narrow[:, 0], narrow[:, 1]), m).p_value < 1e-4


def test_an_equiangular_frame_is_as_far_from_random_as_its_one_overlap_says():
    frame = frame_of_28() / np.linalg.norm(frame_of_28(), axis=1)[:, None]
    found = compare_with_random((frame @ frame.T)[np.triu_indices(28, 1)], 7)
    below = float(random_cdf(np.array(1 / 3), 7))
    assert found.distance == pytest.approx(max(below, 1 - below), rel=1e-6)
    assert found.p_value < 1e-10


def test_the_largest_overlap_of_random_rows_is_below_its_median_half_the_time():
    m, n, trials = 6, 40, 2000
    limit = random_largest_overlap(n * (n - 1) // 2, m)
    random = np.random.default_rng(0)
    below = 0
    for _ in range(trials):
        w = random.standard_normal((n, m))
        w /= np.linalg.norm(w, axis=1, keepdims=True)
        below += np.abs((w @ w.T)[np.triu_indices(n, 1)]).max() < limit
    assert below / trials == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(trials) + 0.02)  # 0.02: pairs share rows


@pytest.mark.parametrize(("overlaps", "m"), [([], 5), ([1.5], 5), ([np.nan], 5), ([0.5], 1)])
def test_what_cannot_be_compared_is_refused(overlaps, m):
    with pytest.raises(InputError, match="need"):
        compare_with_random(np.array(overlaps), m)
