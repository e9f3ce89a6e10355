"""The command ``superlaw``: one file a noun, each parsing, calling the library and printing."""

from __future__ import annotations

import os
import sys

import typer

app = typer.Typer(
    name="superlaw",
    help="What sets a neural scaling law, and when will it hold?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; deliberate errors become one line on stderr and their exit code."""
    # One model a core: a BLAS pool spinning beside the engine costs far more than it gives.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from superlaw.errors import SuperlawError

    try:
        app()
    except SuperlawError as error:
        print(f"superlaw: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("superlaw: interrupted", file=sys.stderr)
        sys.exit(130)
