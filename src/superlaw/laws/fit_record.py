"""By what the JSON of a fit is told from tables and other records: one rule for all who are given either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS = ("law", "params", "covariance")


def is_fit(record: Any) -> bool:
    """Whether a JSON record is that of a fit, whole or damaged: it has a law by name, parameters and a covariance.

    A table of JSON may have columns of these names; those are lists.

    Examples
    --------
    >>> is_fit({"covariance": [], "params": {}, "law": "power"}), is_fit({"law": ["power"], "loss": [2.5]})
    (True, False)
    """
    named = isinstance(record, Mapping) and all(key in record for key in KEYS)
    return named and isinstance(record["law"], str) and isinstance(record["params"], Mapping)
