"""What a page says of published values beside measured ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from superlaw.findings.verdicts import Claim
from superlaw.report.page import Section, Table


def claims_section(claims: Sequence[Claim]) -> Section:
    """The table of claims, a row each."""
    rows = tuple((c.what, c.published, c.measured, c.margin, c.verdict) for c in claims)
    note = "±: half the 95 % interval of an exponent, half the range of a share or a ratio over the runs it averages."
    columns = ("quantity", "published", "measured", "±", "verdict")
    table = Table("claims", "Published and measured", columns, rows, note)
    return Section("Beside what was published", tables=(table,))


def claims_in_words(claims: Sequence[Claim]) -> str:
    """How many published values agree, in a sentence.

    Examples
    --------
    >>> claims_in_words([Claim("a", "1", 1.0, 0.1, "agrees (differs by 0)"), Claim("b", "1", None, None, "not tested")])
    'Of 2 published values 1 agrees, 1 not tested.'
    """
    kinds = Counter(claim.verdict.split(" (")[0].split(" by ")[0].split(":")[0] for claim in claims)
    return f"Of {len(claims)} published values " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + "."
