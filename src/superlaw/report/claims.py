"""What a page says of what was published beside what was measured: point by point, and in the publication's words."""

from __future__ import annotations

from collections.abc import Sequence

from superlaw.findings.figure_comparison import FigureComparison
from superlaw.findings.verdicts import Claim, counted
from superlaw.report.page import Section, Table


def beside_sections(points: Sequence[FigureComparison], claims: Sequence[Claim]) -> tuple[Section, ...]:
    """A section for each published figure of which there are points here, and one for the claims."""
    found = [_points(beside) for beside in points if beside.points]
    return (*found, *([_claims(claims)] if claims else ()))


def beside_in_words(points: Sequence[FigureComparison], claims: Sequence[Claim]) -> tuple[str, ...]:
    """How the published points lie as a whole, and how many of the claims agree.

    Examples
    --------
    >>> agrees, untested = Claim("a", "1", 1.0, 0.1, "agrees (differs by 0)"), Claim("b", "1", None, None, "not tested")
    >>> beside_in_words((), [agrees, untested])
    ('Of 2 published values: 1 agree, 1 not tested.',)
    """
    said = [sentence for beside in points for sentence in beside.headline()]
    if claims:
        said.append(f"Of {len(claims)} published values: {counted(claims)}.")
    return tuple(said)


def _points(beside: FigureComparison) -> Section:
    keys = beside.kind.keys
    rows = tuple(
        (*(point.where.get(key) for key in keys), point.published, point.measured, point.difference, point.seeds,
         point.spread, point.expected, point.verdict)
        for point in beside.points
    )  # fmt: skip
    columns = (*keys, "published", "measured", "difference", "seeds", "spread over seeds", "combined spread", "verdict")
    note = f"{beside.kind.symbol}: {beside.kind.how}. Differences of relative quantities are of their logarithms."
    table = Table("points", f"Points of {beside.source}", columns, rows, note)
    return Section(f"Beside {beside.source}", (*beside.sentences(), beside.scatter_in_words()), tables=(table,))


def _claims(claims: Sequence[Claim]) -> Section:
    rows = tuple((c.what, c.published, c.measured, c.margin, c.verdict) for c in claims)
    note = "±: half the 95 % interval of an exponent, half the range of a share or a ratio over the runs it averages."
    columns = ("quantity", "published", "measured", "±", "verdict")
    return Section(
        "Beside the published words", tables=(Table("claims", "Published and measured", columns, rows, note),)
    )
