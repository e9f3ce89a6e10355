"""What docs/laws.md shows is run as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "laws.md").read_text()


def test_every_command_of_the_page_runs(command, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    lines = block.replace("\\\n", " ").splitlines()
    assert len(lines) == 6
    for line in lines:
        code, out, err = command(*shlex.split(line)[1:])
        assert (code, err) == (0, ""), line
        assert out


def test_the_python_of_the_page_runs(data_folder, monkeypatch, capsys):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(block, "laws.md", "exec"), {})
    assert "0.331 ± 0.035" in capsys.readouterr().out
