"""Records of our own formats with entries of the wrong kind: each case that a campaign found, as a fact."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from study_records import write_study

import superlaw as lib
from examples import points
from superlaw.errors import InputError
from superlaw.studies.stored_study import load_study
from superlaw.sweeps.table import read_runs

HUGE = 10**400  # no number of a computer


def spoil(path, place: tuple, value: object) -> None:
    """Put a value in its place in a file of JSON; ``...`` takes the entry away."""
    record = json.loads(path.read_text())
    inside = record
    for key in place[:-1]:
        inside = inside[key]
    if value is ...:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    path.write_text(json.dumps(record))


FITS = [
    ("additive", ("ranges", "depth"), 4),
    ("additive", ("ranges", "depth"), [2]),
    ("additive", ("ranges", "width"), [1, 2, 3]),
    ("additive", ("ranges", "width"), ["1", "2"]),
    ("power", ("replicates",), 3.5),
    ("power", ("replicates", 0), [1.0]),
    ("additive", ("params", "L_0", "value"), [1.0, 2.0]),
    ("additive", ("params", "L_0"), ...),
    ("additive", ("log_covariance", 1, 1), HUGE),
    ("power", ("covariance",), [[1.0, 0.0], [0.0, 1.0]]),
    ("power", ("log_covariance",), [[1.0]]),
    ("power", ("params", "C", "value"), None),
    ("power", ("columns", "x"), ["width"]),
    ("power", ("offset",), False),
    ("power", ("interval", "level"), 2),
    ("power", ("interval", "method"), "profiles"),
    ("power", ("interval", "dof"), []),
    ("power", ("dof",), "6"),
    ("power", ("dof",), 6.5),
    ("power", ("certificate", "flat"), ["a"]),
    ("power", ("warnings",), [3]),
    ("grouped", ("labels",), ["a"]),
    ("chinchilla", ("ranges", "tokens"), ...),
]


@pytest.mark.parametrize(("law", "place", "value"), FITS, ids=lambda part: str(part)[:40])
def test_a_fit_with_an_entry_of_the_wrong_kind_is_refused(attack, tmp_path, law, place, value):
    path = tmp_path / "fit.json"
    shutil.copy(attack.example("fit") / f"{law}.json", path)
    assert lib.load_fit(path).law.name == law
    spoil(path, place, value)
    with pytest.raises(InputError, match="fit again"):
        lib.load_fit(path)


@pytest.mark.parametrize(
    "line",
    [
        ("law", "optimum", "fit.json", "--params", "1e6"),
        ("law", "optimum", "fit.json", "--loss", 2.0, "--of", "width", "--at", "tokens=1e9", "--at", "depth=2"),
        ("shape", "best", "--params", "1e9", "--fit", "fit.json", "--plot", "f.svg"),
        ("shape", "compare", "--a", "width=64,depth=4", "--b", "width=32,depth=8", "--fit", "fit.json"),
    ],
    ids=lambda line: " ".join(line[:2]),
)
def test_a_command_says_in_one_line_what_is_wrong_with_a_fit(attack, tmp_path, superlaw, line):
    shutil.copy(attack.example("fit") / "additive.json", tmp_path / "fit.json")
    spoil(tmp_path / "fit.json", ("ranges", "depth"), 4)
    found = superlaw(*line)
    assert found.code == 2 and "ranges.depth is not a list" in found.err


STUDIES = [
    ("study.json", ("table", 0, "corpus"), None),
    ("study.json", ("table", 0, "family"), 3),
    ("study.json", ("table", 0, "family"), [1]),
    ("study.json", ("table", 0, "model"), {}),
    ("study.json", ("table", 0, "width"), "64"),
    ("study.json", ("table", 0, "width"), 0),
    ("study.json", ("table", 0, "width"), HUGE),
    ("study.json", ("table", 0, "width"), ...),
    ("study.json", ("table", 0, "stderr"), ...),
    ("study.json", ("table", 0, "loss"), "3.1"),
    ("study.json", ("table", 0), "row"),
    ("study.json", ("fit",), 1.5),
    ("study.json", ("fit", "params"), []),
    ("study.json", ("no_fit",), 7),
    ("study.json", ("token_files",), 1.5),
    ("study.json", ("token_files",), ["ant.json"]),
    ("study.json", ("token_files", "ant-64"), 3),
    ("study.json", ("token_files", "ant-64"), ["ant.json"]),
    ("study.json", ("token_files", "no model"), "ant.json"),
    ("study.json", ("token_files", "a\x1b[31mb"), "ant.json"),
]


@pytest.mark.parametrize(("file", "place", "value"), STUDIES, ids=lambda part: str(part)[:40])
def test_a_study_with_an_entry_of_the_wrong_kind_is_refused(tmp_path, file, place, value):
    spoil(write_study(tmp_path / "study") / file, place, value)
    with pytest.raises(InputError, match="again"):
        load_study(tmp_path / "study")


@pytest.mark.parametrize("value", [True, [], {}, "head", HUGE, None], ids=lambda value: str(value)[:9])
@pytest.mark.parametrize("place", [("head",), ("head", "m"), ("head", "welch"), ("head", "norms")], ids="-".join)
def test_a_kept_head_of_the_wrong_kind_counts_as_none(tmp_path, place, value):
    spoil(write_study(tmp_path / "study") / "heads" / "ant-64.json", place, value)
    found = load_study(tmp_path / "study")
    assert "ant-64" not in found.heads and "study/heads lacks ant-64.json." in found.notes


@pytest.mark.parametrize("value", [True, [], "corpora", HUGE, None], ids=lambda value: str(value)[:9])
@pytest.mark.parametrize("place", [("corpora",), ("corpora", "wiki"), ("corpora", "wiki", "split_half")], ids="-".join)
def test_kept_tokens_of_the_wrong_kind_count_as_none(tmp_path, place, value):
    spoil(write_study(tmp_path / "study") / "tokens" / "ant.json", place, value)
    found = load_study(tmp_path / "study")
    assert list(found.tokenizers) == ["bee"] and found.notes == ("study/tokens lacks ant.json.",)


def test_a_figure_of_a_spoilt_study_is_one_line(tmp_path, superlaw):
    spoil(write_study(tmp_path / "study") / "study.json", ("table", 0, "width"), ...)
    found = superlaw("figure", "llm", "--study", "study", "-o", "f.svg")
    assert found.code == 2 and "table[0].width" in found.err


def test_a_study_does_not_take_a_kept_head_that_is_none(attack, tmp_path, superlaw):
    shutil.copytree(attack.example("family"), tmp_path / "here")
    (tmp_path / "here" / "study" / "heads").mkdir(parents=True)
    (tmp_path / "here" / "study" / "heads" / "m4.json").write_text('{"source": "./nowhere4", "head": true}')
    line = ("lm", "study", "family.toml", "--corpus", "a=a.txt", "-o", "study", "--json")
    found = superlaw(*line, folder=tmp_path / "here", codes=(1,), may_change=("study",))
    assert found.code in (1, 2) and "m4" in found.out + found.err


GATHERED = [
    ("steps", ""),
    ("width", "inf"),
    ("width", "2.5"),
    ("width", "1" + "0" * 40),
    ("represented", "1" + "0" * 400),
    ("n_features", "1e300"),
    ("seed", "-1"),
    ("learning_rate", "nan"),
    ("activation", "relus"),
    ("strong", "61"),
    ("represented", ""),
    ("norm_counts", "1 2 3"),
    ("norm_counts", " ".join(["0"] * 80)),
    ("norm_counts", "1 two"),
    ("norm_by_rank", "1 2"),
    ("strong_by_rank", "nan " * 19),
]


@pytest.mark.parametrize(("column", "cell"), GATHERED, ids=lambda part: part[:12])
def test_a_gathered_table_with_a_cell_of_the_wrong_kind_is_refused(attack, tmp_path, column, cell):
    table = pd.read_csv(attack.example("gathered") / "runs.csv", dtype=str, keep_default_na=False)
    table.to_csv(tmp_path / "runs.csv", index=False)
    assert len(read_runs(tmp_path / "runs.csv")) == len(table)
    table.loc[1, column] = cell
    table.to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(InputError, match="gather"):
        read_runs(tmp_path / "runs.csv")


@pytest.mark.parametrize("header", [b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4", b"{", b"'''", b"(\n\n"])
def test_an_npy_file_with_a_header_that_never_ends_is_one_line(tmp_path, superlaw, header):
    padded = header + b" " * (117 - len(header)) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + bytes(48)
    (tmp_path / "head.npy").write_bytes(content)
    assert superlaw("lm", "head", "head.npy").code == 2


@pytest.mark.parametrize("size", [1e-300, 1e250, 1e300])
def test_kaplans_law_with_a_size_at_the_end_of_all_numbers_is_fitted_or_refused(size):
    """Its starts overflowed."""
    for seed in range(3):
        table = points() | {"width": [size, *points()["width"][1:]]}
        assert lib.fit_law(table, lib.Kaplan("width", "tokens"), interval="none", seed=seed).n == 12


@pytest.mark.parametrize("start", ["1" + "0" * 100, "-1" + "0" * 30, "1e299"])
def test_an_axis_from_a_whole_number_beyond_64_bits_is_one_line(tmp_path, superlaw, start):
    (tmp_path / "plan.toml").write_text(f"[axes]\nwidth = {{ start = {start}, stop = 3, num = 4 }}\n")
    assert superlaw("sweep", "run", "plan.toml", "--store", "s", "--dry-run").code == 2


@pytest.mark.parametrize("cell", ["nan", "inf", "1e30", ""])
def test_a_table_of_losses_with_a_cell_that_is_no_whole_number_is_one_line(attack, tmp_path, superlaw, cell):
    shutil.copytree(attack.example("losses"), tmp_path / "here")
    table = pd.read_csv(tmp_path / "here" / "losses.csv", dtype=str, keep_default_na=False)
    table.loc[0, "tokens"] = cell
    table.to_csv(tmp_path / "here" / "losses.csv", index=False)
    line = ("lm", "loss", "./m4", "./m8", "--corpus", "a=a.txt", "-o", "losses.csv")
    assert superlaw(*line, folder=tmp_path / "here").code == 2
