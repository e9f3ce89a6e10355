"""The demo says what its own numbers carry."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from superlaw import InputError
from superlaw.figures import demo as figure
from superlaw.figures.panels import Line, Marks
from superlaw.findings.exponents import exponent
from superlaw.studies import demo as study
from superlaw.theory.weak import unlearned_loss


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return study.demo(steps=1500, workers=2, out=tmp_path_factory.mktemp("demo") / "out")


def test_twelve_runs_and_a_picture_are_stored(result):
    names = sorted(p.name for p in result.folder.iterdir() if p.is_file())
    assert len(names) == 14 and {"demo.png", "report.html"} <= set(names)
    assert (result.folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert result.trained == 12


def test_strong_superposition_represents_all_features_and_weak_few(result):
    assert result.regimes["strong"].column("represented_fraction").min() > 0.9
    weak = result.regimes["weak"]
    assert (1000 * weak.column("represented_fraction") / weak.widths).max() < 1.5


def test_strong_falls_faster_than_weak(result):
    assert result.regimes["strong"].exponent.exponent > result.regimes["weak"].exponent.exponent + 0.2


def test_the_demo_says_what_was_chosen_and_why(result, command):
    assert "N(0, 0.3^2), not from the study's N(0, 1)" in result.sentences[-1]
    assert result.sentences[-1] in command("demo", "--steps", 1500, "--out", result.folder)[1]
    assert {row for regime in result.regimes.values() for row in regime.runs["initial_bias_std"]} == {0.3}


def test_the_weak_sentence_has_the_exponent_of_the_sum_and_its_limit(result):
    (said,) = [line for line in result.sentences if line.startswith("Weak superposition (weight")]
    widths, sums = np.array(study.WIDTHS), result.unlearned_at_width
    slope = -np.polyfit(np.log(widths), np.log(sums), 1)[0]
    assert f"that sum has {slope:.2f} over the same widths" in said and said.endswith("it would be alpha - 1 = 0.5.")


@pytest.mark.slow
def test_the_whole_demo_shows_both_regimes(tmp_path):
    """About a minute: weak superposition on its theory, strong on the geometry of its directions."""
    found = study.demo(workers=2, out=tmp_path / "demo")
    weak, strong = found.regimes["weak"], found.regimes["strong"]
    held = weak.column("represented_fraction") * 1000 / weak.widths
    assert held.min() > 0.75 and held.max() < 1.5  # about a feature a dimension
    assert weak.column("loss") == pytest.approx(weak.column("unlearned_loss"), rel=0.35)
    assert weak.column("loss") == pytest.approx(found.unlearned_at_width, rel=0.3)
    assert strong.column("represented_fraction").min() == 1
    assert strong.column("mean_square_overlap") * strong.widths == pytest.approx(1, rel=0.25)
    assert strong.exponent.low > 1 > weak.exponent.high


def test_the_theory_column_is_the_exact_sum(result):
    p = np.arange(1, 1001.0) ** -1.5
    p /= p.sum()
    assert result.unlearned_at_width == pytest.approx([unlearned_loss(p, m) for m in study.WIDTHS])


def test_a_second_demo_trains_nothing_again(result):
    again = study.demo(steps=1500, workers=2, out=result.folder)
    assert (again.trained, again.stored) == (0, 12)
    assert np.array_equal(again.regimes["weak"].column("loss"), result.regimes["weak"].column("loss"))


def changed(regime, **columns):
    """The regime with other numbers, and the exponent that they have."""
    runs = regime.runs.assign(**columns)
    return replace(regime, runs=runs, exponent=exponent(runs))


def test_sentences_follow_the_numbers(result):
    weak = result.regimes["weak"]
    few = changed(weak, represented_fraction=0.5 * weak.widths / 1000)
    told = " ".join(study._sentences(replace(result, regimes={**result.regimes, "weak": few})))
    assert "fewer features than they have dimensions" in told
    full = changed(weak, represented_fraction=weak.widths / 1000, loss=result.unlearned_at_width * 1.05)
    told = " ".join(study._sentences(replace(result, regimes={**result.regimes, "weak": full})))
    assert "keeps about the top m features" in told and "fewer features than" not in told
    raw = changed(weak, loss=weak.column("loss") + 5)
    told = study._sentences(replace(result, regimes={**result.regimes, "weak": raw}))
    assert "too short to read a law from" in told[0]
    half = changed(result.regimes["strong"], represented_fraction=np.full(6, 0.5))
    told = " ".join(study._sentences(replace(result, regimes={**result.regimes, "strong": half})))
    assert "not (yet) fully strong" in told
    for slope, said in ((1.5, "the loss falls faster"), (1.0, "the line's interval holds it"), (0.5, "too short")):
        line = result.regimes["strong"].widths ** -slope
        bent = changed(result.regimes["strong"], loss=line * [1.1, 1, 0.9, 1.1, 1, 0.9])
        told = " ".join(study._sentences(replace(result, regimes={**result.regimes, "strong": bent})))
        assert said in told
    lost = changed(weak, status=["diverged", *["ok"] * 5])
    told = study._sentences(replace(result, regimes={**result.regimes, "weak": lost}))
    assert told[0].startswith("Weak superposition: diverged at width 10")


def test_the_picture_plots_the_numbers(result):
    tables = {name: regime.runs for name, regime in result.regimes.items()}
    losses = figure.data("title", tables, result.unlearned_at_width).panels[0].items
    strong = [item for item in losses if item.color == "strong"]
    marks = np.concatenate([item.y for item in strong if isinstance(item, Marks)])
    assert sorted(marks) == pytest.approx(sorted(result.regimes["strong"].column("loss")))
    (line,) = (item for item in strong if isinstance(item, Line))
    slope = np.polyfit(np.log(line.x), np.log(line.y), 1)[0]
    assert -slope == pytest.approx(result.regimes["strong"].exponent.exponent)


def test_the_command_prints_the_table_or_json(result, command):
    options = ("demo", "--steps", 1500, "--out", result.folder)
    code, out, err = command(*options)
    assert code == 0 and err == "" and "phi_1/2" in out and "geometry: 1" in out
    record = json.loads(command(*options, "--json")[1])
    assert record["regimes"]["strong"]["slope"] == pytest.approx(result.regimes["strong"].exponent.exponent)


def test_words_of_a_text_become_the_features(tmp_path):
    text = tmp_path / "small.txt"
    text.write_text(" ".join(f"word{i} " * (1 + 300 // (i + 1)) for i in range(60)))
    result = study.demo(text=text, steps=60, workers=2, out=tmp_path / "out")
    assert "60 most frequent words of small.txt" in result.source
    assert [int(m) for m in result.regimes["weak"].widths] == [10, 15, 25, 39]
    assert "too short to read a law from" in result.sentences[0]
    long = {name: changed(regime, loss=[0.4, 0.3, 0.2, 0.1]) for name, regime in result.regimes.items()}
    assert long["weak"].exponent is None
    told = " ".join(study._sentences(replace(result, regimes=long)))
    assert "at width 10, 15, 25, 39: more than a tenth of the 60 features" in told and "too few for an exponent" in told


def test_real_words(published, tmp_path):
    text = published / "wikitext2-valid.txt"
    result = study.demo(text=text, steps=200, workers=2, out=tmp_path)
    assert len(result.frequencies) == 1000 and result.trained == 12
    words = Counter(re.findall(r"[a-z]+", text.read_text().lower()))
    assert result.frequencies[0] / result.frequencies[1] == pytest.approx(
        words.most_common(2)[0][1] / words.most_common(2)[1][1], rel=0.01
    )


def test_a_text_with_too_few_words_is_refused(tmp_path):
    (tmp_path / "t.txt").write_text("just five words in here")
    with pytest.raises(InputError, match="got 5 features"):
        study.demo(text=tmp_path / "t.txt", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", 0), "steps = 0"),
        (("--n-features", 5), "at least 20"),
        (("--n-features", 0), "n_features = 0"),
        (("--workers", 0), "workers = 0"),
        (("--text", "none.txt"), "does not exist"),
        (("--out", "/dev/null/x"), "store /dev/null/x"),
    ],
)
def test_bad_input_is_one_line(command, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("demo", *options)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())
