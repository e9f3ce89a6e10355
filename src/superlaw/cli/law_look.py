"""superlaw law look: what a table holds, before any fit."""

from __future__ import annotations

from superlaw.cli.law_options import Reading, TableArgument, spread
from superlaw.cli.law_table import table_of
from superlaw.cli.options import JsonOption


@spread
def look(table: TableArgument, reading: Reading, as_json: JsonOption = False) -> None:
    """What a table holds: columns, what they could be, how sizes vary, checkpoints, and the laws it can decide."""
    from superlaw.cli.output import print_json, print_result
    from superlaw.laws.look import look as seen

    found = seen(table_of(table, reading))
    print_json(found.to_dict()) if as_json else print_result(found)
