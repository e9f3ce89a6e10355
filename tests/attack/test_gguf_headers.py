"""Thousands of spoilt GGUF headers within one process: an answer or one line each, and no memory on a file's word."""

from __future__ import annotations

import tracemalloc
from random import Random

import pytest
from spoilers import gguf_numbers, spoil_gguf

from examples import write_gguf
from superlaw.errors import InputError
from superlaw.lm.checkpoint import open_checkpoint

ROOM = 1_000_000  # bytes beyond a few times the file: the names, the package's tables


def read(path) -> int:
    """Every tensor of a file, as far as it is one; bytes of the numbers."""
    return sum(reader().nbytes for reader in open_checkpoint(path).tensors.values())


@pytest.mark.parametrize("count", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_spoilt_header_is_an_answer_or_one_line_and_takes_no_memory(tmp_path, count):
    write_gguf(tmp_path)
    path = tmp_path / "head.gguf"
    content = path.read_bytes()
    assert len(gguf_numbers(content)) > 60 and read(path) == 20 * 32 * (4 + 2)
    accepted = refused = 0
    tracemalloc.start()
    for seed in range(count):
        spoilt = spoil_gguf(content, Random(f"header:{seed}"))
        path.write_bytes(spoilt)
        tracemalloc.reset_peak()
        begin = tracemalloc.get_traced_memory()[0]
        try:
            read(path)
            accepted += 1
        except InputError as error:
            assert str(error).isprintable(), seed
            refused += 1
        assert tracemalloc.get_traced_memory()[1] - begin < 40 * len(content) + ROOM, seed
    tracemalloc.stop()
    print(f"{refused} refused, {accepted} read")
    assert refused > count / 4 and accepted > count / 20
