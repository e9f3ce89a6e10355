"""The one policy for what is written.

Nothing that exists is replaced without ``--overwrite``; a suffix decides the format; two options never name one
file; files are written whole or not at all. Inside a folder that a command keeps, the command may rewrite what it
wrote itself and nobody has changed since. All of it is checked before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from superlaw.errors import InputError

TEMPORARY = ".tmp"
LONGEST_NAME = 255  # bytes, of a file on most file systems
WRITTEN = ".written"  # in a kept folder: for each file that a command wrote, which command, and digests
PICTURES = (".png", ".pdf", ".svg")
PAGE = ".html"


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name in the same folder, flush to disk, rename: whole or not at all."""
    end = f".{platform.node()}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}"
    name = path.name.encode()[: LONGEST_NAME - len(end.encode()) - 1].decode(errors="ignore")
    temporary = path.with_name(f".{name}{end}")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", "a folder that can be written, with space left", "nothing was stored"
        ) from None


def check_output(path: Path | None, endings: tuple[str, ...], overwrite: bool, option: str = "-o") -> str:
    """Refuse a place that cannot be written, or a file in the way, before anything is computed.

    Parameters
    ----------
    path : Path or None
        None, where the option was not given, is fine.
    endings : tuple of str
        Suffixes of the formats that can be written, as (".png", ".pdf").
    overwrite : bool
        Whether a file that exists may be replaced.
    option : str
        What the user calls the path, for the message.

    Returns
    -------
    str
        The format: the suffix in lower case, without its dot.

    Examples
    --------
    >>> check_output(Path("figure.PDF"), PICTURES, overwrite=True)
    'pdf'
    """
    if path is None:
        return ""
    if not path.parent.is_dir():
        raise InputError(f"{option} {path}: no folder {path.parent}", "a folder that exists", f"make {path.parent}")
    if len(path.name.encode()) > LONGEST_NAME:
        raise InputError(f"{option} with a name of {len(path.name.encode())} bytes", f"at most {LONGEST_NAME}")
    if path.is_dir():
        raise InputError(f"{option} {path}, which exists: a folder", "the name of a file")
    if path.suffix.lower() not in endings:
        raise InputError(f"{option} {path}", f"a file ending in {(', ' if len(endings) > 2 else ' or ').join(endings)}")
    if not overwrite and (path.exists() or path.is_symlink()):
        raise InputError(f"{option} {path}, which exists", "a new file name", "choose another or pass --overwrite")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise InputError(
            f"{option} {path}: {error.strerror}", "a folder that can be written", "choose another"
        ) from None
    return path.suffix[1:].lower()


def make_folder(folder: Path, need: str = "a folder that can be made") -> None:
    """Make a folder and those above it where they are not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}", need, "name another") from None


def check_apart(paths: Mapping[str, Path | None]) -> None:
    """Refuse two options (or arguments) that name one file.

    Examples
    --------
    >>> check_apart({"--plot": Path("p.png"), "-o": Path("./p.png")})
    Traceback (most recent call last):
    superlaw.errors.InputError: got --plot and -o naming one file, p.png; need a file for each
    """
    seen: dict[Path, str] = {}
    for option, path in paths.items():
        if path is None:
            continue
        place = path.resolve()
        if place in seen:
            raise InputError(f"{seen[place]} and {option} naming one file, {path}", "a file for each")
        seen[place] = option


@dataclass(frozen=True)
class KeptFolder:
    """A folder that a command keeps from call to call, and in which it rewrites only what it wrote itself.

    Parameters
    ----------
    path : Path
    command : str
        Whose files may be rewritten, as "demo".
    overwrite : bool
        Replace also what is in the way.

    Examples
    --------
    >>> folder = KeptFolder(Path(tempfile.mkdtemp()), "demo")
    >>> written = folder.write("demo.json", b"{}")
    >>> folder.write("demo.json", b"[]") == written  # its own and unchanged: rewritten
    True
    >>> _ = written.write_text("mine")
    >>> folder.check("demo.json")
    Traceback (most recent call last):
    superlaw.errors.InputError: got .../demo.json, which this command did not write or which was changed since; ...
    """

    path: Path
    command: str
    overwrite: bool = False

    def check(self, *names: str) -> None:
        """Refuse files in the way: those of others, and our own that were changed since."""
        for name in () if self.overwrite else names:
            path = self.path / name
            if not path.exists() and not path.is_symlink():
                continue
            if path.is_dir() or _digest(path.read_bytes()) not in self._ours(name):
                raise InputError(
                    f"{path}, which this command did not write or which was changed since",
                    "a name that is free", "move it away, choose another folder, or pass --overwrite",
                )  # fmt: skip

    def write(self, name: str, content: bytes) -> Path:
        """Check and write a file, whole or not at all; where it is."""
        self.check(name)
        path, record = self.path / name, self.path / WRITTEN / name
        before = self._ours(name)
        digests = [_digest(content)]
        if before and path.is_file() and (now := _digest(path.read_bytes())) in before:
            digests.append(now)  # whichever of the two a kill leaves, it is ours
        for folder in (path.parent, record.parent):
            make_folder(folder)
        write_atomically(record, json.dumps({"command": self.command, "sha256": digests}).encode())
        write_atomically(path, content)
        return path

    def _ours(self, name: str) -> list[str]:
        """Digests of what this command wrote under that name."""
        try:
            record = json.loads((self.path / WRITTEN / name).read_bytes())
            return list(record["sha256"]) if record["command"] == self.command else []
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
