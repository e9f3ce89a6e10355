"""What all figures share: colours that colour-blind readers can tell apart, and the axis of widths."""

from __future__ import annotations

from typing import Any

import numpy as np

# Okabe and Ito's palette.
WEAK, STRONG, THEORY = "#0072B2", "#D55E00", "#555555"


def pyplot() -> Any:
    """matplotlib.pyplot without a display."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def width_axis(axes: Any, widths: np.ndarray) -> None:
    """Log-log axes with the trained widths as ticks."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(widths, [str(m) for m in widths])
    axes.minorticks_off() if len(widths) > 1 else None
    axes.yaxis.set_minor_locator(_minor_locator())
    axes.set_xlabel("width m")
    axes.grid(alpha=0.2)


def _minor_locator() -> Any:
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=range(2, 10))
