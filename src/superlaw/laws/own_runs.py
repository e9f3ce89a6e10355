"""What a table says of itself when it is one of our own runs: rows that are no losses of whole runs, and a caution.

Such a table has the columns ``id`` and ``status`` of ``superlaw.gather``; it is known by them alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.laws.law import Law

GOOD = "ok"
STATUSES = frozenset((GOOD, "diverged", "stopped", "missing", "damaged", "warm-up"))
OUTCOMES = ("represented", "strong", "finished", "wall_seconds")  # whole numbers and texts that no run was planned by
STEADY = "constant"  # the schedule under which step t of a run is the end of a run of t steps


def is_ours(table: pd.DataFrame) -> bool:
    """Whether a table is one of our own runs."""
    return {"id", "status"} <= set(table.columns) and STATUSES.issuperset(table["status"].astype(str))


def unusable(table: pd.DataFrame) -> tuple[np.ndarray, dict[str, int]]:
    """Rows of a table of our runs that are not ok, shape (rows,), and how many by status; none of any other table.

    Examples
    --------
    >>> import pandas as pd
    >>> unusable(pd.DataFrame({"id": ["a", "b"], "status": ["ok", "diverged"], "loss": [1.0, None]}))
    (array([False,  True]), {'diverged': 1})
    >>> unusable(pd.DataFrame({"status": ["failed"], "loss": [1.0]}))
    (array([False]), {})
    """
    if not is_ours(table):
        return np.zeros(len(table), dtype=bool), {}
    status = table["status"].astype(str).to_numpy()
    bad = status != GOOD
    return bad, dict(sorted(Counter(status[bad].tolist()).items()))


def status_words(counts: dict[str, int]) -> str:
    """``2 diverged, 1 missing``; empty for none."""
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def cautions(table: pd.DataFrame, law: Law) -> tuple[str, ...]:
    """What must be said of a fit along the steps of runs whose schedule depends on its end."""
    if "step" not in law.sizes or not {"id", "schedule"} <= set(table.columns):
        return ()
    bent = sorted({str(name) for name in table["schedule"]} - {STEADY})
    if not bent:
        return ()
    return (
        f"losses along steps of runs with the schedule {' and '.join(bent)}: the loss at a step is not that of a "
        "training of so many steps, whose rate would have fallen by then: for a law in t use runs of several lengths "
        "(the column 'steps') or schedule = constant",
    )
