"""Row norms of hand-made heads."""

from __future__ import annotations

import numpy as np
import pytest
from study_records import check_rendering, made_head, made_heads

from superlaw.errors import InputError
from superlaw.figures import norms
from superlaw.figures.panels import Marks, Steps


def test_mean_spread_and_ends_by_model():
    picture = norms.data(made_heads())
    summary = picture.panels[0]
    mean, largest, smallest = (item for item in summary.items if isinstance(item, Marks))
    np.testing.assert_array_equal(mean.y, np.full(7, 2.0))
    np.testing.assert_array_equal(mean.error, np.full((2, 7), 0.5))
    np.testing.assert_array_equal(largest.y, np.full(7, 3.0))
    np.testing.assert_array_equal(smallest.y, np.full(7, 1.0))
    assert summary.tick_labels == tuple(made_heads()) == picture.runs
    check_rendering(norms.draw, picture)


def test_a_distribution_is_a_density_over_the_mean():
    (steps,) = (i for i in norms.data({"a": made_head(64)}).panels[1].items if isinstance(i, Steps))
    np.testing.assert_allclose(steps.edges, [0.45, 0.85, 1.15, 1.55])
    np.testing.assert_allclose(steps.heights, [1 / 4 / 0.4, 2 / 4 / 0.3, 1 / 4 / 0.4])


def test_many_models_are_coloured_by_width_and_get_room():
    many = {f"model-{m}": made_head(m) for m in range(64, 1024, 64)}
    picture = norms.data(many)
    assert picture.columns == 1 and picture.panel[0] > 3.35
    assert (picture.panels[1].scale.low, picture.panels[1].scale.high) == (6, np.log2(960))
    check_rendering(norms.draw, picture)


def test_rows_of_zeros_and_far_norms_are_drawn_on_a_log_axis_without_the_zeros():
    head = made_head(64)
    head["norms"] |= {"min": 0.0, "max": 500.0, "std": 3.0}
    picture = norms.data({"a": head, "b": made_head(64)})
    summary = picture.panels[0]
    assert summary.yscale == "log"
    assert [len(item.x) for item in summary.items] == [2, 2, 1]
    assert (summary.items[0].y - summary.items[0].error[0] > 0).all()
    assert any("length 0" in note and "in a" in note for note in picture.notes)


def test_a_head_without_a_distribution_is_said_and_none_refused():
    old = made_head(64)
    del old["norms"]["histogram"]
    picture = norms.data({"old": old, "new": made_head(64)})
    assert any(note.startswith("Missing: the distributions of old") for note in picture.notes)
    assert len(norms.data({"old": old}).panels) == 1
    with pytest.raises(InputError, match="superlaw lm study"):
        norms.data({})
