"""Exponents of language models: of the overlaps of their heads, and of their losses by the joint fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

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


def loss_exponent(fit: Fit) -> tuple[Estimate, Estimate]:
    """(a, C) of the joint fit of losses, to set beside the published 0.91 ± 0.04 and 476 ([LLG] section 4)."""
    from superlaw.laws.terms import term_names  # brings scipy, as the fit did

    c, a = term_names(fit, fit.law.sizes[0])
    return fit[a], fit[c]
