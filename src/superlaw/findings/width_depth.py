"""Width and depth: the law fitted to Chinchilla's runs, or any additive fit, and how parameters grow with width.

The published protocol is that of [Depth]: L = c_m / m^a_m + c_l / l^a_l + c_D / D^a_D + L_0 by least
squares of log L, without the losses at or above the 40th highest. Points of one architecture are not independent
(they share its width, its depth and what else it is): the bootstrap draws architectures, not points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.laws.estimate import Estimate
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.law import Points
from superlaw.laws.objective import Objective
from superlaw.laws.published import load_published
from superlaw.laws.result import Fit
from superlaw.laws.slope import fit_slope

if TYPE_CHECKING:
    import pandas as pd

TABLE = "chinchilla-width-depth"  # of laws.published
SIZES = {"d_model": "width m", "n_layers": "depth l (layers)", "num_tokens": "tokens D"}
DROP_HIGHEST = 40  # [Depth]: 203 of 245 points
DROP_OF_PARAMS = 5  # [Epoch]
REPLICATES = 400
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

    def fitted_shapes(self) -> np.ndarray | None:
        """Width and depth of the points, shape (2, n); None for a fit read back, which has none."""
        if self.fit.data is None:
            return None
        sizes = dict(zip(self.fit.law.sizes, self.fit.data.points.sizes, strict=True))
        return np.stack([sizes[self.width], sizes[self.depth]])

    def aspect_ratios(self) -> tuple[float, float] | None:
        """Lowest and highest width / depth of the points; None for a fit read back."""
        shapes = self.fitted_shapes()
        if shapes is None:
            return None
        ratio = shapes[0] / shapes[1]
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
        fit = width_depth_fit(interval=interval)
        source = f"fitted to {TABLE}, {fit.n} of its points"
    law = fit.law
    alone = [term.columns[0] for term in law.power_terms if len(term.columns) == 1]
    known = {part: name for part, names in PARTS.items() for name in reversed(names) if name in law.sizes}
    found = dict(zip(PARTS, columns, strict=False)) if columns else known
    for part in ("width", "depth", "tokens"):
        name = found.get(part)
        needed = part != "tokens" or name is not None
        if needed and (name is None or name not in alone):
            got = f"a law of {', '.join(alone) or law.name}, without a term {name or ' or '.join(PARTS[part])}"
            need = f"an additive law with one term that is the {part}"
            raise InputError(got, need, "name the columns: --columns WIDTH,DEPTH[,TOKENS]")
    return WidthDepthLaw(fit, found["width"], found["depth"], found.get("tokens"), source or "the fit given")


def width_depth_fit(table: pd.DataFrame | None = None, interval: str = "bootstrap") -> Fit:
    """The additive law in width, depth and tokens: exponents ``a_d_model``, ``a_n_layers``, ``a_num_tokens``.

    Published [Depth]: 0.98 ± 0.08, 1.2 ± 0.3, 0.299 ± 0.014, and L_0 = 1.75.

    Parameters
    ----------
    table : DataFrame, optional
        The published one, when left out.
    interval : str
        "none" where only the values are needed; by default a bootstrap of architectures.

    Raises
    ------
    InputError
        Where the table cannot be had, or lacks a column.
    """
    table = _published() if table is None else table
    _check(table)
    cluster = None if interval == "none" else "architecture"
    return fit_law(_with_architectures(table), AdditiveLaw(tuple(SIZES)), "loss",
                   drop_highest=DROP_HIGHEST, interval=interval, cluster=cluster)  # fmt: skip


@dataclass(frozen=True)
class WidthOfParams:
    """N ~ m^``slope``: over architectures; alpha_N of loss against N; and what follows, alpha_m = slope alpha_N."""

    slope: Estimate
    coefficient: float
    widths: np.ndarray
    params: np.ndarray
    alpha_n: Estimate
    alpha_m: Estimate


def width_of_params(table: pd.DataFrame) -> WidthOfParams:
    """How parameters grow with width over the table's architectures, and the exponent of width that follows.

    Published [LLG]: N ~ m^(2.52 ± 0.03) over 50 architectures; with alpha_N = 0.35 ± 0.02, 0.88 ± 0.06. An
    architecture counts once; alpha_N is of the law in N and D, by Huber's loss without the 5 highest losses, its
    error by a bootstrap of architectures.
    """
    _check(table)
    shapes = table.groupby(["d_model", "n_layers"], as_index=False)["model_size"].mean()
    line = fit_slope(shapes["d_model"], shapes["model_size"])
    slope = Estimate(-line.exponent, line.stderr)
    alpha = fit_law(_with_architectures(table), Chinchilla("model_size", "num_tokens"),
                    objective=Objective("log-huber"), drop_highest=DROP_OF_PARAMS, interval="bootstrap",
                    replicates=REPLICATES, cluster="architecture")["alpha"]  # fmt: skip
    error = math.hypot(slope.stderr * alpha.value, alpha.stderr * slope.value)
    widths, params = (shapes[column].to_numpy(dtype=float) for column in ("d_model", "model_size"))
    return WidthOfParams(slope, line.coefficient, widths, params, alpha, Estimate(slope.value * alpha.value, error))


@dataclass(frozen=True, eq=False)
class ChinchillaTerms:
    """What Chinchilla's runs say of width: the additive law's fit to ``table``, and parameters against width."""

    table: pd.DataFrame
    fit: Fit
    grown: WidthOfParams

    @staticmethod
    def of(table: pd.DataFrame) -> ChinchillaTerms:
        """Both, of a table with the published one's columns."""
        return ChinchillaTerms(table, width_depth_fit(table), width_of_params(table))


def _with_architectures(table: pd.DataFrame) -> pd.DataFrame:
    m, l = (table[column].astype(int).astype(str) for column in ("d_model", "n_layers"))
    return table.assign(architecture=m + "x" + l)


def _published() -> pd.DataFrame:
    try:
        return load_published(TABLE)
    except DamagedFileError:
        raise
    except InputError as error:
        raise InputError(
            f"no fit, and the published table {TABLE} cannot be had ({error.got})", "one of the two",
            f"superlaw data fetch {TABLE}, or pass --fit (superlaw law fit TABLE -o fit.json)",
        ) from None  # fmt: skip


def _check(table: pd.DataFrame) -> None:
    lacking = [column for column in ("model_size", "loss", *SIZES) if column not in table]
    if lacking:
        raise InputError(f"a table without {', '.join(lacking)}", f"the published table {TABLE}",
                         f"superlaw data fetch {TABLE}")  # fmt: skip
