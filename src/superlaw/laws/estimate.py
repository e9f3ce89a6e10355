"""A parameter with its errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from superlaw.files.numbers import with_error


@dataclass(frozen=True)
class Estimate:
    """One parameter: its value, standard error and interval; NaN where the method gives none.

    ``naive_stderr`` takes the points as independent, where the others go by clusters.
    """

    value: float
    stderr: float = math.nan
    low: float = math.nan
    high: float = math.nan
    naive_stderr: float = math.nan

    def __str__(self) -> str:
        """The value to the second figure of its standard error."""
        return with_error(self.value, self.stderr)
