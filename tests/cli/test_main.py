"""The command as a whole: its helps, its version, tables in pipes, and the boundary for errors nobody foresaw."""

from __future__ import annotations

import resource
import subprocess
import sys
from importlib.metadata import version

import pytest
from app_commands import commands

from superlaw.files.columns import in_columns, printable


def superlaw(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "superlaw", *arguments], capture_output=True, text=True, **options)


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_help_shows_every_help_text_whole(path, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, _ = command(*path, "-h")
    assert code == 0 and shown == command(*path, "--help")[1]
    flat = "".join(shown.split())  # lines may break at a hyphen
    one = dict(commands())[path]
    for parameter in one.params:
        assert "".join((parameter.help or "").split()) in flat, parameter.name


def test_defaults_in_brackets_are_shown(command):
    assert "Processes [all cores]." in command("demo", "--help")[1]
    assert "Width" in command("--help")[1] and "-h, --help" in command("--help")[1]


@pytest.mark.parametrize("path", [(), ("law",), ("study",)], ids=str)
def test_without_a_command_the_help_is_shown(path, command):
    code, shown, said = command(*path)
    assert (code, said) == (0, "") and shown == command(*path, "--help")[1]


def test_the_version_is_the_packages(command):
    assert command("--version") == (0, f"superlaw {version('superlaw')}\n", "")


def test_help_is_quick():
    def seconds() -> float:
        """Of the processor, which other processes beside this test do not lengthen."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert superlaw("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


def test_an_error_nobody_foresaw_is_one_line_that_says_how_to_report_it(command, monkeypatch, tmp_path):
    def broken(*_):
        raise TypeError("a\x1b[31m\nb")

    monkeypatch.setattr("superlaw.toy.run.load_run", broken)
    code, out, err = command("show", tmp_path / "run.safetensors")
    assert code == 70 and out == "" and err.count("\n") == 1 and "\x1b" not in err
    assert "TypeError" in err and "report it" in err and "superlaw --debug" in err
    code, _, err = command("--debug", "show", tmp_path / "run.safetensors")
    assert code == 70 and "Traceback" in err and 'raise TypeError("a' in err
    assert command("show", tmp_path / "run.safetensors")[2].count("\n") == 1  # --debug was for that call alone


def test_ctrl_c_while_modules_load_is_one_line():
    code = (
        "import sys, types\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'superlaw.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from superlaw.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr == "superlaw: interrupted; nothing half-written\n"


@pytest.mark.parametrize("columns", ["20", "400"])
def test_a_table_in_a_pipe_is_plain_and_whole_whatever_the_terminal(columns):
    import os

    done = superlaw("sweep", "list", env={**os.environ, "COLUMNS": columns, "FORCE_COLOR": "1"})
    assert done.stdout == superlaw("sweep", "list").stdout
    assert "\x1b" not in done.stdout and "…" not in done.stdout
    from superlaw.sweeps.plan import load_plan, preset_names

    lines = done.stdout.splitlines()
    assert len(lines) == 1 + len(preset_names())
    for name, line in zip(preset_names(), lines[1:], strict=True):
        assert line.split()[:2] == [name, str(len(load_plan(name).cells))] and line.endswith(load_plan(name).about)


def test_a_table_keeps_markup_wide_letters_and_long_numbers_as_they_are():
    long = "1" * 300
    shown = in_columns(["name", "value", "note"], [["[bold]x[/bold]", long, ":smile:"], ["宽", "2", ""]]).splitlines()
    assert shown[1] == f"[bold]x[/bold]  {long}  :smile:"
    assert shown[2].startswith("宽" + " " * 14) and shown[2].endswith("2") and len(shown) == 3


def test_a_table_without_rows_is_its_header():
    assert in_columns(["a", "b"], []) == "a  b"


def test_text_of_strangers_moves_no_cursor():
    assert printable("a\x1b]0;title\x07b\rc") == "a\\x1b]0;title\\x07b\\rc"
    assert len(in_columns(["a"], [["x\ny"], ["z"]]).splitlines()) == 3
