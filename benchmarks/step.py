"""One training step: `fused` against the published loop, one core each, in one run.

Pieces of both are interleaved, so that a change in the machine's speed meets both alike; a cell's ratio is
the median over rounds of the ratio within a round. The share of the floating-point peak counts the
multiplications and additions that a step needs (not those it pads), over the peak measured here.

    python benchmarks/step.py [--rounds 9] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

import numpy as np
import torch
from published_loop import PublishedLoop

from superlaw.toy.fused import _fused, peak_flops, sample, variants
from superlaw.toy.protocol import BETAS, EPSILON
from superlaw.toy.spec import RunSpec

WIDTHS = (10, 15, 25, 39, 63, 100)


class FusedSteps:
    """The engine's own trainer, stepping as PublishedLoop does."""

    def __init__(self, spec: RunSpec):
        random = np.random.default_rng(0)
        n, m = spec.n_features, spec.width
        W = (random.standard_normal((n, m)) / np.sqrt(m)).astype(np.float32)
        self.training = _fused.Training(
            W, random.standard_normal(n).astype(np.float32), spec.probabilities, spec.batch, 0, 1.0,
            *BETAS, EPSILON, -1.0, 1, "", "automatic",
        )  # fmt: skip

    def steps(self, count: int) -> None:
        rates = np.full(count, 1e-3)
        self.training.advance(rates, rates, np.empty(count, np.float32))


def operations(spec: RunSpec) -> float:
    """Floating-point operations a step needs: three products for U x V, half of them for U x U, samples."""
    n, m = spec.n_features, spec.width
    entries = [sample(spec.probabilities, spec.batch, 0, step) for step in range(5)]
    unique = np.mean([np.count_nonzero(np.diff(start)) for start, _, _ in entries])
    non_zeros = np.mean([len(which) for _, which, _ in entries])
    products = 1.5 * unique**2 + 3 * unique * (n - unique)
    return 2 * m * products + n * (4 * non_zeros + 4 * spec.batch * (1 - np.exp(-spec.probabilities.sum())))


def timed(function, *arguments) -> float:
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def compare(spec: RunSpec, rounds: int, peak: float) -> dict[str, float]:
    dense = PublishedLoop(spec.n_features, spec.width, spec.batch, spec.probabilities)
    fused = FusedSteps(spec)
    dense.step(), fused.steps(20 if spec.n_features < 5000 else 2)
    piece = max(1, round(0.1 / max(timed(fused.steps, 5) / 5, 1e-6)))  # about 0.1 s of steps
    slow, quick = [], []
    for _ in range(rounds):
        slow.append(timed(dense.step))
        quick.append(timed(fused.steps, piece) / piece)
    slow, quick = np.array(slow), np.array(quick)
    return {
        "dense_ms": 1e3 * float(np.median(slow)),
        "fused_ms": 1e3 * float(np.median(quick)),
        "ratio": float(np.median(slow / quick)),
        "ratio_low": float(np.percentile(slow / quick, 10)),
        "ratio_high": float(np.percentile(slow / quick, 90)),
        "peak_share": operations(spec) / float(np.median(quick)) / peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="leave out n = 10,240")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    peak = peak_flops()
    results = {}
    for alpha in (1.0, 0.0):
        for m in WIDTHS:
            spec = RunSpec(width=m, data_exponent=alpha)
            results[f"n = 1000, alpha = {alpha:g}, m = {m}"] = compare(spec, options.rounds, peak)
    for m in () if options.quick else (64, 256):
        spec = RunSpec(n_features=10_240, width=m, data_exponent=1.2, batch=8192)
        results[f"n = 10240, alpha = 1.2, m = {m}"] = compare(spec, max(3, options.rounds // 2), peak)
    means = {
        alpha: float(
            np.exp(np.mean([np.log(r["ratio"]) for k, r in results.items() if f"1000, alpha = {alpha}," in k]))
        )
        for alpha in ("1", "0")
    }
    if options.json:
        print(json.dumps({"peak_gflops": peak / 1e9, "cells": results, "geometric_mean": means}))
        return
    print(f"{processor()}, kernels {variants()[0]}, measured peak of one core {peak / 1e9:.0f} GFLOP/s, "
          f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("| cell | published loop, ms | fused, ms | ratio (10-90 % of rounds) | share of peak |")
    print("|---|---|---|---|---|")
    for name, r in results.items():
        print(f"| {name} | {r['dense_ms']:.1f} | {r['fused_ms']:.3f} | {r['ratio']:.1f} "
              f"({r['ratio_low']:.1f}-{r['ratio_high']:.1f}) | {100 * r['peak_share']:.0f} % |")  # fmt: skip
    print(f"\nGeometric mean over the six widths: {means['1']:.1f} (alpha = 1), {means['0']:.1f} (alpha = 0)")


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
