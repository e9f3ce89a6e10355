"""A study's folder is read back whole, in part, or refused; the figures of it are drawn from nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from study_records import joint_fit, made_heads, made_rows, made_tokens, write_study

from superlaw.errors import DamagedFileError, InputError
from superlaw.figures import llm, norms, zipf
from superlaw.studies.stored_study import load_study


def test_what_was_stored_comes_back(tmp_path):
    found = load_study(write_study(tmp_path / "study"))
    assert list(found.rows) == made_rows(1e-3)
    assert found.heads == made_heads()
    assert found.tokenizers == {family: {c: made_tokens() for c in ("wiki", "play")} for family in ("ant", "bee")}
    assert (found.no_fit, found.notes) == ("", ())
    np.testing.assert_allclose(found.fit.values, joint_fit(made_rows(1e-3)).values, rtol=1e-9)
    assert len(llm.data(found.rows, found.heads, found.fit, found.no_fit).panels) == 4
    assert norms.data(found.heads).runs == tuple(made_heads())
    assert [panel.title for panel in zipf.data(found.tokenizers).panels] == ["wiki", "play", "exponents"]


def test_a_folder_of_an_older_version_loads_and_says_so(tmp_path):
    found = load_study(write_study(tmp_path / "study", old=True))
    assert list(found.tokenizers) == ["ant", "bee"]
    assert "older version" in found.notes[0]


def test_a_head_that_is_gone_is_said(tmp_path):
    folder = write_study(tmp_path / "study")
    (folder / "heads" / "ant-64.json").unlink()
    found = load_study(folder)
    assert "ant-64" not in found.heads
    assert found.notes == ("study/heads lacks ant-64.json.",)


def test_a_head_that_the_table_does_not_know_is_not_taken(tmp_path):
    folder = write_study(tmp_path / "study")
    record = json.loads((folder / "study.json").read_text())
    for row in record["table"]:
        row["head_width"] = None
    (folder / "study.json").write_text(json.dumps(record))
    assert load_study(folder).heads == {}


def test_models_that_share_a_tokenizer_share_its_name(tmp_path):
    folder = write_study(tmp_path / "study")
    record = json.loads((folder / "study.json").read_text())
    record["token_files"] = dict.fromkeys(record["token_files"], "ant.json") | {"ant-512": "bee.json"}
    (folder / "study.json").write_text(json.dumps(record))
    assert list(load_study(folder).tokenizers) == ["ant, bee", "ant"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"table": 3}', '{"table": [{}], "fit": null, "no_fit": null}'])
def test_a_damaged_study_is_refused(tmp_path, content):
    with pytest.raises(InputError, match="superlaw lm study"):
        load_study(tmp_path)
    (tmp_path / "study.json").write_text(content)
    with pytest.raises(DamagedFileError, match="not a whole study"):
        load_study(tmp_path)
