"""The figures of a fit by name, drawn to a file or on axes of the caller's."""

from __future__ import annotations

import importlib
from typing import Any

from superlaw.errors import InputError, closest
from superlaw.figures import paint
from superlaw.figures.panels import Picture
from superlaw.laws.result import Fit

KINDS = {
    "sizes": "law",
    "frontier": "law_frontier",
    "profile": "law_profile",
    "residuals": "law_residuals",
    "predicted": "law_predicted",
}


def law_picture(fit: Fit, kind: str = "sizes", **options: Any) -> Picture:
    """What a figure of a fit plots, as a record.

    Parameters
    ----------
    fit : Fit
        With its points.
    kind : {"sizes", "frontier", "profile", "residuals", "predicted"}
        The loss against each size; against compute with iso-lines and the frontier; profiles of parameters; errors by
        axis; predicted against measured losses, dearer runs held out.
    **options
        ``names`` of the profiles, ``flops`` (ends) of the frontier, ``cost`` and ``cut`` of the predicted.

    Raises
    ------
    InputError
        For another kind, or a law that the figure is not for.
    """
    if kind not in KINDS:
        raise InputError(f"the figure {kind!r}", f"one of {', '.join(KINDS)}", closest(kind, KINDS))
    try:
        return importlib.import_module(f"superlaw.figures.{KINDS[kind]}").data(fit, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise InputError(f"{', '.join(options)} with the figure {kind}", "options of that figure") from None


def plot_law(fit: Fit, kind: str = "sizes", axes: Any = None, **options: Any) -> Any:
    """Draw a figure of a fit on matplotlib axes, and give them back.

    Parameters
    ----------
    fit, kind, options
        As in :func:`superlaw.law_picture`.
    axes : Axes or sequence of Axes, optional
        One for each panel, or a single one for the first; a new figure is made without.

    Returns
    -------
    list of Axes
        Their ``figure`` can be saved or gone on with.

    Raises
    ------
    InputError
        Where there are fewer or more axes than panels.

    Examples
    --------
    >>> import numpy as np
    >>> from superlaw import fit_law
    >>> x = np.geomspace(10, 1e4, 12)
    >>> fit = fit_law({"m": x, "loss": 5 / x**0.5 + 1 + 0.01 * np.cos(x)}, "power:m")
    >>> [axis.get_xlabel() for axis in plot_law(fit, "residuals")]
    ['m', 'fitted loss']
    """
    return paint.on_axes(law_picture(fit, kind, **options), axes)
