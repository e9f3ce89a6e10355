"""RunSpec: everything that decides the outcome of one training run. Every default is stated here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.theory.values import untrained_loss
from superlaw.toy.fields import check_known, check_together, checked_field
from superlaw.toy.frequencies import FAMILIES, check_frequencies, family_frequencies, frequencies_of, scale_density

SCHEMA = 1  # of the canonical JSON behind `id`
REFERENCE_WIDTH = 8  # learning rates that depend on width are stated at this width


@dataclass(frozen=True, eq=False)
class RunSpec:
    """One training run of the toy model (docs/science.md#the-toy-model). Compared by ``id``.

    Parameters
    ----------
    n_features : int
        n. With explicit ``frequencies`` it is their number and may be left out.
    width : int
        m. A width of n or more is allowed (nothing then needs superposition).
    frequencies : {"power", "exponential", "linear"}, array of shape (n,), mapping, or path
        A family; or probabilities or counts themselves, by name, or of a file: see toy.frequencies.frequencies_of. They
        are kept as the array of probabilities.
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
    activation : {"relu", "linear", "gelu"}, optional
        f in y = f(W h + b). relu for squared error; with cross-entropy there is none (linear).
    loss_function : {"squared-error", "cross-entropy"}
        Sum over features of (y - x)^2, or -sum_i t_i log softmax(y)_i with t = x / sum x, in nats, mean over the
        samples that have an active feature; the optimiser then sees loss_scale L.
    values : {"uniform", "exponential", "half-normal", "constant"}
        Distribution of v, of mean 1 (superlaw.theory.values).
    correlation, group_size : float, int
        c and g: features of g consecutive ranks fire together with probability c (docs/science.md#variants).
    tied : bool
        Whether h = W^T x. Else an encoder of its own, h = V^T x; decay and unit rows act on both.
    rows : {"free", "unit"}
        Rows of W as they come, or set back to norm 1 after every step.
    learn_bias : bool
        False: b = 0 throughout.
    initial_norm : float
        c in W ~ N(0, c^2/m).
    initial_bias_mean, initial_bias_std : float
        b_i ~ N(mean, std^2) at the start.
    optimizer : {"adam", "sgd"}
    momentum : float, optional
        Of sgd: 0.9.
    adam_epsilon : float, optional
        Of adam: 1e-8.
    schedule : {"cosine", "constant", "wsd"}
        After the warm-up. wsd: constant, then linear to 0.05 eta_max over the last ``decay_share`` (0.2) of all steps.
    dtype : {"float32", "float64"}
        Not every engine trains every choice: see ``superlaw.toy.train``.
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
    frequencies: str | np.ndarray | Any = "power"
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
    activation: str = None  # pyright: ignore[reportAssignmentType]  # a name once made: theirs, or what the loss takes
    loss_function: str = "squared-error"
    values: str = "uniform"
    correlation: float = 0.0
    group_size: int | None = None
    tied: bool = True
    rows: str = "free"
    learn_bias: bool = True
    initial_norm: float = 1.0
    initial_bias_mean: float = 0.0
    initial_bias_std: float = 1.0
    optimizer: str = "adam"
    momentum: float | None = None
    adam_epsilon: float | None = None
    schedule: str = "cosine"
    decay_share: float | None = None
    dtype: str = "float32"
    seed: int = 0

    def __post_init__(self):
        fix = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        if isinstance(self.frequencies, str) and self.frequencies in FAMILIES:
            fix("n_features", 1000 if self.n_features is None else self.n_features)
        else:
            named = not isinstance(self.frequencies, np.ndarray | list | tuple)
            p = frequencies_of(self.frequencies, self.n_features if named else None).copy()
            p.flags.writeable = False
            if self.n_features not in (None, p.size):
                raise InputError(f"n_features = {self.n_features} with {p.size} frequencies", "the same number")
            fix("frequencies", p)
            fix("n_features", p.size)
        for field in fields(self):
            fix(field.name, checked_field(field.name, getattr(self, field.name)))
        for name, value in self._followers().items():
            if getattr(self, name) is None:
                fix(name, value)
        self.probabilities  # noqa: B018  (refuses what cannot be scaled to the density)
        check_together({field.name: getattr(self, field.name) for field in fields(self)}, self.probabilities)

    def _followers(self) -> dict[str, Any]:
        """Defaults that follow from another field."""
        return {  # families are scaled to E = 1, explicit probabilities left as they are
            "activation_density": 1.0 if isinstance(self.frequencies, str) else None,
            "activation": "linear" if self.loss_function == "cross-entropy" else "relu",
            "momentum": 0.9 if self.optimizer == "sgd" else None,
            "adam_epsilon": 1e-8 if self.optimizer == "adam" else None,
            "decay_share": 0.2 if self.schedule == "wsd" else None,
        }

    @cached_property
    def probabilities(self) -> np.ndarray:
        """p_i after scaling to the activation density, shape (n,)."""
        if isinstance(self.frequencies, str):
            p = family_frequencies(self.frequencies, self.n_features, self.data_exponent, self.decay_length)
        else:
            p = self.frequencies
        return p if self.activation_density is None else scale_density(p, self.activation_density, self.clip)

    @cached_property
    def untrained_loss(self) -> float:
        """What a model that ignores its input loses (theory.values)."""
        return untrained_loss(float(self.probabilities.sum()), self.n_features, self.values, self.loss_function)

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Number of the group of each feature, shape (n,): consecutive ranks; None without correlation."""
        if self.correlation == 0 or self.group_size is None:
            return None
        ranks = np.empty(self.n_features, dtype=np.int64)
        ranks[np.argsort(-self.probabilities, kind="stable")] = np.arange(self.n_features)
        return ranks // self.group_size

    @cached_property
    def pair_correlation(self) -> float:
        """Mean over pairs of a group of corr(u_i, u_j) = c (min(p_i, p_j) - p_i p_j) / sqrt(var_i var_j)."""
        if self.groups is None:
            return 0.0
        p = np.sort(self.probabilities)[::-1]
        total, pairs = 0.0, 0
        for start in range(0, len(p), self.group_size or 1):
            one = p[start : start + (self.group_size or 1)]
            odds = np.sqrt(one[(one > 0) & (one < 1)] / (1 - one[(one > 0) & (one < 1)]))
            rest = np.cumsum(odds[::-1])[::-1] - odds  # over the later members j of the group: odds_j / odds_i each
            total, pairs = total + float(np.sum(rest / odds)), pairs + len(odds) * (len(odds) - 1) // 2
        return self.correlation * total / pairs if pairs else 0.0

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
        if self.groups is not None:
            notes.append(f"groups of {self.group_size} features, correlation {self.correlation:g} of the largest "
                         f"possible: pairs of a group correlate by {self.pair_correlation:.3g} on average")  # fmt: skip
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
        unused = (
            (name == "data_exponent" and self.frequencies_name != "power")
            or (name == "decay_length" and self.frequencies_name != "exponential")
            or (name == "group_size" and self.correlation == 0)
            or (name in OF_THE_BIAS and not self.learn_bias)
        )
        if name == "bias_learning_rate":
            return unused or value in (None, self.learning_rate)
        return unused or value == {**DEFAULTS, **self._followers()}[name]

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
        check_known(record, DEFAULTS)
        record = dict(record)
        if isinstance(record.get("frequencies"), list):
            record["frequencies"] = check_frequencies(record["frequencies"])
        return cls(**record)

    def change(self, **changes: Any) -> RunSpec:
        """A copy with some fields changed; what followed from a field that changes follows anew."""
        check_known(changes, DEFAULTS)
        anew = {name: None for name, value in self._followers().items() if getattr(self, name) == value}
        return replace(self, **{**anew, **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunSpec) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


OF_THE_BIAS = ("initial_bias_mean", "initial_bias_std", "bias_learning_rate", "bias_learning_rate_width_power")
DEFAULTS = {field.name: field.default for field in fields(RunSpec)}
