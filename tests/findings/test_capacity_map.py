"""The capacity map's boundary and what is said of it, on cells made by hand."""

from __future__ import annotations

import math

import pytest

from superlaw.findings import capacity_map
from superlaw.theory.sensing import sensing_degree


def cells(shares, width=10, activity=0.05):
    return [
        capacity_map.Cell(width, int(width * d), activity, (s * width * d,), (0.0,), (0.0,)) for d, s in shares.items()
    ]


def test_the_boundary_lies_where_the_share_falls_through_one_half():
    """Half-way on a logarithmic scale from 2 to 8 is 4, where shares of 1 and 0 cross 1/2."""
    assert capacity_map._boundary(cells({2: 1.0, 8: 0.0})) == pytest.approx(4)
    assert capacity_map._boundary(cells({2: 1.0, 8: 0.9})) is None
    assert capacity_map._boundary(cells({1: 0.75, 4: 0.25})) == pytest.approx(2)


def test_sentences_follow_the_ceilings():
    dense = capacity_map.Ceiling(10, 0.1, cells({4: 1.0})[0], 1.1 * sensing_degree(0.1), sensing_degree(0.1), 5.0)
    sparse = capacity_map.Ceiling(
        10, 0.001, cells({8: 1.0})[0], 0.1 * sensing_degree(0.001), sensing_degree(0.001), 5.0
    )
    told = capacity_map._boundary_in_words(10, [dense, sparse])
    assert "1.10 to 1.10 times n/m" in told and "then 0.1 times that scale at 0.001" in told
    assert "more than m^2/2 at 1-S of 0.001 and less" in capacity_map._most_in_words(10, [dense, sparse])
    assert "never as many as m^2/2" in capacity_map._most_in_words(10, [dense])


def test_where_every_run_diverged_there_is_no_ceiling():
    nan = capacity_map.Cell(6, 12, 0.01, (math.nan,), (math.nan,), (math.nan,))
    assert capacity_map.ceilings_of((nan,)) == ()
