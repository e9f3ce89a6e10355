"""Tables of runs made by hand: losses and measures with known laws."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pandas as pd

from superlaw.geometry.frames import random_square_overlap, welch
from superlaw.sweeps.table import NORM_EDGES, rank_edges
from superlaw.toy.spec import DEFAULTS, RunSpec

N = 1000
WIDTHS = (10, 20, 40, 100)


def made(
    frequencies=("power",),
    data_exponent=(1.0,),
    weight_decay=(-1.0, 1.0),
    width=WIDTHS,
    activation_density=(1.0,),
    seed=(0,),
    exponent=lambda row: 1.0 if row["weight_decay"] < 0 else 0.1,
    **fields,
) -> pd.DataFrame:
    """Runs with loss 5 m^-exponent / 10 E, all rows represented where gamma < 0, m rows where it is not."""
    rows = []
    grid = itertools.product(frequencies, data_exponent, weight_decay, width, activation_density, seed)
    for family, alpha, gamma, m, density, s in grid:
        row = DEFAULTS | {"n_features": N, "bias_learning_rate": 0.01, **fields} | {
            "frequencies": family, "data_exponent": alpha, "weight_decay": gamma, "width": m,
            "activation_density": density, "seed": s, "density": density,
        }  # fmt: skip
        strong, long_rows = gamma < 0, min(N, m * m // 2) if gamma < 0 else 0
        represented = N if strong else m
        counts = np.zeros(len(NORM_EDGES) - 1)
        counts[0], counts[30], counts[44] = N - represented, represented - long_rows, long_rows
        ranks = rank_edges(N)
        row |= {
            "id": hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:16],
            "status": "ok",
            "loss": density * 5 * m ** -exponent(row) / 10,
            "loss_std": 0.001,
            "represented": represented,
            "represented_fraction": represented / N,
            "strong": long_rows,
            "strong_fraction": long_rows / N,
            "mean_square_overlap": 1 / m,
            "square_overlap_variance": random_square_overlap(m)[1],
            "random_square_overlap_variance": random_square_overlap(m)[1],
            "welch": welch(N, m),
            "strong_mean_square_overlap": welch(long_rows, m) if long_rows > 1 else np.nan,
            "strong_square_overlap_variance": 0.0,
            "strong_welch": welch(long_rows, m) if long_rows > 1 else np.nan,
            "unlearned_loss": 0.0 if strong else density * 5 * m ** -exponent(row) / 10,
            "norm_counts": counts,
            "norm_by_rank": np.ones(len(ranks) - 1),
            "strong_by_rank": (ranks[:-1] <= long_rows).astype(float),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def items(picture, panel: int, kind: str) -> list:
    """The items of one kind in one panel."""
    return [item for item in picture.panels[panel].items if type(item).__name__ == kind]


def spec_ids(table: pd.DataFrame) -> set[str]:
    """Ids of the runs as RunSpec makes them."""
    names = [name for name in DEFAULTS if name in table]
    return {RunSpec(**{name: row[name] for name in names}).id for _, row in table.iterrows()}
