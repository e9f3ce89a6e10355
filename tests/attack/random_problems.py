"""Random problems for the solver, and a search by SciPy that knows nothing of it.

By hand: ``python tests/attack/random_problems.py --count 1000 --seed 0`` (``--intervals`` for the time of whole
fits); ``--repeat SEED`` shows one problem. The search writes every law anew, in coordinates of its own (log of the
coefficients at the middle of the data, exponents, offsets), and starts at scattered places.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from further_laws import FURTHER
from problems import Problem, known_of, problem, superlaws
from scipy import optimize

import superlaw

DELTA = 1e-3  # of Huber's loss
MUCH = 1e-6  # relative: worse than this is worse


@dataclass(frozen=True)
class Coordinates:
    """A law in coordinates of its own: the model, bounds, where to scatter, and how superlaw's values are read."""

    model: Callable[[np.ndarray], np.ndarray]
    lower: np.ndarray
    upper: np.ndarray
    scatter: Callable[[np.random.Generator], np.ndarray]
    of: Callable[[dict[str, float]], np.ndarray]  # the model's values from superlaw's parameters


@dataclass(frozen=True)
class Result:
    """Objective of superlaw's fit and of the best that SciPy found; ``error`` where superlaw raised."""

    seed: int
    text: str
    converged: bool = False
    ours: float = np.nan
    scipy: float = np.nan
    seconds: float = np.nan
    n: int = 0
    error: str = ""
    refused: bool = False
    agreement: float = np.nan
    at_bounds: tuple[str, ...] = ()
    fell: float = np.nan  # share of the objective that a fit started at SciPy's best is above it
    law: str = ""
    design: str = ""
    objective: str = field(default="")

    @property
    def excess(self) -> float:
        """By how much superlaw is worse, relative; rounding of a perfect fit is none."""
        floor = 1e-13 * self.n * (DELTA if self.objective == "log-huber" else 1)
        return (self.ours - self.scipy) / max(self.scipy, floor) if self.ours > self.scipy + floor else 0.0

    @property
    def fault(self) -> str:
        """What is wrong, if anything: it raised, or claims an optimum that is none."""
        if self.error:
            return f"raised {self.error}"
        if self.converged and self.excess > MUCH:
            return f"converged at {self.excess:.2g} above SciPy's best"
        return ""


def coordinates(given: Problem) -> Coordinates:
    """The law of a problem for SciPy."""
    table, losses = given.table, given.table["loss"]
    if given.law in FURTHER:
        return _further(given)
    logs = {name: np.log(table[name]) for name in "xyz"}
    middle = {name: logs[name].mean() for name in "xyz"}
    if given.law.startswith("broken"):
        return _broken(given, logs["x"])
    if given.law == "kaplan":
        return _kaplan(given, logs, middle)
    terms = {"additive": ("x", "y", "z"), "additive product": ("xy", "z"), "chinchilla": ("x", "y")}.get(
        given.law, ("x",)
    )
    signed = given.law == "power without offset"
    groups = [table["group"] == g for g in sorted(set(table["group"]))] if given.law == "grouped" else []
    offsets = len(groups) or (0 if signed else 1)
    powers = [name for term in terms for name in term]

    def model(u: np.ndarray) -> np.ndarray:
        total, k = np.zeros(given.n), len(terms)
        for i, term in enumerate(terms):
            log = u[i]
            for name in term:
                log = log - u[k] * (logs[name] - middle[name])
                k += 1
            total = total + np.exp(np.minimum(log, 300))
        return total + (sum(u[k + j] * g for j, g in enumerate(groups)) if groups else u[k] if offsets else 0)

    lower = np.array([-60.0] * len(terms) + [-20.0 if signed else 0.0] * len(powers) + [0.0] * offsets)
    upper = np.array([60.0] * len(terms) + [20.0] * len(powers) + [np.inf] * offsets)

    def scatter(rng: np.random.Generator) -> np.ndarray:
        share = rng.dirichlet(np.ones(len(terms) + 1)) * np.median(losses)
        exponents = np.exp(rng.uniform(np.log(0.003), np.log(12), len(powers))) * (rng.choice((-1, 1)) if signed else 1)
        return np.concatenate([np.log(share[:-1] + 1e-12), exponents, np.full(offsets, share[-1])])

    def of(values: dict[str, float]) -> np.ndarray:
        return _sum_of_terms(given, values, terms, logs)

    return Coordinates(model, lower, upper, scatter, of)


def _further(given: Problem) -> Coordinates:
    law, table = FURTHER[given.law], given.table
    lower, upper = (np.array(end) for end in law.box(table))
    return Coordinates(
        lambda u: law.losses(table, u), lower, upper, lambda rng: law.scatter(table, rng),
        lambda values: law.losses(table, law.coordinates(table, values)),
    )  # fmt: skip


def _sum_of_terms(
    given: Problem, values: dict[str, float], terms: tuple[str, ...], logs: dict[str, np.ndarray]
) -> np.ndarray:
    """The law of superlaw's parameters, by their documented names."""
    get = list(values.values())
    if given.law.startswith("power"):
        return values["C"] * np.exp(-values["a"] * logs["x"]) + values.get("L_0", 0.0)
    if given.law == "grouped":
        offset = np.array([values[f"L_0[{g}]"] for g in given.table["group"]])
        return np.exp(np.log(max(values["C"], 1e-300)) - values["a"] * logs["x"]) + offset
    if given.law == "chinchilla":
        E, A, alpha, B, beta = (values[k] for k in ("E", "A", "alpha", "B", "beta"))
        return E + _term(A, alpha * logs["x"]) + _term(B, beta * logs["y"])
    if given.law == "additive":
        return values["L_0"] + sum(_term(values[f"c_{t}"], values[f"a_{t}"] * logs[t]) for t in terms)
    names = list(values)  # additive product: c, a, a', c, a, L_0 in an order that their names tell
    product = next(n for n in names if n.startswith("c_") and "x" in n)
    a_x, a_y = (next(values[n] for n in names if n.startswith("a_") and n.endswith(k)) for k in ("x", "y"))
    assert len(get) == 6
    return (
        values["L_0"]
        + _term(values[product], a_x * logs["x"] + a_y * logs["y"])
        + _term(values["c_z"], values["a_z"] * logs["z"])
    )


def _term(c: float, power: np.ndarray) -> np.ndarray:
    return np.exp(np.log(c) - power) if c > 0 else np.zeros_like(power)


def _broken(given: Problem, z: np.ndarray) -> Coordinates:
    losses, offset = given.table["loss"], "without" not in given.law

    def value(log_c: float, a: float, b: float, at: float, log_s: float, floor: float = 0.0) -> np.ndarray:
        s = np.exp(log_s)
        return np.exp(np.clip(log_c - a * (z - at) - (b - a) * s * np.logaddexp(0, (z - at) / s), -700, 300)) + floor

    span = max(z.max() - z.min(), 1e-9)
    lower = np.array([-200, 0, 0, z.min() - 1e-12, np.log(1e-2), 0.0])[: 5 + offset]
    upper = np.array([200, 20, 20, z.min() + span, np.log(10), np.inf])[: 5 + offset]

    def scatter(rng: np.random.Generator) -> np.ndarray:
        floor = rng.choice((0.0, rng.random())) * losses.min()
        a, b = np.exp(rng.uniform(np.log(0.003), np.log(8), 2))
        at, log_s = rng.uniform(z.min(), z.max()), rng.uniform(np.log(0.01), np.log(3))
        level = np.log(np.median(losses) - min(floor, 0.9 * np.median(losses)))
        return np.array([level, a, b, at, log_s, floor])[: 5 + offset]

    def of(values: dict[str, float]) -> np.ndarray:
        at = np.log(values["x_b"])
        return value(
            np.log(values["C"]) - values["a_1"] * at,
            values["a_1"],
            values["a_2"],
            at,
            np.log(values["s"]),
            values.get("L_0", 0.0),
        )

    return Coordinates(lambda u: value(*u), lower, upper, scatter, of)


def _kaplan(given: Problem, logs: dict[str, np.ndarray], middle: dict[str, float]) -> Coordinates:
    """In p = log of the term in N at the middle, q = that of D, and the logs of both exponents."""
    losses = given.table["loss"]

    def model(u: np.ndarray) -> np.ndarray:
        p, q, log_n, log_d = u
        a, b = np.exp(log_n), np.exp(log_d)
        inner = np.logaddexp((p - a * (logs["x"] - middle["x"])) / b, (q - b * (logs["y"] - middle["y"])) / b)
        return np.exp(np.clip(b * inner, -600, 300))

    def scatter(rng: np.random.Generator) -> np.ndarray:
        level = np.log(np.median(losses))
        return np.array([*(level + rng.normal(0, 1.5, 2)), *rng.uniform(np.log(0.003), np.log(3), 2)])

    def of(values: dict[str, float]) -> np.ndarray:
        a, b = values["alpha_N"], values["alpha_D"]
        inner = np.logaddexp(a / b * (np.log(values["N_c"]) - logs["x"]), np.log(values["D_c"]) - logs["y"])
        return np.exp(b * inner)

    # the coefficients' own bounds (1e-150 to 1e150) hold where exponents are not tiny; a penalty keeps to them
    def bounded(u: np.ndarray) -> np.ndarray:
        a, b = np.exp(u[2]), np.exp(u[3])
        far = max(abs(u[0] / a + middle["x"]), abs(u[1] / b + middle["y"])) - 345
        return model(u) * np.exp(min(max(far, 0.0), 100.0))

    lower = np.array([-80, -80, np.log(1e-4), np.log(1e-4)])
    return Coordinates(bounded, lower, np.array([80, 80, np.log(20), np.log(20)]), scatter, of)


def residuals(given: Problem, model: np.ndarray) -> np.ndarray:
    """Of the losses, or of their logarithms."""
    if given.objective == "ls":
        return np.nan_to_num(model - given.table["loss"], nan=1e100, posinf=1e100)
    return np.log(np.clip(np.nan_to_num(model, nan=1e300), 1e-300, 1e300)) - np.log(given.table["loss"])


def objective(given: Problem, model: np.ndarray) -> float:
    """What is minimised."""
    r = residuals(given, model)
    if given.objective != "log-huber":
        return float(r @ r)
    size = np.abs(r)
    return float(np.where(size <= DELTA, 0.5 * r * r, DELTA * (size - 0.5 * DELTA)).sum())


def search(given: Problem, starts: int = 16) -> tuple[float, np.ndarray]:
    """The best of many descents by scipy.optimize.least_squares; its objective and coordinates."""
    law, rng = coordinates(given), np.random.default_rng([7, given.seed])
    deltas = (0.3, 0.03, 0.006, DELTA) if given.objective == "log-huber" else (None,)
    best, place = np.inf, law.scatter(rng)

    def r(u):
        return residuals(given, law.model(u))

    for i in range(starts + 2):
        inside = 1e-10 * (1 + np.abs(law.lower))
        drawn = law.scatter(rng) if i < starts else place  # the last two go on from the best
        u = np.clip(drawn, law.lower + inside, np.where(np.isfinite(law.upper), law.upper - 1e-10, np.inf))
        for delta in deltas if i < starts else deltas[-1:]:
            kind = {"loss": "huber", "f_scale": delta} if delta else {}
            try:
                u = optimize.least_squares(
                    r,
                    u,
                    bounds=(law.lower, law.upper),
                    x_scale="jac",
                    xtol=1e-14,
                    ftol=1e-14,
                    gtol=1e-14,
                    max_nfev=300 if i < starts else 1500,
                    **kind,
                ).x
            except (ValueError, np.linalg.LinAlgError):
                break
        value = objective(given, law.model(u))
        if value < best:
            best, place = value, u
    return best, place


def compare(seed: int, starts: int = 16, intervals: bool = False) -> Result:
    """Fit a problem by superlaw and search it by SciPy."""
    given = problem(seed)
    known = {
        "seed": seed,
        "text": str(given),
        "n": given.n,
        "law": given.law,
        "design": given.design,
        "objective": given.objective,
    }
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        begin = time.process_time()
        try:
            options = {"known": known_of(given.law), "objective": given.objective}
            options |= {} if intervals else {"interval": "none"}
            fit = superlaw.fit_law(given.table, superlaws(given.law), workers=1, **options)
        except superlaw.SuperlawError as error:
            return Result(**known, refused=True, error="" if "\n" not in str(error) else "a message of two lines")
        except Exception as error:
            return Result(**known, error=f"{type(error).__name__}: {str(error)[:80]}")
        seconds = time.process_time() - begin
        values = {name: estimate.value for name, estimate in fit.params.items()}
        ours = objective(given, coordinates(given).of(values))
        best, _ = search(given, starts)
    certificate = fit.certificate
    return Result(
        **known,
        converged=bool(certificate.converged),
        ours=ours,
        scipy=best,
        seconds=seconds,
        agreement=certificate.agreement,
        at_bounds=tuple(certificate.at_bounds),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--intervals", action="store_true")
    parser.add_argument("--repeat", type=int)
    given = parser.parse_args()
    work = partial(compare, starts=given.starts, intervals=given.intervals)
    if given.repeat is not None:
        found = work(given.repeat)
        print(json.dumps({**found.__dict__, "excess": found.excess}, indent=1), found.fault or "no fault", sep="\n")
        return bool(found.fault)
    begin, results = time.time(), []
    with ProcessPoolExecutor(given.processes) as pool:
        for one in pool.map(work, range(given.seed, given.seed + given.count), chunksize=4):
            results.append(one)
            if one.fault:
                print(
                    f"{one.text}: {one.fault} (agreement {one.agreement:.2g}, bounds {','.join(one.at_bounds)})",
                    flush=True,
                )
    report(results, time.time() - begin)
    return any(one.fault for one in results)


def report(results: list[Result], seconds: float) -> None:
    """What the issue asks: worse while converged, not converged, time."""
    fitted = [one for one in results if not (one.error or one.refused)]
    worse = [one for one in fitted if one.converged and one.excess > MUCH]
    print(
        f"{len(results)} problems in {seconds:.0f} s: "
        f"{len(worse)} worse than SciPy by more than {MUCH:g} while converged, "
        f"{sum(not one.converged for one in fitted)} not converged "
        f"({sum(not one.converged and one.excess > MUCH for one in fitted)} of them worse), "
        f"{sum(one.refused for one in results)} refused, {sum(bool(one.error) for one in results)} raised"
    )
    print(f"SciPy worse by more than {MUCH:g} in {sum(o.scipy > o.ours * (1 + MUCH) + 1e-12 for o in fitted)}")
    times = np.array([one.seconds for one in fitted])
    small = np.array([one.seconds for one in fitted if one.n < 100])
    print(
        f"seconds a fit: median {np.median(times):.3f}, largest {times.max():.2f} "
        f"({fitted[int(times.argmax())].text}); below 100 points above 5 s: {(small > 5).sum()}"
    )
    for key in ("law", "design", "objective"):
        print(
            f"{key}: "
            + ", ".join(f"{k} {v}" for k, v in Counter(getattr(one, key) for one in results if one.fault).most_common())
        )


if __name__ == "__main__":
    sys.exit(main())
