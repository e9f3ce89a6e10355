"""The compressed-sensing scale and its inverse, against independent arithmetic."""

from __future__ import annotations

import math
import sys
from decimal import Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superlaw import InputError
from superlaw.theory.sensing import required_activity, sensing_capacity, sensing_degree

EPS = sys.float_info.epsilon
getcontext().prec = 50


def exact_activity(degree: float, low: Decimal, high: Decimal) -> Decimal:
    """-x ln x = 1/degree between low and high by bisection in 50 decimal places."""
    goal = 1 / Decimal(degree)
    rising = -low * low.ln() < goal
    for _ in range(220):
        middle = (low + high) / 2
        low, high = (middle, high) if (-middle * middle.ln() < goal) == rising else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("power", [1, 2, 3, 5])
def test_hand_derived_activities(power):
    """-x ln x at x = 2^-k is k ln 2 / 2^k: 1/4 and 1/16 are a factor of two in n/m and of four in 1 - S."""
    k = 2**power
    assert required_activity(2**k / (k * math.log(2))).sparse == pytest.approx(2.0**-k, rel=1e-14)


@pytest.mark.parametrize(
    "degree", [math.nextafter(math.e, 3), math.e + 1e-14, math.e + 1e-9, 2.7184, 2.72, 3.0, 5.0, 31.4, 1e4, 1e12]
)
def test_both_solutions_are_right_to_a_few_units_in_the_last_place_next_to_e_too(degree):
    found, top = required_activity(degree), 1 / Decimal(1).exp()
    sparse = exact_activity(degree, Decimal("1e-20"), top)
    outside = exact_activity(degree, top, 1 - Decimal("1e-20"))
    assert abs(Decimal(found.sparse) / sparse - 1) < 4 * EPS
    assert abs(Decimal(found.outside) / outside - 1) < 4 * EPS


@given(st.floats(math.e, 1e300))
def test_a_degree_comes_back_from_its_activity(degree):
    """n/m is flat in x at 1/e and close to a power of it beyond: this way round nothing is singular."""
    assert sensing_degree(required_activity(degree).sparse) == pytest.approx(degree, rel=1e-12)


@given(st.floats(-690, 0))
def test_an_activity_comes_back_from_its_degree_to_what_the_conditioning_allows(log_share):
    """x -> d -> x. With y = -ln x = 1 + t, ln d = y - ln y, so d ln x / d ln d = -(1 + t)/t: infinite at
    t = 0. The degree is rounded by at most 4 EPS (a logarithm, two operations, and the required
    activity's own few units), which moves s = t - ln(1 + t) by that much. Near t = 0, where s = t^2/2,
    that moves t by t - sqrt(t^2 - 8 EPS) at most: twice 4 EPS / t, and never more than twice
    sqrt(8 EPS). Away from it the tolerance is below 1e-12.
    """
    x = math.exp(log_share) / math.e
    t = -1 - math.log(x)
    moved = 4 * EPS
    change = min(moved * (1 + t) / t, math.sqrt(2 * moved)) if t > 0 else math.sqrt(2 * moved)
    tolerance = 2 * change + 4 * EPS
    if t > 0.01:
        assert tolerance < 1e-12
    back = required_activity(sensing_degree(x)).sparse
    assert abs(back / x - 1) <= tolerance


@given(st.floats(1 / math.e + 1e-4, 1 - 1e-4))
def test_the_solution_outside_the_sparse_regime_comes_back_too(x):
    t = -1 - math.log(x)  # between -1 and 0, the same conditioning: (1 + t)/t
    found = required_activity(sensing_degree(x))
    assert found.outside == pytest.approx(x, rel=1e-13 + 8 * EPS * abs((1 + t) / t))
    assert found.sparse < 1 / math.e < found.outside


def test_minus_x_ln_x_is_largest_at_one_over_e_where_the_two_solutions_meet():
    assert sensing_degree(1 / math.e) == pytest.approx(math.e, rel=2 * EPS)
    at = required_activity(math.e)
    assert at.sparse == pytest.approx(1 / math.e, rel=2 * EPS) and at.outside == pytest.approx(at.sparse, rel=2 * EPS)
    assert all(sensing_degree(x) > math.e for x in (0.30, 0.36, 0.37, 0.45))


@given(st.floats(1e-300, math.nextafter(math.e, 0)))
def test_fewer_than_e_features_a_neuron_require_no_sparsity(degree):
    found = required_activity(degree)
    assert not found.constrained and found.sparse is None and found.outside is None


@given(st.floats(math.e * 1.0001, 1e100), st.floats(1.0001, 1e3))
def test_more_features_a_neuron_require_sparser_ones(degree, factor):
    less, more = required_activity(degree), required_activity(degree * factor)
    assert more.sparse < less.sparse / factor * (1 + 1e-12)  # by more than the factor: the logarithm
    assert more.outside >= less.outside


def test_features_that_never_or_always_rest_have_an_infinite_scale_and_only_the_first_is_sparse():
    assert sensing_degree(0.0) == sensing_degree(1.0) == sensing_degree(5e-324) == math.inf
    assert sensing_capacity(10, 0.0).sparse and not sensing_capacity(10, 1.0).sparse


@given(st.integers(1, 10**6), st.floats(1e-12, 0.36), st.sampled_from([1, 2]))
def test_capacity_and_required_activity_are_converse(width, x, power):
    capacity = sensing_capacity(width, x, power)
    assert capacity.sparse
    assert required_activity(capacity.features / width**power).sparse == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("x", [-0.1, 1.1, math.nan, math.inf])
def test_an_activity_is_a_probability(x):
    with pytest.raises(InputError, match="probability"):
        sensing_degree(x)


@pytest.mark.parametrize("degree", [0, -1.0, math.nan, math.inf])
def test_a_degree_is_a_positive_number(degree):
    with pytest.raises(InputError, match="positive"):
        required_activity(degree)
