"""Exact first and second derivatives of formulas, by arithmetic on second-order Taylor jets.

A law written in plain NumPy (``+ - * / **``, ``np.exp``, ``np.log`` and the like) is called with
jets in place of its parameters and returns its value with gradient and Hessian (Griewank and
Walther, *Evaluating Derivatives*, 2008, chapter 13). A function that needs more than this
arithmetic raises ``TypeError``, and the caller takes finite differences instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Name of the NumPy function -> its value, first and second derivative.
_UNARY: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "exp": lambda v: (np.exp(v), np.exp(v), np.exp(v)),
    "expm1": lambda v: (np.expm1(v), np.exp(v), np.exp(v)),
    "log": lambda v: (np.log(v), 1 / v, -1 / v**2),
    "log1p": lambda v: (np.log1p(v), 1 / (1 + v), -1 / (1 + v) ** 2),
    "log2": lambda v: (np.log2(v), 1 / (v * np.log(2)), -1 / (v**2 * np.log(2))),
    "log10": lambda v: (np.log10(v), 1 / (v * np.log(10)), -1 / (v**2 * np.log(10))),
    "sqrt": lambda v: (np.sqrt(v), 0.5 / np.sqrt(v), -0.25 / (v * np.sqrt(v))),
    "square": lambda v: (v**2, 2 * v, np.full_like(v, 2.0)),
    "reciprocal": lambda v: (1 / v, -1 / v**2, 2 / v**3),
    "sin": lambda v: (np.sin(v), np.cos(v), -np.sin(v)),
    "cos": lambda v: (np.cos(v), -np.sin(v), -np.cos(v)),
    "arctan": lambda v: (np.arctan(v), 1 / (1 + v**2), -2 * v / (1 + v**2) ** 2),
    "tanh": lambda v: (np.tanh(v), 1 - np.tanh(v) ** 2, -2 * np.tanh(v) * (1 - np.tanh(v) ** 2)),
}


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., :, None] * b[..., None, :]


class Jet(np.lib.mixins.NDArrayOperatorsMixin):
    """A value with its derivatives by those parameters that it hangs on: shapes S, S + (k,) and S + (k, k).

    ``at`` (k,) numbers these parameters, in order; ``curve`` is None where all second derivatives are 0.

    Examples
    --------
    >>> a = Jet.variables(np.array([[3.0]]))[0]
    >>> y = a**2 * 2
    >>> float(y.value[0, 0]), float(y.gradient[0, 0, 0]), float(y.hessian[0, 0, 0, 0])
    (18.0, 12.0, 4.0)
    """

    __slots__ = ("at", "curve", "gradient", "value")

    def __init__(self, value: np.ndarray, gradient: np.ndarray, curve: np.ndarray | None, at: tuple[int, ...]):
        self.value, self.gradient, self.curve, self.at = value, gradient, curve, at

    @classmethod
    def variables(cls, theta: np.ndarray) -> list[Jet]:
        """The p parameters of a batch, shape (B, p), as jets of shape (B, 1)."""
        one = np.ones((len(theta), 1, 1))
        return [cls(theta[:, k, None], one, None, (k,)) for k in range(theta.shape[1])]

    @property
    def hessian(self) -> np.ndarray:
        """The second derivatives, zeros where there are none."""
        return np.zeros((*self.gradient.shape, len(self.at))) if self.curve is None else self.curve

    def over(self, at: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
        """Gradient and second derivatives by more parameters, among which are its own."""
        if at == self.at:
            return self.gradient, self.curve
        place = np.searchsorted(at, self.at)
        gradient = np.zeros((*self.gradient.shape[:-1], len(at)))
        gradient[..., place] = self.gradient
        if self.curve is None:
            return gradient, None
        curve = np.zeros((*gradient.shape, len(at)))
        curve[..., place[:, None], place] = self.curve
        return gradient, curve

    def _chain(self, value: np.ndarray, first: np.ndarray, second: np.ndarray) -> Jet:
        curve = second[..., None, None] * _outer(self.gradient, self.gradient)
        if self.curve is not None:
            curve += first[..., None, None] * self.curve
        return Jet(value, first[..., None] * self.gradient, curve, self.at)

    def _times(self, other: Jet) -> Jet:
        at, v, w = _union(self, other), self.value, other.value
        (da, ca), (db, cb) = self.over(at), other.over(at)
        curve = _outer(da, db)
        curve = curve + curve.swapaxes(-1, -2)
        for factor, part in ((w, ca), (v, cb)):
            if part is not None:
                curve = curve + factor[..., None, None] * part
        return Jet(v * w, v[..., None] * db + w[..., None] * da, curve, at)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        if ufunc.__name__ in _UNARY:
            return self._chain(*_UNARY[ufunc.__name__](self.value))
        operation = _OPERATIONS.get(ufunc.__name__)
        return NotImplemented if operation is None else operation(*inputs)


def _union(a: Jet, b: Jet) -> tuple[int, ...]:
    return a.at if a.at == b.at else tuple(sorted({*a.at, *b.at}))


def _add(a: Any, b: Any) -> Jet:
    if isinstance(a, Jet) and isinstance(b, Jet):
        at = _union(a, b)
        (da, ca), (db, cb) = a.over(at), b.over(at)
        return Jet(a.value + b.value, da + db, cb if ca is None else ca if cb is None else ca + cb, at)
    jet, constant = (a, b) if isinstance(a, Jet) else (b, a)
    return Jet(jet.value + np.asarray(constant, dtype=float), jet.gradient, jet.curve, jet.at)


def _multiply(a: Any, b: Any) -> Jet:
    if isinstance(a, Jet) and isinstance(b, Jet):
        return a._times(b)
    jet, constant = (a, b) if isinstance(a, Jet) else (b, a)
    c = np.asarray(constant, dtype=float)
    curve = None if jet.curve is None else jet.curve * c[..., None, None]
    return Jet(jet.value * c, jet.gradient * c[..., None], curve, jet.at)


def _divide(a: Any, b: Any) -> Jet:
    if not isinstance(b, Jet):
        return _multiply(a, 1 / np.asarray(b, dtype=float))
    return _multiply(a, np.reciprocal(b))


def _power(a: Any, b: Any) -> Jet:
    if not isinstance(b, Jet):  # variable base, constant exponent
        b = np.asarray(b, dtype=float)
        value = a.value**b
        return a._chain(value, b * a.value ** (b - 1), b * (b - 1) * a.value ** (b - 2))
    if not isinstance(a, Jet):  # constant base
        a = np.asarray(a, dtype=float)
        log = np.log(a)
        value = a**b.value
        return b._chain(value, value * log, value * log**2)
    return np.exp(_multiply(b, np.log(a)))


def _logaddexp(a: Any, b: Any) -> Jet:
    """log(e^a + e^b) = a + softplus(b - a), without overflow."""
    if not isinstance(b, Jet):
        a, b = b, a
    d = _add(b, np.negative(a))
    rise = 1 / (1 + np.exp(-np.clip(d.value, -700, 700)))
    return _add(d._chain(np.logaddexp(0.0, d.value), rise, rise * (1 - rise)), a)


def _maximum(a: Any, b: Any) -> Jet:
    """The larger of two, with its derivatives; those of the first where they are equal."""
    if not isinstance(a, Jet):
        return _maximum(b, a)
    value = b.value if isinstance(b, Jet) else np.asarray(b, dtype=float)
    first = a.value >= value
    out = _add(_multiply(a, first), _multiply(b, ~first) if isinstance(b, Jet) else np.where(first, 0.0, value))
    out.value = np.maximum(a.value, value)  # 0 times infinity is none
    return out


_OPERATIONS: dict[str, Callable[..., Jet]] = {
    "negative": lambda a: _multiply(a, -1.0),
    "positive": lambda a: a,
    "maximum": _maximum,
    "minimum": lambda a, b: np.negative(_maximum(np.negative(a), np.negative(b))),
    "add": _add,
    "logaddexp": _logaddexp,
    "subtract": lambda a, b: _add(a, np.negative(b)),
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
}
