"""superlaw playground: the built page from the loopback address, or how to build it."""

from __future__ import annotations

import http.client
import threading

import pytest

from superlaw.report import playground


@pytest.fixture
def page(tmp_path, monkeypatch) -> bytes:
    path = tmp_path / "playground.html"
    path.write_bytes("<title>φ</title>".encode())
    monkeypatch.setattr(playground, "PAGE", path)
    return path.read_bytes()


def ask(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    return connection.getresponse()


def test_it_serves_the_page_and_nothing_else_to_this_machine_alone(page):
    with playground.playground_server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        found = ask(port, "/?x=1")
        assert (host, found.status, found.read()) == ("127.0.0.1", 200, page)
        assert found.getheader("Content-Type") == "text/html; charset=utf-8"
        for path in ("/../pyproject.toml", "/playground.html", "//etc/passwd", "/%2e%2e/x"):
            assert ask(port, path).status == 404
        server.shutdown()


def test_a_port_in_use_is_one_line(page, command):
    with playground.playground_server() as server:
        code, out, err = command("playground", "--port", server.server_port)
        assert code == 2 and not out
        assert err.startswith(f"superlaw: got --port {server.server_port}: ") and err.count("\n") == 1


def test_without_the_page_it_says_how_to_build_it(tmp_path, monkeypatch, command):
    monkeypatch.setattr(playground, "PAGE", tmp_path / "nothing.html")
    code, out, err = command("playground")
    assert code == 2 and not out and "make playground" in err and err.count("\n") == 1


def test_ctrl_c_ends_it_well(page, command, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(playground.ThreadingHTTPServer, "serve_forever", interrupted)
    code, out, err = command("playground")
    assert code == 0 and "http://127.0.0.1:" in out and not err
