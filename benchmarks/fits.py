"""Speed of the fits, beside SciPy's L-BFGS-B in the same run: python benchmarks/fits.py.

The published tables come from the cache or SUPERLAW_DATA. Goals: a global Chinchilla fit under 0.1 s,
the 7-parameter additive fit under 0.05 s, 4,000 bootstrap replicates of Chinchilla (240 points) under
1 s on two cores.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np
from scipy import optimize

from superlaw.laws.bootstrap import resampled_weights
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.published import load_published

DELTA = 1e-3
HOFFMANN = np.array([np.log(406.4), np.log(410.7), np.log(1.69), 0.34, 0.28])  # a, b, e, alpha, beta
REPLICATES = 4000


def median_of(run: Callable[[], object], times: int = 9) -> np.ndarray:
    """Median wall and processor seconds after one warm-up; on a busy machine the latter are the fairer."""
    run()
    seconds = []
    for _ in range(times):
        begun = time.perf_counter(), time.process_time()
        run()
        seconds.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return np.median(seconds, axis=0)


def customary(log_n, log_d, log_loss, start, weights=None):
    """Chinchilla by SciPy as customarily done: log-sum-exp, Huber on log L, L-BFGS-B, analytic gradient."""
    weights = np.ones_like(log_loss) if weights is None else weights

    def value_and_gradient(x):
        a, b, e, alpha, beta = x
        parts = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
        top = parts.max(axis=0)
        shares = np.exp(parts - top)
        total = shares.sum(axis=0)
        shares /= total
        r = top + np.log(total) - log_loss
        size = np.minimum(np.abs(r), DELTA)
        slope = weights * np.clip(r, -DELTA, DELTA)
        gradient = [slope @ shares[0], slope @ shares[1], slope @ shares[2]]
        gradient += [-(slope * log_n) @ shares[0], -(slope * log_d) @ shares[1]]
        return float(weights @ (size * (np.abs(r) - 0.5 * size))), np.array(gradient)

    return optimize.minimize(value_and_gradient, start, jac=True, method="L-BFGS-B")


def row(what: str, seconds: np.ndarray, goal: str = "") -> None:
    print(f"| {what} | {seconds[0]:.3f} | {seconds[1]:.3f} | {goal} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--loop", type=int, default=200, help="replicates of the SciPy loop; scaled to 4,000")
    chosen = parser.parse_args()
    runs, shape = load_published("chinchilla"), load_published("chinchilla-width-depth")
    law, additive = Chinchilla("N", "D"), AdditiveLaw(("d_model", "n_layers", "num_tokens"))
    options = {"objective": "log-huber", "drop_highest": 5}

    one = median_of(lambda: fit_law(runs, law, interval="none", **options))
    seven = median_of(lambda: fit_law(shape, additive, drop_highest=40, interval="none"))
    boot = median_of(
        lambda: fit_law(runs, law, interval="bootstrap", replicates=REPLICATES, workers=chosen.workers, **options), 5
    )
    fit = fit_law(runs, law, interval="none", **options)
    data = [np.log(row) for row in (*fit.data.points.sizes, fit.data.losses)]
    default = customary(*data, HOFFMANN)
    grid = median_of(lambda: customary(*data, HOFFMANN), 5)

    ours = np.array([fit[name].value for name in ("A", "B", "E", "alpha", "beta")])
    start = np.concatenate([np.log(ours[:3]), ours[3:]])
    drawn = resampled_weights(fit.n, chosen.loop, np.random.default_rng(0), None)

    def scipy_loop() -> None:
        for weights in drawn:
            customary(*data, start, weights)

    loop = median_of(scipy_loop, 3) * REPLICATES / chosen.loop
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| what | wall, s | processor, s | goal, s |\n|---|---|---|---|")
    row("global Chinchilla fit, 240 points, certificate", one, "0.1")
    row("additive fit, 203 points, 7 parameters, certificate", seven, "0.05")
    row(f"Chinchilla fit with {REPLICATES} bootstrap replicates, {chosen.workers} threads", boot, "1")
    row("one SciPy L-BFGS-B descent from the published values", grid)
    row(f"{REPLICATES} replicates by a SciPy L-BFGS-B loop (timed on {chosen.loop})", loop)
    print(f"\nratio of the two bootstraps: wall {loop[0] / boot[0]:.1f}, processor {loop[1] / boot[1]:.1f}")
    print(
        f"L-BFGS-B from the published values says {default.message!r} at {default.fun:.6g}, "
        f"{100 * (default.fun / fit.objective_value - 1):.1f} % above the optimum {fit.objective_value:.10f}"
    )


if __name__ == "__main__":
    main()
