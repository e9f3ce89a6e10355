"""Heads that others are read beside: random ones, and those of models whose weights anyone can fetch.

``reference_heads.json`` is what ``python benchmarks/reference_heads.py FOLDER -o FILE`` wrote; that script says where
each file comes from, and its licence. No weights are kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from superlaw.lm.measure import HeadMeasures


@dataclass(frozen=True)
class ReferenceHead:
    """One head in a few numbers.

    Parameters
    ----------
    name, source : str
        What it is, and where it is from.
    n, m : int
        Rows and width.
    represented : float
        Share of rows longer than half the mean.
    norm_spread : float
        Standard deviation of the norms over their mean.
    excess, centred_excess : float
        Mean squared overlap in units of that of random directions, 1/m; the same with the mean row removed.
    until_random : int or None
        Dominant directions to remove until the rest overlaps as random directions do.
    used : float
        Participation ratio over m: the share of the dimensions that is used, as if evenly.
    """

    name: str
    source: str
    n: int
    m: int
    represented: float
    norm_spread: float
    excess: float
    centred_excess: float
    until_random: int | None
    used: float

    @classmethod
    def of(cls, measured: HeadMeasures, name: str, source: str) -> ReferenceHead:
        """From the measures of a head."""
        norms, overlaps = measured.norms, measured.overlaps
        return cls(
            name, source, measured.n, measured.m, measured.represented, float(norms.std() / norms.mean()),
            measured.excess, measured.centred_excess, measured.peeled.until_random,
            overlaps.participation_ratio / measured.m,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@cache
def reference_heads() -> tuple[ReferenceHead, ...]:
    """The heads of the table that is part of the package.

    Examples
    --------
    >>> round(next(head for head in reference_heads() if head.name == "random directions").excess, 2)
    1.0
    """
    record = json.loads((files("superlaw.findings") / "reference_heads.json").read_text(encoding="utf-8"))
    return tuple(ReferenceHead(**one) for one in record["heads"])
