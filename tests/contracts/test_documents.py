"""What the documents show is run: commands with fewer steps or a smaller model, Python as it stands."""

from __future__ import annotations

import itertools
import math
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from documents import COMMANDS, FILE, NOT_RUN, RUN, play
from documents import blocks as blocks_of

from superlaw.findings.published import PUBLISHED
from superlaw.sweeps.ladder import Rung

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "docs" / "sweeps.md", ROOT / "docs" / "gallery.md", ROOT / "docs" / "report.md",
         ROOT / "docs" / "studies" / "what-sets-the-exponent.md"]  # fmt: skip


PLANLESS = ("list", "verify", "gather")  # commands on a store, without a plan
SMALL_PLAN = """
seeds = [0]
[base]
n_features = 60
steps = 30
batch = 64
warmup = 3
[axes]
data_exponent = [0, 1]
weight_decay = [-0.5555555555555556, 1]
width = [10, 25, 63]
"""


TRAINED_PLAN = """
[base]
n_features = 200
steps = 300
batch = 128
learning_rate = 0.03
warmup = 30
[axes]
data_exponent = [0.5, 1]
weight_decay = [-1, 1]
width = [5, 10, 20]
"""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


def superlaw_commands(page: Path) -> list[list[str]]:
    lines = [line.split(" #")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("superlaw ")]


def test_the_readme_names_both_make_targets():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks(PAGES[0], "sh")), re.M):
        assert f"\n{target}: " in makefile


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_documents_runs(page, command, tmp_path, monkeypatch, published):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    (tmp_path / "tiny.toml").write_text(TRAINED_PLAN)
    (tmp_path / "dense.toml").write_text(
        TRAINED_PLAN.replace("data_exponent = [0.5, 1]", "activation_density = [1, 2]")
    )
    for name in (name for name, one in PUBLISHED.items() if one.ladder):  # a smaller model within any budget
        tiny = tmp_path / ("dense.toml" if name == "density" else "tiny.toml")
        monkeypatch.setitem(PUBLISHED, name, replace(PUBLISHED[name], ladder=(Rung(str(tiny), 30),)))
    shutil.copytree(ROOT / "docs" / "runs", tmp_path / "docs" / "runs")
    if page.name == "gallery.md":
        command("sweep", "run", "tiny.toml", "--store", "runs")
    (tmp_path / "my.txt").write_text(" ".join(f"word{i} " * (1 + 200 // (i + 1)) for i in range(50)))
    sizes = itertools.product((16, 32, 64, 128, 256), (1e9, 1e10, 1e11))
    rows = [f"{w},{t},{(20 / w**0.9 + 500 / t**0.3 + 1.7) * (1 + 1e-3 * math.sin(w + t))}" for w, t in sizes]
    (tmp_path / "runs.csv").write_text("\n".join(["width,tokens,loss", *rows]))
    np.save(tmp_path / "head.npy", np.random.default_rng(0).standard_normal((200, 16)))
    commands = superlaw_commands(page)
    assert len(commands) >= 4
    for arguments in commands:
        if page.name == "gallery.md" and "--from" in arguments:
            continue  # test_gallery.py runs them and reads what they print
        if arguments[0] in ("train", "demo"):
            stated = arguments.index("--steps") if "--steps" in arguments else len(arguments)
            arguments = [*arguments[:stated], *arguments[stated + 2 :], "--steps", "60"]
        elif arguments[0] == "sweep" and arguments[1] not in PLANLESS:  # a smaller model, the same options
            (tmp_path / f"{arguments[2]}.toml").write_text(SMALL_PLAN)
            arguments[2] += ".toml"
        code, out, err = command(*arguments)
        assert code == 0, (arguments, err)
        assert out


def test_the_python_of_the_gallery_runs(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    for block in blocks(ROOT / "docs" / "gallery.md", "python"):
        exec(compile(block, "gallery", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 21  # a heading, and 5 x 4 cells


def test_the_python_of_the_page_on_pages_runs(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "runs", tmp_path / "docs" / "runs")
    (block,) = blocks(ROOT / "docs" / "report.md", "python")
    exec(compile(block, "report", "exec"), {})
    assert (tmp_path / "strong.png").read_bytes().startswith(b"\x89PNG")
    assert "panel" in capsys.readouterr().out


def test_the_python_of_the_page_on_terminals_and_notebooks_runs(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(ROOT / "docs" / "terminal.md", "python")
    exec(compile(block, "terminal", "exec"), {"__name__": "__main__"})
    assert "4 of 4 stored" in capsys.readouterr().out


def test_the_example_of_a_sweep_runs(tmp_path):
    example = [sys.executable, str(ROOT / "examples" / "own_sweep.py"), str(tmp_path / "store"), "60"]
    done = subprocess.run(example, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3 and "strong" in done.stdout


# Which test runs the commands and the Python of each page that has any.
RUN_BY = {
    "README.md": "contracts/test_documents.py",
    "docs/index.md": "contracts/test_documents.py",
    "docs/gallery.md": "contracts/test_documents.py",
    "docs/report.md": "contracts/test_documents.py",
    "docs/sweeps.md": "contracts/test_documents.py",
    "docs/studies/what-sets-the-exponent.md": "contracts/test_documents.py",
    "docs/studies/width-law.md": "contracts/test_documents.py",
    "docs/how-to.md": "contracts/test_tutorials.py",
    "docs/tutorials": "contracts/test_tutorials.py",
    "docs/laws.md": "laws/test_page.py",
    "docs/theory.md": "theory/test_page.py",
    "docs/shape.md": "studies/test_shape_page.py",
}


def test_every_block_of_commands_is_run_or_says_why_not():
    pages = [ROOT / "README.md", *(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
    shown = 0
    for page in pages:
        name = page.relative_to(ROOT)
        for block in blocks_of(page):
            shown += 1
            if NOT_RUN in block.marks:
                assert len(block.marks[NOT_RUN]) > 10, (name, block.text)
            elif block.language in RUN:
                test = RUN_BY.get(str(name)) or RUN_BY.get(str(name.parent))
                assert test and (ROOT / "tests" / test).is_file(), (name, block.text)
            elif FILE not in block.marks:
                assert not COMMANDS.search(block.text), f"{name}: run it, or <!-- not run: why -->\n{block.text}"
    assert shown > 100


def test_the_width_law_study_prints_what_its_page_shows(command, tmp_path, monkeypatch, published):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    (tmp_path / "docs" / "studies" / "images").mkdir(parents=True)
    shutil.copy(DOCS / "studies" / "width-candidates.csv", tmp_path / "docs" / "studies")
    assert play(DOCS / "studies" / "width-law.md", command, tmp_path) >= 10


def test_every_picture_and_page_the_documents_link_exists():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "/root/", "/tmp/"])
def test_nothing_unfinished_and_no_path_of_a_machine_is_shipped(word):
    for path in [ROOT / "README.md", *(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]:
        assert word not in path.read_text(), path
