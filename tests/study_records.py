"""A hand-made language-model study: two families, two corpora, losses that obey the joint law exactly but for noise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.figures.panels import to_dict
from superlaw.geometry.frames import random_mean_abs_overlap, welch
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.result import Fit

FAMILIES = {"ant": (64, 128, 256, 512), "bee": (96, 192, 384)}
OFFSETS = {("ant", "wiki"): 2.0, ("ant", "play"): 3.0, ("bee", "wiki"): 2.5, ("bee", "play"): 3.5}
TOKENS = 1000


def made_head(m: int, n: int = 5000, stderr: float = 0.0) -> dict[str, Any]:
    """The record of a head with random directions and norms 1, 2 and 3."""
    return {
        "name": f"m{m}", "m": m, "n": n, "mean_square_overlap": 1 / m, "welch": welch(n, m), "verdict": "",
        "mean_abs_overlap": random_mean_abs_overlap(m), "mean_abs_overlap_stderr": stderr,
        "sampled_pairs": 400 if stderr else None,
        "norms": {"mean": 2.0, "std": 0.5, "min": 1.0, "max": 3.0, "histogram": [1, 2, 1],
                  "edges": [0.9, 1.7, 2.3, 3.1]},
    }  # fmt: skip


def made_tokens(exponent: float = 1.0, distinct: int = 50) -> dict[str, Any]:
    """The token record of one corpus: counts falling as a power of rank."""
    counts = np.maximum(1, np.round(TOKENS * np.arange(1, distinct + 1.0) ** -exponent)).astype(int)
    estimate = {"exponent": exponent, "stderr": 0.01}
    return {"tokens": int(counts.sum()), "distinct": distinct, "whole_corpus": True, "likelihood": estimate,
            "split_half": estimate, "regression": None,
            "counts": {str(i): int(count) for i, count in enumerate(counts[::-1])}}  # fmt: skip


def made_rows(noise: float = 0.0) -> list[dict[str, Any]]:
    """The table of a study: L = 10 / m + offset, of error 0.01."""
    random = np.random.default_rng(0)
    return [
        {"model": f"{family}-{m}", "family": family, "width": m, "depth": 2, "corpus": corpus, "head_width": m,
         "loss": 10 / m + OFFSETS[family, corpus] + noise * random.normal(), "stderr": 0.01}
        for family, widths in FAMILIES.items() for m in widths for corpus in ("wiki", "play")
    ]  # fmt: skip


def made_heads() -> dict[str, dict[str, Any]]:
    """A head for every model."""
    return {f"{family}-{m}": made_head(m) for family, widths in FAMILIES.items() for m in widths}


def joint_fit(rows: list[dict[str, Any]]) -> Fit:
    """As a study makes it."""
    table = {key: [row[key] for row in rows] for key in ("width", "family", "corpus", "loss")}
    return fit_law(table, GroupedPowerLaw("width", ("family", "corpus")), objective="ls")


def write_study(folder: Path, old: bool = False) -> Path:
    """The folder of a study; ``old`` leaves out which model has which token file."""
    for part in ("heads", "tokens"):
        (folder / part).mkdir(parents=True)
    rows = made_rows(1e-3)
    for name, head in made_heads().items():
        (folder / "heads" / f"{name}.json").write_text(json.dumps({"source": f"models/{name}", "head": head}))
    for family in FAMILIES:
        record = {"tokenizer": f"models/{family}", "corpora": {c: made_tokens() for c in ("wiki", "play")}}
        (folder / "tokens" / f"{family}.json").write_text(json.dumps(record))
    files = {row["model"]: f"{row['family']}.json" for row in rows}
    record = {"table": rows, "fit": joint_fit(rows).to_dict(), "no_fit": None, "failures": {}, "token_files": files}
    if old:
        del record["token_files"]
    (folder / "study.json").write_text(json.dumps(record))
    return folder


def check_rendering(draw: Callable[[Any, str], bytes], picture: Any) -> None:
    """Every format: its first bytes, some content, and the same bytes again."""
    for kind, begins in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")):
        content = draw(picture, kind)
        assert content.startswith(begins) and len(content) > 8_000, kind
    assert draw(picture, "svg") == content
    json.dumps(to_dict(picture), allow_nan=False)
