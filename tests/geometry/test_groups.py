"""Overlaps within groups of rows."""

from __future__ import annotations

import numpy as np
import pytest
from known_frames import bases, frame_of_28, random_rows, simplex

from superlaw.errors import InputError
from superlaw.geometry.frames import random_square_overlap, welch
from superlaw.geometry.groups import decade_edges, norm_groups, overlaps_by_norm, overlaps_by_rank


def trained_like() -> np.ndarray:
    """28 long equiangular rows, 100 middling random ones, 50 short ones, 5 of no length, in R^7."""
    long = 1.2 * frame_of_28() / np.linalg.norm(frame_of_28(), axis=1)[:, None]
    return np.concatenate([long, 0.8 * random_rows(100, 7), 0.1 * random_rows(50, 7, seed=1), np.zeros((5, 7))])


def test_groups_by_norm_are_strong_weak_and_ignored():
    groups = {group.name: group for group in overlaps_by_norm(trained_like())}
    assert list(groups) == ["all", "strong", "weak", "ignored"]
    assert [group.rows for group in groups.values()] == [178, 28, 100, 50]
    strong, weak = groups["strong"], groups["weak"]
    assert strong.welch_ratio == pytest.approx(1, rel=1e-12)
    assert strong.etf_distance == pytest.approx(0, abs=1e-12)
    assert strong.found.largest == pytest.approx(1 / 3)
    # Random rows: mean 1/m with a spread of about 1/n of itself, variance near that of the Beta law.
    assert weak.found.mean_square == pytest.approx(1 / 7, rel=0.1) and weak.etf_distance == pytest.approx(1, abs=0.15)


def test_every_row_is_in_one_group_and_thresholds_are_above():
    W = np.diag([0.5, 0.5000001, 1.0, 1.0000001, 0.0])
    groups = norm_groups(W)
    assert {name: np.flatnonzero(rows).tolist() for name, rows in groups.items()} == {
        "strong": [3], "weak": [1, 2], "ignored": [0, 4],
    }  # fmt: skip
    assert (sum(rows.astype(int) for rows in groups.values()) == 1).all()


def test_a_record_holds_what_the_group_is_compared_with():
    shown = overlaps_by_norm(simplex(4))[0].to_dict()
    assert (shown["rows"], shown["pairs"], shown["others"]) == (5, 10, None)
    assert [shown[key] for key in ("welch", "mean_square_overlap")] == pytest.approx([1 / 16] * 2)
    assert [shown[key] for key in ("welch_largest", "largest_overlap", "mean_abs_overlap")] == pytest.approx(
        [1 / 4] * 3
    )
    assert (shown["random_mean_square_overlap"], shown["random_square_overlap_variance"]) == random_square_overlap(4)
    assert shown["least_etf_distance"] == 0 <= shown["etf_distance"]


def test_a_group_too_small_for_pairs_has_none():
    strong = overlaps_by_norm(0.7 * np.eye(3))[1].to_dict()
    assert strong["rows"] == strong["pairs"] == 0
    assert strong["mean_square_overlap"] is strong["etf_distance"] is strong["welch"] is None


def test_bins_of_rank_and_their_crossings_make_up_all_pairs():
    W = random_rows(250, 9) * np.linspace(2, 0.1, 250)[:, None]
    groups, everything = overlaps_by_rank(W), overlaps_by_norm(W)[0].found
    assert [group.name for group in groups[:3]] == ["ranks 1-10", "ranks 11-100", "ranks 101-250"]
    assert sum(group.found.pairs for group in groups) == everything.pairs
    total = sum(group.found.pairs * group.found.mean_square for group in groups)
    assert total / everything.pairs == pytest.approx(everything.mean_square, rel=1e-12)
    assert max(group.found.largest for group in groups) == pytest.approx(everything.largest)


def test_two_orthogonal_bins_do_not_meet():
    W = np.concatenate([np.eye(4)[:2], np.eye(4)[:2], np.eye(4)[2:]])
    first, second, crossed = overlaps_by_rank(W, (0, 4, 6))
    assert first.found.mean_square == pytest.approx(1 / 3) and second.found.largest == 0 == crossed.found.largest
    assert (crossed.rows, crossed.others) == (4, 2) and np.isnan(crossed.welch)


def test_ranks_go_by_frequency_when_it_is_given():
    W = np.concatenate([bases(5, 2), np.tile([1.0, 0, 0, 0, 0], (10, 1))])
    p = np.concatenate([np.full(10, 0.1), np.full(10, 0.9)])
    assert overlaps_by_rank(W, (0, 10), p)[0].found.mean_square == 1
    assert overlaps_by_rank(W, (0, 10))[0].found.mean_square == pytest.approx(welch(10, 5))


@pytest.mark.parametrize("n", [1, 9, 10, 11, 1000, 1001])
def test_decades_of_rank_end_at_n(n):
    edges = decade_edges(n)
    assert edges[0] == 0 and edges[-1] == n and list(edges) == sorted(set(edges))


@pytest.mark.parametrize("edges", [(0,), (0, 5, 5), (0, 99), (3, 1), (-1, 2)])
def test_edges_that_do_not_fit_are_refused(edges):
    with pytest.raises(InputError, match="from 0 to 6"):
        overlaps_by_rank(np.ones((6, 2)), edges)


def test_frequencies_and_thresholds_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="one finite number a row"):
        overlaps_by_rank(np.ones((6, 2)), frequencies=np.ones(5))
    with pytest.raises(InputError, match="represented <= strong"):
        overlaps_by_norm(np.ones((6, 2)), 2.0, 1.0)
