"""Thousands of spoilt tables of every format within one process: each is read, or refused in one line, soon.

The cases are those of the campaign (FORMAT:SEED), read and looked at as its commands would, without their computing.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
import warnings
from pathlib import Path

import pytest
from harness import BYTES, SECONDS, Case, files

from superlaw.errors import InputError
from superlaw.laws.look import look
from superlaw.laws.tables import load_table

TABLES = ("csv", "gzip", "jsonl", "parquet", "xlsx", "json", "trainer", "events", "histories", "results")
FEW, MANY = 12, int(os.environ.get("ATTACK_COUNT", 5000))
LOOKED_AT = 50  # one of so many: looking at a table takes longer than to read it


def read(case: Case, looked_at: bool) -> None:
    """Read the case's table, and look at it."""
    table = load_table(case.folder / case.arguments[2], along_steps="--along-steps" in case.arguments)
    assert len(table)
    if looked_at:
        str(look(table))


def outcome(case: Case, looked_at: bool) -> tuple[str, str]:
    """What became of a case ("read", "refused" or "fault"), and its words."""
    before, begun, kind, words = files(case.folder), time.process_time(), "read", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as the command line has it
            read(case, looked_at)
    except InputError as error:
        kind, words = "refused", str(error)
    except Exception as error:
        return "fault", f"{type(error).__name__}: {error}"
    if kind == "refused" and words.splitlines() != [words]:
        return "fault", f"not one line: {words!r}"
    if time.process_time() - begun > SECONDS or files(case.folder) != before:
        return "fault", "slow, or its input changed"
    return kind, words


def most_memory() -> int:
    """The most that this process has had resident, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory_now() -> int:
    """What this process has resident, in bytes: tests before in the same process leave much."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TABLES)
def test_a_spoilt_table_is_read_or_refused_in_one_line(attack, tmp_path, name, count):
    found: dict[str, list[str]] = {"read": [], "refused": [], "fault": []}
    attack = type(attack)(tmp_path, {name: attack.example(name)})
    begun, before, held = time.process_time(), most_memory(), memory_now()
    for seed in range(count):
        case = attack.case(name, seed)
        kind, words = outcome(case, seed % LOOKED_AT == 0)
        found[kind].append(f"{name}:{seed}: {words}")
        shutil.rmtree(Path(case.folder), ignore_errors=True)
    peak = most_memory()
    counts = ", ".join(f"{len(cases)} {kind}" for kind, cases in found.items())
    print(f"{name}: {counts}; {time.process_time() - begun:.0f} s of processor time, at most {peak / 1e6:.0f} MB")
    assert not found["fault"], "\n".join(found["fault"][:50])
    assert count < MANY or min(len(found["read"]), len(found["refused"])) > count / 50
    assert peak - held < BYTES or peak == before  # the tests before may have taken more
