"""The command ``superlaw``: one file a noun, each parsing, calling the library and printing."""

from __future__ import annotations

import os
import sys

import typer

from superlaw.cli import data, demo, law, lm, show, sweep, train
from superlaw.errors import SuperlawError

app = typer.Typer(
    name="superlaw",
    help="What sets a neural scaling law, and when will it hold?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(train.train)
app.command()(show.show)
app.add_typer(sweep.app, name="sweep")
app.add_typer(law.app, name="law")
app.add_typer(data.app, name="data")
app.add_typer(lm.app, name="lm")


def main() -> None:
    """Run the command line; every deliberate error is one line on stderr and its exit code."""
    # A BLAS pool spinning beside the engine costs far more than it gives.
    for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(pool, "1")
    try:
        code = app(standalone_mode=False)
    except (SuperlawError, typer.TyperException) as error:
        ours = isinstance(error, SuperlawError)
        message = str(error) if ours else f"{error.format_message()} See --help."
        print(f"superlaw: {' '.join(message.split())}", file=sys.stderr)
        sys.exit(error.exit_code)
    if code == 130:
        print("superlaw: interrupted; nothing half-written", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)
