"""What docs/theory.md shows is run as it stands, and prints what the page says."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import numpy as np

from superlaw.theory.best_frames import best_frame
from superlaw.theory.weak import exponent_between

PAGE = (Path(__file__).parents[2] / "docs" / "theory.md").read_text()


def test_every_command_of_the_page_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    for line in block.splitlines():
        shorter = ["--steps", "100"] if " train " in line else []
        code, out, err = command(*shlex.split(line)[1:], *shorter)
        assert (code, err) == (0, ""), line
        assert out


def test_the_python_of_the_page_prints_what_it_shows(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    exec(compile(block, "theory.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_every_function_the_page_names_exists():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) > 15
    for row in rows:
        module = None
        for name in re.findall(r"`([\w.]+)`", row.rsplit("|", 2)[1]):
            if "." in name:
                module, name = name.split(".")
            floor = "geometry" if module in ("overlaps", "frames", "groups", "spectrum") else "theory"
            assert callable(getattr(importlib.import_module(f"superlaw.{floor}.{module}"), name)), name


def test_the_exponents_the_page_quotes():
    p = np.arange(1.0, 1001) ** -1.5
    assert round(exponent_between(p / p.sum(), 10, 100), 2) == 0.61
    widths = np.array([10, 15, 25, 39, 63, 100])
    for density, quoted in ((1.0, 1.00), (5.0, 0.59)):
        losses = [best_frame(1000, m, density).loss for m in widths]
        assert round(-np.polyfit(np.log(widths), np.log(losses), 1)[0], 2) == quoted
