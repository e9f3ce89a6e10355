"""The loss of a trained model on fresh samples, and what it is made of (docs/science.md#parts-of-the-loss)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.numbers import with_error
from superlaw.files.records import json_ready
from superlaw.geometry.groups import REPRESENTED
from superlaw.geometry.overlaps import row_norms
from superlaw.theory.values import values_named
from superlaw.toy.model import TrainedModel, silent_features, trained_model
from superlaw.toy.run import Run
from superlaw.toy.samples import Sampler, Samples, pair_correlations
from superlaw.toy.single import alone_probabilities, closed_losses, quadrature_losses

if TYPE_CHECKING:
    import pandas as pd

MOST_OUTPUTS = 10**12  # samples times features: about an hour
PARTS = ("interference", "constant_answer", "silence", "unlearned", "shrinkage")
EXCLUSIVE = ("interference", "silence", "unlearned", "shrinkage")  # these add up to the loss


@dataclass(frozen=True)
class SampleMean:
    """A mean over samples and its standard error (NaN of fewer than two)."""

    mean: float
    stderr: float

    def __str__(self) -> str:
        return with_error(self.mean, self.stderr)


@dataclass(frozen=True)
class Evaluation:
    """A run's loss on fresh samples.

    Parameters
    ----------
    id : str
    samples, seed : int
    left_out : int
        Samples without an active feature, which cross-entropy leaves out.
    loss : SampleMean
        L; with cross-entropy in nats, the mean over the samples that have an active feature.
    reported_loss, reported_std : float
        Of the training's last 100 steps; NaN for a run that was stopped.
    interference, silence, unlearned, shrinkage : SampleMean, optional
        What feature j adds where x_j = 0; where x_j > 0 and j is silent; else where its row is at most 1/2 long; else.
        They add up to the loss. None for cross-entropy; silence is 0 where silence has no meaning (GELU).
    constant_answer : SampleMean, optional
        f(b_j)^2 where x_j = 0: what of the interference an empty input costs as well.
    single_active : SampleMean
        The loss of those samples that have just one active feature.
    single_active_loss : float
        The same exactly, the mean over v and over which feature it is; NaN for correlated features and where it takes
        too long.
    pair_correlation : SampleMean, optional
        The mean correlation of pairs of a group, as drawn; None without correlation.
    silent_fraction : float
    notes : tuple of str
    feature_parts : dict of str to ndarray, shape (n,)
        What each feature adds to the loss, and to its parts.
    """

    id: str
    samples: int
    seed: int
    left_out: int
    loss: SampleMean
    reported_loss: float
    reported_std: float
    interference: SampleMean | None
    constant_answer: SampleMean | None
    silence: SampleMean | None
    unlearned: SampleMean | None
    shrinkage: SampleMean | None
    single_active: SampleMean
    single_active_loss: float
    pair_correlation: SampleMean | None
    silent_fraction: float
    notes: tuple[str, ...] = ()
    feature_parts: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the features."""
        names = (one.name for one in fields(self) if one.name != "feature_parts")
        return {name: json_ready(getattr(self, name)) for name in names}

    def per_feature(self) -> pd.DataFrame:
        """A row a feature, in the order of the spec: frequency, norm, silent or not, its loss and the parts of it."""
        import pandas as pd

        return pd.DataFrame({"feature": np.arange(1, len(self.feature_parts["loss"]) + 1), **self.feature_parts})


def evaluate(run: Run, samples: int = 1_000_000, seed: int = 0) -> Evaluation:
    """The loss of a run on fresh samples, with its standard error, and what it is made of.

    Parameters
    ----------
    run : Run
        With its weights.
    samples : int
        Two or more; samples times features at most 10^12.
    seed : int
        Of the samples; apart from the seeds of training.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        For a run without weights, or one that diverged; for too few or too many samples.

    Examples
    --------
    >>> from superlaw import RunSpec, train
    >>> run = train(RunSpec(n_features=50, width=5, weight_decay=-1, steps=200, warmup=20, batch=256))
    >>> found = evaluate(run, samples=20_000)
    >>> parts = found.interference.mean + found.silence.mean + found.unlearned.mean + found.shrinkage.mean
    >>> abs(parts - found.loss.mean) < 1e-9
    True
    """
    spec, model = run.spec, trained_model(run)
    n = spec.n_features
    if run.status == "diverged" or not model.finite:
        raise InputError(f"the run {run.id}, which diverged", "a run that did not", "lower its learning rate")
    if not 2 <= samples <= MOST_OUTPUTS // n:
        raise InputError(f"{samples} samples of {n} features", f"from 2 to {MOST_OUTPUTS // n} samples",
                         "the standard error falls as 1/sqrt(samples)")  # fmt: skip
    if seed < 0:
        raise InputError(f"seed = {seed}", "0 or more")
    silent = silent_features(run)
    add = _CrossEntropy(model) if spec.loss_function == "cross-entropy" else _SquaredError(model, silent)
    groups, sums, correlation = spec.groups, _Sums(), _Sums()
    for drawn in Sampler(spec, seed).blocks(samples):
        each = add(drawn)
        each["single_active"] = np.where(drawn.active == 1, each["loss"], np.nan)
        sums.add(each)
        if groups is not None:
            correlation.add({"pairs": pair_correlations(drawn, spec.probabilities, groups)})
    mean = {name: sums.mean(name) for name in sums.count}
    exact, notes = _single(run, model)
    return Evaluation(
        id=run.id, samples=samples, seed=seed, left_out=samples - sums.count["loss"], loss=mean["loss"],
        reported_loss=run.loss, reported_std=run.loss_std, **{part: mean.get(part) for part in PARTS},
        single_active=mean["single_active"], single_active_loss=exact,
        pair_correlation=correlation.mean("pairs") if groups is not None else None,
        silent_fraction=float("nan") if silent is None else float(silent.mean()), notes=(*spec.notes, *notes),
        feature_parts=_features(run, silent, {name: x / sums.count["loss"] for name, x in add.by_feature.items()}),
    )  # fmt: skip


def _single(run: Run, model: TrainedModel) -> tuple[float, tuple[str, ...]]:
    """The exact loss with one active feature, or NaN and why."""
    spec = run.spec
    if spec.groups is not None:
        return float("nan"), ("the exact loss with one active feature is left out: features are correlated",)
    weights = alone_probabilities(spec.probabilities)
    if weights is None:
        return float("nan"), ("there are no samples with just one active feature",)
    values = values_named(spec.values)
    if spec.loss_function == "squared-error" and spec.activation in ("relu", "linear"):
        losses = closed_losses(model, values)
    else:
        losses = quadrature_losses(model, values, spec.loss_function)
    if losses is None:
        return float("nan"), (f"the exact loss with one active feature is left out: {spec.n_features} features "
                              "are too many for its quadrature",)  # fmt: skip
    return float(weights @ losses), ()


def _features(run: Run, silent: np.ndarray | None, parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    assert run.W is not None
    norms = row_norms(run.W)
    state = {"frequency": run.spec.probabilities, "norm": norms}
    return state | ({} if silent is None else {"silent": silent}) | parts


class _Sums:
    """Means and spreads of several numbers a sample, added up block by block; NaN is no number."""

    def __init__(self):
        self.count: dict[str, int] = {}
        self.total: dict[str, float] = {}
        self.scatter: dict[str, float] = {}  # sum of squares about the mean

    def add(self, block: dict[str, np.ndarray]) -> None:
        for name, values in block.items():
            values = values[~np.isnan(values)]
            count, total = len(values), float(values.sum())
            before = self.count.get(name, 0)
            mean = total / count if count else 0.0
            scatter = float(np.sum((values - mean) ** 2))
            if before and count:  # two groups: their own scatters, and that of their means
                gap = mean - self.total[name] / before
                scatter += gap**2 * before * count / (before + count)
            self.count[name] = before + count
            self.total[name] = self.total.get(name, 0.0) + total
            self.scatter[name] = self.scatter.get(name, 0.0) + scatter

    def mean(self, name: str) -> SampleMean:
        count = self.count[name]
        if count < 2:
            return SampleMean(self.total[name] / count if count else float("nan"), float("nan"))
        return SampleMean(self.total[name] / count, (self.scatter[name] / (count - 1) / count) ** 0.5)


class _SquaredError:
    """Parts of the squared error of each sample, and of each feature summed over samples."""

    def __init__(self, model: TrainedModel, silent: np.ndarray | None):
        n = len(model.b)
        self.model = model
        short = row_norms(model.W) <= REPRESENTED
        silent = np.zeros(n, dtype=bool) if silent is None else silent
        self.kind = np.where(silent, 0, np.where(short, 1, 2))  # silence, unlearned, shrinkage
        self.at_rest = model.f(model.b.astype(np.float64)) ** 2
        self.by_feature = {name: np.zeros(n) for name in ("loss", *PARTS)}

    def __call__(self, drawn: Samples) -> dict[str, np.ndarray]:
        where = drawn.sample, drawn.feature
        y = self.model.answers(drawn.project(self.model.encoder))  # (B, n)
        error = (y[where].astype(np.float64) - drawn.value) ** 2  # where x_j > 0
        y[where] = 0
        y *= y
        kind, rest = self.kind[drawn.feature], self.at_rest[drawn.feature]
        each = {
            "interference": y.sum(axis=1, dtype=y.dtype).astype(np.float64),
            "constant_answer": self.at_rest.sum() - drawn.by_sample(rest),
            **{name: drawn.by_sample(error * (kind == k)) for k, name in enumerate(EXCLUSIVE[1:])},
        }
        n = len(self.at_rest)
        of_feature = lambda weights: np.bincount(drawn.feature, weights, n)  # noqa: E731
        self.by_feature["interference"] += y.sum(axis=0, dtype=y.dtype)
        self.by_feature["constant_answer"] += self.at_rest * (drawn.count - np.bincount(drawn.feature, minlength=n))
        active = of_feature(error)
        for k, name in enumerate(EXCLUSIVE[1:]):
            self.by_feature[name] += active * (self.kind == k)
        self.by_feature["loss"] = sum((self.by_feature[name] for name in EXCLUSIVE), np.zeros(n))
        return {"loss": sum((each[name] for name in EXCLUSIVE), np.zeros(drawn.count)), **each}


class _CrossEntropy:
    """The cross-entropy of each sample (NaN without an active feature), and of each target summed over samples."""

    def __init__(self, model: TrainedModel):
        self.model = model
        self.by_feature = {"loss": np.zeros(len(model.b))}

    def __call__(self, drawn: Samples) -> dict[str, np.ndarray]:
        z = self.model.logits(drawn.project(self.model.encoder))  # (B, n)
        largest = z.max(axis=1)
        at_targets = z[drawn.sample, drawn.feature].astype(np.float64)
        z -= largest[:, None]
        np.exp(z, out=z)
        norm = np.log(z.sum(axis=1).astype(np.float64)) + largest
        share = drawn.value / drawn.by_sample(drawn.value)[drawn.sample]  # t
        terms = share * (norm[drawn.sample] - at_targets)
        self.by_feature["loss"] += np.bincount(drawn.feature, terms, len(self.model.b))
        return {"loss": np.where(drawn.active > 0, drawn.by_sample(terms), np.nan)}
