"""One training step of each variant of the model, by `fused` and by `dense`, one core each.

Pieces of all variants are interleaved in one process and timed by processor time, at the state that the variant's own
published run reaches after 2,000 of its 20,000 steps (a step's rates are then 0, its work is the same). A row's ratio
is the median over rounds of its time over the default's within a round; times are the least of all rounds.

    python benchmarks/variants.py [--rounds 9] [--no-dense]
"""

from __future__ import annotations

import argparse
import os
import time

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

import numpy as np

from superlaw import RunSpec
from superlaw.toy.fused import Fused, variants
from superlaw.toy.protocol import initial_state, schedule

DEFAULT = RunSpec(n_features=1000, width=39, batch=2048, weight_decay=-1.0)
VARIANTS = {
    "default": {},
    "values exponential": {"values": "exponential"},
    "values half-normal": {"values": "half-normal"},
    "values constant": {"values": "constant"},
    "correlation 0.4, groups of 10": {"correlation": 0.4, "group_size": 10},
    "rows unit": {"rows": "unit"},
    "bias fixed at 0": {"learn_bias": False},
    "sgd": {"optimizer": "sgd", "learning_rate": 1.0},
    "activation linear": {"activation": "linear"},
    "activation gelu": {"activation": "gelu"},
    "untied": {"tied": False},
    "cross-entropy": {"loss_function": "cross-entropy"},
    "cross-entropy, untied": {"loss_function": "cross-entropy", "tied": False},
}
STEPS = 2000


def timed(function, *arguments) -> float:
    begin = time.process_time()
    function(*arguments)
    return time.process_time() - begin


class FusedSteps:
    """The engine at the variant's state, whose later rates are 0."""

    def __init__(self, spec: RunSpec):
        self.training = Fused().start(spec, initial_state(spec))
        rates = [np.ascontiguousarray((peak * schedule(spec))[:STEPS]) for peak in spec.peak_learning_rates]
        self.training.advance(*rates, np.empty(STEPS, np.float32))
        self.count = max(1, round(0.05 / self.seconds(10)))

    def seconds(self, count: int = 0) -> float:
        count = count or self.count
        rates = np.zeros(count)
        return timed(self.training.advance, rates, rates, np.empty(count, np.float32)) / count


class DenseSteps:
    """The reference engine; what it does in a step does not depend on the state."""

    def __init__(self, spec: RunSpec):
        import torch

        from superlaw.toy.dense import Batches, Model

        torch.set_num_threads(1)
        self.draw, self.model = Batches(spec, torch.device("cpu")), Model(spec, torch.device("cpu"))

    def seconds(self) -> float:
        return timed(lambda: self.model.step(self.draw(), 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-dense", action="store_true")
    options = parser.parse_args()
    specs = {name: DEFAULT.change(**fields) for name, fields in VARIANTS.items()}
    engines = {"fused": {name: FusedSteps(spec) for name, spec in specs.items()}}
    if not options.no_dense:
        engines["dense"] = {name: DenseSteps(spec) for name, spec in specs.items()}
    times = {engine: {name: [] for name in specs} for engine in engines}
    for r in range(options.rounds):
        for engine, all_steps in engines.items():
            for name in specs if r % 2 else reversed(specs):
                times[engine][name].append(all_steps[name].seconds())
    print(f"kernels {variants()[0]}, load {os.getloadavg()[0]:.1f}\n")
    print("| variant | " + " | ".join(f"{engine}, ms | times the default" for engine in engines) + " |")
    print("|---" * (1 + 2 * len(engines)) + "|")
    for name in specs:
        cells = []
        for of in times.values():
            ratio = np.median(np.array(of[name]) / np.array(of["default"]))
            cells.append(f"{1e3 * min(of[name]):.2f} | {ratio:.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
