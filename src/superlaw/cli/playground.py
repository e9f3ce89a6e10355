"""superlaw playground: superposition in a browser."""

from __future__ import annotations

from typing import Annotated

import typer


def playground(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1 [any that is free].")] = 0,
    browser: Annotated[bool, typer.Option("--browser", help="Open it in the browser.")] = False,
) -> None:
    """Serve the playground, where toy models train in the browser, to this machine until Ctrl-C."""
    import webbrowser

    from superlaw.report.playground import playground_server

    with playground_server(port) as server:
        address = f"http://{server.server_address[0]}:{server.server_port}/"
        print(f"The playground is at {address} (Ctrl-C ends it)", flush=True)
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
