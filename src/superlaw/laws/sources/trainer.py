"""``trainer_state.json`` of Hugging Face's Trainer, with the ``config.json`` beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from superlaw.errors import InputError
from superlaw.laws.sources.histories import History
from superlaw.laws.sources.source import frame_of, json_of, plain

STATE, CONFIG = "trainer_state.json", "config.json"
CHECKPOINT = re.compile(r"checkpoint-\d+")
# Of the state itself, what is true of the whole run; the rest is about where and how it ran.
FACTS = ("max_steps", "num_train_epochs", "num_input_tokens_seen", "total_flos", "train_batch_size")
NOT_OF_A_MODEL = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")
FAR = 1e18  # no count of steps
NEED = "the trainer_state.json of a Trainer"


def is_state(record: Any) -> bool:
    """Whether a JSON record is the state of a Trainer."""
    return isinstance(record, Mapping) and isinstance(record.get("log_history"), list)


def history_of(state: Any, name: str, where: str, config: Mapping[str, Any] | None = None) -> History:
    """A run from its state: entries of one step are one row.

    Raises
    ------
    InputError
        For a state whose log is none: entries that are no objects, or without a step.
    """
    if not is_state(state):
        raise InputError(f"{where} without a log_history", NEED)
    by_step: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(state["log_history"], 1):
        step = entry.get("step") if isinstance(entry, Mapping) else None
        if isinstance(step, bool) or not isinstance(step, int | float) or not abs(step) < FAR:
            raise InputError(f"entry {number} of the log_history of {where} without a step", NEED)
        by_step.setdefault(step, {}).update(plain(entry, where))
    rows, _ = frame_of([by_step[step] for step in sorted(by_step)], where)
    known = plain(config or {}, where)
    facts = {key: value for key, value in known.items() if key not in NOT_OF_A_MODEL}
    return History(name, rows, "step" if len(rows) else None, facts | _facts(state))


def _facts(state: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {key: state[key] for key in FACTS if isinstance(state.get(key), int | float)}
    if not numbers.get("num_input_tokens_seen"):  # 0 where the Trainer was not asked to count
        numbers.pop("num_input_tokens_seen", None)
    return numbers


def read_states(states: Sequence[Path], folder: Path) -> list[History]:
    """The runs of some states: of the checkpoints of one run the last, which holds the logs of all."""
    runs: dict[Path, list[tuple[float, Path, Any]]] = {}
    for path in states:
        state = json_of(path, NEED)
        if not is_state(state):
            raise InputError(f"{path} without a log_history", NEED)
        at = state.get("global_step")
        home = path.parent.parent if CHECKPOINT.fullmatch(path.parent.name) else path.parent
        runs.setdefault(home, []).append((at if isinstance(at, int | float) else 0, path, state))
    out = []
    for home, found in runs.items():
        _, path, state = max(found, key=lambda one: one[0])
        name = str(home.relative_to(folder)) if home != folder and folder in home.parents else home.resolve().name
        out.append(history_of(state, name, str(path), config_beside(path, home)))
    return out


def config_beside(path: Path, home: Path | None = None) -> Mapping[str, Any] | None:
    """The model's configuration beside a state, or in the run's folder."""
    for folder in (path.parent, home or path.parent):
        if (folder / CONFIG).is_file():
            config = json_of(folder / CONFIG, "the config.json of a model")
            if not isinstance(config, Mapping):
                raise InputError(f"{folder / CONFIG}, which is no object", "the config.json of a model")
            return config
    return None
