"""The rivals' table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from superlaw.errors import InputError
from superlaw.theory.rivals import rivals, second_moment_eigenvalues, tail_exponent


def power(alpha: float, n: int = 1000) -> np.ndarray:
    p = np.arange(1.0, n + 1) ** -alpha
    return p / p.sum()


def column(name: str, *arguments, **options) -> dict[str, float]:
    return rivals(*arguments, **options).set_index("name")[name].to_dict()


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 2 / 3, 0.9, 1.0]) | st.floats(0, 1), min_size=1, max_size=20))
def test_eigenvalues_are_those_of_the_matrix(values):
    p = np.array(values)
    slow = np.linalg.eigvalsh(np.diag(4 / 3 * p - p**2) + np.outer(p, p))[::-1]
    assert second_moment_eigenvalues(p) == pytest.approx(slow, abs=1e-12)


def test_the_second_moment_is_that_of_the_data():
    random, p = np.random.default_rng(0), np.array([0.8, 0.5, 0.3, 0.1])
    x = (random.random((400_000, 4)) < p) * random.uniform(0, 2, (400_000, 4))
    found = x.T @ x / len(x)
    # Entries have a spread below 2.3 (of x^2 <= 4): 4.5 standard errors are 0.017.
    assert found == pytest.approx(np.diag(4 / 3 * p - p**2) + np.outer(p, p), abs=0.017)


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0])
def test_spectrum_and_skills_give_alpha_minus_one_on_toy_data(alpha):
    found = column("width_exponent", power(alpha))
    assert found["kernel"] == pytest.approx(alpha - 1, abs=0.01)
    assert found["discrete skills"] == pytest.approx(alpha - 1, abs=1e-9)
    assert found["variance-limited"] == 1 and np.isnan(found["data manifold"])


@pytest.mark.parametrize("p", [power(1.0), power(0.5), np.full(1000, 1e-3), np.exp(-np.arange(1000) / 50) / 51])
def test_where_the_rest_has_no_power_law_there_is_no_prediction(p):
    table = rivals(p).set_index("name")
    for name in ("kernel", "discrete skills"):
        assert table.loc[name, ["width_exponent", "parameter_exponent"]].isna().all()
        assert "no power law" in table.loc[name, "why"]


def test_width_and_parameters_are_told_apart():
    """N ~ m^2: what is stated in one is half or double in the other."""
    table = rivals(power(1.5), intrinsic_dimension=8, parameter_growth=2.0).set_index("name")
    width, parameters = table["width_exponent"], table["parameter_exponent"]
    assert width.to_numpy() == pytest.approx(2 * parameters.to_numpy())
    assert parameters["data manifold"] == 4 / 8 and width["variance-limited"] == 1
    assert table["stated_in"].to_dict() == {
        "variance-limited": "width", "kernel": "width", "data manifold": "parameters", "discrete skills": "parameters",
    }  # fmt: skip
    assert parameters["discrete skills"] == pytest.approx(0.5) == width["kernel"].round(2)


def test_every_row_says_what_it_assumes_and_from_where():
    table = rivals(power(1.5))
    assert all(text.endswith(".") and len(text) > 40 for text in table["assumption"])
    assert table[["why", "source"]].map(len).gt(5).all(axis=None)


def test_the_order_of_the_features_does_not_matter():
    p = power(1.5)
    assert rivals(p).equals(rivals(np.random.default_rng(0).permutation(p)))


def test_the_exponent_of_a_power_law_is_found_and_of_nothing_else():
    ranks = np.unique(np.geomspace(10, 1000, 40).round())
    assert tail_exponent(3 * ranks**-0.7, ranks) == pytest.approx(0.7)
    for other in (np.exp(-ranks / 100), 1 - ranks / 1100, np.ones(len(ranks)), ranks**-1.0 * (ranks < 500)):
        assert tail_exponent(other, ranks) is None
    assert tail_exponent(ranks[:3] ** -1.0, ranks[:3]) is None


@pytest.mark.parametrize("options", [
    {"frequencies": np.array([0.5, 1.5])}, {"frequencies": np.ones((2, 2)) / 4},
    {"frequencies": power(1), "ranks": (0, 5)}, {"frequencies": power(1), "ranks": (5, 2000)},
    {"frequencies": power(1), "intrinsic_dimension": 0}, {"frequencies": power(1), "parameter_growth": -1},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(InputError, match="need"):
        rivals(**options)
