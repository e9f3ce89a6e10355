"""Results of the language-model evaluation harness (lm-eval), of today and of its first versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from superlaw.errors import InputError
from superlaw.laws.sources.source import numbered, plain

KIND = "lm-eval results"
SIZE = "model_num_parameters"  # -1 where the harness does not know it
PLAIN_FILTER = ",none"  # what every metric is named by that no filter made


def is_results(record: Any) -> bool:
    """Whether a JSON record is what lm-eval writes: metrics by task."""
    results = record.get("results") if isinstance(record, Mapping) else None
    return isinstance(results, Mapping) and bool(results) and all(isinstance(one, Mapping) for one in results.values())


def row_of(record: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """One model as a row: its name, its parameters, what its arguments say, and ``task/metric`` for each metric.

    Examples
    --------
    >>> row_of({"results": {"wikitext": {"alias": "wikitext", "bits_per_byte,none": 0.9}},
    ...         "config": {"model_args": "pretrained=a/b,revision=step1000"}}, "results_1", "results_1.json")
    {'run': 'results_1', 'pretrained': 'a/b', 'revision': 'step1000', 'wikitext/bits_per_byte': 0.9}
    """
    config = record.get("config")
    config = config if isinstance(config, Mapping) else {}
    model = record.get("model_name")
    row: dict[str, Any] = {"run": model if isinstance(model, str) else name}
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        row |= {key: values[0] for key, values in numbered(_arguments(arguments)).items()}
    elif isinstance(arguments, Mapping):
        row |= plain(arguments, where)
    size = config.get(SIZE)
    if isinstance(size, int | float) and size > 0:
        row[SIZE] = size
    for task, metrics in record["results"].items():
        for metric, value in metrics.items():
            column = f"{task}/{metric.removesuffix(PLAIN_FILTER)}"
            if column in row:
                raise InputError(f"{where} with {column!r} twice", "each metric of a task once")
            if isinstance(value, int | float) and not isinstance(value, bool):
                row[column] = value
    return row


def _arguments(text: str) -> dict[str, list[str | None]]:
    """``pretrained=a/b,revision=c`` by comma: a value may hold any other separator."""
    pairs = [part.partition("=") for part in text.split(",")]
    return {key.strip(): [value.strip()] for key, equals, value in pairs if equals and key.strip()}
