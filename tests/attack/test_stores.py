"""Stores: nothing that was trained is lost, changed, trained twice or taken for another run.

A failure names its round; ``python tests/attack/stores.py`` runs rounds by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import time

import pytest
from stores import alive, digests, round_of_kills, round_of_writers, rounds, start, workers, write_plan

import superlaw as lib

SMALL = "[base]\nn_features = 20\nsteps = 12\nbatch = 8\nwarmup = 2\n[axes]\nwidth = [2, 3, 4]\n"


@pytest.fixture(scope="session")
def three_runs(tmp_path_factory):
    """A plan and its store of three runs, made once."""
    folder = tmp_path_factory.mktemp("three")
    (folder / "plan.toml").write_text(SMALL)
    lib.sweep(folder / "plan.toml", store=folder / "store", workers=1)
    return folder


@pytest.fixture
def store(three_runs, tmp_path):
    """A copy of the store of three runs; the plan stands beside it."""
    shutil.copytree(three_runs, tmp_path, dirs_exist_ok=True)
    return tmp_path / "store"


def ids(store) -> list[str]:
    return [spec.id for spec in lib.load_plan(store.parent / "plan.toml").specs]


def rewrite(path, change) -> None:
    """A run file with its own header changed and its header's checksum put right."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    text = change(head["__metadata__"]["superlaw"])
    head["__metadata__"] |= {"superlaw": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    new = json.dumps(head).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + content[8 + length :])


def damage_weights(path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(content)


slow = pytest.mark.slow
# What a look at headers cannot see; a table and a grid are made of whole runs.
HEADERS_ONLY = ("status", "run")
CRAFTED = {
    "nested": lambda p: rewrite(p, lambda text: "[" * 100_000 + "]" * 100_000),
    "nested spec": lambda p: rewrite(
        p, lambda text: text.replace('"spec": {', '"spec": {"a": ' + "[" * 5000 + "]" * 5000 + ", ")
    ),
    "list": lambda p: rewrite(p, lambda text: "[]"),
    "number": lambda p: rewrite(p, lambda text: "1"),
    "empty": lambda p: rewrite(p, lambda text: "{}"),
    "only a format": lambda p: rewrite(p, lambda text: '{"format": 1}'),
    "no status": lambda p: rewrite(p, lambda text: text.replace('"status"', '"state"')),
    "spec a list": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"spec": [1]})),
    "measures a text": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"measures": "x"})),
    "measures empty": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"measures": {}})),
    "provenance a list": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"provenance": []})),
    "provenance of lists": lambda p: rewrite(
        p, lambda text: json.dumps(json.loads(text) | {"provenance": {"engine": ["x"]}})
    ),
    "status a list": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"status": ["ok"]})),
    "status unknown": lambda p: rewrite(p, lambda text: json.dumps(json.loads(text) | {"status": "fine"})),
    "huge step count": lambda p: rewrite(p, lambda text: text.replace('"steps": 12', '"steps": 1' + "0" * 5000)),
    "header of nests": lambda p: p.write_bytes((200_000).to_bytes(8, "little") + b"[" * 200_000),
    "zeros": lambda p: p.write_bytes(bytes(1000)),
    "empty file": lambda p: p.write_bytes(b""),
    "weights": damage_weights,
    "folder": lambda p: (p.unlink(), p.mkdir()),
    "dangling link": lambda p: (p.unlink(), p.symlink_to("/nowhere/at/all")),
    "link to itself": lambda p: (p.unlink(), p.symlink_to(p)),
    "link to a device": lambda p: (p.unlink(), p.symlink_to("/dev/zero")),
    "pipe": lambda p: (p.unlink(), os.mkfifo(p)),
}


FAST = ("status", "verify", "table")
ALSO_RUN = ("nested", "zeros", "folder", "pipe")  # run looks at headers as status does, and starts a worker each time


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        pytest.param(command, kind, marks=[] if command in FAST or (command == "run" and kind in ALSO_RUN) else slow)
        for command in (*FAST, "run", "gather", "figure", "grid")
        for kind in CRAFTED
        if kind != "weights" or command not in HEADERS_ONLY
    ],
)
def test_one_bad_file_is_named_and_does_not_stop_the_store(store, superlaw, kind, command):
    bad = ids(store)[1]
    CRAFTED[kind](store / f"{bad}.safetensors")
    folder = store.parent
    line = {
        "status": ("sweep", "status", "plan.toml", "--store", "store", "--json"),
        "verify": ("sweep", "verify", "--store", "store", "--keep", "--json"),
        "gather": ("sweep", "gather", "store", "-o", "g.csv"),
        "run": ("sweep", "run", "plan.toml", "--store", "store", "--workers", 1),
        "table": ("sweep", "table", "plan.toml", "--store", "store", "-o", "t.csv"),
        "figure": ("figure", "exponents", "--store", "store", "-o", "f.svg"),
        "grid": ("sweep", "grid", "plan.toml", "--store", "store", "-o", "g.nc"),
    }[command]
    found = superlaw(*line, codes=(1,), folder=folder, seconds=5)
    if command == "status":
        record = found.json()
        assert (record["ok"], record["damaged"]) == (2, 1)
    elif command == "verify":
        (one,) = found.json()["bad"]
        assert bad in one["file"] and found.json()["good"] == 2
    elif command in ("gather", "table"):
        import pandas as pd

        rows = pd.read_csv(folder / ("g.csv" if command == "gather" else "t.csv"), dtype={"id": str}).set_index("id")[
            "status"
        ]
        assert rows[bad] == "damaged" and (rows.drop(bad) == "ok").all() and len(rows) == 3
    elif command == "run":
        assert "damaged" in (found.out + found.err).lower() or bad in found.out + found.err
    elif command == "grid":
        assert found.code == 2


@pytest.mark.parametrize("command", ["status", "table", "gather", "run", "verify"])
def test_a_run_under_another_runs_name_is_reported(store, superlaw, command):
    """A copy of one run under the name of another would count as the other."""
    import pandas as pd

    first, second, _ = ids(store)
    shutil.copy(store / f"{first}.safetensors", store / f"{second}.safetensors")
    folder = store.parent
    if command == "status":
        record = superlaw("sweep", "status", "plan.toml", "--store", "store", "--json").json()
        assert (record["ok"], record["damaged"]) == (2, 1)
    elif command == "verify":
        found = superlaw("sweep", "verify", "--store", "store", "--keep", "--json", codes=(1,))
        assert [second in one["file"] for one in found.json()["bad"]] == [True]
    elif command == "run":
        found = superlaw("sweep", "run", "plan.toml", "--store", "store", "--workers", 1, codes=(1,))
        assert "damaged" in (found.out + found.err).lower()
    else:
        line = (
            ("sweep", "table", "plan.toml", "--store", "store") if command == "table" else ("sweep", "gather", "store")
        )
        assert superlaw(*line, "-o", "t.csv").code == 0
        rows = pd.read_csv(folder / "t.csv", dtype={"id": str}).set_index("id")["status"]
        assert rows[second] == "damaged" and rows[first] == "ok" and len(rows) == 3


NAMES = [
    "a b",
    "ü∂é",
    "a\nb",
    "-store",
    "a'b\"c",
    "%s",
    "[bold]x[/bold]",
    "a\x1b[31mb",
    "..",
    "x" * 200,
    "a.safetensors",
    "~",
    "$HOME",
    "*",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_store_may_have_any_name(tmp_path, superlaw, name):
    (tmp_path / "plan.toml").write_text(SMALL)
    (tmp_path / "in").mkdir()
    given = f"--store=./in/{name}" if name != ".." else "--store=in/../in/s"
    place = ("./in",)
    assert superlaw("sweep", "run", "plan.toml", given, "--workers", 1, may_change=("in", *place)).code == 0
    assert superlaw("sweep", "status", "plan.toml", given, "--json", may_change=("in",)).json()["ok"] == 3
    assert superlaw("sweep", "verify", given, "--json", may_change=("in",)).json()["good"] == 3
    assert superlaw("sweep", "run", "plan.toml", given, "--json", may_change=("in",)).json()["stored"] == 3


def test_a_store_that_cannot_be_written_is_one_line(store, superlaw):
    folder = store.parent
    (folder / "plan.toml").write_text(SMALL.replace("[2, 3, 4]", "[2, 3, 4, 5]"))
    before = digests(store)
    subprocess.run(["mount", "-o", "bind,ro", str(store), str(store)], check=False, capture_output=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(store)], check=False, capture_output=True)
    try:
        if os.access(store, os.W_OK):
            pytest.skip("this container may not mount, and root writes everywhere")
        assert superlaw("sweep", "status", "plan.toml", "--store", "store", "--json").json()["ok"] == 3
        assert superlaw("sweep", "gather", "store", "-o", "g.csv").code == 0
        assert superlaw("sweep", "run", "plan.toml", "--store", "store", "--workers", 1).code == 2
        assert superlaw("sweep", "verify", "--store", "store", "--json").json()["good"] == 3
    finally:
        subprocess.run(["umount", str(store)], check=False, capture_output=True)
    assert digests(store) == before


@pytest.mark.parametrize("moment", [0.3, 1.5, 2.5])
def test_a_store_that_vanishes_ends_the_sweep_without_a_traceback(tmp_path, moment):
    plan, _ = write_plan(tmp_path, seeds=4)
    process = start(plan, tmp_path / "store", "--workers", 2)
    time.sleep(moment)
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (0, 1, 2) and "Traceback" not in err and err.count("\n") <= 1, err


def test_a_disk_that_is_full_keeps_what_is_stored(tmp_path):
    """A limit on the size of files stands for the disk: no run of width 10 can be written whole."""
    plan, planned = write_plan(tmp_path, seeds=1)
    store = tmp_path / "store"
    limited = start(plan, store, "--workers", 2, preexec_fn=_small_files)
    _, err = limited.communicate(timeout=120)
    assert limited.returncode == 2 and err.count("\n") == 1 and "Traceback" not in err
    kept = digests(store)
    assert not list(store.glob(".*.tmp"))
    whole = start(plan, store, "--workers", 2)
    assert whole.wait(120) == 0 and kept.items() <= digests(store).items() and len(digests(store)) == planned


def _small_files() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))


@pytest.mark.parametrize("seed", range(2))
def test_a_dead_worker_does_not_make_the_tally_lie(tmp_path, seed):
    """Beside a second sweep on the store, what a sweep says it trained after a worker's death is its own."""
    plan, planned = write_plan(tmp_path, seeds=3, steps=1000)
    chance = random.Random(seed)
    pair = [start(plan, tmp_path / "store", "--workers", n) for n in (1, 2)]
    deadline = time.time() + 20
    while len(digests(tmp_path / "store")) < 6 and time.time() < deadline:
        time.sleep(0.02)
    time.sleep(chance.random() / 2)
    victims = workers(pair[0].pid)
    for pid in victims:
        os.kill(pid, 9)
    results = [json.loads(process.communicate(timeout=200)[0]) for process in pair]
    assert victims and not any(map(alive, victims))
    assert sum(result["trained"] for result in results) <= planned, [result["trained"] for result in results]
    assert all(result["stored"] + result["trained"] == planned for result in results)


@pytest.mark.parametrize("writers", [1, 2])
def test_a_round_of_kills(tmp_path, writers):
    damage = round_of_kills(tmp_path, random.Random(f"slice:{writers}"), 4, writers)
    assert damage.kills and not damage.faults()


def test_a_round_of_three_writers(tmp_path):
    assert not round_of_writers(tmp_path, random.Random("slice")).faults()


@pytest.mark.slow
def test_two_hundred_kills_and_twenty_rounds_of_several_writers():
    bad = [f"{name}: {damage.faults()}" for name, damage in rounds(20, 200, 0) if damage.faults()]
    assert not bad, "\n".join(bad)
