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
from superlaw.laws.forms import law_of
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.known import Known
from superlaw.laws.law import Points
from superlaw.laws.objective import Objective
from superlaw.laws.published import load_published
from superlaw.laws.separate import SeparateLaw
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


def further_designs():
    """The same of laws where data repeat, of rates, vocabularies, single runs and recipes, with what is known of each.

    Of 62 runs of up to 2.5 epochs, and of those with a billion unique tokens or more, of [Muennighoff]'s table; of the
    runs within 2 % of the best of their size of [StepLaw]'s; of the 1,054 points of [Vocabulary] with the offset and
    the exponent of N_v known (which they do not determine); of OLMo's 190 M run; and of two recipes with 60 points.
    """
    repeats = load_published("datablations")
    repeats["epochs"] = repeats["tokens"] / repeats["unique_tokens"]
    step, words = load_published("step-law"), load_published("vocabulary")
    near = step[step["smooth loss"] < 1.02 * step.groupby(["N", "D"])["smooth loss"].transform("min")]
    rng, n = np.random.default_rng(0), 60
    sizes = np.stack([10 ** rng.uniform(7, 10, n), 10 ** rng.uniform(9, 11.5, n)])
    recipes = SeparateLaw(Chinchilla("N", "D"), ["recipe"], ["A", "alpha"])
    truth = {"E": 1.7, "A[a]": 400.0, "A[b]": 330.0, "alpha[a]": 0.34, "alpha[b]": 0.33, "B": 900.0, "beta": 0.31}
    tied, ls = Known(tied={"alpha": "beta"}), Objective("ls")
    constrained = law_of("data_constrained:params,tokens,unique_tokens")
    given = Known(tied={"alpha_1": "beta"}, fixed={"E": -5.53, "alpha_2": 0.671})
    return {
        "coupled, 62 runs": (
            *fitted_design(law_of("coupled:params,tokens"), repeats, where="epochs <= 2.5"), None, None
        ),
        "data_constrained, alpha = beta, 1e9 unique tokens or more, up to 60 epochs": (
            *fitted_design(constrained, repeats, where="unique_tokens >= 1e9 and epochs <= 60", known=tied), tied, None
        ),
        "learning_rate, 947 runs": (
            *fitted_design(law_of("learning_rate:N,D,lr,batch"), near, loss="smooth loss", starts=4), None, None
        ),
        "vocabulary, alpha_1 = beta, E and alpha_2 known": (
            *fitted_design(law_of("vocabulary"), words, loss="Lossu", where="FLOPs >= 2.18e17", known=given,
                           objective="ls"), given, ls
        ),
        "shifted, 60 points": (
            law_of("shifted:N"), Points(sizes[:1], np.zeros(n, int)),
            {"c_N": 400.0, "a_N": 0.34, "s_N": 1e8, "L_0": 1.7}, 1e-4, None, None,
        ),
        "two recipes, 60 points": (recipes, Points(sizes, np.arange(n) % 2, ("a", "b")), truth, 0.004, None, None),
    }  # fmt: skip


def further_table(sets: int, seed: int, only: str) -> None:
    print(f"\nFurther laws: F-calibrated profile, nominal 95 %, seed {seed}\n")
    print("| design | n | sets | noise | coverage in % | not determined, % of sets |\n|---|---|---|---|---|---|")
    for name, (law, points, params, sigma, known, objective) in further_designs().items():
        if only not in name:
            continue
        begun, count = time.perf_counter(), sets // 5 if points.n > 500 else sets
        found = profile_coverage(law, points, params, sigma, count, seed=seed, known=known, objective=objective)
        own = {key: share for key, share in found.covered.items() if not key.startswith("L_0[")}
        offsets = [100 * share for key, share in found.covered.items() if key.startswith("L_0[")]
        cells = [f"{key} {100 * share:.1f}" for key, share in own.items()]
        cells += [f"{len(offsets)} offsets {min(offsets):.1f} to {max(offsets):.1f}"] if offsets else []
        left = f" ({found.unsolved} unsolved)" if found.unsolved else ""
        words = ", ".join(f"{k} {100 * v:.1f}" for k, v in found.not_determined.items() if v)
        print(f"| {name} | {points.n} | {found.sets} | {sigma:.4f} | {', '.join(cells)}{left} | {words} |", flush=True)
        print(f"<!-- {time.perf_counter() - begun:.0f} s -->", flush=True)


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
            drawn, *_ = bootstrap(problem, best, replicates, int(rng.integers(2**31)), workers=1)
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
    parser.add_argument("--further", type=int, metavar="SETS", help="only the further laws, so many sets each")
    parser.add_argument("--only", default="", help="of the further laws: designs with this in their name")
    chosen = parser.parse_args()
    if chosen.further:
        further_table(chosen.further, chosen.seed, chosen.only)
        return
    profile_table(chosen.sets, chosen.seed)
    huber_table(chosen.huber_sets, chosen.replicates, chosen.seed)


if __name__ == "__main__":
    main()
