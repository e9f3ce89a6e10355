"""Family files: the paper's 27 models, and files that are wrong."""

from __future__ import annotations

from collections import Counter

import pytest

from superlaw.errors import InputError
from superlaw.lm.families import load_family

ONE = '[[model]]\nname = "a"\nfamily = "f"\nwidth = 8\ndepth = 2\nsource = "./a"\n'


def test_the_paper_has_27_models_of_four_families():
    models = load_family("paper")
    assert Counter(model.family for model in models) == {"opt": 8, "qwen2.5": 7, "gpt2": 4, "pythia": 8}
    assert {model.name: model.width for model in models}["opt-350m"] == 1024
    assert len({model.source for model in models}) == 27


def test_a_source_that_starts_with_a_dot_is_beside_the_file(tmp_path):
    (tmp_path / "f.toml").write_text(ONE)
    (model,) = load_family(tmp_path / "f.toml")
    assert model.source == str(tmp_path.resolve() / "a")


def test_the_mark_that_editors_put_before_utf_8_is_no_part_of_the_file(tmp_path):
    (tmp_path / "f.toml").write_text(ONE, encoding="utf-8-sig")
    assert [model.name for model in load_family(tmp_path / "f.toml")] == ["a"]


def test_a_relative_source_is_never_a_hub_id(tmp_path, monkeypatch):
    (tmp_path / "f.toml").write_text(ONE)
    monkeypatch.chdir(tmp_path)
    (model,) = load_family("f.toml")
    assert model.source == str(tmp_path.resolve() / "a")


@pytest.mark.parametrize(
    "text, said",
    [
        ("", r"\[\[model\]\]"),
        ("[[model", "not TOML"),
        ("model = 3", r"\[\[model\]\]"),
        ("model = [3]", "table"),
        (ONE + ONE, "a twice"),
        (ONE + "x = 3", "x"),
        (ONE.replace("width", "widht"), "did you mean width"),
        (ONE.replace("8", "0"), "width = 0"),
        (ONE.replace("8", "true"), "width = True"),
        (ONE.replace('"a"', '"../a"'), "letters"),
        (ONE.replace('family = "f"\n', ""), "family = None"),
    ],
)
def test_a_family_file_that_is_wrong_is_refused(tmp_path, text, said):
    (tmp_path / "f.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        load_family(tmp_path / "f.toml")


def test_a_family_that_is_not_there_is_named():
    with pytest.raises(InputError, match="or paper"):
        load_family("none.toml")
