"""superlaw lm: heads, token counts, losses and families of language models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from superlaw.cli.lm_head import head
from superlaw.cli.options import JsonOption, OverwriteOption, refuse_unused, typed
from superlaw.errors import InputError
from superlaw.files.outputs import check_apart, check_output, write_atomically

app = typer.Typer(help="Language models: is this one in strong superposition?", no_args_is_help=True)


app.command()(head)

CorpusOption = Annotated[
    list[str], typer.Option(metavar="NAME=FILE", help="Text, .jsonl, .parquet or datasets:NAME,CONFIG,SPLIT; repeat.")
]
FieldOption = Annotated[str, typer.Option(help="Of the text in JSON lines, Parquet and datasets.")]
DocumentOption = Annotated[str, typer.Option(help="Cut text by line, blank, words:N or file.")]
LengthOption = Annotated[int, typer.Option(help="Tokens of a document, at most.")]
DocumentsOption = Annotated[int, typer.Option(help="Of each corpus, at most.")]
BatchOption = Annotated[int, typer.Option(help="Tokens of a batch with padding.")]
DtypeOption = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]


@app.command()
def tokens(
    tokenizer: Annotated[str, typer.Option(metavar="DIR_OR_ID", help="Folder, tokenizer.json or hub id.")],
    corpus: CorpusOption,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Counts file, .json.")],
    max_tokens: Annotated[int, typer.Option(help="Of each corpus.")] = 1_000_000,
    field: FieldOption = "text",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Count tokens; the exponent of frequency against rank; write a counts file."""
    from superlaw.cli.output import print_json, progress_bar
    from superlaw.files.records import to_json
    from superlaw.lm.tokens import count_tokens, counts_record, load_tokenizer

    check_output(out, (".json",), overwrite)
    corpora = parse_corpora(corpus, field)
    read = {"--tokenizer": Path(tokenizer), **{f"--corpus {one.name}": Path(one.source) for one in corpora}}
    check_apart({"-o": out, **read})
    made = load_tokenizer(tokenizer)
    found = []
    for one in corpora:
        with progress_bar(one.name, "tokens", silent=as_json) as bar:
            found.append(count_tokens(made, one, max_tokens, bar.update if bar else None))
    record = counts_record(found, tokenizer)
    write_atomically(out, to_json(record).encode())
    shown = {name: {k: v for k, v in one.items() if k != "counts"} for name, one in record["corpora"].items()}
    if as_json:
        print_json({"tokenizer": tokenizer, "vocabulary": record["vocabulary"], "corpora": shown, "path": out})
    else:
        _print_tokens(shown, out)


def parse_corpora(texts: list[str], field: str) -> list[Any]:
    """Corpora of ``NAME=FILE``, each name once."""
    from superlaw.lm.corpora import Corpus

    corpora = [Corpus.parse(text, field) for text in texts]
    names = [one.name for one in corpora]
    if len(set(names)) < len(names):
        raise InputError(f"the corpus name {max(names, key=names.count)} twice", "a name for each")
    if all(one.is_text for one in corpora):
        refuse_unused("plain text alone", field="JSON lines, Parquet or datasets")
    if not any(one.is_text for one in corpora):
        refuse_unused("texts that come as documents", document="plain text")
    return corpora


def _print_tokens(corpora: dict[str, Any], out: Path) -> None:
    from superlaw.cli.output import print_table
    from superlaw.files.numbers import in_short, with_error

    rows = []
    for name, one in corpora.items():
        cells = [name, in_short(one["tokens"]), in_short(one["distinct"])]
        for kind in ("likelihood", "split_half", "regression"):
            fit = one[kind]
            cells.append(with_error(fit["exponent"], fit["stderr"]) if fit else "-")
        regression = one["regression"]
        rows.append([*cells, "{}-{}".format(*regression["ranks"]) if regression else "-"])
    print("Exponent alpha of frequency against rank, p_r ~ r^-alpha (Zipf's; text has about 1):")
    print_table(["corpus", "tokens", "distinct", "likelihood", "split half", "regression", "over ranks"], rows)
    for name, one in corpora.items():
        half = one["split_half"]["exponent"]
        print(f"{name}: alpha = {half:.3f} by split halves; "
              f"{'all of the corpus' if one['whole_corpus'] else 'the first part of the corpus'}.")  # fmt: skip
    print(f"Counts: {out}")


@app.command()
def loss(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Folder or hub id of a causal model.")],
    corpus: CorpusOption,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Table, .csv; what it holds is kept.")],
    document: DocumentOption = "words:1024",
    max_length: LengthOption = 2048,
    documents: DocumentsOption = 1000,
    batch_tokens: BatchOption = 4096,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    field: FieldOption = "text",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Measure anew what the table holds.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Next-token cross-entropy of each model on each corpus; exit code 1 if one failed."""
    from superlaw.cli.output import print_json, progress_bar
    from superlaw.lm.loss import measure_losses
    from superlaw.lm.loss_table import LossOptions

    check_output(out, (".csv",), overwrite=True)  # a table is continued, anything else refused as it is read
    options = LossOptions(document, max_length, documents, batch_tokens, dtype, device)
    corpora = parse_corpora(corpus, field)
    check_apart({"-o": out, **{f"--corpus {one.name}": Path(one.source) for one in corpora}})
    with progress_bar("losses", "documents", silent=as_json) as bar:
        report = (lambda m, c, done, total: bar.update(done, total, f"{m} on {c}")) if bar else None
        rows = measure_losses(models, corpora, options, out, report, overwrite)
    if as_json:
        print_json({"losses": rows, "path": out})
    else:
        _print_losses(rows, out)
    if any(row.status != "ok" for row in rows):
        raise typer.Exit(1)


def _print_losses(rows: list[Any], out: Path) -> None:
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import in_short, with_error

    header = ["model", "corpus", "nats/token", "bits/byte", "tokens", "documents", "cut at", "special tokens"]
    cells = []
    for row in rows:
        if row.status == "ok":
            shown = with_error(row.loss, row.stderr)
            counts = [in_short(row.tokens), str(row.n_documents), str(row.context)]
            cells.append([row.model, row.corpus, shown, number(row.bits_per_byte), *counts, row.bos])
        else:
            cells.append([row.model, row.corpus, "failed", "-", "-", "-", "-", "-"])
    print_table(header, cells, left=(0, 1))
    for row in rows:
        if row.status != "ok":
            print(f"failed {row.model} on {row.corpus}: {row.message}")
    print(f"Table: {out}")


@app.command()
def study(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="Family file (TOML), or paper: its 27 models.")],
    corpus: CorpusOption,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder; what it holds is kept.")],
    document: DocumentOption = "words:1024",
    max_length: LengthOption = 2048,
    documents: DocumentsOption = 1000,
    batch_tokens: BatchOption = 4096,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    max_tokens: Annotated[int, typer.Option(help="Counted of each corpus.")] = 1_000_000,
    field: FieldOption = "text",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Heads, tokens and losses of a family, and the joint fit of loss on width; exit code 1 if one failed."""
    from superlaw.cli.output import print_json, progress_bar
    from superlaw.lm.families import load_family
    from superlaw.lm.loss_table import LossOptions
    from superlaw.studies import language_models

    models, corpora = load_family(family), parse_corpora(corpus, field)
    options = LossOptions(document, max_length, documents, batch_tokens, dtype, device)
    with progress_bar("study", "steps", silent=as_json) as bar:
        report = (lambda what, done, total: bar.update(done, total, what)) if bar else None
        found = language_models.study(models, corpora, out, options, max_tokens, report, overwrite=overwrite,
                                      command=typed())  # fmt: skip
    print_json(found.to_dict()) if as_json else _print_study(found)
    if found.failures:
        raise typer.Exit(1)


def _print_study(found: Any) -> None:
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import with_error

    header = ["model", "family", "m", "depth", "corpus", "nats/token", "overlap^2", "x m", "Zipf alpha"]
    rows = []
    for row in found.rows():
        loss = with_error(row["loss"], row["stderr"]) if row["loss"] is not None else "-"
        rows.append([row["model"], row["family"], str(row["width"]), str(row["depth"]), row["corpus"], loss,
                     number(row["mean_square_overlap"]), number(row["overlap_times_width"], 3),
                     number(row["zipf_exponent"], 3)])  # fmt: skip
    print_table(header, rows, left=(0, 1, 4))
    print()
    if found.fit:
        fitted = [[k, f"{v.value:.4g}", f"{v.low:.4g} to {v.high:.4g}"] for k, v in found.fit.params.items()]
        print_table(["parameter", "value", "95 % interval"], fitted, left=(0, 2))
        print()
    for sentence in found.sentences():
        print(sentence)
    for what, reason in found.failures.items():
        print(f"failed {what}: {reason}")
    print(f"Study: {found.folder / 'study.json'}, {found.folder / 'study.png'}, {found.folder / 'losses.csv'}")
    print(f"Report: {found.folder / 'report.html'}")
