"""What docs/shape.md shows is run: its commands (the capacity map in small) and its Python as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "shape.md").read_text()
SMALL = "--widths 4 --degrees 2,4 --activities 0.1,0.01 --seeds 0 --steps 60 --workers 1"


def test_every_command_of_the_page_runs(command, published, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "config.json").write_text('{"hidden_size": 2048, "num_hidden_layers": 24}')
    blocks = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)).replace("\\\n", " ")
    commands = [shlex.split(line.split(" #")[0]) for line in blocks.splitlines() if line.startswith("superlaw ")]
    assert len(commands) >= 6
    for _, *arguments in commands:
        small = SMALL.split() if arguments[:2] == ["shape", "capacity"] else []
        code, out, err = command(*arguments, *small)
        assert (code, err) == (0, ""), arguments
        assert out


def test_the_python_of_the_page_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(compile(block, "shape.md", "exec"), {})
    assert "124,439,808" in capsys.readouterr().out
