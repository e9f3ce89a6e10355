"""Model folders for tests, and a hub on the loopback that counts the bytes it sends."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_model(folder: Path, tensors: dict[str, np.ndarray], config: dict | None = None, shards: int = 1) -> Path:
    """A model folder: one safetensors file, or an index and shards of a tensor or more each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or {}))
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return folder
    placed = {}
    for i in range(shards):
        part = dict(list(tensors.items())[i::shards])
        name = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        save_file(part, folder / name)
        placed |= dict.fromkeys(part, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    return folder


class Hub:
    """A server of one folder's models: counts bytes of bodies, and misbehaves on request."""

    def __init__(self, folder: Path):
        self.folder, self.sent, self.mode, self.seen = folder, 0, "honest", []
        self.second, self.size = "", None  # another host that it sends to; the size that it states of every file
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                hub.answer(self)

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that has read enough may leave

        self.server = Server(("127.0.0.1", 0), Handler)
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
        if self.mode == "second host" and path.endswith(".safetensors"):
            request.send_response(307)
            request.send_header("Location", self.second + path)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if self._refuses(request, path):
            return
        match = re.fullmatch(r"/(.+)/resolve/main/(.+)", path)
        file = self.folder / match[1] / match[2]
        if not file.is_file():
            request.send_error(404)
            return
        body, status, stated = file.read_bytes(), 200, None
        if part and self.mode != "no ranges":
            a, b = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", part).groups())
            stated, status = f"bytes {a}-{b}/{self.size or len(body)}", 206
            if self.mode == "other part":
                stated = f"bytes {a + 1}-{b + 1}/{len(body)}"
            if self.mode == "coloured":
                stated = "\x1b[31mred\x1b]0;title\x07"
            if self.mode == "other size":
                stated = f"bytes {a}-{b}/{len(body) + 1}"
            body = body[a : b + 1]
        request.send_response(status)
        length = {"endless": 400 * 10**9, "wrong length": len(body) + 7}.get(self.mode, len(body))
        request.send_header("Content-Length", str(length))
        if stated:
            request.send_header("Content-Range", stated)
        request.end_headers()
        if self.mode == "truncated" and len(body) > 4000:
            body = body[: len(body) // 2]
            request.close_connection = True
        self._send(request, body)

    def _refuses(self, request, path: str) -> bool:
        """Whether the mode has an answer without a file."""
        codes = {"busy": 429, "failing": 503, "private": 401}
        tries = sum(seen == path for seen, _, _ in self.seen)
        code = 429 if self.mode == "busy twice" and tries < 3 else codes.get(self.mode)
        if self.mode == "hanging":
            time.sleep(30)
        if code:
            request.send_response(code, "\x1b[31mred")
            request.send_header("Retry-After", "3600" if self.mode == "busy" else "0")
            request.send_header("Content-Length", "0")
            request.end_headers()
        return bool(code)

    def _send(self, request, body: bytes) -> None:
        try:
            if self.mode == "wrong length":
                request.close_connection = True
            if self.mode == "silent":
                time.sleep(30)
            if self.mode == "slow":
                for byte in body:
                    request.wfile.write(bytes([byte]))
                    time.sleep(0.2)
            request.wfile.write(body)
            self.sent += len(body)
            while self.mode == "endless":
                request.wfile.write(bytes(1 << 20))
                self.sent += 1 << 20
        except (BrokenPipeError, ConnectionResetError):
            pass  # a client that has read enough may leave
