"""The policy for outputs: what is refused before anything is computed, and what a kept folder may rewrite."""

from __future__ import annotations

from pathlib import Path

import pytest

from superlaw.errors import InputError
from superlaw.files.outputs import PICTURES, KeptFolder, check_apart, check_output, write_atomically


def test_what_exists_is_refused_without_overwrite(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"a\.png, which exists.*--overwrite"):
        check_output(path, PICTURES, False, "--plot")
    assert check_output(path, PICTURES, True, "--plot") == "png" and path.read_text() == "mine"


def test_a_dangling_link_exists_too(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(InputError, match="which exists"):
        check_output(tmp_path / "a.png", PICTURES, False)


@pytest.mark.parametrize("name", ["a.gif", "a", "png", "a.png.txt"])
def test_a_wrong_suffix_is_refused_and_the_right_ones_named(tmp_path, name):
    with pytest.raises(InputError, match=r"\.png, \.pdf, \.svg"):
        check_output(tmp_path / name, PICTURES, True)


def test_a_suffix_is_read_in_either_case(tmp_path):
    assert check_output(tmp_path / "A.SVG", PICTURES, False) == "svg"


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_name_that_the_disk_takes_is_written_and_a_longer_one_refused_before(tmp_path, letter):
    path = tmp_path / (letter * (250 // len(letter.encode())) + ".png")
    check_output(path, PICTURES, False)
    write_atomically(path, b"1")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(InputError, match=r"bytes; need at most 255"):
        check_output(tmp_path / (letter * 253 + ".png"), PICTURES, False)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=f"no folder {tmp_path / 'nowhere'}.*make "):
        check_output(tmp_path / "nowhere" / "a.png", PICTURES, True)


def test_a_folder_is_no_file_even_with_overwrite(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match="a folder"):
        check_output(tmp_path / "a.png", PICTURES, True)


def test_two_options_never_name_one_file(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for other in (tmp_path / "p.png", tmp_path / "x" / ".." / "p.png", link / "p.png"):
        with pytest.raises(InputError, match="--plot and -o naming one file"):
            check_apart({"--plot": tmp_path / "p.png", "-o": other})
    check_apart({"--plot": tmp_path / "p.png", "-o": tmp_path / "q.png", "--other": None})


def test_a_kept_folder_rewrites_what_its_command_wrote(tmp_path):
    folder = KeptFolder(tmp_path / "kept", "demo")
    folder.write("sub/a.json", b"1")
    folder.write("sub/a.json", b"2")
    KeptFolder(tmp_path / "kept", "demo").write("sub/a.json", b"3")
    assert (tmp_path / "kept/sub/a.json").read_bytes() == b"3"


@pytest.mark.parametrize("how", ["not written by it", "changed since", "of another command", "a folder"])
def test_a_kept_folder_refuses_what_is_in_the_way(tmp_path, how):
    path = tmp_path / "a.png"
    if how in ("changed since", "of another command"):
        KeptFolder(tmp_path, "demo" if how == "changed since" else "study").write("a.png", b"old")
    if how == "a folder":
        path.mkdir()
    elif how != "of another command":
        path.write_bytes(b"mine")
    before = None if path.is_dir() else path.read_bytes()
    folder = KeptFolder(tmp_path, "demo")
    for refused in (lambda: folder.check("a.png"), lambda: folder.write("a.png", b"new")):
        with pytest.raises(InputError, match=r"a\.png, which"):
            refused()
    assert path.is_dir() if before is None else path.read_bytes() == before
    if before is not None:
        KeptFolder(tmp_path, "demo", overwrite=True).write("a.png", b"new")
        assert path.read_bytes() == b"new"


@pytest.mark.parametrize("after", ["record", "file"])
def test_a_kill_between_record_and_file_leaves_a_file_that_may_be_rewritten(tmp_path, monkeypatch, after):
    from superlaw.files import outputs

    folder = KeptFolder(tmp_path, "demo")
    folder.write("a.png", b"old")
    real, calls = outputs.write_atomically, []

    def dying(path: Path, content: bytes) -> None:
        if after == "record" and calls:
            raise KeyboardInterrupt
        calls.append(path)
        real(path, content)

    monkeypatch.setattr(outputs, "write_atomically", dying)
    if after == "record":
        with pytest.raises(KeyboardInterrupt):
            folder.write("a.png", b"new")
    else:
        folder.write("a.png", b"new")
    monkeypatch.setattr(outputs, "write_atomically", real)
    assert (tmp_path / "a.png").read_bytes() == (b"old" if after == "record" else b"new")
    folder.write("a.png", b"newer")
    assert (tmp_path / "a.png").read_bytes() == b"newer"
