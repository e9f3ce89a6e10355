"""Every figure by name: its module, the finding that it paints, what it shows."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from superlaw.errors import InputError, closest
from superlaw.findings.comparable import STUDY, comparable_runs, runs_by_family
from superlaw.findings.variants import variants
from superlaw.findings.width_depth import ChinchillaTerms

GRID = ("data_exponent", "weight_decay", "width")
FAMILIES = ("frequencies", "weight_decay", "width")
START = ("initial_bias_std", "data_exponent", "width")
DENSITY = ("activation_density", "weight_decay", "width")


@dataclass(frozen=True)
class Entry:
    """A figure: ``source`` is "runs" (a store), "study" (a language-model study), "published" or "live".

    A figure of runs compares those that differ in ``axes`` alone, of ``where`` alone, each family of frequencies by
    itself with ``by_family``, every set that differs in width and seed alone with ``by_variant``; ``study`` is the
    preset of the published experiment, and ``profiles`` says whether row
    norms are needed beside the measures.
    """

    name: str
    source: str
    shows: str
    axes: tuple[str, ...] = ()
    where: str = ""
    study: str = STUDY
    by_family: bool = False
    by_variant: bool = False
    profiles: bool = False

    @property
    def module(self) -> ModuleType:
        """The module with its ``data`` (finding to picture) and ``draw``."""
        return importlib.import_module(f"superlaw.figures.{self.name.replace('-', '_')}")

    def find(self, table: Any) -> Any:
        """The finding that the figure paints, and that its verdicts judge: of a run table or the published one."""
        if self.source == "published":
            return ChinchillaTerms.of(table)
        if self.by_variant:
            return variants(table)
        if self.by_family:
            return runs_by_family(table, self.axes, self.name, self.study)
        return comparable_runs(table, self.axes, self.name, self.where, self.study)


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry("overview", "runs", "loss against width, weak and strong, three families of frequencies", FAMILIES,
              study="wide"),
        Entry("toy", "live", "the model's picture: rows, W W^T, norms by rank; trained on the spot"),
        Entry("weight-decay", "runs", "represented features against weight decay, row norms", GRID, profiles=True),
        Entry("exponents", "runs", "how straight the lines are; exponents over weight decay and data", GRID,
              by_family=True),
        Entry("weak", "runs", "loss against the loss of unlearned features; exponents against alpha - 1", GRID,
              "weight_decay >= 0"),
        Entry("strong", "runs", "long rows, norms, overlaps against 1/m and Welch, exponents", GRID,
              "weight_decay < 0", profiles=True),
        Entry("density", "runs", "loss and exponent against the activation density", DENSITY, study="density-grid"),
        Entry("initial-bias", "runs", "losses, silent features and overlaps by the start of the bias", START,
              "weight_decay < 0", study="initial-bias"),
        Entry("variants", "runs", "exponents of every variant of the model, one under the other", by_variant=True),
        Entry("llm", "study", "overlaps and losses of language models against width"),
        Entry("norms", "study", "row norms of language-model heads"),
        Entry("zipf", "study", "token frequency against rank"),
        Entry("chinchilla", "published", "width, depth and token parts of the loss; parameters against width"),
    )
}  # fmt: skip


def entry(name: str) -> Entry:
    """The figure of that name; InputError with the nearest known one."""
    if name not in CATALOGUE:
        raise InputError(f"the figure {name!r}", f"one of {', '.join(CATALOGUE)}, or all", closest(name, CATALOGUE))
    return CATALOGUE[name]
