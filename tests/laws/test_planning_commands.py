"""superlaw law predict, backtest, isoflop, next, gain, replicates, plot, optimum: what they print and refuse."""

from __future__ import annotations

import functools
import json

import numpy as np
import pandas as pd
import pytest

from superlaw import load_fit, load_table
from superlaw.laws.backtest import backtest
from superlaw.laws.gain import gain
from superlaw.laws.isoflop import isoflop
from superlaw.laws.next_runs import next_runs
from superlaw.laws.predict import predict_losses
from superlaw.laws.replicates import replicates


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table of iso-FLOP runs with two seeds each, the same of a better recipe, and a fit of each."""
    folder = tmp_path_factory.mktemp("planning")
    rng, rows = np.random.default_rng(0), []
    for C in (1e18, 1e19, 1e20, 1e21):
        best = 0.6 * (C / 6) ** 0.45
        for n in best * np.geomspace(0.2, 5, 7):
            rows += [(n, C / 6 / n, C, seed) for seed in (0, 1)]
    table = pd.DataFrame(rows, columns=["N", "D", "budget", "seed"])
    for name, factor in (("old", 1.0), ("new", 1.3)):
        loss = 1.7 + 400 / (factor * table["N"]) ** 0.34 + 410 / (factor * table["D"]) ** 0.28
        table.assign(loss=loss * np.exp(0.005 * rng.normal(size=len(table)))).to_csv(
            folder / f"{name}.csv", index=False
        )
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for name in ("old.csv", "new.csv"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    for name in ("old", "new"):
        path = made / f"{name}.json"
        if not path.exists():
            assert command("law", "fit", made / f"{name}.csv", "--law", "chinchilla", "-o", path)[0] == 0
        (tmp_path / f"{name}.json").write_bytes(path.read_bytes())
    return tmp_path


AT = ("--at", "N=1e9,D=1e10", "--at", "N = 7e10, D = 1.4e12")
SAME = {
    "predict": (("predict", "old.json", *AT),
                lambda: predict_losses(load_fit("old.json"), [{"N": 1e9, "D": 1e10}, {"N": 7e10, "D": 1.4e12}])),
    "backtest": (("backtest", "old.json", "--cut", "1e19", "--cut", "1e20"),
                 lambda: backtest(load_fit("old.json"), cuts=[1e19, 1e20])),
    "isoflop": (("isoflop", "old.csv", "--budget", "budget"), lambda: isoflop(load_table("old.csv"), budget="budget")),
    "next": (("next", "old.json", "--budget", "1e21", "--target", "alpha", "--target", "loss@N=7e10,D=1.4e12", "--runs",
              "3", "--sets", "5"),
             lambda: next_runs(load_fit("old.json"), 1e21, target=["alpha", {"N": 7e10, "D": 1.4e12}], runs=3, sets=5)),
    "gain": (("gain", "old.json", "new.json", "--at-loss", "2.4,2.8"),
             lambda: gain(load_fit("old.json"), load_fit("new.json"), [2.4, 2.8], ("old", "new"))),
    "replicates": (("replicates", "old.csv", "--law", "chinchilla"),
                   lambda: replicates(load_table("old.csv"), "chinchilla")),
}  # fmt: skip


@functools.cache
def made_once(name):
    """What Python gives for a case of SAME, from the files of ``place``."""
    return SAME[name][1]()


@pytest.mark.parametrize("name", SAME)
def test_a_command_prints_and_writes_what_python_gives(command, place, name):
    arguments, _ = SAME[name]
    expected = made_once(name)
    code, out, err = command("law", *arguments, "--json", "-o", "out.json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads((place / "out.json").read_text())
    record = json.loads(json.dumps(expected.to_dict()))
    assert json.loads(out) == record
    if name in ("predict", "gain", "backtest"):  # quick ones; all print what they are
        code, out, err = command("law", *arguments)
        assert (code, err, out.strip()) == (0, "", str(expected).strip())


TABLED = {
    "fit": ("fit", "old.csv", "--law", "chinchilla", "--interval", "none"),
    "predict": SAME["predict"][0],
    "next": SAME["next"][0],
    "optimum": ("optimum", "old.json", "--loss", "2.4"),
    "frontier": ("optimum", "old.json", "--flops", "1e20:1e22:3"),
    "compare": ("compare", "old.csv", "--law", "power:N", "--folds", "2"),
    "sensitivity": ("sensitivity", "old.csv", "--law", "power:N", "--objective", "log-ls"),
}


@pytest.mark.parametrize("name", TABLED)
def test_tables_are_markdown_or_latex_when_asked(command, place, name):
    code, out, err = command("law", *TABLED[name], "--table", "md")
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if line]
    assert all(line.startswith("|") and line.endswith("|") for line in lines)
    assert len({line.count("|") - line.count("\\|") for line in lines}) == (2 if name == "next" else 1)
    if name in ("predict", "next"):
        code, out, err = command("law", *TABLED[name], "--table", "tex")
        assert (code, err) == (0, "") and out.startswith("\\begin{tabular}{l")
        assert out.count("\\toprule") == out.count("\\bottomrule") and "%" not in out.replace("\\%", "")


@pytest.mark.parametrize("name", SAME)
def test_every_result_has_a_table_of_as_many_cells_as_its_header(place, name):
    found = made_once(name)
    for header, rows in getattr(found, "tables", None) or [found.cells]:
        assert rows and all(len(row) == len(header) for row in rows)


def test_gain_reads_tables_as_well_and_names_the_recipes(command, place):
    code, out, err = command("law", "gain", "old.csv", "new.csv", "--at-loss", "2.4", "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert record["names"] == ["old", "new"]
    fits = json.loads(command("law", "gain", "old.json", "new.json", "--at-loss", "2.4", "--json")[1])
    assert record["rows"][0]["gain"] == pytest.approx(fits["rows"][0]["gain"], rel=1e-6)
    assert record["rows"][0]["gain"]["low"] < 1.69 < record["rows"][0]["gain"]["high"]


def test_gain_tells_fits_from_tables_whatever_their_keys_and_columns_are(command, place):
    record = json.loads((place / "new.json").read_text())
    (place / "sorted.json").write_text(json.dumps(record, sort_keys=True))
    ask = ("--at-loss", "2.4", "--json")
    fits = [json.loads(command("law", "gain", "old.json", name, *ask)[1]) for name in ("new.json", "sorted.json")]
    assert fits[0]["rows"] == fits[1]["rows"]
    for name in ("old", "new"):
        table = pd.read_csv(f"{name}.csv").assign(law="a", params=1.0, covariance=0.0)
        (place / f"{name}_runs.json").write_text(json.dumps(table[sorted(table)[::-1]].to_dict("list")))
        (place / f"{name}_rows.json").write_text(json.dumps(table[["law", "N", "D", "loss"]].to_dict("records")))
    tables = [json.loads(command("law", "gain", f"old{end}", f"new{end}", *ask)[1])
              for end in (".csv", "_runs.json", "_rows.json")]  # fmt: skip
    assert tables[0]["rows"] == tables[1]["rows"] == tables[2]["rows"]


def test_gain_says_of_a_damaged_fit_that_it_is_one(command, place):
    record = json.loads((place / "new.json").read_text()) | {"n": "many"}
    (place / "hurt.json").write_text(json.dumps(record))
    code, out, err = command("law", "gain", "old.json", "hurt.json", "--at-loss", "2.4")
    assert (code, out, err.count("\n")) == (2, "", 1) and "a record that is not a fit" in err


COUNTS = {
    "isoflop": ("isoflop old.csv --budget budget", "fit"),
    "gain": ("gain old.csv new.csv --at-loss 2.4", "rows"),
    "replicates": ("replicates old.csv --law chinchilla", "fit"),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_rule_of_counting_makes_the_parameters_of_every_command_that_takes_it(command, place, name):
    arguments, key = COUNTS[name]
    ask = lambda *more: command("law", *arguments.split(), *more, "--json")  # noqa: E731
    code, out, err = ask("--count", "2 * N")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(ask("--let", "N = 2 * N")[1])
    assert json.loads(out)[key] != json.loads(ask()[1])[key]


def test_optimum_of_a_range_is_a_table_a_file_and_a_curve(command, place):
    code, out, err = command("law", "optimum", "old.json", "--flops", "1e20:1e24:3", "-o", "f.json", "--plot", "f.svg")
    assert (code, err) == (0, "") and "beyond the data" in out
    rows = json.loads((place / "f.json").read_text())["rows"]
    assert [row["flops"]["value"] for row in rows] == pytest.approx([1e20, 1e22, 1e24])
    single = json.loads(command("law", "optimum", "old.json", "--flops", "1e22", "--json")[1])
    assert rows[1]["N"] == single["sizes"]["N"] and (place / "f.svg").read_bytes().startswith(b"<?xml")
    code, out, _ = command("law", "optimum", "old.json", "--loss", "2.4", "--of", "N", "--at", "D=1e11", "--json")
    assert code == 0 and json.loads(out)["at"] == {"D": 1e11}


def test_optimum_for_a_loss_gives_n_and_d_and_warns_as_for_a_budget(command, place):
    budget = json.loads(command("law", "optimum", "old.json", "--flops", "1e24", "--json")[1])
    text = f"{budget['loss']['value']:.12g}"
    loss = json.loads(command("law", "optimum", "old.json", "--loss", text, "--json")[1])
    assert loss["value"] == pytest.approx(1e24, rel=1e-3)
    for name in ("N", "D"):
        assert loss["sizes"][name]["value"] == pytest.approx(budget["sizes"][name]["value"], rel=1e-3)
    assert sum("is an extrapolation" in w for w in loss["warnings"]) == 2
    out = command("law", "optimum", "old.json", "--loss", text)[1]
    assert "WARNING: N = " in out and "\n  N: " in out


def test_predict_reads_a_table_of_sizes(command, place):
    (place / "sizes.csv").write_text("N,D,note\n1e9,1e10,a\n7e10,1.4e12,b\n")
    both = [
        json.loads(command("law", "predict", "old.json", *how, "--json")[1]) for how in (("--points", "sizes.csv"), AT)
    ]
    assert both[0] == both[1]


def test_the_backtest_that_is_printed_is_the_one_that_is_drawn(command, place, monkeypatch):
    """Its intervals are of a bootstrap: another seed has another band."""
    from superlaw.figures import paint

    drawn, draw = [], paint.draw
    monkeypatch.setattr(paint, "draw", lambda picture, kind: drawn.append(picture) or draw(picture, kind))
    ask = ("--law", "power:D", "--where", "D < 1e11", "--interval", "bootstrap", "--bootstrap", "50")
    assert command("law", "fit", "old.csv", *ask, "-o", "of_d.json")[0] == 0
    ask = ("--cut", "2e10", "--seed", "7")
    code, out, err = command("law", "backtest", "of_d.json", *ask, "--plot", "p.svg", "--json")
    assert (code, err) == (0, "") and (place / "p.svg").exists()
    (one,) = json.loads(out)["cuts"]
    band = drawn[0].panels[1].items[1]
    np.testing.assert_allclose(np.sort(band.low), np.sort(np.log(one["low"]) - np.log(one["predicted"])))


@pytest.mark.parametrize("kind", ["frontier", "profile", "predicted"])
def test_figures_are_drawn_to_a_file(command, place, kind):
    more = {"frontier": ("--flops", "1e18:1e24"), "profile": ("--of", "E"), "predicted": ("--cut", "1e20")}
    code, out, err = command("law", "plot", "old.json", kind, "-o", "p.png", *more.get(kind, ()))
    assert (code, err) == (0, "") and out.startswith("p.png: chinchilla law")
    assert (place / "p.png").read_bytes().startswith(b"\x89PNG")


BAD = {
    "predict without sizes": ("predict old.json", "no sizes to predict"),
    "predict with half a pair": ("predict old.json --at N=1e9,D", "--at name=value"),
    "predict with a size twice": ("predict old.json --at N=1e9,N=2e9", "--at N twice"),
    "predict without D": ("predict old.json --at N=1e9", "no value for D"),
    "predict of text": ("predict old.json --at N=1e9,D=many", "'many'"),
    "predict with both": ("predict old.json --at N=1,D=1 --points old.csv", "--at and --points"),
    "predict from a table": ("predict old.csv --at N=1e9,D=1e10", "old.csv"),
    "optimum of a broken range": ("optimum old.json --flops 1e24:1e20", "--flops 1e24:1e20"),
    "optimum of a word": ("optimum old.json --flops much", "--flops much"),
    "optimum of no loss": ("optimum old.json --loss nan", "loss = nan", "a finite number"),
    "optimum of an endless loss": ("optimum old.json --loss inf --of N --at D=1e11", "loss = inf"),
    "optimum with a plot of one": ("optimum old.json --flops 1e20 --plot f.png", "--flops LOW:HIGH"),
    "optimum of none": ("optimum old.json", "exactly one of them"),
    "backtest beyond the points": ("backtest old.json --cut 1e30", "a cut at 1e+30"),
    "backtest drawn twice": ("backtest old.json --cut 1e19 --cut 1e20 --plot b.png", "at most one cut"),
    "isoflop without budgets": ("isoflop old.csv --where seed==0 --where budget<5e18", "1 budgets with a minimum"),
    "isoflop with weights": ("isoflop old.csv --weights N", "--weights"),
    "next without a budget": ("next old.json", "--budget"),
    "next with too little": ("next old.json --budget 1", "the cheapest candidate"),
    "next of something else": ("next old.json --budget 1e21 --target cost@N=1", "PARAM or loss@"),
    "next of no parameter": ("next old.json --budget 1e21 --target gamma", "the target 'gamma'"),
    "next with a cost that is none": ("next old.json --budget 1e21 --cost N>1", "a number for every run"),
    "next among no candidates": ("next old.json --budget 1e21 --candidates none.csv", "none.csv"),
    "gain of words": ("gain old.json new.json --at-loss low", "--at-loss low"),
    "gain with a law for fits": ("gain old.json new.json --law power:N --at-loss 2.4", "--law"),
    "gain with a rule of counting for fits": ("gain old.json new.json --count body --at-loss 2.4", "--count"),
    "gain with empty cells of fits": ("gain old.json new.json --missing drop --at-loss 2.4", "--missing"),
    "gain with steps of fits": ("gain old.json new.json --along-steps --at-loss 2.4", "--along-steps"),
    "gain by no rule of counting": ("gain old.csv new.csv --count bodi", "--count bodi", "body, head"),
    "isoflop by no rule of counting": ("isoflop old.csv --count bodi", "--count bodi", "body, head"),
    "replicates by no rule of counting": ("replicates old.csv --law chinchilla --count bodi", "--count bodi"),
    "replicates of a law without parameters": ("replicates old.csv --law power:D --count body", "for the law power"),
    "gain of one table": ("gain old.csv old.csv", "naming one file"),
    "replicates without seeds": ("replicates old.csv --law chinchilla --where seed==0", "no sizes that were run twice"),
    "replicates of a run without a column": ("replicates old.csv --law chinchilla --run name", "'name'"),
    "plot of another kind": ("plot old.json curve -o p.png", "the figure 'curve'"),
    "plot of no picture": ("plot old.json sizes -o p.gif", ".png"),
    "plot with an option of another": ("plot old.json sizes -o p.png --cut 1e20", "--cut"),
    "a table of another kind": ("predict old.json --at N=1e9,D=1e10 --table html", "--table html"),
    "a table as JSON": ("predict old.json --at N=1e9,D=1e10 --table md --json", "one of the two"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_writes_nothing(command, place, case):
    arguments, *words = BAD[case]
    before = sorted(path.name for path in place.iterdir())
    code, out, err = command("law", *arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    assert "Traceback" not in err and all(word in err for word in words), err
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize("arguments", [
    "predict old.json --points mine.json -o mine.json",
    "next old.json --budget 1e21 --candidates mine.json -o mine.json",
])  # fmt: skip
def test_an_input_is_not_replaced_even_when_asked(command, place, arguments):
    mine = place / "mine.json"
    mine.write_text('[{"N": 1e9, "D": 1e10}, {"N": 2e9, "D": 2e10}]')
    before = mine.read_bytes()
    code, out, err = command("law", *arguments.split(), "--overwrite")
    assert (code, out, err.count("\n")) == (2, "", 1) and "and -o naming one file, mine.json" in err, err
    assert mine.read_bytes() == before


WRITERS = (
    "predict old.json --at N=1e9,D=1e10 -o mine.json",
    "plot old.json sizes -o mine.png",
    "optimum old.json --flops 1e20:1e22 --plot mine.png",
)


@pytest.mark.parametrize("arguments", WRITERS)
def test_a_users_file_is_replaced_only_when_asked(command, place, arguments):
    mine = place / arguments.split()[-1]
    mine.write_text("mine")
    code, _, err = command("law", *arguments.split())
    assert code == 2 and "--overwrite" in err and mine.read_text() == "mine"
    assert command("law", *arguments.split(), "--overwrite")[0] == 0 and mine.read_bytes() != b"mine"
