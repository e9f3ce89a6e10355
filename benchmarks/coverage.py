"""Coverage of intervals at published optima and designs: python benchmarks/coverage.py [--sets 10000].

Prints Markdown tables for docs/laws.md. The published tables come from the cache or SUPERLAW_DATA.
Takes minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np

from superlaw.laws.bootstrap import bootstrap
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.law import Points
from superlaw.laws.objective import Objective
from superlaw.laws.published import load_published
from superlaw.laws.simulate import profile_coverage, truth_of
from superlaw.laws.solve import descend_gradually

# Hidden sizes of the 27 models of the published joint fit (LLG, arXiv:2505.10465, section 4).
FAMILIES = {
    "opt": (768, 1024, 2048, 2560, 4096, 5120, 7168, 9216),
    "qwen": (896, 1536, 2048, 3584, 5120, 5120, 8192),
    "gpt2": (768, 1024, 1280, 1600),
    "pythia": (512, 768, 1024, 2048, 2048, 2560, 4096, 5120),
}
CORPORA = ("wikitext", "c4", "pile", "bookcorpus")
WIDE = (8, 16, 32, 64, 128, 256, 512, 1024)  # widths of the published `wide` experiment


def grouped_design():
    """The published C = 476 and a = 0.91; its 16 offsets are not published: 2.0 to 3.2 here, noise 0.02."""
    labels = tuple(sorted(f"{family},{corpus}" for family in FAMILIES for corpus in CORPORA))
    rows = [
        (width, labels.index(f"{family},{corpus}"))
        for family, widths in FAMILIES.items()
        for corpus in CORPORA
        for width in widths
    ]
    width, group = np.array(rows).T
    offsets = dict(zip((f"L_0[{label}]" for label in labels), np.linspace(2.0, 3.2, len(labels)), strict=True))
    points = Points(width[None].astype(float), group, labels)
    return GroupedPowerLaw("m", ("family", "corpus")), points, {"C": 476.0, "a": 0.91, **offsets}, 0.02


def power_design():
    """L = C/m^a + L_0 over `wide`'s eight widths, three seeds each, a = 1, noise 0.1 (its seeds' spread)."""
    width = np.repeat(np.array(WIDE, float), 3)
    points = Points(width[None], np.zeros(len(width), int))
    return PowerLaw("m"), points, {"C": 1.0, "a": 1.0, "L_0": 0.005}, 0.1


def fitted_design(law, table, **options):
    """A published table's own design, optimum and scatter (least squares of log L)."""
    fit = fit_law(table, law, interval="none", **options)
    params = {name: estimate.value for name, estimate in fit.params.items()}
    return law, fit.data.points, params, fit.rms_error * np.sqrt(fit.n / fit.dof)


def designs():
    """Name, and (law, points, truth, noise), of designs that determine their parameters and of some that do not."""
    chinchilla, shape = load_published("chinchilla"), load_published("chinchilla-width-depth")
    three = AdditiveLaw(("d_model", "n_layers", "num_tokens"))
    return {
        "power, `wide` widths x 3 seeds": power_design(),
        "grouped, 27 models x 4 corpora": grouped_design(),
        "Chinchilla, 240 points": fitted_design(Chinchilla("N", "D"), chinchilla, drop_highest=5),
        "additive, 203 points": fitted_design(three, shape, drop_highest=40),
        "Chinchilla, every 8th of 240 points": thinned(
            fitted_design(Chinchilla("N", "D"), chinchilla, drop_highest=5), 8
        ),
        "additive, every 8th of 203 points": thinned(fitted_design(three, shape, drop_highest=40), 8),
        "power, the three largest widths x 3 seeds": largest(power_design(), 128),
    }


def thinned(design, step):
    """Every ``step``-th point of a design."""
    law, points, params, sigma = design
    return law, points[np.arange(0, points.n, step)], params, sigma


def largest(design, above):
    """The points of a design above a size."""
    law, points, params, sigma = design
    return law, points[points.sizes[0] > above], params, sigma


def profile_table(sets: int, seed: int) -> None:
    print(f"\nF-calibrated profile, nominal 95 %, {sets} sets each, seed {seed}\n")
    print("| design | n | noise | coverage in % | poorly determined, % of sets | not determined, % of sets |")
    print("|---|---|---|---|---|---|")
    for name, (law, points, params, sigma) in designs().items():
        begun = time.perf_counter()
        found = profile_coverage(law, points, params, sigma, sets, seed=seed)
        offsets = [share for key, share in found.covered.items() if key.startswith("L_0[")]
        cells = [f"{key} {100 * share:.1f}" for key, share in found.covered.items() if not key.startswith("L_0[")]
        if offsets:
            cells.append(f"16 offsets {100 * min(offsets):.1f} to {100 * max(offsets):.1f}")
        words = lambda shares: ", ".join(f"{k} {100 * v:.1f}" for k, v in shares.items())  # noqa: E731
        left = f" ({found.unsolved} sets unsolved)" if found.unsolved else ""
        print(
            f"| {name} | {points.n} | {sigma:.4f} | {', '.join(cells)}{left} | {words(found.poorly)} "
            f"| {words(found.not_determined)} |",
            flush=True,
        )
        print(f"<!-- {time.perf_counter() - begun:.0f} s -->", flush=True)


def huber_table(sets: int, replicates: int, seed: int) -> None:
    """Bootstrap percentile intervals of Huber's loss at Chinchilla's design, Gaussian and Laplace noise."""
    law, points, params, sigma = designs()["Chinchilla, 240 points"]
    exact, truth = truth_of(law, points, params, Objective("log-huber"))
    expected = exact.model.values(truth)
    print(f"\nHuber (delta 1e-3), bootstrap of points, {sets} sets x {replicates} replicates, nominal 95 %\n")
    print("| noise | coverage in % |\n|---|---|")
    for noise in ("gaussian", "laplace"):
        rng = np.random.default_rng(seed)
        draw = rng.normal if noise == "gaussian" else rng.laplace
        hits = np.zeros(exact.p)
        for _ in range(sets):
            scatter = draw(size=exact.n) * sigma * (1 if noise == "gaussian" else 2**-0.5)
            problem = replace(exact, target=exact.target + scatter)
            best = descend_gradually(problem, truth[None]).theta[0]
            drawn, _ = bootstrap(problem, best, replicates, int(rng.integers(2**31)), workers=1)
            low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
            hits += (low <= expected) & (expected <= high)
        cells = ", ".join(f"{name} {100 * hit / sets:.1f}" for name, hit in zip(exact.names, hits, strict=True))
        print(f"| {noise} | {cells} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000)
    parser.add_argument("--huber-sets", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    profile_table(chosen.sets, chosen.seed)
    huber_table(chosen.huber_sets, chosen.replicates, chosen.seed)


if __name__ == "__main__":
    main()
