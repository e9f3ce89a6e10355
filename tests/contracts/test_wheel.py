"""The wheel and the sdist build, and a wheel in an empty environment trains without a compiler."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow  # four minutes: two builds, an environment of its own


def run(*command: str | Path, **options) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **options).stdout


def test_a_wheel_of_the_sdist_demonstrates_the_law_in_an_empty_environment(tmp_path):
    build = {"PYTHONPATH": str(tmp_path / "build"), "PATH": "/usr/bin:/bin"}
    nowhere = {"PATH": "/nowhere", "HOME": str(tmp_path)}
    run(sys.executable, "-m", "pip", "install", "-q", "--target", tmp_path / "build", "build")
    run(sys.executable, "-m", "build", "--sdist", "-o", tmp_path, ROOT, env=build)
    (sdist,) = tmp_path.glob("superlaw-*.tar.gz")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, sdist)
    (wheel,) = tmp_path.glob("superlaw-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not any(name.endswith((".cpp", ".hpp")) for name in names)
    assert sum(name.endswith(".so") for name in names) == 1
    venv.create(tmp_path / "env", with_pip=True)
    run(tmp_path / "env/bin/pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    said = run(tmp_path / "env/bin/superlaw", "demo", "--steps", "500", cwd=tmp_path, env=nowhere)
    assert "strong" in said and (tmp_path / "demo" / "demo.png").is_file()
