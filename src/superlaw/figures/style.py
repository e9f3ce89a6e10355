"""What all figures share: colours that colour-blind readers can tell apart, sizes, and how they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

# Okabe and Ito's palette.
WEAK, STRONG, THEORY = "#0072B2", "#D55E00", "#555555"
FAMILIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# How the study writes its symbols.
PHI_HALF, PHI_ONE, ALPHA_M = r"$\phi_{1/2}$", r"$\phi_1$", r"$\alpha_m$"
PLAIN = {PHI_HALF: "phi_1/2", PHI_ONE: "phi_1", ALPHA_M: "alpha_m"}
KINDS = ("png", "pdf", "svg")
PANEL = (3.35, 2.75)  # inches: a column of a two-column page
SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 2,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # text that can be searched and edited
    "svg.hashsalt": "superlaw",  # the same picture has the same bytes
}


def plain(text: str) -> str:
    """A text with its symbols as a terminal can show them."""
    for symbol, name in PLAIN.items():
        text = text.replace(symbol, name)
    return text


@contextmanager
def settings() -> Iterator[None]:
    """Our sizes while a figure is drawn; the caller's own settings come back after it."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        yield


def new_figure(size: tuple[float, float]) -> Any:
    """An empty matplotlib figure that belongs to no window and no notebook."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def render(figure: Any, kind: str = "png") -> bytes:
    """The figure's bytes, as PNG, PDF or SVG, without the date of its making."""
    out = io.BytesIO()
    dates = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    figure.savefig(out, format=kind, metadata=dates[kind])
    return out.getvalue()


def shades(values: Sequence[float] | np.ndarray | int) -> Any:
    """A colour for each value in [0, 1], or for each of that many, dark to light; never near white."""
    import matplotlib as mpl

    places = np.linspace(0, 1, values) if isinstance(values, int) else np.asarray(values, dtype=float)
    return mpl.colormaps["viridis"](0.88 * places)


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
