"""How many sparse features m neurons can tell apart, by compressed sensing ([Katta], docs/science.md#shape).

With x = 1 - S the probability that a feature is active, recovering n features from m neurons needs
m = Omega(-n x ln x) ([Ba], as used by [TMS]).
Omega hides a constant: everything here is that scale with the constant set to 1, no bound by itself.
It holds for sparse features, x <= 1/e, where -x ln x grows to its maximum 1/e: a degree n/m below e
constrains nothing, and a degree above it has one sparse solution x = exp(W_-1(-m/n)) and one outside the
sparse regime, exp(W_0(-m/n)) near 1, which says only that -x ln x also vanishes where features never rest.

With ``power`` 2 the same scale reads m^2 for m: the alternative n = m^2 f(1 - S) of [Katta].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from superlaw.errors import InputError

E_LOW = 1.4456468917292502e-16  # e - math.e: what the double nearest to e leaves over
TINY = 1e-308  # below it a reciprocal overflows
MOST_NEWTON = 60


@dataclass(frozen=True)
class RequiredActivity:
    """The activities 1 - S at which the scale n/m = 1/(-x ln x) is met.

    Parameters
    ----------
    degree : float
        n/m.
    sparse : float or None
        Largest 1 - S of the sparse regime: features must be active at most this often. None where the
        degree is below e: nothing is required.
    outside : float or None
        The other solution, above 1/e: outside the sparse regime, where the scale means nothing.
    """

    degree: float
    sparse: float | None
    outside: float | None

    @property
    def constrained(self) -> bool:
        """Whether the degree requires sparse features at all."""
        return self.sparse is not None


@dataclass(frozen=True)
class SensingCapacity:
    """Features that the scale allows at an activity; ``sparse`` is False outside its regime, x > 1/e."""

    features: float
    sparse: bool


def sensing_degree(activity: float) -> float:
    """n/m = 1/(-x ln x) for x = 1 - S; infinite where features are never or always active.

    Smallest, e, at x = 1/e; above 1/e it rises again, which is outside the sparse regime.

    Examples
    --------
    >>> import math
    >>> sensing_degree(1 / 16) == 4 / math.log(2), round(sensing_degree(1 / math.e), 9)
    (True, 2.718281828)
    """
    if not 0 <= activity <= 1:
        raise InputError(f"activity = {activity}", "a probability 1 - S from 0 to 1")
    entropy = -activity * math.log(activity) if activity > 0 else 0.0
    return 1 / entropy if entropy > TINY else math.inf


def sensing_capacity(width: int, activity: float, power: int = 1) -> SensingCapacity:
    """n = m^power / (-x ln x): the converse of :func:`required_activity`.

    Examples
    --------
    >>> round(sensing_capacity(100, 0.01).features, 6)
    2171.47241
    >>> sensing_capacity(100, 0.99).sparse
    False
    """
    return SensingCapacity(width**power * sensing_degree(activity), activity <= 1 / math.e)


def required_activity(degree: float) -> RequiredActivity:
    """The activity 1 - S that a degree of superposition n/m requires.

    For n = m^2 f(1 - S) pass n/m^2. Both solutions are accurate to a few units in the last place for the
    degree as given, next to e too; a degree that is itself rounded moves them by sqrt of its error there,
    since -x ln x is flat at its maximum.

    Examples
    --------
    >>> import math
    >>> round(required_activity(4 / math.log(2)).sparse, 15)
    0.0625
    >>> required_activity(2.0)
    RequiredActivity(degree=2.0, sparse=None, outside=None)
    """
    if not (degree > 0 and math.isfinite(degree)):
        raise InputError(f"degree = {degree}", "a positive number of features a neuron")
    if degree < math.e:  # the double, which lies below e by less than its rounding
        return RequiredActivity(degree, None, None)
    # -x ln x = 1/d with y = -ln x: y - ln y = ln d = 1 + s. s is taken from d - e, exact, not from ln d.
    s = math.log1p(max(0.0, (degree - math.e) - E_LOW) / math.e)
    t = _above(s)  # y = 1 + t
    z = _below(s)  # y = exp(z)
    return RequiredActivity(degree, 1 / degree / (1 + t), math.exp(-math.exp(z)))


def _above(s: float) -> float:
    """The t >= 0 with t - ln(1 + t) = s.

    The start is above it ([Lambert]), and the left side is convex: Newton's method
    falls onto it without passing it.
    """
    t = math.sqrt(2 * s) + s
    for _ in range(MOST_NEWTON):
        step = (t - math.log1p(t) - s) * (1 + t) / t if t > 0 else 0.0
        if not t > t - step > 0:
            break
        t -= step
    return t


def _below(s: float) -> float:
    """The z <= 0 with exp(z) - 1 - z = s, from below, likewise."""
    z = -(math.sqrt(2 * s) + s)
    for _ in range(MOST_NEWTON):
        step = (math.expm1(z) - z - s) / math.expm1(z) if z < 0 else 0.0
        if not z < z - step < 0:
            break
        z -= step
    return z
