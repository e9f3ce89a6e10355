"""What cannot be read or is not clear is one line: the row by number and value, the candidates by name."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from run_folders import SHAPES, event_folder, history_folder, run_table, trainer_folder

from superlaw.errors import InputError
from superlaw.laws.fit import fit_law
from superlaw.laws.tables import load_table

ROWS = "N,D,loss\n" + "".join(f"{10**i},{2 * 10 ** (i % 4 + 5)},{5 - i / 3}\n" for i in range(3, 11))
LAW = ("--law", "power:N", "--interval", "none")


def json_text(record) -> bytes:
    return json.dumps(record).encode()


def rows(**columns) -> list[dict]:
    """Eight rows, of which single cells are replaced: column -> (row from 0, value)."""
    table = [{"N": 10.0**i, "loss": 5 - i / 3} for i in range(3, 11)]
    for column, (row, value) in columns.items():
        table[row][column] = value
    return table


def dated() -> bytes:
    out = io.BytesIO()
    pd.DataFrame(rows()).assign(N=pd.date_range("2026-01-01", periods=8)).to_parquet(out)
    return out.getvalue()


def sheet(table: pd.DataFrame, **more) -> bytes:
    out = io.BytesIO()
    table.to_excel(out, index=False, **more)
    return out.getvalue()


def sparse_sheet() -> bytes:
    """A workbook whose only cell below the header stands in the last row and column that there can be."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet(pd.DataFrame({"N": [1.0]})))) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                content = content.replace(b'r="A2"', b'r="XFD1048576"').replace(b'r="2"', b'r="1048576"')
            new.writestr(entry, content)
    return out.getvalue()


# name -> (file, content, options, words of the refusal)
FILES = {
    "a cell of text": ("t.csv", ROWS.replace("10000,", "big,"), LAW, ["'big' in row 2, column 'N'"]),
    "a scale that is none": ("t.csv", ROWS.replace("10000,", "1.2Q,"), LAW, ["'1.2Q' in row 2, column 'N'"]),
    "a comma within a number": ("t.csv", ROWS.replace("10000,", '"1,000",'), LAW, ["'1,000' in row 2"]),
    "an empty loss": ("t.jsonl", "\n".join(map(json.dumps, rows(loss=(4, None)))), LAW,
                      ["an empty cell or NaN in row 5, column 'loss'", "--missing drop"]),
    "a loss that is NaN": ("t.json", json.dumps(rows(loss=(4, float("nan")))), LAW, ["NaN in row 5, column 'loss'"]),
    "a loss that is infinite is not missing": (
        "t.json", json.dumps(rows(loss=(4, float("inf")))), (*LAW, "--missing", "drop"),
        ["inf in row 5, column 'loss'"]),
    "a whole number beyond all floats": (
        "t.json", json.dumps(rows(N=(1, 10**400))), LAW, ["row 2, column 'N'", "a positive number"]),
    "a date for a size": ("t.parquet", dated(), LAW, ["Timestamp", "row 1, column 'N'"]),
    "a size below 0": ("t.csv", ROWS.replace("10000,", "-10000,"), LAW, ["-10000", "row 2, column 'N'"]),
    "missing that is no choice": ("t.csv", ROWS, (*LAW, "--missing", "ignore"), ["'ignore'", "refuse or drop"]),
    "nothing left when rows are dropped": (
        "t.csv", "N,loss\n1,\n2,\n3,\n", (*LAW, "--missing", "drop"), ["no rows left", "3 by missing cells"]),
    "two columns that could be N": (
        "t.csv", "params,params_no_embed,loss\n1,2,3\n2,3,2\n4,6,1\n", ("--law", "power:N"),
        ["'N'", "2 that could be it: params, params_no_embed"]),
    "two columns that could be the loss": (
        "t.csv", "N,train_loss,val_loss\n1,2,3\n2,3,2\n4,6,1\n", LAW, ["'loss'", "train_loss, val_loss"]),
    "one column for two parts": (
        "t.csv", "params,loss\n1,3\n2,2\n4,1\n", ("--law", "additive:N,n_params"),
        ["'params' for both 'N' and 'n_params'"]),
    "a text column named as a size": (
        "t.csv", "param_count,loss\nkaplan,3\nall,2\nnone,1\n", ("--law", "power:N"), ["without the column 'N'"]),
    "a dotted name outside backticks": (
        "t.csv", "model.dim,loss\n1,3\n2,2\n", ("--law", "power:model.dim", "--where", "model.dim > 1"),
        ["write `model.dim` in backticks"]),
    "a slashed name outside backticks": (
        "t.csv", "N,eval/loss\n1,3\n2,2\n", ("--law", "power:N", "--let", "half = eval/loss / 2"),
        ["'eval'", "write `eval/loss` in backticks"]),
    "more cells than names": ("t.csv", "N,loss\n1,2,3\n2,3,4\n", LAW, ["more cells than the header has names"]),
    "a row of another length": ("t.csv", "N,loss\n1,2\n2,3,4\n", LAW, ["t.csv", "line 3"]),
    "semicolons": ("t.csv", ROWS.replace(",", ";"), LAW, ["semicolons between its cells"]),
    "tabs": ("t.csv", ROWS.replace(",", "\t"), LAW, ["tabs between its cells"]),
    "a header alone": ("t.csv", "N,loss\n", LAW, ["t.csv with no rows"]),
    "another ending": ("t.xls", "x", LAW, [".csv, .parquet, .jsonl, .json, .xlsx"]),
    "a packed file that is none": ("t.csv.gz", ROWS, LAW, ["no gzip file", "rename it"]),
    "a packed file cut short": ("t.csv.gz", gzip.compress(ROWS.encode())[:-12], LAW, ["ends too early"]),
    "a packed file that swells": ("t.csv.gz", gzip.compress(b"0" * 30_000_000), LAW, ["unpacks to more than 20000000"]),
    "a packed workbook": ("t.xlsx.gz", gzip.compress(b"PK"), LAW, ["t.xlsx.gz; need a table ending in"]),
    "JSON that is none": ("t.json", "{", LAW, ["t.json, not JSON"]),
    "a name twice in JSON": ("t.json", '{"a": 1, "a": 2}', LAW, ["the key 'a' twice"]),
    "a number alone": ("t.json", "3", LAW, ["which is a number", "a list of runs"]),
    "a list with a number in it": ("t.json", "[{\"N\": 1}, 3]", LAW, ["entry 2 of", "a number"]),
    "columns of other lengths": ("t.json", '{"N": [1, 2], "loss": [1]}', LAW, ["2 cells in 'N' and 1 in 'loss'"]),
    "a row of a JSON table that is short": (
        "t.json", '{"columns": ["N", "loss"], "data": [[1, 2], [3]]}', LAW, ["row 2 of", "a list of 2 cells"]),
    "two lists of rows": ("t.json", '{"a": [{"N": 1}], "b": [{"N": 2}]}', LAW, ["2 lists of rows (a, b)"]),
    "the JSON of a fit": ("t.json", '{"law": "power", "params": {}, "covariance": []}', LAW, ["the JSON of a fit"]),
    "an object of anything": ("t.json", '{"N": 1, "x": "y"}', LAW, ["an object with 'N', 'x'"]),
    "a list in one cell": ("t.json", json.dumps(rows(N=(2, [1]))), LAW, ["a list in row 3, column 'N'"]),
    "a log without steps": ("t.json", '{"log_history": [{"step": 1, "loss": 3}, {"loss": 2}]}', LAW,
                            ["entry 2 of the log_history"]),
    "an empty log": ("t.json", '{"log_history": []}', LAW, ["nothing was logged"]),
    "no workbook": ("t.xlsx", "N,loss\n1,2\n", LAW, ["no workbook"]),
    "an empty workbook": ("t.xlsx", sheet(pd.DataFrame()), LAW, ["with no rows"]),
    "a sheet's column without a name": (
        "t.xlsx", sheet(pd.DataFrame([["N", None, "loss"], [1, 2, 3]]), header=False), LAW,
        ["column 2 has cells but no name"]),
    "a sheet's cell beyond the header": (
        "t.xlsx", sheet(pd.DataFrame([["N", "loss", None], [1, 2, 3]]), header=False), LAW,
        ["row 2 of", "beyond the 2 column(s)"]),
    "a sheet as large as can be": ("t.xlsx", sparse_sheet(), LAW, ["row 1048576 of", "beyond the 1 column(s)"]),
    "no event file": ("events.out.tfevents.1", "x" * 100, LAW, ["no whole record"]),
    "steps of a table": ("t.csv", ROWS, (*LAW, "--along-steps"), ["a folder of runs"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(case, tmp_path, command):
    name, content, options, words = FILES[case]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = command("law", "fit", tmp_path / name, *options)
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    for word in words:
        assert word in err, err


def no_runs(folder):
    (folder / "notes.txt").write_text("x")


def two_kinds(folder):
    history_folder(folder / "a", SHAPES[:2])
    event_folder(folder / "b", SHAPES[:2])


def plain_tables(folder):
    run_table().to_csv(folder / "a.csv", index=False)
    run_table().to_csv(folder / "b.csv", index=False)


def mixed_records(folder):
    (folder / "a.json").write_text('{"loss": 3, "N": 10}')
    (folder / "b.json").write_text('{"results": {"piqa": {"acc,none": 0.5}}}')


def record_of_numbers(folder):
    (folder / "a.json").write_text("[1, 2]")


def no_state(folder):
    (folder / "trainer_state.json").write_text('{"epoch": 1}')


def config_that_is_a_list(folder):
    trainer_folder(folder, SHAPES[:2])
    (folder / "w64-l2" / "checkpoint-300" / "config.json").write_text("[]")


def step_that_is_a_text(folder):
    history_folder(folder, SHAPES[:2])
    (folder / "width=64_depth=2.csv").write_text("_step,eval/loss\n100,3\nlast,2\n")


FOLDERS = {
    step_that_is_a_text: "'last' in row 2, column '_step' of ",
    no_runs: "a folder without runs",
    two_kinds: "2 event files, 2 tables",
    plain_tables: "a.csv of 12 rows, without a column of steps",
    mixed_records: "one a run (a.json) and lm-eval results (b.json)",
    record_of_numbers: "a.json, which is no object",
    no_state: "without a log_history",
    config_that_is_a_list: "config.json, which is no object",
}


@pytest.mark.parametrize("make", FOLDERS, ids=lambda make: make.__name__)
def test_a_folder_that_is_not_clear_is_refused_in_one_line(make, tmp_path, command):
    make(tmp_path)
    code, out, err = command("law", "fit", tmp_path, *LAW)
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    assert FOLDERS[make] in err


def test_a_name_that_is_nothing_is_told_from_a_published_table(command):
    code, out, err = command("law", "look", "gemston")
    assert (code, out) == (2, "") and "did you mean gemstones?" in err


def test_a_row_of_a_run_is_named_by_its_run_too(tmp_path):
    history_folder(tmp_path, SHAPES[:3])
    (tmp_path / "width=128_depth=2.csv").write_text("_step,eval/loss\n100,oops\n")
    with pytest.raises(InputError, match=r"'oops' in row 1 \(run 'width=128_depth=2'\), column 'eval/loss'"):
        fit_law(tmp_path, "power:width", "eval/loss")


def test_rows_with_empty_cells_are_dropped_when_asked_and_counted_by_column(tmp_path, command):
    table = pd.DataFrame({"N": 10.0 ** np.arange(3, 11), "loss": 5 - np.arange(3, 11) / 3, "D": 1e9})
    table.loc[2, "loss"], table.loc[3, "N"], table.loc[[4, 5], "D"] = np.nan, np.nan, np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    fit = fit_law(tmp_path / "t.csv", "power:N", missing="drop", interval="none")
    assert fit.n == 6  # D is not needed
    assert fit.dropped["by_missing"] == {"rows": 2, "columns": {"loss": 1, "N": 1}}
    out = command("law", "fit", tmp_path / "t.csv", *LAW, "--missing", "drop", "--where", "N > 1e4")[1]
    assert "points: 4 used, 4 left out (1 with empty cells: loss 1; 3 by where 'N > 1e4')" in out


def test_laws_are_compared_on_the_rows_that_all_of_them_can_use(tmp_path, command):
    table = run_table().assign(tokens=np.tile([1e8, 1e9, np.nan], 4))
    table.to_csv(tmp_path / "t.csv", index=False)
    laws = ("--law", "power:width", "--law", "additive:width,tokens", "--missing", "drop", "--cluster", "kind")
    out = json.loads(command("law", "compare", tmp_path / "t.csv", *laws, "--json")[1])
    assert {law["fit"]["n"] for law in out["laws"]} == {8}
    assert "left out: 4 rows with empty cells" in out["notes"]


def test_sensitivity_drops_and_says_what_it_found(tmp_path, command):
    run_table().assign(val_loss=lambda t: t["val_loss"].where(t.index > 0)).to_csv(tmp_path / "t.csv", index=False)
    line = ("law", "sensitivity", tmp_path / "t.csv", "--law", "power:width", "--objective", "ls", "--json")
    assert command(*line)[0] == 2
    out = json.loads(command(*line, "--missing", "drop")[1])
    assert out["rows"][0]["n"] == 11
    assert "width is the column 'd_model'" in out["notes"]


def test_a_text_column_of_numbers_with_scales_is_compared_as_numbers_and_grouped_as_text(tmp_path):
    table = pd.DataFrame({"size": ["70M", "160M", "1.4B", "410M"] * 3, "loss": np.linspace(4, 3, 12)})
    table.to_csv(tmp_path / "t.csv", index=False)
    read = load_table(tmp_path / "t.csv", ["N = 2 * size"])
    assert read["N"].tolist()[:3] == [1.4e8, 3.2e8, 2.8e9]
    fit = fit_law(read, "power:size", where="size > 1e8", interval="none")
    assert fit.n == 9 and "'160M' in the column 'size' is read as 1.6e+08" in fit.notes
    assert fit_law(read, "power:N", where="size in ('70M', '1.4B')", interval="none").n == 6
    grouped = fit_law(read.assign(N=np.arange(12) + 1.0), "grouped:N,size", interval="none")
    assert "L_0[1.4B]" in grouped.params
