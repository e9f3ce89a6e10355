"""Store: a folder of run files named by spec id. The only state that sweeps share.

A run is stored whole or not at all, and never trained again. Claims (file locks, released by the
system when their process dies) keep two sweeps on one store from training the same run.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.outputs import TEMPORARY
from superlaw.toy.run import Run, load_run, read_header

SUFFIX = ".safetensors"
CLAIMS, ASIDE = ".claims", "set-aside"
NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL)  # of a file system
OLD_SECONDS = 3600  # a temporary file of another machine, untouched this long, is left over


class Store:
    """A folder of runs.

    Parameters
    ----------
    path : path
        Made when it does not exist (``create``); InputError when it is a file or cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(tempfile.mkdtemp())
    >>> store.ids()
    set()
    """

    def __init__(self, path: str | Path, create: bool = True):
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"the store {self.path}, which is a file", "a folder", "name another folder")
        if not create and not self.path.is_dir():
            raise InputError(f"the store {self.path}, which does not exist", "a folder of runs", "check --store")
        if not create:
            return
        try:
            (self.path / CLAIMS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"the store {self.path}: {error.strerror}", "a folder that can be written", "name another folder"
            ) from None

    def file(self, run_id: str) -> Path:
        """Where the run of that id is or would be."""
        return self.path / f"{run_id}{SUFFIX}"

    def has(self, run_id: str) -> bool:
        """Whether the run is stored."""
        return self.file(run_id).exists()

    def ids(self) -> set[str]:
        """Ids of all stored runs, by file name alone."""
        with os.scandir(self.path) as entries:
            return {e.name.removesuffix(SUFFIX) for e in entries if e.name.endswith(SUFFIX) and e.name[0] != "."}

    def load(self, run_id: str) -> Run:
        """The run, checked (see load_run), and that its file has its own name."""
        run = load_run(self.file(run_id))
        self._check_name(run.id, run_id)
        return run

    def header(self, run_id: str) -> dict[str, Any]:
        """Its header alone (see read_header), which is of the run that the file is named by."""
        header = read_header(self.file(run_id))
        self._check_name(header["id"], run_id)
        return header

    def _check_name(self, found: str, run_id: str) -> None:
        if found != run_id:
            name = self.file(run_id)
            raise DamagedFileError(
                f"the run {found} under the name {name}", "a file named by its id", "superlaw sweep verify"
            )

    def add(self, run: Run) -> Path:
        """Store a run under its id; a run of that id already there is left as it is."""
        if run.status == "stopped":
            raise InputError(f"the run {run.id}, which was stopped", "a run that ended", "train it to its end")
        path = self.file(run.id)
        return path if path.exists() else run.save(path)

    @contextlib.contextmanager
    def claim(self, run_id: str) -> Iterator[bool]:
        """Hold the right to train a run: yields False when another process holds it.

        On file systems without locks it always yields True: a run may then be trained twice, which
        costs time and nothing else.
        """
        from filelock import FileLock, SoftFileLock, Timeout

        path = self.path / CLAIMS / run_id
        if FileLock is SoftFileLock:  # no locks on this system: a soft one would outlive a killed process
            yield True
            return
        lock = FileLock(path, timeout=0, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            if error.errno in NO_LOCKS:
                yield True
                return
            raise InputError(
                f"{path}: {error.strerror}", "a store that can be written, with space left", "then run it again"
            ) from None
        try:
            yield True
        finally:
            with contextlib.suppress(PermissionError):  # some systems remove no file that is open: clean() does
                path.unlink(missing_ok=True)  # while still locked: whoever waits finds the run stored
            lock.release()

    def clean(self) -> int:
        """Remove temporary files and claims left by processes that died; their number."""
        removed = 0
        for path in self.path.glob(f".*{TEMPORARY}"):
            host, pid = path.name.rsplit(".", 4)[1:3] if path.name.count(".") >= 5 else ("", "")
            ours = host == platform.node().rsplit(".", 1)[-1] and pid.isdigit()
            with contextlib.suppress(FileNotFoundError):
                if (ours and not _alive(int(pid))) or time.time() - path.stat().st_mtime > OLD_SECONDS:
                    path.unlink()
                    removed += 1
        stored = self.ids()
        for path in (self.path / CLAIMS).glob("*"):
            if path.name in stored:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def verify(self) -> list[tuple[Path, str]]:
        """Read every run file whole; those that are damaged or not ours, with the reason.

        Files with another ending and hidden ones are no business of the store's.
        """
        bad = []
        for run_id in sorted(self.ids()):
            try:
                self.load(run_id)
            except InputError as error:
                bad.append((self.file(run_id), error.got))
        return bad

    @property
    def verifying(self) -> str:
        """The command that names its damaged runs and sets them aside."""
        return shlex.join(["superlaw", "sweep", "verify", "--store", str(self.path)])

    def set_aside(self, path: Path) -> Path:
        """Move a file out of the way, into the folder ``set-aside``; nothing is deleted."""
        folder = self.path / ASIDE
        folder.mkdir(exist_ok=True)
        target, n = folder / path.name, 1
        while target.exists():
            n += 1
            target = folder / f"{path.name}.{n}"
        path.rename(target)
        return target


def _alive(pid: int) -> bool:
    if os.name == "nt":  # where a signal 0 is Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # a killed process whose parent has not asked for it yet (a zombie, on Linux) writes no more
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
