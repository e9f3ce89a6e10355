"""Runs that were logged along their steps, as a table: a row a run, its last values, or a row for every logged step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError
from superlaw.laws.quantities import LOSS, STEPS, quantity_of, shown
from superlaw.laws.sources.names import named_parts
from superlaw.laws.sources.source import Source, numbered

if TYPE_CHECKING:
    import pandas as pd

RUN = "run"
LOGGED = " (logged)"  # behind the name of a column that was logged under one of our own names
WANDB_STEP = "_step"


@dataclass(frozen=True, eq=False)
class History:
    """One run as it was logged.

    Parameters
    ----------
    name : str
    rows : DataFrame
        A row for each logged step, in their order, empty where a column was not logged.
    step : str or None
        The column of the step.
    facts : mapping
        What holds for the whole run: its configuration.
    """

    name: str
    rows: pd.DataFrame
    step: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def step_column(columns: Sequence[str]) -> str | None:
    """The column that counts the steps: W&B's own, or the only one named so.

    Examples
    --------
    >>> step_column(["loss", "trainer/global_step", "_step"]), step_column(["loss", "epoch"])
    ('_step', None)
    """
    named = [column for column in columns if quantity_of(column) == STEPS]
    return WANDB_STEP if WANDB_STEP in columns else named[0] if len(named) == 1 else None


def table_of(histories: Sequence[History], kind: str, along_steps: bool, where: str) -> Source:
    """Histories as one table with a column ``run``; a single one, or ``along_steps``: a row for each logged step.

    Raises
    ------
    InputError
        For histories without rows.
    """
    import pandas as pd

    if not any(len(history.rows) for history in histories):
        raise InputError(f"{where}, in which nothing was logged", "runs with numbers logged along their steps")
    single = len(histories) == 1
    parts, notes = named_parts([history.name for history in histories])
    facts = numbered(parts)
    tables = []
    for i, history in enumerate(histories):
        rows = history.rows if along_steps or single else _last(history)
        rows = rows.rename(columns={RUN: RUN + LOGGED})
        own = {key: values[i] for key, values in facts.items()} | dict(history.facts)
        more = {key: value for key, value in own.items() if key not in rows.columns and key != RUN}
        first = pd.DataFrame({RUN: [history.name] * len(rows)}, index=rows.index)
        known = pd.DataFrame([more] * len(rows), index=rows.index) if more else pd.DataFrame(index=rows.index)
        tables.append(pd.concat([first, known, rows], axis=1))
    table = pd.concat([table for table in tables if len(table)], ignore_index=True)
    if single:
        notes.append("one run, a row for each logged step")
    elif along_steps:
        notes.append(f"{len(histories)} runs, a row for each logged step: cluster by {RUN}")
    else:
        notes += [f"{len(histories)} runs, a row each with its last values (--along-steps: a row for each logged step)"]
        notes += _early(histories)
    return Source(table, kind, notes, RUN)


def _last(history: History) -> pd.DataFrame:
    """The last value of every column, in one row; the largest step."""
    rows = history.rows
    if not len(rows):
        return rows
    last = rows.ffill().iloc[[-1]].copy()
    if history.step is not None:
        last[history.step] = rows[history.step].max()
    return last


def _early(histories: Sequence[History]) -> list[str]:
    """Losses whose last value is not of the last step."""
    early: dict[str, int] = {}
    for history in histories:
        step, rows = history.step, history.rows
        if step is None or not len(rows):
            continue
        for column in rows.columns:
            if quantity_of(column) == LOSS:
                at = rows.loc[rows[column].notna(), step]
                early[column] = early.get(column, 0) + bool(len(at) and at.max() < rows[step].max())
    late = [f"{column} (in {count})" for column, count in early.items() if count]
    return [f"last logged before the last step of the run: {shown(late)}"] if late else []
