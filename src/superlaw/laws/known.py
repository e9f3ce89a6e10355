"""What is known of a law's parameters before a fit: values, ties, bounds, and priors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest

SAID = {"fix": "NAME=VALUE, NAME=NAME or NAME=FACTOR*NAME", "bound": "NAME=LOW:HIGH (or LOW: or :HIGH)",
        "prior": "NAME=MEAN+-SIGMA"}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What is given of some parameters, by name; false where nothing is.

    Parameters
    ----------
    fixed : mapping of str to float
    tied : mapping of str to str, or to (str, float)
        A parameter is another one, or so many times it.
    bounds : mapping of str to (low, high)
        Either may be infinite.
    priors : mapping of str to (mean, sigma)
        Observations of the parameter itself: of log c with sigma / mean for a coefficient c.

    Raises
    ------
    InputError
        For what contradicts itself.

    Examples
    --------
    >>> known = Known(fixed={"E": 1.69}, tied={"alpha": "beta"})
    >>> print(known)
    E = 1.69, alpha = beta
    >>> bool(Known()), known == Known.said(fix=["E=1.69", "alpha=beta"])
    (False, True)
    """

    fixed: Mapping[str, float] = field(default_factory=dict)
    tied: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self):
        fixed = {name: _number(f"{name} = {value}", value) for name, value in self.fixed.items()}
        tied = {name: (to, 1.0) if isinstance(to, str) else (to[0], float(to[1])) for name, to in self.tied.items()}
        bounds = {name: (float(low), float(high)) for name, (low, high) in self.bounds.items()}
        priors = {name: (float(mean), float(sigma)) for name, (mean, sigma) in self.priors.items()}
        for name, value in {"fixed": fixed, "tied": tied, "bounds": bounds, "priors": priors}.items():
            object.__setattr__(self, name, value)
        self._check_alone()
        self._check_together()

    def __bool__(self) -> bool:
        return bool(self.fixed or self.tied or self.bounds or self.priors)

    def __str__(self) -> str:
        return ", ".join(f"{name} {words}" for name in self.names for words in [self.words(name)])

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of which something is given."""
        return tuple(dict.fromkeys([*self.fixed, *self.tied, *self.bounds, *self.priors]))

    def words(self, name: str) -> str:
        """What is given of one parameter: ``= 1.69``, ``within 0.2 to 0.6``; empty for nothing."""
        out = []
        if name in self.fixed:
            out.append(f"= {self.fixed[name]:g}")
        if name in self.tied:
            to, ratio = self.tied[name]
            out.append(f"= {to}" if ratio == 1 else f"= {ratio:g} {to}")
        if name in self.bounds:
            low, high = self.bounds[name]
            ends = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
            out.append(f"within {ends}" if math.isfinite(low) else f"at most {high:g}")
        if name in self.priors:
            mean, sigma = self.priors[name]
            out.append(f"prior {mean:g} ± {sigma:g}")
        return ", ".join(out)

    @classmethod
    def said(cls, fix: Iterable[str] = (), bound: Iterable[str] = (), prior: Iterable[str] = ()) -> Known:
        """From texts as the command line takes them."""
        fixed: dict[str, float] = {}
        tied: dict[str, tuple[str, float]] = {}
        for name, text in _pairs("fix", fix):
            if (value := _float(text)) is not None:
                fixed[name] = value
            else:
                factor, times, other = text.rpartition("*")
                ratio = _float(factor) if times else 1.0
                if ratio is None or not other.strip():
                    raise InputError(f"--fix {name}={text}", SAID["fix"])
                tied[name] = (other.strip(), ratio)
        bounds = {name: _ends(name, text) for name, text in _pairs("bound", bound)}
        priors = {name: _mean(name, text) for name, text in _pairs("prior", prior)}
        return cls(fixed, tied, bounds, priors)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without kinds of which nothing is given; an infinite bound is null."""
        end = lambda x: x if math.isfinite(x) else None  # noqa: E731
        kinds = {
            "fixed": dict(self.fixed),
            "tied": {name: {"to": to, "factor": factor} for name, (to, factor) in self.tied.items()},
            "bounds": {name: {"low": end(low), "high": end(high)} for name, (low, high) in self.bounds.items()},
            "priors": {name: {"mean": mean, "sigma": sigma} for name, (mean, sigma) in self.priors.items()},
        }
        return {name: given for name, given in kinds.items() if given}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any] | None) -> Known:
        """The inverse of :meth:`to_dict`; nothing from None."""
        record = record or {}
        end = lambda x, none: none if x is None else x  # noqa: E731
        return cls(
            record.get("fixed", {}),
            {name: (tie["to"], tie["factor"]) for name, tie in record.get("tied", {}).items()},
            {
                name: (end(b["low"], -math.inf), end(b["high"], math.inf))
                for name, b in record.get("bounds", {}).items()
            },
            {name: (prior["mean"], prior["sigma"]) for name, prior in record.get("priors", {}).items()},
        )

    def of(self, names: Sequence[str]) -> Known:
        """What of this concerns a law of these parameters, all else left out (another law's, say)."""
        tied = {name: to for name, to in self.tied.items() if name in names and to[0] in names}
        keep = lambda given: {name: value for name, value in given.items() if name in names}  # noqa: E731
        return Known(keep(self.fixed), tied, keep(self.bounds), keep(self.priors))

    def of_each(self, names: Mapping[str, str]) -> Known:
        """What is given of some parameters, by other names for them (own name of each here: ``names``)."""
        inside = lambda given: {names[name]: value for name, value in given.items() if name in names}  # noqa: E731
        roots = {name: self.root(name) for name in names if name in self.tied}
        fixed = inside(self.fixed) | {names[name]: value for name, (root, value) in roots.items() if root is None}
        tied = {
            names[name]: (names[to], factor) for name, (to, factor) in roots.items() if to is not None and to in names
        }
        return Known(fixed, tied, inside(self.bounds), inside(self.priors))

    def free(self, names: Sequence[str]) -> tuple[str, ...]:
        """Of a law's parameters those that are estimated: neither fixed nor tied."""
        return tuple(name for name in names if name not in self.fixed and name not in self.tied)

    def root(self, name: str) -> tuple[str | None, float]:
        """The parameter of which one is a multiple, itself perhaps, and the factor; None and the value if fixed."""
        factor = 1.0
        while name in self.tied:
            name, ratio = self.tied[name]
            factor *= ratio
        return (None, factor * self.fixed[name]) if name in self.fixed else (name, factor)

    def kept(self, values: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Values (..., p) of all parameters, brought to what is given: fixed, tied and within bounds."""
        if not (self.fixed or self.tied or self.bounds):
            return values
        out = values.copy()
        for k, name in enumerate(names):
            out[..., k] = np.clip(values[..., k], *self.bounds.get(name, (-np.inf, np.inf)))
        for k, name in enumerate(names):
            if (root := self.root(name))[0] != name:
                out[..., k] = root[1] if root[0] is None else root[1] * out[..., names.index(root[0])]
        return out

    def check(self, names: Sequence[str]) -> None:
        """Refuse names that are none of a law's parameters, and a law of which nothing is left to estimate."""
        for name in [*self.names, *(to for to, _ in self.tied.values())]:
            if name not in names:
                raise InputError(f"the parameter {name!r}", f"one of {', '.join(names)}", closest(name, names))
        if not self.free(names):
            raise InputError("every parameter fixed", "one at least that is fitted", "leave out a --fix")

    def _check_alone(self) -> None:
        for name, (_, ratio) in self.tied.items():
            if not (math.isfinite(ratio) and ratio > 0):
                raise InputError(f"{name} tied with the factor {ratio:g}", "a factor above 0")
        for name, (low, high) in self.bounds.items():
            if not low < high:
                raise InputError(f"{name} within {low:g} to {high:g}", "a lower bound below the upper one")
            if math.isinf(low) and math.isinf(high):
                raise InputError(f"no bound of {name}", SAID["bound"])
        for name, (mean, sigma) in self.priors.items():
            if not (math.isfinite(sigma) and sigma > 0):
                raise InputError(
                    f"a prior of {name} with sigma {sigma:g}", "a number above 0", f"--fix {name}={mean:g}"
                )
            if not math.isfinite(mean):
                raise InputError(f"a prior of {name} with mean {mean:g}", "a number")

    def _check_together(self) -> None:
        for name in self.names:
            if name in self.fixed and name in self.tied:
                raise InputError(f"{name} {self.words(name)}", "one --fix a parameter")
            self._check_ring(name)
            root, value = self.root(name)
            if root is None and name in self.priors:
                raise InputError(f"a prior of {name}, which is fixed", "one of the two")
            low, high = self.bounds.get(name, (-math.inf, math.inf))
            if root is None and not low <= value <= high:
                raise InputError(f"{name} = {value:g} within {low:g} to {high:g}", "a value within its bounds")

    def _check_ring(self, name: str) -> None:
        seen = [name]
        while seen[-1] in self.tied:
            seen.append(self.tied[seen[-1]][0])
            if seen[-1] in seen[:-1]:
                raise InputError(f"the ties {' = '.join(seen)}", "ties that end in a free parameter or a value")


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _number(what: str, value: Any) -> float:
    if not math.isfinite(float(value)):
        raise InputError(what, "a number")
    return float(value)


def _pairs(option: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Names with what is said of them, each once."""
    out: dict[str, str] = {}
    for text in texts:
        name, equals, rest = (part.strip() for part in text.partition("="))
        if not (name and equals and rest):
            raise InputError(f"--{option} {text}", SAID[option])
        if name in out:
            raise InputError(f"--{option} {name} twice", "it once")
        out[name] = rest
    return list(out.items())


def _ends(name: str, text: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    ends = [math.inf * sign if not part.strip() else _float(part) for sign, part in ((-1, low), (1, high))]
    if not colon or any(end is None or math.isnan(end) for end in ends):
        raise InputError(f"--bound {name}={text}", SAID["bound"])
    return ends[0], ends[1]  # type: ignore[return-value]


def _mean(name: str, text: str) -> tuple[float, float]:
    parts = [_float(part) for part in re.split(r"\s*(?:±|\+-|\+/-)\s*", text)]
    if len(parts) != 2 or None in parts:
        raise InputError(f"--prior {name}={text}", SAID["prior"])
    return parts[0], parts[1]  # type: ignore[return-value]
