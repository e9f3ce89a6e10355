"""Which plan runs belong to: among the presets, and those that lie in their store."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from superlaw.errors import InputError
from superlaw.sweeps.plan import Plan, load_plan, preset_names

ENOUGH = 0.5  # of the runs, that a plan must hold to be theirs


def known_plans(store: Path | None = None) -> list[tuple[str, Plan]]:
    """Plans by what the command line calls them: the presets, and those that lie in the store."""
    found = [(name, load_plan(name)) for name in preset_names()]
    for path in sorted(store.glob("*.toml")) if store is not None else ():
        try:
            found.append((str(path), load_plan(path)))
        except InputError:  # some other file
            continue
    return found


def likely_plan(ids: Collection[str], store: Path | None = None) -> tuple[str, Plan] | None:
    """The plan that holds most of these runs, and of several such the smallest; None where none holds half of them.

    Examples
    --------
    >>> name, plan = likely_plan({spec.id for spec in load_plan("wide-small").specs[:3]})
    >>> name
    'wide-small'
    """
    there, best, most = set(ids), None, (0, 0)
    for name, plan in known_plans(store):
        shared = len(there & {spec.id for spec in plan.specs}), -len(plan.specs)
        if shared > most:
            best, most = (name, plan), shared
    return best if most[0] >= ENOUGH * len(there) else None
