"""Packing bounds against packings whose number is known, and against random directions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from superlaw import InputError
from superlaw.geometry.frames import etf_capacity, welch
from superlaw.theory.packing import log_tail, overlap_bounds, packing_bounds, random_packing


@pytest.mark.parametrize(
    ("m", "overlap", "lines", "name"),
    [
        (3, 1 / math.sqrt(5), 6, "icosahedron"),
        (7, 1 / 3, 28, "equiangular"),
        (23, 1 / 5, 276, "equiangular"),
        (4, 1 / 2, 12, "D4"),
        (6, 1 / 2, 36, "E6"),
        (7, 1 / 2, 63, "E7"),
        (8, 1 / 2, 120, "E8"),
    ],
)
def test_the_upper_bound_is_reached_by_the_sets_that_are_known_to_reach_it(m, overlap, lines, name):
    bounds = packing_bounds(m, overlap)
    assert bounds.upper == lines and bounds.lower <= lines
    assert overlap_bounds(lines, m).low == pytest.approx(overlap, abs=1e-12)


def test_no_bound_undercuts_the_leech_lattice():
    """98,280 lines of R^24 overlap by 0, 1/4 or 1/2."""
    assert packing_bounds(24, 1 / 2).upper >= 98_280
    assert overlap_bounds(98_280, 24).low <= 1 / 2


@given(st.floats(0.0, 0.99))
def test_in_the_plane_the_number_is_known_for_every_overlap(overlap):
    """Lines of R^2 at angles of pi/k: k of them from overlap cos(pi/k) on."""
    known = math.floor(math.pi / math.acos(overlap) + 1e-9)
    bounds = packing_bounds(2, overlap)
    assert bounds.lower <= known <= bounds.upper + 1e-9


@given(st.integers(2, 3000), st.floats(0.0, 0.999))
def test_what_exists_never_exceeds_what_is_possible(m, overlap):
    bounds = packing_bounds(m, overlap)
    assert math.log(m) <= bounds.log_lower <= bounds.log_upper + 1e-12


@given(st.integers(2, 2000), st.floats(0.0, 0.9), st.floats(0.0, 0.09))
def test_more_overlap_never_means_fewer_vectors(m, overlap, more):
    less, loose = packing_bounds(m, overlap), packing_bounds(m, overlap + more)
    assert less.log_lower <= loose.log_lower + 1e-12 and less.log_upper <= loose.log_upper + 1e-12


@pytest.mark.parametrize("m", [1, 2, 5, 100, 10**6])
def test_without_overlap_a_basis_is_all_there_is(m):
    assert packing_bounds(m, 0.0).lower == packing_bounds(m, 0.0).upper == m


@given(st.integers(2, 500))
def test_below_one_over_m_a_basis_and_at_it_a_simplex(m):
    assert packing_bounds(m, 0.999 / m).upper == m
    assert packing_bounds(m, 1 / m).lower == packing_bounds(m, 1 / m).upper == m + 1


@given(st.integers(3, 300))
def test_gerzons_number_is_reached_where_welch_and_levenshtein_meet(m):
    assert packing_bounds(m, 1 / math.sqrt(m + 2)).upper == etf_capacity(m)


@given(st.integers(2, 200), st.data())
def test_the_converse_is_welchs_bound_up_to_gerzons_number(m, data):
    n = data.draw(st.integers(m + 1, etf_capacity(m)))
    assert overlap_bounds(n, m).low == pytest.approx(math.sqrt(welch(n, m)), abs=1e-9)


@given(st.integers(2, 300), st.floats(0.01, 0.95))
def test_the_converse_brackets_the_overlap_at_which_a_number_fits(m, overlap):
    bounds = packing_bounds(m, overlap)
    if bounds.log_lower < 30:
        assert overlap_bounds(int(bounds.lower), m).low <= overlap * (1 + 1e-9) + 1e-12
    if bounds.log_upper < 30:
        assert overlap_bounds(int(bounds.upper) + 1, m).high >= overlap * (1 - 1e-9)


@pytest.mark.parametrize(("m", "overlap"), [(4, 0.3), (16, 0.5), (100, 0.1)])
def test_the_tail_is_that_of_random_directions(m, overlap):
    """Counted over 40,000 pairs: within 4.5 standard errors (false alarm 7e-6)."""
    w = np.random.default_rng(m).normal(size=(2, 40_000, m))
    cosine = np.einsum("ij,ij->i", w[0], w[1]) / np.linalg.norm(w[0], axis=1) / np.linalg.norm(w[1], axis=1)
    q = math.exp(log_tail(m, overlap))
    assert abs(np.mean(np.abs(cosine) > overlap) - q) < 4.5 * math.sqrt(q * (1 - q) / 40_000)


@given(st.integers(2, 400), st.floats(0.01, 0.99))
def test_the_tail_is_the_beta_distributions_and_below_its_exponential_bound(m, overlap):
    exact = stats.beta.logsf(overlap**2, 0.5, (m - 1) / 2)
    if exact > -600:
        assert log_tail(m, overlap) == pytest.approx(exact, rel=1e-7, abs=1e-9)
    assert log_tail(m, overlap) <= math.log(2) - m * overlap**2 / 2 + 1e-12


def test_tails_too_small_for_floating_point_join_those_that_are_not():
    """At m = 3001 the tail passes 1e-280 near overlap 0.59: its logarithm is smooth through it."""
    eps = np.linspace(0.55, 0.65, 21)
    logs = np.array([log_tail(3001, float(e)) for e in eps])
    assert logs[0] > math.log(1e-280) > logs[-1]
    assert np.abs(np.diff(logs, 4)).max() < 1e-2  # fourth differences would show a step


def test_directions_added_one_by_one_never_stop_before_the_lower_bound():
    """Greedy sets in R^3 and R^4, tried until 3000 directions in a row are refused."""
    for m, overlap in ((3, 0.6), (3, 0.8), (4, 0.5), (4, 0.7)):
        rng, kept, refused = np.random.default_rng(0), [], 0
        while refused < 3000:
            w = rng.normal(size=m)
            w /= np.linalg.norm(w)
            fits = not kept or np.abs(np.array(kept) @ w).max() <= overlap
            kept, refused = ([*kept, w], 0) if fits else (kept, refused + 1)
        bounds = packing_bounds(m, overlap)
        assert math.ceil(math.exp(-log_tail(m, overlap))) <= len(kept) <= bounds.upper


def test_random_directions_keep_their_promise():
    """With n from the union bound at 1/2, at least half of 200 random sets have no pair above eps; 4.5
    standard errors below a half would be a false alarm of 3e-6."""
    m, overlap = 30, 0.5
    n = int(math.exp(random_packing(m, overlap)))
    rng, good = np.random.default_rng(3), 0
    for _ in range(200):
        w = rng.normal(size=(n, m))
        w /= np.linalg.norm(w, axis=1, keepdims=True)
        gram = np.abs(w @ w.T)
        np.fill_diagonal(gram, 0)
        good += gram.max() <= overlap
    assert n >= 15 and good >= 100 - 4.5 * math.sqrt(50)


@pytest.mark.parametrize(("m", "overlap"), [(0, 0.1), (5, 1.0), (5, -0.1), (5, math.nan)])
def test_bad_input_is_refused(m, overlap):
    with pytest.raises(InputError):
        packing_bounds(m, overlap)
