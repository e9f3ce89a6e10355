"""How long whole commands take on a table of 100,000 runs: python benchmarks/reading.py.

Goals: reading and fitting under 2 s, law look under 1 s, the start of the interpreter included. Medians of several
runs after a warm-up; on a busy machine the processor time is the fairer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

COMMANDS = {"law look": ("look",), "law fit --law chinchilla": ("fit", "--law", "chinchilla")}


def table_of(rows: int) -> pd.DataFrame:
    """Runs of seven columns that follow Chinchilla's law with one per cent of noise."""
    rng = np.random.default_rng(0)
    N, D = 10 ** rng.uniform(6, 10, rows), 10 ** rng.uniform(8, 11, rows)
    loss = (1.7 + 400 / N**0.34 + 400 / D**0.28) * np.exp(0.01 * rng.normal(size=rows))
    return pd.DataFrame({
        "run": [f"run-{i}" for i in range(rows)],
        "n_params": N,
        "tokens": D,
        "loss": loss,
        "d_model": 2 ** rng.integers(6, 12, rows),
        "seed": rng.integers(0, 3, rows),
        "dataset": rng.choice(["c4", "pile"], rows),
    })  # fmt: skip


def seconds_of(command: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a command as a whole process."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begun, os.times()
    return wall, sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        table_of(given.rows).to_csv(path, index=False)
        size = f"{given.rows} rows, {path.stat().st_size / 1e6:.1f} MB"
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {size}")
        for name, (verb, *options) in COMMANDS.items():
            line = [sys.executable, "-m", "superlaw", "law", verb, str(path), *options]
            seconds = np.array([seconds_of(line) for _ in range(given.times + 1)][1:])
            wall, processor = np.median(seconds, axis=0)
            print(f"{name:26s} wall {wall:.2f} s, processor {processor:.2f} s (lowest {seconds[:, 1].min():.2f})")


if __name__ == "__main__":
    main()
