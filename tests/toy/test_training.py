"""Whole trainings: the optimiser by an independent slow implementation, the engines against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from superlaw import InputError, RunSpec, train
from superlaw.toy.fused import Fused, sample, variants
from superlaw.toy.protocol import initial_state


def slow_training(spec: RunSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """docs/science.md#the-toy-model in plain float64 NumPy, on the batches that `fused` draws."""
    start = initial_state(spec)
    W, b = start.W.astype(np.float64), start.b.astype(np.float64)
    n, T, t_w = spec.n_features, spec.steps, spec.warmup
    m1, m2 = [0 * W, 0 * b], [0 * W, 0 * b]
    losses = []
    for t in range(1, T + 1):
        start, which, value = sample(spec.probabilities, spec.batch, spec.seed, t - 1)
        x = np.zeros((spec.batch, n))
        x[which, np.repeat(np.arange(n), np.diff(start))] = value
        z = x @ W @ W.T + b
        e = (np.maximum(z, 0) - x) * (z > 0)
        losses.append(np.sum((np.maximum(z, 0) - x) ** 2) / spec.batch)
        factor = 2 * spec.loss_scale / n / spec.batch
        gradients = factor * (x.T @ (e @ W) + e.T @ (x @ W)), factor * e.sum(axis=0)
        if t_w >= T:
            rate = 0.95 * (1 + np.cos(np.pi * t / T)) / 2 + 0.05
        elif t < t_w:
            rate = t / t_w
        else:
            rate = 0.95 * (1 + np.cos(np.pi * (t - t_w) / (T - t_w))) / 2 + 0.05
        etas = [rate * eta for eta in spec.peak_learning_rates]
        gamma = spec.weight_decay
        if gamma >= 0:
            W = (1 - etas[0] * gamma) * W
        else:
            norms = np.linalg.norm(W, axis=1, keepdims=True)
            W = W + etas[0] * gamma * W * (1 - 1 / (norms + 1e-8))
        for k, g in enumerate(gradients):
            m1[k] = 0.9 * m1[k] + 0.1 * g
            m2[k] = 0.999 * m2[k] + 0.001 * g**2
            step = etas[k] * (m1[k] / (1 - 0.9**t)) / (np.sqrt(m2[k] / (1 - 0.999**t)) + 1e-8)
            W, b = (W - step, b) if k == 0 else (W, b - step)
    return np.array(losses), W, b


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize(
    "fields",
    [
        {"weight_decay": -1.0},
        {"weight_decay": 1.0, "data_exponent": 0.0},
        {"weight_decay": 0.0, "activation_density": 3.0, "warmup": 1000},
        {"weight_decay": -0.5, "loss_scale": 100.0, "bias_learning_rate": 0.001},
        {"weight_decay": 0.1, "width": 33, "learning_rate_width_power": 0.25, "bias_learning_rate_width_power": 1.0},
    ],
)
def test_fused_follows_a_slow_float64_training_step_by_step(fields, simd):
    spec = RunSpec(**{"n_features": 90, "width": 7, "steps": 120, "warmup": 20, "batch": 200, **fields})
    (run,) = Fused(simd=simd).train([spec])
    losses, W, b = slow_training(spec)
    # float32 rounding grows along a training; a wrong constant anywhere shows at once
    assert run.losses[:20] == pytest.approx(losses[:20], rel=2e-5)
    assert run.losses == pytest.approx(losses, rel=2e-3)
    assert np.linalg.norm(run.W - W) < 5e-3 * np.linalg.norm(W)
    assert np.linalg.norm(run.b - b) < 5e-3 * np.linalg.norm(b)


@pytest.mark.parametrize("simd", variants())
def test_a_training_that_turns_from_dense_to_sparse_steps_follows_too(simd):
    spec = RunSpec(
        n_features=150, width=12, steps=150, warmup=10, batch=300, weight_decay=-1, learning_rate=0.03, seed=4
    )
    (run,) = Fused(simd=simd).train([spec])
    assert 20 < run.provenance["sparse_steps"] < 140  # both, and the switch between
    losses, W, b = slow_training(spec)
    assert run.losses[:20] == pytest.approx(losses[:20], rel=2e-5)
    assert run.losses == pytest.approx(losses, rel=5e-3)
    assert np.linalg.norm(run.W - W) < 1e-2 * np.linalg.norm(W)
    assert np.linalg.norm(run.b - b) < 1e-2 * np.linalg.norm(b)


def test_the_engines_revision_is_recorded_and_changes_no_id():
    spec = RunSpec(n_features=100, width=5, weight_decay=-1, steps=100, warmup=10)
    run = train(spec)
    assert run.provenance["engine_revision"] == 2
    assert run.spec.id == "93d8362ee7121c72"


@pytest.mark.parametrize("weight_decay", [-1.0, 1.0])
def test_fused_and_dense_reach_the_same_loss(weight_decay):
    """Paired over seeds (same initial state, own batches): a t-test with a false-alarm rate of 1e-5 that
    would see a difference of 10 %."""
    pytest.importorskip("torch")
    seeds = range(12)
    spec = RunSpec(n_features=60, width=6, weight_decay=weight_decay, steps=600, warmup=60, batch=256)
    loss = {
        engine: np.array([train(spec.change(seed=s), engine=engine).loss for s in seeds])
        for engine in ("fused", "dense")
    }
    difference = np.log(loss["fused"] / loss["dense"])
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    critical = stats.t.isf(1e-5 / 2, len(difference) - 1)
    assert critical * error < 0.1  # the power of the test
    assert abs(difference.mean()) < critical * error


def test_the_same_spec_gives_the_same_bits():
    spec = RunSpec(n_features=100, width=9, weight_decay=-1, steps=60, batch=128)
    a, b = train(spec), train(spec)
    assert np.array_equal(a.W, b.W) and np.array_equal(a.b, b.b) and np.array_equal(a.losses, b.losses)
    assert not np.array_equal(a.W, train(spec.change(seed=1)).W)


def test_threads_change_rounding_only():
    spec = RunSpec(n_features=300, width=9, weight_decay=-1, steps=20, batch=256)
    one, two, again = train(spec), train(spec, threads=2), train(spec, threads=2)
    assert np.array_equal(two.W, again.W)
    assert two.losses == pytest.approx(one.losses, rel=1e-3)


def test_a_runaway_training_is_recorded_as_diverged():
    run = train(RunSpec(n_features=100, width=5, steps=400, warmup=0, learning_rate=50.0, batch=64))
    assert run.status == "diverged"
    assert len(run.losses) < 400 and np.isnan(run.loss)
    assert run.measures["loss"] is None


def test_a_training_that_turns_nan_is_recorded_as_diverged():
    run = train(RunSpec(n_features=50, width=5, steps=50, warmup=0, learning_rate=1e30, batch=64))
    assert run.status == "diverged"


def test_a_watcher_can_stop_a_training():
    run = train(RunSpec(n_features=50, width=5, steps=100_000, batch=64), watch=lambda spec, done, loss: True)
    assert run.status == "stopped" and 0 < len(run.losses) < 100_000 and np.isnan(run.loss)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"batch": 2**31 - 1}, "smaller batches"),
        ({"width": 2 * 10**9}, "fits in this machine"),
        ({"steps": 2**31 - 1, "n_features": 10**7, "width": 10**6}, "fits in this machine"),
    ],
)
def test_what_no_machine_holds_is_refused_before_it_is_made(fields, said):
    with pytest.raises(InputError, match=said):
        train(RunSpec(**fields))


def test_fused_refuses_what_it_does_not_train():
    with pytest.raises(InputError, match="use --engine dense"):
        train(RunSpec(activation="linear"))


def test_dense_trains_the_linear_model_to_its_optimum():
    """Without ReLU the best model keeps the top m features and answers the others by their mean:
    L = sum_{i > m} (4/3 p_i - p_i^2), docs/science.md, equation 11."""
    pytest.importorskip("torch")
    from superlaw.theory.weak import unlearned_loss

    spec = RunSpec(
        n_features=12, width=4, activation="linear", steps=3000, warmup=50, batch=512, data_exponent=1.5,
        activation_density=1.5, dtype="float64",
    )  # fmt: skip
    run = train(spec, engine="dense")
    expected = unlearned_loss(spec.probabilities, 4)
    # mean of 100 batches of 512: the batches' own spread bounds the error, 5 standard errors
    assert run.loss == pytest.approx(expected, abs=5 * run.loss_std / np.sqrt(100) + 0.01 * expected)
