"""Points read off published figures, as small tables of this package: what, whose, how they were read, how well.

They are facts of pictures; every point is one training run of the original. Columns have the names of run tables, so
that a point is found by its coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("points")


@dataclass(frozen=True)
class FigurePoints:
    """The points of one figure.

    ``accuracy`` is that of the reading alone; the column ``half_quantum``, where there is one, has it point by point.
    """

    name: str
    what: str
    source: str
    read: str
    accuracy: str
    let: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The table."""
        return FOLDER / f"{self.name}.csv"

    @property
    def origin(self) -> str:
        """Where it comes from, for a list of tables."""
        return f"{self.source}; in this package"


WIDE = "digitised from the vector graphics: marks of losses, bars of their deviations"
WIDE_ACCURACY = "losses 3e-5, deviations 1 %, both relative"
COLOURS = "digitised from the vector graphics: colours of the map, decoded by its colour bar"
POINTS = {
    points.name: points
    for points in (
        FigurePoints(
            "llg-fig4b",
            "170 exponents over alpha and gamma: lines through log loss at m = 10, 15, 25, 39, 63, 100; "
            "n = 1000, 20,000 steps",
            "[LLG] figure 4b (arXiv:2505.10465)",
            COLOURS,
            "half a step of the colour map: 0.0047, two cells 0.0095",
        ),
        FigurePoints(
            "llg-fig3b",
            "170 shares of represented features (phi_1/2) over alpha and gamma at m = 39; n = 1000, 20,000 steps",
            "[LLG] figure 3b (arXiv:2505.10465)",
            f"{COLOURS}; m is inferred: the row alpha = 1 equals the printed curve of m = 39 and no other",
            "half a step of the colour map: 0.002 to 0.0039",
        ),
        FigurePoints(
            "llg-fig1b",
            "24 losses and their deviations over the last 100 steps, weak superposition (gamma = 0.1), three "
            "families, m = 8 to 1024; n = 10,240, 40,000 steps, exponential exp(-i/400)",
            "[LLG] figure 1b (arXiv:2505.10465)",
            WIDE,
            WIDE_ACCURACY,
        ),
        FigurePoints(
            "llg-fig1d",
            "the same for strong superposition (gamma = -1)",
            "[LLG] figure 1d (arXiv:2505.10465)",
            WIDE,
            WIDE_ACCURACY,
        ),
    )
}
