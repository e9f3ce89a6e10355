"""Parts of the loss on a made table that obeys the law, and the published table's exponents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study_records import check_rendering

from superlaw.errors import InputError
from superlaw.figures import chinchilla
from superlaw.figures.panels import Line, Marks
from superlaw.findings.width_depth import SIZES, ChinchillaTerms, width_of_params
from superlaw.laws.tables import load_table


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    """12 architectures at 20 budgets, N = 50 m^2.5 exactly."""
    random = np.random.default_rng(0)
    m = np.repeat(np.geomspace(512, 4096, 12).round(), 20)
    layers = np.repeat([8, 12, 10, 16, 14, 24, 20, 30, 26, 40, 36, 48], 20).astype(float)
    tokens = np.tile(np.geomspace(1e9, 3e11, 20), 12)
    loss = 300 / m + 6 / layers + 500 / tokens**0.3 + 1.7
    return pd.DataFrame({"d_model": m, "n_layers": layers, "num_tokens": tokens, "model_size": 50 * m**2.5,
                         "loss": loss * (1 + 1e-4 * random.normal(size=240))})  # fmt: skip


def test_each_part_is_the_loss_less_the_others(made):
    picture = chinchilla.data(ChinchillaTerms.of(made))
    for panel, column, part in zip(picture.panels, SIZES, (
            lambda m: 300 / m, lambda l: 6 / l, lambda d: 500 / d**0.3), strict=False):  # fmt: skip
        runs, curve = panel.items
        assert isinstance(runs, Marks) and isinstance(curve, Line)
        np.testing.assert_allclose(runs.y, part(runs.x), rtol=0.1)
        np.testing.assert_allclose(curve.y, part(curve.x), rtol=0.05)
        assert (curve.low < curve.y).all() and (curve.y < curve.high).all()
        assert set(runs.x) <= set(made[column])


def test_parameters_grow_with_width_and_width_inherits_their_exponent(made):
    grown = width_of_params(made)
    assert len(grown.widths) == 12
    assert grown.slope.value == pytest.approx(2.5)
    assert grown.alpha_m.value == pytest.approx(2.5 * grown.alpha_n.value)
    assert grown.alpha_m.stderr == pytest.approx(2.5 * grown.alpha_n.stderr)


def test_the_published_table_gives_the_published_exponents(published):
    table = load_table(published / "chinchilla_width_depth.csv")
    terms = ChinchillaTerms.of(table)
    fit, grown = terms.fit, terms.grown
    for name, value, error in (("a_d_model", 0.98, 0.08), ("a_n_layers", 1.2, 0.3), ("a_num_tokens", 0.299, 0.014)):
        assert abs(fit[name].value - value) < error
    assert fit.n == 203
    assert grown.slope.value == pytest.approx(2.52, abs=0.03)
    assert grown.alpha_m.value == pytest.approx(0.88, abs=0.06)
    picture = chinchilla.data(terms)
    assert "poorly determined" in picture.panels[1].title
    assert any(note.startswith("Warning: a_n_layers is poorly determined") for note in picture.notes)
    assert sum(len(panel.items[0].x) for panel in picture.panels[:3]) == 3 * 203
    check_rendering(chinchilla.draw, picture)


def test_another_table_is_refused(made):
    with pytest.raises(InputError, match="superlaw data fetch chinchilla-width-depth"):
        ChinchillaTerms.of(made.drop(columns="n_layers"))
