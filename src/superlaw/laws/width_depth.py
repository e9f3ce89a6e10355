"""The fitted law of width and depth that the shape lab uses: a stored fit, or the published table's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.law import Points
from superlaw.laws.published import published_table
from superlaw.laws.result import Fit

TABLE = "chinchilla-width-depth"
DROP_HIGHEST = 40  # the selection of [Depth]: 203 of 245 points
PARTS = {"width": ("width", "d_model"), "depth": ("depth", "n_layers"), "tokens": ("tokens", "num_tokens")}


@dataclass(frozen=True)
class WidthDepthLaw:
    """An additive law with a width and a depth term, and which columns these are.

    ``tokens`` is None in a law without tokens. Other terms (steps, batch) are left out of every loss, as if
    those sizes were unlimited.
    """

    fit: Fit
    width: str
    depth: str
    tokens: str | None
    source: str

    @property
    def left_out(self) -> tuple[str, ...]:
        """Terms that are no part of a shape."""
        return tuple(c for c in self.fit.law.sizes if c not in (self.width, self.depth, self.tokens))

    def losses(self, width: Any, depth: Any, tokens: float | None, values: np.ndarray | None = None) -> np.ndarray:
        """c_m/m^a_m + c_l/l^a_l + c_D/D^a_D + L_0, shape (B, n), for parameters (B, p) [the fit's own].

        Without ``tokens`` the term of the tokens is 0: unlimited data.
        """
        given = {self.width: width, self.depth: depth, self.tokens: np.inf if tokens is None else tokens}
        sizes = np.broadcast_arrays(*(np.atleast_1d(given.get(c, np.inf)) for c in self.fit.law.sizes))
        return self.fit.loss_at(Points(np.array(sizes, dtype=float), np.zeros(len(sizes[0]), int)), values)

    def aspect_ratios(self) -> tuple[float, float] | None:
        """Lowest and highest width / depth of the points; None for a fit read back, which has none."""
        if self.fit.data is None:
            return None
        sizes = dict(zip(self.fit.law.sizes, self.fit.data.points.sizes, strict=True))
        ratio = sizes[self.width] / sizes[self.depth]
        return float(ratio.min()), float(ratio.max())

    def extrapolations(self, sizes: Mapping[str, tuple[int, int]]) -> list[str]:
        """What of named (width, depth) lies outside the fitted points, in words."""
        said, ratios = [], self.aspect_ratios()
        for name, (m, l) in sizes.items():
            for what, column, value in (("width", self.width, m), ("depth", self.depth, l)):
                low, high = self.fit.ranges[column]
                if not low <= value <= high:
                    said.append(f"{name}: {what} {value:,} is outside the fitted points ({low:,.0f} to {high:,.0f})")
            if ratios and not ratios[0] <= m / l <= ratios[1]:
                said.append(f"{name}: aspect ratio {m / l:.3g} is outside those of the fitted points "
                            f"({ratios[0]:.3g} to {ratios[1]:.3g})")  # fmt: skip
        return said


def width_depth_law(fit: Fit | None = None, columns: tuple[str, ...] | None = None, interval: str = "bootstrap",
                    source: str = "") -> WidthDepthLaw:  # fmt: skip
    """The law of a fit, or without one of the published table.

    Parameters
    ----------
    fit : Fit, optional
        Of an additive law. By default Chinchilla's runs with width and depth are fitted, as
        [Depth] selects them; points of one architecture are drawn together.
    columns : tuple of str, optional
        Width, depth and tokens in the fit's words; by default found by name.
    interval : str
        Of the fit to the published table: "none" where only its values are needed.
    source : str
        Where a given fit comes from, in words.

    Raises
    ------
    InputError
        For a law without a width or depth term of its own, or where the table cannot be had.
    """
    if fit is None:
        fit = published_fit(interval)
        source = f"fitted to {TABLE}, {fit.n} of its points"
    law = fit.law
    alone = [term.columns[0] for term in law.power_terms if len(term.columns) == 1]
    found = dict(zip(PARTS, columns, strict=False)) if columns else {}
    for part, names in PARTS.items():
        if part not in found and not columns:
            found[part] = next((name for name in names if name in law.sizes), None)
    for part in ("width", "depth", "tokens"):
        name = found.get(part)
        needed = part != "tokens" or name is not None
        if needed and (name is None or name not in alone):
            got = f"a law of {', '.join(alone) or law.name}, without a term {name or ' or '.join(PARTS[part])}"
            need = f"an additive law with one term that is the {part}"
            raise InputError(got, need, "name the columns: --columns WIDTH,DEPTH[,TOKENS]")
    return WidthDepthLaw(fit, found["width"], found["depth"], found.get("tokens"), source or "the fit given")


def published_fit(interval: str = "bootstrap") -> Fit:
    """Width, depth and tokens fitted to Chinchilla's runs [Depth]."""
    try:
        table = published_table(TABLE)
    except DamagedFileError:
        raise
    except InputError as error:
        raise InputError(
            f"no fit, and the published table {TABLE} cannot be had ({error.got})", "one of the two",
            f"superlaw data fetch {TABLE}, or pass --fit (superlaw law fit TABLE -o fit.json)",
        ) from None  # fmt: skip
    table["architecture"] = table["d_model"].astype(int).astype(str) + "x" + table["n_layers"].astype(int).astype(str)
    law = AdditiveLaw(("d_model", "n_layers", "num_tokens"))
    cluster = "architecture" if interval != "none" else None
    return fit_law(table, law, "loss", drop_highest=DROP_HIGHEST, interval=interval, cluster=cluster)
