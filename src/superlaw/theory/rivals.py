"""What other theories of scaling predict for a given data distribution, as one table ([Poster])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from superlaw.errors import InputError
from superlaw.theory.weak import unlearned_terms

if TYPE_CHECKING:
    import pandas as pd

RANKS = 40  # of the spectrum at which a straight line is drawn
STRAIGHT = 0.25  # how far the exponents of both halves of a power law may differ, as a share of its own
BISECTIONS = 60
LEAST = 1e-6  # exponent of a sum that is told from a logarithm


@dataclass(frozen=True)
class Rival:
    """One theory's prediction.

    Parameters
    ----------
    name : str
    assumption : str
        What it takes the loss to come from, in a sentence.
    stated_in : {"width", "parameters"}
        The size it makes its prediction in; the other exponent follows from parameters ~ width^kappa.
    width_exponent, parameter_exponent : float or None
        Of loss ~ m^-a and loss ~ N^-a; None where it predicts no power law.
    why : str
        Where the number comes from, or why there is none.
    source : str
    """

    name: str
    assumption: str
    stated_in: str
    width_exponent: float | None
    parameter_exponent: float | None
    why: str
    source: str


def second_moment_eigenvalues(
    frequencies: np.ndarray, ranks: Sequence[int] | np.ndarray | None = None, values: str = "uniform"
) -> np.ndarray:
    """Eigenvalues of <x x^T> = diag(<v^2> p_i - p_i^2) + p p^T of the toy data, decreasing.

    A diagonal d plus a matrix of rank one: the i-th eigenvalue lies between the i-th and the (i - 1)-th largest d
    (Cauchy's interlacing), so but for the first, which holds the mean, they follow <v^2> p_i. Each is found by
    bisection: the number of eigenvalues above x is that of d_j above x, plus one where 1 + sum_j p_j^2/(d_j - x) < 0
    (the secular equation; [Golub]).

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i, in any order.
    ranks : sequence of int, optional
        Which, from 1; all when left out (n^2 operations times 60).
    values : str
        Distribution of v, whose <v^2> is 4/3 if ``uniform``; see :mod:`superlaw.theory.values`.

    Returns
    -------
    ndarray, shape (len(ranks),)

    Examples
    --------
    >>> p = np.array([0.5, 0.25, 0.25])
    >>> np.allclose(second_moment_eigenvalues(p), np.linalg.eigvalsh(np.diag(4/3 * p - p**2) + np.outer(p, p))[::-1])
    True
    """
    p = np.asarray(frequencies, dtype=np.float64)
    n = len(p)
    chosen = np.arange(1, n + 1) if ranks is None else np.asarray(ranks, dtype=int)
    if chosen.size and not (chosen.min() >= 1 and chosen.max() <= n):
        raise InputError(f"ranks {chosen.min()} to {chosen.max()} of {n} eigenvalues", f"1 to {n}")
    d = unlearned_terms(p, values)
    order = np.argsort(-d)
    d, squares = d[order], p[order] ** 2
    found = np.empty(len(chosen))
    for place, rank in enumerate(chosen):
        low = d[rank - 1]
        high = d[rank - 2] if rank > 1 else d[0] + squares.sum()
        for _ in range(BISECTIONS):
            x = (low + high) / 2
            if not low < x < high:  # nothing between them, or equal d: an eigenvalue sits there
                break
            above = rank - 1 + (1 + np.sum(squares / (d - x)) < 0)
            low, high = (x, high) if above >= rank else (low, x)
        found[place] = (low + high) / 2
    return found


def tail_exponent(values: np.ndarray, ranks: np.ndarray) -> float | None:
    """Exponent of values ~ rank^-a, or None where they are no power law.

    A straight line in log-log through all points; None when either half alone gives an exponent that differs from it
    by more than a quarter, or when the values do not fall.

    Examples
    --------
    >>> ranks = np.arange(1, 50)
    >>> round(tail_exponent(ranks**-1.5, ranks), 6), tail_exponent(np.exp(-ranks / 9), ranks)
    (1.5, None)
    """
    x, y = np.log(np.asarray(ranks, dtype=np.float64)), np.asarray(values, dtype=np.float64)
    if len(x) < 4 or not (y > 0).all():
        return None
    y = np.log(y)
    middle = (x[0] + x[-1]) / 2
    first, second = x <= middle, x >= middle
    slopes = [-np.polyfit(x[part], y[part], 1)[0] for part in (slice(None), first, second) if np.ptp(x[part]) > 0]
    whole = float(slopes[0])
    straight = len(slopes) == 3 and all(abs(slope - whole) <= STRAIGHT * abs(whole) for slope in slopes)
    return whole if straight and whole > 1e-9 else None


def rivals(
    frequencies: np.ndarray,
    intrinsic_dimension: float | None = None,
    parameter_growth: float = 1.0,
    ranks: tuple[int, int] | None = None,
    values: str = "uniform",
) -> pd.DataFrame:
    """The rivals' exponents for data of these frequencies, one row a theory (the fields of :class:`Rival`).

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        p_i.
    intrinsic_dimension : float, optional
        d of the data manifold: the frequencies do not tell it. No prediction without it.
    parameter_growth : float
        kappa in N ~ m^kappa: 1 for the toy model (N = n m + n), 2 for m^2 at fixed depth, 2.52 for
        Chinchilla's architectures, 3 where depth grows with width.
    ranks : (int, int), optional
        Over which the spectrum's exponent is read: best the widths of the runs compared with. From 10 to n/10
        (from 1 to n where n is below 400) when left out.
    values : str
        Distribution of v, of which the spectrum of <x x^T> depends on the second moment.

    Returns
    -------
    DataFrame
        Columns name, width_exponent, parameter_exponent (NaN: no prediction), stated_in, assumption, why, source.

    Raises
    ------
    InputError
        For frequencies that are not probabilities, or d, kappa or ranks out of range.

    Examples
    --------
    >>> p = np.arange(1.0, 1001) ** -1.5
    >>> rivals(p / p.sum(), intrinsic_dimension=8).set_index("name")["width_exponent"].round(2).to_dict()
    {'variance-limited': 1.0, 'kernel': 0.5, 'data manifold': 0.5, 'discrete skills': 0.5}
    """
    import pandas as pd

    p = np.sort(np.asarray(frequencies, dtype=np.float64))[::-1]
    n = len(p)
    if p.ndim != 1 or not n or not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"frequencies of shape {p.shape}, not all from 0 to 1", "probabilities, shape (n,)")
    for name, value in (("an intrinsic dimension", intrinsic_dimension), ("a parameter growth", parameter_growth)):
        if value is not None and not 0 < value < np.inf:
            raise InputError(f"{name} of {value:g}", "a number above 0")
    first, last = ranks or ((10, n // 10) if n >= 400 else (1, n))
    if not 1 <= first <= last <= n:
        raise InputError(f"ranks {first} to {last} of {n} features", f"from 1 to {n}, increasing")
    chosen = np.unique(np.geomspace(first, last, RANKS).round().astype(int))
    spectrum = tail_exponent(second_moment_eigenvalues(p, chosen, values), chosen)
    table = pd.DataFrame([asdict(one) for one in _rivals(p, chosen, spectrum, intrinsic_dimension, parameter_growth)])
    numbers = ["width_exponent", "parameter_exponent"]
    table[numbers] = table[numbers].astype(float)
    return table[["name", *numbers, "stated_in", "assumption", "why", "source"]]


def _rivals(
    p: np.ndarray, ranks: np.ndarray, spectrum: float | None, dimension: float | None, growth: float
) -> list[Rival]:
    where = f"over ranks {ranks[0]} to {ranks[-1]}"
    skills = tail_exponent(p[ranks - 1], ranks)
    manifold = None if dimension is None else 4 / dimension
    return [
        Rival(
            "variance-limited",
            "A wide network is an average over many neurons, and the loss is the variance of that average.",
            "width", 1.0, 1 / growth, "1/m whatever the data", "Bahri et al., arXiv:2102.06701",
        ),
        Rival(
            "kernel",
            "The model keeps the m largest principal directions of the data and loses the variance of the others.",
            "width", *_tail(spectrum, 1.0, 1 / growth), _why(spectrum, "spectrum of <x x^T>", where),
            "Bahri et al., arXiv:2102.06701; Maloney et al., arXiv:2210.16859",
        ),
        Rival(
            "data manifold",
            "The model interpolates a smooth function on a manifold of d dimensions, each parameter covering a cell.",
            "parameters", None if manifold is None else growth * manifold, manifold,
            "no intrinsic dimension was given" if manifold is None else f"4/d with d = {dimension:g}",
            "Sharma and Kaplan, arXiv:2004.10802",
        ),
        Rival(
            "discrete skills",
            "Skills are learned whole, the most frequent first, as many as there is capacity for; the others are lost.",
            "parameters", *_tail(skills, growth, 1.0), _why(skills, "frequencies", where),
            "Michaud et al., arXiv:2303.13506",
        ),
    ]  # fmt: skip


def _tail(exponent: float | None, in_width: float, in_parameters: float) -> tuple[float | None, float | None]:
    """Both exponents of a sum over what is beyond the rank reached."""
    if exponent is None or exponent <= 1 + LEAST:
        return None, None
    return (exponent - 1) * in_width, (exponent - 1) * in_parameters


def _why(exponent: float | None, what: str, where: str) -> str:
    if exponent is None:
        return f"the {what} is no power law {where}" if "spectrum" in what else f"the {what} are no power law {where}"
    verb = "falls" if "spectrum" in what else "fall"
    end = ", less 1" if exponent > 1 + LEAST else ": not above 1, so the sum over the rest is no power law"
    return f"the {what} {verb} as rank^-{exponent:.3g} {where}{end}"
