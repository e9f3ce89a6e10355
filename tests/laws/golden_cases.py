"""Fits of made tables whose numbers stay as they are, whatever is rebuilt."""

from __future__ import annotations

from typing import Any

import numpy as np

from superlaw import AdditiveLaw, BrokenPowerLaw, Chinchilla, FunctionLaw, GroupedPowerLaw, Kaplan, PowerLaw


def cases() -> dict[str, tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Law, table and options of each."""
    rng, n = np.random.default_rng(3), 40
    m, l = 2.0 ** rng.uniform(5, 12, n), np.exp(rng.uniform(np.log(3), np.log(80), n))
    N, D = 10 ** rng.uniform(7, 10.5, n), 10 ** rng.uniform(8.5, 11.5, n)
    kind, noise = np.array(["a", "b"])[rng.integers(2, size=n)], np.exp(0.02 * rng.standard_t(4, n))
    base = {"m": m, "l": l, "N": N, "D": D, "kind": kind, "run": np.repeat(np.arange(10), 4), "e": rng.uniform(1, 3, n)}
    power, broken = 9 / m**0.9 + 0.4, 5 * m**-0.3 * (1 + (m / 300) ** (1 / 0.3)) ** -0.18 + 0.1
    sum_, both = 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28, 270 / m**0.95 + 6.7 / l**1.3 + 530 / D**0.3 + 1.75
    table = lambda loss: {**base, "loss": loss * noise}  # noqa: E731
    huber, none, profile = {"objective": "log-huber"}, {"interval": "none"}, {"interval": "profile"}
    clusters = {"cluster": "run", "interval": "bootstrap", "replicates": 40}
    own = FunctionLaw(lambda x, c, a: c / x**a, "m", {"c": 1.0, "a": 1.0}, positive=["c"])
    return {
        "power": (PowerLaw("m"), table(power), profile),
        "power, rising": (PowerLaw("m", offset=False), table(1 / power), {"objective": "ls"} | profile),
        "grouped, clusters": (GroupedPowerLaw("m", "kind"), table(power), clusters),
        "additive": (AdditiveLaw(["m", "l", "D"]), table(both), {"errors": "e"} | profile),
        "product": (AdditiveLaw(["m*l", "D"]), table(both), huber | none),
        "chinchilla": (Chinchilla(), table(sum_), {"drop_highest": 2, "where": "m > 40"} | profile),
        "chinchilla, Huber": (Chinchilla(), table(sum_), huber | {"replicates": 40}),
        "kaplan, sandwich": (Kaplan(), table(sum_), {"cluster": "run", "interval": "sandwich"}),
        "broken": (BrokenPowerLaw("m"), table(broken), none),
        "function": (own, table(power), {"weights": "e"} | profile),
    }
