"""How often a tokenizer's tokens occur in texts, and the exponent of frequency against rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError, MissingExtraError
from superlaw.lm.config import is_path
from superlaw.lm.corpora import Corpus
from superlaw.lm.hub import HubModel, NotOnHubError
from superlaw.lm.zipf import fit_zipf, regress, split_half

FORMAT = 1
BATCH = 512  # texts tokenised at a time
MAX_TOKENS = 1_000_000  # of a corpus [LLG]
LISTED = 25  # ranks in the table
Watch = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class TokenCounts:
    """Counts of one corpus by token id, shape (vocabulary,)."""

    corpus: Corpus
    counts: np.ndarray
    names: dict[int, str] = field(repr=False)
    complete: bool

    @property
    def ranked(self) -> np.ndarray:
        """Ids of the tokens that occur, most frequent first."""
        order = np.argsort(-self.counts, kind="stable")
        return order[: np.count_nonzero(self.counts)]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the counts, a rank-frequency table, and the exponents."""
        ranked = self.ranked
        by_rank = self.counts[ranked]
        shown = np.unique(np.round(np.geomspace(1, len(ranked), LISTED)).astype(int))
        regression = regress(by_rank)
        return {
            "source": self.corpus.source, "tokens": int(by_rank.sum()), "distinct": len(ranked),
            "whole_corpus": self.complete,
            "exponent_of": "frequency against rank, p_r ~ r^-alpha",
            "likelihood": fit_zipf(by_rank).to_dict(),
            "split_half": split_half(by_rank).to_dict(),
            "regression": regression.to_dict() if regression else None,
            "table": [self._rank(int(r), int(ranked[r - 1])) for r in shown],
            "counts": {str(int(i)): int(self.counts[i]) for i in ranked},
        }  # fmt: skip

    def _rank(self, rank: int, i: int) -> dict[str, Any]:
        count = int(self.counts[i])
        frequency = count / int(self.counts.sum())
        return {"rank": rank, "id": i, "token": self.names.get(i, ""), "count": count, "frequency": frequency}


def load_tokenizer(source: str | Path) -> Any:
    """A ``tokenizers.Tokenizer`` from a folder, a tokenizer.json or a hub id, without truncation or padding.

    Raises
    ------
    InputError
        When there is none, or it cannot be read.
    MissingExtraError
        Without the package tokenizers.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtraError("tokens", "lm") from None
    path = Path(source)
    file = path / "tokenizer.json" if path.is_dir() else path
    if file.is_file():
        content = file.read_bytes()
    elif path.is_dir() or is_path(source):
        raise InputError(f"{source}, without a tokenizer.json", "a folder with one, the file, or a hub id")
    else:
        try:
            content = HubModel.parse(str(source)).text("tokenizer.json")
        except NotOnHubError:
            raise InputError(f"{source}, without a tokenizer.json on the hub", "a tokenizer of that form") from None
    try:
        tokenizer = Tokenizer.from_str(content.decode("utf-8"))
    except Exception as error:  # the library raises plain Exception
        raise InputError(f"{file}, no tokenizer ({str(error)[:80]})", "a tokenizer.json") from None
    tokenizer.no_truncation()  # files often carry the truncation of some use of theirs
    tokenizer.no_padding()
    return tokenizer


def count_tokens(
    tokenizer: Any, corpus: Corpus, max_tokens: int = MAX_TOKENS, watch: Watch | None = None
) -> TokenCounts:
    """Count the first ``max_tokens`` tokens of a corpus, without special tokens.

    Plain text is tokenised line by line, line ends included; other sources text by text.

    Raises
    ------
    InputError
        For a corpus with fewer than two different tokens, or ``max_tokens`` below 2.
    """
    if max_tokens < 2:
        raise InputError(f"--max-tokens {max_tokens}", "2 or more")
    names = {i: token for token, i in tokenizer.get_vocab(with_added_tokens=True).items()}
    counts = np.zeros(max(names, default=-1) + 1, dtype=np.int64)
    total, complete = 0, True
    for ids in _batches(tokenizer, corpus.texts()):
        if total + len(ids) > max_tokens:
            ids, complete = ids[: max_tokens - total], False
        counts += np.bincount(ids, minlength=len(counts))
        total += len(ids)
        if watch:
            watch(total, max_tokens)
        if not complete:
            break
    if np.count_nonzero(counts) < 2:
        raise InputError(f"the corpus {corpus.source} of {np.count_nonzero(counts)} different tokens", "two or more")
    return TokenCounts(corpus, counts, names, complete)


def _batches(tokenizer: Any, texts: Iterator[str]) -> Iterator[np.ndarray]:
    while batch := list(islice(texts, BATCH)):
        encoded = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
        yield np.fromiter((i for one in encoded for i in one.ids), dtype=np.int64)


def counts_record(found: list[TokenCounts], tokenizer: str) -> dict[str, Any]:
    """The counts file: ``counts`` of all corpora together (a valid --frequencies of the toy model), then each."""
    total = np.sum([one.counts for one in found], axis=0)
    return {
        "format": FORMAT, "tokenizer": tokenizer, "vocabulary": len(total),
        "counts": {str(int(i)): int(total[i]) for i in np.flatnonzero(total)},
        "corpora": {one.corpus.name: one.to_dict() for one in found},
    }  # fmt: skip
