"""Parts of files on a hub, through ranged requests: a tensor costs its own bytes and two headers.

The endpoint is HF_ENDPOINT, a token is taken from HF_TOKEN and never sent to another host than the
endpoint's, as files there are served from a second host by redirection.
"""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from superlaw.errors import InputError

ENDPOINT = "https://huggingface.co"
SECONDS = 30.0  # without a byte, before a server is given up
CHUNK = 1 << 20
LARGEST_TEXT = 64 << 20  # config.json and index files beyond this are not what they claim
ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(@[\w.-]+)?")


class NotOnHubError(InputError):
    """The hub answers, and has no such file."""


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
        if not ID.fullmatch(text) or ".." in text:
            raise InputError(f"the model {text!r}", "a file, a folder, or a hub id as owner/name", "check the path")
        repository, _, revision = text.partition("@")
        return cls(repository, revision or "main")

    def url(self, file: str) -> str:
        """The address of a file of the repository."""
        endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")
        if not endpoint.startswith(("http://", "https://")):
            raise InputError(f"HF_ENDPOINT = {endpoint}", "an address that starts with http:// or https://")
        return f"{endpoint}/{self.repository}/resolve/{self.revision}/{urllib.parse.quote(file)}"

    def text(self, file: str) -> bytes:
        """A small file, whole."""
        with self._open(file, None) as reply:
            content = _receive(reply, LARGEST_TEXT + 1, self.url(file))
            stated = reply.headers.get("Content-Length")
            if len(content) > LARGEST_TEXT or (stated and stated.isdigit() and int(stated) != len(content)):
                raise _cut_short(self.url(file), len(content), stated or f"at most {LARGEST_TEXT}")
        return content

    def part(self, file: str, start: int, stop: int) -> tuple[bytearray, int | None]:
        """Bytes start to stop of a file, and the file's size where the server states it.

        A server that ignores the range is believed only at the start of a file: further in, its reply
        would have to be downloaded from the beginning.
        """
        url, wanted = self.url(file), stop - start
        if wanted == 0:
            return bytearray(), None
        with self._open(file, f"bytes={start}-{stop - 1}") as reply:
            total = None
            if reply.status == 206:
                stated = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", reply.headers.get("Content-Range", "").strip())
                if not stated or (int(stated[1]), int(stated[2])) != (start, stop - 1):
                    raise InputError(
                        f"{url}: the part {reply.headers.get('Content-Range')!r}, not the one asked for",
                        f"bytes {start}-{stop - 1}", "download the model and give its folder",
                    )  # fmt: skip
                total = int(stated[3]) if stated[3] != "*" else None
            elif start > 0:
                raise InputError(
                    f"{url}: the whole file, for a request of {wanted} bytes from {start}",
                    "a server that knows ranges", "download the model and give its folder",
                )  # fmt: skip
            content = _receive(reply, wanted, url)
        if len(content) != wanted:
            raise _cut_short(url, len(content), str(wanted))
        return content, total

    def _open(self, file: str, part: str | None) -> Any:
        headers = {"User-Agent": "superlaw", "Accept-Encoding": "identity"}
        if part:
            headers["Range"] = part
        url = self.url(file)
        if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
            raise InputError(f"the hub id {self.repository} with HF_HUB_OFFLINE set", "a local file or folder")
        request = urllib.request.Request(url, headers=headers)
        if token := os.environ.get("HF_TOKEN"):
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            return urllib.request.build_opener(_WebOnly).open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise NotOnHubError(f"{url}: not found", "a file that the hub has", "check the model's name") from None
            need = "a model you may read" if error.code in (401, 403) else "an answer"
            do = "set HF_TOKEN" if error.code in (401, 403) else "try again or give a local folder"
            raise InputError(f"{url}: {error.code} {error.reason}", need, do) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(url, error) from None


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirections, to web addresses only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(("http://", "https://")):
            raise urllib.error.URLError(f"redirected to {newurl[:60]}")
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.get_header("Authorization")
        same = urllib.parse.urlsplit(newurl)[:2] == urllib.parse.urlsplit(req.full_url)[:2]
        if new is not None and token and same:
            new.add_unredirected_header("Authorization", token)
        return new


def _receive(reply: Any, wanted: int, url: str) -> bytearray:
    content = bytearray()
    try:
        while len(content) < wanted and (chunk := reply.read(min(CHUNK, wanted - len(content)))):
            content += chunk
    except http.client.IncompleteRead as error:
        content += error.partial
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(url, error) from None
    return content


def _cut_short(url: str, got: int, wanted: str) -> InputError:
    return InputError(f"{url}: a reply of {got} bytes", f"{wanted} bytes", "try again; nothing was kept")


def _unreachable(url: str, error: Exception) -> InputError:
    reason = getattr(error, "reason", None) or error
    return InputError(f"{url}: no answer ({str(reason)[:100]})", "a local file or folder, or a hub that answers")
