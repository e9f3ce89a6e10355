"""What the README shows is run: its commands with fewer steps, its Python as it stands."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def superlaw_commands() -> list[list[str]]:
    lines = [line.split(" #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("superlaw ")]


def test_the_readme_names_both_make_targets():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.M):
        assert f"\n{target}: " in makefile


def test_every_command_of_the_readme_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.txt").write_text(" ".join(f"word{i} " * (1 + 200 // (i + 1)) for i in range(50)))
    commands = superlaw_commands()
    assert len(commands) >= 4
    for arguments in commands:
        if arguments[0] in ("train", "demo"):
            arguments = [*arguments, "--steps", "60"]
        code, out, err = command(*arguments)
        assert code == 0, (arguments, err)
        assert out


def test_the_python_of_the_readme_runs(capsys):
    (block,) = blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    assert re.search(r"^\d\.\d+ ± \d\.\d+$", capsys.readouterr().out, re.M)


def test_every_picture_and_page_the_documents_link_exists():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "/root/", "/tmp/"])
def test_nothing_unfinished_and_no_path_of_a_machine_is_shipped(word):
    for path in [ROOT / "README.md", *(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]:
        assert word not in path.read_text(), path
