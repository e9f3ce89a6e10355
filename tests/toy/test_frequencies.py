"""Frequencies: the published families, densities, and real counts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from superlaw import InputError, RunSpec
from superlaw.toy.frequencies import family_frequencies, read_frequencies, read_text, scale_density, words_in


@pytest.mark.parametrize("alpha", [0.0, 0.125, 1.0, 2.0])
def test_power_frequencies_fall_as_rank_to_minus_alpha(alpha):
    p = family_frequencies("power", 1000, alpha, 400.0)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert p[0] / p[99] == pytest.approx(100**alpha, rel=1e-12)


def test_exponential_and_linear_count_ranks_from_zero():
    exponential = family_frequencies("exponential", 10_240, 1.0, 400.0)
    linear = family_frequencies("linear", 10_240, 1.0, 400.0)
    assert exponential[400] / exponential[0] == pytest.approx(np.exp(-1), rel=1e-12)
    assert linear[-1] / linear[0] == pytest.approx(1 / 10_240, rel=1e-12)
    assert exponential.sum() == pytest.approx(1) and linear.sum() == pytest.approx(1)


def test_published_density_limit_is_accepted_and_more_is_refused():
    p = family_frequencies("power", 1000, 1.0, 400.0)
    limit = 1 / p[0]
    assert limit == pytest.approx(7.485, abs=5e-4)  # docs/science.md#published-protocols
    ulp = np.finfo(float).eps
    assert scale_density(p, limit)[0] == pytest.approx(1, abs=ulp)
    assert RunSpec(activation_density=np.linspace(1, limit, 9)[-1]).probabilities[0] == pytest.approx(1, abs=ulp)
    with pytest.raises(InputError, match=r"at most 7\.48547"):
        scale_density(p, 7.6)


def test_clipping_is_asked_for_and_said():
    spec = RunSpec(activation_density=20, clip=True)
    assert spec.probabilities.max() == 1.0
    assert any("clipped to 1" in note for note in spec.notes)
    assert not RunSpec(activation_density=2, clip=True).notes


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.5, -0.1], "negative: -0.1 at position 2"),
        ([0.5, float("nan")], "not finite"),
        ([0.5, 1.5], "above 1: 1.5"),
        ([], "at least one feature"),
        ([0.0, 0.0], "all 0"),
        (["a"], "not a list of numbers"),
    ],
)
def test_impossible_probabilities_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        RunSpec(frequencies=np.array(values))


@pytest.mark.parametrize(
    "content",
    ["[1, 5, 2]", '{"a": 1, "the": 5, "of": 2}', '{"counts": {"a": 1, "the": 5, "of": 2}, "tokens": 8}'],
)
def test_json_counts_become_decreasing_frequencies(tmp_path, content):
    path = tmp_path / "counts.json"
    path.write_text(content)
    assert read_frequencies(path) == pytest.approx([5 / 8, 2 / 8, 1 / 8])
    assert read_frequencies(path, 2) == pytest.approx([5 / 7, 2 / 7])


def test_csv_with_a_heading_and_names(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("word,count\na,1\nthe,5\n\nof,2\n")
    assert read_frequencies(path) == pytest.approx([5 / 8, 2 / 8, 1 / 8])


def test_a_file_from_a_spreadsheet_keeps_its_first_line(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_bytes(b"\xef\xbb\xbf5\n3\n")  # with a byte-order mark
    assert read_frequencies(path) == pytest.approx([5 / 8, 3 / 8])


def test_a_json_key_says_what_the_numbers_are(tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"probabilities": [1, 1, 0.5]}')
    assert read_frequencies(path).tolist() == [1, 1, 0.5]
    path.write_text('{"counts": [0.5, 0.25]}')
    with pytest.raises(InputError, match="not whole numbers"):
        read_frequencies(path)


def test_extreme_exponents_stay_probabilities():
    for family, alpha, length in (("power", 1000.0, 1.0), ("power", -1000.0, 1.0), ("exponential", 1.0, 1e-320)):
        p = family_frequencies(family, 1000, alpha, length)
        assert np.isfinite(p).all() and p.sum() == pytest.approx(1)


def test_a_number_of_features_below_one_is_refused(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("5\n3\n2\n")
    for n in (0, -2):
        with pytest.raises(InputError, match=f"n_features = {n}"):
            read_frequencies(path, n)


def test_probabilities_are_kept_as_they_are(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("0.25\n0.75\n0.5\n")
    assert read_frequencies(path) == pytest.approx([0.75, 0.5, 0.25])
    assert RunSpec(frequencies=read_frequencies(path)).probabilities.sum() == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", '{"a": "b"}', "list or an object of numbers"),
        ("a.csv", "word,count\na,1\nb,x\n", "line 3: 'x' is not a number"),
        ("a.csv", "", "no numbers"),
        ("a.csv", "x" * 200_000, "field larger"),
        ("a.json", "[" * 100_000, "nested deeper"),
        ("a.json", "[1" + "0" * 400 + ", 1]", "beyond 1e308"),
        ("a.json", "[1" + "0" * 5000 + ", 1]", "not JSON: Exceeds"),
        ("a.csv", "0.5\n1.5\n", "above 1"),
        ("a.csv", "3\n-1\n", "negative"),
        ("a.txt", "some prose", "use --text FILE"),
    ],
)
def test_files_that_hold_no_frequencies_are_refused(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        read_frequencies(path)


def test_text_counts_words_whatever_their_case(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("The cat and the hat. Don't, DON'T! Ünïcode 42")
    assert words_in(path.read_text())["don't"] == 2
    assert read_text(path)[0] == pytest.approx(2 / 9)
    with pytest.raises(InputError, match="at most 7"):
        read_text(path, 8)


def test_words_of_real_text_follow_zipf(published):
    p = read_text(published / "wikitext2-valid.txt", 1000)
    rank = np.arange(1, 1001)
    slope = np.polyfit(np.log(rank), np.log(p), 1)[0]
    assert -1.2 < slope < -0.8  # docs/science.md#language-models: alpha about 1


def test_frequencies_round_trip_through_json(tmp_path):
    spec = RunSpec(frequencies=np.array([0.5, 0.25, 0.125]), width=2)
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec.to_dict()))
    assert RunSpec.from_dict(json.loads(path.read_text())) == spec
