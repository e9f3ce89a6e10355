"""Every format that superlaw reads: a good example, how to spoil it, and the commands that read it.

A new format joins by one Format in FORMATS: ``write`` makes a whole example in an empty folder, ``target`` names
the files that are spoilt, ``spoil`` knows their structure, ``commands`` read them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from harness import Case, cold
from mutators import (
    Mutator,
    mutate_bytes,
    mutate_csv,
    mutate_json,
    mutate_lines,
    mutate_text,
    mutate_toml,
    mutate_tree,
    odd_value,
    to_json,
)

FAILED_SOME = (1,)  # commands that do all they can and say by exit code 1 that a part failed


@dataclass(frozen=True)
class Format:
    """A format, and how it is attacked."""

    name: str
    write: Callable[[Path], None]
    target: str
    spoil: Mutator
    commands: tuple[str, ...]
    codes: tuple[int, ...] = ()
    may_change: tuple[str, ...] = ()
    weight: int = 1  # of its share in a campaign

    def example(self, folder: Path) -> Path:
        """A good example in a new folder."""
        folder.mkdir(parents=True)
        self.write(folder)
        return folder

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        """A spoilt copy of the example and one command that reads it."""
        shutil.copytree(example, folder, symlinks=True)
        target = rng.choice(sorted(folder.glob(self.target)))
        content = target.read_bytes()
        spoilt = (self.spoil if rng.random() < 0.65 else mutate_bytes)(content, rng)
        if rng.random() < 0.1:
            spoilt = mutate_bytes(spoilt, rng)
        target.write_bytes(spoilt)
        return self.command(rng.choice(self.commands), folder)

    def command(self, text: str, folder: Path) -> Case:
        return Case(tuple(text.split()), folder, self.codes, self.may_change)

    @property
    def every_command(self) -> tuple[str, ...]:
        """All commands, to be run on the good example."""
        return self.commands

    def good(self, command: str, folder: Path) -> str:
        """The command, once the example in the folder is made ready for it."""
        return command


# ---- runs

def write_store(folder: Path) -> None:
    """Six tiny runs in a store, their plan, their table, and one of them beside."""
    import superlaw

    (folder / "plan.toml").write_text(
        "seeds = [0]\n[base]\nn_features = 60\nsteps = 1000\nbatch = 128\nwarmup = 50\n[axes]\nweight_decay = [-1, 0.5]\nwidth = [2, 4, 6]\n"
    )
    found = superlaw.sweep(folder / "plan.toml", store=folder / "store", workers=1)
    shutil.rmtree(folder / "store" / ".claims", ignore_errors=True)
    first = sorted(found.store.path.glob("*.safetensors"))[0]
    shutil.copy(first, folder / "run.safetensors")
    (folder / "spec.json").write_text(json.dumps(found.plan.specs[0].to_dict()))
    found.table().to_csv(folder / "table.csv", index=False)


def write_run(folder: Path) -> None:
    """One run file, alone."""
    write_store(folder)
    shutil.rmtree(folder / "store")


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


def write_plan(folder: Path) -> None:
    """A plan, and an empty store."""
    (folder / "s" / ".claims").mkdir(parents=True)
    (folder / "plan.toml").write_text(
        'name = "p"\nabout = "a plan"\nseeds = [0, 1]\nkeep = "weights"\n[base]\nn_features = 20\nsteps = 12\nbatch = 8\n'
        'warmup = 2\n[axes]\nfrequencies = ["power", "linear"]\nweight_decay = { start = -1, stop = 1, num = 3 }\nwidth = [2, 3]\n'
    )


def write_gathered(folder: Path) -> None:
    """A table of runs as gather writes it."""
    write_store(folder)
    found = cold(Case(tuple("sweep gather store -o runs.csv".split()), folder, seconds=60))
    assert found.code == 0, found.err
    shutil.rmtree(folder / "store")


# ---- tables

def points(count: int = 12) -> dict[str, list]:
    """Twelve runs with a law and a little noise."""
    rng = np.random.default_rng(0)
    width = np.geomspace(16, 512, count).round()
    tokens = np.tile([1e8, 4e8, 2e9], count)[:count]
    loss = 3 / width**0.5 + 40 / tokens**0.3 + 1
    return {
        "width": width.tolist(), "tokens": tokens.tolist(), "loss": (loss * np.exp(0.01 * rng.normal(size=count))).tolist(),
        "family": [["a", "b"][i % 2] for i in range(count)], "weight": [1.0 + i % 3 for i in range(count)],
        "cell": [f"run {i // 3}" for i in range(count)],
    }  # fmt: skip


def frame():
    import pandas as pd

    return pd.DataFrame(points())


def spoil_parquet(content: bytes, rng: Random) -> bytes:
    """Parquet with columns of odd types and odd metadata."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = parquet.read_table(io.BytesIO(content))
    n = len(table)
    odd = (
        pa.array([[1.0, 2.0]] * n), pa.array([{"a": 1}] * n), pa.array([b"\xff"] * n), pa.array([None] * n),
        pa.array(["1"] * n), pa.array([True] * n), pa.array([10**15] * n, pa.timestamp("us")),
        pa.array([1] * n, pa.decimal128(20, 3)), pa.array(["a"] * n).dictionary_encode(), pa.array([1.0] * n, pa.float16()),
        pa.array([2**63 - 1] * n), pa.array([np.nan] * n), pa.array([[]] * n, pa.list_(pa.float64())),
        pa.array([1] * n, pa.duration("s")),
    )  # fmt: skip
    kind = rng.randrange(6)
    if kind < 3:
        i = rng.randrange(table.num_columns)
        name = rng.choice((table.column_names[i], f"{table.column_names[i]} ", rng.choice(table.column_names), "", "created_at"))
        table = table.set_column(i, name, rng.choice(odd))
    elif kind == 3:
        meta = json.loads(table.schema.metadata[b"pandas"])
        table = table.replace_schema_metadata({b"pandas": to_json(mutate_tree(meta, rng))})
    elif kind == 4:
        table = table.slice(0, rng.choice((0, 1, 2)))
    else:
        meta = {rng.choice((b"pandas", b"ARROW:schema", b"\xff")): rng.choice((b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"1"))}
        table = table.replace_schema_metadata(meta)
    out = io.BytesIO()
    parquet.write_table(table, out, compression=rng.choice(("snappy", "none", "zstd")))
    return out.getvalue()


FITS = (
    "--law power:width", "--law power:width --json", "--law additive:width,tokens --json --interval none",
    "--law chinchilla:width,tokens --interval none", "--law grouped:width,family --json --interval none",
    "--law power:width --weights weight --json", "--law power:width --cluster cell --bootstrap 20 --json",
    "--law power:width --group family --objective log-huber --bootstrap 20", "--law power:width -o fit.json",
    "--law broken:width --interval none --starts 4", "--law power:width --where tokens>1e8 --let c=6*width*tokens --json",
    "--law kaplan:width,tokens --interval none --json", "--law power:width --errors weight --interval sandwich --json",
)  # fmt: skip


def fits(table: str) -> tuple[str, ...]:
    """The ways a table is read for a fit."""
    more = (f"law compare {table} --law power:width --law additive:width,tokens --folds 2 --json",)
    return (*(f"law fit {table} {options}" for options in FITS), *more)


# ---- fits, counts, heads, families, losses, corpora

def write_fits(folder: Path) -> None:
    """A fit of each kind as law fit -o writes it."""
    import superlaw

    data = {**points(), "depth": [2, 4, 8, 3] * 3}
    laws = {
        "power": superlaw.PowerLaw("width"), "additive": superlaw.AdditiveLaw(["width", "depth", "tokens"]),
        "chinchilla": superlaw.Chinchilla("width", "tokens"), "grouped": superlaw.GroupedPowerLaw("width", "family"),
    }  # fmt: skip
    for name, law in laws.items():
        fit = superlaw.fit_law(data, law, interval="bootstrap", replicates=20)
        (folder / "fit.json").write_text(json.dumps(fit.to_dict()))
        shutil.copy(folder / "fit.json", folder / f"{name}.json")


class Fits(Format):
    """A spoilt fit is named fit.json for the commands, whichever it was."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        shutil.copytree(example, folder)
        shutil.copy(rng.choice(sorted(folder.glob(self.target))), folder / "fit.json")
        return replace(self, target="fit.json").renamed(folder, rng)

    def good(self, command: str, folder: Path) -> str:
        law = "chinchilla" if "--flops" in command else "additive" if "--fit" in command or "--params" in command else "power"
        shutil.copy(folder / f"{law}.json", folder / "fit.json")
        return command.partition(" --at")[0]

    def renamed(self, folder: Path, rng: Random) -> Case:
        fit = folder / "fit.json"
        fit.write_bytes((self.spoil if rng.random() < 0.65 else mutate_bytes)(fit.read_bytes(), rng))
        return self.command(rng.choice(self.commands), folder)


def write_counts(folder: Path) -> None:
    """Counts in every form that is read, a head whose tokens they count, and prose."""
    counts = {str(i): 100 // (i + 1) for i in range(12)}
    (folder / "counts.json").write_text(json.dumps({"format": 1, "tokenizer": "t", "vocabulary": 12, "counts": counts}))
    (folder / "list.json").write_text(json.dumps({"probabilities": [0.5, 0.25, 0.125]}))
    (folder / "counts.csv").write_text("word,count\n" + "\n".join(f"w{i},{c}" for i, c in counts.items()) + "\n")
    (folder / "prose.txt").write_text("the cat and the dog and the bird\n" * 5)
    np.save(folder / "head.npy", np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32))


TRAIN = "--width 2 --steps 2 --batch 8 --warmup 1 --out out.safetensors --json"


def write_heads(folder: Path) -> None:
    """Heads in .npy, .safetensors and a folder of two shards with config and tokenizer."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    W = rng.normal(size=(20, 4)).astype(np.float32)
    np.save(folder / "head.npy", W)
    save_file({"lm_head.weight": W, "model.embed_tokens.weight": W[::-1].copy()}, folder / "head.safetensors", {"format": "pt"})
    model = folder / "model"
    model.mkdir()
    save_file({"lm_head.weight": W}, model / "model-00001-of-00002.safetensors")
    save_file({"model.embed_tokens.weight": W}, model / "model-00002-of-00002.safetensors")
    weight_map = {"lm_head.weight": "model-00001-of-00002.safetensors",
                  "model.embed_tokens.weight": "model-00002-of-00002.safetensors"}  # fmt: skip
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 640}, "weight_map": weight_map}))
    (model / "config.json").write_text(json.dumps({
        "model_type": "llama", "hidden_size": 4, "num_hidden_layers": 2, "vocab_size": 20, "intermediate_size": 8,
        "num_attention_heads": 2, "num_key_value_heads": 2, "tie_word_embeddings": False,
    }))  # fmt: skip
    write_tokenizer(model / "tokenizer.json")


def write_tokenizer(path: Path) -> None:
    """A tokenizer of words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = ["[UNK]", "[unused1]", *"the cat and dog bird sat on mat a big red ran to it was not so very".split()]
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.save(str(path))


def spoil_npy(content: bytes, rng: Random) -> bytes:
    """A .npy with another header, or with numbers that bite."""
    kind = rng.randrange(3)
    if kind == 0:
        descr = rng.choice(("'<f4'", "'>f8'", "'<f2'", "'<c16'", "'|O'", "'<U8'", "'|V8'", "[('a','<f4')]", "'<M8[ns]'", "'|b1'", "'<i8'",
                            "'<f99'", "None", "1", "'<f4' * 9**9", "(" * 300 + ")" * 300, "{}", "'|S0'", "'<f0'", "'<U0'"))  # fmt: skip
        shape = rng.choice(("(20, 4)", "(4, 20)", "(-1, 4)", "(10**9, 10**9)", "(1000000000, 1000000000)", "()", "(0, 4)", "(20,)",
                            "(2, 2, 20)", "(20.0, 4)", "20", "None", "(9223372036854775807, 4)", "(True, 80)", "(1,)*70", "(20, -4)",
                            "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 80)"))
        order = rng.choice(("False", "True", "None", "'a'", "1"))
        text = rng.choice((f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}",) * 5 + (
            "{}", "[]", "__import__('os').system('touch canary')", "{'descr': '<f4'}", "{" * 5000, "\x00" * 20, "1" * 9000))  # fmt: skip
        raw = text.encode() + b"\n"
        version = rng.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
        size = len(raw).to_bytes(2 if version == b"\x01\x00" else 4, "little")
        return b"\x93NUMPY" + version + size + raw + content[128:]
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
            head[name][rng.choice(("dtype", "shape", "data_offsets"))] = rng.choice((
                "F64", "F16", "BF16", "F8_E4M3", "I64", "BOOL", [20, 4], [80], [4, 20], [-20, -4], [2**32, 2**32], [0, 4], [20, 4, 1],
                [0, 0], [0, 320], [320, 0], [0, 2**63], [0, 400 * 10**9], [-320, 0], [0, 321], [True, 4], [20.0, 4], "x" * 10**5, None,
                [1] * 100, [10**11, 1],
            ))  # fmt: skip
        else:
            head = mutate_tree(head, rng)
        text = to_json(head, ascii=rng.random() < 0.8)
    else:
        text = content[8 : 8 + length]
        data = rng.choice((data[:-1], data + b"\0", b"\xff" * len(data), bytes(len(data)), b"\x00\x00\x80\x7f" * (len(data) // 4), b""))
    return len(text).to_bytes(8, "little") + text + data


def write_family(folder: Path) -> None:
    """A family of two heads, a corpus, and the study of it."""
    write_heads(folder)
    shutil.copy(folder / "model" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "family.toml").write_text("".join(
        f'[[model]]\nname = "m{w}"\nfamily = "f"\nwidth = {w}\ndepth = 2\nsource = "./nowhere{w}"\n' for w in (4, 8)
    ))  # fmt: skip
    (folder / "a.txt").write_text("the cat sat on the mat and the dog ran to it\n" * 20)


def write_losses(folder: Path) -> None:
    """A table of losses of two models that need not be there, since their losses are known."""
    write_family(folder)
    found = cold(Case(tuple("lm loss ./m4 ./m8 --corpus a=a.txt -o losses.csv".split()), folder, seconds=60))
    assert found.code == 1, found.err
    rows = list(csv.DictReader((folder / "losses.csv").open()))
    for i, row in enumerate(rows):
        row |= {"status": "ok", "loss": 3.5 - i / 10, "stderr": 0.01, "bits_per_byte": 1.1, "tokens": 200, "message": ""}
    with (folder / "losses.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_study(folder: Path) -> None:
    """A study of two small causal models that were never trained."""
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    write_family(folder)
    shutil.rmtree(folder / "model")
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    for width in (4, 8):
        config = LlamaConfig(
            vocab_size=made.get_vocab_size(), hidden_size=width, num_hidden_layers=1, intermediate_size=8,
            num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=32,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder / f"m{width}")
        PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]").save_pretrained(folder / f"m{width}")
    (folder / "family.toml").write_text((folder / "family.toml").read_text().replace("./nowhere", "./m"))
    found = cold(Case(tuple("lm study family.toml --corpus a=a.txt -o study".split()), folder, seconds=60))
    assert found.code == 0, found.err


def write_corpora(folder: Path) -> None:
    """The same text as prose, JSON lines and Parquet, with a tokenizer."""
    import pandas as pd

    text = "the cat sat on the mat and the dog ran to it\n" * 20
    (folder / "a.txt").write_text(text)
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": line, "n": i}) + "\n" for i, line in enumerate(text.splitlines())))
    pd.DataFrame({"text": text.splitlines()}).to_parquet(folder / "a.parquet")
    write_tokenizer(folder / "tokenizer.json")


@dataclass(frozen=True)
class Mixed(Format):
    """Several files of several kinds, each spoilt in its own way, each read by commands of its own."""

    kinds: tuple[tuple[str, Mutator, tuple[str, ...]], ...] = ()

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        target, spoil, commands = rng.choice(self.kinds)
        one = Format(self.name, self.write, target, spoil, commands, self.codes, self.may_change)
        return one.case(example, folder, rng)

    @property
    def every_command(self) -> tuple[str, ...]:
        return tuple(command for *_, commands in self.kinds for command in commands)


# ---- expressions

HANDWRITTEN = (
    "1/0", "1//0", "0**-1", "9**9**9", "9**9**9**9", "10**400", "(-1)**0.5", "1e308*10", "-family", "family%2", "family*3", "family+1",
    "family % width", "'%s' % width", "'%9999999999d' % 1", "'%999999999s' % family", "'a'*999999999", "'%(a)s' % 1", "family * 1e9",
    "[1,2]", "[width]", "[[1],[2,3]]", "width in [1,'a']", "width in width", "width in []", "family in 'ab'", "width in [[1],[2,3]]",
    "not [1,2]", "[1,2] == width", "width == [1,2]", "width > [1]", "-[1]", "log([1,2])", "log('a')", "log(family)", "exp(1000)", "sqrt(-1)",
    "log(0)", "log(-width)", "abs(family)", "width and family", "family and family", "not family", "width or 'a'", "True", "False", "1", "'a'",
    "None", "...", "1j", "b'a'", "width.real", "width.__class__", "width[0]", "width[:2]", "(lambda: 1)()", "[x for x in width]",
    "__import__('os').system('touch canary')", "open('canary','w')", "eval('1')", "exec('1')", "`__import__('os')`", "``", "`", "``width``",
    "`a` > `b`", "_column_0", "`_column_0`", "width := 3", "width = 3", "width == ", "", " ", "\n", "(" * 200 + "width" + ")" * 200,
    "-" * 5000 + "1", "(" * 5000 + "1" + ")" * 5000, "+".join(["width"] * 5000), "not " * 3000 + "width", "width" + "**1" * 3000,
    "[" * 90 + "1" + "]" * 90, "1<2<3<width<5", "width is None", "width is not 1", "width if width else 1", "f'{width}'", "width @ width",
    "width // 2", "width << 1", "~width", "width & 1", "+width", "width ** width", "width ** -width ** width", "width % 0", "width / 0 > 1",
    "1 > 0", "1 < width", "family > 1", "family > 'a'", "family == 1", "family != 3", "family != 'a'", "family", "width", "loss", "nan", "inf",
    "loss > nan", "1e400", "width == 1e400", "0x10 < width", "1_000 < width", "9" * 5000, "width > " + "9" * 400, "width > -" + "9" * 400,
    "*width", "**width", "width,", "width, width", "(width,)", "{1}", "{1:2}", "{width}", "log()", "log(1,2)", "log(x=1)", "log(*width)",
    "log", "log > 1", "log(log)", "sum(width)", "max(width)", "\ud800", "'\ud800'", "width > '\x00'", "width\x00", "\x1b[31mwidth", "#", "width # x",
    "width;1", "import os", "width > 1 ; import os", "yield", "await width", "'a' 'b'", "'" + "a" * 100000 + "'", "w" * 100000, "é > 1", "ｗidth > 1",
    "width > 1 and", "and", "not", "in", "width not in [16]", "width in (16, 32)", "width in (16)", "family in ['a']", "family not in ['a', 1]",
    "True + True", "-True", "True == width", "'a' < 'b'", "'a' + 'b'", "'a' * 3", "3 * 'a'", "'a' % 1", "1 % 'a'", "width % 'a'", "'%d' % 3 == family",
    "abs(-1) > 0", "(width > 1) * (loss < 3)", "(width > 1) + 1", "-(width > 1)", "width > 1 > family", "log10(width) ** 1e300", "exp(exp(exp(width)))",
    "[1] * 999999999", "[1] * 999999999 == width", "width * [1]", "[1] + [2]", "[1] * width", "'' in family", "family == family", "loss == loss",
    "1 if 1 else 0", "width == width == width", "not not width > 1", "[not width]", "[width > 1][0]", "-1e999 < width",
)  # fmt: skip
NAMES = ("width", "loss", "family", "tokens", "`cell`", "nope")


def expression(rng: Random, depth: int = 0) -> str:
    """A drawn expression; many are none."""
    inner = lambda: expression(rng, depth + 1)  # noqa: E731
    kind = rng.randrange(10) if depth < 5 else 0
    if kind < 3:
        return rng.choice((*NAMES, *NAMES, "1", "0", "-1", "2.5", "1e9", "'a'", "'%d'", "1e308", "1000000000", "True", "None", "[1, 2]", "[]", "'x'"))
    if kind < 6:
        return f"{inner()} {rng.choice(('+', '-', '*', '/', '**', '%', '//', '@', '<<'))} {inner()}"
    if kind == 6:
        return f"{inner()} {rng.choice(('<', '<=', '==', '!=', '>', 'in', 'not in', 'is'))} {inner()}"
    if kind == 7:
        return f"({inner()} {rng.choice(('and', 'or'))} {inner()})"
    if kind == 8:
        return f"{rng.choice(('log', 'exp', 'sqrt', 'abs', 'not ', '-', 'log2', 'sum', ''))}({inner()})"
    return f"[{inner()}, {inner()}]"


@dataclass(frozen=True)
class Expressions(Format):
    """--where and --let of a good table."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        text = rng.choice(HANDWRITTEN) if rng.random() < 0.3 else expression(rng)
        if rng.random() < 0.15:
            text = mutate_bytes(text.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "ignore")
        return self.of(text, example, folder, rng)

    def of(self, text: str, example: Path, folder: Path, rng: Random) -> Case:
        """The case of one expression."""
        shutil.copytree(example, folder)
        text = text.replace("\x00", "")  # which no command line can hold
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:120_000]
        if rng.random() < 0.5:
            given = ("law", "fit", "t.csv", "--law", "power:width", "--interval", "none", "--json", "--where", text)
        elif rng.random() < 0.5:
            given = ("law", "fit", "t.csv", "--law", "power:z", "--interval", "none", "--json", "--let", f"z={text}")
        else:
            given = ("figure", "exponents", "--store", "runs.csv", "-o", "f.svg", "--where", text)
        return Case(given, folder)


def write_expressions(folder: Path) -> None:
    write_gathered(folder)
    frame().to_csv(folder / "t.csv", index=False)


# ---- what is typed

@dataclass(frozen=True)
class Typed(Format):
    """Options that are numbers, names, lists: each given what it does not expect."""

    def case(self, example: Path, folder: Path, rng: Random) -> Case:
        shutil.copytree(example, folder)
        words = list(rng.choice(self.commands).split())
        places = [i for i, word in enumerate(words) if i > 0 and not word.startswith("-")]
        i = rng.choice(places)
        head, equals, tail = words[i].rpartition("=")
        odd = odd_value(rng, 3)
        text = rng.choice((str(odd), str(odd), words[i] + "," + words[i], "", "-1", "nan", "inf", "1e400", "\n", "a b", "=", ",", "=,=", "0x1",
                           "१२", "1e9", "--", "--json", "٣", "1" * 5000))[:100_000]  # fmt: skip
        words[i] = (head + equals + text) if equals and rng.random() < 0.6 else text
        words = [w.replace("\x00", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace") for w in words]
        # a number that is a lot of work when it is taken is no attack: the command may say so and begin
        return Case(tuple(words), folder, self.codes, self.may_change)


def write_typed(folder: Path) -> None:
    write_store(folder)
    frame().to_csv(folder / "t.csv", index=False)
    write_fits(folder)
    write_heads(folder)


TYPED = (
    "law fit t.csv --law power:width --loss loss --level 0.9 --interval none --json", "law fit t.csv --law additive:width,tokens --interval none",
    "law fit t.csv --law power:width --where width>20 --let a=width*2 --interval none --drop-highest 2 --objective log-huber --delta 0.001 --json",
    "law fit t.csv --law power:width --cluster cell --bootstrap 20 --seed 3 --weights weight", "law optimum chinchilla.json --flops 1e18 --json",
    "law optimum power.json --loss 2.0 --of width --json", "law optimum additive.json --loss 2.0 --of width --at depth=4 --at tokens=1e9 --json",
    "law optimum additive.json --params 1e6 --width width --depth depth --tokens tokens", "shape best --params 1e9 --tokens 1e9 --fit additive.json --multiple 8 --json",
    "shape compare --a width=64,depth=4 --b width=32,depth=8 --features 1e5 --tokens 1e9 --vocabulary 100 --json",
    "sweep status plan.toml --store store --only width=2,4 --set batch=128 --seeds 0,1 --json", "sweep run plan.toml --store s2 --dry-run --limit 3 --keep losses --json",
    "sweep run plan.toml --store s2 --dry-run --only width=2 --workers 1 --engine fused", "show run.safetensors --groups --json",
    "lm head head.npy --seed 1 --pairs auto --json", "lm head head.safetensors --tensor lm_head.weight --leave-out duplicate", "lm head model --json --centre",
    "figure strong --store store -o f.png --where steps==1000 --json", "sweep gather store -o g.csv", "sweep table plan.toml --store store -o t.parquet",
    "data fetch chinchilla --json", "law compare t.csv --law power:width --law broken:width --folds 3 --cut-by width --json",
)  # fmt: skip

JSONL = lambda folder: frame().to_json(folder / "t.jsonl", orient="records", lines=True)  # noqa: E731
FORMATS = {
    one.name: one
    for one in (
        Format("run", write_run, "run.safetensors", spoil_run, (
            "show run.safetensors", "show run.safetensors --json", "show run.safetensors --groups --json",
            "train --spec run.safetensors --steps 2 --warmup 1 --out out.safetensors --json",
        ), weight=2),
        Format("store", write_store, "store/*.safetensors", spoil_run, (
            "sweep status plan.toml --store store --json", "sweep verify --store store --keep --json", "sweep gather store -o g.csv",
            "sweep table plan.toml --store store -o t2.csv", "sweep status plan.toml --store store",
            "figure exponents --store store -o f.svg", "figure strong --store store -o f.svg --json", "sweep run plan.toml --store store --dry-run --json",
            "sweep grid plan.toml --store store -o g.nc", "sweep verify --store store",
        ), codes=FAILED_SOME, weight=3),
        Format("spec", write_store, "spec.json", mutate_json, ("train --spec spec.json --steps 2 --warmup 1 --batch 8 --out out.safetensors --json",)),
        Format("plan", write_plan, "plan.toml", mutate_toml, (
            "sweep run plan.toml --store s --dry-run --json", "sweep run plan.toml --store s --dry-run", "sweep status plan.toml --store s --json",
            "sweep table plan.toml --store s -o t.csv", "sweep status plan.toml --store s --only width=2",
        ), weight=2),
        Format("gathered", write_gathered, "runs.csv", mutate_csv, (
            "sweep gather runs.csv -o g.csv", "figure exponents --store runs.csv -o f.svg", "figure strong --store runs.csv -o f.svg --json",
            "figure overview --store runs.csv -o f.svg", "figure exponents --store runs.csv -o f.svg --where width>=2",
        ), weight=2),
        Format("csv", lambda f: frame().to_csv(f / "t.csv", index=False), "t.csv", mutate_csv, fits("t.csv"), weight=3),
        Format("jsonl", JSONL, "t.jsonl", mutate_lines, fits("t.jsonl"), weight=2),
        Format("parquet", lambda f: frame().to_parquet(f / "t.parquet"), "t.parquet", spoil_parquet, fits("t.parquet"), weight=2),
        Fits("fit", write_fits, "[acgp]*.json", mutate_json, (
            "law optimum fit.json --flops 1e18 --json", "law optimum fit.json --loss 2.0 --of width --at tokens=1e9 --at depth=2 --at family=a --json",
            "law optimum fit.json --params 1e6", "shape best --params 1e9 --fit fit.json --json", "shape best --params 1e9 --fit fit.json --plot f.svg",
            "shape compare --a width=64,depth=4 --b width=32,depth=8 --fit fit.json --json", "law optimum fit.json --loss 2.0",
        ), weight=3),
        Mixed("counts", write_counts, "", mutate_bytes, (), kinds=(
            ("counts.json", mutate_json, (f"train --frequencies counts.json {TRAIN}", "lm head head.npy --tokens counts.json --json", "lm head head.npy --tokens counts.json")),
            ("list.json", mutate_json, (f"train --frequencies list.json {TRAIN}",)),
            ("counts.csv", mutate_csv, (f"train --frequencies counts.csv {TRAIN}",)),
            ("prose.txt", mutate_text, (f"train --text prose.txt {TRAIN}",)),
        ), weight=2),
        Mixed("head", write_heads, "", mutate_bytes, (), kinds=(
            ("head.npy", spoil_npy, ("lm head head.npy", "lm head head.npy --json", "lm head head.npy --centre --json --plot f.svg", "lm head head.npy --pairs exact --leave-out duplicate")),
            ("head.safetensors", spoil_safetensors, ("lm head head.safetensors --json", "lm head head.safetensors --tensor model.embed_tokens.weight", "lm head head.safetensors --centre --plot f.svg")),
            ("model/*.safetensors", spoil_safetensors, ("lm head model --json", "lm head model --tensor model.embed_tokens.weight --json")),
            ("model/*index.json", mutate_json, ("lm head model --json",)),
            ("model/config.json", mutate_json, ("lm head model --json", "shape compare --a model --b width=32,depth=8 --json", "shape compare --a model/config.json --b model --vocabulary 20")),
            ("model/tokenizer.json", mutate_json, ("lm head model --json", "lm head model --leave-out padded --leave-out duplicate")),
        ), weight=3),
        Mixed("family", write_family, "", mutate_bytes, (), codes=FAILED_SOME, may_change=("study",), kinds=(
            ("family.toml", mutate_toml, ("lm study family.toml --corpus a=a.txt -o study --json", "lm study family.toml --corpus a=a.txt -o study")),
        )),
        Mixed("losses", write_losses, "", mutate_bytes, (), codes=FAILED_SOME, kinds=(
            ("losses.csv", mutate_csv, ("lm loss ./m4 ./m8 --corpus a=a.txt -o losses.csv --json", "lm loss ./m4 ./m8 --corpus a=a.txt -o losses.csv")),
        )),
        Mixed("study", write_study, "", mutate_bytes, (), codes=FAILED_SOME, may_change=("study",), kinds=(
            ("study/study.json", mutate_json, ("figure llm --study study -o f.svg", "figure llm --study study -o f.svg --json")),
            ("study/losses.csv", mutate_csv, ("figure llm --study study -o f.svg", "lm study family.toml --corpus a=a.txt -o study --json")),
            ("study/*/*.json", mutate_json, ("lm study family.toml --corpus a=a.txt -o study --json", "figure llm --study study -o f.svg")),
        )),
        Mixed("corpus", write_corpora, "", mutate_bytes, (), kinds=(
            ("a.txt", mutate_text, ("lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json --json", "lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json")),
            ("a.jsonl", mutate_lines, ("lm tokens --tokenizer tokenizer.json --corpus a=a.jsonl -o c.json --json",)),
            ("a.parquet", mutate_bytes, ("lm tokens --tokenizer tokenizer.json --corpus a=a.parquet -o c.json --json",)),
            ("tokenizer.json", mutate_json, ("lm tokens --tokenizer tokenizer.json --corpus a=a.txt -o c.json --json", "lm tokens --tokenizer . --corpus a=a.jsonl -o c.json")),
        ), weight=2),
        Expressions("expression", write_expressions, "", mutate_bytes, (), weight=3),
        Typed("typed", write_typed, "", mutate_bytes, TYPED, codes=FAILED_SOME, may_change=("store", "s2"), weight=2),
    )
}  # fmt: skip
