"""One term c / x^a of a fitted sum by itself: its curve with a band, and what the losses leave for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from superlaw.errors import InputError, nearest
from superlaw.laws.law import power_term
from superlaw.laws.result import Fit, PredictedLoss
from superlaw.laws.tables import as_table


def term_names(fit: Fit, column: str) -> tuple[str, str]:
    """The names of the coefficient and of the exponent of a column's term.

    Raises
    ------
    InputError
        For a law that is no sum of terms, or a column that is not a term by itself.
    """
    if not fit.law.power_terms:
        raise InputError(f"the law {fit.law.name}", "a sum of terms c / x^a")
    alone = {term.columns[0]: term for term in fit.law.power_terms if len(term.columns) == 1}
    if column not in alone:
        raise InputError(f"the term {column!r}", "a column that is a term", nearest(column, alone))
    return alone[column].coefficient, alone[column].exponents[0]


def term_curve(fit: Fit, column: str, x: np.ndarray) -> PredictedLoss:
    """c / x^a with its band, of the level of the fit's intervals.

    The band is of percentiles over bootstrap replicates where the fit has them; else normal in the log, from the
    covariance of log c and a, by t quantiles.

    Parameters
    ----------
    fit : Fit
    column : str
    x : ndarray, shape (n,)

    Examples
    --------
    >>> from superlaw import PowerLaw, fit_law
    >>> width = np.array([8.0, 16, 32, 64, 128, 256])
    >>> fit = fit_law({"width": width, "loss": 3 / width**0.5 + 1}, PowerLaw("width"))
    >>> print(term_curve(fit, "width", np.array([4.0])).loss.round(6))
    [1.5]
    """
    names = term_names(fit, column)
    at = [list(fit.params).index(name) for name in names]
    log_x, level = np.log(np.asarray(x, dtype=float)), fit.interval["level"]
    value = power_term(fit.params[names[0]].value, [fit.params[names[1]].value], [log_x])
    if fit.replicates is not None:
        c, a = fit.replicates[:, at].T
        curves = power_term(c[:, None], [a[:, None]], [log_x])
        low, high = np.quantile(curves, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return PredictedLoss(value, low, high)
    V = fit.log_covariance[np.ix_(at, at)]
    variance = V[0, 0] - 2 * log_x * V[0, 1] + log_x**2 * V[1, 1]
    half = special.stdtrit(max(fit.dof, 1), 0.5 + level / 2) * np.sqrt(np.maximum(variance, 0))
    return PredictedLoss(value, value * np.exp(-half), value * np.exp(half))


def left_for(fit: Fit, column: str, table: Any, losses: np.ndarray) -> np.ndarray:
    """What the losses leave for one term: each loss less the fitted offset and other terms, shape (n,).

    Not above 0 where a loss lies below what the others claim.

    Parameters
    ----------
    fit : Fit
    column : str
    table : DataFrame or mapping of columns
        The law's columns, groups included.
    losses : ndarray, shape (n,)
    """
    rows = as_table(table)
    c, a = (fit.params[name].value for name in term_names(fit, column))
    own = power_term(c, [a], [np.log(rows[column].to_numpy(dtype=float))])
    return np.asarray(losses, dtype=float) - (fit.loss_at(rows)[0] - own)
