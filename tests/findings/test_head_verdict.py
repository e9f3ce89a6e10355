"""The verdict on a head: by length and geometry, on matrices of which the answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from superlaw.findings.head_verdict import HeadVerdict, judge_head
from superlaw.findings.reference_heads import ReferenceHead, reference_heads
from superlaw.lm.head import Head, load_head
from superlaw.lm.measure import measure_head

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(scale=0.02, size=(2000, 64)).astype(np.float32)


def judged(W: np.ndarray, **options) -> HeadVerdict:
    return judge_head(measure_head(Head("W", "W", "made here", W), pairs="sampled", **options))


def uneven(exponent: float) -> np.ndarray:
    """Rows whose directions fall off as a power law: no few of them stand out."""
    return RNG.normal(size=(2000, 64)) * np.arange(1.0, 65.0) ** -exponent


@pytest.mark.parametrize(
    "W",
    [
        NORMAL,
        NORMAL.astype(np.float16),
        RNG.uniform(-1, 1, (2000, 64)),
        NORMAL / np.linalg.norm(NORMAL, axis=1)[:, None],
    ],
    ids=["normal", "f16", "uniform", "unit"],
)
def test_a_matrix_as_at_the_start_of_training_is_never_called_strong(W):
    found = judged(W)
    assert found.kind == "random"
    assert found.sentence.startswith("as never trained: 2000 rows in 64 dimensions overlap as random directions do")
    assert "as an initialisation's do" in found.sentence
    assert any("what of it was trained" in what for what in found.unknown)


def test_random_directions_are_called_so_at_a_rate_that_is_stated():
    """Of 100 matrices of normal entries none is off by 5 standard errors (chance of one: 2e-4)."""
    rng = np.random.default_rng(1)
    assert all(judged(rng.normal(size=(rng.integers(80, 300), 24))).kind == "random" for _ in range(100))


def test_random_directions_of_other_lengths_are_told_apart():
    found = judged(NORMAL * RNG.uniform(0.7, 1.3, (2000, 1)))
    assert found.kind == "strong"
    assert any("what of it was trained" in what for what in found.unknown)


def test_a_thousand_identical_rows_are_one():
    found = judged(np.ones((1000, 8)))
    assert found.kind == "none"
    assert "1000 rows (1 of them different) in 8 dimensions" in found.sentence
    assert any("duplicates: 1 rows differ" in ground for ground in found.grounds)


@pytest.mark.parametrize("copies", [2, 10])
def test_duplicates_do_not_make_an_overlap(copies):
    """Random rows, each written several times: judged by the rows that differ, with what the copies did to the mean."""
    W = np.repeat(NORMAL, copies, axis=0)
    shown = measure_head(Head("W", "W", "", W), pairs="sampled")
    n = len(W)
    assert shown.equal_pairs == pytest.approx((copies - 1) / (n - 1), rel=1e-12)
    assert shown.excess == pytest.approx(1 + 63 * (copies - 1) / (n - 1), rel=3e-3)
    assert judge_head(shown).kind == "random"
    assert judged(W, leave_out=("duplicate",)).kind == "random"


def test_half_the_rows_alike_is_told():
    W = NORMAL.copy()
    W[1000:] = W[1000]
    found = judged(W)
    assert "2000 rows (1001 of them different) in 64 dimensions" in found.sentence
    assert any("duplicates: 1001 rows differ; equal pairs make 0.25" in ground for ground in found.grounds)


def test_one_dominant_direction_is_seen_through():
    """A common row is the mean row; one direction with both signs is not, and counts as the one that it is."""
    common = judged(NORMAL + 0.2)
    assert common.kind == "strong behind" and "behind the mean row" in common.sentence
    signed = judged(NORMAL + RNG.choice([-1, 1], (2000, 1)) * np.float32(0.1))
    assert signed.kind == "strong behind" and "behind 1 dominant direction" in signed.sentence


def test_directions_that_fall_off_evenly_are_no_strong_geometry():
    found = judged(uneven(0.5))
    assert found.kind == "long rows only" and "by length, not by geometry" in found.sentence


def test_short_rows_are_weak():
    W = uneven(0.3) * np.where(RNG.random((2000, 1)) < 0.3, 0.1, 1.0)
    assert judged(W).kind == "weak"


def test_a_matrix_on_its_side_is_questioned(tmp_path, command):
    np.save(tmp_path / "W.npy", RNG.normal(size=(64, 5000)).astype(np.float32))
    found = judge_head(measure_head(load_head(tmp_path / "W.npy")))
    assert found.kind == "transposed?" and "--transpose" in found.sentence
    turned = judge_head(measure_head(load_head(tmp_path / "W.npy", transpose=True)))
    assert turned.kind == "random"
    code, out, _ = command("lm", "head", tmp_path / "W.npy")
    assert code == 0 and "questioned: 64 rows of 5000 numbers" in out


def test_no_more_rows_than_dimensions_need_none():
    assert judged(np.eye(30, 30) + 0.01).kind == "none"


@pytest.fixture(scope="module")
def toy():
    """The toy model in strong superposition, trained for a second: its overlaps are as those of random rows by the mean
    squared one (by 2 standard errors), and by the fourth moment not (13)."""
    from superlaw import RunSpec, train

    return train(
        RunSpec(n_features=300, width=20, weight_decay=-1, steps=1500, batch=512, warmup=200, initial_bias_std=0)
    )


def test_a_trained_toy_model_in_strong_superposition_is_called_so(toy):
    found = judged(toy.W)
    assert found.kind == "strong", found.sentence
    assert found.sentence.startswith("strong superposition: 100.0% of 300 rows in 20 dimensions are long")


def test_the_trained_minilm_is_long_in_preferred_directions(minilm):
    shown = measure_head(load_head(minilm, encoder=True), pairs="sampled")
    found = judge_head(shown)
    assert found.kind == "long rows only"
    (kept,) = (head for head in reference_heads() if head.name == "MiniLM L6")
    now = ReferenceHead.of(shown, kept.name, kept.source)
    for name, value in kept.to_dict().items():
        assert getattr(now, name) == (value if isinstance(value, str) else pytest.approx(value, rel=1e-3)), name


def test_the_random_references_are_random():
    for head in reference_heads()[:2]:
        assert (head.excess, head.centred_excess) == pytest.approx((1, 1), abs=2e-3) and head.until_random == 0


def test_what_is_said_of_a_head_stands_in_its_json(tmp_path, command):
    np.save(tmp_path / "W.npy", NORMAL)
    code, out, _ = command("lm", "head", tmp_path / "W.npy", "--json")
    record = json.loads(out)
    shown = record["models"][0]
    assert code == 0 and shown["verdict_kind"] == "random" and shown["verdict"].startswith("as never trained")
    assert len(shown["verdict_rests_on"]) == 3 and shown["verdict_cannot_tell"]
    assert [head["name"] for head in record["references"]][:2] == ["random directions", "random initialisation"]
    assert shown["twice_the_width"]["sentence"].startswith("twice the width: cannot tell")
