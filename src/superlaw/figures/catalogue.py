"""Every figure by name: its module, what it is drawn from, what it shows."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType

from superlaw.errors import InputError, nearest


@dataclass(frozen=True)
class Entry:
    """A figure: ``source`` is "runs" (a store), "study" (a language-model study), "published" or "live".

    ``profiles`` says whether row norms are needed beside the measures.
    """

    name: str
    source: str
    shows: str
    profiles: bool = False

    @property
    def module(self) -> ModuleType:
        """The module with its ``data`` and ``draw``."""
        return importlib.import_module(f"superlaw.figures.{self.name.replace('-', '_')}")


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry("overview", "runs", "loss against width, weak and strong, three families of frequencies"),
        Entry("toy", "live", "the model's picture: rows, W W^T, norms by rank; trained on the spot"),
        Entry("weight-decay", "runs", "represented features against weight decay, row norms", profiles=True),
        Entry("exponents", "runs", "how straight the lines are; exponents over weight decay and data"),
        Entry("weak", "runs", "loss against the loss of unlearned features; exponents against alpha - 1"),
        Entry("strong", "runs", "long rows, norms, overlaps against 1/m and Welch, exponents", profiles=True),
        Entry("density", "runs", "loss and exponent against the activation density"),
        Entry("llm", "study", "overlaps and losses of language models against width"),
        Entry("norms", "study", "row norms of language-model heads"),
        Entry("zipf", "study", "token frequency against rank"),
        Entry("chinchilla", "published", "width, depth and token parts of the loss; parameters against width"),
    )
}


def entry(name: str) -> Entry:
    """The figure of that name; InputError with the nearest known one."""
    if name not in CATALOGUE:
        raise InputError(f"the figure {name!r}", f"one of {', '.join(CATALOGUE)}, or all", nearest(name, CATALOGUE))
    return CATALOGUE[name]
