"""Frequency against rank of hand-made counts."""

from __future__ import annotations

import numpy as np
import pytest
from study_records import check_rendering, made_tokens

from superlaw.errors import InputError
from superlaw.figures import zipf
from superlaw.figures.panels import Line, Marks

TOKENIZERS = {"ant": {"wiki": made_tokens(), "play": made_tokens(0.8)}, "bee": {"wiki": made_tokens(1.2)}}


def test_counts_stand_by_rank_with_their_counting_error():
    panel = zipf.data({"ant": {"wiki": made_tokens()}}).panels[0]
    marks = next(item for item in panel.items if isinstance(item, Marks))
    counts = zipf.by_rank(made_tokens())
    assert marks.x[0] == 1 and marks.x[-1] == 50
    np.testing.assert_allclose(marks.y, counts[marks.x - 1] / counts.sum())
    np.testing.assert_allclose(marks.error, np.sqrt(counts[marks.x - 1]) / counts.sum())
    line = next(item for item in panel.items if isinstance(item, Line))
    np.testing.assert_allclose(line.y, marks.y, rtol=0.05)  # p_r = 1/r, rounded to whole counts
    np.testing.assert_allclose(line.y[0] / line.y[-1], 50)
    assert marks.label == "ant: α = 1.000 ± 0.01"


def test_a_panel_a_corpus_and_all_exponents():
    picture = zipf.data(TOKENIZERS)
    assert [panel.title for panel in picture.panels] == ["wiki", "play", "exponents"]
    likelihood, half = (item for item in picture.panels[-1].items if isinstance(item, Marks))
    np.testing.assert_allclose(likelihood.y, [1.0, 0.8, 1.2])
    np.testing.assert_allclose(half.error, 0.01)
    assert picture.panels[-1].tick_labels == ("ant, wiki", "ant, play", "bee, wiki")
    assert "Missing: bee on play." in picture.notes
    assert picture.runs == ("ant: wiki", "ant: play", "bee: wiki")
    check_rendering(zipf.draw, picture)


def test_part_of_a_corpus_is_said():
    part = made_tokens() | {"whole_corpus": False}
    assert "(the first part of the corpus)" in zipf.data({"ant": {"wiki": part}}).notes[0]


def test_without_counts_it_refuses():
    with pytest.raises(InputError, match="superlaw lm study"):
        zipf.data({})
    with pytest.raises(InputError, match="without counts"):
        zipf.data({"ant": {"wiki": made_tokens() | {"counts": None}}})
