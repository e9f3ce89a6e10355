"""The engine in WebAssembly beside the native one: one start, the same batches, the same losses."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from superlaw import RunSpec
from superlaw.toy.fused import Fused
from superlaw.toy.protocol import initial_state, schedule

PROGRAM = Path(__file__).parent / "first_steps.mjs"


def in_wasm(engine: Path, spec: RunSpec) -> dict:
    if shutil.which("node") is None:
        pytest.skip("no Node.js")
    problem = {
        "n": spec.n_features, "m": spec.width, "batch": spec.batch, "seed": spec.seed,
        "weight_decay": spec.weight_decay, "initial_bias_std": spec.initial_bias_std,
        "frequencies": spec.probabilities.tolist(), "rates": (spec.learning_rate * schedule(spec)).tolist(),
    }  # fmt: skip
    done = subprocess.run(["node", PROGRAM, engine], input=json.dumps(problem), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SPECS = {
    "narrow": RunSpec(n_features=5, width=2, weight_decay=1, steps=20, warmup=2, batch=256, seed=43),
    "growth": RunSpec(n_features=200, width=20, weight_decay=-1, steps=20, warmup=2, batch=512, learning_rate=0.02),
    "dense": RunSpec(n_features=100, width=33, activation_density=4, steps=20, warmup=2, batch=100, seed=2**31 - 1),
    "wide": RunSpec(n_features=500, width=100, weight_decay=0.3, initial_bias_std=0, steps=20, warmup=0, batch=2048),
    "one": RunSpec(n_features=2, width=1, data_exponent=0, steps=20, warmup=0, batch=32, seed=7),
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("simd", ["baseline", ""])  # the kernels it is compiled from, and this processor's best
def test_twenty_steps_from_one_start_with_the_same_batches_are_equal_to_rounding(engine, name, simd):
    spec = SPECS[name]
    found, start = in_wasm(engine, spec), initial_state(spec)
    np.testing.assert_array_equal(np.array(found["W"], np.float32), start.W.ravel())
    np.testing.assert_array_equal(np.array(found["b"], np.float32), start.b)
    (native,) = Fused(simd=simd).train([spec])
    # sums over features and samples in another order: a few units of float32's 1.2e-7
    np.testing.assert_allclose(found["losses"], native.losses, rtol=3e-6)


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_the_start_is_numpys_to_the_bit_for_many_numbers(engine, seed):
    """50,500 normal numbers: all branches of the ziggurat, the tail (1 in 4,000) too."""
    spec = RunSpec(n_features=500, width=100, steps=1, warmup=0, batch=1, seed=seed)
    found, start = in_wasm(engine, spec), initial_state(spec)
    np.testing.assert_array_equal(np.array(found["W"], np.float32), start.W.ravel())
    assert np.abs(start.W).max() > 3.66 / 10  # some are of the tail


def test_the_picture_of_the_gram_matrix_is_of_the_start(engine):
    spec = SPECS["growth"]
    W = np.array(in_wasm(engine, spec)["W"]).reshape(200, 20)
    bytes_ = np.array(in_wasm(engine, spec)["bytes"]).reshape(200, 200)
    np.testing.assert_allclose(bytes_, np.clip(128 + 100 * W @ W.T, 0, 255), atol=0.51 + 1e-3)
