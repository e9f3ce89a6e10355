"""Small files to try every command on: a text, runs of language models, runs of toy models, a head."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from superlaw.files.outputs import KeptFolder
from superlaw.laws.published import load_published

HERE = Path(__file__).parent / "sample"
COMMAND = "data sample"  # whose files in the folder may be written again
CONTEXT = 2048  # of the language models' runs
COLUMNS = {"name": "run", "width": "width", "depth": "depth", "params": "params", "tokens": "tokens",
           "val_loss": "loss"}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A file of the sample.

    Parameters
    ----------
    name : str
        Of the file.
    what : str
        What it holds, and where that is from.
    command : str
        What can be done with it, ``{}`` standing for its path.
    content : callable
        Gives its bytes.
    """

    name: str
    what: str
    command: str
    content: Callable[[], bytes]


def toy_runs() -> bytes:
    """The 12 runs of ``superlaw demo``, gathered."""
    return (HERE / "toy-runs.csv").read_bytes()


def words() -> bytes:
    """All docstrings of this package as they were one day, some 50,000 words: what pages show of it stays."""
    return gzip.decompress((HERE / "text.txt.gz").read_bytes())


def runs() -> bytes:
    """The runs of one context length of a published table of Llama-like models."""
    table = load_published("xlstm-llama")
    chosen = table[table["context"] == CONTEXT][[*COLUMNS]].rename(columns=COLUMNS)
    return chosen.to_csv(index=False).encode()


SAMPLES = (
    Sample("text.txt", "a text: what the functions of this package said of themselves",
           "superlaw demo --text {}", words),
    Sample("runs.csv", f"85 Llama-like models of the xLSTM study, context {CONTEXT}: width, depth, tokens, loss",
           "superlaw law fit {} --law additive:width,tokens", runs),
    Sample("toy-runs.csv", "the 12 toy models of `superlaw demo`", "superlaw exponents {}", toy_runs),
    Sample("head.npy", "the rows of a toy model in strong superposition: 1000 features, 32 dimensions",
           "superlaw lm head {}", lambda: (HERE / "head.npy").read_bytes()),
)  # fmt: skip


def write_samples(folder: str | Path, overwrite: bool = False) -> dict[str, Path]:
    """Write the sample files into a folder; where each is, by name.

    Parameters
    ----------
    folder : path
        Made where it does not exist. Files that are in the way are not replaced without ``overwrite``.
    overwrite : bool

    Examples
    --------
    >>> import tempfile
    >>> sorted(write_samples(tempfile.mkdtemp()))
    ['head.npy', 'runs.csv', 'text.txt', 'toy-runs.csv']
    """
    kept = KeptFolder(Path(folder), COMMAND, overwrite)
    kept.check(*(sample.name for sample in SAMPLES))
    return {sample.name: kept.write(sample.name, sample.content()) for sample in SAMPLES}
