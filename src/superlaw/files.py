"""Files are written whole or not at all."""

from __future__ import annotations

import os
import platform
import secrets
from pathlib import Path

from superlaw.errors import InputError

TEMPORARY = ".tmp"


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name in the same folder, flush to disk, rename: whole or not at all."""
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}")
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
