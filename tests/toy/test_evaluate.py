"""Losses on fresh samples: parts by hand, exact means by quadrature, everything against the engine dense."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from superlaw import InputError, Run, RunSpec, evaluate, train
from superlaw.theory.values import VALUES
from superlaw.toy.evaluate import EXCLUSIVE
from superlaw.toy.model import TrainedModel, silent_features
from superlaw.toy.samples import Sampler
from superlaw.toy.single import alone_probabilities, closed_losses, quadrature_losses

ERRORS = 4.5  # standard errors: a false alarm in 10^5


def made(W, b, encoder=None, **fields) -> Run:
    """A run with these weights; E = 1 over features of equal frequency where nothing else is said."""
    W, b = np.asarray(W, np.float32), np.asarray(b, np.float32)
    fields = {"data_exponent": 0, "steps": 1, "tied": encoder is None, **fields}
    spec = RunSpec(n_features=len(W), width=W.shape[1], **fields)
    return Run(spec, "ok", np.ones(1, np.float32), W, b, encoder=None if encoder is None else np.float32(encoder))


def random_run(seed: int = 0, n: int = 40, m: int = 8, untied: bool = False, **fields) -> Run:
    """A model as training makes them: rows of about unit length, thresholds, some silent."""
    random = np.random.default_rng(seed)
    W = random.standard_normal((n, m)) / np.sqrt(m) * random.uniform(0.2, 1.5, (n, 1))
    encoder = W + 0.3 * random.standard_normal((n, m)) / np.sqrt(m) if untied else None
    return made(W, random.normal(-0.2, 0.5, n), encoder, **{"data_exponent": 0.7, "activation_density": 2.0, **fields})


def within(found, value: float) -> bool:
    return abs(found.mean - value) <= ERRORS * found.stderr


# --- parts ---


def test_the_parts_add_up_to_the_loss_and_the_features_to_each_part():
    found = evaluate(random_run(), 20_000)
    assert sum(getattr(found, part).mean for part in EXCLUSIVE) == pytest.approx(found.loss.mean, rel=1e-12)
    table = found.per_feature()
    for part in ("loss", *EXCLUSIVE, "constant_answer"):
        assert table[part].sum() == pytest.approx(getattr(found, part).mean, rel=1e-5)  # float32 sums over a block
        assert getattr(found, part).mean > 0
    assert (table[list(EXCLUSIVE)].gt(0).sum(axis=1) <= 2).all()  # interference, and one of the others


@pytest.mark.parametrize("values", VALUES)
def test_an_antipodal_pair_loses_by_shrinkage_alone(values):
    """y_1 = relu(x_1 - x_2): with both active the smaller one is lost twice, 2 p^2 <min^2>, and otherwise nothing.
    <min(v, v')^2> by numerical integration of 2 t P(v > t)^2."""
    p, above = 0.3, VALUES[values].above
    smaller = integrate.quad(lambda t: 2 * t * float(above(np.array(t))[0]) ** 2, 0, 30, points=[1, 2], limit=200)[0]
    found = evaluate(made([[1.0], [-1.0]], [0, 0], activation_density=2 * p, values=values), 100_000)
    assert within(found.shrinkage, 2 * p**2 * smaller)
    assert found.interference.mean == found.silence.mean == found.unlearned.mean == 0
    assert found.single_active_loss == pytest.approx(0, abs=1e-14) and found.single_active.mean < 1e-12


@pytest.mark.parametrize(("values", "moment"), [(name, one.second_moment) for name, one in VALUES.items()])
def test_a_silent_feature_costs_its_second_moment_by_silence(values, moment):
    run = made([[1.0, 0.0], [0.0, 1.0]], [0, -9.0], activation_density=0.4, values=values)
    found = evaluate(run, 100_000)
    assert within(found.silence, 0.2 * moment)
    assert found.shrinkage.mean < 1e-12 and found.interference.mean == 0 and found.silent_fraction == 0.5
    assert found.per_feature()["silent"].tolist() == [False, True]


def test_a_short_row_is_unlearned_and_its_constant_answer_is_told_from_interference():
    """A feature without weights answers its mean b = p: absent it costs p^2 (a constant), present <(v - p)^2>."""
    found = evaluate(made([[0.0], [1.0]], [0.2, 0.0], activation_density=0.4), 200_000)
    assert within(found.constant_answer, 0.8 * 0.2**2)
    assert within(found.interference, 0.8 * 0.2**2)
    assert within(found.unlearned, 0.2 * (4 / 3 - 2 * 0.2 + 0.2**2))
    assert found.silence.mean == 0 and found.shrinkage.mean < 1e-12


@pytest.mark.parametrize(
    ("activation", "answer"), [("relu", 0.0), ("linear", 0.49), ("gelu", (0.7 * stats.norm.cdf(-0.7)) ** 2)]
)
def test_the_constant_answer_goes_through_the_activation(activation, answer):
    found = evaluate(made([[1.0]], [-0.7], activation_density=0.5, activation=activation), 50_000)
    assert within(found.constant_answer, 0.5 * answer) or found.constant_answer.mean == answer == 0


def test_the_standard_error_is_the_spread_over_seeds():
    run, seeds = random_run(), 60
    found = [evaluate(run, 500, seed=seed) for seed in range(seeds)]
    for part in ("loss", "interference", "shrinkage", "single_active"):
        means = np.array([getattr(one, part).mean for one in found])
        stated = np.mean([getattr(one, part).stderr ** 2 for one in found])
        low, high = stats.chi2.ppf([1e-6, 1 - 1e-6], seeds - 1) / (seeds - 1)
        # the means of 500 are near normal; a third more for the scatter of the stated errors themselves
        assert low / 1.33 < means.var(ddof=1) / stated < high * 1.33


def test_blocks_are_merged_as_one_sample(monkeypatch):
    """The same numbers in blocks of 100 and in one: mean and standard error by the textbook."""
    from superlaw.toy.evaluate import _Sums

    x = np.random.default_rng(0).gamma(0.3, size=2500) + 1e4
    sums = _Sums()
    for part in np.array_split(x, 25):
        sums.add({"x": np.append(part, np.nan)})
    assert sums.mean("x").mean == pytest.approx(x.mean(), rel=1e-14)
    assert sums.mean("x").stderr == pytest.approx(stats.sem(x), rel=1e-9)


def test_one_seed_repeats_and_another_agrees_within_error():
    run = random_run()
    one, again, other = evaluate(run, 5000), evaluate(run, 5000), evaluate(run, 5000, seed=1)
    assert one == again != other
    gap = one.loss.mean - other.loss.mean
    assert abs(gap) < ERRORS * np.hypot(one.loss.stderr, other.loss.stderr)


# --- exact means over one active feature ---


def slow_single(run: Run, i: int) -> float:
    """<L> with feature i alone active, by adaptive quadrature split at every v where a unit turns."""
    spec, values = run.spec, VALUES[run.spec.values]
    W, b = run.W.astype(np.float64), run.b.astype(np.float64)
    a = W @ (W if run.encoder is None else run.encoder.astype(np.float64))[i]
    model = TrainedModel(W, b, W, spec.activation)

    def loss(v: float) -> float:
        z = a * v + b
        if spec.loss_function == "cross-entropy":
            return float(special.logsumexp(z) - z[i])
        y = model.f(z)
        y[i] -= v
        return float(y @ y)

    if spec.values == "constant":
        return loss(1.0)
    density = {"uniform": lambda v: 0.5, "exponential": stats.expon.pdf,
               "half-normal": stats.halfnorm(scale=np.sqrt(np.pi / 2)).pdf}[spec.values]  # fmt: skip
    end = min(values.largest, 60.0)
    turns = np.unique(np.clip(-b[a != 0] / a[a != 0], 0, end))
    edges = np.unique(np.concatenate([[0, end], turns, np.linspace(0, min(end, 20.0), 9)]))
    pieces = (integrate.quad(lambda v: loss(v) * density(v), low, high, epsabs=1e-13, epsrel=1e-12)[0]
              for low, high in itertools.pairwise(edges))  # fmt: skip
    return float(sum(pieces))


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("values", VALUES)
def test_closed_forms_are_those_of_quadrature(values, activation, untied):
    run = random_run(1, 12, 4, untied, values=values, activation=activation)
    run.W[3] = 0  # a feature without weights: no unit answers to it
    if untied:
        run.encoder[4] = 0
    model = TrainedModel(run.W, run.b, run.W if run.encoder is None else run.encoder, activation)
    found = closed_losses(model, VALUES[values])
    assert found == pytest.approx([slow_single(run, i) for i in range(12)], abs=1e-10)


@pytest.mark.parametrize(
    "fields", [{"activation": "gelu"}, {"loss_function": "cross-entropy", "activation_density": 3.0}], ids=str
)
@pytest.mark.parametrize("values", VALUES)
def test_quadrature_is_that_of_an_adaptive_one(values, fields):
    run = random_run(2, 10, 4, values=values, **fields)
    run.W[:5] *= 3  # logits up to about 30
    model = TrainedModel(run.W, run.b, run.W, run.spec.activation)
    found = quadrature_losses(model, VALUES[values], run.spec.loss_function)
    assert found == pytest.approx([slow_single(run, i) for i in range(10)], abs=1e-10, rel=1e-10)


def test_the_chance_to_be_the_only_active_feature_is_that_of_all_subsets():
    p = np.array([0.9, 0.5, 0.3, 0.0])
    alone = np.array([p[i] * np.prod(np.delete(1 - p, i)) for i in range(4)])
    assert alone_probabilities(p) == pytest.approx(alone / alone.sum())
    assert alone_probabilities(np.array([1.0, 0.5])).tolist() == [1, 0]
    assert alone_probabilities(np.array([1.0, 1.0])) is None


VARIANTS = [
    {}, {"values": "exponential"}, {"values": "half-normal", "untied": True}, {"values": "constant"},
    {"activation": "linear"}, {"activation": "gelu", "untied": True}, {"loss_function": "cross-entropy"},
    {"loss_function": "cross-entropy", "values": "exponential", "untied": True},
]  # fmt: skip


@pytest.mark.parametrize("fields", VARIANTS, ids=str)
def test_exact_and_sampled_losses_of_one_active_feature_agree(fields):
    found = evaluate(random_run(3, **fields), 200_000)
    assert within(found.single_active, found.single_active_loss)


@pytest.mark.slow
@pytest.mark.parametrize("fields", VARIANTS, ids=str)
def test_exact_and_sampled_losses_agree_to_ten_million_samples(fields):
    found = evaluate(random_run(4, **fields), 10_000_000)
    assert within(found.single_active, found.single_active_loss)
    assert found.single_active.stderr < 2e-3 * found.single_active_loss


# --- against the reference engine ---


@pytest.mark.parametrize("fields", [*VARIANTS, {"correlation": 0.6, "group_size": 7}], ids=str)
def test_losses_are_those_of_the_engine_dense(fields):
    torch = pytest.importorskip("torch")
    from superlaw.toy.dense import Batches, Dense, model_loss

    run = random_run(5, batch=1000, **fields)
    draw = Batches(run.spec, Dense().device)  # on one thread
    W, b, V = (None if one is None else torch.as_tensor(one) for one in (run.W, run.b, run.encoder))
    losses = [float(model_loss(W, b, draw(), run.spec.activation, run.spec.loss_function, V)) for _ in range(40)]
    found = evaluate(run, 100_000)
    error = np.hypot(stats.sem(losses), found.loss.stderr)
    assert abs(np.mean(losses) - found.loss.mean) < 6 * error  # 40 batches: Student's t
    assert error < 0.04 * found.loss.mean


def test_a_trained_run_has_the_loss_that_training_reported():
    spec = RunSpec(n_features=60, width=8, weight_decay=-1, steps=600, warmup=60, batch=512)
    run = train(spec)
    found = evaluate(run, 100_000)
    error = np.hypot(run.loss_std / 10, found.loss.stderr)
    # the last steps still learn: at the floor of the learning rate, a hundredth of the loss in 100 steps at most
    assert abs(found.reported_loss - found.loss.mean) < ERRORS * error + 0.02 * found.loss.mean


# --- samples ---


def test_features_fire_as_bernoulli_trials_and_independently():
    p = np.array([1.0, 0.9, 0.5, 0.2, 0.01, 0.0])
    spec, N = RunSpec(frequencies=p, width=2), 200_000
    drawn = Sampler(spec, seed=3).draw(N)
    u = np.zeros((N, 6))
    u[drawn.sample, drawn.feature] = 1
    assert len(drawn.value) == u.sum()  # no pair twice
    tested = stats.binomtest
    assert u[:, 0].all() and not u[:, 5].any()
    assert all(tested(int(u[:, i].sum()), N, p[i]).pvalue > 1e-6 for i in range(1, 5))
    for i in range(1, 5):
        for j in range(i):
            assert tested(int((u[:, i] * u[:, j]).sum()), N, p[i] * p[j]).pvalue > 1e-6
    runs = int((u[1:, 2] != u[:-1, 2]).sum())  # samples do not depend on each other
    assert tested(runs, N - 1, 0.5).pvalue > 1e-6


@pytest.mark.parametrize(
    ("values", "law"),
    [("uniform", stats.uniform(0, 2)), ("exponential", stats.expon()),
     ("half-normal", stats.halfnorm(scale=np.sqrt(np.pi / 2)))],
)  # fmt: skip
def test_values_have_their_distribution(values, law):
    drawn = Sampler(RunSpec(n_features=50, width=2, values=values)).draw(50_000)
    assert stats.kstest(drawn.value, law.cdf).pvalue > 1e-6


def test_features_of_a_group_covary_as_stated_and_keep_their_frequencies():
    """Cov(u_i, u_j) = c (min(p_i, p_j) - p_i p_j) within groups of consecutive ranks, the last one smaller."""
    p = np.array([0.02, 0.5, 0.4, 0.2, 0.1, 0.3, 0.05])  # by rank: 1 2 5 | 3 4 6 | 0
    c, N = 0.4, 400_000
    spec = RunSpec(frequencies=p, width=2, correlation=c, group_size=3)
    u = np.zeros((N, 7))
    drawn = Sampler(spec).draw(N)
    u[drawn.sample, drawn.feature] = 1
    group = np.array([2, 0, 0, 1, 1, 0, 1])
    for i in range(7):
        for j in range(i + 1):
            together = c * min(p[i], p[j]) + (1 - c) * p[i] * p[j] if group[i] == group[j] else p[i] * p[j]
            expected = p[i] if i == j else together
            assert stats.binomtest(int((u[:, i] * u[:, j]).sum()), N, expected).pvalue > 1e-6
    found = evaluate(made(np.eye(7, 2), np.zeros(7), frequencies=p, correlation=c, group_size=3), 100_000)
    assert within(found.pair_correlation, spec.pair_correlation)
    assert np.isnan(found.single_active_loss) and "correlated" in found.notes[-1]


# --- silence ---


@pytest.mark.parametrize(
    ("own", "b", "values", "silent"),
    [
        (1.0, 0.0, "uniform", False), (1.0, -1.9, "uniform", False), (1.0, -2.0, "uniform", True),
        (0.0, 0.0, "uniform", True), (0.0, 0.1, "uniform", False),
        (-1.0, 0.5, "uniform", False), (-1.0, 0.0, "uniform", True),  # it answers the smallest v alone
        (-1.0, 0.5, "constant", True), (1.0, -0.9, "constant", False), (1.0, -1.0, "constant", True),
        (1.0, -6.9, "exponential", False), (1.0, -6.91, "exponential", True),  # 99.9 %: log 1000 = 6.9078
        (1.0, -4.12, "half-normal", False), (1.0, -4.13, "half-normal", True),  # sqrt(pi/2) 3.2905 = 4.1241
    ],
)  # fmt: skip
def test_a_silent_feature_never_answers_its_own_input_alone(own, b, values, silent):
    run = made([[1.0], [0.0]], [b, 1.0], [[own], [0.0]], values=values)
    assert silent_features(run).tolist() == [silent, False]


def test_silence_has_no_meaning_for_gelu_and_cross_entropy_and_linear_units_are_never_silent():
    weights = ([[1.0], [0.0]], [-9.0, 0.0])
    assert silent_features(made(*weights, activation="gelu")) is None
    assert silent_features(made(*weights, loss_function="cross-entropy")) is None
    assert not silent_features(made(*weights, activation="linear")).any()


# --- what is refused, and the command line ---


def test_what_cannot_be_evaluated_is_refused_in_one_line():
    run = random_run()
    bare = Run(run.spec, "ok", run.losses, None, None)
    lost = Run(run.spec, "diverged", run.losses, run.W, run.b)
    for bad, samples, said in (
        (bare, 100, "without its weights"), (lost, 100, "diverged"), (run, 1, "1 samples"),
        (run, 10**12, "at most|to 25000000000 samples"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            evaluate(bad, samples)


def test_cross_entropy_leaves_out_empty_samples_and_has_no_parts():
    found = evaluate(random_run(6, activation_density=0.5, loss_function="cross-entropy"), 50_000)
    p = random_run(6, activation_density=0.5).spec.probabilities
    assert stats.binomtest(found.left_out, 50_000, float(np.prod(1 - p))).pvalue > 1e-6
    assert found.interference is found.silence is found.constant_answer is None
    assert found.per_feature()["loss"].sum() == pytest.approx(found.loss.mean, rel=1e-9)


def test_the_command_prints_the_parts_and_writes_the_features(command, tmp_path):
    run = random_run(7, correlation=0.3, group_size=5)
    path = run.save(tmp_path / "run.safetensors")
    table = tmp_path / "features.csv"
    code, out, _ = command("evaluate", path, "--samples", "2e4", "--per-feature", table)
    assert code == 0 and "constant answer" in out and "20,000 samples, seed 0" in out and "Correlation of pairs" in out
    found = evaluate(run, 20_000)
    assert pd.read_csv(table)["loss"].sum() == pytest.approx(found.loss.mean, rel=1e-5)
    code, out, _ = command("evaluate", path, "--samples", 20000, "--json")
    record = json.loads(out)
    assert record["loss"]["mean"] == found.loss.mean and record["silent_fraction"] == found.silent_fraction
    assert record["single_active_loss"] is None


def test_a_model_without_a_loss_has_no_shares_of_it(command, tmp_path):
    spec = RunSpec(n_features=3, width=3, steps=1, values="constant")
    eye = Run(spec, "ok", np.zeros(1, np.float32), np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    code, out, err = command("evaluate", eye.save(tmp_path / "run.safetensors"), "--samples", 1000)
    assert (code, err) == (0, "") and "%" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--samples", "1.5"), "--samples 1.5"), (("--samples", "nan"), "a whole number"),
        (("--samples", "1"), "1 samples"), (("--samples", "inf"), "a whole number"), (("--seed", "-1"), "seed = -1"),
        (("--per-feature", "features.txt"), "ending in .csv"), (("--per-feature", "old.csv"), "which exists"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_in_one_line(command, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.csv").write_text("mine")
    path = random_run(8).save(tmp_path / "run.safetensors")
    code, out, err = command("evaluate", path, *arguments)
    assert code == 2 and out == "" and said in err and err.count("\n") == 1
