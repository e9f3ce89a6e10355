"""What a language-model study keeps in its folder as JSON: what each record looks like, and the one reader of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superlaw.errors import InputError
from superlaw.files.records import read_json
from superlaw.files.shapes import COUNT, NUMBER, Number, misfit

SOME = Number(1, 2**53, whole=True)
OVERLAPS = ("mean_square_overlap", "mean_abs_overlap", "mean_abs_overlap_stderr", "welch")
ROW = {
    **dict.fromkeys(("model", "family", "corpus"), str),
    "width": SOME,
    "head_width": (None, SOME),
    "loss": (None, NUMBER),
    "stderr": (None, NUMBER),
}
STUDY = {
    "table": [ROW],
    "fit": (None, {}),
    "no_fit": (None, str),
    "token_files?": (None, {str: str}),
    "failures?": {str: str},
}
HEAD = {
    "source": str,
    "head": {
        "m": SOME,
        **dict.fromkeys(OVERLAPS, NUMBER),
        "sampled_pairs": (None, SOME),
        "norms": {**dict.fromkeys(("mean", "std", "min", "max"), NUMBER), "histogram?": [COUNT], "edges?": [NUMBER]},
        "verdict": str,
        "verdict_kind?": str,
        "centred_mean_square_overlap?": (None, NUMBER),
        "excess_without_directions?": {str: NUMBER},
    },
}
ZIPF = {"exponent": NUMBER, "stderr": (None, NUMBER)}
TOKENS_OF_ONE = {
    "tokens": SOME,
    "distinct": SOME,
    "whole_corpus": bool,
    "counts?": {str: SOME},
    "split_half": ZIPF,
    "likelihood?": (None, ZIPF),
    "regression?": (None, ZIPF),
}
TOKENS = {"tokenizer": str, "corpora": {str: TOKENS_OF_ONE}}


def kept(path: Path, shape: Any) -> dict[str, Any] | None:
    """A record of an earlier call (see files.shapes); None for one that cannot be read, which is then made again."""
    try:
        record = read_json(path, "a record of a study")
    except InputError:
        return None
    return None if misfit(record, shape) else record
