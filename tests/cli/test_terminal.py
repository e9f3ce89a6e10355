"""What a person's terminal gets: lines that fit, warnings that are seen, no colour where none is wanted, progress that
fits, and words that are completed."""

from __future__ import annotations

import io
import json

import pytest

from superlaw.cli.options import numbers
from superlaw.cli.terminal import Printable, broken, columns, fitted, styled
from superlaw.errors import InputError
from superlaw.files.numbers import in_short, rounded, scaled, with_error
from superlaw.files.progress import ProgressLine, progress_line
from superlaw.laws.intervals import Method
from superlaw.toy.spec import RunSpec


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_prose_is_broken_at_the_terminals_width_and_keeps_its_words():
    text = "WARNING: " + " ".join(f"word{i}" for i in range(60))
    lines = fitted(text, 40).splitlines()
    assert all(len(line) <= 40 for line in lines) and " ".join(" ".join(lines).split()) == text
    assert all(line.startswith("  ") for line in lines[1:])
    assert broken("x" * 90, 40) == ["x" * 90]  # a path stays whole


def test_a_command_to_copy_goes_on_behind_a_backslash():
    line = "  do: superlaw sweep run weight-decay-grid --store some/very/long/folder/of/runs --seeds 0,1,2"
    lines = broken(line, 50)
    assert len(lines) > 1 and all(one.endswith(" \\") for one in lines[:-1]) and max(map(len, lines)) <= 50
    assert " ".join("".join(one.removesuffix("\\") for one in lines).split()) == " ".join(line.split())


def test_a_table_that_is_wider_says_so_and_stays_whole():
    table = "a" * 30 + "  " + "b" * 30
    assert fitted(f"text\n{table}\nmore", 40) == f"text\n(table, 62 columns wide:)\n{table}\nmore"
    assert fitted(table, 80) == table
    assert fitted(f"\x1b[1m{table}\x1b[0m", 62) == f"\x1b[1m{table}\x1b[0m"  # bold takes no room


def test_what_programs_read_is_neither_broken_nor_coloured():
    out = Terminal()
    shown = Printable(out, 20, style=True)
    text = "WARNING: " + "word " * 20
    print(text, file=shown.whole)
    assert out.getvalue() == text + "\n"
    print("WARNING: so", file=shown)
    assert out.getvalue().endswith("\x1b[1;33mWARNING:\x1b[0m so\n")
    print("a\x1b[31mb\x1b[2J", file=shown)
    assert out.getvalue().endswith("a\\x1b[31mb\\x1b[2J\n")  # of others, no style passes


def test_no_color_and_dumb_terminals_get_none_and_pipes_are_left_whole(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled(Terminal()) and not styled(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not styled(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not styled(Terminal())
    monkeypatch.setenv("COLUMNS", "57")
    assert columns(Terminal()) == 57 and columns(io.StringIO()) is None


@pytest.mark.parametrize("width", [10, 20, 40, 79])
def test_the_progress_line_fits(width):
    for name, done, total, seconds, note in (
        ("weight-decay-grid-medium", 999, 1020, 86_000.0, "loss 0.000431, 12 failed"), ("m = 25", 0, 20_000, 0.0, ""),
        ("corpus", 10**9, 0, 3.0, "x" * 300),
    ):  # fmt: skip
        line = progress_line(name, done, total, seconds, "documents", note, width)
        assert len(line) <= width and "\n" not in line
        assert width < 40 or f"{done:,}" in line


def test_progress_is_shown_now_and_then_and_at_the_end():
    shown = []
    line = ProgressLine(shown.append, "a", "runs", every=3600)
    for done in range(101):
        line.update(done, 100)
    assert len(shown) == 2 and "0/100" in shown[0] and "100/100" in shown[1]


def test_quiet_is_quiet_and_verbose_says_how_long_it_took(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("train", "--n-features", 20, "--width", 3, "--steps", 10, "--batch", 16, "--warmup", 1)
    loud = command(*small, "-v")
    assert loud[0] == 0 and "superlaw 0." in loud[2] and "of memory" in loud[2] and "10/10" in loud[2]
    code, out, err = command(*small, "--seed", 1, "-q")
    assert (code, err) == (0, "") and "loss" in out
    code, _, err = command(*small, "-q", "-v")
    assert code == 2 and "one of the two" in err


def test_words_are_completed(command, monkeypatch):
    monkeypatch.setenv("_SUPERLAW_COMPLETE", "complete_bash")
    for words, expected in (
        ("superlaw swe", "sweep"),
        ("superlaw law pre", "predict"),
        ("superlaw demo --te", "--text"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert expected in command()[1].split()


def test_sizes_are_read_as_people_write_them(command):
    by_letter = command("shape", "best", "--params", "1B", "--json")
    assert by_letter == command("shape", "best", "--params", "1e9", "--json") and by_letter[0] in (0, 2)
    for text in ("1x", "1.5.5B", "B"):
        assert command("train", "--steps", text)[0] == 2
    for size in (1, 999, 1e3, 12_345, 9.994e5, 1e6, 9.2e9, 4.03e8, 1e12):
        written = in_short(size)
        value = scaled(written)
        assert float(written if value is None else value) == pytest.approx(size, rel=6e-3), written


def test_whole_numbers_keep_every_digit(command, tmp_path):
    seed = 2**53 + 1  # no double is this number
    arguments = ("train", "--n-features", 20, "--width", 2, "--steps", 2, "--batch", 4, "--warmup", 0, "--json")
    for i, said in enumerate((seed, 2**64 - 1)):
        out = command(*arguments, "--seed", said, "--out", tmp_path / f"{i}.safetensors")[1]
        assert json.loads(out)["spec"]["seed"] == said
    assert numbers("--seeds", f"{seed},1e3") == (seed, 1000)


def test_numbers_have_the_figures_that_their_errors_allow():
    for value, error in ((0.98123, 0.0812), (12345.6, 21.0), (6.41234e13, 2.2e11), (3.1e-7, 4.4e-9), (0.0, 0.3)):
        shown = float(rounded(value, error))
        assert abs(shown - value) <= 0.051 * error
        assert len(rounded(error, error).replace(".", "").strip("0").split("e")[0]) <= 2 + (error >= 100)
    assert with_error(float("nan"), 1.0) == "-" and with_error(2.0, float("nan")) == "2"


def test_what_is_known_is_listed_once():
    for make in (lambda: Method("xyzzy"), lambda: RunSpec(schedule="xyzzy"), lambda: RunSpec(optimizer="qq")):
        with pytest.raises(InputError) as error:
            make()
        assert "known:" not in str(error.value) and "one of" in str(error.value)
    with pytest.raises(InputError, match="did you mean sandwich"):
        Method("sandwhich")
