"""Whole trainings: the optimiser by an independent slow implementation, the engines against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from superlaw import InputError, RunSpec, train
from superlaw.toy.fused import Fused, draw, variants
from superlaw.toy.protocol import initial_state


def slow_loss(spec: RunSpec, z: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """L and dL/dz (B, n), by hand."""
    if spec.loss_function == "cross-entropy":
        active = x.any(axis=1, keepdims=True)
        t = x / np.where(active, x.sum(axis=1, keepdims=True), 1)
        log_p = z - special.logsumexp(z, axis=1, keepdims=True)
        return -np.sum(t * log_p) / active.sum(), active * (np.exp(log_p) - t) / active.sum()
    y, slope = {
        "relu": (np.maximum(z, 0), z > 0),
        "linear": (z, 1),
        "gelu": (z * special.ndtr(z), special.ndtr(z) + z * stats.norm.pdf(z)),
    }[spec.activation]
    return np.sum((y - x) ** 2) / len(x), 2 * (y - x) * slope / len(x)


def slow_training(spec: RunSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """docs/science.md#the-toy-model and #variants in plain float64 NumPy, on the batches that `fused` draws.

    Returns the losses, W, b and the encoder (W where it is tied)."""
    start = initial_state(spec)
    matrices = [a.astype(np.float64) for a in (start.W, start.encoder) if a is not None]
    b = start.b.astype(np.float64)
    n, T, t_w = spec.n_features, spec.steps, spec.warmup
    first, second = ([0 * a for a in (*matrices, b)] for _ in range(2))
    losses = []
    for t in range(1, T + 1):
        start, which, value = draw(spec, t - 1)
        x = np.zeros((spec.batch, n))
        x[which, np.repeat(np.arange(n), np.diff(start))] = value
        W, V = matrices[0], matrices[-1]
        loss, e = slow_loss(spec, x @ V @ W.T + b, x)
        losses.append(loss)
        from_z, from_h = e.T @ (x @ V), x.T @ (e @ W)
        gradients = [from_z + from_h, e.sum(axis=0)] if spec.tied else [from_z, from_h, e.sum(axis=0)]
        if t_w >= T:
            rate = 0.95 * (1 + np.cos(np.pi * t / T)) / 2 + 0.05
        elif t < t_w:
            rate = t / t_w
        else:
            rate = 0.95 * (1 + np.cos(np.pi * (t - t_w) / (T - t_w))) / 2 + 0.05
        etas = [rate * eta for eta in spec.peak_learning_rates]
        gamma = spec.weight_decay
        for k, A in enumerate(matrices):
            norms = np.linalg.norm(A, axis=1, keepdims=True)
            matrices[k] = (
                (1 - etas[0] * gamma) * A if gamma >= 0 else A + etas[0] * gamma * A * (1 - 1 / (norms + 1e-8))
            )
        moved = []
        for k, g in enumerate(gradients):
            g = g * (spec.loss_scale if spec.loss_function == "cross-entropy" else spec.loss_scale / n)
            if spec.optimizer == "sgd":
                first[k] = spec.momentum * first[k] + g
                moved.append(first[k])
                continue
            first[k] = 0.9 * first[k] + 0.1 * g
            second[k] = 0.999 * second[k] + 0.001 * g**2
            moved.append((first[k] / (1 - 0.9**t)) / (np.sqrt(second[k] / (1 - 0.999**t)) + spec.adam_epsilon))
        for k in range(len(matrices)):
            matrices[k] = matrices[k] - etas[0] * moved[k]
            if spec.rows == "unit":
                matrices[k] = matrices[k] / (np.linalg.norm(matrices[k], axis=1, keepdims=True) + 1e-8)
        if spec.learn_bias:
            b = b - etas[1] * moved[-1]
    return np.array(losses), matrices[0], b, matrices[-1]


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
    losses, W, b, _ = slow_training(spec)
    # float32 rounding grows along a training; a wrong constant anywhere shows at once
    assert run.losses[:20] == pytest.approx(losses[:20], rel=2e-5)
    assert run.losses == pytest.approx(losses, rel=2e-3)
    assert np.linalg.norm(run.W - W) < 5e-3 * np.linalg.norm(W)
    assert np.linalg.norm(run.b - b) < 5e-3 * np.linalg.norm(b)


VARIANTS = {
    "sgd": {"optimizer": "sgd", "learning_rate": 2.0, "weight_decay": -0.01},
    "sgd without momentum": {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 20.0, "weight_decay": 0.001},
    "adam's epsilon": {"adam_epsilon": 1e-3, "weight_decay": -1.0},
    "fixed bias": {"learn_bias": False, "weight_decay": -1.0},
    "unit rows": {"rows": "unit", "weight_decay": 0.0},
    "unit rows, sgd": {"rows": "unit", "optimizer": "sgd", "learning_rate": 2.0, "learn_bias": False},
    "exponential": {"values": "exponential", "weight_decay": -1.0},
    "half-normal": {"values": "half-normal", "weight_decay": 1.0},
    "constant": {"values": "constant", "weight_decay": -1.0},
    "groups": {"correlation": 0.6, "group_size": 7, "weight_decay": -1.0, "activation_density": 2.0},
    "linear": {"activation": "linear", "weight_decay": 0.1},
    "gelu": {"activation": "gelu", "weight_decay": -1.0},
    "untied": {"tied": False, "weight_decay": -1.0},
    "untied, unit rows": {"tied": False, "rows": "unit"},
    "untied, linear": {"tied": False, "activation": "linear", "weight_decay": 0.5},
    "cross-entropy": {"loss_function": "cross-entropy", "weight_decay": 0.1, "loss_scale": 0.5},
    "cross-entropy, untied, groups": {
        "loss_function": "cross-entropy", "tied": False, "correlation": 1.0, "group_size": 4, "values": "exponential",
    },
}  # fmt: skip


@pytest.mark.parametrize("simd", variants())
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_follows_the_slow_training(name, simd):
    spec = RunSpec(**{"n_features": 90, "width": 7, "steps": 80, "warmup": 20, "batch": 200, **VARIANTS[name]})
    (run,) = Fused(simd=simd).train([spec])
    losses, W, b, V = slow_training(spec)
    assert run.losses[:20] == pytest.approx(losses[:20], rel=2e-5)
    assert run.losses == pytest.approx(losses, rel=2e-3)
    assert np.linalg.norm(run.W - W) < 5e-3 * np.linalg.norm(W)
    assert np.linalg.norm(run.b - b) <= 5e-3 * np.linalg.norm(b)
    assert (run.encoder is None) == spec.tied
    if run.encoder is not None:
        assert np.linalg.norm(run.encoder - V) < 5e-3 * np.linalg.norm(V)
        assert np.linalg.norm(V - W) > 0.1 * np.linalg.norm(V)  # they are two matrices
    if spec.rows == "unit":
        assert np.linalg.norm(run.W, axis=1) == pytest.approx(1, abs=1e-6)
    empty = sum(spec.batch - np.unique(draw(spec, t)[1]).size for t in range(spec.steps))
    assert run.provenance.get("samples_left_out", empty) == empty


def test_an_untied_training_turns_sparse_too():
    spec = RunSpec(
        n_features=150, width=12, steps=150, warmup=10, batch=300, weight_decay=-1, learning_rate=0.03, tied=False,
        initial_bias_mean=-0.5,
    )  # fmt: skip
    (run,) = Fused().train([spec])
    losses, W, b, V = slow_training(spec)
    assert 20 < run.provenance["sparse_steps"] < 150
    assert run.losses == pytest.approx(losses, rel=5e-3)
    for one, right in ((run.W, W), (run.b, b), (run.encoder, V)):
        assert one is not None and np.linalg.norm(one - right) < 1e-2 * np.linalg.norm(right)


@pytest.mark.parametrize("simd", variants())
def test_a_training_that_turns_from_dense_to_sparse_steps_follows_too(simd):
    spec = RunSpec(
        n_features=150, width=12, steps=150, warmup=10, batch=300, weight_decay=-1, learning_rate=0.03, seed=4
    )
    (run,) = Fused(simd=simd).train([spec])
    assert 20 < run.provenance["sparse_steps"] < 140  # both, and the switch between
    losses, W, b, _ = slow_training(spec)
    assert run.losses[:20] == pytest.approx(losses[:20], rel=2e-5)
    assert run.losses == pytest.approx(losses, rel=5e-3)
    assert np.linalg.norm(run.W - W) < 1e-2 * np.linalg.norm(W)
    assert np.linalg.norm(run.b - b) < 1e-2 * np.linalg.norm(b)


def test_the_engines_revision_is_recorded_and_changes_no_id():
    spec = RunSpec(n_features=100, width=5, weight_decay=-1, steps=100, warmup=10)
    run = train(spec)
    assert run.provenance["engine_revision"] == 2
    assert run.spec.id == "93d8362ee7121c72"


@pytest.mark.parametrize(
    "fields",
    [
        {"weight_decay": -1.0},
        {"weight_decay": 1.0},
        {"weight_decay": -1.0, "correlation": 0.5, "group_size": 6, "activation_density": 2.0},
        {"loss_function": "cross-entropy", "tied": False, "values": "exponential"},
    ],
)
def test_fused_and_dense_reach_the_same_loss(fields):
    """Paired over seeds (same initial state, own batches): a t-test with a false-alarm rate of 1e-5 that
    would see a difference of 10 %."""
    pytest.importorskip("torch")
    seeds = range(12)
    spec = RunSpec(n_features=60, width=6, steps=600, warmup=60, batch=256, **fields)
    loss = {
        engine: np.array([train(spec.change(seed=s), engine=engine).loss for s in seeds])
        for engine in ("fused", "dense")
    }
    difference = np.log(loss["fused"] / loss["dense"])
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    critical = stats.t.isf(1e-5 / 2, len(difference) - 1)
    assert critical * error < 0.1  # the power of the test
    assert abs(difference.mean()) < critical * error


def test_dense_trains_on_the_device_that_is_named():
    pytest.importorskip("torch")
    spec = RunSpec(n_features=30, width=4, steps=20, warmup=2, batch=32)
    named, plain = train(spec, "dense:cpu"), train(spec, "dense")
    assert named.provenance["device"] == "cpu" and np.array_equal(named.W, plain.W)


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
        train(RunSpec(dtype="float64"), engine="fused")


@pytest.mark.parametrize("engine", ["fused", "dense"])
def test_the_linear_model_is_trained_to_its_optimum(engine):
    """Without ReLU the best model keeps the top m features and answers the others by their mean:
    L = sum_{i > m} (4/3 p_i - p_i^2), docs/science.md, equation 11."""
    pytest.importorskip("torch")
    from superlaw.theory.weak import unlearned_loss

    spec = RunSpec(
        n_features=12, width=4, activation="linear", steps=3000, warmup=50, batch=512, data_exponent=1.5,
        activation_density=1.5, dtype="float64" if engine == "dense" else "float32",
    )  # fmt: skip
    run = train(spec, engine=engine)
    expected = unlearned_loss(spec.probabilities, 4)
    # mean of 100 batches of 512: the batches' own spread bounds the error, 5 standard errors
    assert run.loss == pytest.approx(expected, abs=5 * run.loss_std / np.sqrt(100) + 0.01 * expected)
