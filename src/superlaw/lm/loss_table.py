"""Losses as records, and their table on disk: CSV, a row for each model and corpus, replaced whole at every change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path

from superlaw.errors import InputError
from superlaw.files.outputs import write_atomically
from superlaw.lm.corpora import Corpus, check_rule

DTYPES = ("auto", "float32", "bfloat16")
OPTIONS = ("document", "max_length", "documents")  # what decides a loss; batches, type and device are recorded only


@dataclass(frozen=True)
class LossOptions:
    """How texts are cut and models run.

    Parameters
    ----------
    document : str
        How plain text is cut into documents: line, blank, words:N or file.
    max_length : int
        Tokens of a document, at most; the model's context where that is smaller.
    documents : int
        The first so many documents of each corpus.
    batch_tokens : int
        Tokens of a batch, padding included; a longer document is a batch of its own.
    dtype : {"auto", "float32", "bfloat16"}
        auto is bfloat16 on a GPU and float32 elsewhere.
    device : str
        auto, cpu, cuda, ...
    """

    document: str = "words:1024"
    max_length: int = 2048
    documents: int = 1000
    batch_tokens: int = 4096
    dtype: str = "auto"
    device: str = "auto"

    def __post_init__(self):
        check_rule(self.document)
        for name, least in (("max_length", 2), ("documents", 1), ("batch_tokens", 2)):
            if getattr(self, name) < least:
                raise InputError(f"{name} = {getattr(self, name)}", f"{least} or more")
        if self.dtype not in DTYPES:
            raise InputError(f"--dtype {self.dtype}", f"one of {', '.join(DTYPES)}")


@dataclass(frozen=True)
class Loss:
    """The loss of one model on one corpus; ``status`` is ok, or failed with the reason in ``message``.

    ``loss`` is in nats a predicted token; ``stderr`` treats documents as independent (NaN with one);
    ``tokens`` counts predicted tokens and ``bytes`` the text they stand for; ``cut`` documents were longer
    than ``context`` (the smaller of max_length and the model's), ``short`` ones had no token to predict.
    """

    model: str
    corpus: str
    source: str
    status: str
    loss: float
    stderr: float
    bits_per_byte: float
    tokens: int
    bytes: int
    n_documents: int
    cut: int
    short: int
    context: int
    bos: str
    document: str
    max_length: int
    documents: int
    batch_tokens: int
    dtype: str
    device: str
    message: str = ""


KINDS = {field.name: {"int": "int64", "float": "float64", "str": "str"}[str(field.type)] for field in fields(Loss)}


DO = "choose another -o"


def read_losses(path: Path, options: LossOptions, corpora: list[Corpus]) -> list[Loss]:
    """Rows of a table made with the same options, none where there is no table."""
    rows = losses_in(path)
    for row in rows:
        for key in OPTIONS:
            if getattr(row, key) != getattr(options, key):
                raise InputError(f"{path}, made with {key} = {getattr(row, key)}", f"{getattr(options, key)} again", DO)
        for one in corpora:
            if row.corpus == one.name and row.source != one.source:
                raise InputError(f"{path}, where {one.name} is {row.source}", f"a new name for {one.source}", DO)
    return rows


def losses_in(path: Path) -> list[Loss]:
    """Rows of a table, whatever it was made with, none where there is no table; InputError for any other file."""
    import pandas as pd

    if not path.exists():
        return []
    numbers = {name: [""] for name, kind in KINDS.items() if kind == "float64"}  # empty: not a number
    try:
        content = path.read_bytes()
        table = pd.read_csv(BytesIO(content), dtype=KINDS, keep_default_na=False, na_values=numbers)
    except (OSError, ValueError, OverflowError) as error:
        why = f"not readable as losses ({type(error).__name__})"
        raise InputError(f"{path}, {why}", "a whole table of superlaw lm loss", DO) from None
    cut = not content.endswith(b"\n")
    if cut or list(table) != list(KINDS) or not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path}, which is no table of losses", "a new file or one of superlaw lm loss", DO)
    return [Loss(**{str(key): value for key, value in row.items()}) for row in table.to_dict("records")]


def write_losses(path: Path, rows: Iterable[Loss]) -> None:
    """Write the table; what is not a number is left empty."""
    import pandas as pd

    table = pd.DataFrame([asdict(row) for row in rows], columns=list(KINDS))
    write_atomically(path, table.to_csv(index=False, lineterminator="\n").encode())
