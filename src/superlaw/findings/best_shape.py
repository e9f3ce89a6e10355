"""The width and depth of lowest loss at a budget of parameters, by a fitted additive law."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from superlaw.errors import InputError
from superlaw.files.numbers import in_short
from superlaw.files.records import json_ready
from superlaw.findings.width_depth import WidthDepthLaw, width_depth_law
from superlaw.laws.optimum import DRAWS, Optimum, Triple, optimum
from superlaw.laws.result import Fit
from superlaw.theory.shape import LARGEST, Shape

MULTIPLE = 64  # widths are multiples of it: heads of 64 and fast matrix products
STEPS_OF_WIDTH = tuple(2.0 ** (k / 2) for k in range(-3, 4))  # nearby shapes: 0.35 to 2.8 times the best width
MOST_DEPTHS = 20_000  # tried; beyond, on a logarithmic grid
MOST_PARAMS = 1e18
REACH = 8.0  # depths tried, as a factor of the best one


@dataclass(frozen=True)
class NearbyShape:
    """A shape within the budget, its loss, and how far that is above the best one's, with an interval."""

    width: int
    depth: int
    params: int
    loss: float
    excess: Triple


@dataclass(frozen=True, eq=False)
class BestShape:
    """The optimum of a law at a budget, the best whole shape, and others along the budget.

    ``width`` and ``depth`` are the optimum of real numbers, each with the fit's interval; ``best`` has a width
    that is a multiple of ``multiple``, a whole depth, and no more parameters than the budget.
    """

    law: WidthDepthLaw
    params: float
    tokens: float | None
    width: Triple
    depth: Triple
    loss: Triple
    exponents: dict[str, Triple]
    best: NearbyShape
    nearby: tuple[NearbyShape, ...]
    multiple: int
    level: float
    drawn_from: str
    warnings: tuple[str, ...]
    values: np.ndarray  # parameters of the law drawn from their uncertainty, (B, p)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is infinite is null."""
        clean = lambda t: json_ready(t.to_dict())  # noqa: E731
        row = lambda s: {**asdict(s), "excess": clean(s.excess)}  # noqa: E731
        return {
            "params": self.params, "tokens": self.tokens, "width": clean(self.width), "depth": clean(self.depth),
            "loss": clean(self.loss), "exponents": {name: clean(t) for name, t in self.exponents.items()},
            "best": row(self.best), "nearby": [row(shape) for shape in self.nearby], "multiple": self.multiple,
            "level": self.level, "drawn_from": self.drawn_from, "law": self.law.source,
            "fit": {name: clean(Triple(e.value, e.low, e.high)) for name, e in self.law.fit.params.items()},
            "warnings": list(self.warnings),
        }  # fmt: skip


def best_shape(
    params: float,
    tokens: float | None = None,
    law: WidthDepthLaw | Fit | None = None,
    multiple: int = MULTIPLE,
    seed: int = 0,
) -> BestShape:
    """Width and depth that minimise c_m/m^a_m + c_l/l^a_l at 12 m^2 l = N.

    Parameters
    ----------
    params : float
        N, without embeddings.
    tokens : float, optional
        D: adds its term to the losses and moves no optimum.
    law : WidthDepthLaw or Fit, optional
        By default fitted to the published table.
    multiple : int
        Whole shapes have a width that is a multiple of it.
    seed : int
        Of the draws from the fit's uncertainty.

    Raises
    ------
    InputError
        For a budget below one layer of the smallest width.
    """
    check_budget(params, tokens, multiple)
    law = law if isinstance(law, WidthDepthLaw) else width_depth_law(law)
    if tokens is not None and law.tokens is None:
        raise InputError(f"tokens = {tokens:g} for a law without tokens", "a law that has them", "leave --tokens out")
    found = optimum(law.fit, params=params, width=law.width, depth=law.depth, tokens=law.tokens or "tokens", seed=seed)
    values, _ = law.fit.draws(DRAWS, seed)
    width, depth = found.sizes[law.width], found.sizes[law.depth]
    chosen = _best_whole(law, params, tokens, depth.value, multiple)
    return BestShape(
        law=law, params=params, tokens=tokens, width=width, depth=depth,
        loss=_interval(law.losses(width.value, depth.value, tokens),
                       law.losses(width.value, depth.value, tokens, values), found.level),
        exponents={"width": found.exponents[law.width], "depth": found.exponents[law.depth]},
        best=_nearby(law, chosen, chosen, tokens, values, found.level),
        nearby=tuple(_nearby(law, shape, chosen, tokens, values, found.level)
                     for shape in _along(params, chosen, multiple)),
        multiple=multiple, level=found.level, drawn_from=found.drawn_from,
        warnings=tuple(_warnings(law, found, params, tokens, chosen)), values=values,
    )  # fmt: skip


def check_budget(params: float, tokens: float | None, multiple: int) -> None:
    """Raise InputError for a budget that no shape fits, before a law is fitted."""
    if not 1 <= multiple <= LARGEST:
        raise InputError(f"multiple = {multiple}", "a whole number of 1 or more")
    smallest = 12 * multiple**2
    if not math.isfinite(params) or params < smallest:
        raise InputError(f"params = {params:g}", f"at least {smallest:,}: one layer of width {multiple}, 12 m^2 l",
                         "raise --params or lower --multiple")  # fmt: skip
    if params > MOST_PARAMS:
        raise InputError(f"params = {params:g}", f"at most {MOST_PARAMS:g}")
    if tokens is not None and not 1 <= tokens < math.inf:
        raise InputError(f"tokens = {tokens}", "a number of 1 or more")


def _best_whole(law: WidthDepthLaw, params: float, tokens: float | None, depth: float, multiple: int) -> Shape:
    """The shape of lowest loss within the budget: for every depth the widest multiple that fits.

    Both terms fall, so that no other width can be better at a depth.
    """
    most = min(LARGEST, int(params // (12 * multiple**2)))
    low, high = max(1, int(min(depth / REACH, most))), max(1, min(most, math.ceil(depth * REACH)))
    depths = np.arange(low, high + 1) if high - low < MOST_DEPTHS else np.unique(
        np.geomspace(low, high, MOST_DEPTHS).round().astype(np.int64))  # fmt: skip
    widths = np.array([_widest(params, int(l), multiple) for l in depths])
    losses = law.losses(widths, depths, tokens)[0]
    pick = int(np.argmin(losses))
    return Shape(int(widths[pick]), int(depths[pick]))


def _widest(params: float, depth: int, multiple: int) -> int:
    count = int(math.sqrt(params / (12 * depth)) / multiple)
    while 12 * ((count + 1) * multiple) ** 2 * depth <= params:  # what rounding of the root left over
        count += 1
    while 12 * (count * multiple) ** 2 * depth > params:
        count -= 1
    return count * multiple


def _along(params: float, best: Shape, multiple: int) -> list[Shape]:
    """Shapes along the budget, narrow to wide, with the best one among them."""
    widths = {max(multiple, round(best.width * step / multiple) * multiple) for step in STEPS_OF_WIDTH}
    depths = {width: int(params // (12 * width**2)) for width in widths | {best.width}}
    depths[best.width] = best.depth
    return [Shape(width, depth) for width, depth in sorted(depths.items()) if 1 <= depth <= LARGEST]


def _nearby(law: WidthDepthLaw, shape: Shape, best: Shape, tokens: float | None, values: np.ndarray,
            level: float) -> NearbyShape:  # fmt: skip
    def excess(v: np.ndarray | None) -> np.ndarray:
        at = lambda s: law.losses(s.width, s.depth, tokens, v)  # noqa: E731
        return at(shape) - at(best)

    loss = float(law.losses(shape.width, shape.depth, tokens)[0, 0])
    return NearbyShape(shape.width, shape.depth, shape.params, loss, _interval(excess(None), excess(values), level))


def _interval(value: np.ndarray, drawn: np.ndarray, level: float) -> Triple:
    low, high = np.quantile(drawn[:, 0], [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Triple(float(value[0, 0]), float(low), float(high))


def _warnings(law: WidthDepthLaw, found: Optimum, params: float, tokens: float | None, best: Shape) -> list[str]:
    fit = law.fit
    # The optimum's own words on tokens hold for its loss, not for the losses here.
    said = [w for w in found.warnings if not w.startswith("the loss leaves out the term of")]
    if found.sizes[law.depth][0] < 1:
        said.append(f"the law's best depth is {found.sizes[law.depth][0]:.2g}, less than a layer: no such model is")
    shapes, ratios = law.fitted_shapes(), law.aspect_ratios()
    if shapes is not None and ratios is not None:
        said.append(f"the fitted points have width / depth from {ratios[0]:.3g} to {ratios[1]:.3g}: what lies beyond "
                    "is told by the law's form, not by runs")  # fmt: skip
        seen = 12 * shapes[0] ** 2 * shapes[1]
        if not seen.min() <= params <= seen.max():
            said.append(
                f"{in_short(params)} parameters are outside the fitted points ({in_short(seen.min())} to "
                f"{in_short(seen.max())})"
            )
    if law.tokens and tokens is not None and not fit.ranges[law.tokens][0] <= tokens <= fit.ranges[law.tokens][1]:
        low, high = fit.ranges[law.tokens]
        said.append(f"{in_short(tokens)} tokens are outside the fitted points ({in_short(low)} to {in_short(high)})")
    if law.left_out:
        said.append(f"the losses leave out the term of {', '.join(law.left_out)}")
    if best.params < 0.9 * params:
        said.append(f"the best whole shape uses {best.params / params:.0%} of the budget")
    return said
