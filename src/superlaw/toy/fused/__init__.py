"""Engine ``fused``: the default. CPU, no PyTorch; a small C++ extension does the steps.

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
from superlaw.toy.protocol import BETAS, EPSILON, Watch, diverged_at, initial_state, runaway_loss, schedule
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

variants = _fused.variants
"""Names of the instruction sets this processor runs, best first."""

REVISION = 2
"""Of the engine's arithmetic: raised when the bits of a run change. 2: gradients from the active outputs alone."""

TRAINED = {
    "activation": ("relu",),
    "loss_function": ("squared-error",),
    "values": ("uniform",),
    "correlation": (0.0,),
    "tied": (True,),
    "rows": ("free",),
    "learn_bias": (True,),
    "optimizer": ("adam",),
    "adam_epsilon": (1e-8,),
    "dtype": ("float32",),
}
"""Values of the fields that this engine does not train at every value."""

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
        needed = 7 * 4.0 * spec.n_features * spec.width + 20.0 * spec.steps + 256 * non_zeros
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
        W, b = state.W, state.b
        training = _fused.Training(
            W, b, spec.probabilities, spec.batch, spec.seed, spec.loss_scale,
            *BETAS, EPSILON, spec.weight_decay, self.threads, self.simd, self.products,
        )  # fmt: skip
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
        training.state(W, b)
        if status == "ok" and not (np.isfinite(W).all() and np.isfinite(b).all()):
            status = "diverged"
        made = provenance.record(
            self.name, begin, engine_revision=REVISION, simd=self.simd or variants()[0], threads=self.threads,
            sparse_steps=training.sparse_steps(),
        )  # fmt: skip
        return Run(spec, status, losses[:done].copy(), W, b, made)


def sample(frequencies: np.ndarray, batch: int, seed: int, step: int, simd: str = "") -> tuple[np.ndarray, ...]:
    """The non-zeros of one batch, feature by feature.

    Returns
    -------
    start : ndarray of int32, shape (n + 1,)
        Entries of feature i are start[i] : start[i + 1].
    sample : ndarray of int32, shape (non-zeros,)
    value : ndarray of float32, shape (non-zeros,)
    """
    start, which, value = _fused.sample(np.ascontiguousarray(frequencies, dtype=np.float64), batch, seed, step, simd)
    return np.array(start, dtype=np.int32), np.array(which, dtype=np.int32), np.array(value, dtype=np.float32)


def gradient(
    W: np.ndarray,
    b: np.ndarray,
    entries: tuple[np.ndarray, ...],
    batch: int,
    threads: int = 1,
    simd: str = "",
    products: str = "automatic",
) -> tuple[float, np.ndarray, np.ndarray]:
    """L and its gradients dL/dW (n, m) and dL/db (n,) on a given sparse batch (as from :func:`sample`).

    Raises InputError when the arrays do not fit together.
    """
    start, which, value = entries
    n = len(W)
    fits = (
        W.ndim == 2 and b.shape == (n,) and start.shape == (n + 1,) and start[0] == 0 and (np.diff(start) >= 0).all()
        and start[-1] == len(which) == len(value) and ((which >= 0) & (which < batch)).all()
    )  # fmt: skip
    if not fits:
        raise InputError("a state and entries that do not fit together", "W (n, m), b (n,), entries as from sample()")
    dW, db = np.empty(W.shape, np.float32), np.empty(b.shape, np.float32)
    loss = _fused.gradient(
        np.ascontiguousarray(W, np.float32), np.ascontiguousarray(b, np.float32),
        start, which, value, batch, threads, simd, products, dW, db,
    )  # fmt: skip
    return loss, dW, db


def peak_flops(simd: str = "", seconds: float = 0.2) -> float:
    """Measured multiply-add rate of one core, in floating-point operations a second."""
    return _fused.peak_flops(simd, seconds)
