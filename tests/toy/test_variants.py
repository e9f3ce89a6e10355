"""Variants of the model: what each trains, against formulas by hand, and which of them contradict each other."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from superlaw import InputError, RunSpec, load_run, train
from superlaw.toy.model import ACTIVATIONS, trained_model
from superlaw.toy.protocol import initial_state, schedule

torch = pytest.importorskip("torch")
from superlaw.toy.dense import ACTIVATIONS as DENSE_ACTIVATIONS  # noqa: E402
from superlaw.toy.dense import VALUES as DENSE_VALUES  # noqa: E402
from superlaw.toy.dense import Batches, Dense, Model, model_loss  # noqa: E402

TINY = {"n_features": 12, "width": 3, "steps": 25, "warmup": 5, "batch": 64, "activation_density": 2.0}
VARIANTS = {
    "linear": {"activation": "linear"},
    "gelu": {"activation": "gelu"},
    "cross-entropy": {"loss_function": "cross-entropy"},
    "untied": {"tied": False},
    "unit": {"rows": "unit", "weight_decay": -1.0},
    "unit-untied": {"rows": "unit", "tied": False},
    "fixed-bias": {"learn_bias": False},
    "start": {"initial_bias_mean": -0.3, "initial_bias_std": 0.1, "initial_norm": 0.5},
    "exponential": {"values": "exponential"},
    "half-normal": {"values": "half-normal"},
    "constant": {"values": "constant"},
    "correlated": {"correlation": 0.5, "group_size": 5},
    "sgd": {"optimizer": "sgd", "momentum": 0.5, "learning_rate": 0.1},
    "epsilon": {"adam_epsilon": 1e-4},
    "held": {"schedule": "constant"},
    "wsd": {"schedule": "wsd", "decay_share": 0.5},
    "all": {
        "loss_function": "cross-entropy", "tied": False, "rows": "unit", "values": "half-normal", "correlation": 1.0,
        "group_size": 4, "optimizer": "sgd", "schedule": "wsd", "dtype": "float64", "batch": 128,
    },
}  # fmt: skip


def spec_of(name: str) -> RunSpec:
    return RunSpec(**{**TINY, **VARIANTS[name]})


# --- specs ---


def test_every_variant_is_another_run():
    assert len({spec_of(name).id for name in VARIANTS} | {RunSpec(**TINY).id}) == len(VARIANTS) + 1


def test_a_variant_at_its_default_and_one_that_is_not_used_keep_the_id():
    stated = {
        "loss_function": "squared-error", "activation": "relu", "values": "uniform", "correlation": 0.0, "tied": True,
        "rows": "free", "learn_bias": True, "initial_norm": 1.0, "initial_bias_mean": 0.0, "initial_bias_std": 1.0,
        "optimizer": "adam", "adam_epsilon": 1e-8, "schedule": "cosine",
    }  # fmt: skip
    assert RunSpec(**stated).id == RunSpec().id
    assert RunSpec(group_size=10).id == RunSpec().id  # no correlation: no groups
    fixed = RunSpec(learn_bias=False)
    assert fixed.id == RunSpec(learn_bias=False, initial_bias_std=0.0).id == fixed.change(bias_learning_rate=0.5).id
    entropy = RunSpec(loss_function="cross-entropy")
    assert entropy.id == RunSpec(loss_function="cross-entropy", activation="linear").id
    assert RunSpec(optimizer="sgd", momentum=0.9).id == RunSpec(optimizer="sgd").id
    assert RunSpec(schedule="wsd", decay_share=0.2).id == RunSpec(schedule="wsd").id


@pytest.mark.parametrize("name", VARIANTS)
def test_json_gives_a_spec_back(name):
    spec = spec_of(name)
    assert RunSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert spec.change(seed=3).change(seed=0) == spec


@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_file_gives_a_run_back_with_its_encoder(name, tmp_path):
    run = train(spec_of(name), engine="dense")
    back = load_run(run.save(tmp_path / "run.safetensors"))
    assert back.spec == run.spec and back.measures == run.measures
    for part in ("W", "b", "losses"):
        assert np.array_equal(getattr(back, part), getattr(run, part)) and getattr(back, part).dtype != object
    assert (back.encoder is None) == run.spec.tied
    assert run.spec.tied or np.array_equal(back.encoder, run.encoder)


CONTRADICTIONS = [
    ({"loss_function": "cross-entropy", "activation": "relu"}, "activation = relu with loss_function = cross-entropy"),
    ({"loss_function": "cross-entropy", "activation": "gelu"}, "activation = gelu with loss_function = cross-entropy"),
    ({"momentum": 0.9}, "momentum = 0.9 with optimizer = adam"),
    ({"optimizer": "sgd", "adam_epsilon": 1e-6}, "adam_epsilon = 1e-06 with optimizer = sgd"),
    ({"decay_share": 0.1}, "decay_share = 0.1 with schedule = cosine"),
    ({"rows": "unit", "weight_decay": 0.5}, "rows = unit with weight_decay = 0.5"),
    ({"rows": "unit", "initial_norm": 2.0}, "rows = unit with initial_norm = 2"),
    ({"learn_bias": False, "initial_bias_mean": 0.5}, "initial_bias_mean = 0.5 with learn_bias = False"),
    ({"learn_bias": False, "initial_bias_std": 0.5}, "initial_bias_std = 0.5 with learn_bias = False"),
    ({"correlation": 0.5}, "correlation = 0.5 with group_size = None"),
    ({"correlation": 1.5, "group_size": 5}, "correlation = 1.5; need a finite number of at least 0 and at most 1"),
    ({"correlation": -0.1, "group_size": 5}, "correlation = -0.1"),
    ({"group_size": 1, "correlation": 0.5}, "group_size = 1; need a whole number from 2"),
    ({"initial_bias_std": -1}, "initial_bias_std = -1"),
    ({"optimizer": "sgd", "momentum": 1.0}, "momentum = 1"),
    ({"tied": "no"}, "tied = 'no'; need true or false"),
    ({"loss_function": "cross-entropy", "batch": 8}, "samples of a batch with an active feature, with cross-entropy"),
]


@pytest.mark.parametrize(("fields", "said"), CONTRADICTIONS, ids=str)
def test_what_contradicts_itself_is_refused_naming_both(fields, said):
    with pytest.raises(InputError) as raised:
        RunSpec(**fields)
    assert said in str(raised.value) and "\n" not in str(raised.value) and "; need " in str(raised.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--loss-function cross-entropy --activation relu", ("activation", "loss_function", "cross-entropy")),
        ("--loss-function cross-entropy --activation gelu", ("activation", "loss_function")),
        ("--momentum 0.5 --optimizer adam", ("momentum", "optimizer", "sgd")),
        ("--rows unit --weight-decay 0.1", ("rows", "weight_decay")),
        ("--fixed-bias --initial-bias-mean -1", ("initial_bias_mean", "learn_bias")),
        ("--fixed-bias --initial-bias-std 0.5", ("initial_bias_std", "learn_bias")),
        ("--correlation 0.3", ("correlation", "group_size")),
        ("--correlation 1.2 --group-size 5", ("correlation = 1.2", "at most 1")),
        ("--group-size 5", ("--group-size", "--correlation")),
        ("--rows unti", ("rows = 'unti'", "unit")),
    ],
)
def test_the_command_line_refuses_contradictions_before_training(command, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("train", *options.split(), "--steps", 5)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert all(word.replace("-", "_") in err.replace("-", "_") for word in said), err
    assert not list(tmp_path.iterdir())


# --- gradients by hand ---


def by_hand(W, V, b, x, activation: str, loss_function: str, tied: bool):
    """L and its derivatives by W, V and b, in NumPy: those of W take up V's where the model is tied."""
    h = x @ V
    z = h @ W.T + b
    if loss_function == "cross-entropy":
        kept = x.sum(axis=1) > 0
        x, h, z = x[kept], h[kept], z[kept]
        t = x / x.sum(axis=1, keepdims=True)
        q = np.exp(z - z.max(axis=1, keepdims=True))
        q /= q.sum(axis=1, keepdims=True)
        loss, e = -np.sum(t * np.log(q)) / len(x), (q - t) / len(x)
    else:
        Phi = np.vectorize(lambda u: (1 + math.erf(u / math.sqrt(2))) / 2)(z)
        y, slope = {
            "relu": (np.maximum(z, 0), (z > 0).astype(float)),
            "linear": (z, np.ones_like(z)),
            "gelu": (z * Phi, Phi + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)),
        }[activation]
        loss, e = np.sum((y - x) ** 2) / len(x), 2 * (y - x) * slope / len(x)
    dW, dV, db = e.T @ h, x.T @ (e @ W), e.sum(axis=0)
    return (loss, dW + dV, None, db) if tied else (loss, dW, dV, db)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("activation", "loss_function"),
    [("relu", "squared-error"), ("linear", "squared-error"), ("gelu", "squared-error"), ("linear", "cross-entropy")],
)
def test_gradients_are_those_of_the_formulas(activation, loss_function, tied):
    random = np.random.default_rng(0)
    n, m, B = 15, 4, 60
    W, b = random.standard_normal((n, m)), random.standard_normal(n)
    V = W if tied else random.standard_normal((n, m))
    x = (random.random((B, n)) < 0.15) * random.uniform(0, 2, (B, n))
    assert (x.sum(axis=1) == 0).any()  # samples that cross-entropy leaves out
    parts = {name: torch.tensor(a, requires_grad=True) for name, a in (("W", W), ("V", V), ("b", b))}
    encoder = None if tied else parts["V"]
    found = model_loss(parts["W"], parts["b"], torch.tensor(x), activation, loss_function, encoder)
    found.backward()
    loss, dW, dV, db = by_hand(W, V, b, x, activation, loss_function, tied)
    assert found.item() == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(parts["W"].grad, dW, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(parts["b"].grad, db, rtol=1e-10, atol=1e-12)
    assert tied or np.allclose(parts["V"].grad, dV, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_model_in_numpy_answers_as_the_engine_does(name):
    run = train(spec_of("untied").change(activation=name, dtype="float64"), engine="dense")
    h = np.random.default_rng(0).normal(0, 3, (50, 3))
    V, W, b = (torch.tensor(a) for a in (run.encoder, run.W, run.b))
    model = trained_model(run)
    expected = DENSE_ACTIVATIONS[name](torch.tensor(h) @ W.T + b)
    np.testing.assert_allclose(model.answers(h), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(model.own_response, (V * W).sum(dim=1), rtol=1e-12)


def test_both_know_the_same_activations_and_values():
    from superlaw.theory.values import VALUES

    assert set(ACTIVATIONS) == set(DENSE_ACTIVATIONS) and set(VALUES) == set(DENSE_VALUES)
    u = np.linspace(0, 0.999, 50)
    for name, values in VALUES.items():
        np.testing.assert_allclose(DENSE_VALUES[name](torch.tensor(u)), values.quantile(u), rtol=1e-9, atol=1e-12)


# --- training ---


@pytest.mark.parametrize("name", ["unit", "unit-untied", "all"])
def test_unit_rows_stay_at_one(name):
    run = train(spec_of(name), engine="dense")
    start = initial_state(run.spec)
    for rows in (run.W, start.W, *(one for one in (run.encoder, start.encoder) if one is not None)):
        assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(12), abs=1e-6)
    assert not np.allclose(run.W, start.W, atol=0.01)  # and they turn


def test_a_fixed_bias_stays_at_zero_and_a_learnt_one_does_not():
    assert not train(spec_of("fixed-bias"), engine="dense").b.any()
    assert train(spec_of("start"), engine="dense").b.all()


def test_the_start_has_the_stated_moments():
    state = initial_state(
        RunSpec(n_features=20_000, width=16, initial_norm=0.5, initial_bias_mean=-2.0, initial_bias_std=0.1, tied=False)
    )
    b = state.b.astype(np.float64)
    assert b.mean() == pytest.approx(-2, abs=5 * 0.1 / math.sqrt(b.size))
    assert b.std() == pytest.approx(0.1, rel=5 / math.sqrt(2 * b.size))
    for matrix in (state.W, state.encoder):
        assert matrix.astype(np.float64).var() * 16 == pytest.approx(0.25, rel=5 * math.sqrt(2 / matrix.size))
    assert not np.array_equal(state.W, state.encoder)


def test_the_new_start_draws_the_same_random_numbers():
    """W and b of a variant's start are those of the default's, scaled: seeds are comparable."""
    plain = initial_state(RunSpec(**TINY))
    other = initial_state(spec_of("start"))
    np.testing.assert_allclose(other.W, 0.5 * plain.W, rtol=1e-6)
    np.testing.assert_allclose(other.b, -0.3 + 0.1 * plain.b.astype(np.float64), rtol=1e-5, atol=1e-6)
    assert np.array_equal(initial_state(spec_of("untied")).W, plain.W)


def test_schedules_have_their_shape():
    T, warm = 1000, 100
    rates = {name: schedule(RunSpec(steps=T, warmup=warm, schedule=name)) for name in ("cosine", "constant", "wsd")}
    rising = np.arange(1, warm) / warm
    for found in rates.values():
        np.testing.assert_allclose(found[: warm - 1], rising)
    assert (rates["constant"][warm - 1 :] == 1).all()
    assert (rates["wsd"][warm - 1 : 800] == 1).all() and rates["wsd"][-1] == pytest.approx(0.05)
    np.testing.assert_allclose(np.diff(rates["wsd"][800:]), -0.95 / 200)
    assert (np.diff(rates["cosine"][warm:]) < 0).all()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_the_textbooks(momentum):
    """u <- momentum u + g, W <- (1 - eta gamma) W - eta u, on the batches that the engine draws."""
    spec = RunSpec(**{**TINY, "steps": 10, "warmup": 0}, optimizer="sgd", momentum=momentum, weight_decay=0.1,
                   learning_rate=0.2, dtype="float64", schedule="constant")  # fmt: skip
    draw, start = Batches(spec, Dense().device), initial_state(spec)
    W, b, u = start.W, start.b, [0.0, 0.0]
    for _ in range(10):
        _, dW, _, db = by_hand(W, W, b, draw().numpy(), "relu", "squared-error", True)
        u = [momentum * old + g / 12 for old, g in zip(u, (dW, db), strict=True)]
        W, b = (1 - 0.2 * 0.1) * W - 0.2 * u[0], b - 0.2 * u[1]
    run = train(spec, engine="dense")
    np.testing.assert_allclose(run.W, W, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(run.b, b, rtol=1e-10, atol=1e-12)


def test_cross_entropy_is_optimised_at_its_own_scale():
    """The first step of SGD is eta loss_scale dL, not dL / n."""
    spec = spec_of("cross-entropy").change(optimizer="sgd", loss_scale=3.0, dtype="float64", warmup=0, steps=2)
    model, x = Model(spec, Dense().device), Batches(spec, Dense().device)()
    W, b = (a.detach().numpy().copy() for a in (model.W, model.b))
    _, dW, _, _ = by_hand(W, W, b, x.numpy(), "linear", "cross-entropy", True)
    model.step(x, 0.5)
    np.testing.assert_allclose(model.W.detach(), W - 0.5 * 0.01 * 3.0 * dW, rtol=1e-10)


def test_cross_entropy_learns_below_answering_evenly():
    spec = RunSpec(n_features=30, width=8, loss_function="cross-entropy", steps=400, warmup=20, batch=256)
    run = train(spec, engine="dense")
    assert run.loss < 0.5 * spec.untrained_loss == pytest.approx(0.5 * math.log(30))
    assert run.provenance["samples_left_out"] > 0 and run.measures["unlearned_loss"] is None


# --- the linear model ---


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0])
def test_the_linear_model_learns_the_subspace_of_the_most_frequent_features(alpha):
    """The least loss without a ReLU is that of the top m features kept and the others answered by their mean
    (docs/science.md, equation 11): the variances are <v^2> p - p^2, a diagonal, whose top directions are features."""
    from superlaw.theory.weak import unlearned_loss

    spec = RunSpec(n_features=60, width=6, data_exponent=alpha, activation="linear", steps=6000, warmup=200, batch=1024)
    run = train(spec, engine="dense")
    theory = unlearned_loss(spec.probabilities, 6)
    rows = np.linalg.svd(run.W.astype(np.float64), full_matrices=False)[0]
    cosines = np.linalg.svd(rows[:6])[1]  # of the angles between the learned subspace and that of features 1 to 6
    assert cosines.min() > 0.999
    assert run.loss == pytest.approx(theory, abs=4.5 * run.loss_std / np.sqrt(100))
    W, b, p = run.W.astype(np.float64), run.b.astype(np.float64), spec.probabilities
    miss = W @ W.T - np.eye(60)  # the error is miss x + b: its mean square, of independent x, exactly
    exact = np.sum(miss**2 * (4 / 3 * p - p**2)) + np.sum((b + miss @ p) ** 2)
    assert theory < exact < 1.001 * theory
