"""Exponents of runs: which widths are in the scaling range, and the line through them. There is no other exponent.

The rule, the same for every figure, table and command, and stated on each: a run is in the scaling range when

- it ended well and does better than a model that ignores its input: with squared error loss below <v^2> E, that of
  answering 0 to everything (4/3 E for the published values), with cross-entropy below log n, that of answering
  evenly, and
- its width is at most n / 10: beyond, Welch's (n - m)/(m (n - 1)) is more than 10 % below 1/m, and the
  tail of a finite list of features ends.

Seeds are replicates: their log losses are averaged before the line is fitted, so that its error counts
widths, not runs; where there are several seeds their scatter also tests whether the line is straight.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from superlaw.errors import InputError, nearest
from superlaw.files.numbers import with_error
from superlaw.findings.regimes import predicted, regime
from superlaw.laws.slope import Slope, fit_slope
from superlaw.sweeps.store import Store
from superlaw.sweeps.sweep import Sweep
from superlaw.sweeps.table import gather
from superlaw.theory.values import untrained_loss
from superlaw.toy.spec import DEFAULTS

if TYPE_CHECKING:
    import pandas as pd

    Source = pd.DataFrame | Sweep | Store | str | Path | Sequence[str | Path]

FEATURES_A_WIDTH = 10  # the scaling range is m <= n / 10
LEAST_WIDTHS = 3  # a line through two points has no error
LEVEL = 0.95
CURVED = 0.01  # chance, under a straight line, below which the line is called curved
RULE = f"Scaling range of exponents: m ≤ n/{FEATURES_A_WIDTH} and loss below ⟨v²⟩ E (cross-entropy: log n)"
FEW = f"fewer than {LEAST_WIDTHS} widths"
NEEDED = ("status", "width", "seed", "n_features", "density", "loss", "represented", "represented_fraction",
          "frequencies", "data_exponent")  # fmt: skip
NUMBERS = ("exponent", "stderr", "low", "high", "r_squared", "coefficient", "lack_of_fit")


@dataclass(frozen=True)
class Exponent:
    """The model exponent of runs that differ in width and seed alone.

    ``stderr`` and the interval (95 %, t) come from the scatter of the widths' mean log losses about the line.
    ``lack_of_fit`` is the chance, were the line straight, of residuals as large as these against the scatter of
    seeds (F test; NaN with one seed). ``runs`` are the ids of those on the line; ``left_out`` counts runs that are
    missing, diverged, untrained or beyond the scaling range, by reason.
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
    runs: tuple[str, ...] = ()

    @property
    def curved(self) -> bool:
        """Whether the runs say that this is a local slope, not a law."""
        return self.lack_of_fit < CURVED

    def __str__(self) -> str:
        return with_error(self.exponent, self.stderr)


def outside(table: pd.DataFrame) -> np.ndarray:
    """Why each run is not in the scaling range, shape (runs,); "" where it is."""
    reason = np.full(len(table), "", dtype=object)
    reason[table["width"].to_numpy() > table["n_features"].to_numpy() / FEATURES_A_WIDTH] = "beyond n/10"
    reason[table["loss"].to_numpy(dtype=float) >= untrained_losses(table)] = "untrained"
    ended = table["status"].to_numpy() == "ok"
    reason[~ended] = table["status"].to_numpy()[~ended]
    return reason


def untrained_losses(table: pd.DataFrame) -> np.ndarray:
    """The loss of ignoring the input, of each run, shape (runs,): RunSpec.untrained_loss.

    A table without ``values`` or ``loss_function`` is of runs with the defaults.

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({"values": ["uniform", "constant"], "density": [3.0, 3.0], "n_features": [1000, 1000]})
    >>> untrained_losses(runs)
    array([4., 3.])
    """

    def column(name: str) -> Any:
        return table[name] if name in table else [DEFAULTS[name]] * len(table)

    runs = zip(table["density"], table["n_features"], column("values"), column("loss_function"), strict=True)
    # a damaged run of unknown spec has no values
    return np.array([untrained_loss(*run) if isinstance(run[2], str) else np.nan for run in runs], dtype=float)


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
    widths, place, log_loss, means = _by_width(good)
    if len(widths) < LEAST_WIDTHS:
        return None
    line = fit_slope(widths, np.exp(means))
    half = _half_interval(line)
    return Exponent(
        line.exponent, line.stderr, line.exponent - half, line.exponent + half, line.r_squared, line.coefficient,
        tuple(int(m) for m in widths), int(good["seed"].nunique()), len(good),
        _lack_of_fit(widths, log_loss, means, np.bincount(place), place), _counts(reason),
        tuple(good["id"]) if "id" in good else (),
    )  # fmt: skip


def exponent_difference(less: pd.DataFrame, more: pd.DataFrame) -> tuple[float, float] | None:
    """The exponent of ``more`` less that of ``less``, and half its interval, from the ratio of losses by width.

    What bends both lines alike leaves the ratio: the error is that of the difference, not of two lines. None with fewer
    than three widths in the scaling range of both.

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({"width": [10, 20, 40], "loss": [0.4, 0.2, 0.11], "seed": 0, "n_features": 1000,
    ...                      "density": 1.0, "status": "ok"})
    >>> round(exponent_difference(runs, runs.assign(loss=runs["loss"] / runs["width"]))[0], 12)
    1.0
    """
    (one, *_, low), (other, *_, high) = (_by_width(table[outside(table) == ""]) for table in (less, more))
    widths, i, j = np.intersect1d(one, other, return_indices=True)
    if len(widths) < LEAST_WIDTHS:
        return None
    line = fit_slope(widths, np.exp(high[j] - low[i]))
    return line.exponent, _half_interval(line)


def _by_width(good: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Widths (k,), the place of each run among them (n,), its log loss (n,), and their mean at each width (k,)."""
    log_loss = np.log(good["loss"].to_numpy(dtype=float))
    widths, place = np.unique(good["width"].to_numpy(dtype=int), return_inverse=True)
    return widths, place, log_loss, np.bincount(place, log_loss) / np.bincount(place)


def _half_interval(line: Slope) -> float:
    return float(stats.t.ppf(0.5 + LEVEL / 2, line.n - 2) * line.stderr)


def _counts(reasons: np.ndarray) -> dict[str, int]:
    return dict(sorted(Counter(reasons[reasons != ""].tolist()).items()))


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


def exponents(source: Source, by: str | Sequence[str] | None = None) -> pd.DataFrame:
    """The exponent, regime and theory of every cell of runs that differ in width and seed alone.

    Parameters
    ----------
    source : run table, Sweep, Store, path or several paths
        Of a sweep, its planned runs, missing ones included; of a store or a CSV of runs, what it holds.
    by : str or sequence of str, optional
        Columns that tell cells apart. By default the plan's axes, or what varies in the table.

    Returns
    -------
    DataFrame
        ``by``; ``exponent``, ``stderr`` and the other fields of :class:`Exponent` (``left_out`` as a number, by
        reason in ``why``; NaN without an exponent); ``represented_fraction`` (mean), ``regime`` by what the runs
        represent, and ``theory``'s exponent there (NaN where theory has none).

    Raises
    ------
    InputError
        For what is no run table, a column that is not in it, and cells whose runs differ in more than width and seed.

    Examples
    --------
    >>> found = exponents("docs/runs/wide-medium.csv")  # doctest: +SKIP
    """
    import pandas as pd

    table = runs_of(source)
    if isinstance(source, Sweep) and by is None:
        by = [axis for axis in source.plan.axes if axis != "width"]
    keys = _protocol(table)
    spoken = table["n_features"].notna()  # a damaged run has no values: they are not values of a cell
    varying = [name for name, values in keys.items() if values[spoken].nunique(dropna=False) > 1]
    by = _columns(by, table, varying)
    placed = table[spoken]
    if len(placed) < len(table):
        warnings.warn(f"{len(table) - len(placed)} damaged runs of unknown spec are in no cell", stacklevel=2)
    rows, cells = [], [keys.get(name, table[name])[spoken] for name in by] or np.zeros(len(placed))
    for _, cell in placed.groupby(cells, sort=True, dropna=False):
        mixed = [name for name in varying if name not in by and keys[name][cell.index].nunique(dropna=False) > 1]
        if mixed:
            raise InputError(f"cells of {', '.join(by) or 'all runs'} whose runs differ in {', '.join(mixed)}",
                             "runs that differ in width and seed alone", f"add {mixed[0]} to by")  # fmt: skip
        rows.append({name: cell.iloc[0][name] for name in by} | _row(cell))
    return pd.DataFrame(rows)


def _protocol(table: pd.DataFrame) -> dict[str, pd.Series]:
    """What runs of one cell have in common, by field; a field that a run does not use is as good as left out."""
    keys = {name: as_read(table[name]) for name in DEFAULTS if name not in ("width", "seed") and name in table}
    if "bias_learning_rate" in keys:
        keys["bias_learning_rate"] = keys["bias_learning_rate"].fillna(keys["learning_rate"])
    if "group_size" in keys:
        used = keys["group_size"].where(table["correlation"] > 0)
        keys["group_size"] = used.fillna(used.max())  # where none is used, the one of the others: no difference
    return keys


def as_read(column: pd.Series) -> pd.Series:
    """Numbers to seven figures and NaN for what was left out, so that a table read from text and a store agree."""
    if column.dtype.kind == "f":
        return column.map(lambda value: float(f"{value:.7g}"))
    return column.where(column.notna(), np.nan) if column.dtype == object else column


def left_out_in_words(cells: pd.DataFrame) -> str:
    """Why runs of these cells are on no line, counted: "3 beyond n/10, 2 untrained"; "" where all are.

    Examples
    --------
    >>> import pandas as pd
    >>> left_out_in_words(pd.DataFrame({"why": [{"untrained": 1}, {"untrained": 1, "beyond n/10": 3}]}))
    '3 beyond n/10, 2 untrained'
    """
    total = sum((Counter(why) for why in cells["why"]), Counter())
    return ", ".join(f"{count} {reason}" for reason, count in sorted(total.items()))


def bent_in_words(lack_of_fit: float) -> str:
    """Whether a line is bent, by the scatter of seeds: yes or no; a dash where one seed does not tell.

    Examples
    --------
    >>> bent_in_words(0.001), bent_in_words(0.5), bent_in_words(float("nan"))
    ('yes', 'no', '-')
    """
    return "-" if lack_of_fit != lack_of_fit else "yes" if lack_of_fit < CURVED else "no"


def runs_of(source: Source) -> pd.DataFrame:
    """The run table of a source; InputError for what is none."""
    import pandas as pd

    if isinstance(source, Sweep):
        return source.table()
    if isinstance(source, pd.DataFrame):
        lacking = [name for name in NEEDED if name not in source]
        if lacking:
            raise InputError(f"a table without {', '.join(lacking)}", "a run table",
                             "superlaw.gather(...) or a Sweep's table() gives one")  # fmt: skip
        return source.reset_index(drop=True)
    if isinstance(source, str | Path | Store | list | tuple):
        return gather(source, profiles=False)
    raise InputError(f"runs as {type(source).__name__}", "a run table, a Sweep, a Store or a path")


def _columns(by: str | Sequence[str] | None, table: pd.DataFrame, varying: list[str]) -> list[str]:
    if by is None:
        return varying
    by = [by] if isinstance(by, str) else list(by)
    for name in by:
        if name not in table:
            raise InputError(f"by = {name!r}", "columns of the run table", nearest(str(name), table.columns))
        if name in ("width", "seed"):
            raise InputError(f"by = {name!r}", "columns other than width and seed, over which the line runs")
    return by


def _row(cell: pd.DataFrame) -> dict[str, Any]:
    found, kind, first = exponent(cell), regime(cell), cell.iloc[0]
    if found is None:
        reasons = outside(cell)
        why = _counts(np.where(reasons == "", FEW, reasons))
        shown = dict.fromkeys(NUMBERS, np.nan) | {"widths": (), "seeds": 0, "n": 0, "runs": ()}
    else:
        shown, why = asdict(found), found.left_out
    good = cell[cell["status"] == "ok"]
    return shown | {
        "left_out": sum(why.values()),
        "why": why,
        "represented_fraction": good["represented_fraction"].mean() if len(good) else np.nan,
        "regime": kind,
        "theory": predicted(kind, first["frequencies"], first["data_exponent"]),
    }
