"""Fields of a run: the type and range of each, named choices, and which of them contradict each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest, nearest
from superlaw.theory.values import VALUES

CHOICES = {
    "activation": ("relu", "linear", "gelu"),
    "loss_function": ("squared-error", "cross-entropy"),
    "values": tuple(VALUES),
    "rows": ("free", "unit"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("cosine", "constant", "wsd"),
    "dtype": ("float32", "float64"),
}
SWITCHES = ("clip", "tied", "learn_bias")

_WHOLE = {"n_features": 1, "width": 1, "steps": 1, "batch": 1, "warmup": 0, "group_size": 2, "seed": 0}  # the lowest
# Real numbers: lowest, whether itself allowed, highest, whether itself allowed.
_REAL = {
    "data_exponent": (-math.inf, False, math.inf, False),
    "decay_length": (0.0, False, math.inf, False),
    "activation_density": (0.0, False, math.inf, False),
    "weight_decay": (-math.inf, False, math.inf, False),
    "learning_rate": (0.0, False, math.inf, False),
    "bias_learning_rate": (0.0, True, math.inf, False),
    "learning_rate_width_power": (-math.inf, False, math.inf, False),
    "bias_learning_rate_width_power": (-math.inf, False, math.inf, False),
    "loss_scale": (0.0, False, math.inf, False),
    "initial_bias_mean": (-math.inf, False, math.inf, False),
    "initial_bias_std": (0.0, True, math.inf, False),
    "initial_norm": (0.0, True, math.inf, False),
    "correlation": (0.0, True, 1.0, True),
    "momentum": (0.0, True, 1.0, False),
    "adam_epsilon": (0.0, False, math.inf, False),
    "decay_share": (0.0, False, 1.0, True),
}
OPTIONAL = (
    "activation_density", "bias_learning_rate", "activation", "group_size", "momentum", "adam_epsilon", "decay_share",
)  # fmt: skip


def checked_field(name: str, value: Any) -> Any:
    """The value of a field in its own type; InputError when it is out of range."""
    value = value.item() if isinstance(value, np.generic) else value  # a message shows 0, not np.int64(0)
    if name in OPTIONAL and value is None:
        return None
    if name in _WHOLE:
        return _whole(name, value)
    if name in _REAL:
        return _real(name, value)
    if name in CHOICES and not (isinstance(value, str) and value in CHOICES[name]):
        raise InputError(
            f"{name} = {value!r}", f"one of {', '.join(CHOICES[name])}", closest(str(value), CHOICES[name])
        )
    if name in SWITCHES and not isinstance(value, bool):
        raise InputError(f"{name} = {value!r}", "true or false")
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        raise InputError(f"{name} = {value!r}", "a whole number")
    lowest, highest = _WHOLE[name], 2**64 - 1 if name == "seed" else 2**31 - 1
    if not lowest <= int(value) <= highest:
        raise InputError(f"{name} = {value}", f"a whole number from {lowest} to {highest}")
    return int(value)


def _real(name: str, value: Any) -> float:
    lowest, includes_lowest, highest, includes_highest = _REAL[name]
    if isinstance(value, bool | str):
        raise InputError(f"{name} = {value!r}", "a number")
    try:
        number = float(value) + 0.0  # -0.0 becomes 0.0
    except (TypeError, ValueError):
        raise InputError(f"{name} = {value!r}", "a number") from None
    except OverflowError:
        raise InputError(f"{name} beyond 1e308", "a finite number") from None
    above = number > lowest or (includes_lowest and number == lowest)
    below = number < highest or (includes_highest and number == highest)
    if not (math.isfinite(number) and above and below):
        bounds = []
        if lowest > -math.inf:
            bounds.append(f"{'of at least' if includes_lowest else 'above'} {lowest:g}")
        if highest < math.inf:
            bounds.append(f"{'at most' if includes_highest else 'below'} {highest:g}")
        raise InputError(f"{name} = {number:g}", " ".join(["a finite number", " and ".join(bounds)]).strip())
    return number


def check_known(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is no field, with the nearest known one."""
    known = tuple(known)
    for name in names:
        if name not in known:
            raise InputError(f"the unknown field {name!r} of a run", "a field of RunSpec", nearest(name, known))


LEAST_ACTIVE = 40  # samples of a batch expected to have an active feature: none at all then has a chance below 1e-17


def check_together(spec: Mapping[str, Any], probabilities: np.ndarray) -> None:
    """Refuse two fields of a run that contradict each other, in one line that names both."""

    def refuse(one: str, other: str, need: str, do: str) -> None:
        show = lambda name: f"{name} = {spec[name]}"  # noqa: E731
        raise InputError(f"{show(one)} with {show(other)}", need, do)

    entropy = spec["loss_function"] == "cross-entropy"
    if entropy and spec["activation"] != "linear":
        refuse("activation", "loss_function", "logits as they are", "leave activation out, or use squared-error")
    if entropy:
        empty = float(np.exp(np.sum(np.log1p(-np.minimum(probabilities, 1 - 1e-12)))))
        active = spec["batch"] * (1 - empty)
        if active < LEAST_ACTIVE:
            raise InputError(
                f"{active:.3g} samples of a batch with an active feature, with cross-entropy",
                f"at least {LEAST_ACTIVE} expected", "raise batch or activation_density",
            )  # fmt: skip
    if spec["momentum"] is not None and spec["optimizer"] != "sgd":
        refuse("momentum", "optimizer", "momentum with sgd alone", "leave momentum out, or use sgd")
    if spec["adam_epsilon"] is not None and spec["optimizer"] != "adam":
        refuse("adam_epsilon", "optimizer", "adam_epsilon with adam alone", "leave adam_epsilon out, or use adam")
    if spec["decay_share"] is not None and spec["schedule"] != "wsd":
        refuse("decay_share", "schedule", "decay_share with wsd alone", "leave decay_share out, or use wsd")
    if spec["rows"] == "unit" and spec["weight_decay"] > 0:
        refuse("rows", "weight_decay", "weight_decay of at most 0", "unit rows cannot shrink: use rows free")
    if spec["rows"] == "unit" and spec["initial_norm"] != 1:
        refuse("rows", "initial_norm", "initial_norm of 1", "unit rows start at norm 1: leave initial_norm out")
    started = (spec["initial_bias_mean"], spec["initial_bias_std"]) not in ((0.0, 1.0), (0.0, 0.0))
    if not spec["learn_bias"] and started:
        one = "initial_bias_mean" if spec["initial_bias_mean"] else "initial_bias_std"
        refuse(one, "learn_bias", "a bias that is 0 throughout", "leave the start of the bias out, or learn the bias")
    if spec["correlation"] > 0 and spec["group_size"] is None:
        refuse("correlation", "group_size", "the size of the groups", "state group_size (--group-size 10)")
