"""What twice the width would buy: the laws of the table, their errors, and what is said."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict

import numpy as np
import pytest

from superlaw.findings.width_laws import WidthLaw, twice_the_width, width_laws


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


@pytest.mark.parametrize(
    ("width", "names", "stretched"),
    [
        (60, [], []),
        (200, ["Gemstones"], ["Gemstones"]),
        (1024, ["Chinchilla", "Gemstones", "Gemstones, widths of 512 and more"], []),
        (2000, ["Chinchilla", "Gemstones", "Gemstones, widths of 512 and more"], ["Gemstones"] * 2),
        (8192, ["Chinchilla"], ["Chinchilla"]),
        (12_288, [], []),
    ],
)
def test_laws_are_asked_where_their_tables_reach_and_stretched_ones_are_named(width, names, stretched):
    found = twice_the_width(width)
    assert [law.name for law in found.laws] == names
    assert [name.split(",")[0] for name in found.stretched] == stretched
    assert ("cannot tell" in found.sentence) == (not names)
    assert found.sentence.count("(beyond its widths)") == len(stretched)


def test_the_sentence_holds_every_laws_interval():
    found = twice_the_width(768)
    least, most = (float(text) for text in found.sentence.split("better by ")[1].split(" nats")[0].split(" to "))
    for value, low, high in found.gains:
        assert least - 0.005 <= low < value < high <= most + 0.005
    assert "of this checkpoint only the width was used" in found.sentence


@pytest.mark.slow  # three fits with intervals
@pytest.mark.parametrize("kept", width_laws(), ids=lambda law: law.name)
def test_the_commands_of_the_table_give_its_laws(kept, command, published, monkeypatch, tmp_path):
    from superlaw import load_fit

    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    code, _, err = command(*shlex.split(kept.command)[1:], "-o", tmp_path / "fit.json")
    assert code == 0, err
    column = "d_model" if kept.name == "Chinchilla" else "width"
    made = asdict(WidthLaw.of(load_fit(tmp_path / "fit.json"), column, kept.name, kept.command))
    for name, value in asdict(kept).items():
        assert made[name] == (pytest.approx(value, rel=1e-4) if isinstance(value, float) else value), name
