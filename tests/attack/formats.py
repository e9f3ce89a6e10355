"""Every format that superlaw reads: a good example, how to spoil it, and the commands that read it.

A new format joins by one entry in FORMATS: ``write`` makes a whole example in an empty folder, ``target`` names
the files that are spoilt, ``spoil`` knows their structure, ``commands`` read them.
"""

from __future__ import annotations

from pathlib import Path

from attacks import Expressions, Fits, Format, Mixed, Typed
from mutators import mutate_bytes, mutate_csv, mutate_json, mutate_lines, mutate_text, mutate_toml
from spoilers import (
    spoil_events,
    spoil_gguf,
    spoil_gzip,
    spoil_npy,
    spoil_parquet,
    spoil_run,
    spoil_safetensors,
    spoil_xlsx,
)

import examples
from examples import frame

FAILED_SOME = (1,)  # commands that do all they can and say by exit code 1 that a part failed
TRAIN = "--width 2 --steps 2 --batch 8 --warmup 1 --out out.safetensors --json"

FITS = tuple(Path(__file__).with_name("fits.txt").read_text().splitlines())  # options of law fit


def fits(table: str) -> tuple[str, ...]:
    """The ways a table is read for a fit."""
    more = (f"law compare {table} --law power:width --law additive:width,tokens --folds 2 --json",)
    return (*(f"law fit {table} {options}" for options in FITS), *more)


def write_csv(folder: Path) -> None:
    frame().to_csv(folder / "t.csv", index=False)


def write_jsonl(folder: Path) -> None:
    frame().to_json(folder / "t.jsonl", orient="records", lines=True)


def write_parquet(folder: Path) -> None:
    frame().to_parquet(folder / "t.parquet")


def looks(table: str) -> tuple[str, ...]:
    """The ways a table is looked at."""
    return (f"law look {table}", f"law look {table} --json")


def folder_fits(folder: str, law: str) -> tuple[str, ...]:
    """The ways a folder of runs is read."""
    line = f"law fit {folder} --law {law} --interval none"
    return (f"{line} --json", f"{line} --missing drop", *looks(folder))


def logged(law: str) -> tuple[str, ...]:
    """And one that was logged along its steps."""
    line = f"law fit runs --law {law} --interval none --along-steps --missing drop --json"
    return (*folder_fits("runs", law), line, "law look runs --along-steps --json")


HISTORY = "additive:width,depth --loss eval/c4/CrossEntropyLoss"
TYPED = tuple(Path(__file__).with_name("typed.txt").read_text().splitlines())  # command lines with every kind of option
FORMATS = {
    one.name: one
    for one in (
        Format(
            "run",
            examples.write_run,
            "run.safetensors",
            spoil_run,
            (
                "show run.safetensors",
                "show run.safetensors --json",
                "show run.safetensors --groups --json",
                "train --spec run.safetensors --steps 2 --warmup 1 --out out.safetensors --json",
            ),
            weight=2,
        ),
        Format(
            "store",
            examples.write_store,
            "store/*.safetensors",
            spoil_run,
            (
                "sweep status plan.toml --store store --json",
                "sweep verify --store store --keep --json",
                "sweep gather store -o g.csv",
                "sweep table plan.toml --store store -o t2.csv",
                "sweep status plan.toml --store store",
                "figure exponents --store store -o f.svg",
                "figure strong --store store -o f.svg --json",
                "sweep run plan.toml --store store --dry-run --json",
                "sweep grid plan.toml --store store -o g.nc",
                "sweep verify --store store",
            ),
            codes=FAILED_SOME,
            weight=3,
        ),
        Format(
            "spec",
            examples.write_store,
            "spec.json",
            mutate_json,
            ("train --spec spec.json --steps 2 --warmup 1 --batch 8 --out out.safetensors --json",),
        ),
        Format(
            "plan",
            examples.write_plan,
            "plan.toml",
            mutate_toml,
            (
                "sweep run plan.toml --store s --dry-run --json",
                "sweep run plan.toml --store s --dry-run",
                "sweep status plan.toml --store s --json",
                "sweep table plan.toml --store s -o t.csv",
                "sweep status plan.toml --store s --only width=2",
            ),
            weight=2,
        ),
        Format(
            "gathered",
            examples.write_gathered,
            "runs.csv",
            mutate_csv,
            (
                "sweep gather runs.csv -o g.csv",
                "figure exponents --store runs.csv -o f.svg",
                "figure strong --store runs.csv -o f.svg --json",
                "figure overview --store runs.csv -o f.svg",
                "figure exponents --store runs.csv -o f.svg --where width>=2",
            ),
            weight=2,
        ),
        Format("csv", write_csv, "t.csv", mutate_csv, fits("t.csv"), weight=3),
        Format("jsonl", write_jsonl, "t.jsonl", mutate_lines, fits("t.jsonl"), weight=2),
        Format(
            "parquet",
            write_parquet,
            "t.parquet",
            spoil_parquet,
            fits("t.parquet"),
            weight=2,
        ),
        Format(
            "gzip", examples.write_tables, "t.csv.gz", spoil_gzip, (*fits("t.csv.gz"), *looks("t.csv.gz")), weight=2
        ),
        Format("xlsx", examples.write_tables, "t.xlsx", spoil_xlsx, (*fits("t.xlsx"), *looks("t.xlsx"))),
        Mixed(
            "look",
            examples.write_tables,
            "",
            mutate_bytes,
            (),
            kinds=(
                ("t.csv", mutate_csv, looks("t.csv")),
                ("t.jsonl", mutate_lines, looks("t.jsonl")),
                ("t.parquet", spoil_parquet, looks("t.parquet")),
            ),
        ),
        Mixed(
            "json",
            examples.write_json_tables,
            "",
            mutate_bytes,
            (),
            kinds=tuple(
                (
                    name,
                    mutate_json,
                    (
                        f"law fit {name} --law power:width --interval none --json",
                        f"law fit {name} --law power:width --missing drop",
                        *looks(name),
                    ),
                )
                for name in ("rows.json", "columns.json", "cells.json", "named.json", "grid.json")
            ),
            weight=2,
        ),
        Mixed(
            "trainer",
            examples.write_trainer,
            "",
            mutate_bytes,
            (),
            kinds=(
                ("runs/*/*/trainer_state.json", mutate_json, logged("power:width --loss eval_loss")),
                ("runs/*/*/config.json", mutate_json, logged("power:width --loss eval_loss")),
            ),
        ),
        Format("events", examples.write_events, "runs/*/*", spoil_events, logged("additive:width,depth")),
        Format("histories", examples.write_histories, "runs/*", mutate_csv, logged(HISTORY)),
        Mixed(
            "results",
            examples.write_results,
            "",
            mutate_bytes,
            (),
            kinds=(
                ("harness/*/*", mutate_json, folder_fits("harness", "power:N --loss wikitext/bits_per_byte")),
                ("models/*", mutate_json, folder_fits("models", "additive:d,l --loss c4_val/loss")),
                ("results.jsonl", mutate_lines, looks("results.jsonl")),
            ),
        ),
        Fits(
            "fit",
            examples.write_fits,
            "[acgp]*.json",
            mutate_json,
            (
                "law optimum fit.json --flops 1e18 --json",
                "law optimum fit.json --loss 2.0 --of width --at tokens=1e9 --at depth=2 --at family=a --json",
                "law optimum fit.json --params 1e6",
                "shape best --params 1e9 --fit fit.json --json",
                "shape best --params 1e9 --fit fit.json --plot f.svg",
                "shape compare --a width=64,depth=4 --b width=32,depth=8 --fit fit.json --json",
                "law optimum fit.json --loss 2.0",
                "law optimum fit.json --flops 1e16:1e19:3 --plot f.svg",
                "law predict fit.json --at width=64 --json",
                "law backtest fit.json --cost width --cut 100 --json",
                "law next fit.json --budget 2000 --cost width --runs 3 --sets 3 --json",
                "law gain fit.json fit2.json --at-loss 1.9 --json",
                "law plot fit.json residuals -o f.svg",
                "law plot fit.json profile -o f.svg",
            ),
            weight=3,
        ),
        Mixed(
            "counts",
            examples.write_counts,
            "",
            mutate_bytes,
            (),
            kinds=(
                (
                    "counts.json",
                    mutate_json,
                    (
                        f"train --frequencies counts.json {TRAIN}",
                        "lm head head.npy --tokens counts.json --json",
                        "lm head head.npy --tokens counts.json",
                    ),
                ),
                ("list.json", mutate_json, (f"train --frequencies list.json {TRAIN}",)),
                ("counts.csv", mutate_csv, (f"train --frequencies counts.csv {TRAIN}",)),
                ("prose.txt", mutate_text, (f"train --text prose.txt {TRAIN}",)),
            ),
            weight=2,
        ),
        Mixed(
            "head",
            examples.write_heads,
            "",
            mutate_bytes,
            (),
            kinds=(
                (
                    "head.npy",
                    spoil_npy,
                    (
                        "lm head head.npy",
                        "lm head head.npy --json",
                        "lm head head.npy --centre --json --plot f.svg",
                        "lm head head.npy --pairs exact --leave-out duplicate",
                    ),
                ),
                (
                    "head.safetensors",
                    spoil_safetensors,
                    (
                        "lm head head.safetensors --json",
                        "lm head head.safetensors --tensor model.embed_tokens.weight",
                        "lm head head.safetensors --centre --plot f.svg",
                    ),
                ),
                ("head.npz", mutate_bytes, ("lm head head.npz --json", "lm head head.npz --tensor W --transpose")),
                (
                    "model/*.safetensors",
                    spoil_safetensors,
                    ("lm head model --json", "lm head model --tensor model.embed_tokens.weight --json"),
                ),
                ("model/*index.json", mutate_json, ("lm head model --json",)),
                (
                    "model/config.json",
                    mutate_json,
                    (
                        "lm head model --json",
                        "shape compare --a model --b width=32,depth=8 --json",
                        "shape compare --a model/config.json --b model --vocabulary 20",
                    ),
                ),
                (
                    "model/tokenizer.json",
                    mutate_json,
                    ("lm head model --json", "lm head model --leave-out padded --leave-out duplicate"),
                ),
            ),
            weight=3,
        ),
        Format(
            "gguf",
            examples.write_gguf,
            "head.gguf",
            spoil_gguf,
            (
                "lm head head.gguf --json",
                "lm head head.gguf --tensor token_embd.weight",
                "lm head head.gguf --centre --ranks-by-id --plot f.svg",
                "lm head head.gguf --leave-out padded --leave-out duplicate --json",
                "lm head --raw head.gguf:f16:20:32:1500 --json",
            ),
            weight=2,
        ),
        Mixed(
            "family",
            examples.write_family,
            "",
            mutate_bytes,
            (),
            codes=FAILED_SOME,
            may_change=("study",),
            kinds=(
                (
                    "family.toml",
                    mutate_toml,
                    (
                        "lm study family.toml --corpus a=a.txt -o study --json",
                        "lm study family.toml --corpus a=a.txt -o study",
                    ),
                ),
            ),
        ),
        Mixed(
            "losses",
            examples.write_losses,
            "",
            mutate_bytes,
            (),
            codes=FAILED_SOME,
            kinds=(
                (
                    "losses.csv",
                    mutate_csv,
                    (
                        "lm loss ./m4 ./m8 --corpus a=a.txt -o losses.csv --json",
                        "lm loss ./m4 ./m8 --corpus a=a.txt -o losses.csv",
                    ),
                ),
            ),
        ),
        Mixed(
            "study",
            examples.write_study,
            "",
            mutate_bytes,
            (),
            codes=FAILED_SOME,
            may_change=("study",),
            kinds=(
                (
                    "study/study.json",
                    mutate_json,
                    ("figure llm --study study -o f.svg", "figure llm --study study -o f.svg --json"),
                ),
                (
                    "study/losses.csv",
                    mutate_csv,
                    ("figure llm --study study -o f.svg", "lm study family.toml --corpus a=a.txt -o study --json"),
                ),
                (
                    "study/*/*.json",
                    mutate_json,
                    ("lm study family.toml --corpus a=a.txt -o study --json", "figure llm --study study -o f.svg"),
                ),
            ),
        ),
        Mixed(
            "corpus",
            examples.write_corpora,
            "",
            mutate_bytes,
            (),
            kinds=(
                (
                    "a.txt",
                    mutate_text,
                    (
                        "lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json --json",
                        "lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json",
                    ),
                ),
                (
                    "a.jsonl",
                    mutate_lines,
                    ("lm tokens --tokenizer tokenizer.json --corpus a=a.jsonl -o c.json --json",),
                ),
                (
                    "a.parquet",
                    mutate_bytes,
                    ("lm tokens --tokenizer tokenizer.json --corpus a=a.parquet -o c.json --json",),
                ),
                (
                    "tokenizer.json",
                    mutate_json,
                    (
                        "lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json --json",
                        "lm tokens --tokenizer . --corpus a=a.jsonl -o c.json",
                    ),
                ),
            ),
            weight=2,
        ),
        Expressions("expression", examples.write_expressions, "", mutate_bytes, (), weight=3),
        Typed(
            "typed",
            examples.write_typed,
            "",
            mutate_bytes,
            TYPED,
            codes=FAILED_SOME,
            may_change=("store", "s2"),
            weight=2,
        ),
    )
}
