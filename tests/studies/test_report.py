"""superlaw report: whatever the source, what must be read first stands first, and every number is the library's."""

from __future__ import annotations

import html
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from made_runs import made
from study_records import write_study

import superlaw
from superlaw import InputError, Plan
from superlaw.findings.exponents import exponents
from superlaw.findings.width_design import WidthTable
from superlaw.findings.width_law import join_widths
from superlaw.studies.report import write_report
from superlaw.studies.width_law import width_law, write_width_law
from superlaw.sweeps.store import Store
from superlaw.sweeps.table import gather, write_runs

PLAN = Plan("small", {"n_features": 100, "steps": 120, "batch": 64, "learning_rate": 0.03, "warmup": 12,
                      "initial_bias_std": 0}, {"weight_decay": (-1.0, 1.0), "width": (3, 5, 10)}, (0, 1))  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "runs"
    superlaw.sweep(PLAN, folder, workers=2)
    return folder


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return write_report(store, tmp_path_factory.mktemp("page") / "x.html")


def cells(content: str, table: str) -> list[list[str]]:
    """Rows of a table as they are copied."""
    found = re.search(rf'<section class="table[^"]*" id="{table}-1">(.*?)</section>', content, re.S)
    assert found is not None, table
    body = re.search(r"<tbody[^>]*>(.*?)</tbody>", found[1], re.S)
    assert body is not None
    rows = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body[1], re.S):
        cells = re.findall(r"<td((?: [^>]*)?)>(.*?)</td>", row, re.S)
        stated = [re.search(r'data-v="?([^">]*)', attributes) for attributes, _ in cells]
        rows.append([html.unescape(at[1] if at else text) for at, (_, text) in zip(stated, cells, strict=True)])
    return rows


def read(path) -> str:
    return path.read_text(encoding="utf-8")


def short(content: str) -> str:
    """The section in short: warnings and verdict."""
    found = re.search(r'<section id="short".*?</section>', content, re.S)
    assert found is not None
    return html.unescape(re.sub(r"<[^>]*>", "", found[0]))


def test_the_exponents_of_the_page_are_the_librarys_and_lead_to_their_runs(store, page):
    content = read(page.path)
    own = exponents(gather(store))
    shown = cells(content, "exponents")
    np.testing.assert_allclose([float(row[1]) for row in shown], own["exponent"], rtol=1e-5)
    np.testing.assert_allclose([float(row[2]) for row in shown], own["stderr"], rtol=1e-5)
    assert [tuple(row[-1].split()) for row in shown] == own["runs"].tolist()
    listed = [row[0] for row in cells(content, "runs")]
    assert set(listed) == {spec.id for spec in PLAN.specs}
    assert f"superlaw report {store} -o {page.path}" in content
    run = superlaw.load_run(next(store.glob("*.safetensors")))
    assert {run.provenance["engine"], run.provenance["machine"]} <= set(cells(content, "machines")[0])
    assert f"superlaw {superlaw.__version__}, Python" in content


def test_a_table_of_runs_says_what_their_store_says(store, page, tmp_path):
    write_runs(gather(store), tmp_path / "runs.csv")
    theirs = write_report(tmp_path / "runs.csv", tmp_path / "x.html")
    assert theirs.verdict == page.verdict
    shown = [np.array([row[1:5] for row in cells(read(found.path), "exponents")], float) for found in (page, theirs)]
    np.testing.assert_allclose(*shown, rtol=1e-5)


def test_of_a_damaged_and_a_whole_copy_the_page_has_the_whole_one(store, page, tmp_path):
    shutil.copytree(store, tmp_path / "spoilt")
    spoilt = sorted((tmp_path / "spoilt").glob("*.safetensors"))[0]
    spoilt.write_bytes(spoilt.read_bytes()[:-9])
    found = write_report([tmp_path / "spoilt", store], tmp_path / "x.html")
    assert (found.warnings, found.verdict) == (page.warnings, page.verdict)


def test_objects_are_sources_too(store, page, tmp_path):
    looked = superlaw.sweep(PLAN, store, limit=0)
    assert write_report([looked, Store(store)], tmp_path / "x.html").verdict == page.verdict
    with pytest.raises(InputError, match="a source of type int"):
        write_report([3], tmp_path / "y.html")


def test_an_empty_store_says_so_first_and_what_to_do(command, tmp_path):
    (tmp_path / "e").mkdir()
    code, out, _ = command("report", tmp_path / "e", "-o", tmp_path / "e.html")
    assert code == 0 and "There is no run in" in out
    content = read(tmp_path / "e.html")
    assert "Nothing can be said: there is no run." in short(content)
    assert f"superlaw sweep run weight-decay-grid-small --store {tmp_path / 'e'}" in content


def test_half_a_sweep_says_what_is_missing_first_and_how_to_make_it(store, tmp_path):
    half = Store(tmp_path / "half")
    for spec in PLAN.specs[:7]:
        half.add(Store(store).load(spec.id))
    (tmp_path / "half" / "small.toml").write_text(PLAN.to_toml())
    found = write_report(half.path, tmp_path / "x.html")
    assert found.warnings[0] == "5 of 12 planned runs are missing: what is said here rests on the others."
    assert f"superlaw sweep run {tmp_path / 'half' / 'small.toml'} --store {half.path}" in read(found.path)
    assert [row[1] for row in cells(read(found.path), "runs")].count("missing") == 5
    (tmp_path / "half" / "small.toml").unlink()
    unknown = write_report(half.path, tmp_path / "y.html")
    assert unknown.warnings[0] == "5 runs are missing from the grid that the others span."
    named = write_report(half.path, tmp_path / "z.html", plan=PLAN)
    assert named.warnings == found.warnings


def test_an_empty_store_of_a_plan_lacks_all_of_it(tmp_path):
    (tmp_path / "e").mkdir()
    found = write_report(tmp_path / "e", tmp_path / "x.html", plan=PLAN)
    assert found.warnings[0] == "12 of 12 planned runs are missing."
    assert found.verdict == ("Nothing can be said: none of 12 runs is here and whole.",)


def test_only_diverged_runs_say_so_first(tmp_path):
    runs = made().assign(status="diverged", loss=np.nan, loss_std=np.nan)
    found = write_report(runs, tmp_path / "x.html")
    assert found.warnings == ("All 8 runs diverged.",)
    assert "Nothing can be said of a law: all 8 runs diverged" in short(read(found.path))
    assert len(cells(read(found.path), "runs")) == 8


def test_runs_that_determine_no_exponent_say_so_first(tmp_path):
    found = write_report(made(width=(10, 20)), tmp_path / "x.html")
    assert "These runs determine no exponent." in found.warnings
    assert "fewer than 3 widths" in found.verdict[0]


def test_a_fit_that_determines_nothing_says_so_first(command, tmp_path):
    rows = [f"{m},{l},{2 + 0.5 * np.sin(m)}" for m, l in ((8, 2), (16, 4), (32, 8), (64, 16), (128, 32), (256, 64))]
    (tmp_path / "t.csv").write_text("\n".join(["width,depth,loss", *rows]))
    arguments = ("law", "fit", tmp_path / "t.csv", "--law", "additive:width,depth", "--report", tmp_path / "x.html")
    code, out, err = command(*arguments)
    assert code == 0, err
    assert f"Report: {tmp_path / 'x.html'}" in out
    said = short(read(tmp_path / "x.html"))
    assert said.index("Read first") < said.index("not determined") < said.index("What this says")
    assert "Nothing is to be concluded" in said or "These data determine no exponent" in said
    assert "superlaw law fit" in read(tmp_path / "x.html") and len(cells(read(tmp_path / "x.html"), "points")) == 6


def test_a_stored_fit_says_the_same_as_the_fit_and_what_it_lacks(tmp_path):
    width = np.array([8.0, 16, 32, 64, 128, 256])
    noise = 1 + 1e-3 * np.sin(width)
    fit = superlaw.fit_law({"width": width, "loss": (3 / width**0.5 + 1) * noise}, "power:width")
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(fit.to_dict()))
    again, direct = write_report(path, tmp_path / "x.html"), write_report(fit, tmp_path / "y.html")
    assert again.verdict == direct.verdict and "1/width^(0.4975 ± 0.0050)" in again.verdict[0]
    values = [float(row[1]) for row in cells(read(again.path), "parameters")]
    np.testing.assert_allclose(values, fit.values, rtol=1e-5)
    assert cells(read(again.path), "points") == cells(read(direct.path), "points")
    record = json.loads(path.read_text())
    del record["points"]
    path.write_text(json.dumps(record))
    without = write_report(path, tmp_path / "z.html")
    assert without.verdict == direct.verdict and "points-1" not in read(without.path)
    assert "does not hold them" in without.to_dict()["left_out"][1]


def test_a_study_of_language_models_and_its_failures(tmp_path):
    folder = write_study(tmp_path / "study")
    record = json.loads((folder / "study.json").read_text())
    record["failures"] = {"ant-64: head": "got <b>no head</b>"}
    (folder / "study.json").write_text(json.dumps(record))
    found = write_report(folder, tmp_path / "x.html")
    assert "Failed: ant-64: head: got <b>no head</b>" in found.warnings
    assert any("falls as 1/m^1" in said for said in found.verdict)
    content = read(found.path)
    assert len(cells(content, "models")) == 14 and "got &lt;b&gt;no head" in content
    assert content.count('<section class="figure"') == 3


def test_a_capacity_map_keeps_its_record_and_reads_back(command, tmp_path):
    store = tmp_path / "cap"
    small = ("--widths", "4", "--degrees", "2,4", "--activities", "0.1,0.03", "--seeds", "0", "--steps", "60")
    code, out, err = command("shape", "capacity", "--store", store, *small, "--workers", "1")
    assert code == 0, err
    assert f"Report: {store / 'report.html'}" in out
    found = write_report(store, tmp_path / "x.html")
    both = [cells(read(path), "cells") for path in (store / "report.html", found.path)]
    assert both[0] == both[1] and len(both[0]) == 4
    assert [row[0] for row in cells(read(found.path), "runs")]
    assert write_report(store / "capacity.json", tmp_path / "y.html").verdict == found.verdict
    record = json.loads((store / "capacity.json").read_text())
    record["cells"][0]["activity"] = 0.5
    (store / "capacity.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="at no place of the map"):
        write_report(store, tmp_path / "z.html")


def test_width_table_by_table_is_a_page(tmp_path):
    rng = np.random.default_rng(0)
    width, tokens = np.repeat([64, 128, 256, 512, 1024], 6), np.tile(np.geomspace(1e8, 1e10, 6), 5)
    loss = 20 / width + 500 / tokens**0.3 + 1.7
    table = pd.DataFrame({"width": width, "tokens": tokens, "loss": loss * np.exp(2e-3 * rng.normal(size=30))})
    answer = join_widths([width_law(table, WidthTable("mine", "mine", "mine", depth=None))])
    written = write_width_law(answer, tmp_path / "w", "superlaw study width-law")
    content = read(written["width-law.html"])
    assert answer.verdicts[0].verdict in html.unescape(content)
    assert "width-law" in content and cells(content, "tables")[0][1] == "30"


def test_several_sources_are_one_page_with_their_names(store, tmp_path, command):
    folder = write_study(tmp_path / "study")
    code, out, _ = command("report", store, folder, "-o", tmp_path / "x.html", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["sources"] == [f"12 runs of {store}", f"the study of {folder}"]
    assert f"12 runs of {store}: in short" in html.unescape(read(tmp_path / "x.html"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none", "-o", "x.html"), "none, which does not exist"),
        (("t.txt", "-o", "x.html"), "got t.txt"),
        (("t.csv", "-o", "x.html"), "t.csv without the column"),
        (("t.json", "-o", "x.html"), "fit"),
        ((".", "-o", "x.png"), "-o x.png"),
        ((".", "-o", "old.html"), "old.html, which exists"),
        ((".", "-o", "x.html", "--plan", "none"), "none"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(command, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    for name, content in {"t.txt": "a", "t.csv": "width,loss\n1,2\n", "t.json": "{}", "old.html": "mine"}.items():
        (tmp_path / name).write_text(content)
    before = sorted(tmp_path.iterdir())
    code, out, err = command("report", *arguments)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "old.html").read_text() == "mine"


def test_the_demo_and_a_reproduction_end_by_writing_their_page(command, tmp_path):
    code, out, err = command("demo", "--steps", 60, "--n-features", 60, "--out", tmp_path / "d")
    assert code == 0, err
    assert f"Report: {tmp_path / 'd' / 'report.html'}" in out
    content = read(tmp_path / "d" / "report.html")
    assert f"superlaw demo --steps 60 --n-features 60 --out {tmp_path / 'd'}" in content
    assert len(cells(content, "runs")) == 8
    assert command("demo", "--steps", 60, "--n-features", 60, "--out", tmp_path / "d")[0] == 0  # its own: rewritten
    (tmp_path / "d" / "report.html").write_text("mine")
    assert command("demo", "--steps", 60, "--n-features", 60, "--out", tmp_path / "d")[0] == 2
    medium = ROOT / "docs" / "runs" / "weight-decay-grid-medium.csv"
    runs = ("reproduce", "strong", "--from", medium, "--store", tmp_path / "r")
    code, out, err = command(*runs)
    assert code == 0, err
    content = read(tmp_path / "r" / "strong.html")
    assert f"Report: {tmp_path / 'r' / 'strong.html'}" in out
    assert cells(content, "claims") and cells(content, "points") and "published values" in short(content)
