"""Parts of files on a hub, through ranged requests: a tensor costs its own bytes and two headers.

Addresses, tokens, the session and the cache are huggingface_hub's. Tries, waits and lengths are decided here:
its own retries obey a server for as long as it says, and believe the lengths that it states.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from superlaw.errors import InputError
from superlaw.files.records import MOST_BYTES
from superlaw.files.tensors import LARGEST_TENSOR, PREFIX, TensorEntry, header_length, numpy_dtype, parse_header, short

ENDPOINT = "https://huggingface.co"
ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(@[\w.-]+)?")
PASSING = (408, 429, 500, 502, 503, 504)  # answers that may be others a moment later
LOCAL = "a local file or folder, or a hub that answers"


@dataclass(frozen=True)
class HubLimits:
    """What is asked of a hub before it is given up: seconds, tries, and bytes."""

    silence: float = 10.0  # without a byte
    patience: float = 60.0  # of one request, its tries and waits together ...
    slowest: float = 50_000.0  # ... and a second more for each so many bytes received
    tries: int = 4
    first_wait: float = 0.5  # doubled from try to try; a server may ask for longer, within the patience
    text: int = MOST_BYTES  # config.json and index files beyond this are not what they claim
    tensor: int = LARGEST_TENSOR


LIMITS = HubLimits()


class NotOnHubError(InputError):
    """The hub answers, and has no such file."""


class _PassingError(Exception):
    """A failure that another try may mend: the line for when none does, and the wait that was asked for."""

    def __init__(self, line: InputError, wait: float = 0.0):
        self.line, self.wait = line, wait


@dataclass(frozen=True)
class HubModel:
    """A repository of the hub at a revision.

    Examples
    --------
    >>> HubModel.parse("EleutherAI/pythia-70m@step1000")
    HubModel(repository='EleutherAI/pythia-70m', revision='step1000')
    """

    repository: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> HubModel:
        """From ``owner/name`` or ``owner/name@revision``."""
        from huggingface_hub.utils import HFValidationError, validate_repo_id

        repository, _, revision = text.partition("@")
        try:
            if not ID.fullmatch(text):
                raise HFValidationError
            validate_repo_id(repository)
        except HFValidationError:
            raise InputError(
                f"the model {short(text)}", "a file, a folder, or a hub id as owner/name", "check the path"
            ) from None
        return cls(repository, revision or "main")

    def url(self, file: str) -> str:
        """The address of a file of the repository."""
        from huggingface_hub import hf_hub_url

        endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")
        if not endpoint.startswith(("http://", "https://")):
            raise InputError(f"HF_ENDPOINT = {endpoint}", "an address that starts with http:// or https://")
        return hf_hub_url(self.repository, file, revision=self.revision, endpoint=endpoint)

    def kept(self, file: str) -> Path | None:
        """The file in the hub's cache, where HF_HUB_OFFLINE says that the hub is not to be asked."""
        if not is_offline():
            return None
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repository, file, revision=self.revision)
        return Path(found) if isinstance(found, str) else None

    def text(self, file: str) -> bytes:
        """A small file, whole."""
        if kept := self.kept(file):
            return kept.read_bytes()
        found = BytesIO()
        self._receive(file, None, found)
        return found.getvalue()

    def part(self, file: str, start: int, stop: int) -> tuple[bytes, int | None]:
        """Bytes start to stop of a file, and the file's size where the server states it."""
        found = BytesIO()
        size = self._receive(file, (start, stop), found) if stop > start else None
        return found.getvalue(), size

    def header(self, file: str) -> dict[str, TensorEntry]:
        """Tensors of a safetensors file, by name."""
        where = self.url(file)
        prefix, size = self.part(file, 0, PREFIX)
        length = header_length(prefix, size, where)
        return parse_header(self.part(file, PREFIX, PREFIX + length)[0], size, where).tensors

    def tensor(self, file: str, entry: TensorEntry) -> np.ndarray:
        """One tensor, by way of a temporary file that is gone with it: its size is a server's word."""
        where, size = f"{self.url(file)}: {short(entry.name)}", entry.stop - entry.start
        dtype = numpy_dtype(entry, self.url(file))
        if size > LIMITS.tensor:
            raise InputError(f"{where} of {size} bytes", f"a tensor of at most {LIMITS.tensor}", "download the model")
        if not size:
            return np.empty(entry.shape, dtype)
        if size > (free := shutil.disk_usage(tempfile.gettempdir()).free):
            need = f"space in {tempfile.gettempdir()}, where {free} are free"
            raise InputError(f"{where} of {size} bytes", need, "set TMPDIR to another folder")
        with tempfile.TemporaryFile(buffering=0) as copy:
            self._receive(file, (entry.start, entry.stop), copy)
            return np.memmap(copy, dtype, "r", 0, entry.shape)

    def _receive(self, file: str, part: tuple[int, int] | None, sink: BinaryIO) -> int | None:
        """A file or a part of it, tried again where that may help; the file's size where it is stated."""
        if is_offline():
            raise InputError(
                f"{self.repository}: {short(file)} with HF_HUB_OFFLINE set, and not in the hub's cache",
                "a file that is there, or a local folder",
            )  # fmt: skip
        begin = time.monotonic()
        for tried in range(1, LIMITS.tries + 1):
            sink.seek(0)
            sink.truncate()
            try:
                return _attempt(self.url(file), part, sink, begin)
            except _PassingError as failure:
                wait = max(failure.wait, LIMITS.first_wait * 2 ** (tried - 1))
                if tried == LIMITS.tries or time.monotonic() - begin + wait > LIMITS.patience:
                    raise failure.line from None
                time.sleep(wait)
        raise AssertionError("the last try raises")


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE says that no hub is to be asked."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")


def _attempt(url: str, part: tuple[int, int] | None, sink: BinaryIO, begin: float) -> int | None:
    """One request, from its first byte to the last that is wanted."""
    from huggingface_hub.utils import build_hf_headers, get_session

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={part[0]}-{part[1] - 1}"} if part else {})
    headers = build_hf_headers(library_name="superlaw", headers=headers)
    got, wanted = -1, part[1] - part[0] if part else LIMITS.text + 1
    try:
        with get_session().stream("GET", url, headers=headers, timeout=LIMITS.silence) as reply:
            size, got = _check_reply(reply, url, part), 0
            for chunk in reply.iter_raw():
                got += sink.write(chunk[: wanted - got])
                if got == wanted:
                    break
                if (seconds := time.monotonic() - begin) > LIMITS.patience + got / LIMITS.slowest:
                    raise InputError(f"{url}: {got} bytes in {seconds:.0f} s", "a hub that is faster", "try again")
    except (InputError, _PassingError):
        raise
    except OSError as error:  # of the sink: the session has errors of its own
        raise InputError(f"{url}: {error}", f"a hub that answers, and space in {tempfile.gettempdir()}") from None
    except Exception as error:  # the session raises what its many parts raise
        if got >= 0:
            raise _PassingError(_cut_short(url, got, wanted if part else None)) from None
        token = headers.get("authorization", " ").split(" ")[-1]
        reason = f"{type(error).__name__}: {error}".replace(token or "\0", "***")[:200]
        line = InputError(f"{url}: no answer ({' '.join(reason.split())})", LOCAL)
        if type(error).__name__ in ("ConnectError", "ConnectTimeout", "TooManyRedirects", "UnsupportedProtocol"):
            raise line from None  # nobody there: no try will help
        raise _PassingError(line) from None
    if part and got < wanted:
        raise _PassingError(_cut_short(url, got, wanted))
    if not part and got > LIMITS.text:
        raise InputError(f"{url}: more than {LIMITS.text} bytes", "the small file that its name promises")
    return size


def _check_reply(reply: Any, url: str, part: tuple[int, int] | None) -> int | None:
    """The file's size where the reply states it; an error for a reply that is not what was asked for.

    A server that ignores the range is believed only at the start of a file: further in, its reply would have
    to be downloaded from the beginning.
    """
    code, stated = reply.status_code, reply.headers.get("Content-Range", "").strip()
    folder = "download the model and give its folder"
    if code == 404:
        raise NotOnHubError(f"{url}: not found", "a file that the hub has", "check the model's name")
    if code in (401, 403):
        raise InputError(f"{url}: {code}", "a model you may read", "check its name, set HF_TOKEN or log in")
    if code in PASSING:
        asked = reply.headers.get("Retry-After", "")
        wait = int(asked) if re.fullmatch(r"\d{1,6}", asked) else 0
        line = InputError(f"{url}: {code}", LOCAL, f"try again in {wait} s" if wait else "try again later")
        raise _PassingError(line, wait)
    if code not in (200, 206) or reply.headers.get("Content-Encoding", "identity") != "identity":
        raise InputError(f"{url}: the answer {code}, or one that is compressed", "the file as it is", folder)
    if part and code == 206:
        match = re.fullmatch(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", stated)
        if not match or (int(match[1]), int(match[2])) != (part[0], part[1] - 1):
            got = f"{url}: the part {short(stated)}, not the one asked for"
            raise InputError(got, f"bytes {part[0]}-{part[1] - 1}", folder)
        return int(match[3]) if match[3] != "*" else None
    if part and part[0] > 0:
        got = f"{url}: the whole file, for a request of {part[1] - part[0]} bytes from {part[0]}"
        raise InputError(got, "a server that knows ranges", folder)
    return None


def _cut_short(url: str, got: int, wanted: int | None) -> InputError:
    return InputError(f"{url}: a reply of {got} bytes", f"{wanted or 'all'} bytes", "try again; nothing was kept")
