"""Pages as programs: what they show is run in its order, and what they say it prints is held against what it prints.

A block is run by its language: ``sh`` (lines that begin with superlaw, or with python and a script of the page or of
this repository), ``python`` (blocks of a page share their names). Any other block stands there to be read. A comment
before a block says what is not plain:

    <!-- not run: why -->              a block that looks like commands and is none for a test
    <!-- file: runs.toml -->           what follows is the content of a file
    <!-- within 10 % -->               how far numbers of the output that follows may be from those shown (2 %)
    <!-- in a test: --steps 60 -->     options with which trainings are made smaller, in place of theirs

A ``text`` block that follows directly is what was printed: words as they stand, numbers within the stated distance, and
``...`` for any words between.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from conftest import ROOT

Command = Callable[..., tuple[int, str, str]]
RUN = ("sh", "python")
NOT_RUN, FILE, WITHIN, SMALLER = "not run", "file", "within", "in a test"
BLOCK = re.compile(r"(?P<marks>(?:^<!-- [^\n]+ -->\n+)*)^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
MARK = re.compile(r"<!-- (not run|file|in a test): (.+?) -->|<!-- (within) ([\d.]+) % -->")
COMMANDS = re.compile(r"^(superlaw|python|pytest|pip|make|dask|sbatch|srun|git|for) ?", re.M)
TRAININGS = ("train ", "demo", "sweep run ", "reproduce ", "shape capacity ")
NUMBER = re.compile(r"[-+−]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
USUAL = 2.0  # per cent
ROUNDING = 1e-9  # what is smaller, as a scaled gradient, is noise of the last place


@dataclass(frozen=True)
class Block:
    """A fenced block, what it is written in, and what the comments before it say."""

    language: str
    text: str
    marks: dict[str, str]
    follows: bool  # nothing but white space stands between it and the block before

    @property
    def lines(self) -> list[str]:
        """Lines of commands, those that go on joined, without comments."""
        joined = self.text.replace("\\\n", " ").splitlines()
        return [text for line in joined if (text := re.split(r"\s+#(?: |$)", line)[0].strip())]


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page that stand at its margin."""
    text, found, end = page.read_text(), [], 0
    for match in BLOCK.finditer(text):
        marks = {one or within: said or number for one, said, within, number in MARK.findall(match["marks"])}
        follows = not text[end : match.start()].strip() and end > 0
        found.append(Block(match["language"], match["text"], marks, follows))
        end = match.end()
    return found


def play(page: Path, command: Command, folder: Path) -> int:
    """Run a page in ``folder``, which is where the test stands; the number of blocks that were run."""
    names: dict[str, object] = {"__name__": "page"}
    printed, count = "", 0
    for block in blocks(page):
        if FILE in block.marks:
            (folder / block.marks[FILE]).write_text(block.text)
        elif NOT_RUN in block.marks:
            printed = ""
        elif block.language == "sh":
            printed, count = "".join(_run(block, command)), count + 1
        elif block.language == "python":
            out = StringIO()
            with redirect_stdout(out):
                exec(compile(block.text, page.name, "exec"), names)
            printed, count = out.getvalue(), count + 1
        elif block.language == "text" and block.follows and printed:
            wrong = difference(block.text, printed, float(block.marks.get(WITHIN, USUAL)))
            assert not wrong, f"{page.name}: {wrong}\n--- shown\n{block.text}\n--- printed\n{printed}"
    return count


def _run(block: Block, command: Command) -> Iterator[str]:
    for line in block.lines:
        program, *arguments = shlex.split(line)
        if SMALLER in block.marks and " ".join(arguments).startswith(TRAININGS):
            arguments = smaller(arguments, block.marks[SMALLER].split())
        if program == "superlaw":
            code, out, err = command(*arguments)
        else:
            place = Path.cwd() if Path(arguments[0]).is_file() else ROOT
            assert program == "python" and (place / arguments[0]).is_file(), line
            script = [sys.executable, str(place / arguments[0]), *arguments[1:]]
            done = subprocess.run(script, capture_output=True, text=True)
            code, out, err = done.returncode, done.stdout, done.stderr
        assert code == 0, (line, err)
        yield out


def smaller(arguments: list[str], options: list[str]) -> list[str]:
    """Arguments with these options in place of their own."""
    found = list(arguments)
    for name, value in zip(options[::2], options[1::2], strict=True):
        if name in found:
            found[found.index(name) + 1] = value
        else:
            found += [name, value]
    return found


def difference(shown: str, printed: str, per_cent: float) -> str:
    """How an output differs from what is shown of it; "" where it does not."""
    pieces = [piece.split() for piece in re.split(r"\.\.\.(?=\s|$)", shown)]
    words, at = printed.split(), 0
    for k, piece in enumerate(pieces):
        starts = [at] if k == 0 else range(at, len(words) - len(piece) + 1)
        start = next((i for i in starts if _alike(piece, words[i : i + len(piece)], per_cent)), None)
        if start is None:
            instead = "" if k else f" (but: {' '.join(words[: len(piece)])[:300]})"
            return f"not printed: {' '.join(piece)[:300]}{instead}"
        at = start + len(piece)
    return "" if at == len(words) or not pieces[-1] else f"printed too: {' '.join(words[at:])[:300]}"


def _alike(shown: list[str], printed: list[str], per_cent: float) -> bool:
    return len(shown) == len(printed) and all(
        one == other or _near(one, other, per_cent) for one, other in zip(shown, printed, strict=True)
    )


def _near(shown: str, printed: str, per_cent: float) -> bool:
    """The same word but for its numbers, which are near."""
    if NUMBER.sub("0", shown) != NUMBER.sub("0", printed):
        return False
    mine, theirs = ([_number(text) for text in NUMBER.findall(word)] for word in (shown, printed))
    return all(abs(a - b) <= per_cent / 100 * max(abs(a), abs(b)) + ROUNDING for a, b in zip(mine, theirs, strict=True))


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))
