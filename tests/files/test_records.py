"""JSON out without NaN; JSON in within limits, and one line that names the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from superlaw.errors import DamagedFileError, InputError
from superlaw.files import records
from superlaw.files.records import json_ready, parse_json, read_json, to_json


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    where: Path


@dataclass(frozen=True)
class Outer:
    inner: Inner
    counts: dict
    pair: tuple


def test_a_record_of_everything_becomes_plain_json():
    record = Outer(
        Inner(np.array([[1.0, np.nan], [np.inf, 2.0]]), Path("a/b")),
        {"n": np.int64(3), "share": np.float32(0.5), 7: np.bool_(True), "none": None},
        (float("-inf"), "text"),
    )
    assert json_ready(record) == {
        "inner": {"values": [[1.0, None], [None, 2.0]], "where": "a/b"},
        "counts": {"n": 3, "share": 0.5, "7": True, "none": None},
        "pair": [None, "text"],
    }
    assert json.loads(to_json(record)) == json_ready(record)


BAD = {
    "cut": (b'{"a": ', "not JSON"),
    "empty": (b"", "not JSON"),
    "nan": (b'{"a": [1, NaN]}', "not finite"),
    "infinity": (b"[-Infinity]", "not finite"),
    "beyond a float": (b"[1e999]", "not finite"),
    "an integer of 5000 digits": (b"9" * 5000, "not JSON"),
    "key twice": (b'{"a": {"b": 1, "b": 2}}', "the key 'b' twice"),
    "100 levels": (b"[" * 100 + b"]" * 100, "nested deeper"),
    "100,000 levels": (b"[" * 100_000, "nested deeper"),
    "latin-1": ('{"a": "é"}'.encode("latin-1"), "not UTF-8"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    "half a character": (b'{"a": ["\\ud800"]}', "half of a character"),
    "half a character in a key": (b'{"\\udfff": 1}', "half of a character"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_bad_json_is_one_line_that_names_the_file(tmp_path, content, said):
    path = tmp_path / "spec.json"
    path.write_bytes(content)
    for error in (InputError, DamagedFileError):
        with pytest.raises(error) as raised:
            read_json(path, "a spec", error=error)
        assert "spec.json" in str(raised.value) and said in str(raised.value)
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


def test_what_is_no_readable_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none\.json, which does not exist; need a spec"):
        read_json(tmp_path / "none.json", "a spec")
    with pytest.raises(InputError, match="directory"):
        read_json(tmp_path, "a spec")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_BYTES", 10)
    (tmp_path / "a.json").write_text("[1, 2, 3, 4, 5, 6]")
    with pytest.raises(InputError, match="of 18 bytes"):
        read_json(tmp_path / "a.json", "a spec")
    with pytest.raises(InputError, match="more than 10 bytes"):
        parse_json("[1, 2, 3, 4, 5, 6]", "a header", "a spec")


def test_good_json_is_read_with_or_without_a_byte_order_mark(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(mark + '{"é": [1, 2.5, "\\u00e9", "\\ud83d\\ude00"]}'.encode())
        assert read_json(tmp_path / "a.json", "a spec") == {"é": [1, 2.5, "é", "😀"]}
