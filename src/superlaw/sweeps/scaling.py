"""Exponents of tables of runs: which widths are in the scaling range, what the runs represent, the line.

The rule, the same for every figure and stated on it: a run is in the scaling range when

- it ended well and does better than answering 0 to everything (loss below 4/3 E), and
- its width is at most n / 10: beyond, Welch's (n - m)/(m (n - 1)) is more than 10 % below 1/m, and the
  tail of a finite list of features ends.

Seeds are replicates: their log losses are averaged before the line is fitted, so that its error counts
widths, not runs; where there are several seeds their scatter also tests whether the line is straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from superlaw.laws.slope import fit_slope
from superlaw.theory.strong import strong_exponent
from superlaw.theory.weak import weak_exponent

if TYPE_CHECKING:
    import pandas as pd

FEATURES_A_WIDTH = 10  # the scaling range is m <= n / 10
STRONG_FROM = 0.9  # represented fraction from which superposition is called strong
WEAK_UP_TO = 1.5  # represented features a dimension up to which it is called weak
LEAST_WIDTHS = 3  # a line through two points has no error
LEVEL = 0.95
CURVED = 0.01  # chance, under a straight line, below which the line is called curved
RULE = f"Scaling range of exponents: m ≤ n/{FEATURES_A_WIDTH} and loss below 4/3 E"


@dataclass(frozen=True)
class Exponent:
    """The model exponent of runs that differ in width and seed alone.

    ``stderr`` and the interval (95 %, t) come from the scatter of the widths' mean log losses about the line.
    ``lack_of_fit`` is the chance, were the line straight, of residuals as large as these against the scatter of
    seeds (F test; NaN with one seed). ``left_out`` counts runs that are missing, diverged, untrained or beyond
    the scaling range, by reason.
    """

    exponent: float
    stderr: float
    low: float
    high: float
    r_squared: float
    coefficient: float
    widths: tuple[int, ...]
    seeds: int
    n: int
    lack_of_fit: float
    left_out: dict[str, int]

    @property
    def curved(self) -> bool:
        """Whether the runs say that this is a local slope, not a law."""
        return self.lack_of_fit < CURVED

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.stderr:.2f}"


def outside(table: pd.DataFrame) -> np.ndarray:
    """Why each run is not in the scaling range, shape (runs,); "" where it is."""
    reason = np.full(len(table), "", dtype=object)
    reason[table["width"].to_numpy() > table["n_features"].to_numpy() / FEATURES_A_WIDTH] = "beyond n/10"
    reason[table["loss"].to_numpy(dtype=float) >= 4 / 3 * table["density"].to_numpy()] = "untrained"
    ended = table["status"].to_numpy() == "ok"
    reason[~ended] = table["status"].to_numpy()[~ended]
    return reason


def exponent(table: pd.DataFrame) -> Exponent | None:
    """The model exponent of runs that differ in width and seed alone; None with fewer than three widths in range.

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({"width": [10, 20, 40, 200], "loss": [0.4, 0.2, 0.1, 0.01], "seed": 0,
    ...                      "n_features": 1000, "density": 1.0, "status": "ok"})
    >>> found = exponent(runs)
    >>> round(found.exponent, 12), found.widths, found.left_out
    (1.0, (10, 20, 40), {'beyond n/10': 1})
    """
    reason = outside(table)
    good = table[reason == ""]
    left = {why: int(count) for why, count in zip(*np.unique(reason[reason != ""], return_counts=True), strict=True)}
    log_loss = np.log(good["loss"].to_numpy(dtype=float))
    widths, place = np.unique(good["width"].to_numpy(dtype=int), return_inverse=True)
    if len(widths) < LEAST_WIDTHS:
        return None
    replicates = np.bincount(place)
    means = np.bincount(place, log_loss) / replicates
    line = fit_slope(widths, np.exp(means))
    half = stats.t.ppf(0.5 + LEVEL / 2, len(widths) - 2) * line.stderr
    return Exponent(
        line.exponent, line.stderr, line.exponent - half, line.exponent + half, line.r_squared, line.coefficient,
        tuple(int(m) for m in widths), int(good["seed"].nunique()), len(good),
        _lack_of_fit(widths, log_loss, means, replicates, place), left,
    )  # fmt: skip


def _lack_of_fit(
    widths: np.ndarray, log_loss: np.ndarray, means: np.ndarray, replicates: np.ndarray, place: np.ndarray
) -> float:
    """P(F) of the classical test: residuals of the means against the scatter of replicates."""
    within = float(np.sum((log_loss - means[place]) ** 2))
    free, more = len(log_loss) - len(widths), len(widths) - 2
    if free < 1 or within == 0:
        return float("nan")
    line = np.polyfit(np.log(widths), means, 1, w=np.sqrt(replicates))
    between = float(np.sum(replicates * (means - np.polyval(line, np.log(widths))) ** 2))
    return float(stats.f.sf((between / more) / (within / free), more, free))


def regime(table: pd.DataFrame) -> str:
    """strong, weak, between or none, by what the runs themselves represent.

    strong: at least 90 % of features represented, on average. weak: at most 1.5 represented features a
    dimension. none: widths of n or more, where nothing needs superposition. unknown: no runs.
    """
    good = table[table["status"] == "ok"]
    if not len(good):
        return "unknown"
    if (good["width"] >= good["n_features"]).any():
        return "none"
    if good["represented_fraction"].mean() >= STRONG_FROM:
        return "strong"
    return "weak" if (good["represented"] / good["width"]).mean() <= WEAK_UP_TO else "between"


def predicted(regime: str, frequencies: str, data_exponent: float) -> float:
    """Theory's exponent in a regime, NaN where it has none."""
    power = frequencies == "power"
    if regime == "strong":
        return strong_exponent(data_exponent) if power else 1.0
    found = weak_exponent(data_exponent) if regime == "weak" and power else None
    return float("nan") if found is None else found


def exponents(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The exponent, regime and theory of every cell of the columns ``by``; cells without an exponent are NaN.

    Columns: ``by``, the fields of :class:`Exponent` (``left_out`` as a number), ``represented_fraction``,
    ``regime``, ``theory``.
    """
    import pandas as pd

    rows = []
    for key, cell in table.groupby(list(by), sort=True):
        found = exponent(cell)
        shown: dict[str, Any] = dict(zip(by, key, strict=True))
        if found is None:
            names = ("exponent", "stderr", "low", "high", "r_squared", "coefficient", "lack_of_fit")
            shown |= dict.fromkeys(names, np.nan) | {"widths": (), "seeds": 0, "n": 0, "left_out": len(cell)}
        else:
            shown |= asdict(found) | {"left_out": sum(found.left_out.values())}
        kind, first = regime(cell), cell.iloc[0]
        good = cell[cell["status"] == "ok"]
        shown |= {
            "represented_fraction": good["represented_fraction"].mean() if len(good) else np.nan,
            "regime": kind,
            "theory": predicted(kind, first["frequencies"], first["data_exponent"]),
        }
        rows.append(shown)
    return pd.DataFrame(rows)
