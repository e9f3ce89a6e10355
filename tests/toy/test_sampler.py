"""The sparse sampler has the distribution of the dense batch: marginals, pairs, values, independence.

Each statistical test says its false-alarm rate; seeds are fixed, so a pass is a pass for good.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from superlaw.toy.fused import _fused, sample, variants

FALSE_ALARM = 1e-5
BATCH, STEPS = 512, 400
P = np.array([1.0, 0.9, 0.5, 0.2, 0.1, 0.05, 0.01, 0.004, 0.001, 0.0])


def draw(p: np.ndarray, batch: int, steps: int, seed: int = 1, simd: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Indicators u, shape (steps * batch, n), and all values."""
    u = np.zeros((steps, batch, p.size), dtype=bool)
    values = []
    for step in range(steps):
        start, which, value = sample(p, batch, seed, step, simd)
        for i in range(p.size):
            rows = which[start[i] : start[i + 1]]
            assert (np.diff(rows) > 0).all()  # ascending, never twice
            u[step, rows, i] = True
        values.append(value)
    return u.reshape(-1, p.size), np.concatenate(values)


@pytest.fixture(scope="module", params=variants())
def drawn(request):
    return draw(P, BATCH, STEPS, simd=request.param)


def test_every_feature_is_active_with_its_probability(drawn):
    u, _ = drawn
    for i, p in enumerate(P):
        count = int(u[:, i].sum())
        if p in (0.0, 1.0):
            assert count == p * len(u)
        else:
            assert stats.binomtest(count, len(u), p).pvalue > FALSE_ALARM


def test_counts_in_a_batch_have_binomial_spread(drawn):
    u, _ = drawn
    for i in (1, 2, 3, 4):
        counts = u[:, i].reshape(STEPS, BATCH).sum(axis=1)
        chi2 = np.sum((counts - BATCH * P[i]) ** 2) / (BATCH * P[i] * (1 - P[i]))  # ~ chi^2 of STEPS
        assert FALSE_ALARM / 2 < stats.chi2.cdf(chi2, STEPS) < 1 - FALSE_ALARM / 2


def test_features_are_active_independently(drawn):
    u, _ = drawn
    for i in range(1, 7):
        for j in range(i + 1, 7):
            both = int((u[:, i] & u[:, j]).sum())
            assert stats.binomtest(both, len(u), P[i] * P[j]).pvalue > FALSE_ALARM / 15


def test_neighbouring_samples_and_steps_are_independent(drawn):
    u, _ = drawn
    for i in (1, 2, 3, 4):
        x = u[:, i].astype(float) - P[i]
        for lag in (1, 2, BATCH):
            z = np.sum(x[:-lag] * x[lag:]) / (P[i] * (1 - P[i]) * np.sqrt(len(x) - lag))
            assert abs(z) < stats.norm.isf(FALSE_ALARM / 2)


def test_positions_within_a_batch_are_uniform(drawn):
    u, _ = drawn
    for i in (4, 5, 6):
        where = np.nonzero(u[:, i])[0] % BATCH
        counts = np.bincount(where // 32, minlength=BATCH // 32)
        assert stats.chisquare(counts).pvalue > FALSE_ALARM


def test_values_are_uniform_on_0_2(drawn):
    _, values = drawn
    assert stats.kstest(values, stats.uniform(0, 2).cdf).pvalue > FALSE_ALARM
    # moments: <v> = 1, <v^2> = 4/3
    for power, mean, variance in ((1, 1, 1 / 3), (2, 4 / 3, 16 / 5 - 16 / 9)):
        z = (np.mean(values.astype(float) ** power) - mean) / np.sqrt(variance / values.size)
        assert abs(z) < stats.norm.isf(FALSE_ALARM / 2)


def test_rare_features_keep_their_rate():
    p = np.full(2000, 2e-5)
    count = sum(len(sample(p, 8192, 3, step)[1]) for step in range(100))  # expected 32,768
    assert stats.poisson(p.sum() * 8192 * 100).cdf(count) > FALSE_ALARM
    assert stats.poisson(p.sum() * 8192 * 100).sf(count) > FALSE_ALARM


def test_a_batch_depends_on_seed_and_step_alone():
    a, b = sample(P, BATCH, 7, 3), sample(P, BATCH, 7, 3)
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    for other in (sample(P, BATCH, 8, 3), sample(P, BATCH, 7, 4), sample(P, BATCH, 7 + 2**32, 3)):
        assert not np.array_equal(a[1], other[1])


def philox4x32(key: tuple[int, int], counter: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Philox4x32-10 from its paper (Salmon et al. 2011), in plain integers."""
    x, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(p1 >> 32) ^ x[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ x[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return tuple(x)


def test_reference_philox_gives_the_known_answer():
    # Known-answer vectors published with the Random123 library.
    assert philox4x32((0, 0), (0, 0, 0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)


@pytest.mark.parametrize("simd", variants())
def test_exponentials_are_minus_log_of_philox(simd):
    seed = 0x123456789ABCDEF0
    out = np.empty(256, dtype=np.float32)
    _fused.exponentials(seed, out, simd)
    words = np.empty((4, 4, 16))
    for block in range(4):
        for lane in range(16):
            words[block, :, lane] = philox4x32((seed & 0xFFFFFFFF, seed >> 32), (16 * block + lane, 0, 0, 0))
    assert out == pytest.approx(-np.log((words.ravel() + 0.5) / 2**32), rel=1e-6)
