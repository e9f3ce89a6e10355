"""Random problems for the solver: laws, designs and objectives in turn, everything else drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from further_laws import FURTHER

import superlaw

DESIGNS = (
    "sane",
    "few points",
    "duplicated rows",
    "noise without a law",
    "collinear sizes",
    "flat",
    "few sizes",
    "narrow",
    "outliers",
    "rising",
    "checkpoints",
)
LAWS = (
    "power",
    "power without offset",
    "grouped",
    "additive",
    "additive product",
    "chinchilla",
    "kaplan",
    "broken",
    "broken without offset",
)
FURTHER_FROM = 100_000  # problems of the laws of further_laws.py have seeds from here on
OBJECTIVES = ("log-ls", "ls", "log-huber")


@dataclass(frozen=True)
class Problem:
    """A table, a law and an objective."""

    seed: int
    law: str
    design: str
    objective: str
    table: dict[str, np.ndarray]

    @property
    def n(self) -> int:
        """Points."""
        return len(self.table["loss"])

    def __str__(self) -> str:
        return f"problem {self.seed}: {self.law}, {self.design}, {self.objective}, {self.n} points"


COUNT = {
    "power": 3,
    "power without offset": 2,
    "grouped": 5,
    "additive": 7,
    "additive product": 6,
    "chinchilla": 5,
    "kaplan": 4,
    "broken": 6,
    "broken without offset": 5,
}


def problem(seed: int) -> Problem:
    """The problem of a seed: laws, designs and objectives in turn, everything else drawn."""
    rng = np.random.default_rng([2026, seed])
    laws, number = (LAWS, seed) if seed < FURTHER_FROM else (tuple(FURTHER), seed - FURTHER_FROM)
    law = laws[number % len(laws)]
    design = DESIGNS[(number // len(laws)) % len(DESIGNS)]
    objective = OBJECTIVES[int(rng.integers(3))]
    least = (COUNT[law] if law in COUNT else FURTHER[law].params) + 1
    n = (
        least
        if design == "few points" and rng.random() < 0.5
        else round(np.exp(rng.uniform(np.log(least), np.log(300))))
    )
    if design == "few points":
        n = min(n, least + 6)
    return Problem(seed, law, design, objective, draw(law, design, max(n, least), rng))


def draw(law: str, design: str, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Sizes and losses of a design; the law is the truth, but for designs without one."""
    span = 0.5 if design == "narrow" else rng.uniform(1, 4)
    low = rng.uniform(0.5, 3)
    sizes = {name: 10 ** (low + k + span * rng.random(n)) for k, name in enumerate(("x", "y", "z"))}
    if design in ("few sizes", "checkpoints"):
        places = int(rng.integers(2, 5))
        for name in sizes if design == "few sizes" else ("x", "y"):
            sizes[name] = rng.choice(10 ** (low + span * np.linspace(0, 1, places)), n)
    if design == "collinear sizes":
        slope = rng.uniform(0.3, 2)
        for k, name in enumerate(("y", "z")):
            wobble = rng.choice((0.0, 1e-6, 1e-2))
            sizes[name] = sizes["x"] ** slope * 10**k * np.exp(wobble * rng.normal(size=n))
    group = rng.integers(0, 3, n)
    group[:3] = (0, 1, 2)
    table = {**sizes, "group": np.array(["a", "b", "c"])[group]}
    loss = truth(law, table, rng)
    noise = rng.choice((0.001, 0.01, 0.05, 0.2))
    if design == "flat":
        loss, noise = np.full(n, rng.uniform(1, 11)), rng.choice((1e-4, 5e-4, 1e-2))
    elif design == "noise without a law":
        loss, noise = np.full(n, 3.0), rng.choice((0.1, 0.5, 1.0))
    elif design == "rising":
        loss = loss.max() ** 2 / loss
    loss = loss * np.exp(noise * rng.normal(size=n))
    if design == "outliers":
        loss = loss * np.where(rng.random(n) < 0.15, np.exp(rng.normal(size=n)), 1)
    table["loss"] = loss
    if design == "duplicated rows":
        distinct = max(2, n // int(rng.integers(2, 6)))
        rows = np.concatenate([np.arange(distinct), rng.integers(0, distinct, n - distinct)])
        table = {name: column[rows] for name, column in table.items()}
    return table


def truth(law: str, table: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Losses of a law with drawn parameters, terms of order one at the middle of the data."""

    def term(name):
        return np.exp(rng.normal(0, 0.7)) * (table[name] / np.exp(np.log(table[name]).mean())) ** -rng.uniform(
            0.05, 1.2
        )

    floor = rng.choice((0.0, rng.uniform(0.2, 3)))
    if law in FURTHER:
        table = {**table, "loss": np.full(len(table["x"]), 2.0 + floor)}  # the scale of the draw
        drawn = FURTHER[law].scatter(table, rng)
        return np.clip(FURTHER[law].losses(table, np.clip(drawn, *FURTHER[law].box(table))), 1e-3, 1e6)
    if law.startswith("power"):
        return term("x") + (0 if "without" in law else floor)
    if law == "grouped":
        return term("x") + np.select([table["group"] == "a", table["group"] == "b"], [0.5, 1.0], 2.0)
    if law == "additive":
        return term("x") + term("y") + term("z") + floor
    if law == "additive product":
        return term("x") * term("y") + term("z") + floor
    if law == "chinchilla":
        return term("x") + term("y") + floor
    if law == "kaplan":
        a, b = rng.uniform(0.05, 0.6, 2)
        inner = term("x") ** (a / b) + (np.exp(np.log(table["y"]).mean()) / table["y"])
        return inner**b
    z = np.log(table["x"])
    at, s, a, b = rng.uniform(*np.quantile(z, (0.2, 0.8))), rng.uniform(0.05, 1), *rng.uniform(0.05, 1.5, 2)
    shape = np.exp(-a * (z - at) - (b - a) * s * np.logaddexp(0, (z - at) / s))
    return shape + (0 if "without" in law else floor)


def superlaws(law: str) -> Any:
    """The law as superlaw has it."""
    if law in FURTHER:
        return FURTHER[law].law()
    return {
        "power": superlaw.PowerLaw("x"),
        "power without offset": superlaw.PowerLaw("x", offset=False),
        "grouped": superlaw.GroupedPowerLaw("x", "group"),
        "additive": superlaw.AdditiveLaw(["x", "y", "z"]),
        "additive product": superlaw.AdditiveLaw(["x*y", "z"]),
        "chinchilla": superlaw.Chinchilla("x", "y"),
        "kaplan": superlaw.Kaplan("x", "y"),
        "broken": superlaw.BrokenPowerLaw("x"),
        "broken without offset": superlaw.BrokenPowerLaw("x", offset=False),
    }[law]


def known_of(law: str) -> Any:
    """What is known of its parameters."""
    return FURTHER[law].known() if law in FURTHER else None
