"""Exponents of language models: of the overlaps of their heads, and of their losses by the joint fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.geometry.dominant import AS_RANDOM, FEW
from superlaw.laws.estimate import Estimate
from superlaw.laws.slope import Slope, fit_slope

if TYPE_CHECKING:
    from superlaw.laws.result import Fit  # brings scipy, which a head does not need


def overlap_exponent(widths: Sequence[int], mean_squares: Sequence[float]) -> Slope | None:
    """a of mean squared overlap ~ 1/m^a over heads, 1 for random directions.

    None for heads of one width, and where an overlap is 0 or not known.

    Examples
    --------
    >>> overlap_exponent([64, 128, 256], [1 / 64, 1 / 128, 1 / 256]).exponent
    1.0
    """
    if len(set(widths)) < 2 or not (np.array(mean_squares) > 0).all():
        return None
    return fit_slope(np.array(widths), np.array(mean_squares))


@dataclass(frozen=True)
class OverlapLaw:
    """The exponent of overlap against width over heads of one family; ``what``: "as they are", or what was removed."""

    what: str
    slope: Slope

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the standard error of two widths is not known."""
        return {"what": self.what, "exponent": self.slope.exponent, "stderr": self.slope.stderr}


def overlap_laws(heads: Sequence[Mapping[str, Any]]) -> list[OverlapLaw]:
    """Exponents of the mean squared overlap of one family's heads: as they are, and without what they have in common.

    Parameters
    ----------
    heads : sequence of mapping
        Records of lm.measure (``m``, ``mean_square_overlap``, ``centred_mean_square_overlap``,
        ``excess_without_directions``).

    Examples
    --------
    >>> heads = [{"m": m, "mean_square_overlap": 0.5, "centred_mean_square_overlap": 2 / m,
    ...           "excess_without_directions": {"0": m / 2, "1": 1.1}} for m in (64, 128)]
    >>> [(law.what, abs(round(law.slope.exponent, 2))) for law in overlap_laws(heads)]
    [('as they are', 0.0), ('mean row removed', 1.0), ('1 dominant direction removed', 1.01)]
    """
    widths = [head["m"] for head in heads]
    squares = {
        "as they are": [head["mean_square_overlap"] for head in heads],
        "mean row removed": [head["centred_mean_square_overlap"] or 0.0 for head in heads],
    }
    if gone := common_directions(heads):
        what = f"{gone} dominant direction{'s' * (gone > 1)} removed"
        squares[what] = [head["excess_without_directions"][str(gone)] / (head["m"] - gone) for head in heads]
    found = {what: overlap_exponent(widths, values) for what, values in squares.items()}
    return [OverlapLaw(what, slope) for what, slope in found.items() if slope]


def laws_by_family(heads: Mapping[str, Mapping[str, Any]], families: Mapping[str, str]) -> dict[str, list[OverlapLaw]]:
    """The laws of overlap within each family, of heads by model name; of heads that an older version measured, as they
    are alone."""
    found = {}
    for family in dict.fromkeys(families.values()):
        own = [heads[name] for name, its in families.items() if its == family and name in heads]
        if all("excess_without_directions" in head for head in own):
            found[family] = overlap_laws(own) if own else []
        elif slope := overlap_exponent([h["m"] for h in own], [h["mean_square_overlap"] for h in own]):
            found[family] = [OverlapLaw("as they are", slope)]
    return {family: laws for family, laws in found.items() if laws}


def common_directions(heads: Sequence[Mapping[str, Any]]) -> int | None:
    """The least of 1, 2, 4, ... dominant directions without which all heads overlap as random directions do.

    None where there is no such number up to 2 % of the narrowest width, and where none has to be removed.
    """
    rests = [{int(k): excess for k, excess in head["excess_without_directions"].items()} for head in heads]
    if all(rest.get(0, 0.0) < AS_RANDOM for rest in rests):
        return None
    most = max(1, FEW * min(head["m"] for head in heads))
    shared = sorted(set.intersection(*(set(rest) for rest in rests)) - {0})
    return next((k for k in shared if k <= most and all(rest[k] < AS_RANDOM for rest in rests)), None)


def loss_exponent(fit: Fit) -> tuple[Estimate, Estimate]:
    """(a, C) of the joint fit of losses, to set beside the published 0.91 ± 0.04 and 476 ([LLG] section 4)."""
    from superlaw.laws.terms import term_names  # brings scipy, as the fit did

    c, a = term_names(fit, fit.law.sizes[0])
    return fit[a], fit[c]
