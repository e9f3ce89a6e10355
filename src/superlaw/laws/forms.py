"""The laws: what loss as a function of size may look like. Losses keep the table's units (nats).

A coefficient c of a term c / x^a has the units of loss times x^a; exponents are pure numbers;
``L_0`` and ``E`` are losses. Bounds: coefficients above 0, offsets at 0 or above, exponents from 0 to
20 (either sign for a single power law without an offset).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from scipy import optimize

from superlaw.errors import InputError, nearest
from superlaw.laws.formula import Formula
from superlaw.laws.powers import LARGEST_EXPONENT, PowerSum
from superlaw.laws.solve import Problem


@dataclass(frozen=True)
class Points:
    """The columns a law reads: ``sizes`` (columns, n), and the group of every point with its label."""

    sizes: np.ndarray
    group: np.ndarray
    labels: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.group)

    def __getitem__(self, rows: np.ndarray) -> Points:
        return Points(self.sizes[:, rows], self.group[rows], self.labels)


class Law(Protocol):
    """What a fit needs to know of a law."""

    name: ClassVar[str]
    positive_sizes: ClassVar[bool]  # whether sizes must be above 0
    exponents: tuple[str, ...]  # parameters that are exponents

    @property
    def sizes(self) -> tuple[str, ...]: ...
    @property
    def groups(self) -> tuple[str, ...]: ...
    def names(self, labels: Sequence[str]) -> list[str]: ...
    def order(self, labels: Sequence[str]) -> list[int]: ...
    def problem(self, points: Points, logarithmic: bool = True) -> Problem: ...
    def columns(self) -> dict[str, Any]: ...


def _split(term: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in term.split("*"))


@dataclass(frozen=True)
class AdditiveLaw:
    """L = sum_k c_k / x_k^a_k + L_0 over any columns [Depth; Poster].

    Parameters
    ----------
    terms : sequence of str
        Column names (width, depth, tokens, steps, batch size, parameters...). A term
        ``"width*depth"`` is a product, c / (width^a depth^b).
    offset : bool
        Whether there is an L_0.

    Parameters of the fit: ``c_<column>``, ``a_<column>`` for every term, ``L_0``.
    """

    terms: tuple[str, ...]
    offset: bool = True
    name: ClassVar[str] = "additive"
    positive_sizes: ClassVar[bool] = True

    def __post_init__(self):
        terms = (self.terms,) if isinstance(self.terms, str) else tuple(self.terms)
        object.__setattr__(self, "terms", terms)
        if not terms:
            raise InputError("no terms", "at least one column", "name it with --term")
        if len(set(self.sizes)) < len(self.sizes):
            raise InputError(f"the terms {', '.join(terms)}", "each column once")

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(column for term in self.terms for column in _split(term))

    @property
    def groups(self) -> tuple[str, ...]:
        return ()

    @property
    def exponents(self) -> tuple[str, ...]:
        return tuple(f"a_{column}" for column in self.sizes)

    def _term_indices(self) -> list[tuple[int, ...]]:
        counts, out = 0, []
        for term in self.terms:
            size = len(_split(term))
            out.append(tuple(range(counts, counts + size)))
            counts += size
        return out

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """c and a of each term in turn, then L_0."""
        out = []
        for term in self.terms:
            out += [f"c_{term}", *(f"a_{column}" for column in _split(term))]
        return out + (["L_0"] if self.offset else [])

    def order(self, labels: Sequence[str] = ()) -> list[int]:
        """Where each named parameter stands in the problem's (c.., a.., L_0)."""
        J, out = len(self.terms), []
        for j, term in enumerate(self._term_indices()):
            out += [j, *(J + k for k in term)]
        return out + ([J + len(self.sizes)] if self.offset else [])

    def problem(self, points: Points, logarithmic: bool = True) -> PowerSum:
        """The law over given points."""
        group = np.zeros(points.n, dtype=int) if self.offset else None
        free = not self.offset and len(self.terms) == 1
        return PowerSum(np.log(points.sizes), self._term_indices(), group, free_sign=free)

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"terms": list(self.terms)}


@dataclass(frozen=True)
class PowerLaw(AdditiveLaw):
    """L = C / x^a + L_0, or without L_0. Parameters of the fit: ``C``, ``a``, ``L_0``.

    [Hestness]; [LLG] for x = width.

    Parameters
    ----------
    x : str
        Column of the size.
    offset : bool
        Whether there is an L_0.
    """

    terms: tuple[str, ...] = field(init=False, default=(), repr=False)
    x: str = ""
    name: ClassVar[str] = "power"

    def __init__(self, x: str, offset: bool = True):
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "terms", (x,))
        object.__setattr__(self, "offset", offset)
        if "*" in x:
            raise InputError(f"x = {x!r}", "one column", "make a product with --let")

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("a",)

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """C, a, L_0."""
        return ["C", "a"] + (["L_0"] if self.offset else [])

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"x": self.x}


@dataclass(frozen=True)
class GroupedPowerLaw:
    """L = C / x^a + L_0[group]: one C and a, an offset for each group [LLG section 4].

    Parameters
    ----------
    x : str
        Column of the size.
    group : sequence of str
        Columns whose combinations are the groups (family, corpus...).

    Parameters of the fit: ``C``, ``a``, ``L_0[family,corpus]``.
    """

    x: str
    group: tuple[str, ...]
    name: ClassVar[str] = "grouped"
    positive_sizes: ClassVar[bool] = True
    exponents: ClassVar[tuple[str, ...]] = ("a",)

    def __post_init__(self):
        group = (self.group,) if isinstance(self.group, str) else tuple(self.group)
        object.__setattr__(self, "group", group)
        if not group:
            raise InputError("no group", "at least one column of groups", "name it with --group")

    @property
    def sizes(self) -> tuple[str, ...]:
        return (self.x,)

    @property
    def groups(self) -> tuple[str, ...]:
        return self.group

    def names(self, labels: Sequence[str]) -> list[str]:
        """C, a and an offset for each label."""
        return ["C", "a", *(f"L_0[{label}]" for label in labels)]

    def order(self, labels: Sequence[str]) -> list[int]:
        """As in the problem."""
        return list(range(2 + len(labels)))

    def problem(self, points: Points, logarithmic: bool = True) -> PowerSum:
        """The law over given points."""
        return PowerSum(np.log(points.sizes), [(0,)], points.group, n_groups=len(points.labels))

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"x": self.x, "group": list(self.group)}


@dataclass(frozen=True)
class Chinchilla(AdditiveLaw):
    """L = E + A / N^alpha + B / D^beta [Chinchilla, equation 2].

    Parameters
    ----------
    params, tokens : str
        Columns of N and D.

    Parameters of the fit: ``E``, ``A``, ``alpha``, ``B``, ``beta``.
    """

    terms: tuple[str, ...] = field(init=False, default=(), repr=False)
    params: str = "N"
    tokens: str = "D"
    name: ClassVar[str] = "chinchilla"

    def __init__(self, params: str = "N", tokens: str = "D"):
        for key, value in (("params", params), ("tokens", tokens), ("terms", (params, tokens))):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "offset", True)
        if params == tokens or "*" in params + tokens:
            raise InputError(f"params = {params!r} and tokens = {tokens!r}", "two columns")

    @property
    def exponents(self) -> tuple[str, ...]:
        return ("alpha", "beta")

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """E, A, alpha, B, beta."""
        return ["E", "A", "alpha", "B", "beta"]

    def order(self, labels: Sequence[str] = ()) -> list[int]:
        """Where each stands in (A, B, alpha, beta, E)."""
        return [4, 0, 2, 1, 3]

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"params": self.params, "tokens": self.tokens}


@dataclass(frozen=True)
class Kaplan:
    """L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D [Kaplan, equation 1.5].

    Parameters
    ----------
    params, tokens : str
        Columns of N (without embeddings) and D.

    Parameters of the fit: ``N_c`` (parameters), ``D_c`` (tokens), ``alpha_N``, ``alpha_D``.
    """

    params: str = "N"
    tokens: str = "D"
    name: ClassVar[str] = "kaplan"
    positive_sizes: ClassVar[bool] = True
    exponents: ClassVar[tuple[str, ...]] = ("alpha_N", "alpha_D")

    @property
    def sizes(self) -> tuple[str, ...]:
        return (self.params, self.tokens)

    @property
    def groups(self) -> tuple[str, ...]:
        return ()

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """N_c, D_c, alpha_N, alpha_D."""
        return ["N_c", "D_c", "alpha_N", "alpha_D"]

    def order(self, labels: Sequence[str] = ()) -> list[int]:
        """As in the problem."""
        return [0, 1, 2, 3]

    def problem(self, points: Points, logarithmic: bool = True) -> Formula:
        """The law over given points."""
        log_n, log_d = np.log(points.sizes)

        def function(n_c, d_c, alpha_n, alpha_d):
            inner = np.logaddexp(alpha_n / alpha_d * (np.log(n_c) - log_n), np.log(d_c) - log_d)
            return np.exp(alpha_d * inner)

        def starts(count, rng, losses):
            out = []
            for alpha_n, alpha_d in np.exp(rng.uniform(np.log(0.02), np.log(0.8), (count, 2))):
                ratio = alpha_n / alpha_d  # L^(1/alpha_D) = N_c^ratio / N^ratio + D_c / D: linear
                basis = np.stack([np.exp(-ratio * (log_n - log_n.mean())), np.exp(log_d.mean() - log_d)], 1)
                left = (np.log(losses) - np.log(losses).mean()) / alpha_d
                row = np.exp(-left)
                c = np.maximum(optimize.nnls(basis * row[:, None], np.ones(len(row)))[0], 1e-6)
                level = np.log(c) + np.log(losses).mean() / alpha_d
                out.append([level[0] / ratio + log_n.mean(), level[1] + log_d.mean(), alpha_n, alpha_d])
            out = np.array(out)
            out[:, :2] = np.exp(np.clip(out[:, :2], -600, 600))
            return out

        lower, upper = np.array([1e-290, 1e-290, 1e-4, 1e-4]), np.array([1e290, 1e290, 20.0, 20.0])
        return Formula(function, [True] * 4, lower, upper, starts, points.n)

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"params": self.params, "tokens": self.tokens}


@dataclass(frozen=True)
class BrokenPowerLaw:
    """L = L_0 + C x^-a_1 [1 + (x/x_b)^(1/s)]^(-(a_2 - a_1) s): exponent a_1 before x_b, a_2 beyond.

    One break of [Broken], equation 1; ``s`` is
    the width of the break in log x.

    Parameters
    ----------
    x : str
        Column of the size.
    offset : bool
        Whether there is an L_0.

    Parameters of the fit: ``C``, ``a_1``, ``a_2``, ``x_b``, ``s``, ``L_0``.
    """

    x: str
    offset: bool = True
    name: ClassVar[str] = "broken"
    positive_sizes: ClassVar[bool] = True
    exponents: ClassVar[tuple[str, ...]] = ("a_1", "a_2")

    @property
    def sizes(self) -> tuple[str, ...]:
        return (self.x,)

    @property
    def groups(self) -> tuple[str, ...]:
        return ()

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """C, a_1, a_2, x_b, s and L_0."""
        return ["C", "a_1", "a_2", "x_b", "s"] + (["L_0"] if self.offset else [])

    def order(self, labels: Sequence[str] = ()) -> list[int]:
        """As in the problem."""
        return list(range(5 + self.offset))

    def problem(self, points: Points, logarithmic: bool = True) -> Formula:
        """The law over given points."""
        z = np.log(points.sizes[0])
        offset = self.offset

        def function(c, a_1, a_2, x_b, s, l_0=0.0):
            soft = s * np.logaddexp(0.0, (z - np.log(x_b)) / s)
            return np.exp(np.log(c) - a_1 * z - (a_2 - a_1) * soft) + l_0

        def starts(count, rng, losses):
            out = []
            for _ in range(count):
                a_1, a_2 = np.exp(rng.uniform(np.log(0.05), np.log(3.0), 2))
                z_b, s = rng.uniform(z.min(), z.max()), np.exp(rng.uniform(np.log(0.05), np.log(1.5)))
                shape = -a_1 * (z - z_b) - (a_2 - a_1) * s * np.logaddexp(0.0, (z - z_b) / s)
                basis = np.stack([np.exp(shape)] + [np.ones_like(z)] * offset, 1) / losses[:, None]
                c = optimize.nnls(basis, np.ones(len(z)))[0]
                log_c = np.log(max(c[0], 1e-3 * losses.min())) + a_1 * z_b
                out.append([np.exp(log_c), a_1, a_2, np.exp(z_b), s, *c[1:]])
            return np.array(out)

        # A break outside the data, or sharper than any spacing, is no break that data can show.
        lower = np.array([1e-290, 0, 0, np.exp(z.min()), 1e-2, 0.0])
        upper = np.array([1e290, LARGEST_EXPONENT, LARGEST_EXPONENT, np.exp(z.max()), 10.0, np.inf])
        keep = slice(0, 5 + offset)
        positive = [True, False, False, True, True, False][keep]
        return Formula(function, positive, lower[keep], upper[keep], starts, points.n)

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"x": self.x}


@dataclass(frozen=True)
class FunctionLaw:
    """A function of your own with named parameters.

    Parameters
    ----------
    function : callable
        ``function(*columns, *parameters)`` -> the loss, in plain NumPy: its derivatives are then
        exact; with anything more they are finite differences, and the certificate says so.
    columns_read : sequence of str
        Columns passed first, in this order.
    start : mapping of str to float
        The parameters, in order, and where to start. Other starts are scattered around it.
    positive : sequence of str
        Parameters that must be above 0; solved for through their logarithm.
    bounds : mapping of str to (low, high)

    Examples
    --------
    >>> import numpy as np
    >>> law = FunctionLaw(lambda x, b, k: b * np.exp(-k * x), ["x"], {"b": 1.0, "k": 1.0})
    >>> law.names()
    ['b', 'k']
    """

    function: Callable[..., Any]
    columns_read: tuple[str, ...]
    start: Mapping[str, float]
    positive: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    name: ClassVar[str] = "function"
    positive_sizes: ClassVar[bool] = False
    exponents: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        read = self.columns_read
        object.__setattr__(self, "columns_read", (read,) if isinstance(read, str) else tuple(read))
        object.__setattr__(self, "positive", tuple(self.positive))
        for name in (*self.positive, *self.bounds):
            if name not in self.start:
                raise InputError(f"the parameter {name!r}", "one of those in start", nearest(name, self.start))
        for name in self.positive:
            if not self.start[name] > 0:
                raise InputError(f"the start {name} = {self.start[name]}", "a positive number")

    @property
    def sizes(self) -> tuple[str, ...]:
        return self.columns_read

    @property
    def groups(self) -> tuple[str, ...]:
        return ()

    def names(self, labels: Sequence[str] = ()) -> list[str]:
        """As in ``start``."""
        return list(self.start)

    def order(self, labels: Sequence[str] = ()) -> list[int]:
        """As in the problem."""
        return list(range(len(self.start)))

    def problem(self, points: Points, logarithmic: bool = True) -> Formula:
        """The law over given points."""
        start = np.array([float(value) for value in self.start.values()])
        positive = [name in self.positive for name in self.start]
        lower, upper = np.array([self.bounds.get(name, (-np.inf, np.inf)) for name in self.start], float).T
        lower = np.where(positive, np.maximum(lower, 1e-290), lower)
        upper = np.where(positive, np.minimum(upper, 1e290), upper)

        def function(*parameters):
            return self.function(*points.sizes, *parameters)

        def starts(count, rng, losses):
            # The start itself, then others: each parameter times a factor between 1/10 and 10.
            factor = 10.0 ** rng.uniform(-1, 1, (count, len(start)))
            factor[0] = 1.0
            return np.clip(np.where(start == 0, rng.normal(size=factor.shape), start * factor), lower, upper)

        return Formula(function, positive, lower, upper, starts, points.n, logarithmic)

    def columns(self) -> dict[str, Any]:
        """Which column plays which part."""
        return {"x": list(self.columns_read)}


LAWS = {
    law.name: law for law in (PowerLaw, GroupedPowerLaw, AdditiveLaw, Chinchilla, Kaplan, BrokenPowerLaw, FunctionLaw)
}


def law_from(name: str, columns: Mapping[str, Any], offset: bool = True) -> Law:
    """The law of a stored name with its columns, as :meth:`columns` gives them.

    Examples
    --------
    >>> law_from("power", {"x": "width"})
    PowerLaw(offset=True, x='width')
    """
    if name not in LAWS or name == "function":
        need = "one of " + ", ".join(key for key in LAWS if key != "function")
        raise InputError(f"the law {name!r}", need, nearest(name, LAWS))
    options = {key: value for key, value in columns.items() if key != "loss"}
    if name in ("power", "additive", "broken"):
        options["offset"] = offset
    return LAWS[name](**options)
