"""The folder of a language-model study: what the study wrote is rewritten, what anyone changed is refused at once."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("transformers")


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """A study of a model that is not there: it records the failure and writes its folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("a b c\nd e f\n")
    (tmp_path / "family.toml").write_text(
        '[[model]]\nname = "a"\nfamily = "f"\nwidth = 8\ndepth = 1\nsource = "./none"\n'
    )
    return ("lm", "study", "family.toml", "--corpus", "t=t.txt", "-o", "study")


def test_a_study_rewrites_its_own_files_and_refuses_changed_ones(arguments, command, tmp_path, monkeypatch):
    for _ in range(2):  # the second rewrites study.json
        code, _, err = command(*arguments)
        assert code == 1 and err == ""
    path = tmp_path / "study" / "study.json"
    assert json.loads(path.read_text())["failures"]
    path.write_text("mine")
    with monkeypatch.context() as patch:
        for name in ("_head", "_tokens", "measure_losses"):
            patch.setattr(f"superlaw.studies.language_models.{name}", lambda *a: pytest.fail("computed"))
        code, out, err = command(*arguments)
    assert code == 2 and out == "" and err.count("\n") == 1 and "study.json, which" in err
    assert path.read_text() == "mine"
    assert command(*arguments, "--overwrite")[0] == 1 and json.loads(path.read_text())["failures"]


def test_a_head_record_of_another_source_in_the_way_is_refused_before_anything_is_measured(
    arguments, command, tmp_path
):
    (tmp_path / "study" / "heads").mkdir(parents=True)
    head = tmp_path / "study" / "heads" / "a.json"
    head.write_text(json.dumps({"source": "other", "head": {}}))
    code, _, err = command(*arguments)
    assert code == 2 and "a.json, which" in err
    assert not (tmp_path / "study" / "losses.csv").exists()
