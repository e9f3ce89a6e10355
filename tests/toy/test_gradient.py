"""Gradients of every kernel of `fused` against autograd of `dense` in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from superlaw import InputError
from superlaw.toy.fused import gradient, sample, variants

torch = pytest.importorskip("torch")
from superlaw.toy.dense import LOSSES, model_loss  # noqa: E402

TOLERANCE = 1e-5
UNDECIDED = 1e-5  # relu'(z) is not compared where |z| is below this
OUTPUTS = ("relu", "linear", "gelu", "cross-entropy")
PRODUCTS = ("plain", "symmetric-gradient", "symmetric", "sparse")


def dense_batch(entries, batch: int, n: int) -> np.ndarray:
    start, which, value = entries
    x = np.zeros((batch, n))
    x[which, np.repeat(np.arange(n), np.diff(start))] = value
    return x


def reference(W, b, x) -> tuple[float, np.ndarray, np.ndarray, float, int]:
    """L, dW, db by autograd in float64; what float32 may miss of them; the number of undecided entries.

    It may miss the undecided entries, and a few roundings of what the sums add up (which shows only where
    nearly all of it cancels: a single feature at its optimum).
    """
    W64, b64 = (torch.tensor(a.astype(np.float64), requires_grad=True) for a in (W, b))
    loss = model_loss(W64, b64, torch.tensor(x))
    loss.backward()
    W, b = W.astype(np.float64), b.astype(np.float64)
    h = x @ W
    z = h @ W.T + b
    undecided = np.argwhere(np.abs(z) < UNDECIDED)
    e = 2 * np.abs(np.maximum(z, 0) - x) * (z > 0) / len(x)
    summed = np.linalg.norm(x.T @ (e @ np.abs(W))) + np.linalg.norm(e.T @ np.abs(x @ W)) + np.linalg.norm(e.sum(axis=0))
    slack = 2e-7 * summed
    for s, j in undecided:
        missed = 2 * abs(max(z[s, j], 0) - x[s, j]) / len(x)
        slack += missed * (1 + np.linalg.norm(x[s]) * np.linalg.norm(W[j]) + np.linalg.norm(h[s]))
    return loss.item(), W64.grad.numpy(), b64.grad.numpy(), slack, len(undecided)


def check(W, b, p, batch, seed, **options):
    entries = sample(p, batch, seed, 0)
    x = dense_batch(entries, batch, p.size)
    loss, dW, db, slack, undecided = reference(W, b, x)
    got_loss, got_dW, got_db, _ = gradient(W, b, entries, batch, **options)
    rounding = 1e-6 * np.mean(np.sum(x**2, axis=1))  # of (y - x)^2 in float32, where y is close to x
    assert got_loss == pytest.approx(loss, rel=TOLERANCE, abs=rounding)
    scale = np.linalg.norm(dW), np.linalg.norm(db)
    assert np.linalg.norm(got_dW - dW) <= TOLERANCE * scale[0] + slack + 1e-12
    assert np.linalg.norm(got_db - db) <= TOLERANCE * scale[1] + slack + 1e-12
    return undecided


@st.composite
def problems(draw):
    n, m = draw(st.integers(1, 300)), draw(st.integers(1, 70))
    batch = draw(st.integers(1, 300))
    density = draw(st.floats(0.01, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = np.minimum(1, random.pareto(1.5, n) * density / n)
    p[random.random(n) < draw(st.sampled_from([0, 0.3]))] = 0
    p[random.random(n) < draw(st.sampled_from([0, 0.02]))] = 1
    W = (random.standard_normal((n, m)) / np.sqrt(m)).astype(np.float32)
    b = random.standard_normal(n) * draw(st.sampled_from([0.0, 0.3, 1.0]))
    b += draw(st.sampled_from([0.0, 0.0, -0.5, -2.0]))  # half of the outputs active, few, hardly any
    b[random.random(n) < draw(st.sampled_from([0, 0.2]))] = 0.1  # some always: dense tiles in a sparse step
    b = b.astype(np.float32)
    return W, b, p, batch, draw(st.integers(0, 1000))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    problems(),
    st.sampled_from(variants()),
    st.sampled_from([*((p, 1) for p in PRODUCTS), ("plain", 2), ("plain", 3), ("sparse", 2), ("sparse", 3)]),
)
def test_gradients_match_autograd_in_float64(problem, simd, way):
    products, threads = way  # symmetric products are for one thread
    undecided = check(*problem, simd=simd, products=products, threads=threads)
    event(f"undecided entries: {min(undecided, 3)}")


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize("products", PRODUCTS)
@pytest.mark.parametrize(
    ("n", "m", "batch", "p"),
    [
        (1, 1, 5, 0.5),  # one feature
        (1, 3, 7, 1.0),  # always active
        (64, 16, 100, 0.02),  # exactly one tile
        (65, 17, 100, 0.02),  # one column more
        (128, 5, 40, 1.0),  # dense: every feature in every sample
        (200, 100, 50, 0.0),  # only empty samples
        (30, 64, 20, 0.1),  # wider than it has features
        (1000, 25, 2048, 0.001),
    ],
)
def test_corner_cases(simd, products, n, m, batch, p):
    random = np.random.default_rng(n + m)
    W = (random.standard_normal((n, m)) / np.sqrt(m)).astype(np.float32)
    b = random.standard_normal(n).astype(np.float32)
    check(W, b, np.full(n, p), batch, 0, simd=simd, products=products)


def sparse_state(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """A state with few active outputs, and a fifth of the columns with all of them."""
    random = np.random.default_rng(n * m)
    W = (random.standard_normal((n, m)) / np.sqrt(m)).astype(np.float32)
    return W, np.where(np.arange(n) % 5 == 0, 0.2, -0.6).astype(np.float32)


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize(("n", "m"), [(700, 9), (1000, 130)])
def test_sparse_gradients_have_the_same_bits_for_any_number_of_threads(simd, n, m):
    W, b = sparse_state(n, m)
    entries = sample(np.full(n, 1.5 / n), 900, 3, 0)
    one = gradient(W, b, entries, 900, simd=simd, products="sparse")
    for threads in (2, 3, 5):
        many = gradient(W, b, entries, 900, simd=simd, products="sparse", threads=threads)
        assert one[0] == many[0]
        assert np.array_equal(one[1], many[1]) and np.array_equal(one[2], many[2])


@pytest.mark.parametrize("simd", variants())
def test_sparse_gradients_of_wide_rows(simd):
    """More vectors a row than one panel of registers, and a last one that is not full."""
    W, b = sparse_state(300, 150)
    check(W, b, np.full(300, 0.004), 700, 1, simd=simd, products="sparse")


def reference_of(W, b, V, x, output) -> tuple[float, list[np.ndarray]]:
    """L and its gradients in W, b and, untied, V by autograd in float64."""
    state = [torch.tensor(a.astype(np.float64), requires_grad=True) for a in (W, b, V) if a is not None]
    entropy = output == "cross-entropy"
    loss = model_loss(
        state[0], state[1], torch.tensor(x), "linear" if entropy else output,
        "cross-entropy" if entropy else "squared-error", state[2] if V is not None else None,
    )  # fmt: skip
    loss.backward()
    return loss.item(), [a.grad.numpy() for a in state]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    problems(),
    st.sampled_from([(output, tied) for output in OUTPUTS for tied in (True, False)][1:]),
    st.sampled_from(variants()),
    st.sampled_from([*((p, 1) for p in PRODUCTS), ("plain", 2), ("plain", 3), ("sparse", 2), ("sparse", 3)]),
)
def test_gradients_of_every_output_and_of_an_encoder_match_autograd(problem, variant, simd, way):
    W, b, p, batch, seed = problem
    (output, tied), (products, threads) = variant, way
    V = None if tied else np.random.default_rng(seed).permuted(W, axis=1)[::-1].copy()
    entries = sample(p, batch, seed, 0)
    x = dense_batch(entries, batch, p.size)
    assume(output != "cross-entropy" or x.any())  # its mean is over samples with an active feature
    # relu'(z) is not decided near 0 in float32, so the bias keeps z away from there
    if output == "relu":
        z = x @ (W if V is None else V).astype(np.float64) @ W.T.astype(np.float64) + b
        assume((np.abs(z) > UNDECIDED).all())
    loss, expected = reference_of(W, b, V, x, output)
    got_loss, *got = gradient(
        W, b, entries, batch, simd=simd, products=products, threads=threads, output=output, encoder=V
    )
    event(output)
    assert got_loss == pytest.approx(loss, rel=TOLERANCE, abs=1e-6 * (1 + np.mean(np.sum(x**2, axis=1))))
    for one, right in zip(got, expected, strict=False):
        assert np.linalg.norm(one - right) <= TOLERANCE * np.linalg.norm(right) + slack_of(W, b, V, x, output)


def slack_of(W, b, V, x, output) -> float:
    """A few roundings of what the sums of a gradient add up: see :func:`reference`."""
    W, b, V = (a.astype(np.float64) for a in (W, b, W if V is None else V))
    z = torch.tensor(x @ V @ W.T + b, requires_grad=True)
    entropy = output == "cross-entropy"
    LOSSES["cross-entropy" if entropy else "squared-error"](
        z, torch.tensor(x), "linear" if entropy else output
    ).backward()
    totals = x.sum(axis=1, keepdims=True)
    target = x / totals.clip(1e-30) / (totals > 0).sum() if entropy else 2 * x / len(x)
    e = np.abs(z.grad.numpy()) + 2 * target  # e is what is answered less the target: each of them is rounded
    own = np.linalg.norm(x.T @ (e @ np.abs(W))) + np.linalg.norm(e.T @ np.abs(x @ V)) + np.linalg.norm(e.sum(axis=0))
    return 2e-7 * own


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize("output", ["linear", "gelu", "cross-entropy"])
@pytest.mark.parametrize("far", [0.0, 30.0, -30.0])
def test_outputs_far_from_zero_are_right(simd, output, far):
    """Where exp and the normal distribution would overflow or vanish."""
    random = np.random.default_rng(5)
    W = (3 * random.standard_normal((90, 12))).astype(np.float32)
    b = (far + 10 * random.standard_normal(90)).astype(np.float32)
    entries = sample(np.full(90, 0.02), 150, 2, 0)
    x = dense_batch(entries, 150, 90)
    loss, expected = reference_of(W, b, None, x, output)
    got_loss, *got = gradient(W, b, entries, 150, simd=simd, output=output)
    assert got_loss == pytest.approx(loss, rel=TOLERANCE)
    for one, right in zip(got, expected, strict=False):
        assert np.linalg.norm(one - right) <= TOLERANCE * np.linalg.norm(right)


@pytest.mark.parametrize("simd", variants())
def test_a_state_that_is_not_a_number_is_not_hidden(simd):
    entries = sample(np.full(40, 0.1), 50, 1, 0)
    W, b = np.full((40, 3), 0.1, np.float32), np.zeros(40, np.float32)
    W[7] = np.nan
    for output in OUTPUTS:
        loss, dW, *_ = gradient(W, b, entries, 50, simd=simd, output=output)
        assert not (np.isfinite(loss) and np.isfinite(dW).all())


def test_relu_has_derivative_zero_at_zero():
    """z = 0 exactly: b = 0 and W = 0, x = 1 active; with relu'(0) = 0 nothing flows."""
    entries = np.array([0, 1], np.int32), np.array([0], np.int32), np.array([1.0], np.float32)
    loss, dW, db, _ = gradient(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), entries, 1)
    assert loss == 1 and dW[0, 0] == 0 and db[0] == 0


@pytest.mark.parametrize(
    ("start", "which", "value"),
    [
        ([0, 1, 1], [50], [1.0]),  # a sample beyond the batch
        ([0, 1, 1], [-1], [1.0]),
        ([0, 2, 1], [0], [1.0]),  # not ascending
        ([0, 1], [0], [1.0]),  # for another number of features
        ([0, 1, 1], [0], []),
    ],
)
def test_entries_that_do_not_fit_are_refused(start, which, value):
    entries = np.array(start, np.int32), np.array(which, np.int32), np.array(value, np.float32)
    with pytest.raises(InputError, match="do not fit"):
        gradient(np.ones((2, 3), np.float32), np.zeros(2, np.float32), entries, 8)


def test_a_wrong_kernel_would_be_seen():
    """The tolerance is tight: leaving one entry out of 2,000 from the batch is far beyond it."""
    random = np.random.default_rng(0)
    p = np.full(200, 0.01)
    W = (random.standard_normal((200, 20)) / np.sqrt(20)).astype(np.float32)
    b = random.standard_normal(200).astype(np.float32)
    start, which, value = sample(p, 1000, 0, 0)
    _, dW, _, _, _ = reference(W, b, dense_batch((start, which, value), 1000, 200))
    altered = value.copy()
    altered[0] = 0
    _, got, *_ = gradient(W, b, (start, which, altered), 1000)
    assert np.linalg.norm(got - dW) > 50 * TOLERANCE * np.linalg.norm(dW)
