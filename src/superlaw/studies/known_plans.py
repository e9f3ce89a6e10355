"""Which plan runs belong to: among the presets, and those that lie in their store."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path

from superlaw.errors import InputError
from superlaw.sweeps.plan import Plan, load_plan, preset_names

ENOUGH = 0.5  # of the runs, that a plan must hold to be theirs


def known_plans(store: Path | None = None) -> list[tuple[Plan, frozenset[str]]]:
    """Plans with the ids of their runs: the presets, and those in the store."""
    found = [*_presets()]
    for path in sorted(store.glob("*.toml")) if store is not None else ():
        try:
            found.append(_known(str(path)))
        except InputError:  # some other file
            continue
    return found


@functools.cache
def _presets() -> tuple[tuple[Plan, frozenset[str]], ...]:
    return tuple(map(_known, preset_names()))


def _known(name: str) -> tuple[Plan, frozenset[str]]:
    plan = load_plan(name)
    return plan, frozenset(spec.id for spec in plan.specs)


def likely_plan(ids: Collection[str], store: Path | None = None) -> Plan | None:
    """The plan that holds most of these runs, and of several such the smallest; None where none holds half of them.

    Examples
    --------
    >>> likely_plan({spec.id for spec in load_plan("wide-small").specs[:3]}).name
    'wide-small'
    """
    there, best, most = set(ids), None, (0, 0)
    for plan, runs in known_plans(store):
        shared = len(there & runs), -len(plan.specs)
        if shared > most:
            best, most = plan, shared
    return best if most[0] >= ENOUGH * len(there) else None
