"""Fixtures of the attack: a warm parent, good examples of every format, and a way to run one command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the files here are scripts too, and name one another so

from campaign import Attack
from harness import Case, Outcome, Warm, cold, judge


@pytest.fixture(scope="session")
def attack(tmp_path_factory) -> Attack:
    """Examples of every format, made once."""
    return Attack(tmp_path_factory.mktemp("attack"))


@pytest.fixture(scope="session")
def warm():
    """A warm parent (see warm.py)."""
    parent = Warm()
    yield parent
    parent.close()


@pytest.fixture
def superlaw(warm, tmp_path):
    """Run a command line in a folder (the test's own when none is named), with limits; the judge must find no fault."""

    def run(*arguments: object, folder: Path = tmp_path, fresh: bool = False, **limits: object) -> Outcome:
        case = Case(tuple(map(str, arguments)), folder, **limits)
        found = cold(case) if fresh else warm.run(case)
        faults = judge(case, found)
        assert not faults, f"superlaw {' '.join(case.arguments)[:300]}: {faults}\n{found.err[-2000:]}"
        return found

    return run
