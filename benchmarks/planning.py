"""What the planning verbs of the law lab promise, measured: python benchmarks/planning.py WHAT [--sets N].

WHAT: predict (coverage of bands in and out of range), gain (coverage of the interval of a gain), next (which share of
the compute reaches the full table's interval), isoflop (exponents of the iso-FLOP table's sources), replicates (false
alarms of the F test and coverage of the components). Prints Markdown tables for docs/laws.md. Published tables come
from the cache or SUPERLAW_DATA.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np
from coverage import designs

from superlaw.laws.cost import cost_of
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.gain import gain
from superlaw.laws.isoflop import isoflop
from superlaw.laws.law import Points
from superlaw.laws.linear import Linear
from superlaw.laws.minimum import Minimum
from superlaw.laws.next_runs import knowledge
from superlaw.laws.objective import Objective
from superlaw.laws.plan import Menu, choose
from superlaw.laws.published import load_published
from superlaw.laws.replicates import replicates
from superlaw.laws.simulate import truth_of
from superlaw.laws.solve import MOST_STEPS, descend, solve

LEVEL = 0.95


def fitted(problem, start) -> Minimum | None:
    """The optimum of one simulated set, from the truth and, where that fails, from many starts."""
    found = descend(problem, start[None], most=MOST_STEPS)
    if not found.converged[0]:
        found = solve(problem, 8, 0, start[None])
    return Minimum.at(problem, found.theta[0], float(found.value[0])) if found.converged[0] else None


# -- predict ----------------------------------------------------------------------------------------------------------
PREDICTED = ("power, `wide` widths x 3 seeds", "Chinchilla, 240 points", "Chinchilla, every 8th of 240 points",
             "additive, 203 points")  # fmt: skip


def predict_table(sets: int, seed: int) -> None:
    """Coverage of the band of the curve, at the data's middle and beyond."""
    print(f"Band of the curve, nominal 95 %, {sets} sets each, seed {seed}\n")
    print("| design | errors | band | middle | largest | 3 x | 10 x | 100 x | a tenth of the smallest |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in PREDICTED:
        law, points, params, sigma = designs()[name]
        exact, truth = truth_of(law, points, params, Objective("log-ls"))
        low, top = points.sizes.min(axis=1), points.sizes.max(axis=1)
        middle = np.exp(np.log(points.sizes).mean(axis=1))
        at = Points(np.array([middle, top, 3 * top, 10 * top, 100 * top, low / 10]).T, np.zeros(6, int), points.labels)
        true = np.log(law.losses(at, [float(params[n]) for n in exact.names]))
        z = np.log(points.sizes[0])
        z = (z - z.min()) / (z.max() - z.min())
        for words, spread in (("equal", np.ones(points.n)), ("grow", 4.0 ** (z - 0.5))):
            rng = np.random.default_rng(seed)
            targets = exact.target + sigma * spread * rng.normal(size=(sets, points.n))
            problem = replace(exact, target=targets)
            found = descend(problem, np.tile(truth, (sets, 1)), most=MOST_STEPS)
            hits = {"sandwich": np.zeros(6), "profile's covariance": np.zeros(6)}
            for b in np.flatnonzero(found.converged):
                best = Minimum.at(replace(problem, target=targets[b]), found.theta[b], float(found.value[b]))
                off = np.abs(np.log(law.losses(at, list(best.values))) - true)
                for method, small in (("sandwich", True), ("profile's covariance", False)):
                    line = Linear.at(best, small)
                    hits[method] += off <= line.reach(line.slopes(at), LEVEL)
            for method, count in hits.items():
                shares = " | ".join(f"{100 * share:.1f}" for share in count / found.converged.sum())
                print(f"| {name} | {words} | {method} | {shares} |", flush=True)


# -- next -------------------------------------------------------------------------------------------------------------
SHARES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.7, 1.0)  # of the table's compute
FIRST = 10  # runs, at random among the cheaper half, that every way of choosing begins with
STATED = {"N": 7e10, "D": 1.4e12}  # the prediction: Chinchilla itself
COPIES = 3  # of the same sizes, where any can be run
WAYS = ("next", "random", "largest affordable")
WITHIN = (1.0, 1.1, 1.25, 1.5, 2.0)  # times the full table's interval


class Pool:
    """The table's runs with simulated losses: what is known after some of them were made."""

    def __init__(self, law, points, exact, truth, costs):
        self.law, self.points, self.exact, self.truth, self.costs = law, points, exact, truth, costs
        self.at = Points(np.array([[STATED["N"]], [STATED["D"]]]), np.zeros(1, int))

    def after(self, made: np.ndarray, targets: np.ndarray) -> Minimum | None:
        """The fit of the runs that were made."""
        from superlaw.laws.problems.problem import Problem

        problem = Problem.over(self.law, self.points[made], targets[made], Objective("log-ls"))
        return fitted(problem, problem.model.thetas(self.exact.model.values(self.truth)))

    def interval(self, best: Minimum) -> tuple[float, float]:
        """Half the width of the interval of the stated prediction (of log L), and the prediction."""
        line = Linear.at(best)
        return float(line.reach(line.slopes(self.at), LEVEL)[0]), float(
            np.log(self.law.losses(self.at, list(best.values)))[0]
        )


def more(pool: Pool, way: str, made: np.ndarray, budget: float, best: Minimum | None, order: np.ndarray) -> np.ndarray:
    """The runs that one way of choosing adds for a budget."""
    rest = np.setdiff1d(order, made, assume_unique=True) if way != "random" else order[~np.isin(order, made)]
    costs = pool.costs[rest]
    if way == "next" and best is not None:
        line = Linear.at(best)
        noise = np.sqrt(best.dispersion)
        menu = Menu(line.slopes(pool.points[rest]) / noise, costs, budget, len(rest))
        return rest[choose(knowledge(line), menu, line.slopes(pool.at))]
    if way != "random":
        rest = rest[np.argsort(-costs, kind="stable")]
    chosen, left = [], budget * (1 + 1e-9)
    for k in rest:
        if pool.costs[k] <= left:
            chosen.append(k)
            left -= pool.costs[k]
    return np.array(chosen, dtype=int)


def pools(sets: int, seed: int):
    """Chinchilla's table as a pool of its own runs, and of any within its ranges (none dearer)."""
    law = Chinchilla("N", "D")
    fit = fit_law(load_published("chinchilla"), law, drop_highest=5, interval="none")
    table = fit.points().points
    params = {name: estimate.value for name, estimate in fit.params.items()}
    sigma = float(fit.rms_error * np.sqrt(fit.n / fit.dof))
    cost = cost_of(law)
    dearest, total = cost.of(table).max(), cost.of(table).sum()
    axes = [np.geomspace(row.min(), row.max(), 13) for row in table.sizes]
    grid = np.array([axis.ravel() for axis in np.meshgrid(*axes)])
    grid = grid[:, 6 * grid[0] * grid[1] <= dearest]
    grid = np.tile(grid, COPIES)
    both = np.concatenate([table.sizes, grid], axis=1)
    print(f"Losses simulated from the fitted law, noise {sigma:.4f}; prediction: the loss at N = {STATED['N']:.3g}, "
          f"D = {STATED['D']:.3g}; {sets} sets, seed {seed}; 100 % is {total:.3g} FLOP")  # fmt: skip
    for words, sizes, allowed in (
        ("the table's 240 runs", table.sizes, np.arange(table.n)),
        (f"any of {grid.shape[1] // COPIES} sizes within the table's ranges, up to {COPIES} times each", both,
         np.arange(table.n, both.shape[1])),
    ):  # fmt: skip
        points = Points(sizes, np.zeros(sizes.shape[1], int))
        exact, truth = truth_of(law, points, params, Objective("log-ls"))
        yield words, Pool(law, points, exact, truth, cost.of(points)), allowed, table.n, total, sigma


def next_table(sets: int, seed: int) -> None:
    """Intervals of the stated prediction after shares of the compute, by three ways of choosing."""
    for words, pool, allowed, rows, total, sigma in pools(sets, seed):
        begun = time.perf_counter()
        width, error, count = chosen_by_all(pool, allowed, rows, total, sigma, sets, seed)
        print(f"\n**Chosen among {words}** ({time.perf_counter() - begun:.0f} s)\n")
        head = " | ".join(f"{100 * share:g} %" for share in SHARES)
        print(f"| chosen by | of | {head} |\n|---|---|{'---|' * len(SHARES)}")
        for way in WAYS:
            cells = " | ".join(f"{np.nanmedian(w):.3g}" for w in width[way].T)
            print(f"| {way} | interval, times the full table's (median) | {cells} |")
            cells = " | ".join(f"{np.sqrt(np.nanmean(e**2)):.4f}" for e in error[way].T)
            print(f"| {way} | rms error of log L | {cells} |")
            cells = " | ".join(f"{np.median(c):.0f}" for c in count[way].T)
            print(f"| {way} | runs (median) | {cells} |")
        print(f"\n| chosen by | {' | '.join(f'within {w:g} x' for w in WITHIN)} |\n|---|{'---|' * len(WITHIN)}")
        for way in WAYS:
            print(f"| {way} | {' | '.join(share_within(width[way], within) for within in WITHIN)} |", flush=True)


def share_within(width: np.ndarray, within: float) -> str:
    """The least share of the compute at which the interval is so narrow: median, and the middle 80 % of sets."""
    reached = width <= within * (1 + 1e-9)
    at = np.where(reached.any(axis=1), np.array(SHARES)[np.argmax(reached, axis=1)], np.inf)
    ends = np.quantile(at, [0.5, 0.1, 0.9], method="inverted_cdf")
    middle, low, high = ("never" if np.isinf(x) else f"{100 * x:g} %" for x in ends)
    return f"{middle} ({low} to {high})"


def chosen_by_all(pool: Pool, allowed: np.ndarray, rows: int, total: float, sigma: float, sets: int, seed: int):
    """Interval by that of the full table, error and number of runs of each way, (sets, shares) each."""
    true = float(np.log(pool.law.losses(pool.at, list(pool.exact.model.values(pool.truth))))[0])
    cheap = np.argsort(pool.costs[:rows])[: rows // 2]
    width, error, count = ({way: np.full((sets, len(SHARES)), np.nan) for way in WAYS} for _ in range(3))
    for s in range(sets):
        rng = np.random.default_rng([seed, s])
        targets = pool.exact.target + sigma * rng.normal(size=pool.points.n)
        whole = pool.after(np.arange(rows), targets)
        assert whole is not None
        full, _ = pool.interval(whole)
        first, order = rng.choice(cheap, FIRST, replace=False), rng.permutation(allowed)
        for way in WAYS:
            made, best = first, pool.after(first, targets)
            for k, share in enumerate(SHARES):
                left = share * total - pool.costs[made].sum()
                if left > 0:
                    made = np.concatenate([made, more(pool, way, made, left, best, order)])
                    best = pool.after(made, targets) or best
                if best is not None:
                    half, predicted = pool.interval(best)
                    width[way][s, k], error[way][s, k] = half / full, predicted - true
                count[way][s, k] = len(made)
    return width, error, count


# -- gain -------------------------------------------------------------------------------------------------------------
def gain_table(sets: int, seed: int, only: str = "") -> None:
    """Coverage of the interval of a gain: two recipes of 36 runs, and two of Chinchilla's every 8th point."""
    grid = np.array([x.ravel() for x in np.meshgrid(10 ** np.linspace(7.5, 9.5, 6), 10 ** np.linspace(9, 11, 6))])
    thin = designs()["Chinchilla, every 8th of 240 points"]
    cases = {
        "6 x 6 grid, noise 0.005": (grid, 0.005, {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28},
                                    (3.0, 2.6, 2.3)),
        "6 x 6 grid, noise 0.02": (grid, 0.02, {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28},
                                   (3.0, 2.6, 2.3)),
        "Chinchilla, every 8th, noise 0.007": (thin[1].sizes, thin[3], thin[2], (2.6, 2.4, 2.2)),
    }  # fmt: skip
    print(f"95 % interval of the gain (B needs 1 / 1.5 of A's compute), {sets} simulated pairs, seed {seed}\n")
    print("| design | loss | covered, % | all three together, % | median interval |\n|---|---|---|---|---|")
    law = Chinchilla("N", "D")
    for name, (sizes, sigma, params, losses) in ((name, case) for name, case in cases.items() if only in name):
        better = params | {
            "A": params["A"] / 1.5 ** (params["alpha"] / 2),
            "B": params["B"] / 1.5 ** (params["beta"] / 2),
        }
        points, rng = Points(sizes, np.zeros(sizes.shape[1], int)), np.random.default_rng(seed)
        hits, together, ends, done = np.zeros(3), 0, [], 0
        for _ in range(sets):
            fits = []
            for truth in (params, better):
                clean = law.losses(points, [truth[n] for n in law.names()])
                noisy = clean * np.exp(sigma * rng.normal(size=points.n))
                fit = fit_law(
                    {"N": sizes[0], "D": sizes[1], "loss": noisy}, law, starts=2, start=truth, interval="none"
                )
                # the sandwich's variances without the ends of every parameter, which take longest
                fits.append(replace(fit, interval={"method": "sandwich", "level": LEVEL}))
            if not all(fit.certificate.converged for fit in fits):
                continue
            rows = gain(*fits, losses).rows
            inside = [row.gain.low <= 1.5 <= row.gain.high for row in rows]
            hits += inside
            together += all(row.joint[0] <= 1.5 <= row.joint[1] for row in rows)
            ends.append([(row.gain.low, row.gain.high) for row in rows])
            done += 1
        for k, loss in enumerate(losses):
            low, high = np.nanmedian(np.array(ends)[:, k], axis=0)
            both = f"{100 * together / done:.1f}" if k == 0 else ""
            print(f"| {name} ({done} pairs) | {loss} | {100 * hits[k] / done:.1f} | {both} | {low:.3g} to {high:.3g} |",
                  flush=True)  # fmt: skip


# -- isoflop ----------------------------------------------------------------------------------------------------------
PUBLISHED = {  # of a: Chinchilla's table 2 (10th and 90th percentiles), Epoch's refit of 240 points, Llama 3's figure 3
    "ml_scalefit__massivetext__chinchilla": "1: 0.50 (0.488 to 0.502); 2: 0.49 (0.462 to 0.534); 3: 0.46, refit 0.513",
    "epochai_chinchilla__massivetext__chinchilla": "the same",
    "llama_3__raw_loss": "2: 0.463 (tokens ~ C^0.537); 3: 0.503 in [Parabolas]",
}


def isoflop_table() -> None:
    """The three approaches for every source of the iso-FLOP table."""
    table = load_published("isoflops")
    print("| source | budgets, runs | approach 1: a | 2: a | 3: a (log-ls) | 3: a (Huber) | bias of 2 | published |")
    print("|---|---|---|---|---|---|---|---|")
    shown = lambda t: f"{t.value:.3f} ({t.low:.3f} to {t.high:.3f})"  # noqa: E731
    for name in table["experiment"].unique():
        one = {"params": "params", "tokens": "tokens", "budget": "budget", "where": f"experiment == '{name}'"}
        found, robust = isoflop(table, **one), isoflop(table, **one, objective="log-huber")
        used = [curve for curve in found.curves if not curve.why]
        cells = [f"{len(used)}, {sum(len(curve.loss) for curve in used)}", *(shown(a.a) for a in found.approaches)]
        cells += [shown(robust.approaches[2].a), f"{found.approaches[1].clean_a - found.approaches[2].a.value:+.3f}"]
        print(f"| {name} | {' | '.join(cells)} | {PUBLISHED.get(name, '-')} |", flush=True)


# -- replicates -------------------------------------------------------------------------------------------------------
def replicates_table(sets: int, seed: int) -> None:
    """False alarms of the F test where the law holds, its power where it bends, and coverage of both components."""
    rng = np.random.default_rng(seed)
    x, run = np.repeat(np.geomspace(10, 1e4, 8), 6), np.repeat(np.arange(24), 2)
    print(f"8 sizes x 3 seeds x 2 evaluations, seeds 0.02, evaluations 0.01, {sets} sets, seed {seed}\n")
    print("| law | p < 0.05, % | p < 0.01, % | seeds covered, % | evaluations covered, % |\n|---|---|---|---|---|")
    for name, bend in (("holds", 0.0), ("bends by 0.05", 0.05)):
        p, covered = [], np.zeros(2)
        for _ in range(sets):
            clean = (5 / x**0.5 + 1) * np.exp(bend * np.sin(2 * np.log(x)))
            noise = 0.02 * np.repeat(rng.normal(size=24), 2) + 0.01 * rng.normal(size=48)
            found = replicates({"m": x, "run": run, "loss": clean * np.exp(noise)}, "power:m", run="run")
            p.append(found.p)
            covered += [
                found.seeds.low <= 0.02 <= found.seeds.high,
                found.evaluation.low <= 0.01 <= found.evaluation.high,
            ]
        low, lower = np.mean(np.array(p) < 0.05), np.mean(np.array(p) < 0.01)
        shares = " | ".join(f"{100 * share:.1f}" for share in (low, lower, *covered / sets))
        print(f"| {name} | {shares} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("predict", "gain", "next", "isoflop", "replicates"))
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="of gain: designs whose name holds this")
    chosen = parser.parse_args()
    tables = {"predict": predict_table, "next": next_table, "replicates": replicates_table}
    if chosen.what == "isoflop":
        isoflop_table()
    elif chosen.what == "gain":
        gain_table(chosen.sets, chosen.seed, chosen.only)
    else:
        tables[chosen.what](chosen.sets, chosen.seed)


if __name__ == "__main__":
    main()
