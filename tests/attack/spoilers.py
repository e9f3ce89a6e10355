"""Formats spoilt where it hurts: their own structure, checksums put right."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from functools import cache
from random import Random

import numpy as np
from mutators import NUMBERS, mutate_bytes, mutate_csv, mutate_tree, to_json


def spoil_run(content: bytes, rng: Random) -> bytes:
    """A run file with its safetensors header, our own header (checksum put right), or its numbers changed."""
    length = int.from_bytes(content[:8], "little")
    head, tensors = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    kind = rng.randrange(6)
    if kind == 0:
        size = rng.choice((0, 1, 7, length - 1, length + 1, len(content), 2**31, 2**63, 2**64 - 1))
        return size.to_bytes(8, "little") + content[8:]
    if kind == 1:
        text = to_json(mutate_tree(head, rng), ascii=rng.random() < 0.8)
    elif kind < 5:
        meta = head["__metadata__"]
        ours = mutate_tree(json.loads(meta["superlaw"]), rng)
        text = to_json(ours).decode()
        head["__metadata__"] = {**meta, "superlaw": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        text = to_json(head)
    else:
        for _ in range(rng.choice((1, 20))):
            at = rng.randrange(0, len(tensors) - 4, 4)
            tensors[at : at + 4] = rng.choice((b"\x00\x00\xc0\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f", bytes(4)))
        text = content[8 : 8 + length]
    return len(text).to_bytes(8, "little") + text + bytes(tensors)


def spoil_parquet(content: bytes, rng: Random) -> bytes:
    """Parquet with columns of odd types and odd metadata."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = parquet.read_table(io.BytesIO(content))
    n = len(table)
    odd = (
        pa.array([[1.0, 2.0]] * n),
        pa.array([{"a": 1}] * n),
        pa.array([b"\xff"] * n),
        pa.array([None] * n),
        pa.array(["1"] * n),
        pa.array([True] * n),
        pa.array([10**15] * n, pa.timestamp("us")),
        pa.array([1] * n, pa.decimal128(20, 3)),
        pa.array(["a"] * n).dictionary_encode(),
        pa.array([1.0] * n, pa.float16()),
        pa.array([2**63 - 1] * n),
        pa.array([np.nan] * n),
        pa.array([[]] * n, pa.list_(pa.float64())),
        pa.array([1] * n, pa.duration("s")),
    )
    kind = rng.randrange(6)
    if kind < 3:
        i = rng.randrange(table.num_columns)
        name = rng.choice(
            (table.column_names[i], f"{table.column_names[i]} ", rng.choice(table.column_names), "", "created_at")
        )
        table = table.set_column(i, name, rng.choice(odd))
    elif kind == 3:
        meta = json.loads(table.schema.metadata[b"pandas"])
        table = table.replace_schema_metadata({b"pandas": to_json(mutate_tree(meta, rng))})
    elif kind == 4:
        table = table.slice(0, rng.choice((0, 1, 2)))
    else:
        meta = {
            rng.choice((b"pandas", b"ARROW:schema", b"\xff")): rng.choice(
                (b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"1")
            )
        }
        table = table.replace_schema_metadata(meta)
    out = io.BytesIO()
    parquet.write_table(table, out, compression=rng.choice(("snappy", "none", "zstd")))
    return out.getvalue()


def spoil_npy(content: bytes, rng: Random) -> bytes:
    """A .npy with another header, or with numbers that bite."""
    kind = rng.randrange(3)
    if kind == 0:
        return _npy_header(rng) + content[128:]
    rows, width = rng.choice(((20, 4), (2, 2), (1, 4), (20, 1), (3, 400), (400, 3), (50, 50), (20, 4)))
    dtype = rng.choice((np.float32, np.float64, np.float16, np.float32, np.int64, np.complex128))
    W = np.random.default_rng(rng.randrange(1000)).normal(size=(rows, width))
    if kind == 1:
        W /= np.linalg.norm(W, axis=1, keepdims=True)
    what = rng.randrange(9)
    if what == 0:
        W[rng.randrange(rows)] = rng.choice((0, np.nan, np.inf, 1e300, 1e-320, -1))
    elif what == 1:
        W[:] = rng.choice((0, 1, 1e30, 1e-30, 65504, np.nan))
    elif what == 2:
        W *= rng.choice((1e30, 1e-30, 1e-200, 1e200, 1e-45))
    elif what == 3:
        W[:] = W[0]
    out = io.BytesIO()
    with np.errstate(all="ignore"):
        np.save(out, np.asfortranarray(W.astype(dtype)) if rng.random() < 0.2 else W.astype(dtype))
    return out.getvalue()


def _npy_header(rng: Random) -> bytes:
    """A header of .npy that says something else."""
    descr = rng.choice(
        (
            "'<f4'",
            "'>f8'",
            "'<f2'",
            "'<c16'",
            "'|O'",
            "'<U8'",
            "'|V8'",
            "[('a','<f4')]",
            "'<M8[ns]'",
            "'|b1'",
            "'<i8'",
            "'<f99'",
            "None",
            "1",
            "'<f4' * 9**9",
            "(" * 300 + ")" * 300,
            "{}",
            "'|S0'",
            "'<f0'",
            "'<U0'",
        )
    )
    shape = rng.choice(
        (
            "(20, 4)",
            "(4, 20)",
            "(-1, 4)",
            "(10**9, 10**9)",
            "(1000000000, 1000000000)",
            "()",
            "(0, 4)",
            "(20,)",
            "(2, 2, 20)",
            "(20.0, 4)",
            "20",
            "None",
            "(9223372036854775807, 4)",
            "(True, 80)",
            "(1,)*70",
            "(20, -4)",
            "(" + "1, " * 33 + "80)",
        )
    )
    order = rng.choice(("False", "True", "None", "'a'", "1"))
    text = rng.choice(
        (f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}",) * 5
        + (
            "{}",
            "[]",
            "__import__('os').system('touch canary')",
            "{'descr': '<f4'}",
            "{" * 5000,
            "\x00" * 20,
            "1" * 9000,
        )
    )
    raw = text.encode() + b"\n"
    version = rng.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    size = len(raw).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + raw


ODD = (0, 1, 2, 3, 5, 8, 9, 12, 13, 30, 31, 32, 33, 48, 255, 4096, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40,
       2**53, 2**61, 2**62 + 1, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1)  # fmt: skip
GGUF_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a value by its type


def gguf_numbers(content: bytes) -> list[tuple[int, int]]:
    """Place and bytes of every number in the header of a good GGUF: counts, lengths, types, shapes, offsets."""
    found, at = [(4, 4), (8, 8), (16, 8)], 24

    def number(size: int) -> int:
        nonlocal at
        found.append((at, size))
        at += size
        return int.from_bytes(content[at - size : at], "little")

    def text() -> None:
        nonlocal at
        length = number(8)
        at += length

    def value(kind: int) -> None:
        if kind == 8:
            text()
        elif kind == 9:
            of, count = number(4), number(8)
            for _ in range(count):
                value(of)
        else:
            number(GGUF_SIZES[kind])

    tensors, keys = (int.from_bytes(content[i : i + 8], "little") for i in (8, 16))
    for _ in range(keys):
        text()
        value(number(4))
    for _ in range(tensors):
        text()
        for _ in range(number(4)):
            number(8)
        number(4)
        number(8)
    return found


def spoil_gguf(content: bytes, rng: Random) -> bytes:
    """A GGUF with one to three numbers of its header changed, or with scales that are no numbers."""
    data, places = bytearray(content), gguf_numbers(content)
    if rng.random() < 0.1:
        for _ in range(20):
            at = rng.randrange(places[-1][0], len(data) - 2)
            data[at : at + 2] = rng.choice((b"\x00\x7c", b"\xff\x7f", b"\x00\x00", b"\x01\x00"))
        return bytes(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at, size = rng.choice(places)
        old = int.from_bytes(data[at : at + size], "little")
        near = (old + 1, old - 1, old + 32, old * 2, old * 1000, old << 32, len(content), len(content) - at)
        odd = rng.choice((*ODD, *near))
        data[at : at + size] = (odd % 2 ** (8 * size)).to_bytes(size, "little")
    return bytes(data)


def spoil_safetensors(content: bytes, rng: Random) -> bytes:
    """A file of tensors with another length, header or numbers."""
    length = int.from_bytes(content[:8], "little")
    kind = rng.randrange(5)
    if kind == 0:
        size = rng.choice((0, 1, 7, length - 1, length + 1, len(content), 10**8 + 1, 2**31, 2**63, 2**64 - 1))
        return size.to_bytes(8, "little") + content[8:]
    head, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    if kind < 4:
        name = rng.choice([n for n in head if n != "__metadata__"])
        if rng.random() < 0.5:
            head[name][rng.choice(("dtype", "shape", "data_offsets"))] = rng.choice(
                (
                    "F64",
                    "F16",
                    "BF16",
                    "F8_E4M3",
                    "I64",
                    "BOOL",
                    [20, 4],
                    [80],
                    [4, 20],
                    [-20, -4],
                    [2**32, 2**32],
                    [0, 4],
                    [20, 4, 1],
                    [0, 0],
                    [0, 320],
                    [320, 0],
                    [0, 2**63],
                    [0, 400 * 10**9],
                    [-320, 0],
                    [0, 321],
                    [True, 4],
                    [20.0, 4],
                    "x" * 10**5,
                    None,
                    [1] * 100,
                    [10**11, 1],
                )
            )
        else:
            head = mutate_tree(head, rng)
        text = to_json(head, ascii=rng.random() < 0.8)
    else:
        text = content[8 : 8 + length]
        data = rng.choice(
            (
                data[:-1],
                data + b"\0",
                b"\xff" * len(data),
                bytes(len(data)),
                b"\x00\x00\x80\x7f" * (len(data) // 4),
                b"",
            )
        )
    return len(text).to_bytes(8, "little") + text + data


def spoil_gzip(content: bytes, rng: Random) -> bytes:
    """A packed CSV: odd within, cut, followed by something, or swelling."""
    inside = mutate_csv(gzip.decompress(content), rng)
    packed = gzip.compress(inside, mtime=0)
    return rng.choice(
        (
            packed,
            packed,
            packed,
            packed[: rng.randrange(len(packed))],
            packed + gzip.compress(inside, mtime=0),
            packed + b"\0" * 100,
            packed + b"more",
            inside,
            gzip.compress(gzip.compress(inside)),
            _swelling(),
            gzip.compress(b"", mtime=0),
            b"",
        )
    )


@cache
def _swelling() -> bytes:
    """A small file of 100 MB, made once: it takes half a second."""
    return gzip.compress(b"a,b\n" + b"0" * 10**8, 9, mtime=0)


XML = (b"<v>", b"</v>", b"<c ", b"</row>", b'r="A1"', b't="n"', b't="s"', b't="inlineStr"', b't="e"', b"<f>1+1</f>",
       b'<!DOCTYPE x [<!ENTITY a "b">]>', b"&a;", b'r="XFD1048576"', b'r="0"', b'r="1048576"')  # fmt: skip


def spoil_xlsx(content: bytes, rng: Random) -> bytes:
    """A workbook with a part left out, exchanged, swollen, or its XML changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice([*parts, *[n for n in parts if "sheet" in n or "sharedStrings" in n] * 3])
        kind = rng.randrange(7)
        if kind == 0 and len(parts) > 1:
            del parts[name]
        elif kind == 1:
            parts[name] = parts[rng.choice(list(parts))]
        elif kind == 2:
            parts[name] = rng.choice((b"", b"<a/>", b"x" * 10**7, b"<a>" * 10**5, b"\xff\xfe"))
        elif kind == 3:
            parts[name] = mutate_bytes(parts[name], rng)
        elif kind == 4:
            parts[name] = parts[name].replace(rng.choice(XML), rng.choice(XML), rng.choice((1, -1)))
        elif kind == 5:
            cell = rng.choice((b"<v>", b'r="A', b'r="')) + b"%s"
            parts[name] = parts[name].replace(cell[:-2], cell % rng.choice(NUMBERS).encode(), rng.choice((1, -1)))
        else:
            parts[rng.choice(("xl/worksheets/sheet2.xml", "../x", "x" * 300, "xl/vbaProject.bin"))] = parts[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def spoil_events(content: bytes, rng: Random) -> bytes:
    """An event file whose records say something else, their checksums put right."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2

    records, at = [], 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        records.append(content[at + 12 : at + 12 + length])
        at += length + 16
    for _ in range(rng.choice((1, 1, 3))):
        i = rng.randrange(len(records))
        kind = rng.randrange(8)
        try:
            event = event_pb2.Event.FromString(records[i])
        except DecodeError:  # it was spoilt before
            kind = max(kind, 4)
        if kind == 0:
            event.step = rng.choice((-1, 0, 2**63 - 1, -(2**63), 10**15))
            records[i] = event.SerializeToString()
        elif kind < 4 and event.summary.value:
            _spoil_value(rng.choice(list(event.summary.value)), rng)
            records[i] = event.SerializeToString()
        elif kind == 4:
            records[i] = mutate_bytes(records[i], rng)
        elif kind == 5:
            records[i:i] = [records[i]] * rng.choice((1, 300))
        elif kind == 6:
            del records[i]
        else:
            records[i] = rng.choice((b"", b"\x00" * 100, b"\xff" * 20, records[i] * 50))
        records = records or [b""]
    whole = b"".join(_framed(record) for record in records)
    if rng.random() < 0.1:  # a length that is none, with the right checksum
        size = rng.choice((0, 2**31, 2**62, 2**64 - 1)).to_bytes(8, "little")
        whole = size + _checksum(size) + whole[12:]
    return whole


def _spoil_value(value, rng: Random) -> None:
    from tensorboard.compat.proto import tensor_pb2

    kind = rng.randrange(5)
    if kind == 0:
        value.tag = rng.choice(("", "step", "run", "wall_time", "a\x1b[31mb", "x" * 10_000, "eval/loss ", "width"))
    elif kind == 1:
        value.simple_value = rng.choice((float("nan"), float("inf"), -1.0, 0.0, 3e38, 1e-45))
    elif kind == 2:
        value.metadata.plugin_data.plugin_name = rng.choice(("hparams", "scalars", ""))
        value.metadata.plugin_data.content = bytes(rng.randrange(256) for _ in range(rng.choice((0, 3, 40))))
    elif kind == 3:
        tensor = tensor_pb2.TensorProto(dtype=rng.choice((0, 1, 2, 3, 7, 9, 10, 14, 19, 20, 101)))
        for size in rng.choice(((), (1,), (1, 1), (10**9, 10**9), (-1,), (0,), (2,))):
            tensor.tensor_shape.dim.add().size = size
        tensor.float_val.extend([2.5] * rng.choice((0, 1, 2)))
        tensor.tensor_content = rng.choice((b"", b"\0" * 4, b"\0" * 3, b"\0" * 8))
        value.tensor.CopyFrom(tensor)
    else:
        value.tensor.tensor_shape.unknown_rank = True


def _checksum(data: bytes) -> bytes:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    return masked_crc32c(data).to_bytes(4, "little")


def _framed(record: bytes) -> bytes:
    length = len(record).to_bytes(8, "little")
    return length + _checksum(length) + record + _checksum(record)
