"""Coverage of every interval in small samples: python benchmarks/small_samples.py FILE [--sets 2000] [--show].

Simulated sets of the power law (n = 8, 12, 24), the additive law in width and tokens (n = 12, 24), and both with
6 to 22 clusters of 4 rows, half of the variance between them. Each finished cell is a line of JSON in FILE; those
that are there already are not run again, so that the same command goes on after an interruption. In the end, or at
once with ``--show``, FILE is printed as the Markdown of docs/laws.md (a summary) and docs/coverage.md (every cell).
All of it takes about an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np
import pandas as pd
from scipy import stats

from superlaw.laws.bootstrap import bootstrap
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.intervals import fall_threshold, percentile_tails
from superlaw.laws.kin import kin_of
from superlaw.laws.law import Law, Points
from superlaw.laws.minimum import Minimum
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.report import interval_warnings
from superlaw.laws.sandwich import sandwich
from superlaw.laws.simulate import held_at_truth, truth_of
from superlaw.laws.solve import MOST_STEPS, descend_gradually

STEEP = 4.0  # ratio of the errors' deviations at the ends of the range of sizes, where they grow or fall
POWER = {"C": 1.0, "a": 1.0, "L_0": 0.005}, 0.1
ADDITIVE = {"c_m": 20.0, "a_m": 0.8, "c_t": 600.0, "a_t": 0.33, "L_0": 1.8}, 0.01


@dataclass(frozen=True)
class Design:
    """A law with its truth, the noise of log L, sizes (columns, n), and the cluster of every row."""

    law: Law
    params: dict[str, float]
    noise: float
    sizes: np.ndarray
    members: np.ndarray | None = None


def power(widths: int, copies: int, members: np.ndarray | None = None, tile: bool = False) -> Design:
    m = np.geomspace(8, 1024, widths)
    return Design(PowerLaw("m"), *POWER, (np.tile if tile else np.repeat)(m, copies)[None], members)


def additive(widths: int, tokens: int, members: np.ndarray | None = None) -> Design:
    m, t = np.meshgrid(np.geomspace(64, 2048, widths), np.geomspace(1e8, 1e11, tokens), indexing="ij")
    return Design(AdditiveLaw(("m", "t")), *ADDITIVE, np.stack([m.ravel(), t.ravel()]), members)


def designs() -> dict[str, Design]:
    out = {
        "power, n = 8": power(8, 1),
        "power, n = 12": power(12, 1),
        "power, n = 24": power(8, 3),
        "additive, n = 12": additive(4, 3),
        "additive, n = 24": additive(6, 4),
    }
    for G in (6, 8, 12, 22):
        members = np.repeat(np.arange(G), 4)
        out[f"power, {G} clusters of a size each"] = power(G, 4, members)
        out[f"power, {G} clusters of all sizes"] = power(4, G, members, tile=True)
        out[f"additive, {G} clusters of a width each"] = additive(G, 4, members)
    return out


@dataclass(frozen=True)
class Cell:
    """One row of the table; ``ignored``: the clusters are there, but not named."""

    design: str
    errors: str
    objective: str
    method: str
    ignored: bool = False

    @property
    def key(self) -> str:
        return "; ".join([self.design, self.errors, self.objective, self.method] + ["clusters ignored"] * self.ignored)


def cells() -> list[Cell]:
    out, bootstraps = [], []
    for name, design in designs().items():
        for objective in ("log-ls", "log-huber"):
            for errors in ("equal", "grow", "fall") if design.members is None else ("equal",):
                out.append(Cell(name, errors, objective, "sandwich"))
                if design.members is None and objective == "log-ls":
                    out.append(Cell(name, errors, objective, "profile"))
                bootstraps.append(Cell(name, errors, objective, "bootstrap"))
        if design.members is not None:
            out.append(Cell(name, "equal", "log-ls", "sandwich", ignored=True))
    return out + bootstraps


def drawn_errors(design: Design, errors: str, sets: int, rng: np.random.Generator) -> np.ndarray:
    """Normal errors of log L, shape (sets, n)."""
    x = design.sizes[0]
    e = rng.normal(size=(sets, len(x)))
    if errors != "equal":
        place = np.log(x / x.min()) / np.log(x.max() / x.min())
        deviation = STEEP ** (place if errors == "grow" else 1 - place)
        e *= deviation / np.sqrt((deviation**2).mean())
    if design.members is not None:
        e = np.sqrt(0.5) * (e + rng.normal(size=(sets, design.members.max() + 1))[:, design.members])
    return design.noise * e


def run(cell: Cell, sets: int, replicates: int, seed: int) -> dict[str, Any]:
    """Shares of sets whose interval holds the truth, by parameter, and whose report warns."""
    design = designs()[cell.design]
    points = Points(design.sizes, np.zeros(design.sizes.shape[1], dtype=int))
    exact, truth = truth_of(design.law, points, design.params, Objective(cell.objective))
    rng = np.random.default_rng(seed)
    batch = replace(exact, target=exact.target + drawn_errors(design, cell.errors, sets, rng))
    found = descend_gradually(batch, np.tile(truth, (sets, 1)), most=MOST_STEPS)
    clusters = None if cell.ignored or design.members is None else design.members.astype(str)
    table = pd.DataFrame(dict(zip(design.law.sizes, design.sizes, strict=True)) | {"loss": rng.uniform(size=exact.n)})
    if cell.ignored:
        table["run"] = [f"run {g}" for g in design.members]
    kin = kin_of(table, design.law.sizes, (), ("loss",))
    rises = None
    if cell.method != "bootstrap" and cell.objective == "log-ls":
        held = [held_at_truth(batch, k, truth, found.theta) for k in range(exact.p)]
        rises = np.stack([value - found.value for value, _ in held], axis=1)
        found.converged[:] &= np.all([good for _, good in held], axis=0)
    hits, warned, tests = np.zeros((sets, exact.p), bool), np.zeros(sets, bool), np.zeros(sets, bool)
    for b in range(sets):
        one = replace(batch, target=batch.target[b], clusters=clusters)
        best = Minimum.at(one, found.theta[b], float(found.value[b]))
        rise = None if rises is None else rises[b]
        hits[b], record = holds(cell, best, truth, rise, replicates, int(rng.integers(2**31)))
        if clusters is not None:
            record["clusters"] = len(set(clusters))
        words = interval_warnings(best, {"method": cell.method, **record}, kin)
        warned[b], tests[b] = bool(words), any("(p = " in word for word in words)
    solved = found.converged
    return {
        "cell": cell.key,
        "covered": dict(zip(exact.names, hits[solved].mean(axis=0).tolist(), strict=True)),
        "warned": float(warned[solved].mean()),
        "tests": float(tests[solved].mean()),
        "sets": int(solved.sum()),
        "unsolved": int((~solved).sum()),
        "n": exact.n,
    }


def holds(
    cell: Cell, best: Minimum, truth: np.ndarray, rise: np.ndarray | None, replicates: int, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Whether each parameter's interval holds its truth, and the record of the method."""
    problem: Problem = best.problem
    if cell.method == "profile":
        return rise <= fall_threshold(best.dispersion, best.dof, 0.95), {}
    if cell.method == "bootstrap":
        drawn, *_ = bootstrap(problem, best.theta, replicates, seed, workers=1)
        tails, true = percentile_tails(best, 0.95), problem.model.values(truth)
        ends = [np.array([np.quantile(x, q) for x, q in zip(drawn.T, at, strict=True)]) for at in (tails, 1 - tails)]
        return (ends[0] <= true) & (true <= ends[1]), {}
    found = sandwich(best)
    record = {"dof": found.dof.tolist()}
    if rise is not None:
        return rise <= fall_threshold(found.dispersion, found.dof, 0.95), record
    far = np.abs(best.functionals() @ (best.theta - truth))
    return far <= stats.t.ppf(0.975, found.dof) * np.sqrt(found.variance), record


COLUMNS = {
    "sandwich": "; log-ls; sandwich",
    "Huber, sandwich": "; log-huber; sandwich",
    "bootstrap": "; log-ls; bootstrap",
    "Huber, bootstrap": "; log-huber; bootstrap",
    "profile": "; log-ls; profile",
    "clusters ignored": "; log-ls; sandwich; clusters ignored",
}


def summarise(path: Path) -> None:
    """Lowest and highest coverage over the parameters, a row for each design; a star: nearly every report warns."""
    rows = {row["cell"]: row for row in map(json.loads, path.read_text().splitlines())}
    for clustered in (False, True):
        columns = [name for name in COLUMNS if name != ("profile" if clustered else "clusters ignored")]
        print("| design | errors | " + " | ".join(columns) + " |\n" + "|---" * (2 + len(columns)) + "|")
        for name, design in designs().items():
            for errors in ("equal", "grow", "fall"):
                found = [rows.get(f"{name}; {errors}{COLUMNS[column]}") for column in columns]
                if (design.members is not None) == clustered and any(found):
                    print(f"| {name} | {errors} | " + " | ".join(map(_range, found)) + " |")
        print()


def _range(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    shares = [100 * share for share in row["covered"].values()]
    return f"{min(shares):.1f} to {max(shares):.1f}" + "\\*" * (row["warned"] >= 0.95)


def show(path: Path) -> None:
    """The file as a Markdown table."""
    print("| design | errors | objective | interval | coverage in % | warns, % of sets | of these by a test |")
    print("|---|---|---|---|---|---|---|")
    for line in path.read_text().splitlines():
        row = json.loads(line)
        design, errors, objective, method, *ignored = row["cell"].split("; ")
        covered = ", ".join(f"{name} {100 * share:.1f}" for name, share in row["covered"].items())
        method = ", ".join([method, *ignored])
        print(
            f"| {design} | {errors} | {objective} | {method} | {covered} | {100 * row['warned']:.0f} "
            f"| {100 * row['tests']:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sets", type=int, default=2000)
    parser.add_argument("--bootstrap-sets", type=int, default=500)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="cells whose name holds this")
    parser.add_argument("--show", action="store_true")
    chosen = parser.parse_args()
    if not chosen.show:
        lines = chosen.file.read_text().splitlines() if chosen.file.exists() else []
        done = {json.loads(line)["cell"] for line in lines}
        for cell in cells():
            if cell.key in done or chosen.only not in cell.key:
                continue
            sets, begun = chosen.bootstrap_sets if cell.method == "bootstrap" else chosen.sets, time.perf_counter()
            row = run(cell, sets, chosen.replicates, chosen.seed) | {"seconds": round(time.perf_counter() - begun, 1)}
            with chosen.file.open("a") as out:
                out.write(json.dumps(row) + "\n")
    summarise(chosen.file)
    show(chosen.file)


if __name__ == "__main__":
    main()
