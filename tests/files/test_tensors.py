"""The header reader believes nothing: it agrees with the format's own library, or says why not."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from superlaw.errors import DamagedFileError
from superlaw.files.tensors import LONGEST_HEADER, PREFIX, header_length, parse_header, read_tensor_header

WHOLE = save({"w": np.ones((3, 2), np.float32), "v": np.zeros(5, np.float16)})


def read(content: bytes) -> dict:
    length = header_length(content[:PREFIX], len(content), "file")
    return parse_header(content[PREFIX : PREFIX + length], len(content), "file").tensors


def agree(content: bytes) -> bool:
    """True when the file is read; whatever we read, the library reads alike."""
    try:
        found = read(content)
    except DamagedFileError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
        return False
    theirs = {name: (t["dtype"], tuple(t["shape"]), len(t["data"])) for name, t in deserialize(content)}
    ours = {name: (e.dtype, e.shape, e.stop - e.start) for name, e in found.items()}
    assert ours == theirs
    return True


def frame(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_a_whole_file_is_read_as_the_library_reads_it():
    assert agree(WHOLE)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "0 bytes long"),
        (b"\xff" * 8 + b"{}", "more than the"),
        (struct.pack("<Q", 50) + b"{}", "claims 50 bytes"),
        (frame(b"{" * 90000), "not JSON"),
        (frame(b"[" * 90000 + b"]" * 90000), "nested deeper"),
        (frame([1]), "not a JSON object"),
        (frame(b'{"w": 1, "w": 2}'), "'w' twice"),
        (frame({"w": 3}), "no object"),
        (frame({"__metadata__": {"superlaw": 3}}), "not an object of texts"),
        (frame({"__metadata__": "x"}), "not an object of texts"),
        (frame({"w": {"dtype": "F33", "shape": [], "data_offsets": [0, 4]}}), "unknown type"),
        (frame({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}), "no shape"),
        (frame({"w": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, b"1234"), "no shape"),
        (frame({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}), "increasing"),
        (frame({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"), "do not fit its shape"),
        (frame({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"12345678"), "hole"),
        (frame({"w": {"dtype": "U8", "shape": [2**62, 2**62], "data_offsets": [0, 4]}}, b"1234"), "do not fit"),
        (WHOLE[:-1], "long, its header says"),
        (WHOLE + b"1", "long, its header says"),
    ],
)
def test_a_header_that_lies_is_told_so(content, said):
    with pytest.raises(DamagedFileError, match=said):
        read(content)


def test_overlapping_tensors_are_refused():
    one = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}
    with pytest.raises(DamagedFileError, match="overlaps"):
        read(frame({"a": one, "b": one}, b"1234"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_tensor_header(tmp_path / "none.safetensors")


def test_what_is_no_file_is_damage_that_has_a_name_and_is_not_waited_for(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in tmp_path.iterdir():
        with pytest.raises(DamagedFileError, match=path.name):
            read_tensor_header(path)


def test_texts_stored_with_the_tensors_come_back(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(save({"w": np.ones(2, np.float32)}, {"made": "by hand"}))
    assert read_tensor_header(tmp_path / "a.safetensors").metadata == {"made": "by hand"}


@pytest.mark.parametrize("piece", [b"[],", b"{},", b'"":[[]],', b"0,", b'"ab":[],'])
def test_the_longest_header_takes_less_than_a_gigabyte_whatever_it_holds(tmp_path, piece):
    path = tmp_path / "a.safetensors"
    path.write_bytes(
        frame(((b"{" if b":" in piece else b"[") + piece * (LONGEST_HEADER // len(piece)))[:LONGEST_HEADER])
    )
    code = (  # of 1.2 GB addressed, 0.2 are shared libraries
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_AS, (1_200_000_000,) * 2)\n"
        "from superlaw.files.tensors import read_tensor_header\nread_tensor_header(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("superlaw.errors.DamagedFileError"), done.stderr[-300:]


number = st.one_of(
    st.integers(-2, 40), st.integers(2**31, 2**70), st.booleans(), st.floats(), st.none(), st.text(max_size=3)
)
numbers = st.lists(number, max_size=4)
entry = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.one_of(st.sampled_from(["F32", "BF16", "F4", "U8", "x"]), number),
        "shape": st.one_of(st.lists(st.integers(0, 4), max_size=3), numbers, number),
        "data_offsets": st.one_of(st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted), numbers, number),
    },
)
headers = st.dictionaries(st.text(max_size=4), st.one_of(entry, number), max_size=4)
fuzz = settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@fuzz
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(content):
    agree(content)


@fuzz
@given(st.binary(max_size=80), st.binary(max_size=8))
def test_any_bytes_in_a_frame_are_read_or_refused(text, data):
    agree(frame(text, data))


@fuzz
@given(headers, st.integers(0, 48))
def test_any_header_of_json_is_read_or_refused(header, size):
    agree(frame(header, bytes(size)))


@fuzz
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(WHOLE)))
def test_a_damaged_whole_file_is_read_or_refused(changes, length):
    content = bytearray(WHOLE)
    for place, byte in changes:
        content[place] = byte
    agree(bytes(content[:length] if length % 2 else content))


@settings(max_examples=200, deadline=None, database=None)
@given(st.dictionaries(st.text(max_size=5), st.lists(st.integers(0, 3), max_size=3), max_size=4))
def test_every_file_the_library_writes_is_read(shapes):
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name != "__metadata__"}
    try:
        content = save(tensors)
    except SafetensorError:
        return
    assert agree(content)
