"""A stored fit has its points; files written before are read as they were, and say where points are needed."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest

from superlaw import fit_law, load_fit, next_runs, plot_law, predict_losses
from superlaw.errors import DamagedFileError, InputError
from superlaw.laws import result, stored
from superlaw.laws.backtest import backtest
from superlaw.laws.fit import refit
from superlaw.laws.result import Fit


@pytest.fixture(scope="module")
def runs():
    """Forty runs of Chinchilla's law in two recipes, ten clusters, with one per cent of noise."""
    rng = np.random.default_rng(2)
    n, d = 10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 11, 40)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(0.01 * rng.normal(size=40))
    return pd.DataFrame({"N": n, "D": d, "recipe": ["a", "b"] * 20, "run": np.repeat(np.arange(10), 4),
                         "w": rng.uniform(1, 3, 40), "loss": loss})  # fmt: skip


def again(record: dict) -> Fit:
    return Fit.from_dict(json.loads(json.dumps(record, allow_nan=False)))


CASES = {
    "plain": ("chinchilla", {}),
    "clusters and weights": ("chinchilla", {"cluster": "run", "weights": "w"}),
    "groups": ("grouped:N,recipe", {"where": "D > 2e9"}),
    "Huber's loss": ("chinchilla", {"objective": "log-huber", "replicates": 30}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_points_come_back_and_give_the_same_fit(runs, case):
    law, options = CASES[case]
    fit = fit_law(runs, law, **options)
    record = fit.to_dict()
    assert record["format"] == 2
    read = again(record)
    assert read.to_dict() == record
    ours, theirs = fit.points(), read.points()
    np.testing.assert_array_equal(theirs.points.sizes, ours.points.sizes)
    np.testing.assert_array_equal(theirs.points.group, ours.points.group)
    np.testing.assert_array_equal(theirs.losses, ours.losses)
    np.testing.assert_array_equal(theirs.rows, ours.rows)
    for name in ("weights", "clusters"):
        assert (getattr(theirs, name) is None) == (getattr(ours, name) is None)
        if getattr(ours, name) is not None:
            np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))
    np.testing.assert_allclose(refit(read, theirs).values, fit.values, rtol=1e-6)


def old(fit: Fit) -> dict:
    """The same fit as it was written before points were kept."""
    record = {key: value for key, value in fit.to_dict().items() if key != "points"}
    return record | {"format": 1}


def test_a_file_of_format_1_is_read_and_says_where_points_are_needed(runs, tmp_path):
    fit = fit_law(runs, "chinchilla")
    (tmp_path / "old.json").write_text(json.dumps(old(fit)))
    read = load_fit(tmp_path / "old.json")
    assert read.data is None and str(read) == str(fit)
    found = predict_losses(read, {"N": 1e12, "D": 1e10})
    assert found.points[0].loss == predict_losses(fit, {"N": 1e12, "D": 1e10}).points[0].loss
    assert "no points" in found.warnings[-1] and "N is 1" in str(found.points[0].reach)
    plan = next_runs(read, 1e20, runs=3)
    assert plan.sets == 0 and np.isnan(plan.targets[0].simulated) and "not checked by simulation" in plan.warnings[-1]
    for use in (lambda: backtest(read), lambda: plot_law(read), lambda: refit(read, read.points())):
        with pytest.raises(InputError, match=r"without its points.*fit again"):
            use()


@pytest.mark.parametrize("law", ["chinchilla", "grouped:N,recipe"])
def test_the_order_of_keys_says_nothing(runs, law):
    fit = fit_law(runs, law)
    read = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), sort_keys=True)))
    assert list(read.params) == list(fit.params) and read.to_dict() == json.loads(json.dumps(fit.to_dict()))


SPOILT = {
    "a loss too few": lambda p: p["losses"].pop(),
    "a size too many": lambda p: p["sizes"]["N"].append(1e9),
    "a size of 0": lambda p: p["sizes"]["N"].__setitem__(0, 0.0),
    "a loss below 0": lambda p: p["losses"].__setitem__(3, -1.0),
    "a column that is missing": lambda p: p["sizes"].pop("D"),
    "text for a size": lambda p: p["sizes"]["N"].__setitem__(1, "7B"),
    "a weight of 0": lambda p: p.__setitem__("weights", [0.0] * 40),
    "clusters too few": lambda p: p.__setitem__("clusters", ["a"]),
    "no losses": lambda p: p.pop("losses"),
    "null": lambda p: p["losses"].__setitem__(0, None),
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_points_are_one_line(runs, case):
    record = copy.deepcopy(fit_law(runs, "chinchilla", interval="none").to_dict())
    SPOILT[case](record["points"])
    with pytest.raises(DamagedFileError, match="a record that is not a fit"):
        again(record)


def test_a_group_that_the_fit_has_not_is_refused(runs):
    record = copy.deepcopy(fit_law(runs, "grouped:N,recipe", interval="none").to_dict())
    record["points"]["group"][0] = "c"
    with pytest.raises(DamagedFileError):
        again(record)


def test_a_format_to_come_is_refused(runs):
    with pytest.raises(InputError, match="a fit of format 3; need format 2 or before"):
        again(fit_law(runs, "chinchilla", interval="none").to_dict() | {"format": 3})


def test_more_points_than_a_file_can_hold_are_not_kept(runs, monkeypatch):
    monkeypatch.setattr(result, "MOST_POINTS", 39)
    assert stored.MOST_POINTS == 200_000
    record = fit_law(runs, "chinchilla", interval="none").to_dict()
    assert "points" not in record and again(record).data is None
