"""The command ``superlaw``: one file a noun, each parsing, calling the library and printing."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from contextvars import ContextVar
from typing import Annotated, TextIO, cast

import typer

from superlaw.cli import (
    data,
    demo,
    evaluate,
    exponents,
    figure,
    law,
    lm,
    playground,
    report,
    shape,
    show,
    study,
    sweep,
    train,
)
from superlaw.cli.options import obey_rules, version
from superlaw.cli.terminal import Printable, columns, styled
from superlaw.errors import SuperlawError
from superlaw.files.columns import printable

UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h
_debug: ContextVar[bool] = ContextVar("debug", default=False)

app = typer.Typer(
    name="superlaw",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"superlaw {version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error nobody foresaw.")] = False,
) -> None:
    """What sets a neural scaling law, and when will it hold?"""
    _debug.set(debug)
    if debug:
        warnings.simplefilter("default")


app.command()(demo.demo)
app.command()(train.train)
app.command()(show.show)
app.command()(evaluate.evaluate)
app.command()(exponents.exponents)
app.command()(figure.figure)
app.command()(figure.reproduce)
app.command()(report.report)
app.command()(playground.playground)
app.add_typer(sweep.app, name="sweep")
app.add_typer(law.app, name="law")
app.add_typer(data.app, name="data")
app.add_typer(lm.app, name="lm")
app.add_typer(shape.app, name="shape")
app.add_typer(study.app, name="study")
obey_rules(app)


def main() -> None:
    """Run the command line; every error is one line on stderr and its exit code."""
    # A BLAS pool spinning beside the engine costs far more than it gives.
    for pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(pool, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # ± must not end a command on an ASCII terminal
            stream.reconfigure(errors="replace")
    _debug.set(False)
    warnings.simplefilter("ignore", append=True)  # what libraries say to programmers, unless it is asked for
    try:
        shown = Printable(sys.stdout, columns(sys.stdout), styled(sys.stdout))
        with contextlib.redirect_stdout(cast(TextIO, shown)):
            code = app(prog_name="superlaw", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        _to_nowhere(sys.stdout)
        sys.exit(1)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # of typer's own copy of click, which it does not export
            print(str(cast(typer.TyperException, error).format_message()))
            sys.exit(0)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _to_nowhere(sys.stdout)  # what it could not take
        line, code = _in_one_line(error)
        if code == UNFORESEEN and _debug.get():
            import traceback

            traceback.print_exc()
        print(f"superlaw: {printable(' '.join(line.split()))}", file=sys.stderr)
        sys.exit(code)
    if code == 130:
        print("superlaw: interrupted; nothing half-written", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _to_nowhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _in_one_line(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, SuperlawError):
        return str(error), error.exit_code
    if isinstance(error, typer.TyperException):
        return f"{error.format_message()} See --help.", error.exit_code
    if isinstance(error, OSError | MemoryError | RecursionError):
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        where = getattr(error, "filename", None)
        return f"the system refused: {reason}{f' ({str(where)[:200]})' if where else ''}", 2
    return (
        f"an error nobody foresaw, {type(error).__name__}: {str(error)[:200]}; please report it with the command "
        "and its input; superlaw --debug COMMAND shows where it happened"
    ), UNFORESEEN
