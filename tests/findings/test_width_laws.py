"""What twice the width would buy: the laws of the table, their errors, and what is said."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest

from superlaw.findings.width_law import judge_width
from superlaw.findings.width_laws import WidthLaw, twice_the_width, width_laws
from superlaw.laws.published import load_published
from superlaw.studies.width_law import width_protocol


def test_a_gain_is_the_difference_of_the_law_at_both_widths():
    law = width_laws()[0]
    term = lambda m: law.term * (m / 1024) ** -law.exponent  # noqa: E731
    for m in (512, 1024, 4000):
        value, low, high = law.gain(m)
        assert value == pytest.approx(term(m) - term(2 * m), rel=1e-12)
        assert low < value < high


def test_the_interval_of_a_gain_is_that_of_drawn_parameters():
    """Log term and exponent drawn with their covariance: the spread of the gain's logarithm."""
    rng = np.random.default_rng(0)
    for law in width_laws():
        s, t = law.stderr_log_term, law.stderr_exponent
        cov = np.array([[s * s, law.correlation * s * t], [law.correlation * s * t, t * t]]) * 1e-4
        drawn = rng.multivariate_normal([math.log(law.term), law.exponent], cov, 20_000)
        for m in (600, 3000):
            gains = drawn[:, 0] - drawn[:, 1] * math.log(m / 1024) + np.log(1 - 2 ** -drawn[:, 1])
            value, _, high = law.gain(m)
            assert math.log(high / value) == pytest.approx(law.quantile * gains.std() * 100, rel=0.03)


XLSTM = [f"xlstm-llama, context {tokens}" for tokens in (2048, 8192, 16384)]


@pytest.mark.parametrize(
    ("width", "names", "stretched"),
    [
        (60, [], []),
        (200, ["gemstones"], ["gemstones"]),
        (1024, ["chinchilla", "gemstones", *XLSTM], []),
        (2000, ["chinchilla", "gemstones", *XLSTM], ["gemstones", *XLSTM]),
        (8192, ["chinchilla"], ["chinchilla"]),
        (12_288, [], []),
    ],
)
def test_laws_are_asked_where_their_tables_reach_and_stretched_ones_are_named(width, names, stretched):
    found = twice_the_width(width)
    assert [law.name for law in found.laws] == names
    assert list(found.stretched) == stretched
    assert ("cannot tell" in found.sentence) == (not names)
    assert found.sentence.count("(beyond its widths)") == len(stretched)


def test_the_sentence_holds_every_laws_interval():
    found = twice_the_width(768)
    least, most = (float(text) for text in found.sentence.split("better by ")[1].split(" nats")[0].split(" to "))
    for value, low, high in found.gains:
        assert least - 0.005 <= low < value < high <= most + 0.005
    assert "of this checkpoint only the width was used" in found.sentence


def test_the_table_holds_what_the_study_of_public_tables_found(published, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    protocol = width_protocol()
    told = {law.name: law for law in width_laws()}
    judged = [one for one in protocol.tables if one.entry in told]
    assert len(judged) == len(told) == 5
    for columns in judged:
        found = WidthLaw.of(judge_width(load_published(columns.name), columns, protocol.rules, quick=True))
        for name, value in asdict(found).items():
            kept = getattr(told[columns.entry], name)
            assert kept == (pytest.approx(value, rel=1e-4) if isinstance(value, float) else value), name
