"""GGUF: values as the package gguf expands them, heads found, and headers of which no number is believed."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from superlaw.errors import InputError, MissingExtraError
from superlaw.lm.gguf import expand_tensor, open_gguf, parse_gguf_header, read_gguf_header
from superlaw.lm.head import load_head
from superlaw.lm.measure import measure_head

BLOCKS = {int(kind): (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
W = np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)
TOKENS = [*(f"t{i}" for i in range(30)), "<|reserved_1|>", "[unused7]", *(f"[PAD{i}]" for i in range(32, 40))]


def write(
    path: Path,
    tensors: dict[str, tuple],
    tokens: list[str] = TOKENS,
    architecture: str = "llama",
    more=None,
    width: int = 64,
) -> Path:
    """A file as the package writes it: tensors by name as (data, type or None, shape or None)."""
    made = gguf.GGUFWriter(path, architecture)
    made.add_embedding_length(width)
    made.add_block_count(2)
    if tokens:
        made.add_token_list(tokens)
        made.add_token_types([1] * 31 + [6] + [5] * 8)
        made.add_array("tokenizer.ggml.merges", ["a b", "b c"])
        made.add_array("tokenizer.ggml.scores", [0.5] * 40)
    if more:
        more(made)
    for name, (data, kind) in tensors.items():
        made.add_tensor(name, data, raw_dtype=kind)
    made.write_header_to_file()
    made.write_kv_data_to_file()
    made.write_tensors_to_file()
    made.close()
    return path


def expandable() -> list[GGMLQuantizationType]:
    """Types that the package expands."""
    found = []
    for kind, (_, size) in GGML_QUANT_SIZES.items():
        try:
            dequantize(np.zeros((1, size), np.uint8), kind)
            found.append(kind)
        except NotImplementedError:
            pass
    return found


@pytest.mark.parametrize("kind", expandable(), ids=lambda kind: kind.name)
def test_expanded_values_are_those_of_the_package(tmp_path, kind):
    """Of random bytes, so that every bit of a block counts; NaN and infinity among them, bit by bit."""
    elements, size = GGML_QUANT_SIZES[kind]
    packed = np.random.default_rng(int(kind)).integers(0, 256, (37, 3 * size), dtype=np.uint8)
    path = write(tmp_path / "a.gguf", {"first": (W, None), "packed": (packed, kind)}, [])
    with np.errstate(all="ignore"):
        (truth,) = (dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors if t.name == "packed")
        found = expand_tensor(path, read_gguf_header(path).tensors["packed"])
    assert found.shape == truth.shape == (37, 3 * elements)
    np.testing.assert_array_equal(found.astype(np.float32).view(np.uint32), truth.view(np.uint32))
    assert len(expandable()) >= 20


def test_what_quantisation_loses_is_small(tmp_path):
    """The whole way, with values: quantised by the package, read here."""
    kind = GGMLQuantizationType.Q8_0
    path = write(tmp_path / "a.gguf", {"token_embd.weight": (gguf.quants.quantize(W, kind), kind)})
    head = load_head(path)
    assert head.W.dtype == np.float32 and np.abs(head.W - W).max() < np.abs(W).max() / 127
    exact = measure_head(load_head(write(tmp_path / "b.gguf", {"token_embd.weight": (W, None)})))
    assert measure_head(head).overlaps.mean_square == pytest.approx(exact.overlaps.mean_square, rel=1e-2)


def test_the_head_of_a_model_is_found_with_its_sizes_and_tokens(tmp_path):
    tied = {"token_embd.weight": (W, None), "blk.0.attn_output.weight": (W, None)}
    head = load_head(write(tmp_path / "tied.gguf", tied))
    assert (head.tensor, head.hidden_size) == ("token_embd.weight", 64) and "tied" in head.why
    assert head.n_tokens == 32, "rows named [PAD...] only fill up"
    assert head.placeholders.tolist() == [30, 31]
    np.testing.assert_array_equal(head.W, W)
    assert (
        load_head(write(tmp_path / "own.gguf", {**tied, "output.weight": (W[:, ::-1].copy(), None)})).tensor
        == "output.weight"
    )
    bert = write(tmp_path / "bert.gguf", {"token_embd.weight": (W, None), "token_types.weight": (W, None)}, [], "bert")
    with pytest.raises(InputError, match="an encoder without a language-model head"):
        load_head(bert)
    assert load_head(bert, encoder=True).tensor == "token_embd.weight"
    with pytest.raises(InputError, match="of width 32, with a config of hidden_size = 64"):
        load_head(write(tmp_path / "narrow.gguf", {"token_embd.weight": (W[:, :32].copy(), None)}))


def parts(folder: Path, count: int = 2) -> list[Path]:
    """A model in parts: the first has the tokens, the last the head."""
    found = []
    for i in range(count):
        tensors = {"token_embd.weight": (W, None)} if i == 0 else {"output.weight": (W[:, ::-1].copy(), None)}
        more = lambda made, i=i: (made.add_uint16("split.no", i), made.add_uint16("split.count", count))  # noqa: E731
        path = folder / f"m-{i + 1:05d}-of-{count:05d}.gguf"
        found.append(write(path, tensors, TOKENS if i == 0 else [], more=more))
    return found


def test_a_model_in_parts_is_read_as_one_or_not_at_all(tmp_path):
    """The head may be in another part than the one named: an input embedding must not stand in for it."""
    first, second = parts(tmp_path)
    for path in (first, second):
        head = load_head(path)
        assert (head.tensor, head.n_tokens) == ("output.weight", 32)
    other = tmp_path / "one.gguf"
    first.rename(other)
    for path, said in ((second, "without m-00001-of-00002.gguf"), (other, "its name to end in -of-00002.gguf")):
        with pytest.raises(InputError, match=said):
            load_head(path)


def test_the_ending_of_a_model_in_parts_counts_in_capitals_too(tmp_path):
    small = load_head(parts(tmp_path)[0]).W
    for path in tmp_path.iterdir():
        path.rename(path.with_name(path.name.replace(".gguf", ".GGUF")))
    np.testing.assert_array_equal(load_head(sorted(tmp_path.iterdir())[1]).W, small)


def refused(command, *arguments: object) -> str:
    code, out, err = command("lm", "head", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    return err


def test_types_that_hold_no_numbers_or_are_unknown_are_refused_by_name(tmp_path, command):
    write(tmp_path / "a.gguf", {"token_embd.weight": (np.ones((40, 64), np.int8), None)})
    assert "of type I8; need a type of numbers that the package gguf can expand" in refused(
        command, tmp_path / "a.gguf"
    )
    content = bytearray(write(tmp_path / "b.gguf", {"w": (W, None), "token_embd.weight": (W, None)}).read_bytes())
    at = content.index(b"\x01\x00\x00\x00\x00\x00\x00\x00w") + 9 + 4 + 16
    assert content[at : at + 4] == bytes(4)
    content[at : at + 4] = struct.pack("<I", 4321)  # of a tensor that is not asked for: no matter
    (tmp_path / "b.gguf").write_bytes(content)
    assert load_head(tmp_path / "b.gguf").tensor == "token_embd.weight"
    assert "of type type 4321" in refused(command, tmp_path / "b.gguf", "--tensor", "w")


def test_other_versions_and_byte_orders_are_told(tmp_path, command):
    content = write(tmp_path / "a.gguf", {"token_embd.weight": (W, None)}).read_bytes()
    for version, said in ((b"\x01\0\0\0", "version 1"), (b"\0\0\0\x03", "big-endian"), (b"\x04\0\0\0", "version 4")):
        (tmp_path / "a.gguf").write_bytes(content[:4] + version + content[8:])
        assert said in refused(command, tmp_path / "a.gguf")
    (tmp_path / "a.gguf").write_bytes(b"GGML" + content[4:])
    assert "does not begin with GGUF" in refused(command, tmp_path / "a.gguf")


def numbers_of(content: bytes) -> list[int]:
    """Every place of the header where a number might stand: all of it."""
    return list(range(4, content.index(W.tobytes()[:16])))


def test_no_number_of_a_header_is_believed(tmp_path):
    """Each byte begins a huge, an odd or a zero number in turn: no crash, no memory taken, whatever it stood for."""
    path = write(tmp_path / "a.gguf", {"token_embd.weight": (W, None), "w": (W, None)})
    content, tried, told = path.read_bytes(), 0, 0
    tracemalloc.start()
    for at in numbers_of(content):
        for odd in (2**64 - 1, 2**63, 2**40 + 1, 0):
            spoilt = content[:at] + struct.pack("<Q", odd) + content[at + 8 :]
            tried += 1
            try:
                parse_gguf_header(spoilt, len(spoilt), "a.gguf", BLOCKS)
            except InputError as error:
                assert "\n" not in str(error)
                told += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tried > 4000 and told > tried / 4
    assert peak < 10 * len(content) + 1_000_000


def test_a_cut_file_is_refused_wherever_it_is_cut(tmp_path):
    content = write(tmp_path / "a.gguf", {"token_embd.weight": (W, None)}).read_bytes()
    for length in [*range(4, 700, 7), len(content) - 40]:
        (tmp_path / "a.gguf").write_bytes(content[:length])
        with pytest.raises(InputError):
            load_head(tmp_path / "a.gguf")


def header(*parts: bytes, size: int = 1000) -> bytes:
    return (b"GGUF" + struct.pack("<I", 3) + b"".join(parts)).ljust(size, b"\0")


def text(name: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name


def tensor(name: bytes, shape: tuple, kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (header(struct.pack("<QQ", 2**60, 0)), "it claims 1152921504606846976 tensors in 1000 bytes"),
        (header(struct.pack("<QQ", 0, 2**60)), "keys in 1000 bytes"),
        (header(struct.pack("<QQ", 0, 1), struct.pack("<Q", 2**60)), "it ends within its header"),
        (header(struct.pack("<QQ", 0, 1), text(b"a"), struct.pack("<I", 99)), "unknown type 99"),
        (header(struct.pack("<QQ", 0, 1), text(b"a"), struct.pack("<IIQ", 9, 10, 2**60)), "numbers in 1000 bytes"),
        (header(struct.pack("<QQ", 0, 1), text(b"a"), struct.pack("<IIQ", 9, 8, 2**60)), "texts in 1000 bytes"),
        (header(struct.pack("<QQ", 0, 1), text(b"a"), struct.pack("<IIQ", 9, 9, 1)), "values of the unknown type 9"),
        (header(struct.pack("<QQ", 0, 2), (text(b"a") + struct.pack("<IB", 0, 1)) * 2), "'a' stands there twice"),
        (header(struct.pack("<QQ", 2, 0), tensor(b"a", (4, 2)) * 2), "'a' stands there twice"),
        (header(struct.pack("<QQ", 2, 0), tensor(b"a", (4, 2)), tensor(b"b", (4, 2))), "lies over another"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", (4, 2), offset=8)), "no multiple of 32"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", (4, 2), offset=1024)), "ends at"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", (2**62, 2**62, 2**62, 2**62))), "ends at"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", (33,), kind=8)), "no multiple of the 32 of Q8_0"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", (1,) * 5)), "has 5 axes"),
        (header(struct.pack("<QQ", 1, 0), tensor(b"a", ())), "has 0 axes"),
        (header(struct.pack("<QQ", 0, 1), text(b"general.alignment"), struct.pack("<II", 4, 48)), "no power of two"),
        (header(struct.pack("<QQ", 0, 1), text(b"general.alignment"), struct.pack("<II", 4, 0)), "no power of two"),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_told_where(content, said):
    with pytest.raises(InputError) as error:
        parse_gguf_header(content, len(content), "a.gguf", BLOCKS)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_an_empty_tensor_of_a_huge_shape_is_refused(tmp_path, command):
    path = tmp_path / "a.gguf"
    path.write_bytes(header(struct.pack("<QQ", 1, 0), tensor(b"a", (0, 2**62))))
    assert "a tensor with numbers in it" in refused(command, path)


def test_a_header_longer_than_is_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("superlaw.lm.gguf.LONGEST_HEADER", 100)
    path = write(tmp_path / "a.gguf", {"token_embd.weight": (W, None)})
    with pytest.raises(InputError, match="goes on beyond the 100 bytes that are read"):
        open_gguf(path)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.gguf", {"token_embd.weight": (W, None)})
    monkeypatch.setitem(sys.modules, "gguf.constants", None)
    with pytest.raises(MissingExtraError, match=r"superlaw\[lm\]"):
        load_head(path)


@pytest.mark.slow  # a timing, and 1 GB: by hand, on a quiet machine
def test_a_large_head_is_measured_within_a_minute_and_one_and_a_half_gigabytes(tmp_path):
    """Of random numbers with scales of 1, in Q8_0; its shape is Qwen2.5-0.5B's."""
    rows, width, kind = 151_936, 896, GGMLQuantizationType.Q8_0
    elements, size = GGML_QUANT_SIZES[kind]
    packed = np.random.default_rng(0).integers(0, 256, (rows, width // elements, size), dtype=np.uint8)
    packed[:, :, :2] = np.frombuffer(np.float16(1).tobytes(), np.uint8)
    path = write(tmp_path / "a.gguf", {"output.weight": (packed.reshape(rows, -1), kind)}, [], width=width)
    code = (
        "import sys; sys.argv = ['superlaw', 'lm', 'head', sys.argv[1], '--json']\n"
        "from superlaw.cli.main import main\ntry: main()\nfinally:\n"
        "    print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    seconds, kilobytes = time.perf_counter() - start, int(done.stderr.split()[-1])
    shown = json.loads(done.stdout)["models"][0]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{seconds:.1f} s, of a processor {processor:.1f} s, {kilobytes / 1e6:.2f} GB")
    assert (shown["n"], shown["m"]) == (rows, width)
    assert seconds < 60 and kilobytes < 1_500_000
