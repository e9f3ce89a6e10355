"""The width terms of the public tables that can tell, as TOML: ``python benchmarks/width_laws.py``.

They go to src/superlaw/findings/width_laws.toml: what ``superlaw lm head`` says of twice the width is their range.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from superlaw.findings.width_law import judge_width
from superlaw.findings.width_laws import WidthLaw
from superlaw.laws.published import load_published
from superlaw.studies.width_law import width_protocol

HEAD = """\
# Width terms, in nats a token: term * (m / 1024)^-exponent, of the public tables that can tell.
# Made by benchmarks/width_laws.py by the protocol of `superlaw study width-law`; held by tests/findings.
"""


def main() -> None:
    """Print the table."""
    protocol = width_protocol()
    print(HEAD, end="")
    for columns in protocol.tables:
        found = judge_width(load_published(columns.name), columns, protocol.rules, quick=True)
        law = WidthLaw.of(found) if found.exponent else None
        if law is None:
            continue
        print("\n[[law]]")
        for key, value in asdict(law).items():
            print(f"{key} = {value:.5g}" if isinstance(value, float) else f"{key} = {json.dumps(value)}")


if __name__ == "__main__":
    main()
