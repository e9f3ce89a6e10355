"""Commands of the law lab: what they print and write, and one line for everything that cannot be used."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from superlaw.errors import InputError
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.power import PowerLaw
from superlaw.laws.result import Fit, load_fit
from superlaw.laws.tables import load_table


@pytest.fixture
def runs():
    """Forty runs of an additive law with one per cent of noise, two seeds of each shape."""
    rng = np.random.default_rng(3)
    width, depth = np.repeat(2.0 ** np.arange(6, 11), 8), np.tile(np.repeat([4.0, 8, 16, 32], 2), 5)
    loss = (30 / width**0.8 + 3 / depth + 1.7) * np.exp(0.01 * rng.normal(size=40))
    return pd.DataFrame(
        {"width": width, "depth": depth, "seed": np.tile([0, 1], 20), "kind": ["a", "b"] * 20, "loss": loss}
    )


@pytest.fixture
def table(runs, tmp_path):
    runs.to_csv(tmp_path / "runs.csv", index=False)
    return tmp_path / "runs.csv"


def one_line(result, *words):
    """Exit 2, nothing on stdout, one line on stderr with these words."""
    code, out, err = result
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    for word in words:
        assert word in err, err
    assert "Traceback" not in err


def test_csv_parquet_and_jsonl_hold_the_same_table(runs, tmp_path):
    runs.to_csv(tmp_path / "a.csv", index=False)
    runs.to_parquet(tmp_path / "a.parquet")
    runs.to_json(tmp_path / "a.jsonl", orient="records", lines=True, double_precision=15)
    fits = [
        fit_law(load_table(tmp_path / f"a.{end}"), PowerLaw("width"), interval="none").values
        for end in ("csv", "parquet", "jsonl")
    ]
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-9)
    np.testing.assert_allclose(fits[0], fits[2], rtol=1e-9)


def test_fit_prints_one_json_object_and_writes_the_same(command, table, tmp_path):
    out_file = tmp_path / "fit.json"
    arguments = ("law", "fit", table, "--law", "additive", "--term", "width", "--term", "depth", "--json")
    code, out, err = command(*arguments, "-o", out_file, "--plot", tmp_path / "fit.png")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert record == json.loads(out_file.read_text())
    wanted = "law params covariance columns objective objective_name n dof dropped certificate warnings"
    assert set(wanted.split()) <= set(record)
    assert list(record["params"]) == ["c_width", "a_width", "c_depth", "a_depth", "L_0"]
    assert set(record["params"]["a_width"]) == {"value", "stderr", "low", "high"}
    assert record["columns"] == {"loss": "loss", "terms": ["width", "depth"]}
    assert (record["law"], record["n"], record["dof"]) == ("additive", 40, 35)
    assert (tmp_path / "fit.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    "options, names",
    [
        (("power", "--x", "width"), ["C", "a", "L_0"]),
        (("power", "--x", "width", "--no-offset"), ["C", "a"]),
        (("grouped", "--x", "width", "--group", "depth,kind"), ["C", "a", "L_0[16.0,a]"]),
        (("chinchilla", "--params", "width", "--tokens", "depth"), ["E", "A", "alpha", "B", "beta"]),
        (("kaplan", "--params", "width", "--tokens", "depth"), ["N_c", "D_c", "alpha_N", "alpha_D"]),
        (("broken:width",), ["C", "a_1", "a_2", "x_b", "s", "L_0"]),
        (("additive:width*depth", "--no-offset"), ["c_width*depth", "a_width", "a_depth"]),
    ],
)
def test_every_law_is_reached_by_its_options(command, table, options, names):
    code, out, _ = command("law", "fit", table, "--law", *options, "--interval", "none", "--json")
    assert code == 0
    assert list(json.loads(out)["params"])[: len(names)] == names


def test_a_fit_read_back_is_the_fit(runs, tmp_path):
    for interval in ("profile", "bootstrap", "sandwich", "none"):
        fit = fit_law(runs, PowerLaw("width"), interval=interval, replicates=50)
        again = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
        assert str(again) == str(fit)
        assert again.to_dict() == fit.to_dict()
        ahead, ours = again.predict({"width": [4096.0]}), fit.predict({"width": [4096.0]})
        assert (ahead.loss[0], ahead.low[0], ahead.high[0]) == (ours.loss[0], ours.low[0], ours.high[0])


def test_report_leads_with_its_warnings(command, table):
    code, out, _ = command("law", "fit", table, "--law", "broken:width")
    assert code == 0
    lines = out.splitlines()
    assert lines[1].startswith("WARNING")
    assert "certificate: converged" in out


def test_masks_and_new_columns(command, table):
    code, out, _ = command(
        *("law", "fit", table, "--law", "power:N", "--let", "N = 12 * width**2 * depth"),
        *("--where", "kind == 'a' and depth > 4", "--drop-highest", "3", "--json", "--interval", "none"),
    )
    dropped = json.loads(out)["dropped"]
    assert code == 0
    assert (dropped["by_where"], dropped["by_drop_highest"], json.loads(out)["n"]) == (25, 3, 12)


def test_compare_sensitivity_and_optimum(command, table, tmp_path):
    laws = ("--law", "additive:width,depth", "--law", "additive:width*depth")
    code, out, _ = command("law", "compare", table, *laws, "--json")
    assert code == 0
    assert json.loads(out)["best"] == "additive(width, depth)"
    code, out, _ = command("law", "sensitivity", table, "--law", "additive:width,depth", "--drop-highest", "4")
    assert code == 0
    assert out.startswith("over 6 choices of objective, filter and law: a_width from ")
    command("law", "fit", table, "--law", "additive:width,depth", "-o", tmp_path / "fit.json")
    code, out, _ = command("law", "optimum", tmp_path / "fit.json", "--params", "1e8", "--json")
    best = json.loads(out)
    assert code == 0
    assert 12 * best["sizes"]["width"]["value"] ** 2 * best["sizes"]["depth"]["value"] == pytest.approx(1e8)
    code, out, _ = command(
        "law", "optimum", tmp_path / "fit.json", "--loss", "2.0", "--of", "width", "--at", "depth=32", "--json"
    )
    width = json.loads(out)["value"]
    assert load_fit(tmp_path / "fit.json").predict({"width": [width], "depth": [32]}).loss[0] == pytest.approx(2.0)


BAD = {
    "a missing column names the nearest": (("--law", "power:widht"), "'widht'", "did you mean width?"),
    "a law that does not exist": (("--law", "chincilla"), "did you mean chinchilla?"),
    "a law without its column": (("--law", "power"), "--x COL"),
    "an objective that does not exist": (("--law", "power:width", "--objective", "log-hubr"), "mean log-huber?"),
    "an interval that does not exist": (("--law", "power:width", "--interval", "profil"), "did you mean profile?"),
    "a level that is none": (("--law", "power:width", "--level", "95"), "level = 95"),
    "a mask over no column": (("--law", "power:width", "--where", "token > 1"), "'token'"),
    "a mask that is no comparison": (("--law", "power:width", "--where", "width"), "a comparison"),
    "a mask that calls code": (("--law", "power:width", "--where", "__import__('os')"), "need column names"),
    "a mask that leaves nothing": (("--law", "power:width", "--where", "width > 1e9"), "no rows left"),
    "more dropped than there are": (("--law", "power:width", "--drop-highest", "40"), "--drop-highest 40"),
    "one distinct size": (("--law", "power:width", "--where", "width == 64"), "one distinct value (64)"),
    "fewer points than parameters": (
        ("--law", "additive:width,depth", "--where", "width > 512 and seed == 0"),
        "4 points for the 5 parameters",
    ),
    "a plot of no kind": (("--law", "power:width", "--plot", "fit.gif"), ".png"),
    "an output folder that is not there": (("--law", "power:width", "-o", "nowhere/fit.json"), "nowhere"),
    "clusters with a profile": (("--law", "power:width", "--cluster", "seed", "--interval", "profile"), "sandwich"),
    "an unknown option": (
        (
            "--law",
            "power:width",
            "--ofset",
        ),
        "--ofset",
    ),
    "a number that is none": (("--law", "power:width", "--delta", "x"), "--delta"),
    "a negative delta": (("--law", "power:width", "--objective", "log-huber", "--delta", "-1"), "delta = -1"),
    "a column given twice": (("--law", "additive:width,width"), "each column once"),
    "text as a size": (("--law", "power:kind"), "'a'", "row 1", "'kind'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_one_line(command, table, case, monkeypatch):
    monkeypatch.chdir(table.parent)
    options, *words = BAD[case]
    one_line(command("law", "fit", table, *options), *words)
    assert sorted(path.name for path in table.parent.iterdir()) == ["runs.csv"]


CELLS = {
    "text": ("width", "wide", "'wide' in row 8, column 'width'"),
    "nothing": ("width", "", "an empty cell or NaN in row 8, column 'width'"),
    "zero size": ("width", "0", "row 8, column 'width'"),
    "negative loss": ("loss", "-2.5", "'loss'"),
    "zero loss": ("loss", "0", "a positive number"),
    "NaN": ("loss", "NaN", "row 8, column 'loss'"),
    "infinity": ("loss", "inf", "row 8, column 'loss'"),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_bad_cell_is_named_by_row_and_column(command, runs, tmp_path, case):
    column, cell, words = CELLS[case]
    table = runs.astype({column: object})
    table.loc[7, column] = cell
    table.to_csv(tmp_path / "bad.csv", index=False)
    one_line(command("law", "fit", tmp_path / "bad.csv", "--law", "power:width"), words)


def test_a_bad_cell_can_be_left_out_by_where(runs):
    runs.loc[7, "loss"] = np.nan
    assert fit_law(runs, PowerLaw("width"), where="loss > 0", interval="none").n == 39


@pytest.mark.parametrize(
    "name, content", [("a.csv", ""), ("a.csv", "width,loss\n"), ("a.parquet", "x"), ("a.jsonl", "{")]
)
def test_a_file_that_is_no_table_is_one_line(command, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    one_line(command("law", "fit", tmp_path / name, "--law", "power:width"), name)


def test_a_missing_file_or_an_unknown_ending_is_one_line(command, tmp_path):
    one_line(command("law", "fit", tmp_path / "no.csv", "--law", "power:width"), "does not exist")
    (tmp_path / "runs.ods").write_text("x")
    one_line(
        command("law", "fit", tmp_path / "runs.ods", "--law", "power:width"), ".csv, .parquet, .jsonl, .json, .xlsx"
    )


def test_a_fit_file_that_is_none_is_one_line(command, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("no json")
    for name in ("a.json", "b.json", "c.json"):
        one_line(command("law", "optimum", tmp_path / name, "--flops", "1e20"), name if name != "a.json" else "fit")


def test_optimum_refuses_what_a_law_has_not(command, table, tmp_path):
    command("law", "fit", table, "--law", "power:width", "-o", tmp_path / "fit.json")
    fit = tmp_path / "fit.json"
    one_line(command("law", "optimum", fit, "--flops", "1e20"), "the law power")
    one_line(command("law", "optimum", fit), "exactly one")
    one_line(command("law", "optimum", fit, "--params", "-1"), "params = -1")
    one_line(command("law", "optimum", fit, "--loss", "0.5"), "loss = 0.5")


def test_data_list_and_fetch(command, data_folder, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    code, out, _ = command("data", "list")
    assert code == 0
    assert "gemstones" in out
    code, out, _ = command("data", "fetch", "chinchilla")
    assert (code, out.strip()) == (0, str(data_folder / "chinchilla_svg_extracted_data.csv"))
    one_line(command("data", "fetch", "chinchila"), "did you mean chinchilla?")


def test_an_undetermined_fit_is_a_result_with_a_warning(runs):
    fit = fit_law(runs.assign(twin=runs["width"] * 2), AdditiveLaw(["width", "twin"]))
    assert any("do not determine" in warning or "not determined" in warning for warning in fit.warnings)


def test_a_fit_needs_a_known_parameter_name(runs):
    with pytest.raises(InputError, match="did you mean L_0"):
        fit_law(runs, PowerLaw("width"), interval="none")["L0"]
