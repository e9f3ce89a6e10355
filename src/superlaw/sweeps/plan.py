"""Plans: a base run, axes and seeds, in TOML; the published experiments ship as presets."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError, closest, nearest
from superlaw.toy.fields import OPTIONAL
from superlaw.toy.frequencies import NamedFrequencies
from superlaw.toy.spec import DEFAULTS, RunSpec

KEYS = ("name", "about", "base", "axes", "seeds", "keep")
KEEP = ("weights", "losses")
NONE = "none"  # of a field that may be left out: TOML and the command line have no other word for it
MOST_VALUES = 100_000  # of an axis
MOST_RUNS = 100_000  # of a plan: every one of them stands in memory, in tables and in a store's folder


@dataclass(frozen=True)
class Plan:
    """A grid of runs.

    Parameters
    ----------
    name, about : str
    base : dict
        Fields of RunSpec shared by all runs.
    axes : dict of str to tuple
        Fields of RunSpec and the values each takes; the grid is their product, the last one fastest. ``"none"``
        leaves out a field that may be left out. An axis of frequencies has families, files, or NamedFrequencies.
    seeds : tuple of int
        Replicates of every cell.
    keep : {"weights", "losses"} or tuple of int
        Whether stored runs keep W and b: all, none, or those of these widths. Measures are always kept.
    source : str
        The preset or file that it was read from, as the command line takes it; "" of one made in Python.

    Examples
    --------
    >>> plan = Plan("p", {"steps": 10}, {"width": (5, 10), "weight_decay": (-1.0, 1.0)}, (0, 1))
    >>> len(plan.specs), plan.specs[0].width, plan.specs[-1].weight_decay
    (8, 5, 1.0)
    """

    name: str
    base: dict[str, Any]
    axes: dict[str, tuple[Any, ...]]
    seeds: tuple[int, ...] = (0,)
    keep: str | tuple[int, ...] = "weights"
    about: str = ""
    source: str = dataclasses.field(default="", compare=False)

    def __post_init__(self):
        object.__setattr__(self, "base", {field: _meant(field, value) for field, value in self.base.items()})
        axes = {axis: tuple(_meant(axis, value) for value in values) for axis, values in self.axes.items()}
        object.__setattr__(self, "axes", axes)
        for field in (*self.base, *self.axes):
            if field not in DEFAULTS or field == "seed":
                known = [name for name in DEFAULTS if name != "seed"]
                hint = "seeds are given under `seeds`" if field == "seed" else nearest(field, known)
                raise InputError(f"the field {field!r} in the plan {self.name}", "fields of RunSpec", hint)
        both = set(self.base) & set(self.axes)
        if both:
            raise InputError(f"{min(both)} both in [base] and in [axes] of the plan {self.name}", "one of them")
        for axis, values in (*self.axes.items(), ("seeds", self.seeds)):
            if not values:
                raise InputError(f"an empty axis {axis} in the plan {self.name}", "at least one value")
            kinds = int | float | str | None if axis in OPTIONAL else int | float | str
            kinds = str | NamedFrequencies if axis == "frequencies" else kinds
            if not all(isinstance(value, kinds) for value in values):
                raise InputError(f"the axis {axis} of the plan {self.name} with a list or table in it",
                                 "numbers or names")  # fmt: skip
            if len(set(values)) < len(values):
                raise InputError(f"a value twice in the axis {axis} of the plan {self.name}", "distinct values")
        runs = math.prod(len(values) for values in (*self.axes.values(), self.seeds))
        if runs > MOST_RUNS:
            raise InputError(
                f"{runs:,} runs in the plan {self.name}", f"at most {MOST_RUNS:,}", "make several plans of it"
            )
        widths = isinstance(self.keep, tuple) and all(isinstance(w, int) and not isinstance(w, bool) for w in self.keep)
        if not (self.keep and widths) and self.keep not in KEEP:
            raise InputError(f"keep = {self.keep!r}", 'keep = "weights", "losses" or a list of widths',
                             closest(str(self.keep), KEEP))  # fmt: skip

    @cached_property
    def cells(self) -> tuple[dict[str, Any], ...]:
        """Coordinates of every run: its value on each axis, and its seed (the last, fastest)."""
        names = [*self.axes, "seed"]
        grid = itertools.product(*self.axes.values(), self.seeds)
        return tuple(dict(zip(names, values, strict=True)) for values in grid)

    @cached_property
    def specs(self) -> tuple[RunSpec, ...]:
        """One RunSpec for every cell, in the same order; InputError where a cell is impossible."""
        return tuple(self._specs())

    def _specs(self) -> Iterator[RunSpec]:
        for cell in self.cells:
            try:
                yield RunSpec(**self.base, **cell)
            except InputError as error:
                where = ", ".join(f"{k} = {NONE if v is None else v}" for k, v in cell.items())
                raise InputError(
                    f"{error.got}, in the cell {where} of the plan {self.name}", error.need, error.do
                ) from None

    def keeps_weights(self, spec: RunSpec) -> bool:
        """Whether the stored run of that spec keeps W and b."""
        return self.keep == "weights" if isinstance(self.keep, str) else spec.width in self.keep

    def command(self, store: str | Path) -> str:
        """The command that trains what a store lacks of it.

        Examples
        --------
        >>> load_plan("wide-small").command("my runs")
        "superlaw sweep run wide-small --store 'my runs'"
        """
        return shlex.join(["superlaw", "sweep", "run", self.source or self.name, "--store", str(store)])

    def to_toml(self) -> str:
        """The plan as TOML that load_plan reads back to the same runs."""
        import tomli_w

        def said(value: Any) -> Any:
            if isinstance(value, NamedFrequencies):
                raise InputError(f"the frequencies {value} in the plan {self.name}", "a file of them for TOML",
                                 "write them to a .csv and name that")  # fmt: skip
            return NONE if value is None else value

        return tomli_w.dumps({
            "name": self.name, "about": self.about, "seeds": self.seeds, "keep": self.keep,
            "base": {field: said(value) for field, value in self.base.items()},
            "axes": {axis: [said(value) for value in values] for axis, values in self.axes.items()},
        })  # fmt: skip

    def change(
        self,
        base: dict[str, Any] | None = None,
        only: Mapping[str, Sequence[Any]] | None = None,
        seeds: Sequence[int] | None = None,
        keep: str | Sequence[int] | None = None,
    ) -> Plan:
        """A copy with base fields set, axes cut to some of their values, other seeds, or other keeping."""
        for field in base or {}:
            if field in self.axes:
                raise InputError(f"{field}, which is an axis of the plan {self.name}", "a field of [base]",
                                 f"choose among its values with --only {field}=...")  # fmt: skip
        axes = dict(self.axes)
        for axis, chosen in (only or {}).items():
            if axis not in axes:
                raise InputError(f"the axis {axis!r}", f"an axis of the plan {self.name}", nearest(axis, axes))
            axes[axis] = tuple(_pick(axis, axes[axis], value) for value in chosen)
        return replace(
            self,
            base={**self.base, **(base or {})},
            axes=axes,
            seeds=tuple(seeds) if seeds is not None else self.seeds,
            keep=self.keep if keep is None else keep if isinstance(keep, str) else tuple(keep),
        )


def _meant(field: str, value: Any) -> Any:
    """A value as it was written; ``none`` of a field that may be left out is None."""
    return None if value == NONE and field in OPTIONAL else value


def _pick(axis: str, values: tuple[Any, ...], wanted: Any) -> Any:
    """The axis value that was meant: equal, or a number that agrees to the digits given."""
    wanted = _meant(axis, wanted)
    for value in values:
        # true is 1 in Python, and no number here
        same = isinstance(value, bool) == isinstance(wanted, bool) and (value == wanted or str(value) == str(wanted))
        close = (
            _is_number(value)
            and _is_number(wanted)
            and abs(wanted) < 1e300
            and math.isclose(value, wanted, rel_tol=1e-3, abs_tol=1e-9)
        )
        if same or close:
            return value
    raise InputError(f"{axis} = {as_said(wanted)}", f"values of that axis: {', '.join(map(as_said, values))}")


def as_said(value: Any) -> str:
    """A value of a field as a plan and the command line write it.

    Examples
    --------
    >>> as_said(True), as_said(None), as_said(-0.5555555555), as_said("gelu")
    ('true', 'none', '-0.555556', 'gelu')
    """
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def preset_names() -> list[str]:
    """Names of the plans that ship with the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in _presets().iterdir() if entry.name.endswith(".toml"))


def load_plan(source: str | Path | Plan) -> Plan:
    """A plan from a preset's name or a TOML file; a Plan as it is.

    Examples
    --------
    >>> len(load_plan("weight-decay-grid").specs)
    1020
    """
    if isinstance(source, Plan):
        return source
    path = Path(source)
    # A folder is no plan: a store named after its preset must not hide it.
    if path.suffix.lower() == ".toml" or os.path.isfile(path):  # noqa: PTH113  (False for an impossible name, no error)
        try:
            text, name = path.read_text(encoding="utf-8-sig"), path.stem
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise InputError(f"the plan {path}: {reason}", "a TOML file or a preset", _known()) from None
    elif str(source) in preset_names():
        text, name = (_presets() / f"{source}.toml").read_text(encoding="utf-8"), str(source)
    else:
        raise InputError(f"the plan {str(source)!r}", "a preset's name or a TOML file", _known(str(source)))
    try:
        record = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the plan {source}, not TOML: {error}", "a TOML file") from None
    return replace(parse_plan(record, name), source=str(source))


def parse_plan(record: dict[str, Any], name: str) -> Plan:
    """A plan from its parsed TOML; unknown keys are refused with the nearest known one."""
    for key in record:
        if key not in KEYS:
            raise InputError(
                f"the unknown key {key!r} in the plan {name}", f"keys {', '.join(KEYS)}", closest(key, KEYS)
            )
    for key in ("base", "axes"):
        if not isinstance(record.get(key, {}), dict):
            raise InputError(f"{key} = {record[key]!r} in the plan {name}", f"a table [{key}]")
    seeds = record.get("seeds", [0])
    if not isinstance(seeds, list) or not all(isinstance(s, int) and not isinstance(s, bool) for s in seeds):
        raise InputError(f"seeds = {seeds!r} in the plan {name}", "a list of whole numbers")
    keep = record.get("keep", "weights")
    axes = {axis: _axis_values(axis, values, name) for axis, values in record.get("axes", {}).items()}
    return Plan(
        str(record.get("name", name)), dict(record.get("base", {})), axes, tuple(seeds),
        tuple(keep) if isinstance(keep, list) else keep, str(record.get("about", "")),
    )  # fmt: skip


def _axis_values(axis: str, values: Any, name: str) -> tuple[Any, ...]:
    """A list as it is; {start, stop, num} evenly spaced, both ends included."""
    if isinstance(values, list):
        return tuple(values)
    if isinstance(values, dict) and set(values) == {"start", "stop", "num"}:
        start, stop, num = values["start"], values["stop"], values["num"]
        finite = all(_is_number(end) and abs(end) < 1e300 for end in (start, stop))
        if not (finite and isinstance(num, int) and not isinstance(num, bool) and 0 < num <= MOST_VALUES):
            raise InputError(f"{axis} = {values} in the plan {name}", "numbers start and stop, and num of 1 or more")
        return tuple(float(v) for v in np.linspace(float(start), float(stop), num))
    raise InputError(f"the axis {axis} = {values!r} in the plan {name}", "a list, or {start, stop, num}")


def _presets() -> Any:
    return resources.files("superlaw.sweeps") / "presets"


def _known(name: str = "") -> str:
    return f"{nearest(name, preset_names())} (superlaw sweep list)"
