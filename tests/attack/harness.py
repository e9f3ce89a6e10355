"""Run a command line of superlaw in a child with limits, and judge what it did.

What every command promises, whatever it is given: it ends in time, in bounded memory, by an exit code of its own;
a refusal is one line on stderr; nothing given is run, changed or half-written; JSON is JSON; no control characters
reach the terminal.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS, BYTES = 10, 1_000_000_000
CODES = (0, 2, 130)
CANARY = "canary"  # an attack that gets code run makes this file where the command was started
TEMPORARY = re.compile(r"(^|/)\.?[^/]*\.tmp$|(^|/)tmp[a-z0-9_]{8}$")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
OUTPUTS = ("-o", "--out", "--plot", "--store")
QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "TOKENIZERS_PARALLELISM": "false",
    "COLUMNS": "120",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}


@dataclass(frozen=True)
class Case:
    """A command line and the folder it is run in; ``codes`` beyond CODES that it may end with."""

    arguments: tuple[str, ...]
    folder: Path
    codes: tuple[int, ...] = ()
    may_change: tuple[str, ...] = ()  # names in the folder that the command may write to or in
    seconds: float = SECONDS
    bytes: int = BYTES
    file_size: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def written(self) -> set[str]:
        """Names that the command was asked to write, and those beside them that it says it writes."""
        named = [self.arguments[i + 1] for i, a in enumerate(self.arguments[:-1]) if a in OUTPUTS]
        beside = [str(Path(name).with_suffix(s)) for name in named for s in (".json", ".csv") if Path(name).suffix]
        return {*named, *beside, *self.may_change}


@dataclass(frozen=True)
class Outcome:
    """What became of a case: exit code (negative: a signal), why it was killed, seconds of processor, peak bytes."""

    code: int
    killed: str | None
    seconds: float
    wall: float
    peak: int
    out: str
    err: str
    before: dict[str, str]
    after: dict[str, str]

    def json(self) -> Any:
        """What was printed as JSON, refusing NaN."""

        def refuse(name: str) -> None:
            raise ValueError(f"{name} in JSON")

        return json.loads(self.out, parse_constant=refuse)


def files(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder, by relative name; "/" for a folder."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = Path(root) / name
            relative = str(path.relative_to(folder))
            if path.is_symlink():
                found[relative] = f"-> {path.readlink()}"
            elif path.is_dir():
                found[relative] = "/"
            elif not path.is_file():
                found[relative] = "a pipe or device"
            else:
                found[relative] = hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size < 1e8 else "big"
    return found


class Warm:
    """A warm parent (see warm.py): hundreds of cases a minute.

    Its children begin with what the parent holds (torch and all), so the peak is an upper bound: a case that is
    above the limit here is tried once more in a cold process, which decides.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("warm.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **QUIET},
        )
        self.resident = json.loads(self.process.stdout.readline())["resident"]

    def run(self, case: Case) -> Outcome:
        """The outcome of a case; limits that were passed are confirmed in a cold process."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        before = files(case.folder)
        out, err, temporary = _aside(case)
        request = {
            "arguments": case.arguments,
            "folder": str(case.folder),
            "stdout": str(out),
            "stderr": str(err),
            "environment": {
                **QUIET,
                "TMPDIR": str(temporary),
                "XDG_CACHE_HOME": str(temporary.parent),
                **case.environment,
            },
            "seconds": case.seconds,
            "bytes": case.bytes,
            "file_size": case.file_size,
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the warm parent died")
        found = _outcome(case, json.loads(line), before, out, err, temporary)
        above = found.killed or found.peak > case.bytes
        return cold(case) if above and files(case.folder) == before else found

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(60)
            self.process.stdout.close()
            self.process = None


def cold(case: Case) -> Outcome:
    """The outcome of a case in a fresh interpreter."""
    before = files(case.folder)
    out, err, temporary = _aside(case)
    environment = {
        **os.environ,
        **QUIET,
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": str(temporary.parent),
        **case.environment,
    }
    begin, peak, killed = time.monotonic(), 0, None
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "superlaw", *case.arguments],
            cwd=case.folder,
            env=environment,
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _limit(case.file_size),
        )
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _resident(process.pid))
            if peak > case.bytes:
                killed = "memory"
            elif _processor(process.pid) > case.seconds + 3 or time.monotonic() - begin > 3 * case.seconds:
                killed = "time"  # a cold start takes its 1 to 3 seconds of processor
            if killed:
                os.killpg(process.pid, 9)
                _, status, used = os.wait4(process.pid, 0)
                break
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
    answer = {
        "code": process.returncode,
        "killed": killed,
        "peak": max(peak, used.ru_maxrss * 1024),
        "seconds": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - begin,
    }
    return _outcome(case, answer, before, out, err, temporary)


def judge(case: Case, found: Outcome) -> list[str]:
    """Promises that were broken, each a word and what was seen; none for a good command."""
    faults = []
    if found.killed:
        faults.append(f"{found.killed}: killed at {found.seconds:.1f} s, {found.peak / 1e6:.0f} MB")
    elif found.code < 0:
        faults.append(f"signal {-found.code}")
    elif found.peak > case.bytes:
        faults.append(f"memory: {found.peak / 1e6:.0f} MB")
    for word in ("Traceback (most recent", "Exception ignored", "panicked at"):
        if word in found.err or word in found.out:
            last = [line for line in found.err.splitlines() if line.strip()][-1]
            faults.append(f"traceback: {last[:160]}")
            break
    else:
        if not found.killed and found.code >= 0 and found.code not in (*CODES, *case.codes):
            faults.append(f"exit code {found.code}: {found.err[-160:]}")
        lines = found.err.count("\n")
        if found.code == 2 and (lines != 1 or not found.err.startswith("superlaw: ")):
            faults.append(f"stderr: {lines} lines for exit code 2: {found.err[:200]!r}")
    if found.code == 0 and "--json" in case.arguments:
        try:
            found.json()
        except ValueError as error:
            faults.append(f"json: {str(error)[:80]}")
    if control := CONTROL.search(found.out + found.err):
        faults.append(f"escape: {control.group()!r} reaches the terminal")
    return faults + _files_faults(case, found)


def noise(found: Outcome) -> str:
    """What a command that succeeded left on stderr: no promise, but nobody wants to see it."""
    return found.err if found.code == 0 else ""


def _files_faults(case: Case, found: Outcome) -> list[str]:
    faults = []
    if CANARY in found.after:
        faults.append("canary: code was run")

    def mine(name):
        return any(name == w or name.startswith(f"{w}/") for w in case.written)

    new = set(found.after) - set(found.before)
    if left := sorted(name for name in new if TEMPORARY.search(name)):
        faults.append(f"left: {left[0]}")
    elif stray := sorted(name for name in new if not mine(name)):
        faults.append(f"stray: {stray[0]}")
    changed = [n for n in found.before if found.after.get(n) != found.before[n] and not mine(n)]
    if changed:
        faults.append(f"changed: {changed[0]}")
    if found.code == 2:
        made = [name for name in new if mine(name) and found.after[name] != "/"]
        if made and not any(Path(name).parts[0] in case.may_change for name in made):
            faults.append(f"half-written: {made[0]}")
    return faults


def _aside(case: Case) -> tuple[Path, Path, Path]:
    """Where a case's stdout, stderr and temporary files go: beside its folder, under its name."""
    beside = case.folder.parent / f"{case.folder.name}.aside"
    shutil.rmtree(beside, ignore_errors=True)
    (beside / "tmp").mkdir(parents=True)
    return beside / "stdout", beside / "stderr", beside / "tmp"


def _outcome(
    case: Case, answer: dict[str, Any], before: dict[str, str], out: Path, err: Path, temporary: Path
) -> Outcome:
    after = files(case.folder) | {f"tmp/{name}.tmp": d for name, d in files(temporary).items() if d != "/"}

    def text(path):
        return path.read_bytes()[:10_000_000].decode("utf-8", "replace") if path.exists() else ""

    found = Outcome(**answer, out=text(out), err=text(err), before=before, after=after)
    shutil.rmtree(out.parent, ignore_errors=True)
    return found


def _limit(file_size: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if file_size:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _processor(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0
