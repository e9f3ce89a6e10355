"""Overlaps and losses of a hand-made study: exact points, the law given back, and what lacks is said."""

from __future__ import annotations

import numpy as np
import pytest
from study_records import OFFSETS, check_rendering, joint_fit, made_heads, made_rows

from superlaw.errors import InputError
from superlaw.figures import llm
from superlaw.figures.panels import Line, Marks
from superlaw.findings.heads import loss_exponent
from superlaw.geometry.frames import random_mean_abs_overlap, welch


def marks(panel) -> list[Marks]:
    return [item for item in panel.items if isinstance(item, Marks) and len(item.x)]


def test_the_width_part_is_the_loss_less_its_offset():
    rows = made_rows()
    picture = llm.data(rows, made_heads(), joint_fit(rows))
    drawn = marks(picture.panels[-1])
    assert len(drawn) == len(OFFSETS)
    for item in drawn:
        np.testing.assert_allclose(item.y, 10 / item.x, rtol=1e-4)
        np.testing.assert_allclose(item.error, 0.01)
    (line,) = (item for item in picture.panels[-1].items if isinstance(item, Line))
    np.testing.assert_allclose(line.y, 10 / line.x, rtol=1e-4)
    a, c = loss_exponent(joint_fit(rows))
    assert (a.value, c.value) == pytest.approx((1, 10), rel=1e-4)
    assert picture.panels[-1].title == "a = 1 (95%: 1 to 1)"


def test_overlaps_stand_by_family_beside_1_over_m_and_welch():
    heads = made_heads()
    squares, absolutes = llm.data(made_rows(), heads, None, "too few").panels[:2]
    ant, bee, bound = marks(squares)
    assert (ant.label, bee.label, bound.label) == ("ant", "bee", "Welch's bound")
    np.testing.assert_allclose(1 / ant.x, [64, 128, 256, 512])
    np.testing.assert_allclose(ant.y, ant.x)
    np.testing.assert_allclose(bound.y, [welch(5000, m) for m in (64, 96, 128, 192, 256, 384, 512)])
    np.testing.assert_allclose(marks(absolutes)[1].y, [random_mean_abs_overlap(m) for m in (96, 192, 384)])


def test_without_a_fit_losses_are_drawn_and_the_reason_said():
    picture = llm.data(made_rows(), {}, None, "losses at 2 widths, three are needed")
    assert [panel.ylabel for panel in picture.panels] == ["loss (nats a token)"]
    assert not any(isinstance(item, Line) for item in picture.panels[0].items)
    assert {item.label for item in picture.panels[0].items} >= {"ant", "bee", "wiki", "play"}
    assert "No joint fit: losses at 2 widths, three are needed." in picture.notes
    assert any(note.startswith("Missing: the heads of ant-64, ant-128") for note in picture.notes)
    check_rendering(llm.draw, picture)


def test_one_family_is_coloured_by_corpus():
    rows = [row for row in made_rows() if row["family"] == "ant"]
    heads = {"ant-64": made_heads()["ant-64"]}
    picture = llm.data(rows, heads, joint_fit(rows))
    assert {item.color for item in marks(picture.panels[-1])} == {"C0", "C1"}
    assert {item.label for item in picture.panels[-1].items if item.label in ("wiki", "play")} == {"wiki", "play"}
    check_rendering(llm.draw, picture)


def test_what_failed_or_lies_below_its_offset_is_said():
    rows = made_rows()
    fit = joint_fit(rows)
    rows[0] |= {"loss": None, "stderr": None}
    rows[-1] |= {"loss": 1.0}
    picture = llm.data(rows, made_heads(), fit)
    assert "Missing: the losses of ant-64 on wiki." in picture.notes
    assert "1 losses lie below their fitted offset and cannot be drawn in the last panel." in picture.notes
    assert sum(len(item.x) for item in marks(picture.panels[-1])) == len(rows) - 2
    assert picture.runs == tuple(made_heads())


def test_the_warnings_of_the_fit_are_on_the_figure():
    rows = [row for row in made_rows(0.03) if row["width"] >= 128]
    fit = joint_fit(rows)
    assert fit.certificate.flat == {"a": "not"}
    picture = llm.data(rows, {}, fit)
    assert [note for note in picture.notes if note.startswith("Warning of the fit: a is not determined")]
    assert picture.panels[-1].title.startswith("a not determined (95%")
    line = next(item for item in picture.panels[-1].items if isinstance(item, Line))
    assert line.low is None and "band" not in line.label
    check_rendering(llm.draw, picture)


def test_every_format():
    rows = made_rows(1e-3)
    check_rendering(llm.draw, llm.data(rows, made_heads(), joint_fit(rows)))


def test_nothing_is_refused_with_the_command_that_makes_it():
    rows = [row | {"loss": None} for row in made_rows()]
    with pytest.raises(InputError, match="superlaw lm study"):
        llm.data(rows, {}, None)
