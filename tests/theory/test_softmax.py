"""The width part of a cross-entropy, against the cross-entropy itself."""

from __future__ import annotations

import numpy as np
import pytest

from superlaw.geometry.frames import welch
from superlaw.theory.softmax import frame_softmax_width_part, softmax_width_part


def cross_entropy(W: np.ndarray) -> np.ndarray:
    """-log softmax(W w_i)_i for the hidden state w_i = W_i/||W_i||, in float64, no expansion."""
    logits = (W / np.linalg.norm(W, axis=1, keepdims=True)) @ W.T
    return np.log(np.exp(logits - np.diag(logits)[:, None]).sum(axis=1))


def test_the_width_part_is_a_double_loop():
    W = np.random.default_rng(0).standard_normal((7, 3))
    slow = []
    for i in range(7):
        norm = np.linalg.norm(W[i])
        slow.append(sum((W[i] @ W[j] / norm) ** 2 for j in range(7) if j != i) * np.exp(-norm) / 2)
    assert softmax_width_part(W) == pytest.approx(slow, rel=1e-12)
    assert softmax_width_part(np.zeros((2, 3))).tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_second_order_of_the_cross_entropy_in_the_overlaps(seed):
    """Small overlaps of both signs (rows in opposite pairs, each with much of its own): the loss less lower orders."""
    random = np.random.default_rng(seed)
    n, m, norm = 12, 40, 9.0
    shared = random.standard_normal((n // 2, m)) / np.sqrt(m)
    W = np.hstack([np.vstack([shared, -shared]), 12 * np.eye(n)])
    W = norm * W / np.linalg.norm(W, axis=1, keepdims=True)
    overlaps = W @ W.T / norm - norm * np.eye(n)
    assert abs(overlaps).max() < 0.1 and abs(overlaps.sum(axis=1)).max() < 0.1
    # s = sum e^(a_j - r) to first order; log(1 + s) = s - s^2/2 + ...
    linear = np.exp(-norm) * ((n - 1) + overlaps.sum(axis=1))
    beyond = cross_entropy(W) + linear**2 / 2 - linear
    assert softmax_width_part(W) == pytest.approx(beyond, rel=0.05)


def test_equal_rows_give_the_closed_form_and_a_fall_as_one_over_m():
    W = np.linalg.svd(np.eye(6) - 1 / 6)[0][:, :5]
    W = 4.0 * W / np.linalg.norm(W, axis=1, keepdims=True)
    assert softmax_width_part(W) == pytest.approx(np.full(6, frame_softmax_width_part(4.0, 6, welch(6, 5))))
    parts = [frame_softmax_width_part(10.0, 50_000, 1 / m) for m in (500, 1000)]
    assert parts[0] / parts[1] == pytest.approx(2)
