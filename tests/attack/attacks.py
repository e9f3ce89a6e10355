"""How a format is attacked: a good example, a spoilt copy of it, and a command that reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from expressions import HANDWRITTEN, expression
from harness import Case
from mutators import Mutator, mutate_bytes, odd_value


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
        return command.partition(" --at ")[0] if "optimum" in command else command

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
