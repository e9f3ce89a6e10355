"""What docs/laws.md shows is run as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "laws.md").read_text()


def test_every_command_of_the_page_runs(command, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    assert len(lines) == 19
    for line in lines:
        code, out, err = command(*shlex.split(line)[1:])
        assert (code, err) == (0, ""), line
        assert out


def test_the_python_of_the_page_runs(data_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(first, "laws.md", "exec"), {})
    assert "0.331 ± 0.035" in capsys.readouterr().out
    exec(compile(second, "laws.md", "exec"), {})
    assert "extrapolation: N is 4.33 times the largest" in capsys.readouterr().out
    assert (tmp_path / "frontier.png").read_bytes().startswith(b"\x89PNG")
