"""What would twice the width buy? The range over the public tables that can tell (docs/studies/width-law.md).

``width_laws.toml`` holds the width term of each, by the protocol of ``superlaw study width-law``.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scipy.special import stdtrit

from superlaw.laws.terms import term_names

if TYPE_CHECKING:
    from superlaw.findings.width_law import WidthVerdict

REACH = 2  # times beyond the widths of its table, a law is still asked
AT = 1024  # the width at which terms are stated: there, their sizes and exponents hardly go together


@dataclass(frozen=True)
class WidthLaw:
    """The width term of a law, term (m / 1024)^-exponent in nats a token, other sizes held.

    Parameters
    ----------
    name : str
        The entry of the study.
    widths : tuple of int
        Smallest and largest of the table.
    term, exponent : float
    low, high : float
        95 % interval of the exponent.
    stderr_log_term, stderr_exponent, correlation : float
        Of log term and exponent.
    quantile : float
        Student's t for 95 %, of the fewer degrees of freedom of the two.
    """

    name: str
    widths: tuple[int, int]
    term: float
    exponent: float
    low: float
    high: float
    stderr_log_term: float
    stderr_exponent: float
    correlation: float
    quantile: float

    @classmethod
    def of(cls, verdict: WidthVerdict) -> WidthLaw:
        """From a table that can tell.

        Parameters
        ----------
        verdict : WidthVerdict
            With a fit whose term of width is c / width^a, and intervals by the sandwich.
        """
        fit = verdict.fit
        assert fit is not None
        c, a = term_names(fit, "width")
        at = [list(fit.params).index(one) for one in (c, a)]
        (vc, vca), (_, va) = fit.log_covariance[at][:, at]
        log_at = math.log(AT)
        variance = vc - 2 * log_at * vca + log_at**2 * va  # of log c - a log 1024
        found, widths = fit[a], fit.ranges["width"]
        return cls(
            verdict.table.entry, (int(widths[0]), int(widths[1])), fit[c].value * AT**-found.value,
            found.value, found.low, found.high, math.sqrt(variance), math.sqrt(va),
            (vca - log_at * va) / math.sqrt(variance * va),
            float(stdtrit(min(fit.interval["dof"][i] for i in at), 0.975)),
        )  # fmt: skip

    def gain(self, width: int) -> tuple[float, float, float]:
        """Nats a token that 2 m saves over m, and their 95 % interval by the delta method on their logarithm."""
        a, away = self.exponent, math.log(width / AT)
        value = self.term * math.exp(-a * away) * (1 - 2**-a)
        by_a = math.log(2) / (2**a - 1) - away  # d log gain / d a; d log gain / d log term = 1
        s, t = self.stderr_log_term, self.stderr_exponent * by_a
        half = self.quantile * math.sqrt(s * s + t * t + 2 * self.correlation * s * t)
        return value, value * math.exp(-half), value * math.exp(half)


@cache
def width_laws() -> tuple[WidthLaw, ...]:
    """The laws of the table that is part of the package.

    Examples
    --------
    >>> [law.name for law in width_laws()]
    ['chinchilla', 'gemstones', 'xlstm-llama, context 2048', 'xlstm-llama, context 8192', 'xlstm-llama, context 16384']
    """
    record = tomllib.loads((files("superlaw.findings") / "width_laws.toml").read_text(encoding="utf-8"))
    return tuple(WidthLaw(**{**one, "widths": tuple(one["widths"])}) for one in record["law"])


@dataclass(frozen=True)
class TwiceTheWidth:
    """What twice the width would buy a model of this width, by laws whose tables have such widths, or nearly.

    ``gains`` are by law nats a token and their 95 % interval; ``stretched`` names the laws whose tables do not hold
    both m and 2 m.
    """

    width: int
    laws: tuple[WidthLaw, ...]
    gains: tuple[tuple[float, float, float], ...]
    stretched: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The range, stated as what it is."""
        if not self.laws:
            low, high = min(law.widths[0] for law in width_laws()), max(law.widths[1] for law in width_laws())
            return f"twice the width: cannot tell, the tables that were studied have widths of {low} to {high}"
        least, most = min(low for _, low, _ in self.gains), max(high for *_, high in self.gains)
        left = [2**-a for law in self.laws for a in (law.low, law.high)]
        each = "; ".join(
            f"{law.name} {gain[0]:.2f}{' (beyond its widths)' if law.name in self.stretched else ''}"
            for law, gain in zip(self.laws, self.gains, strict=True)
        )
        return (
            f"twice the width: a model of text of width {2 * self.width} instead of {self.width}, all else held, is "
            f"better by {least:.2f} to {most:.2f} nats a token by the public tables that can tell ({each}); "
            f"its width's part of the loss is {min(left):.0%} to {max(left):.0%} of what it was (1/m: 50%). Those are "
            "other models, tokenizers and texts: of this checkpoint only the width was used"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "width": self.width,
            "laws": [
                {
                    "name": law.name, "exponent": law.exponent, "exponent_low": law.low, "exponent_high": law.high,
                    "nats": value, "nats_low": low, "nats_high": high, "beyond_its_widths": law.name in self.stretched,
                }
                for law, (value, low, high) in zip(self.laws, self.gains, strict=True)
            ],
            "sentence": self.sentence,
        }  # fmt: skip


def twice_the_width(width: int) -> TwiceTheWidth:
    """The gain of 2 m over m by every law whose table has models of width m, or of half or twice that.

    Examples
    --------
    >>> [law.name for law in twice_the_width(200).laws]
    ['gemstones']
    >>> twice_the_width(10).sentence
    'twice the width: cannot tell, the tables that were studied have widths of 256 to 5120'
    """
    laws = tuple(law for law in width_laws() if law.widths[0] / REACH <= width <= law.widths[1] * REACH)
    stretched = tuple(law.name for law in laws if width < law.widths[0] or 2 * width > law.widths[1])
    return TwiceTheWidth(width, laws, tuple(law.gain(width) for law in laws), stretched)
