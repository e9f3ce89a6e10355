"""Verdicts follow from numbers and their errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_runs import made

from superlaw.figures.catalogue import entry
from superlaw.findings.exponents import exponent, exponent_difference
from superlaw.findings.published import published
from superlaw.findings.verdicts import about, compare, within_factor


def claims(figure, runs):
    """The verdicts on what the figure finds in the runs."""
    return published(figure).judge(entry(figure).find(runs))


def measured(found):
    return found.exponent, found.high - found.exponent


def a_line(slope, noise=0.0, widths=(10, 20, 40, 80), seed=0):
    m = np.array(widths)
    losses = m**-slope * np.exp(noise * np.random.default_rng(seed).standard_normal(len(m)))
    return exponent(
        pd.DataFrame({"width": m, "loss": losses, "seed": 0, "n_features": 1000, "density": 1.0, "status": "ok"})
    )


def test_a_verdict_weighs_both_errors():
    assert compare("a", "1", 1.0, 0.0, measured(a_line(1.0))).verdict.startswith("agrees")
    assert (
        compare("a", "1", 1.0, 0.0, measured(a_line(0.8))).verdict
        == "differs by -0.20, more than the 95 % margin of 0.00"
    )
    assert compare("a", "1 ± 0.11", 1.0, 0.11, measured(a_line(0.8))).verdict.startswith(
        "agrees"
    )  # 1.96 x 0.11 = 0.216
    assert compare("a", "1 ± 0.1", 1.0, 0.1, measured(a_line(0.8))).verdict.startswith("differs")  # 0.196


def test_an_exponent_too_uncertain_to_tell_the_regimes_apart_decides_nothing():
    loose = a_line(1.0, noise=0.4)
    assert loose.high - loose.exponent > 0.3
    assert compare("a", "1", 1.0, 0.0, measured(loose)).verdict.startswith("not decided")


def test_a_bent_line_neither_agrees_nor_differs():
    assert compare("a", "1", 1.0, 0.0, (0.8, 0.25), bent=1e-4).verdict.startswith("bent line (p = 0.0001)")
    assert compare("a", "1", 1.0, 0.0, (0.8, 0.25), bent=0.5).verdict.startswith("agrees")


def test_a_difference_beyond_even_a_wide_margin_is_a_difference():
    assert compare("a", "1", 1.0, 0.0, (2.0, 0.9)).verdict.startswith("differs by +1.00")


def test_what_was_not_measured_was_not_tested():
    claim = compare("a", "1", 1.0, 0.0, None)
    assert claim.verdict == "not tested" and claim.to_dict()["measured"] is None


def test_a_ratio_that_no_run_has_was_not_tested():
    ratios = pd.Series([1.0, float("nan"), float("inf")])
    assert about("ratio", "about 1", ratios[1:], within_factor).verdict == "not tested"
    assert about("ratio", "about 1", ratios, within_factor).measured == 1


def test_the_studys_own_numbers_agree_with_themselves():
    runs = made(data_exponent=(0.0, 1.0, 2.0), weight_decay=(-1.0, 1.0),
                exponent=lambda row: max(1, 2 * row["data_exponent"] - 2) if row["weight_decay"] < 0
                else max(0.05, row["data_exponent"] - 1))  # fmt: skip
    for name in ("strong", "exponents", "weak", "weight-decay"):
        found = claims(name, runs)
        assert found and all(claim.verdict.startswith("agrees") for claim in found), found
    wide = made(("exponential",), exponent=lambda row: 1.005)
    verdicts = {claim.what.split(",")[1].strip(): claim.verdict for claim in claims("overview", wide)}
    assert verdicts["exponential"].startswith("agrees") and verdicts["linear"] == "not tested"
    dense = made(activation_density=(1.0, 7.485470860550345), exponent=lambda row: 1.12)
    dense["loss"] *= np.exp(0.001 * np.cos(np.arange(len(dense))))  # a scatter: exact lines differ by rounding alone
    assert [claim.verdict[:6] for claim in claims("density", dense)] == ["agrees"] * 3


@pytest.mark.parametrize(("times", "verdict"), [(0.5, "differs: 0.50"), (1.4, "agrees"), (2.0, "differs: 2.00")])
def test_about_as_many_features_as_dimensions_has_two_sides(times, verdict):
    runs = made()
    runs["represented"] = runs["represented"].where(runs["weight_decay"] < 0, runs["represented"] * times)
    found = [claim.verdict for claim in claims("weight-decay", runs) if "a dimension" in claim.what]
    assert found == [verdict] * 4


def test_an_exponent_that_moves_with_density_is_told():
    moved = made(activation_density=(1.0, 7.485470860550345), exponent=lambda row: 1 + 0.05 * row["density"])
    last = claims("density", moved)[-1]
    assert last.verdict.startswith("differs by +0.32") and last.measured == pytest.approx(0.05 * 6.48547, rel=1e-5)


def test_without_strong_superposition_a_move_with_density_was_not_tested():
    weak = made(weight_decay=(1.0,), activation_density=(1.0, 7.485470860550345))
    assert claims("density", weak)[-1].verdict == "not tested"


def test_what_bends_both_lines_alike_hides_no_move_of_the_exponent():
    """A bend by a factor 1.5 at the middle widths, the same at both densities: each exponent is uncertain by it."""
    runs = made(activation_density=(1.0, 7.485470860550345), exponent=lambda row: 1 + 0.02 * row["density"])
    runs["loss"] *= np.where(runs["width"].isin(sorted(runs["width"].unique())[1:-1]), 1.5, 1.0)
    *each, moved = claims("density", runs)
    assert moved.verdict.startswith("differs by +0.13") and moved.margin < 1e-6 < min(claim.margin for claim in each)
    one, other = (runs[runs["density"] == density] for density in sorted(runs["density"].unique()))
    one, other = (cell[cell["weight_decay"] == -1] for cell in (one, other))
    apart = exponent(other).exponent - exponent(one).exponent
    assert exponent_difference(one, other)[0] == pytest.approx(apart, rel=1e-12)
    assert exponent_difference(one[:2], other) is None
