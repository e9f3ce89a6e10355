"""Replicates: the textbook split of squares, by hand; false alarms; seeds and evaluations apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from superlaw import replicates
from superlaw.errors import InputError


def table(bend=0.0, seed=0, sizes=8, seeds=3, evaluations=1, between=0.02, within=0.01):
    rng = np.random.default_rng(seed)
    x = np.repeat(np.geomspace(10, 1e4, sizes), seeds * evaluations)
    run = np.repeat(np.arange(sizes * seeds), evaluations)
    noise = between * np.repeat(rng.normal(size=sizes * seeds), evaluations)
    noise = noise + (within * rng.normal(size=len(x)) if evaluations > 1 else 0)
    clean = 5 / x**0.5 * np.exp(bend * np.sin(2 * np.log(x)))
    return pd.DataFrame({"m": x, "run": run, "loss": clean * np.exp(noise)})


def test_f_is_that_of_the_straight_line_through_logs():
    """A power law without an offset is a straight line in logs, whose lack-of-fit test is in every textbook."""
    from superlaw import PowerLaw

    data = table(bend=0.02)
    found = replicates(data, PowerLaw("m", offset=False))
    x, y = np.log(data["m"]).to_numpy(), np.log(data["loss"]).to_numpy()
    squares = np.polyfit(x, y, 1, full=True)[1][0]
    pure = sum(((part - part.mean()) ** 2).sum() for part in (y[x == at] for at in np.unique(x)))
    F = (squares - pure) / (8 - 2) / (pure / (24 - 8))
    assert (found.F, found.dof) == (pytest.approx(F, rel=1e-6), (6, 16))
    assert found.p == pytest.approx(stats.f.sf(F, 6, 16), rel=1e-5)
    assert found.seeds.value == pytest.approx(np.sqrt(pure / 16), rel=1e-9)
    low, high = np.sqrt(pure / stats.chi2.ppf([0.975, 0.025], 16))
    assert (found.seeds.low, found.seeds.high) == (pytest.approx(low, rel=0.02), pytest.approx(high, rel=0.02))
    assert (found.runs, found.sizes, found.repeated) == (24, 8, 8)


def test_components_of_a_balanced_table_are_those_of_the_analysis_of_variance():
    data = table(seeds=4, evaluations=3)
    found = replicates(data, "power:m", run="run")
    y = np.log(data["loss"]).to_numpy().reshape(8, 4, 3)
    means = y.mean(axis=2)
    within = ((y - means[:, :, None]) ** 2).sum() / (8 * 4 * 2)
    between = 3 * ((means - means.mean(axis=1, keepdims=True)) ** 2).sum() / (8 * 3)
    assert found.evaluation.value == pytest.approx(np.sqrt(within))
    assert found.seeds.value == pytest.approx(np.sqrt((between - within) / 3))
    assert found.seeds.low < found.seeds.value < found.seeds.high


def test_stated_errors_of_the_evaluation_are_taken_off():
    data = table()
    data["stderr"] = 0.01 * data["loss"]
    whole, apart = replicates(data, "power:m"), replicates(data, "power:m", errors="stderr")
    assert apart.seeds.value == pytest.approx(np.sqrt(whole.seeds.value**2 - 0.01**2))
    assert apart.evaluation.value == pytest.approx(0.01) and whole.evaluation is None


def test_stated_errors_are_read_as_all_other_numbers_are():
    data = table()
    plain = replicates(data.assign(stderr=0.01), "power:m", errors="stderr")
    written = replicates(data.assign(stderr=[" 0.01 "] * 12 + ["0.00000001M"] * 12), "power:m", errors="stderr")
    assert written.evaluation.value == pytest.approx(plain.evaluation.value)
    spoilt = data.assign(stderr=[0.01] * 20 + ["?"] + [0.01] * 3)
    with pytest.raises(InputError, match=r"'\?' in row 21, column 'stderr'; need a finite number"):
        replicates(spoilt, "power:m", errors="stderr")
    gap = spoilt.assign(stderr=[0.01] * 20 + [None] + [0.01] * 3)
    with pytest.raises(InputError, match=r"an empty cell or NaN in row 21.*--missing drop"):
        replicates(gap, "power:m", errors="stderr")
    assert replicates(gap, "power:m", errors="stderr", missing="drop").fit.n == 23


def test_a_law_that_bends_is_found_and_by_how_much():
    found = replicates(table(bend=0.05, seeds=4), "power:m")
    assert found.p < 1e-4 and "does not hold to the scatter of seeds" in found.verdict
    assert found.misfit.low > 0.01 and found.misfit.low < 0.05 / np.sqrt(2) * 1.5 < 2 * found.misfit.high


@pytest.mark.slow
def test_false_alarms_are_as_many_as_is_said():
    """300 tables that hold the law: p below 0.05 in 0.8 to 10 % of them (chance of more or fewer below 1e-4)."""
    p = [replicates(table(seed=seed), "power:m").p for seed in range(300)]
    assert 0.008 <= np.mean(np.array(p) < 0.05) <= 0.10


def test_one_line_of_what_is_printed():
    text = str(replicates(table(), "power:m"))
    assert text.startswith(
        "24 runs at 8 sizes, 8 of them repeated; 16 degrees of freedom between seeds, 5 of lack of fit"
    )
    assert "between seeds" in text and "the law's lack of fit" in text


WRONG = {
    "no size twice": (lambda t: t.iloc[::3], {}, "no sizes that were run twice"),
    "evaluations of one run alone": (lambda t: t.assign(run=t["m"]), {"run": "run"}, "no sizes that were run twice"),
    "a column that is missing": (lambda t: t, {"run": "seed"}, "without the column 'seed'"),
    "both": (lambda t: t.assign(e=0.1), {"run": "run", "errors": "e"}, "one of the two"),
    "an error below 0": (
        lambda t: t.assign(e=-0.1),
        {"errors": "e"},
        "-0.1 in row 1, column 'e'; need a standard error of 0 or more",
    ),
    "a run without a name": (lambda t: t.assign(run=[None, *t["run"][1:]]), {"run": "run"}, "the name of a run"),
    "Huber's loss": (lambda t: t, {"objective": "log-huber"}, "log-ls or ls"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_says_nothing_of_seeds_is_one_line(case):
    change, options, words = WRONG[case]
    with pytest.raises(InputError) as error:
        replicates(change(table()), "power:m", **options)
    assert words in str(error.value) and "\n" not in str(error.value)
