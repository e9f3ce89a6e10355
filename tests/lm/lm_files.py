"""Model folders for tests, and a hub on the loopback that counts the bytes it sends."""

from __future__ import annotations

import json
import re
import threading
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
