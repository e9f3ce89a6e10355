"""The playground's page, and a server of it for this machine alone."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from superlaw.errors import InputError

PAGE = Path(__file__).parent / "static" / "playground.html"  # playground/build.py makes it
ADDRESS = "127.0.0.1"


def playground_page() -> bytes:
    """The built page; InputError where this installation was made without it."""
    if not PAGE.is_file():
        raise InputError(
            "an installation without the playground's page",
            "the page built",
            "in the source tree: make playground (needs Node.js and the package ziglang)",
        )
    return PAGE.read_bytes()


def playground_server(port: int = 0) -> ThreadingHTTPServer:
    """A server of the page on the loopback address, not started yet; port 0 takes a free one."""
    content = playground_page()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/", "/index.html"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(content))),
                ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of each request."""

    try:
        return ThreadingHTTPServer((ADDRESS, port), Handler)
    except OSError as error:
        raise InputError(f"--port {port}: {error.strerror}", "a free port", "leave it out to take any") from None
