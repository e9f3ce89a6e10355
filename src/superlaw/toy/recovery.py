"""Recovery: how well a trained model gives back each feature, on batches it has not seen."""

from __future__ import annotations

import math

import numpy as np

from superlaw.errors import InputError
from superlaw.toy.model import trained_model
from superlaw.toy.run import Run
from superlaw.toy.samples import Sampler


def relative_errors(run: Run, activations: int = 256, seed: int = 0) -> np.ndarray:
    """Error of each feature over that of answering its mean: sum (y_i - x_i)^2 / sum (x_i - p_i)^2.

    0 is perfect; 1 is what a model gets that ignores the feature and answers <x_i> = p_i, whose error is
    the variance <v^2> p_i - p_i^2. Both sums run over the same fresh samples, when the feature is active and
    when it is not: a feature that is answered rightly but also where it is absent is not recovered.

    Parameters
    ----------
    run : Run
        With its weights, of squared error.
    activations : int
        Samples are drawn until the rarest feature is expected to be active this often. The relative
        standard error of each ratio is about 1/sqrt(activations).
    seed : int
        Of the samples; apart from the seeds of training.

    Returns
    -------
    ndarray, shape (n,)
        NaN for a run that diverged, and for features that never occur.

    Examples
    --------
    >>> from superlaw.toy.spec import RunSpec
    >>> spec = RunSpec(n_features=2, width=1, data_exponent=0, activation_density=0.2, steps=1)
    >>> only_first = np.array([[1.0], [0.0]], np.float32), np.array([0.0, 0.1], np.float32)
    >>> relative_errors(Run(spec, "ok", np.ones(1, np.float32), *only_first)).round(3)
    array([0., 1.])
    """
    model, spec = trained_model(run), run.spec
    if spec.loss_function != "squared-error":
        raise InputError(f"a run with loss_function = {spec.loss_function}, whose outputs are logits",
                         "a run with squared-error")  # fmt: skip
    if activations < 1:
        raise InputError(f"activations = {activations}", "1 or more")
    p = spec.probabilities  # (n,)
    n = len(p)
    if run.status != "ok" or not model.finite:
        return np.full(n, np.nan)
    samples = math.ceil(activations / float(p[p > 0].min()))
    error, total, squares = np.zeros(n), np.zeros(n), np.zeros(n)
    for drawn in Sampler(spec, seed).blocks(samples):
        y = model.answers(drawn.project(model.encoder))  # (B, n)
        y[drawn.sample, drawn.feature] -= drawn.value
        error += np.einsum("ij,ij->j", y, y)
        total += np.bincount(drawn.feature, drawn.value, n)
        squares += np.bincount(drawn.feature, drawn.value**2, n)
    with np.errstate(invalid="ignore", divide="ignore"):  # p = 0
        return np.where(p > 0, error / (squares - 2 * p * total + samples * p**2), np.nan)
