"""Tutorials, how-tos and the README's example are run as they stand, and print what they show."""

from __future__ import annotations

import shutil
from itertools import pairwise

import pytest
from conftest import ROOT
from documents import Block, blocks, difference, play, smaller

DOCS = ROOT / "docs"
TUTORIALS = sorted(path for path in (DOCS / "tutorials").glob("*.md") if path.name != "index.md")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a reader stands: in a clone's root, as far as pages name its files."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DOCS / "runs", tmp_path / "docs" / "runs")
    return tmp_path


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs_and_prints_what_it_shows(page, command, folder):
    assert play(page, command, folder) >= 2


def test_every_how_to_runs(command, folder):
    assert play(DOCS / "how-to.md", command, folder) >= 10


def test_the_first_number_of_the_readme_shows_the_law():
    """Loss x width is one number to within a tenth, and the exponent's error holds 1; weak superposition is flatter.

    The example is that of five minutes, which is run above and held to the same output.
    """
    pages = (ROOT / "README.md", DOCS / "tutorials" / "five-minutes.md")
    first, second = (
        [(code.text, shown.text) for code, shown in pairwise(blocks(page)) if code.language == "python"]
        for page in pages
    )
    assert first == second
    ((_, printed),) = first
    strong, said, weak, _ = (line.split() for line in printed.splitlines())
    products = [float(word) for word in strong[1:]]
    assert max(products) / min(products) < 1.2
    assert abs(float(said[1]) - 1) < 2 * float(said[3])
    assert float(weak[-1]) / float(weak[1]) > 1.7


def test_output_is_held_to_what_is_shown():
    assert not difference("a ... 1.50 ± 0.1\n...", "a b c 1.52 ± 0.1 d", 2)
    assert difference("loss 1.50", "loss 1.60", 2) and difference("loss 1.50", "gain 1.50", 2)
    assert difference("loss 1.50", "loss 1.50 more", 2) and difference("a ... c", "a b d", 2)
    assert difference("x 1", "y x 1", 2) and not difference("... x 1", "y x 1", 2)


def test_options_of_a_test_take_the_place_of_those_shown():
    assert smaller(["train", "--steps", "3000"], ["--steps", "60"]) == ["train", "--steps", "60"]
    assert smaller(["demo"], ["--steps", "60"]) == ["demo", "--steps", "60"]


def test_blocks_know_their_marks(tmp_path):
    page = tmp_path / "page.md"
    shown = (
        "<!-- not run: no cluster -->\n```text\nsbatch x\n```\n",
        "<!-- within 5 % -->\n```text\n1\n```\nw",
        "```sh\nsuperlaw\n```\n",
    )
    page.write_text("\n".join(shown))
    first, second, third = blocks(page)
    assert first == Block("text", "sbatch x\n", {"not run": "no cluster"}, False)
    assert second.marks == {"within": "5"} and second.follows
    assert third.lines == ["superlaw"] and not third.follows
