"""Texts as streams of documents: plain text, JSON lines, Parquet, or a set of the package datasets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from superlaw.errors import InputError, MissingExtraError

DATASETS = "datasets:"
RULES = "line, blank, words:N or file"
LONGEST_LINE = 1 << 26  # characters


@dataclass(frozen=True)
class Corpus:
    """A named text: a file, or ``datasets:PATH,CONFIG,SPLIT`` (config may be empty, split is train).

    Examples
    --------
    >>> Corpus.parse("pile=datasets:monology/pile-uncopyrighted")
    Corpus(name='pile', source='datasets:monology/pile-uncopyrighted', field='text')
    """

    name: str
    source: str
    field: str = "text"

    @classmethod
    def parse(cls, text: str, field: str = "text") -> Corpus:
        """From ``NAME=FILE``; a file that is missing is refused here."""
        name, equals, source = text.partition("=")
        if not equals or not name.strip() or not source:
            raise InputError(f"--corpus {text}", "NAME=FILE", "for example --corpus wiki=wiki.txt")
        if not source.startswith(DATASETS) and not Path(source).is_file():
            raise InputError(f"the corpus {source}, which does not exist", "a file of text", "check the path")
        return cls(name.strip(), source, field)

    def texts(self) -> Iterator[str]:
        """Lines with their ends of a text file; texts of a JSON-lines, Parquet or datasets source."""
        path = Path(self.source)
        if self.source.startswith(DATASETS):
            yield from self._dataset()
        elif path.suffix.lower() in (".jsonl", ".ndjson"):
            for number, line in enumerate(_lines(path), 1):
                if line.strip():
                    yield _field(line, self.field, path, number)
        elif path.suffix.lower() == ".parquet":
            yield from self._parquet(path)
        else:
            yield from _lines(path)

    @property
    def is_text(self) -> bool:
        """Whether it is plain text, which a rule cuts into documents; other sources say themselves."""
        return not self.source.startswith(DATASETS) and not self.source.lower().endswith(
            (".jsonl", ".ndjson", ".parquet")
        )

    def _parquet(self, path: Path) -> Iterator[str]:
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError:
            raise MissingExtraError("reading Parquet", "tables") from None
        try:
            file = parquet.ParquetFile(path)
            if self.field not in file.schema_arrow.names:
                some = ", ".join(file.schema_arrow.names[:8])
                raise InputError(f"{path} without a column {self.field!r}", "the column of the text", f"it has {some}")
            for batch in file.iter_batches(columns=[self.field], batch_size=1024):
                for value in batch.column(0).to_pylist():
                    if not isinstance(value, str):
                        raise InputError(f"{path}: {self.field} of type {type(value).__name__}", "text in every row")
                    yield value
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(f"{path}, not readable as Parquet ({type(error).__name__})", "a whole file") from None

    def _dataset(self) -> Iterator[str]:
        try:
            import datasets
        except ImportError:
            raise MissingExtraError(f"the corpus {self.source}", "lm") from None
        parts = [*self.source.removeprefix(DATASETS).split(","), "", ""]
        try:
            rows = iter(datasets.load_dataset(parts[0], parts[1] or None, split=parts[2] or "train", streaming=True))
            for row in rows:
                if not isinstance(row.get(self.field), str):
                    raise InputError(f"{self.source} without a text {self.field!r}", f"one of {', '.join(row)}")
                yield row[self.field]
        except InputError:
            raise
        except Exception as error:  # the library raises what its many readers and hosts raise
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise InputError(f"{self.source} ({reason})", "a set that datasets can stream") from None


def check_rule(rule: str) -> str:
    """The rule, if it is one.

    Examples
    --------
    >>> check_rule("words:1024")
    'words:1024'
    """
    if rule not in ("line", "blank", "file") and not re.fullmatch(r"words:[1-9]\d{0,8}", rule):
        raise InputError(f"--document {rule}", RULES)
    return rule


def documents(corpus: Corpus, rule: str) -> Iterator[str]:
    """Documents of a corpus, none of them blank.

    Parameters
    ----------
    corpus : Corpus
    rule : {"line", "blank", "words:N", "file"}
        How plain text is cut: at line ends, at blank lines, by joining whole lines until N words are
        reached ([LLG-code] joins up to 1024), or not at all. Other sources hold a document a row.
    """
    check_rule(rule)
    if not corpus.is_text:
        yield from (text for text in corpus.texts() if text.strip())
        return
    size = int(rule[6:]) if rule.startswith("words:") else 0
    held: list[str] = []
    words = 0
    for line in corpus.texts():
        if rule == "line":
            held = [line.rstrip("\r\n")]
        elif rule == "blank" and not line.strip():
            pass
        else:
            held.append(line)
            words += len(line.split())
            if not size or words < size:
                continue
        if (text := "".join(held)).strip():
            yield text
        held, words = [], 0
    if (text := "".join(held)).strip():
        yield text


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while line := file.readline(LONGEST_LINE):
                yield line
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, not UTF-8 ({error.reason})", "a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a readable file") from None


def _field(line: str, field: str, path: Path, number: int) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{path}, line {number}: not JSON", "one JSON object a line") from None
    value = record.get(field) if isinstance(record, dict) else None
    if not isinstance(value, str):
        raise InputError(f"{path}, line {number}: no text {field!r}", "a text in every line", "name it with --field")
    return value
