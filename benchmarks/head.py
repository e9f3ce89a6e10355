"""A head of 152,064 x 1,024 in bf16 in two shards: time and memory of its measures, beside all pairs.

    python benchmarks/head.py [--rows 152064] [--width 1024] [--stripes 8]

Runs on one thread. The measures run in a process of their own, whose peak memory is reported. Visiting all
pairs takes very long: a stated share of its stripes, spread evenly, is timed and scaled up.
"""

from __future__ import annotations

import os

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[pool] = "1"

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

from superlaw.geometry import blocks

STRIPE = 1024  # rows of a stripe of pairs

MEASURE = """
import json, resource, sys, time
from superlaw.geometry import blocks
from superlaw.lm.head import load_head
start = time.perf_counter()
W = load_head(sys.argv[1]).W
scan = blocks.scan_rows(W)
middle = time.perf_counter()
shown = blocks.unit_moment(W).mean_square_overlap
end = time.perf_counter()
print(json.dumps({"overlap": shown, "norms": middle - start, "moment": end - middle,
                  "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def write(folder: Path, rows: int, width: int) -> np.ndarray:
    """A head of random directions with unequal norms, and another tensor, in a shard each."""
    random = np.random.default_rng(0)
    W = np.empty((rows, width), ml_dtypes.bfloat16)
    for i in range(0, rows, 8192):
        block = random.standard_normal((len(W[i : i + 8192]), width), dtype=np.float32)
        W[i : i + 8192] = block * random.uniform(0.2, 2, (len(block), 1))
    save_file({"model.norm.weight": np.ones(width, np.float32)}, folder / "model-00001-of-00002.safetensors")
    save_file({"lm_head.weight": W}, folder / "model-00002-of-00002.safetensors")
    shards = {
        "model.norm.weight": "model-00001-of-00002.safetensors",
        "lm_head.weight": "model-00002-of-00002.safetensors",
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "config.json").write_text(json.dumps({"vocab_size": rows, "hidden_size": width}))
    return W


def product_seconds(rows: int, width: int) -> float:
    """One product of n m^2 multiply-adds, at the rate of sgemm on blocks of 8192 rows (best of five)."""
    random = np.random.default_rng(1)
    a, b = (random.standard_normal((8192, width), dtype=np.float32) for _ in range(2))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        a.T @ b
        times.append(time.perf_counter() - start)
    return min(times) * rows / 8192


def all_pairs_seconds(W: np.ndarray, stripes: int) -> tuple[float, float]:
    """Seconds of the mean squared overlap by blocks of pairs i <= j, scaled from some stripes, and their share."""
    w = np.concatenate([block for _, block in blocks.unit_blocks(W)])
    n = len(w)
    starts = range(0, n, STRIPE)
    chosen = starts[:: max(1, len(starts) // stripes)]
    visited, total, begin = 0, 0.0, time.perf_counter()
    for i in chosen:
        for j in range(i, n, STRIPE):
            overlaps = w[i : i + STRIPE] @ w[j : j + STRIPE].T
            total += float(np.square(overlaps, out=overlaps).sum(dtype=np.float64))
            visited += 1
    seconds = time.perf_counter() - begin
    share = visited / (len(starts) * (len(starts) + 1) / 2)
    return seconds / share, share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=152_064)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--stripes", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        W = write(Path(folder), options.rows, options.width)
        product = product_seconds(options.rows, options.width)
        done = subprocess.run([sys.executable, "-c", MEASURE, folder], capture_output=True, text=True, check=True)
        shown = json.loads(done.stdout)
    pairs, share = all_pairs_seconds(W, options.stripes)
    whole = shown["norms"] + shown["moment"]
    print(f"head {options.rows} x {options.width} in bf16 ({W.nbytes / 1e6:.0f} MB), one thread")
    print(f"mean squared overlap {shown['overlap']:.6g} (1/m = {1 / options.width:.6g}), exact")
    print(f"reading and norms {shown['norms']:.2f} s, second moment {shown['moment']:.2f} s, "
          f"peak memory {shown['kilobytes'] / 1e6:.2f} GB")  # fmt: skip
    print(f"one n m^2 product at the measured sgemm rate {product:.2f} s: measured / product = {whole / product:.2f}")
    print(f"all pairs by blocks {pairs:.0f} s (from {share:.1%} of them): {pairs / whole:.0f} times slower")


if __name__ == "__main__":
    main()
