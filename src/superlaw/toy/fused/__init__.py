"""Engine ``fused``: the default. CPU, no PyTorch; a small C++ extension does the steps, of every variant in float32.

Only the active features are sampled, no dense batch exists, rows of the Gram matrix W W^T are formed
tile by tile, and the gradient is formed from the outputs that are not 0, or, where they are many, by dense
products (kernels_impl.hpp; counts decide, so a spec's bits do not depend on time or load). This file is its
Python face: it checks arrays and steps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import numpy as np

from superlaw.errors import InputError
from superlaw.toy import provenance
from superlaw.toy.fused import _fused
from superlaw.toy.protocol import BETAS, EPSILON, State, Watch, diverged_at, initial_state, runaway_loss, schedule
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

variants = _fused.variants
"""Names of the instruction sets this processor runs, best first."""

REVISION = 2
"""Of the engine's arithmetic: raised when the bits of a run change. 2: gradients from the active outputs alone."""

TRAINED = {
    "activation": ("relu", "linear", "gelu"),
    "loss_function": ("squared-error", "cross-entropy"),
    "values": ("uniform", "exponential", "half-normal", "constant"),
    "rows": ("free", "unit"),
    "optimizer": ("adam", "sgd"),
    "dtype": ("float32",),
}
"""What this engine trains of the fields that are choices: one that a field gains is dense's until it is here."""

MOST_THREADS = 256
MOST_INDEX = 2**24  # the kernels index tiles of features and samples with 32 bits
WATCH_SECONDS = 0.05  # at most about this long between two looks at Ctrl-C and at divergence


class Fused:
    """The engine. ``simd``, ``products`` pick kernels for tests and benchmarks; leave them out otherwise."""

    name = "fused"

    def __init__(self, threads: int = 1, simd: str = "", products: str = "automatic"):
        if not 1 <= threads <= MOST_THREADS:
            raise InputError(f"threads = {threads}", f"1 to {MOST_THREADS} threads")
        if simd and simd not in variants():
            raise InputError(f"simd = {simd!r}", f"one of {', '.join(variants())} on this processor")
        self.threads, self.simd, self.products = threads, simd, products

    def lacks(self, spec: RunSpec) -> str:
        """The first choice of the spec that is not in ``TRAINED``."""
        return next((f"{name} = {getattr(spec, name)}" for name, only in TRAINED.items()
                     if getattr(spec, name) not in only), "")  # fmt: skip

    def check(self, spec: RunSpec) -> None:
        """Raise InputError for what is not in ``TRAINED`` or does not fit in memory."""
        lacks = self.lacks(spec)
        if lacks:
            name = lacks.split(" = ")[0]
            need = f"{name} = {' or '.join(str(one) for one in TRAINED[name])}"
            raise InputError(f"{lacks} with the engine fused", need, "use --engine dense")
        non_zeros = spec.batch * float(spec.probabilities.sum())  # expected in a batch
        if max(non_zeros, spec.n_features, spec.batch) > MOST_INDEX:
            raise InputError(
                f"a batch of {spec.batch} with {non_zeros:.3g} active features of {spec.n_features}",
                f"at most {MOST_INDEX:,} of each",
                "use smaller batches",
            )
        needed = (7 if spec.tied else 12) * 4.0 * spec.n_features * spec.width + 20.0 * spec.steps + 256 * non_zeros
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if needed > memory:
            raise InputError(
                f"a model and its history of about {needed / 1e9:.3g} GB",
                f"one that fits in this machine's {memory / 1e9:.3g} GB",
                "lower n_features, width, batch or steps",
            )

    def train(self, specs: Sequence[RunSpec], watch: Watch | None = None) -> Iterator[Run]:
        """Train the specs one after another; see Engine.train."""
        for spec in specs:
            self.check(spec)
            yield self._train_one(spec, watch)

    def _train_one(self, spec: RunSpec, watch: Watch | None) -> Run:
        begin = time.perf_counter()
        state = initial_state(spec)
        W, b, V = state.W, state.b, state.encoder
        training = self.start(spec, state)
        rates = schedule(spec)
        eta_W, eta_b = (peak * rates for peak in spec.peak_learning_rates)
        losses = np.empty(spec.steps, dtype=np.float32)
        status, done, chunk, limit = "ok", 0, 1, np.inf
        while done < spec.steps and status == "ok":
            chunk = min(chunk, spec.steps - done)
            part = slice(done, done + chunk)
            from_time = time.perf_counter()
            training.advance(eta_W[part], eta_b[part], losses[part])
            seconds = time.perf_counter() - from_time
            if done == 0:
                limit = runaway_loss(spec, float(losses[0]))
            done += chunk
            at = diverged_at(losses[part], limit)
            if at is not None:
                status, done = "diverged", part.start + at + 1
            elif watch and watch(spec, done, float(losses[done - 1])) and done < spec.steps:
                status = "stopped"
            chunk = max(1, int(chunk * min(4.0, WATCH_SECONDS / max(seconds, 1e-9))))
        training.state(W, b, V)
        if status == "ok" and not state.finite:
            status = "diverged"
        more = {"samples_left_out": training.samples_left_out()} if spec.loss_function == "cross-entropy" else {}
        made = provenance.record(
            self.name, begin, engine_revision=REVISION, simd=self.simd or variants()[0], threads=self.threads,
            sparse_steps=training.sparse_steps(), **more,
        )  # fmt: skip
        return Run(spec, status, losses[:done].copy(), W, b, made, encoder=V)

    def start(self, spec: RunSpec, state: State) -> _fused.Training:
        """The trainer of a spec at a state, before its first step."""
        return _fused.Training(state.W, state.b, state.encoder, distribution(spec), self._settings(spec))

    def _settings(self, spec: RunSpec) -> _fused.Settings:
        """The spec's choices, as the extension has them."""
        settings = _fused.Settings()
        settings.output = spec.activation if spec.loss_function == "squared-error" else spec.loss_function
        settings.tied, settings.unit_rows, settings.learn_bias = spec.tied, spec.rows == "unit", spec.learn_bias
        settings.optimizer = spec.optimizer
        if spec.optimizer == "sgd":
            assert spec.momentum is not None, "a spec with sgd has its momentum"
            settings.beta1 = spec.momentum
        else:
            assert spec.adam_epsilon is not None, "a spec with adam has its epsilon"
            (settings.beta1, settings.beta2), settings.epsilon = BETAS, spec.adam_epsilon
        settings.weight_decay, settings.norm_epsilon = spec.weight_decay, EPSILON
        settings.loss_scale = spec.loss_scale
        settings.threads, settings.simd, settings.products = self.threads, self.simd, self.products
        return settings


def distribution(spec: RunSpec) -> _fused.Distribution:
    """What the spec's batches are drawn from."""
    groups = None if spec.groups is None else spec.groups.astype(np.int32)
    return _fused.Distribution(spec.probabilities, spec.batch, spec.seed, spec.values, spec.correlation, groups)


def draw(spec: RunSpec, step: int, simd: str = "") -> tuple[np.ndarray, ...]:
    """The non-zeros of the spec's batch of a step (from 0), as :func:`sample` gives them."""
    return _as_arrays(_fused.sample(distribution(spec), step, simd))


def sample(frequencies: np.ndarray, batch: int, seed: int, step: int, simd: str = "") -> tuple[np.ndarray, ...]:
    """The non-zeros of one batch of independent features with uniform values, feature by feature.

    Returns
    -------
    start : ndarray of int32, shape (n + 1,)
        Entries of feature i are start[i] : start[i + 1].
    sample : ndarray of int32, shape (non-zeros,)
    value : ndarray of float32, shape (non-zeros,)
    """
    p = np.ascontiguousarray(frequencies, dtype=np.float64)
    return _as_arrays(_fused.sample(_fused.Distribution(p, batch, seed), step, simd))


def _as_arrays(entries: tuple[list[int], list[int], list[float]]) -> tuple[np.ndarray, ...]:
    start, which, value = entries
    return np.array(start, dtype=np.int32), np.array(which, dtype=np.int32), np.array(value, dtype=np.float32)


def gradient(
    W: np.ndarray,
    b: np.ndarray,
    entries: tuple[np.ndarray, ...],
    batch: int,
    threads: int = 1,
    simd: str = "",
    products: str = "automatic",
    output: str = "relu",
    encoder: np.ndarray | None = None,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray | None]:
    """L and its gradients dL/dW (n, m), dL/db (n,) and dL/dV (n, m; None without an encoder of its own).

    On a given sparse batch (as from :func:`sample`). ``output`` is an activation with squared error, or
    ``cross-entropy``. Raises InputError when the arrays do not fit together.
    """
    start, which, value = entries
    n = len(W)
    fits = (
        W.ndim == 2 and (encoder is None or encoder.shape == W.shape)
        and b.shape == (n,) and start.shape == (n + 1,) and start[0] == 0 and (np.diff(start) >= 0).all()
        and start[-1] == len(which) == len(value) and ((which >= 0) & (which < batch)).all()
    )  # fmt: skip
    if not fits:
        raise InputError("a state and entries that do not fit together", "W (n, m), b (n,), entries as from sample()")
    settings = _fused.Settings()
    settings.output, settings.tied = output, encoder is None
    settings.threads, settings.simd, settings.products = threads, simd, products
    V = None if encoder is None else np.ascontiguousarray(encoder, np.float32)
    dW, db = np.empty(W.shape, np.float32), np.empty(b.shape, np.float32)
    dV = None if V is None else np.empty(V.shape, np.float32)
    loss = _fused.gradient(
        np.ascontiguousarray(W, np.float32), np.ascontiguousarray(b, np.float32), V,
        entries, batch, settings, dW, db, dV,
    )  # fmt: skip
    return loss, dW, db, dV


def peak_flops(simd: str = "", seconds: float = 0.2) -> float:
    """Measured multiply-add rate of one core, in floating-point operations a second."""
    return _fused.peak_flops(simd, seconds)
