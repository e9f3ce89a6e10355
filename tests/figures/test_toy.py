"""The model's picture: the runs end as the picture says, and what is drawn is their W."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study_records import check_rendering

from superlaw.errors import InputError
from superlaw.figures import toy
from superlaw.figures.panels import Arrows, Bars, Map
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec
from superlaw.toy.train import train

HAND = np.array([[0.0, 2.0], [1.0, 0.0], [0.3, 0.0], [0.0, -1.0]], dtype=np.float32)


@pytest.fixture(scope="module")
def runs():
    return [train(spec) for spec in toy.specs()]


def a_run(**changes) -> Run:
    spec = RunSpec(frequencies=np.array([0.1, 0.4, 0.3, 0.2]), width=2, weight_decay=-1, steps=3)
    return replace(Run(spec, "ok", np.ones(3, np.float32), HAND, np.zeros(4, np.float32)), **changes)


def test_weak_keeps_the_most_frequent_features_alone_and_strong_all_of_them(runs):
    for run in runs:
        m, norms, gram = run.spec.width, np.linalg.norm(run.W, axis=1), run.W @ run.W.T
        if run.spec.weight_decay > 0:
            assert (norms[:m] > 0.7).all() and (norms[m:] < 0.1).all()
            assert np.abs(gram - np.diag(np.diag(gram))).max() < 0.1
        else:
            assert (norms > 0.8).all()


def test_strong_in_two_dimensions_is_a_pentagon(runs):
    W = next(run.W for run in runs if run.spec.width == 2 and run.spec.weight_decay < 0)
    angles = np.sort(np.degrees(np.arctan2(W[:, 1], W[:, 0])))
    gaps = np.diff(np.append(angles, angles[0] + 360))
    assert (np.abs(gaps - 72) < 12).all()


def test_weak_and_strong_differ_in_the_decay_alone():
    weak2, strong2, weak3, strong3 = toy.specs()
    assert weak2.change(weight_decay=-1) == strong2
    assert weak3.change(weight_decay=-1) == strong3


def test_what_is_plotted_is_the_run_by_frequency_rank():
    picture = toy.data([a_run()])
    arrows, gram, bars = (panel.items[0] for panel in picture.panels)
    W = HAND[[1, 2, 3, 0]].astype(float)
    assert isinstance(arrows, Arrows) and isinstance(gram, Map) and isinstance(bars, Bars)
    np.testing.assert_allclose(arrows.tips @ arrows.tips.T, W @ W.T, atol=1e-12)
    np.testing.assert_allclose(arrows.tips[0], [1, 0], atol=1e-12)
    assert arrows.labels == ("1", "", "3", "4")  # a row of 0.3 is not represented
    np.testing.assert_allclose(gram.z[::-1], W @ W.T, atol=1e-12)
    assert gram.y == (4, 3, 2, 1)
    np.testing.assert_allclose(bars.heights, [1, 0.3, 1, 2], rtol=1e-6)
    assert [panel.title for panel in picture.panels] == ["strong, m = 2, γ = −1", "W Wᵀ, m = 2, strong",
                                                         "3 of 4 represented"]  # fmt: skip
    assert picture.runs == (a_run().id,)
    assert "Starts chosen" not in picture.notes[0]


def test_starts_that_were_chosen_are_said_to_be(runs):
    picture = toy.data(runs)
    assert len(picture.panels) == 12 and len(picture.runs) == 4
    assert "Starts chosen from 64" in picture.notes[0]
    check_rendering(toy.draw, picture)


def test_what_cannot_be_drawn_is_left_out_or_refused():
    picture = toy.data([a_run(), a_run(W=None, b=None)])
    assert picture.notes[0].startswith("Left out: 1 runs")
    for runs in ([], [a_run(status="diverged")], [a_run(W=None)]):
        with pytest.raises(InputError, match="superlaw figure toy"):
            toy.data(runs)
