"""What all figures share: colours that colour-blind readers can tell apart, sizes, and how they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

# Okabe and Ito's palette.
WEAK, STRONG, THEORY = "#0072B2", "#D55E00", "#555555"
ROLES = {"weak": WEAK, "strong": STRONG, "theory": THEORY}
FAMILIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# How the study writes its symbols.
PHI_HALF, PHI_ONE, ALPHA_M = r"$\phi_{1/2}$", r"$\phi_1$", r"$\alpha_m$"
EVEN, DIVERGING = "viridis", "RdBu_r"  # colour maps
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
    return mpl.colormaps[EVEN](0.88 * places)


def map_colors(places: np.ndarray, diverging: bool = False) -> tuple[list[str], list[str]]:
    """The colours of a map's cells, and of what is written in them, for places from 0 to 1; shape (n,).

    Examples
    --------
    >>> map_colors(np.array([0.0, 1.0]))
    (['#440154', '#fde725'], ['white', 'black'])
    """
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    cells = mpl.colormaps[DIVERGING if diverging else EVEN](np.asarray(places, dtype=float))
    dark = cells[:, :3] @ (0.3, 0.59, 0.11) < 0.5
    return [to_hex(cell) for cell in cells], ["white" if one else "black" for one in dark]


def named(color: str) -> str:
    """The colour of a role ("weak", "strong", "theory") or of a category ("C0", "C1"...).

    Examples
    --------
    >>> named("weak") == named("C0") == "#0072B2"
    True
    """
    return FAMILIES[int(color[1:]) % len(FAMILIES)] if color[0] == "C" else ROLES[color]


def short(value: Any) -> str:
    """A value as a tick says it.

    Examples
    --------
    >>> short(0.12345), short(10), short("linear")
    ('0.1235', '10', 'linear')
    """
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
