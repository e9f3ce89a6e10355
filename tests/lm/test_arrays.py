"""Matrices in .npz archives and at known places of any file."""

from __future__ import annotations

import io
import json
import zipfile

import ml_dtypes
import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.lm.arrays import RawMatrix
from superlaw.lm.head import load_head, load_raw

W = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)


def refused(command, *arguments: object) -> str:
    code, out, err = command("lm", "head", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert "; need " in err
    return err


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_of_an_archive_is_measured(tmp_path, save):
    save(tmp_path / "a.npz", W=W, other=np.arange(3))
    head = load_head(tmp_path / "a.npz", "W")
    np.testing.assert_array_equal(head.W, W)
    with pytest.raises(InputError, match="without a head among 2 tensors; need --tensor NAME; it has 'W', 'other'"):
        load_head(tmp_path / "a.npz")
    save(tmp_path / "b.npz", W)
    assert load_head(tmp_path / "b.npz").tensor == "arr_0"


def archive(path, content: bytes, size: int | None = None):
    """An archive whose array is any bytes, and which may state another size of it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("W.npy", content)
    if size is not None:
        data = path.read_bytes()
        real = len(content).to_bytes(4, "little")
        path.write_bytes(data.replace(real, size.to_bytes(4, "little")))
    return path


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_archives_that_lie_are_refused(tmp_path, command):
    whole = npy(W)
    claims = whole.replace(b"(40, 8)", b"(9**99)").ljust(len(whole))
    bigger = whole.replace(b"'shape': (40, 8), }          ", b"'shape': (4000000000, 80), }")
    for i, (content, size) in enumerate(
        [
            (b"", None),
            (b"nonsense", None),
            (claims, None),
            (bigger, None),
            (whole[:-5], None),
            (whole, 7),
        ]
    ):
        refused(command, archive(tmp_path / f"{i}.npz", content, size))
    (tmp_path / "x.npz").write_bytes(b"PK\3\4 nonsense")
    assert "a whole .npz file" in refused(command, tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "none.npz", "w") as made:
        made.writestr("readme.txt", "no array")
    assert "without arrays" in refused(command, tmp_path / "none.npz")
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "objects" in refused(command, archive(tmp_path / "o.npz", objects.getvalue()))


def test_an_archive_that_claims_more_than_there_is_room_for_is_refused(tmp_path, command, monkeypatch):
    np.savez(tmp_path / "a.npz", W=W)
    monkeypatch.setattr("superlaw.lm.arrays.LARGEST_TENSOR", 1000)
    assert "'W.npy' of 1408 bytes; need at most 1000" in refused(command, tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["f16", "bf16", "f32", "f64"])
@pytest.mark.parametrize("cuts", [(), (10,), (47,), (100, 101), (3, 300, 700)])
def test_a_matrix_at_a_known_place_of_one_or_several_files(tmp_path, name, cuts):
    """Cuts fall before the matrix, into numbers and between them."""
    dtype = {"f16": "<f2", "bf16": ml_dtypes.bfloat16, "f32": "<f4", "f64": "<f8"}[name]
    whole = b"h" * 47 + W.astype(dtype).tobytes() + b"tail"
    edges = [0, *cuts, len(whole)]
    files = []
    for i in range(len(edges) - 1):
        files.append(tmp_path / f"model.part{i}")
        files[-1].write_bytes(whole[edges[i] : edges[i + 1]])
    head = load_raw(f"{'+'.join(map(str, files))}:{name}:40:8:47")
    assert head.W.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(head.W, W.astype(dtype))
    assert head.name == "+".join(file.name for file in files)


def test_a_file_whose_name_has_a_plus_is_one_file(tmp_path):
    (tmp_path / "a+b.bin").write_bytes(W.tobytes())
    assert RawMatrix.parse(f"{tmp_path}/a+b.bin:f32:40:8:0").files == (tmp_path / "a+b.bin",)


def test_raw_matrices_and_models_are_measured_together(tmp_path, command):
    (tmp_path / "a.bin").write_bytes(b"12345" + W.tobytes())
    np.save(tmp_path / "W.npy", W)
    code, out, _ = command("lm", "head", tmp_path / "W.npy", "--raw", f"{tmp_path}/a.bin:F32:40:8:5", "--json")
    one, other = json.loads(out)["models"]
    assert code == 0 and other["tensor"] == "f32 40 x 8 at byte 5"
    assert one["mean_square_overlap"] == other["mean_square_overlap"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.bin", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:f16:40:8", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:f16:40:8:-1", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:f16:0:8:0", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:f16:40:8:1e3", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:f16:40:8:٣", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        (":f16:40:8:0", "FILE:DTYPE:ROWS:COLS:OFFSET"),
        ("a.bin:q8:40:8:0", "need one of f64, f32, f16, bf16"),
        ("none.bin:f16:40:8:0", "does not exist"),
        ("a.bin+none.bin:f16:40:8:0", "does not exist"),
        ("a.bin:f32:40:8:1", "of 1280 bytes; need 1281"),
        ("a.bin:f32:999999999999999:999999999999999:0", "of 1280 bytes; need"),
        (".:f32:40:8:0", "no file"),
    ],
)
def test_places_that_are_none_are_refused(tmp_path, command, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_bytes(W.tobytes())
    assert said in refused(command, "--raw", text)


def test_options_that_a_raw_matrix_does_not_use_are_refused(tmp_path, command):
    (tmp_path / "a.bin").write_bytes(W.tobytes())
    place = ("--raw", f"{tmp_path}/a.bin:f32:40:8:0")
    for option in (("--tensor", "x"), ("--encoder",), ("--follow-links",)):
        assert "--raw alone, which does not use it" in refused(command, *place, *option)
    assert "no MODEL and no --raw" in refused(command)


def test_a_matrix_of_width_by_tokens_is_turned(tmp_path, command):
    np.save(tmp_path / "W.npy", W.T)
    np.testing.assert_array_equal(load_head(tmp_path / "W.npy", transpose=True).W, W)
    code, out, _ = command("lm", "head", tmp_path / "W.npy", "--transpose", "--json")
    shown = json.loads(out)["models"][0]
    assert (code, shown["n"], shown["m"], shown["why"]) == (0, 40, 8, "the only tensor of the file, transposed")
