"""What open_lm leaves: one JSON file a model with its hyperparameters and losses, and the lines of its evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from superlaw.laws.sources.source import plain

KIND = "open_lm models"
ENDS = {"loss_sequences_lower_95": "low", "loss_sequences_upper_95": "high"}
EVALUATION = ("loss", "val_data", "checkpoint_path")
OF_VALIDATION = ("tokens", "sequences")  # counts of what was evaluated on, not of what was trained on


def is_model(record: Any) -> bool:
    """Whether a JSON record is a model of open_lm: hyperparameters, and a list of evaluations."""
    if not isinstance(record, Mapping) or not isinstance(record.get("hyperparameters"), Mapping):
        return False
    results = record.get("results")
    return isinstance(results, list) and bool(results) and all(isinstance(one, Mapping) for one in results)


def row_of(record: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """One model as a row: its hyperparameters, and ``corpus/loss`` with its 95 % interval for each evaluation.

    Examples
    --------
    >>> row_of({"hyperparameters": {"params": 4e8, "tokens": 2e9}, "results": [
    ...     {"loss": 3.5, "val_data": ["eval/c4_val/shard-0.tar"], "tokens": 245760}]}, "m", "m.json")
    {'run': 'm', 'params': 400000000.0, 'tokens': 2000000000.0, 'c4_val/loss': 3.5}
    """
    own = record.get("name")
    row: dict[str, Any] = {"run": own if isinstance(own, str) else name}
    if isinstance(record.get("dataset_name"), str):
        row["dataset_name"] = record["dataset_name"]
    row |= plain(record["hyperparameters"], where)
    for number, result in enumerate(record["results"], 1):
        corpus = corpus_of(result.get("val_data")) or f"evaluation {number}"
        while f"{corpus}/loss" in row:
            corpus = f"{corpus} ({number})"
        loss = result.get("loss")
        row[f"{corpus}/loss"] = loss if isinstance(loss, int | float) else None
        for name_there, end in ENDS.items():
            value = result.get(name_there)
            if isinstance(value, int | float) and value >= 0:  # -1 where it was not computed
                row[f"{corpus}/{end}"] = value
    return row


def corpus_of(data: Any) -> str | None:
    """The corpus of an evaluation from the paths of its shards: the folder that holds the first.

    Examples
    --------
    >>> corpus_of(["training/eval_data/paloma_ptb/00000001.tar"])
    'paloma_ptb'
    """
    first = data[0] if isinstance(data, list) and data else data
    if not isinstance(first, str):
        return None
    path = PurePosixPath(first)
    return path.parent.name or path.stem or None


def is_evaluation(row: Mapping[str, Any]) -> bool:
    """Whether a line is one of open_lm's results.jsonl."""
    return all(key in row for key in EVALUATION)


def evaluations(rows: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Lines of results.jsonl as rows, where ``tokens`` are those of the validation data; and what to say of it."""
    out = []
    for row in rows:
        renamed = {f"validation_{key}" if key in OF_VALIDATION else key: value for key, value in row.items()}
        out.append(renamed | {"val_data": corpus_of(row["val_data"])})
    return out, ["evaluations of open_lm: their tokens and sequences, of the validation data, are named validation_..."]
