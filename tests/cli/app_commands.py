"""Every command of the app, to ask them all."""

from __future__ import annotations

from typer.main import get_command

from superlaw.cli.main import app


def commands(group=None, path=()):
    """(path, command) of the whole app."""
    group = group or get_command(app)
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one
