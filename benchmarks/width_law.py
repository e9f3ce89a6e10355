"""Does the width-law protocol cover? ``python benchmarks/width_law.py [--sets 500]`` prints a Markdown table.

Truth and design of each public table that can tell: its fitted law and the scatter of its residuals, half of the
variance common to a model (cluster), normal in log L. A set counts where the protocol does not say "cannot tell".
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np
import pandas as pd

from superlaw.findings.width_design import WidthTable
from superlaw.findings.width_law import WIDTH, judge_width
from superlaw.laws.published import load_published
from superlaw.studies.width_law import width_protocol

RULES = width_protocol().rules


def simulated(runs: pd.DataFrame, clean: np.ndarray, sigma: float, seed: int) -> tuple[bool, bool, float]:
    """Whether the protocol tells on one simulated set, whether its interval holds the truth, and its width."""
    rng = np.random.default_rng(seed)
    cluster = pd.factorize(runs["cluster"])[0]
    noise = np.sqrt(0.5) * (rng.normal(size=cluster.max() + 1)[cluster] + rng.normal(size=len(runs)))
    table = runs.assign(loss=clean * np.exp(sigma * noise))
    columns = WidthTable("simulated", "", "", cluster="cluster", **{
        size: size if size in runs else None for size in ("depth", "tokens")
    })  # fmt: skip
    found = judge_width(table, columns, RULES, quick=True)
    if found.exponent is None:
        return False, False, float("nan")
    return (
        True,
        found.exponent.low <= runs.attrs["truth"] <= found.exponent.high,
        found.exponent.high - found.exponent.low,
    )


def main() -> None:
    """Print one row a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    print("| design | truth | sets that can tell | intervals that hold it | median width of interval |")
    print("|---|---|---|---|---|", flush=True)
    for columns in width_protocol().tables:
        one = judge_width(load_published(columns.name), columns, RULES, quick=True)
        if one.exponent is None or one.fit is None:
            print(f"| {columns.entry} | - | {'none, by design' if one.design.cannot else one.cannot} | - | - |")
            continue
        runs = one.design.runs
        runs.attrs["truth"] = one.fit.params[WIDTH].value
        clean = one.fit.predict(runs[list(one.fit.law.sizes)].astype(float)).loss
        with ProcessPoolExecutor(given.processes) as pool:
            jobs = [pool.submit(simulated, runs, clean, one.fit.rms_error, seed) for seed in range(given.sets)]
            told, held, wide = np.array([job.result() for job in jobs]).T
        telling = told.astype(bool)
        share = held[telling].mean() if telling.any() else float("nan")
        print(f"| {columns.entry} | {runs.attrs['truth']:.2f} | {telling.sum()} of {given.sets} | {share:.1%} | "
              f"{np.nanmedian(wide):.2f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
