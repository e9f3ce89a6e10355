"""The language-model study: heads, tokens and losses of a family, and the joint fit of loss on width.

Every part is kept in the study's folder as soon as it is known, so that the same call resumes; a model
that fails is recorded with its reason and the others go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from superlaw.errors import InputError, MissingExtraError
from superlaw.figures import llm as figure
from superlaw.files.outputs import KeptFolder, make_folder
from superlaw.files.records import to_json
from superlaw.findings.head_verdict import judge_head
from superlaw.findings.heads import OverlapLaw, laws_by_family, overlap_exponent
from superlaw.findings.words import said_of_models
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.laws.result import Fit
from superlaw.laws.slope import Slope
from superlaw.lm.corpora import Corpus
from superlaw.lm.families import FamilyModel
from superlaw.lm.head import load_head
from superlaw.lm.loss import Loss, LossOptions, measure_losses
from superlaw.lm.measure import measure_head
from superlaw.lm.tokens import MAX_TOKENS, count_tokens, counts_record, load_tokenizer
from superlaw.report.language import language_part
from superlaw.report.page import REPORT, page_of
from superlaw.report.render import report_page
from superlaw.studies.kept import HEAD, TOKENS, kept
from superlaw.studies.stored_study import load_study

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Study:
    """What was found: by model name heads, token records with their files, failures; losses; the two laws of width."""

    models: tuple[FamilyModel, ...]
    corpora: tuple[Corpus, ...]
    heads: dict[str, dict[str, Any]]
    tokens: dict[str, dict[str, Any]]
    token_files: dict[str, str]
    losses: dict[tuple[str, str], Loss]
    failures: dict[str, str]
    overlap_slope: Slope | None
    fit: Fit | None
    no_fit: str
    folder: Path = field(default=Path())

    def rows(self) -> list[dict[str, Any]]:
        """One row a model and corpus; None for what is not known."""
        found = []
        for model in self.models:
            head = self.heads.get(model.name, {})
            for corpus in self.corpora:
                loss = self.losses.get((model.name, corpus.name))
                ok = loss is not None and loss.status == "ok"
                tokens = self.tokens.get(model.name, {}).get(corpus.name)
                finite = lambda x, ok=ok: x if ok and x == x else None  # noqa: E731
                found.append({
                    "model": model.name, "family": model.family, "width": model.width, "depth": model.depth,
                    "corpus": corpus.name, "head_width": head.get("m"),
                    "mean_square_overlap": head.get("mean_square_overlap"),
                    "mean_abs_overlap": head.get("mean_abs_overlap"),
                    "overlap_times_width": head["mean_square_overlap"] * head["m"] if head else None,
                    "loss": finite(loss.loss if loss else None), "stderr": finite(loss.stderr if loss else None),
                    "bits_per_byte": finite(loss.bits_per_byte if loss else None),
                    "zipf_exponent": tokens["split_half"]["exponent"] if tokens else None,
                })  # fmt: skip
        return found

    def sentences(self) -> list[str]:
        """What the study says, plainly."""
        words = said_of_models(self.heads, self.rows(), self.fit, self.no_fit)
        return [*words.verdict, *words.warnings]

    @property
    def overlap_laws(self) -> dict[str, list[OverlapLaw]]:
        """Overlap against width within each family."""
        return laws_by_family(self.heads, {model.name: model.family for model in self.models})

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        slope = self.overlap_slope
        return {
            "folder": str(self.folder), "table": self.rows(),
            "slope": slope.exponent if slope else None,
            "slope_stderr": slope.stderr if slope and slope.stderr == slope.stderr else None,
            "overlap_laws": {family: [law.to_dict() for law in laws] for family, laws in self.overlap_laws.items()},
            "fit": self.fit.to_dict() if self.fit else None, "no_fit": self.no_fit or None,
            "failures": self.failures, "sentences": self.sentences(), "token_files": self.token_files,
        }  # fmt: skip


def study(
    models: list[FamilyModel],
    corpora: list[Corpus],
    out: Path,
    options: LossOptions | None = None,
    max_tokens: int = MAX_TOKENS,
    watch: Watch | None = None,
    *,
    overwrite: bool = False,
    command: str = "",
) -> Study:
    """Heads, tokens and losses of every model, then the joint fit L = C / m^a + offset[family, corpus].

    Parameters
    ----------
    models, corpora : list
    out : Path
        Folder of heads/, tokens/, losses.csv, study.json, study.png and report.html; made when it is not there.
    options : LossOptions, optional
    max_tokens : int
        Counted of each corpus.
    watch : callable, optional
        Called with what is done, and how many of how many.
    overwrite : bool
        Replace files in the way that no study wrote there, or that were changed since.
    command : str
        The command line that was given, for the page.
    """
    options = options or LossOptions()
    report = watch or (lambda what, done, total: None)
    folder = KeptFolder(out, "lm study", overwrite)
    folder.check("study.json", "study.png", REPORT, *(_head_file(m) for m in models if _kept_head(m, folder) is None))
    for made in (out, out / "heads", out / "tokens"):
        make_folder(made)
    failures: dict[str, str] = {}
    heads, counted = {}, {}
    for i, model in enumerate(models):
        report(f"head of {model.name}", i, len(models))
        for part, made, make in (
            ("head", heads, lambda m: _head(m, folder)),
            ("tokens", counted, lambda m: _tokens(m, corpora, max_tokens, folder)),
        ):
            try:
                made[model.name] = make(model)
            except MissingExtraError:
                raise
            except InputError as error:
                failures[f"{model.name}: {part}"] = str(error)
    by_source = {model.source: model.name for model in models}
    note = (lambda s, c, d, t: report(f"{by_source[s]} on {c}", d, t)) if watch else None
    rows = measure_losses(list(by_source), corpora, options, out / "losses.csv", note)
    of_source = {(row.model, row.corpus): row for row in rows}  # two models may have one source
    losses = {(model.name, one.name): of_source[model.source, one.name] for model in models for one in corpora}
    for (name, corpus), row in losses.items():
        if row.status != "ok":
            failures[f"{name}: loss on {corpus}"] = row.message
    points = [(head["m"], head["mean_square_overlap"]) for head in heads.values()]
    slope = overlap_exponent([m for m, _ in points], [square for _, square in points])
    files, tokens = ({name: pair[i] for name, pair in counted.items()} for i in (0, 1))
    measured = (tuple(models), tuple(corpora), heads, tokens, files, losses, failures, slope)
    found = Study(*measured, None, "not fitted yet", out)
    folder.write("study.json", to_json(found.to_dict()).encode())  # what took hours, before a fit can fail
    fit, no_fit = _fit(models, losses)
    found = replace(found, fit=fit, no_fit=no_fit)
    folder.write("study.json", to_json(found.to_dict()).encode())
    table = found.rows()
    if heads or any(row["loss"] is not None for row in table):
        folder.write("study.png", figure.draw(figure.data(table, heads, fit, no_fit)))
    back = load_study(out)
    part = language_part(f"{len(models)} models", table, heads, back.tokenizers, fit, no_fit, failures, back.notes)
    folder.write(REPORT, report_page(page_of([part], command)))
    return found


def _head_file(model: FamilyModel) -> str:
    return f"heads/{model.name}.json"


def _kept_head(model: FamilyModel, folder: KeptFolder) -> dict[str, Any] | None:
    found = kept(folder.path / _head_file(model), HEAD)
    known = found and found["source"] == model.source and "verdict_kind" in found["head"]  # not so of older ones
    return found["head"] if found and known else None


def _head(model: FamilyModel, folder: KeptFolder) -> dict[str, Any]:
    """The head's record, kept under the model's name with its source."""
    found = _kept_head(model, folder)
    if found is not None:
        return found
    head = load_head(model.source)
    if head.hidden_size and head.hidden_size != model.width:
        raise InputError(f"{model.name} of width {model.width}, with a config of {head.hidden_size}", "the same width")
    measured = measure_head(head)
    record = measured.to_dict() | judge_head(measured).to_dict()
    folder.write(_head_file(model), to_json({"source": model.source, "head": record}).encode())
    return record


def _tokens(
    model: FamilyModel, corpora: list[Corpus], max_tokens: int, folder: KeptFolder
) -> tuple[str, dict[str, Any]]:
    """The file and its token records by corpus; models that share a tokenizer share it, named by its digest."""
    tokenizer = load_tokenizer(model.source)
    asked = {"corpora": [asdict(corpus) for corpus in corpora], "max_tokens": max_tokens}
    digest = hashlib.sha256((tokenizer.to_str() + json.dumps(asked)).encode()).hexdigest()[:16]
    name = f"{digest}.json"
    record = kept(folder.path / "tokens" / name, TOKENS)
    if record is None:
        found = [count_tokens(tokenizer, corpus, max_tokens) for corpus in corpora]
        record = counts_record(found, model.source)
        folder.write(f"tokens/{name}", to_json(record).encode())
    return name, record["corpora"]


def _fit(models: list[FamilyModel], losses: dict[tuple[str, str], Loss]) -> tuple[Fit | None, str]:
    """The joint fit by least squares of the loss as the paper's, or why there is none."""
    by_name = {model.name: model for model in models}
    rows = [(by_name[name], row) for (name, _), row in losses.items() if row.status == "ok"]
    if len({model.width for model, _ in rows}) < 3:
        return None, f"losses at {len({model.width for model, _ in rows})} widths, three are needed"
    table = {
        "width": [float(model.width) for model, _ in rows],
        "family": [model.family for model, _ in rows],
        "corpus": [row.corpus for _, row in rows],
        "loss": [row.loss for _, row in rows],
        "model": [model.name for model, _ in rows],  # its losses on several corpora have errors in common
    }
    try:
        return fit_law(table, GroupedPowerLaw("width", ("family", "corpus")), objective="ls", cluster="model"), ""
    except InputError as error:
        return None, str(error)
