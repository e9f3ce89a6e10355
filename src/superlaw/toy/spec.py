"""RunSpec: everything that decides the outcome of one training run. Every default is stated here."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from superlaw.errors import InputError, nearest
from superlaw.toy.frequencies import FAMILIES, check_frequencies, family_frequencies, scale_density

SCHEMA = 1  # of the canonical JSON behind `id`
REFERENCE_WIDTH = 8  # learning rates that depend on width are stated at this width

CHOICES = {
    "activation": ("relu", "linear"),
    "loss_function": ("squared-error",),
    "values": ("uniform",),
    "dtype": ("float32", "float64"),
}


@dataclass(frozen=True, eq=False)
class RunSpec:
    """One training run of the toy model (docs/science.md#the-toy-model). Compared by ``id``.

    Parameters
    ----------
    n_features : int
        n. With explicit ``frequencies`` it is their number and may be left out.
    width : int
        m. A width of n or more is allowed (nothing then needs superposition).
    frequencies : {"power", "exponential", "linear"} or array, shape (n,)
        A family, or the probabilities themselves.
    data_exponent : float
        alpha of the power family.
    decay_length : float
        Ranks over which the exponential family falls by e.
    activation_density : float, optional
        E = sum p_i. 1 for families; explicit probabilities are left as they are unless it is given.
    clip : bool
        Allow probabilities above 1 (after scaling to E) to be cut to 1; otherwise they are refused.
    weight_decay : float
        gamma: decoupled decay of W; negative means growth toward unit rows.
    steps, batch : int
        T and B.
    learning_rate : float
        Largest learning rate of W, at width 8 when ``learning_rate_width_power`` is not 0.
    bias_learning_rate : float, optional
        The same for b; as W's when left out.
    learning_rate_width_power, bias_learning_rate_width_power : float
        q in eta_max = rate (8 / m)^q. The `wide` protocol: 0.02, 0.25, 0.25, 1, q = 0.25 and 1.
    warmup : int
        t_w: steps of linear warm-up; no warm-up when it is ``steps`` or more.
    loss_scale : float
        The optimiser sees loss_scale L / n. Adam's eps makes it matter (`wide`: 100).
    activation, loss_function, values, tied, dtype
        Named choices of the model; see ``CHOICES``. Not every engine trains every choice.
    seed : int
        Of the initial state and of the batches.

    Examples
    --------
    >>> spec = RunSpec(n_features=100, width=5, weight_decay=-1, steps=100, warmup=10)
    >>> spec.id
    '93d8362ee7121c72'
    >>> spec == RunSpec.from_dict(spec.to_dict())
    True
    """

    n_features: int = None  # pyright: ignore[reportAssignmentType]  # a number once made: theirs, or 1000
    width: int = 25
    frequencies: str | np.ndarray = "power"
    data_exponent: float = 1.0
    decay_length: float = 400.0
    activation_density: float | None = None
    clip: bool = False
    weight_decay: float = 0.0
    steps: int = 20_000
    batch: int = 2048
    learning_rate: float = 0.01
    bias_learning_rate: float | None = None
    learning_rate_width_power: float = 0.0
    bias_learning_rate_width_power: float = 0.0
    warmup: int = 2000
    loss_scale: float = 1.0
    activation: str = "relu"
    loss_function: str = "squared-error"
    values: str = "uniform"
    tied: bool = True
    dtype: str = "float32"
    seed: int = 0

    def __post_init__(self):
        fix = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        if isinstance(self.frequencies, str):
            if self.frequencies not in FAMILIES:
                raise InputError(
                    f"frequencies = {self.frequencies!r}",
                    f"one of {', '.join(FAMILIES)} or an array",
                    nearest(self.frequencies, FAMILIES),
                )
            fix("n_features", 1000 if self.n_features is None else self.n_features)
            fix("activation_density", 1.0 if self.activation_density is None else self.activation_density)
        else:
            p = check_frequencies(self.frequencies).copy()
            p.flags.writeable = False
            if self.n_features not in (None, p.size):
                raise InputError(f"n_features = {self.n_features} with {p.size} frequencies", "the same number")
            fix("frequencies", p)
            fix("n_features", p.size)
        for field in fields(self):
            fix(field.name, checked_field(field.name, getattr(self, field.name)))
        self.probabilities  # noqa: B018  (refuses what cannot be scaled to the density)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """p_i after scaling to the activation density, shape (n,)."""
        if isinstance(self.frequencies, str):
            p = family_frequencies(self.frequencies, self.n_features, self.data_exponent, self.decay_length)
        else:
            p = self.frequencies
        return p if self.activation_density is None else scale_density(p, self.activation_density, self.clip)

    @cached_property
    def peak_learning_rates(self) -> tuple[float, float]:
        """eta_max of W and of b at this width."""
        ratio = REFERENCE_WIDTH / self.width
        bias_rate = self.learning_rate if self.bias_learning_rate is None else self.bias_learning_rate
        return (
            self.learning_rate * ratio**self.learning_rate_width_power,
            bias_rate * ratio**self.bias_learning_rate_width_power,
        )

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of this run's results should know about the spec itself."""
        notes = []
        if self.width >= self.n_features:
            notes.append(f"width {self.width} >= {self.n_features} features: nothing needs superposition")
        if self.warmup >= self.steps:
            notes.append(f"warm-up {self.warmup} >= {self.steps} steps: no warm-up")
        asked = self.activation_density
        if self.clip and asked is not None and self.probabilities.sum() < asked * (1 - 1e-12):
            clipped = int((self.probabilities == 1).sum())
            notes.append(f"{clipped} probabilities clipped to 1: density {self.probabilities.sum():.6g}, not {asked:g}")
        return tuple(notes)

    @cached_property
    def id(self) -> str:
        """Hash of the canonical JSON: what differs from the defaults, arrays by digest."""
        record: dict[str, Any] = {"schema": SCHEMA}
        for name, value in self.to_dict(arrays="digest").items():
            if not self._is_default(name, value):
                record[name] = value
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _is_default(self, name: str, value: Any) -> bool:
        if name == "n_features":
            return value == 1000
        if name == "activation_density":
            return value == (1.0 if isinstance(self.frequencies, str) else None)
        if name == "bias_learning_rate":
            return value in (None, self.learning_rate)
        if name == "data_exponent" and self.frequencies_name != "power":
            return True
        if name == "decay_length" and self.frequencies_name != "exponential":
            return True
        return value == DEFAULTS[name]

    @property
    def frequencies_name(self) -> str:
        """The family's name, or ``explicit``."""
        return self.frequencies if isinstance(self.frequencies, str) else "explicit"

    def to_dict(self, arrays: str = "list") -> dict[str, Any]:
        """All fields, for JSON; explicit frequencies as a list or (``arrays="digest"``) their SHA-256."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        if isinstance(self.frequencies, np.ndarray):
            digest = {"sha256": hashlib.sha256(self.frequencies.tobytes()).hexdigest()}
            record["frequencies"] = self.frequencies.tolist() if arrays == "list" else digest
        return record

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> RunSpec:
        """The inverse of :meth:`to_dict`; unknown keys are refused with the nearest known one."""
        check_known(record)
        record = dict(record)
        if isinstance(record.get("frequencies"), list):
            record["frequencies"] = check_frequencies(record["frequencies"])
        return cls(**record)

    def change(self, **changes: Any) -> RunSpec:
        """A copy with some fields changed."""
        check_known(changes)
        return replace(self, **changes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunSpec) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


DEFAULTS = {field.name: field.default for field in fields(RunSpec)}

# Whole numbers and real numbers: (lowest allowed, lowest itself allowed).
_WHOLE = {"n_features": 1, "width": 1, "steps": 1, "batch": 1, "warmup": 0, "seed": 0}
_REAL = {
    "data_exponent": (-math.inf, False),
    "decay_length": (0.0, False),
    "activation_density": (0.0, False),
    "weight_decay": (-math.inf, False),
    "learning_rate": (0.0, False),
    "bias_learning_rate": (0.0, True),
    "learning_rate_width_power": (-math.inf, False),
    "bias_learning_rate_width_power": (-math.inf, False),
    "loss_scale": (0.0, False),
}


_OPTIONAL = ("activation_density", "bias_learning_rate")


def checked_field(name: str, value: Any) -> Any:
    """The value of a field in its own type; InputError when it is out of range."""
    value = value.item() if isinstance(value, np.generic) else value  # a message shows 0, not np.int64(0)
    if name in _WHOLE:
        if isinstance(value, bool) or not _is_whole(value):
            raise InputError(f"{name} = {value!r}", "a whole number")
        lowest, highest = _WHOLE[name], 2**64 - 1 if name == "seed" else 2**31 - 1
        if not lowest <= int(value) <= highest:
            raise InputError(f"{name} = {value}", f"a whole number from {lowest} to {highest}")
        return int(value)
    if name in _REAL and not (name in _OPTIONAL and value is None):
        lowest, included = _REAL[name]
        if isinstance(value, bool | str):
            raise InputError(f"{name} = {value!r}", "a number")
        try:
            number = float(value) + 0.0  # -0.0 becomes 0.0
        except (TypeError, ValueError):
            raise InputError(f"{name} = {value!r}", "a number") from None
        except OverflowError:
            raise InputError(f"{name} beyond 1e308", "a finite number") from None
        if not math.isfinite(number) or number < lowest or (number == lowest and not included):
            bound = "" if lowest == -math.inf else f" {'of at least' if included else 'above'} {lowest:g}"
            raise InputError(f"{name} = {number:g}", f"a finite number{bound}")
        return number
    if name in CHOICES and not (isinstance(value, str) and value in CHOICES[name]):
        raise InputError(
            f"{name} = {value!r}", f"one of {', '.join(CHOICES[name])}", nearest(str(value), CHOICES[name])
        )
    if name in ("clip", "tied"):
        if not isinstance(value, bool):
            raise InputError(f"{name} = {value!r}", "true or false")
        if name == "tied" and not value:
            raise InputError("tied = false", "tied = true (decoder W^T W is the only one so far)")
        return bool(value)
    return value


def check_known(names: Iterable[str]) -> None:
    for name in names:
        if name not in DEFAULTS:
            raise InputError(f"the unknown field {name!r} of a run", "a field of RunSpec", nearest(name, DEFAULTS))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
