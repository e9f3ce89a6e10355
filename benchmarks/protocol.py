"""Full-protocol check: n = 1000, alpha = 1, gamma = -0.5556, 20,000 steps, several seeds a width.

Compares final losses with those of the published loop, as a z-score: the difference over the spread of one
seed. About two minutes a seed on one core. Runs are stored, so that the script can be stopped and started again.

    python benchmarks/protocol.py --store DIR [--seeds 4] [--workers 1]
"""

from __future__ import annotations

import argparse

import numpy as np

from superlaw.sweeps.execute import execute
from superlaw.sweeps.store import Store
from superlaw.toy.spec import RunSpec

EXPECTED = {10: (0.69, 0.03), 25: (0.36, 0.02), 63: (0.10, 0.02), 100: (0.065, 0.015)}  # loss, seed spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    store = Store(options.store)
    gamma = np.linspace(-1, 1, 10)[2]  # -0.5556: the third of the published ten
    specs = {
        (m, seed): RunSpec(width=m, weight_decay=gamma, seed=seed) for m in EXPECTED for seed in range(options.seeds)
    }
    execute(specs.values(), store, options.workers)
    print(
        "| m | published loop, spread of one seed | here: mean ± standard error | spread of one seed here | seeds | z |"
    )
    print("|---|---|---|---|---|---|")
    for m, (loss, spread) in EXPECTED.items():
        losses = np.array([store.load(specs[m, seed].id).loss for seed in range(options.seeds)])
        mean, one_seed = losses.mean(), losses.std(ddof=1)
        error = one_seed / np.sqrt(len(losses))
        z = (mean - loss) / (spread * np.sqrt(1 + 1 / len(losses)))  # the published value is one draw
        print(f"| {m} | {loss} ± {spread} | {mean:.4f} ± {error:.4f} | {one_seed:.4f} | {len(losses)} | {z:+.2f} |")


if __name__ == "__main__":
    main()
