"""What a column is, by its name alone: ``n_params`` are parameters, ``model.hidden_dim`` is a width.

A name that is not in a table but is that of a quantity stands for the one column of that quantity: ``N`` for
``parameter_count``. It is said which was taken; where several could be meant, nobody guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from superlaw.errors import InputError, closest, nearest
from superlaw.laws.cells import as_numbers, is_numeric

if TYPE_CHECKING:
    import pandas as pd

PARAMS, TOKENS, WIDTH, DEPTH = "parameters N", "tokens D", "width", "depth"
LOSS, STEPS, BATCH, RATE = "loss", "steps", "batch size", "learning rate"
COMPUTE, UNIQUE, VOCABULARY, SEED, RUN = "compute", "unique tokens", "vocabulary", "seed", "run"

SYMBOLS = {"N": PARAMS, "D": TOKENS, "C": COMPUTE, "U": UNIQUE}  # as the whole name, in this case of letters
NAMES = {
    WIDTH: "width model_width d_model dmodel model_dim dim_model hidden_size hidden_dim hidden_dimension n_embd "
    "n_embed d_embed emb_dim embed_dim embedding_dim embedding_size",
    DEPTH: "depth n_layers n_layer nlayers num_layers num_layer layers layer_count n_blocks num_blocks n_hidden_layers "
    "num_hidden_layers num_decoder_layers",
    STEPS: "step steps n_steps num_steps global_step global_steps train_steps training_steps num_train_steps max_steps "
    "total_steps iter iters iteration iterations",
    BATCH: "batch batch_size bs gbs global_bs global_batch_size train_batch_size total_batch_size",
    RATE: "lr learning_rate peak_lr max_lr peak_learning_rate max_learning_rate",
    COMPUTE: "flop flops total_flop total_flops total_flos training_flop training_flops train_flops flop_budget "
    "flops_budget compute compute_budget",
    UNIQUE: "unique_tokens n_unique_tokens num_unique_tokens",
    VOCABULARY: "vocab vocab_size vocabulary vocabulary_size n_vocab num_vocab",
    SEED: "seed random_seed",
    RUN: "run run_name run_id run_path exp_name experiment experiment_name name",
    PARAMS: "model_size",
}
BY_NAME = {name: quantity for quantity, names in NAMES.items() for name in names.split()}
# Of parameters, tokens and losses people make names of their own: one of the telling words, and none that is not known
# beside it; for a loss none of those that make it another thing.
TELLING = {PARAMS: "params param parameters parameter nparams", TOKENS: "tokens token",
           LOSS: "loss losses nll crossentropy"}  # fmt: skip
BESIDE = {
    PARAMS: "n num number of count counts total model trainable non no not embedding embeddings embed emb vocab "
    "vocabulary active precise exact dense excluding without with including size",
    TOKENS: "n num number of count counts total train training trained input seen consumed processed",
}
NO_LOSS = (
    "aux auxiliary z router load balance balancing scale scaler scaling spike spikes std stderr sem err error errors "
    "low lower high upper ci weight delta grad ratio kind type name seq sequences count"
)
MOST_SHOWN = 6  # candidates, in a message


def quantity_of(name: str) -> str | None:
    """What a column of this name would be; None where the name says nothing.

    Examples
    --------
    >>> quantity_of("model.hidden_dim"), quantity_of("throughput/total_tokens"), quantity_of("eval/CrossEntropyLoss")
    ('width', 'tokens D', 'loss')
    >>> quantity_of("tokens_per_second"), quantity_of("D/N"), quantity_of("loss_scale")
    (None, None, None)
    """
    if name in SYMBOLS:
        return SYMBOLS[name]
    words = _words(re.split(r"[./]", name)[-1])
    joined = "_".join(words)
    if joined in BY_NAME:
        return BY_NAME[joined]
    for quantity, known in BESIDE.items():
        telling = TELLING[quantity].split()
        if not set(words).isdisjoint(telling) and set(words) <= {*telling, *known.split()}:
            return quantity
    a_loss = not set(words).isdisjoint(TELLING[LOSS].split()) or "cross_entropy" in joined
    return LOSS if a_loss and set(words).isdisjoint(NO_LOSS.split()) else None


def _words(name: str) -> list[str]:
    """``CrossEntropyLoss`` and ``cross-entropy loss`` as their words, in small letters."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]


def columns_of(table: pd.DataFrame, quantity: str) -> list[str]:
    """The columns of numbers whose names are those of a quantity."""
    return [
        column
        for column in table.columns
        if isinstance(column, str) and quantity_of(column) == quantity and is_numeric(table[column])
    ]


def find_columns(table: pd.DataFrame, named: Iterable[str], exactly: bool = False) -> dict[str, str]:
    """Which column each of some names stands for, of those that the table lacks.

    Parameters
    ----------
    table : DataFrame
    named : iterable of str
        Columns that are wanted: ``N``, ``tokens``, ``width`` ...
    exactly : bool
        Take no other column for one that is not there.

    Raises
    ------
    InputError
        Where a name stands for none or for several, or two names for one.

    Examples
    --------
    >>> import pandas as pd
    >>> find_columns(pd.DataFrame({"n_params": [1e6], "loss": [3.0]}), ["N", "loss"])
    {'N': 'n_params'}
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(named):
        if name in table.columns:
            continue
        quantity = None if exactly else quantity_of(name)
        candidates = columns_of(table, quantity) if quantity else []
        if not candidates:
            raise InputError(f"a table without the column {name!r}", "a column of it", known_columns(name, table))
        if len(candidates) > 1 and not _alike(table, candidates):
            raise InputError(
                f"a table without the column {name!r}, and {len(candidates)} that could be it: {shown(candidates)}",
                "one of them", "name the one that is meant")  # fmt: skip
        if candidates[0] in found.values():
            other = next(known for known, column in found.items() if column == candidates[0])
            raise InputError(f"the column {candidates[0]!r} for both {other!r} and {name!r}", "a column for each")
        found[name] = candidates[0]
    return found


def _alike(table: pd.DataFrame, columns: Sequence[str]) -> bool:
    first = as_numbers(table[columns[0]])
    return all(np.array_equal(first, as_numbers(table[column]), equal_nan=True) for column in columns[1:])


def known_columns(name: str, table: pd.DataFrame) -> str:
    """The nearest column to a name that is none, or what there are."""
    columns = [str(column) for column in table.columns]
    if len(columns) > 4 * MOST_SHOWN:
        return closest(name, columns) or f"superlaw law look lists its {len(columns)} columns"
    return nearest(name, columns)


def shown(items: Sequence[Any]) -> str:
    """Some of many items, in a message.

    Examples
    --------
    >>> shown(["a", "b"]), shown(range(9))
    ('a, b', '0, 1, 2, 3, 4, 5 and 3 more')
    """
    more = f" and {len(items) - MOST_SHOWN} more" if len(items) > MOST_SHOWN else ""
    return ", ".join(str(item) for item in items[:MOST_SHOWN]) + more
