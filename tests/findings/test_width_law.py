"""The width-law protocol tells a known law, and says when a table cannot tell."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from superlaw.errors import InputError
from superlaw.findings.width_design import WidthTable, variance_inflation, width_design
from superlaw.findings.width_law import join_widths, judge_width
from superlaw.studies.width_law import page, width_law, width_protocol

RULES = width_protocol().rules
WIDTHS, DEPTHS, TOKENS = (256, 512, 1024, 2048, 4096), (8, 16, 32, 64), (1e9, 4e9, 16e9, 64e9)


def factorial(
    noise: float = 0.003, width_exponent: float = 1.0, seed: int = 0, width_part: float = 100.0
) -> pd.DataFrame:
    """Widths by depths by tokens, L = 100/m^a + 2/l + 3000/D^0.4 + 1.7."""
    grid = pd.MultiIndex.from_product((WIDTHS, DEPTHS, TOKENS), names=("width", "depth", "tokens")).to_frame(
        index=False
    )
    clean = width_part / grid["width"] ** width_exponent + 2 / grid["depth"] + 3000 / grid["tokens"] ** 0.4 + 1.7
    return grid.assign(loss=clean * np.exp(noise * np.random.default_rng(seed).normal(size=len(grid))))


@pytest.mark.parametrize("exponent", [0.6, 1.0])
def test_a_known_law_is_told(exponent):
    found = judge_width(factorial(width_exponent=exponent), WidthTable("made", "", "made"), RULES, quick=True)
    assert not found.cannot
    assert found.exponent.low < exponent < found.exponent.high < exponent + 0.3
    assert found.excludes(1.0) == (exponent != 1.0)


def test_a_law_of_parameters_alone_doubts_the_exponent_of_width():
    table = factorial()
    size = 12.0 * table["width"] ** 2 * table["depth"]
    noise = np.exp(0.003 * np.random.default_rng(1).normal(size=len(table)))
    found = width_law(table.assign(loss=(1.7 + 400 / size**0.34 + 3000 / table["tokens"] ** 0.4) * noise))
    assert any("chinchilla is preferred" in doubt for doubt in found.doubts) or found.cannot


def test_width_tied_to_depth_cannot_tell():
    table = factorial()
    table["depth"] = table["width"] // 64
    table = table.drop_duplicates(["width", "depth", "tokens"])
    found = width_law(table)
    assert found.cannot.startswith("width varies with depth and tokens") and found.exponent is None
    assert found.verdict.startswith("cannot tell: ")


def test_a_learning_rate_tied_to_width_is_said():
    table = factorial()
    found = judge_width(table.assign(lr=1 / table["width"]), WidthTable("t", "", "t", learning_rate="lr"), RULES)
    assert "it is that of width and learning rate together" in found.doubts


def test_a_term_that_is_not_there_cannot_tell():
    found = judge_width(factorial(width_part=0.0, noise=0.01), WidthTable("made", "", "made"), RULES, quick=True)
    assert found.cannot


def test_three_widths_cannot_tell_and_three_depths_have_no_term():
    table = factorial()
    three = width_design(table[table["width"] < 2048], WidthTable("t", "", "t"), RULES)
    assert three.cannot == "3 distinct widths; 4 are needed"
    shallow = width_design(table[table["depth"] < 64], WidthTable("t", "", "t"), RULES)
    assert shallow.terms == ("width", "tokens") and shallow.held == {"depth": 32.0} and shallow.counted == 20


def test_the_best_of_a_search_counts_once():
    table = pd.concat([factorial(seed=seed).assign(lr=seed) for seed in range(3)])
    design = width_design(table, WidthTable("t", "", "t", best_of=("width", "depth", "tokens")), RULES)
    best = table.groupby(["width", "depth", "tokens"])["loss"].min()
    assert design.counted == len(best) and sorted(design.runs["loss"]) == pytest.approx(sorted(best))


def test_variance_inflation_is_that_of_the_correlation():
    """With one other size it is 1/(1 - r^2)."""
    rng = np.random.default_rng(3)
    x = np.exp(rng.normal(size=50))
    y = x**0.7 * np.exp(rng.normal(size=50))
    r = np.corrcoef(np.log(x), np.log(y))[0, 1]
    assert variance_inflation(np.array([x, y])) == pytest.approx(1 / (1 - r**2))


def test_units_of_the_sizes_do_not_matter():
    table = factorial()
    other = table.assign(width=table["width"] * 3, depth=table["depth"] / 7, tokens=table["tokens"] / 1e9)
    columns = WidthTable("made", "", "made")
    first, second = (judge_width(t, columns, RULES, quick=True).exponent for t in (table, other))
    assert (second.value, second.low, second.high) == pytest.approx((first.value, first.low, first.high), rel=1e-6)


def test_one_entry_a_source_goes_into_the_joint_mean():
    tables = [("a", "one", 0.9), ("b", "one", 1.1), ("c", "two", 1.0)]
    verdicts = []
    for i, (entry, source, exponent) in enumerate(tables):
        made = factorial(width_exponent=exponent, seed=i)[: 80 - 5 * i]
        verdicts.append(judge_width(made, WidthTable(entry, "", source), RULES, quick=True))
    answer = join_widths(verdicts)
    assert [one.table.entry for one in answer.one_a_source] == ["a", "c"]
    assert answer.joint.k == 2 and answer.of_all.k == 3
    assert min(v.exponent.value for v in verdicts) < answer.of_all.mean < max(v.exponent.value for v in verdicts)


def test_the_page_says_what_was_found_and_what_was_not():
    table = factorial()
    tied = table.assign(depth=table["width"] // 64).drop_duplicates(["width", "depth", "tokens"])
    verdicts = [judge_width(table, WidthTable("free", "", "a", why="all runs"), RULES, quick=True),
                judge_width(tied, WidthTable("tied", "", "b"), RULES)]  # fmt: skip
    text = page(join_widths(verdicts), "the command")
    assert "1 of 2 tables can tell." in text and "`the command`" in text
    assert "## tied\n\n**cannot tell: width varies with depth and tokens" in text and "80 of 80 rows: all runs." in text


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(InputError, match="d_modl"):
        judge_width(factorial(), replace(WidthTable("t", "", "t"), width="d_modl"), RULES)
