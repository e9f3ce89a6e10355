"""Attack stores: kills, several writers; counts what was lost, changed, trained twice.

By hand: ``python tests/attack/stores.py --kills 200 --rounds 20 --seed 0``.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import ctypes.util
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness import QUIET

PLAN = """
seeds = [{seeds}]
[base]
n_features = 200
steps = {steps}
warmup = 30
batch = 512
[axes]
weight_decay = [-1, 0, 1]
width = [4, 6, 8, 10]
"""
RUN = ".safetensors"
IN_CREATE, IN_MOVED_TO = 0x100, 0x80


@dataclass
class Damage:
    """What a round did to a store."""

    kills: int = 0
    lost: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)
    missing: int = 0
    left: list[str] = field(default_factory=list)
    stored_twice: set[str] = field(default_factory=set)  # the file came into being twice
    told: int = 0  # runs that sweeps which ended say they trained
    planned: int = 0

    def faults(self) -> list[str]:
        """Broken promises, in words."""
        named = {
            "lost": self.lost,
            "changed": self.changed,
            "bad": self.bad,
            "left": self.left,
            "trained twice": self.stored_twice,
        }
        said = [f"{word}: {sorted(found)[:3]}" for word, found in named.items() if found]
        if self.missing:
            said.append(f"{self.missing} missing at the end")
        if self.told > self.planned:
            said.append(f"sweeps say they trained {self.told} of {self.planned} runs")
        return said


class Births:
    """How often a file of each name came into being in a folder (inotify)."""

    def __init__(self, folder: Path):
        self.libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        self.handle = self.libc.inotify_init1(os.O_NONBLOCK)
        self.libc.inotify_add_watch(self.handle, str(folder).encode(), IN_CREATE | IN_MOVED_TO)
        self.counts: Counter[str] = Counter()

    def read(self) -> Counter[str]:
        """Counts of run files so far."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.handle, 1 << 16):
                at = 0
                while at < len(data):
                    _, _, _, length = struct.unpack_from("iIII", data, at)
                    name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode("utf-8", "replace")
                    if name.endswith(RUN) and not name.startswith("."):
                        self.counts[name] += 1
                    at += 16 + length
        return self.counts

    def close(self) -> None:
        os.close(self.handle)


def start(plan: Path, store: Path, *more: object, **options) -> subprocess.Popen:
    """A sweep in its own session, its workers with it."""
    line = [
        sys.executable,
        "-m",
        "superlaw",
        "sweep",
        "run",
        str(plan),
        "--store",
        str(store),
        "--json",
        *map(str, more),
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    return subprocess.Popen(line, env={**os.environ, **QUIET}, **pipes, **options)


def write_plan(folder: Path, seeds: int = 2, steps: int = 300) -> tuple[Path, int]:
    """A plan of 12 runs a seed; its file and their number."""
    path = folder / "plan.toml"
    path.write_text(PLAN.format(seeds=", ".join(map(str, range(seeds))), steps=steps))
    return path, 12 * seeds


def workers(pid: int) -> list[int]:
    """Worker processes of a coordinator."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def digests(store: Path) -> dict[str, str]:
    """Content of every run file."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in store.glob(f"*{RUN}") if p.name[0] != "."}


def compare(damage: Damage, before: dict[str, str], now: dict[str, str]) -> None:
    damage.lost |= before.keys() - now.keys()
    damage.changed |= {name for name in before.keys() & now.keys() if before[name] != now[name]}


def round_of_kills(folder: Path, chance: random.Random, kills: int, writers: int) -> Damage:
    """Sweeps on one store, killed at random moments (coordinators or workers), begun again, and one that ends it."""
    plan, planned = write_plan(folder, seeds=2 if writers == 1 else 3)
    store = folder / "store"
    (store / ".claims").mkdir(parents=True)
    births, damage, known = Births(store), Damage(planned=planned), {}
    running: list[subprocess.Popen] = []
    try:
        while damage.kills < kills and len(known) < planned:
            running = [p for p in running if not _ended(p, damage)]
            while len(running) < writers:
                running.append(start(plan, store, "--workers", chance.choice((1, 2))))
            time.sleep(chance.choice((0.3, 1.0, 1.5)) + 2 * chance.random())
            victim = chance.choice(running)
            theirs = workers(victim.pid)
            target = chance.choice(theirs) if theirs and chance.random() < 0.5 else victim.pid
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
                damage.kills += 1
            if target == victim.pid:
                victim.communicate()
                running.remove(victim)
                deadline = time.time() + 10
                while any(map(alive, theirs)) and time.time() < deadline:
                    time.sleep(0.02)
                damage.bad += [f"the orphan {pid} goes on" for pid in theirs if alive(pid)]
            now = digests(store)
            compare(damage, known, now)
            known |= now
        for process in running:
            process.wait(300)
            _ended(process, damage)
        last = start(plan, store, "--workers", 2)
        last.wait(300)
        _ended(last, damage)
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    finish(damage, store, known, planned, births)
    return damage


def round_of_writers(folder: Path, chance: random.Random, writers: int = 3) -> Damage:
    """Two or three sweeps on one store at once, started moments apart, none killed."""
    plan, planned = write_plan(folder, seeds=3)
    store = folder / "store"
    (store / ".claims").mkdir(parents=True)
    births, damage = Births(store), Damage(planned=planned)
    running = []
    for _ in range(writers):
        running.append(start(plan, store, "--workers", chance.choice((1, 2))))
        time.sleep(chance.random() * 0.5)
    for process in running:
        process.wait(300)
        _ended(process, damage)
    finish(damage, store, {}, planned, births)
    return damage


def finish(damage: Damage, store: Path, known: dict[str, str], planned: int, births: Births) -> None:
    now = digests(store)
    compare(damage, known, now)
    damage.missing = planned - len(now)
    damage.left += [p.name for p in store.glob(".*.tmp")] + [f".claims/{p.name}" for p in (store / ".claims").iterdir()]
    damage.stored_twice |= {name for name, count in births.read().items() if count > 1}
    births.close()
    line = [sys.executable, "-m", "superlaw", "sweep", "verify", "--store", str(store), "--keep", "--json"]
    verified = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **QUIET})
    damage.bad += [one["reason"] for one in json.loads(verified.stdout)["bad"]]


def _ended(process: subprocess.Popen, damage: Damage) -> bool:
    """Whether a sweep ended; what it says it trained is added once."""
    if process.poll() is None:
        return False
    out, err = process.communicate()
    if process.returncode == 0:
        damage.told += json.loads(out)["trained"]
    elif process.returncode > 0 and not (process.returncode == 1 and "failed" in out):
        damage.bad.append(f"exit {process.returncode}: {err[-200:]}")
    return True


def rounds(count: int, kills: int, seed: int) -> Iterator[tuple[str, Damage]]:
    """``kills`` kills over stores with one to three writers, then ``count`` rounds of writers that nobody kills."""
    done = number = 0
    while done < kills:
        name = f"kills:{seed}:{number}"
        writers = 1 + number % 3
        with _folder() as folder:
            damage = round_of_kills(folder, random.Random(name), min(8, kills - done), writers)
        done += damage.kills
        number += 1
        yield f"{name} ({writers} writers)", damage
    for i in range(count):
        name = f"writers:{seed}:{i}"
        with _folder() as folder:
            yield name, round_of_writers(folder, random.Random(name))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stores-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    bad, kills, count, twice = 0, 0, 0, 0
    for name, damage in rounds(given.rounds, given.kills, given.seed):
        count, kills, twice = count + 1, kills + damage.kills, twice + len(damage.stored_twice)
        if faults := damage.faults():
            bad += 1
            print(f"{name}: {damage.kills} kills, told {damage.told} of {damage.planned}: {faults}", flush=True)
    print(f"{count} stores, {kills} kills, {bad} with faults, {twice} runs stored twice; seed {given.seed}")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
