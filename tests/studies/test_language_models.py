"""The whole study without a hub: the example trains a family, the study measures it, resumes, and records failures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from superlaw.laws.fit import fit_law
from superlaw.laws.forms.grouped import GroupedPowerLaw
from superlaw.lm.head import load_head
from superlaw.lm.measure import measure_head

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """Five tiny models that the example trained on a text of its own."""
    folder = tmp_path_factory.mktemp("family")
    random = np.random.default_rng(0)
    words = [f"word{i}" for i in range(200)]
    p = 1 / np.arange(1, 201)
    lines = [" ".join(random.choice(words, 30, p=p / p.sum())) for _ in range(300)]
    (folder / "train.txt").write_text("\n".join(lines[:200]))
    (folder / "held.txt").write_text("\n".join(lines[200:]))
    command = [sys.executable, ROOT / "examples" / "train_family.py", folder / "train.txt", folder / "out", "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.stdout.count("stored") == 5
    return folder


def test_the_study_of_a_trained_family(family, command, tmp_path, monkeypatch):
    out = tmp_path / "study"
    arguments = ("lm", "study", family / "out" / "family.toml", "--corpus", f"held={family / 'held.txt'}", "--document",
                 "words:90", "-o", out, "--json")  # fmt: skip
    code, shown, err = command(*arguments)
    assert code == 0, err
    record = json.loads(shown)
    table = record["table"]
    assert [row["width"] for row in table] == [8, 12, 16, 20, 24]
    for row in table:
        head = measure_head(load_head(family / "out" / row["model"]))
        assert row["mean_square_overlap"] == head.overlaps.mean_square
        assert 0 < row["loss"] < np.log(400)
        assert row["stderr"] > 0
        assert 0.3 < row["zipf_exponent"] < 2
    columns = {"width": [float(row["width"]) for row in table], "family": ["own"] * 5, "corpus": ["held"] * 5,
               "loss": [row["loss"] for row in table]}  # fmt: skip
    again = fit_law(columns, GroupedPowerLaw("width", ("family", "corpus")), objective="ls")
    assert record["fit"]["params"]["a"]["value"] == pytest.approx(again.params["a"].value, rel=1e-6)
    assert (out / "study.png").read_bytes()[:4] == b"\x89PNG"
    assert len(list((out / "tokens").iterdir())) == 1  # one tokenizer for all
    # Resumed: nothing is measured again.
    for name in ("measure_head", "count_tokens"):
        monkeypatch.setattr(f"superlaw.studies.language_models.{name}", lambda *a: pytest.fail("measured again"))
    monkeypatch.setattr("superlaw.lm.loss.load_model", lambda *a: pytest.fail("loaded again"))
    code, shown, _ = command(*arguments)
    assert code == 0
    assert json.loads(shown)["table"] == table


def test_a_model_that_fails_is_recorded_and_the_others_go_on(family, command, tmp_path):
    folder = tmp_path / "family"
    shutil.copytree(family / "out", folder)
    (folder / "width-12" / "model.safetensors").write_bytes(b"cut")
    config = json.loads((folder / "width-16" / "config.json").read_text())
    (folder / "width-16" / "config.json").write_text(json.dumps({**config, "hidden_size": 99}))
    code, shown, _ = command("lm", "study", folder / "family.toml", "--corpus", f"held={family / 'held.txt'}", "-o",
                             tmp_path / "study")  # fmt: skip
    assert code == 1
    assert "failed width-12: head" in shown
    assert "failed width-12: loss on held" in shown
    assert "failed width-16: head" in shown
    assert "3 of 3 heads" in shown or "of 3 heads" in shown
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert [row["loss"] is None for row in record["table"]] == [False, True, True, False, False]


def test_every_option_that_the_documents_show_exists():
    import re

    import typer

    from superlaw.cli.main import app

    known = {}
    for name, sub in typer.main.get_command(app).commands["lm"].commands.items():
        known[name] = {option for parameter in sub.params for option in parameter.opts}
    shown = 0
    for page in (ROOT / "README.md", ROOT / "docs" / "language-models.md"):
        for line in re.findall(r"^superlaw lm .*$", page.read_text(), re.M):
            for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line.split(" #")[0]):
                assert option in known[line.split()[2]], (page.name, line, option)
                shown += 1
    assert shown >= 12


def test_wrong_things_are_refused(family, command, tmp_path):
    held = f"held={family / 'held.txt'}"
    for arguments in (("none.toml", "--corpus", held), (family / "out" / "family.toml", "--corpus", "held=none.txt"),
                      (family / "out" / "family.toml", "--corpus", held, "--document", "page")):  # fmt: skip
        code, out, err = command("lm", "study", *arguments, "-o", tmp_path / "study")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert not (tmp_path / "study").exists()
