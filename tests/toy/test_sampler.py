"""The sparse sampler has the distribution of the dense batch: marginals, pairs, values, independence.

Each statistical test says its false-alarm rate; seeds are fixed, so a pass is a pass for good.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from superlaw import RunSpec
from superlaw.theory.values import VALUES
from superlaw.toy.fused import _fused, draw, sample, variants

FALSE_ALARM = 1e-5
BATCH, STEPS = 512, 400
P = np.array([1.0, 0.9, 0.5, 0.2, 0.1, 0.05, 0.01, 0.004, 0.001, 0.0])


def draw_many(p: np.ndarray, batch: int, steps: int, seed: int = 1, simd: str = "") -> tuple[np.ndarray, np.ndarray]:
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
    return draw_many(P, BATCH, STEPS, simd=request.param)


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


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize("name", VALUES)
def test_values_of_every_distribution_are_its_quantiles_of_the_same_uniform_numbers(name, simd):
    spec = RunSpec(n_features=500, data_exponent=0.0, activation_density=8.0, batch=2000, seed=4)
    uniform, values = draw(spec, 3, simd), draw(spec.change(values=name), 3, simd)
    assert all(np.array_equal(a, b) for a, b in zip(uniform[:2], values[:2], strict=True))
    assert len(uniform[2]) > 10_000
    u = uniform[2].astype(np.float64) / 2
    assert values[2] == pytest.approx(VALUES[name].quantile(u), rel=3e-7)


MOMENTS = {"uniform": (4 / 3, 16 / 5), "exponential": (2, 24), "half-normal": (np.pi / 2, 3 * (np.pi / 2) ** 2)}


@pytest.mark.parametrize("name", MOMENTS)
def test_values_have_mean_1_and_their_second_moment(name):
    """Two z-tests of false-alarm rate 1e-5 each; <v^2> and <v^4> are of the distribution, by hand."""
    spec = RunSpec(n_features=50, activation_density=4.0, batch=4096, values=name, seed=5)
    v = np.concatenate([draw(spec, step)[2] for step in range(30)]).astype(np.float64)
    second, fourth = MOMENTS[name]
    assert second == pytest.approx(VALUES[name].second_moment)
    for got, mean, variance in ((v, 1, second - 1), (v**2, second, fourth - second**2)):
        assert abs(np.mean(got) - mean) < stats.norm.isf(FALSE_ALARM / 2) * np.sqrt(variance / v.size)


def grouped(correlation: float, p: np.ndarray, size: int, **fields) -> RunSpec:
    return RunSpec(frequencies=p, correlation=correlation, group_size=size, batch=BATCH, **fields)


def indicators(spec: RunSpec, steps: int, simd: str = "") -> np.ndarray:
    """u, shape (steps * batch, n)."""
    u = np.zeros((steps, spec.batch, spec.n_features), dtype=bool)
    for step in range(steps):
        start, which, _ = draw(spec, step, simd)
        for i in range(spec.n_features):
            rows = which[start[i] : start[i + 1]]
            assert (np.diff(rows) > 0).all()  # ascending, never twice
            u[step, rows, i] = True
    return u.reshape(-1, spec.n_features)


# Not in the order of their ranks: groups are of ranks (1, .9, .5), (.3, .2, .1), (.04, .01, 0) and (0).
MIXED = np.array([0.2, 1.0, 0.04, 0.9, 0.0, 0.1, 0.5, 0.01, 0.3, 0.0])


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize("c", [0.05, 0.4, 1.0])
def test_groups_fire_together_as_their_definition_says(c, simd):
    """Marginals p_i, and for every pair Cov(u_i, u_j) = c (min(p_i, p_j) - p_i p_j) within a group, 0 between.

    P(u_i u_j = 1) is binomial: exact tests, with a false-alarm rate of 1e-5 for all of them together.
    """
    spec = grouped(c, MIXED, 3, seed=11)
    u = indicators(spec, 200, simd)
    n, level = len(MIXED), FALSE_ALARM / 55
    assert spec.groups is not None and len(np.unique(spec.groups)) == 4
    for i in range(n):
        for j in range(i, n):
            p = MIXED[i] * MIXED[j]
            if i == j:
                p = MIXED[i]
            elif spec.groups[i] == spec.groups[j]:
                p += c * (min(MIXED[i], MIXED[j]) - p)
            both = int((u[:, i] & u[:, j]).sum())
            assert stats.binomtest(both, len(u), p).pvalue > level if 0 < p < 1 else both == p * len(u)


@pytest.mark.parametrize("c", [0.3, 1.0])
def test_triples_of_a_group_fire_together_too(c):
    """All three: c min p + (1 - c) p_i p_j p_k. One exact test of false-alarm rate 1e-5."""
    p = np.array([0.3, 0.2, 0.1])
    u = indicators(grouped(c, p, 3, seed=2), 200)
    expected = c * 0.1 + (1 - c) * 0.3 * 0.2 * 0.1
    assert stats.binomtest(int(u.all(axis=1).sum()), len(u), expected).pvalue > FALSE_ALARM


def test_with_correlation_1_only_the_ladder_of_a_group_occurs():
    """Members share U: where one of them is active, so are all that are likelier."""
    p = np.array([0.4, 0.3, 0.2, 0.1])
    u = indicators(grouped(1.0, p, 4), 50)
    assert u.any() and (u[:, :-1] >= u[:, 1:]).all()


def test_correlated_samples_are_independent_of_each_other():
    """Neighbouring samples and steps, for one feature and for a pair; false-alarm rate 1e-5 each."""
    p = np.array([0.4, 0.3, 0.2, 0.1])
    u = indicators(grouped(0.5, p, 4, seed=6), 200).astype(float)
    for a, b in ((0, 0), (0, 1), (1, 0), (2, 3)):
        x, y = u[:, a] - p[a], u[:, b] - p[b]
        for lag in (1, BATCH):
            z = np.sum(x[:-lag] * y[lag:]) / np.sqrt(p[a] * (1 - p[a]) * p[b] * (1 - p[b]) * (len(x) - lag))
            assert abs(z) < stats.norm.isf(FALSE_ALARM / 2)


def test_correlation_keeps_the_density_of_a_large_model():
    """The number of active features over 100 batches: E B 100 = 204,800 on average, with the variance of
    groups that fire together; one z-test of false-alarm rate 1e-5."""
    spec = RunSpec(n_features=2000, correlation=0.7, group_size=10, seed=3)
    counts = sum(len(draw(spec, step)[1]) for step in range(100))
    p, groups = spec.probabilities, spec.groups
    assert groups is not None
    variance = np.sum(p * (1 - p))
    for g in np.unique(groups):
        one = p[groups == g]
        covariance = 0.7 * (np.minimum.outer(one, one) - np.outer(one, one))
        variance += covariance.sum() - np.trace(covariance)
    samples = 100 * spec.batch
    assert abs(counts - samples * p.sum()) < stats.norm.isf(FALSE_ALARM / 2) * np.sqrt(samples * variance)


def test_a_correlated_batch_depends_on_seed_and_step_alone():
    spec = grouped(0.4, MIXED, 3, seed=7)
    again = [draw(spec, 3) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(*again, strict=True))
    for other in (draw(spec.change(seed=8), 3), draw(spec, 4)):
        assert not np.array_equal(again[0][1], other[1])


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
