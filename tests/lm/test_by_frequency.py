"""Head, middle and tail of the token ranks: against each bucket's own pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from superlaw.lm.by_frequency import rank_buckets
from superlaw.lm.head import Head
from superlaw.lm.measure import measure_head


def brute_force(W: np.ndarray) -> float:
    w = W / np.linalg.norm(W, axis=1, keepdims=True)
    return float(((w @ w.T) ** 2)[~np.eye(len(w), dtype=bool)].mean())


def made() -> tuple[np.ndarray, np.ndarray]:
    """Rows whose common part and length go with their rank, in no order of it; and their ranks, from 0."""
    rng = np.random.default_rng(0)
    rank = rng.permutation(1000)
    W = rng.normal(size=(1000, 12)) * (1 + rank[:, None] / 1000)
    W[rank < 100] += 2
    return W, rank


def test_buckets_are_those_of_their_rows():
    W, rank = made()
    found = rank_buckets(W, np.linalg.norm(W, axis=1), np.argsort(rank))
    assert [(b.name, b.ranks) for b in found] == [("head", (1, 10)), ("middle", (11, 100)), ("tail", (101, 1000))]
    moved = W - W.mean(axis=0)
    for bucket in found:
        inside = (rank >= bucket.ranks[0] - 1) & (rank < bucket.ranks[1])
        assert bucket.mean_square == pytest.approx(brute_force(W[inside]), rel=1e-9)
        assert bucket.centred == pytest.approx(brute_force(moved[inside]), rel=1e-9)
        norms = np.linalg.norm(W[inside], axis=1)
        assert (bucket.mean_norm, bucket.std_norm) == pytest.approx((norms.mean(), norms.std()))
    assert found[0].mean_square > 2 * found[2].mean_square


@pytest.mark.parametrize("n", [2, 3, 11, 150])
def test_few_rows_have_fewer_buckets_and_each_row_is_in_one(n):
    W = np.random.default_rng(n).normal(size=(n, 3))
    found = rank_buckets(W, np.linalg.norm(W, axis=1), np.arange(n))
    covered = [rank for bucket in found for rank in range(bucket.ranks[0], bucket.ranks[1] + 1)]
    assert covered == list(range(1, n + 1))
    assert all(b.mean_square is None for b in found if b.ranks[0] == b.ranks[1])


def test_ranks_are_by_counts_then_by_id_and_rows_left_out_have_none():
    W, rank = made()
    W[5] = 0
    head = Head("W", "W", "", W)
    by_counts = measure_head(head, counts=np.maximum(0, 500 - rank))  # half of them never occur
    order = np.array([i for i in np.argsort(np.where(rank < 500, rank, 500 + np.arange(1000))) if i != 5])
    for found, truth in zip(by_counts.buckets, rank_buckets(W, np.linalg.norm(W, axis=1), order), strict=True):
        assert (found.name, found.ranks) == (truth.name, truth.ranks)
        assert (found.mean_norm, found.mean_square) == pytest.approx((truth.mean_norm, truth.mean_square))
    by_id = measure_head(head, ranks_by_id=True)
    assert by_id.buckets[0].mean_norm == pytest.approx(np.linalg.norm(np.delete(W, 5, 0)[:10], axis=1).mean())
    assert measure_head(head).buckets == () and by_id.weighted is None


def test_buckets_are_printed_and_counts_leave_no_need_of_ids(tmp_path, command):
    W, rank = made()
    np.save(tmp_path / "W.npy", W)
    (tmp_path / "c.json").write_text(json.dumps({"counts": {str(i): int(1000 - r) for i, r in enumerate(rank)}}))
    code, out, _ = command("lm", "head", tmp_path / "W.npy", "--tokens", tmp_path / "c.json")
    assert code == 0 and "head, ranks 1 to 10: norm" in out and "tail, ranks 101 to 1000" in out
    code, _, err = command("lm", "head", tmp_path / "W.npy", "--tokens", tmp_path / "c.json", "--ranks-by-id")
    assert code == 2 and "ranks without counts" in err
