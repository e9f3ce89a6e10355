"""Tables, fits and expressions: each case that the first attack found, as a fact."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

import superlaw as lib
from examples import points

DATES = ("created_at", "wall_time", "timestamp", "timestamps", "date", "modified", "timestamp_tokens")


@pytest.fixture
def table(tmp_path):
    pd.DataFrame(points()).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.mark.parametrize("name", DATES)
def test_a_column_of_json_lines_named_like_a_date_keeps_its_numbers(tmp_path, name):
    values = [3e9, 2e9, 1e9, 5e8]  # pandas takes such for seconds since 1970
    frame = pd.DataFrame({name: values, "loss": [1.0, 2.0, 3.0, 4.0]})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    frame.to_csv(tmp_path / "t.csv", index=False)
    for kind in ("t.csv", "t.jsonl"):
        assert np.allclose(lib.load_table(tmp_path / kind)[name].astype(float), values)


@pytest.mark.parametrize("name", DATES)
def test_csv_and_json_lines_give_the_same_fit_whatever_the_column_is_named(tmp_path, superlaw, name):
    frame = pd.DataFrame(points()).rename(columns={"tokens": name})[[name, "loss"]]
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    line = ("--law", f"power:{name}", "--no-offset", "--interval", "none", "--json")
    fits = [superlaw("law", "fit", file, *line).json()["params"] for file in ("t.csv", "t.jsonl")]
    assert fits[0]["C"]["value"] == pytest.approx(fits[1]["C"]["value"], rel=1e-6)


@pytest.mark.parametrize("header", ["width,loss,loss ", "width,loss,loss", "width, loss ,loss", "width,width ,loss"])
def test_two_columns_of_one_name_are_refused(tmp_path, superlaw, header):
    rows = "".join(f"{2**i},{3 / 2**i + 1},{7 - i}\n" for i in range(1, 7))
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
    found = superlaw("law", "fit", "t.csv", "--law", "power:width", "--interval", "none")
    assert found.code == 2 and ("loss" in found.err or "width" in found.err)


@pytest.mark.parametrize(
    "where", ["family", "family != 3", "family == 3", "not family", "width != 'a'", "width > 1 and family"]
)
def test_text_is_no_truth_value_and_no_number(table, superlaw, where):
    found = superlaw("law", "fit", "t.csv", "--law", "power:width", "--where", where, "--interval", "none", "--json")
    assert found.code == 2, f"kept {found.json()['n']} of 12 rows"


def test_text_compared_with_text_keeps_the_rows_that_are_meant(table, superlaw):
    found = superlaw(
        "law", "fit", "t.csv", "--law", "power:width", "--where", "family != 'a'", "--interval", "none", "--json"
    )
    assert found.code == 0 and found.json()["n"] == 6


@pytest.mark.parametrize(
    "cells", [["", *["a", "b", "c", "d"] * 3][:12], ["a"] * 12, [""] * 12], ids=["empty", "one", "none"]
)
@pytest.mark.parametrize(
    "interval", [(), ("--interval", "sandwich"), ("--interval", "bootstrap", "--bootstrap", "20")], ids=str
)
def test_clusters_that_are_none_are_said_in_one_line(tmp_path, superlaw, cells, interval):
    pd.DataFrame({**points(), "cell": cells}).to_csv(tmp_path / "t.csv", index=False)
    line = ("law", "fit", "t.csv", "--law", "power:width", "--cluster", "cell", *interval, "--json")
    assert superlaw(*line).code == 2


@pytest.mark.parametrize("loss", [0, -1, "nan", "inf", ""])
def test_a_message_names_a_cell_as_it_was_written(tmp_path, superlaw, loss):
    frame = pd.DataFrame(points()).astype({"width": int})
    frame["loss"] = [loss if i == 3 else 5 - i // 4 for i in range(12)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = superlaw("law", "fit", "t.csv", "--law", "power:width")
    assert found.code == 2 and "np." not in found.err and "row 4" in found.err


def flat(count: int, seed: int) -> dict[str, np.ndarray]:
    """Losses of 10.3 ± 0.005, whatever the width."""
    rng = np.random.default_rng([count, seed])
    return {"width": 16.0 * 2.0 ** np.arange(count), "loss": 10.3 + 0.005 * rng.normal(size=count)}


def never_raises(table, law, **options) -> None:
    """The law is fitted, or one line says why not; the report and its JSON can be made."""
    try:
        fit = lib.fit_law(table, law, **options)
    except lib.SuperlawError as error:
        assert "\n" not in str(error)
        return
    assert str(fit)
    json.dumps(fit.to_dict(), allow_nan=False)


@pytest.mark.parametrize("count", range(3, 9))
def test_flat_losses_are_fitted_or_refused(count):
    for seed in range(8):
        never_raises(flat(count, seed), lib.PowerLaw("width"))


@pytest.mark.slow
@pytest.mark.parametrize("count", range(3, 9))
def test_flat_losses_of_sixty_tables_are_fitted_or_refused(count):
    failed = []
    for seed in range(60):
        try:
            never_raises(flat(count, seed), lib.PowerLaw("width"))
        except Exception as error:
            failed.append(f"{seed}: {type(error).__name__}: {error}")
    assert not failed, f"{len(failed)} of 60: {failed[0]}"


def structureless(seed: int) -> dict[str, np.ndarray]:
    """Sizes without a law in them: 5 to 20 points, losses drawn."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 21))
    return {
        "N": 10 ** rng.uniform(5, 10, n),
        "D": 10 ** rng.uniform(7, 11, n),
        "loss": rng.choice([rng.uniform(1, 5, n), np.exp(rng.normal(size=n)), 3 + 1e-3 * rng.normal(size=n)]),
    }


@pytest.mark.parametrize("part", range(4))
def test_kaplans_law_on_tables_without_its_structure(part):
    for seed in range(part * 6, part * 6 + 6):
        never_raises(structureless(seed), lib.Kaplan("N", "D"))


@pytest.mark.slow
def test_kaplans_law_on_118_tables_without_its_structure():
    failed = []
    for seed in range(118):
        try:
            never_raises(structureless(seed), lib.Kaplan("N", "D"))
        except Exception as error:
            failed.append(f"{seed}: {type(error).__name__}: {error}")
    assert not failed, f"{len(failed)} of 118: {failed[0]}"


@pytest.mark.parametrize("interval", ["profile", "sandwich", "none"])
def test_a_fit_without_degrees_of_freedom_claims_no_convergence_and_no_criterion(interval):
    table = {"width": np.array([16.0, 32, 64]), "loss": np.array([3.0, 2.4, 2.1])}
    try:
        fit = lib.fit_law(table, lib.PowerLaw("width"), interval=interval)
    except lib.InputError:
        return  # refused: nothing is claimed
    assert not np.isinf(fit.aic) and "-inf" not in str(fit)
    assert not fit.certificate.converged or fit.certificate.gradient < 1e-6
    json.dumps(fit.to_dict(), allow_nan=False)


def test_a_fit_without_noise_claims_no_criterion_of_minus_infinity():
    width = 16.0 * 2.0 ** np.arange(8)
    fit = lib.fit_law({"width": width, "loss": 3 / width**0.5 + 1}, lib.PowerLaw("width"))
    assert np.isfinite(fit.aic) or np.isnan(fit.aic)
    assert "-inf" not in str(fit)


@pytest.mark.parametrize("a", [0.004, 7.0])
def test_a_start_that_is_given_is_honoured(a):
    """An exponent outside the range that random starts are drawn from, given as a start."""
    x = np.geomspace(1, 3, 12)
    truth = {"C": 3.0, "a": a, "L_0": 1.0}
    loss = truth["C"] / x**a + truth["L_0"]
    fit = lib.fit_law({"x": x, "loss": loss}, lib.PowerLaw("x"), start=truth, interval="none", starts=1)
    assert fit.rms_error < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_a_broken_law_on_59_points_takes_less_than_five_seconds(seed):
    rng = np.random.default_rng(seed)
    x = np.geomspace(10, 1e6, 59)
    loss = (1.5 + 8 * x**-0.1 * (1 + (x / 3000) ** 2) ** -0.1) * np.exp(0.01 * rng.normal(size=59))
    begin = time.process_time()
    lib.fit_law({"x": x, "loss": loss}, lib.BrokenPowerLaw("x"))
    assert time.process_time() - begin < 5


@pytest.mark.slow
def test_a_hundred_thousand_rows_with_hubers_bootstrap_stay_below_a_gigabyte(tmp_path, superlaw):
    rng = np.random.default_rng(0)
    N, D = 10 ** rng.uniform(6, 10, 100_000), 10 ** rng.uniform(8, 11, 100_000)
    loss = (1.7 + 400 / N**0.34 + 400 / D**0.28) * np.exp(0.01 * rng.normal(size=len(N)))
    pd.DataFrame({"N": N, "D": D, "loss": loss}).to_csv(tmp_path / "t.csv", index=False)
    line = ("--law", "chinchilla:N,D", "--objective", "log-huber", "--json")
    assert superlaw("law", "fit", "t.csv", *line, seconds=900).code in (0, 2)


def test_ten_thousand_rows_with_hubers_bootstrap_stay_below_a_gigabyte(tmp_path, superlaw):
    rng = np.random.default_rng(0)
    width = 10 ** rng.uniform(1, 4, 10_000)
    loss = (1.7 + 4 / width**0.5) * np.exp(0.01 * rng.normal(size=len(width)))
    pd.DataFrame({"width": width, "loss": loss}).to_csv(tmp_path / "t.csv", index=False)
    line = ("--law", "power:width", "--objective", "log-huber", "--json")
    assert superlaw("law", "fit", "t.csv", *line, seconds=60).code == 0


@pytest.mark.parametrize(
    "law",
    [
        "power:width",
        "additive:width,tokens",
        "chinchilla:width,tokens",
        "kaplan:width,tokens",
        "broken:width",
        "grouped:width,family",
    ],
)
@pytest.mark.parametrize("rows", [5, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (4, 6, 7))])
def test_json_is_json_when_a_result_is_not_a_number(tmp_path, superlaw, law, rows):
    pd.DataFrame(points()).head(rows).to_csv(tmp_path / "t.csv", index=False)
    for command in (("fit",), ("fit", "--interval", "sandwich"), ("compare",), ("sensitivity", "--objective", "ls")):
        found = superlaw("law", command[0], "t.csv", "--law", law, "--json", *command[1:])
        assert found.code in (0, 2)


def test_a_column_name_does_not_steer_the_terminal(tmp_path, superlaw):
    frame = pd.DataFrame(points())
    frame["\x1b[31mred"] = 1.0
    frame["bell\x07"] = "a\x1b]0;title\x07"
    frame.to_csv(tmp_path / "t.csv", index=False)
    for line in (
        ("--law", "power:\x1b[31mred"),
        ("--law", "power:red"),
        ("--law", "power:width", "--loss", "bell"),
        ("--law", "grouped:width,bell\x07"),
        ("--law", "power:width", "--where", "bell > 1"),
        ("--law", "power:width", "--cluster", "bell\x07"),
        ("--law", "additive:width,\x1b[31mred"),
    ):
        superlaw("law", "fit", "t.csv", *line)
        superlaw("law", "fit", "t.csv", *line, "--json")
