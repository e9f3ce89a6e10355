"""Every format that superlaw reads: a good example, how to spoil it, and the commands that read it.

A new format joins by one entry in FORMATS: ``write`` makes a whole example in an empty folder, ``target`` names
the files that are spoilt, ``spoil`` knows their structure, ``commands`` read them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from expressions import HANDWRITTEN, expression
from harness import Case
from mutators import (
    Mutator,
    mutate_bytes,
    mutate_csv,
    mutate_json,
    mutate_lines,
    mutate_text,
    mutate_toml,
    odd_value,
)
from spoilers import spoil_npy, spoil_parquet, spoil_run, spoil_safetensors

import examples
from examples import frame

FAILED_SOME = (1,)  # commands that do all they can and say by exit code 1 that a part failed


@dataclass(frozen=True)
class Format:
    """A format, and how it is attacked."""

    name: str
    write: Callable[[Path], None]
    target: str
    spoil: Mutator
    commands: tuple[str, ...]
    codes: tuple[int, ...] = ()
    may_change: tuple[str, ...] = ()
    weight: int = 1  # of its share in a campaign

    def example(self, folder: Path) -> Path:
        """A good example in a new folder."""
        folder.mkdir(parents=True)
        self.write(folder)
        return folder

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        """A spoilt copy of the example and one command that reads it."""
        shutil.copytree(example, folder, symlinks=True)
        target = rng.choice(sorted(folder.glob(self.target)))
        content = target.read_bytes()
        spoilt = (self.spoil if rng.random() < 0.65 else mutate_bytes)(content, rng)
        if rng.random() < 0.1:
            spoilt = mutate_bytes(spoilt, rng)
        target.write_bytes(spoilt)
        return self.command(rng.choice(self.commands), folder)

    def command(self, text: str, folder: Path) -> Case:
        return Case(tuple(text.split()), folder, self.codes, self.may_change)

    @property
    def every_command(self) -> tuple[str, ...]:
        """All commands, to be run on the good example."""
        return self.commands

    def good(self, command: str, folder: Path) -> str:
        """The command, once the example in the folder is made ready for it."""
        return command


class Fits(Format):
    """A spoilt fit is named fit.json for the commands, whichever it was."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        shutil.copytree(example, folder)
        shutil.copy(rng.choice(sorted(folder.glob(self.target))), folder / "fit.json")
        return replace(self, target="fit.json").renamed(folder, rng)

    def good(self, command: str, folder: Path) -> str:
        law = (
            "chinchilla"
            if "--flops" in command
            else "additive"
            if "--fit" in command or "--params" in command
            else "power"
        )
        shutil.copy(folder / f"{law}.json", folder / "fit.json")
        return command.partition(" --at")[0]

    def renamed(self, folder: Path, rng: Random) -> Case:
        fit = folder / "fit.json"
        fit.write_bytes((self.spoil if rng.random() < 0.65 else mutate_bytes)(fit.read_bytes(), rng))
        return self.command(rng.choice(self.commands), folder)


@dataclass(frozen=True)
class Mixed(Format):
    """Several files of several kinds, each spoilt in its own way, each read by commands of its own."""

    kinds: tuple[tuple[str, Mutator, tuple[str, ...]], ...] = ()

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        target, spoil, commands = rng.choice(self.kinds)
        one = Format(self.name, self.write, target, spoil, commands, self.codes, self.may_change)
        return one.case(example, folder, rng)

    @property
    def every_command(self) -> tuple[str, ...]:
        return tuple(command for *_, commands in self.kinds for command in commands)


@dataclass(frozen=True)
class Expressions(Format):
    """--where and --let of a good table."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        text = rng.choice(HANDWRITTEN) if rng.random() < 0.3 else expression(rng)
        if rng.random() < 0.15:
            text = mutate_bytes(text.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "ignore")
        return self.of(text, example, folder, rng)

    def of(self, text: str, example: Path, folder: Path, rng: Random) -> Case:
        """The case of one expression."""
        shutil.copytree(example, folder)
        text = text.replace("\x00", "")  # which no command line can hold
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:120_000]
        if rng.random() < 0.5:
            given = ("law", "fit", "t.csv", "--law", "power:width", "--interval", "none", "--json", "--where", text)
        elif rng.random() < 0.5:
            given = ("law", "fit", "t.csv", "--law", "power:z", "--interval", "none", "--json", "--let", f"z={text}")
        else:
            given = ("figure", "exponents", "--store", "runs.csv", "-o", "f.svg", "--where", text)
        return Case(given, folder)


@dataclass(frozen=True)
class Typed(Format):
    """Options that are numbers, names, lists: each given what it does not expect."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        shutil.copytree(example, folder)
        words = list(rng.choice(self.commands).split())
        places = [i for i, word in enumerate(words) if i > 0 and not word.startswith("-")]
        i = rng.choice(places)
        head, equals, _tail = words[i].rpartition("=")
        odd = odd_value(rng, 3)
        text = rng.choice(
            (
                str(odd),
                str(odd),
                words[i] + "," + words[i],
                "",
                "-1",
                "nan",
                "inf",
                "1e400",
                "\n",
                "a b",
                "=",
                ",",
                "=,=",
                "0x1",
                "१२",
                "1e9",
                "--",
                "--json",
                "٣",
                "1" * 5000,
            )
        )[:100_000]
        words[i] = (head + equals + text) if equals and rng.random() < 0.6 else text
        words = [w.replace("\x00", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace") for w in words]
        # a number that is a lot of work when it is taken is no attack: the command may say so and begin
        return Case(tuple(words), folder, self.codes, self.may_change)


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
