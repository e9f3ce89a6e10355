"""docs/gallery.md: what it quotes of comparisons with the published points is what the commands print."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "gallery.md").read_text()
QUOTED = re.findall(r"```sh\nsuperlaw (reproduce \S+(?: --from \S+)+)\n```\n\n```text\n(.*?)```", PAGE, re.S)


def test_quotations_are_found():
    assert [call.split()[1] for call, _ in QUOTED] == [
        "exponents", "weight-decay", "exponents", "weak", "weight-decay", "weak", "strong", "density", "overview",
        "overview",
    ]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), QUOTED, ids=[call.split()[1] for call, _ in QUOTED])
def test_what_is_quoted_is_printed(call, text, command, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("superlaw.figures.style.render", lambda figure, kind="png": b"")  # what is printed, not drawn
    code, out, err = command(*shlex.split(call), "--store", tmp_path / "r")
    assert code == 0, err
    printed = {line.strip() for line in out.splitlines()}
    assert text.strip() and not [line for line in text.splitlines() if line.strip() not in printed | {""}]
