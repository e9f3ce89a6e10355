"""Published laws of loss in parameters and tokens, in nats per token (docs/science.md#laws).

The defaults of each function are its published values. ``tokens`` left infinite gives the loss with
unlimited data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from superlaw.errors import InputError

# Epoch AI's refit of Chinchilla's law [Epoch]: it corrects the published fit.
EPOCH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def _check(**sizes: float) -> None:
    for name, value in sizes.items():
        if not value > 0:
            raise InputError(f"{name} = {value}", "a positive number")


def kaplan_loss(
    params: float,
    tokens: float = math.inf,
    N_c: float = 6.4e13,
    D_c: float = 1.8e13,
    alpha_N: float = 0.076,
    alpha_D: float = 0.103,
) -> float:
    """L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D; N counts no embeddings. Blind to shape.

    [Kaplan], equation 1.5 with the joint fit's values.

    Examples
    --------
    >>> round(kaplan_loss(1.5e9), 4), round(kaplan_loss(1.5e9, 3e11), 4)
    (2.2485, 2.2537)
    """
    _check(params=params, tokens=tokens)
    return ((N_c / params) ** (alpha_N / alpha_D) + D_c / tokens) ** alpha_D


def chinchilla_loss(
    params: float,
    tokens: float = math.inf,
    E: float = 1.69,
    A: float = 406.4,
    B: float = 410.7,
    alpha: float = 0.34,
    beta: float = 0.28,
) -> float:
    """L = E + A/N^alpha + B/D^beta; N counts all parameters. Blind to shape.

    [Chinchilla]; pass ``**EPOCH`` for the corrected values of [Epoch].

    Examples
    --------
    >>> round(chinchilla_loss(7e10, 1.4e12), 4), round(chinchilla_loss(7e10, 1.4e12, **EPOCH), 4)
    (1.9366, 1.9739)
    """
    _check(params=params, tokens=tokens)
    return E + A / params**alpha + B / tokens**beta


def additive_loss(
    sizes: Mapping[str, float],
    coefficients: Mapping[str, float],
    exponents: Mapping[str, float],
    offset: float = 0.0,
) -> float:
    """L = sum_k c_k / x_k^a_k + L_0 over the sizes named in ``coefficients``. Sees shape.

    [Depth], for width, depth and tokens; its coefficients
    come from a fit. A size left out of ``sizes`` is infinite.

    Examples
    --------
    >>> c, a = {"width": 50.0, "depth": 2.0}, {"width": 1.0, "depth": 1.0}
    >>> round(additive_loss({"width": 100.0, "depth": 10.0}, c, a, 1.75), 12)
    2.45
    """
    _check(**sizes)
    unknown = set(sizes) - set(coefficients)
    if unknown or set(coefficients) != set(exponents):
        wrong = min(unknown or set(coefficients) ^ set(exponents))
        raise InputError(f"the size {wrong!r}", "one coefficient and one exponent for each size")
    terms = (c / sizes.get(name, math.inf) ** exponents[name] for name, c in coefficients.items())
    return sum(terms) + offset
