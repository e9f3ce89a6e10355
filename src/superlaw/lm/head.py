"""The unembedding matrix of a checkpoint: found by name, read alone, checked against its config.

Features are tokens and W is the language-model head, n = vocabulary rows by m = hidden size
([LLG] section 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from superlaw.errors import InputError, closest
from superlaw.files.tensors import short
from superlaw.lm.arrays import RawMatrix
from superlaw.lm.checkpoint import Checkpoint, open_checkpoint
from superlaw.lm.config import WIDTHS, flat_config

# A prefix (model., transformer., language_model. ...) may come before each of these.
HEADS = ("lm_head.weight", "embed_out.weight", "output.weight")
INPUT_EMBEDDINGS = (
    "model.embed_tokens.weight", "transformer.wte.weight", "wte.weight", "decoder.embed_tokens.weight",
    "gpt_neox.embed_in.weight", "embed_tokens.weight", "embed_in.weight", "word_embeddings.weight",
    "tok_embeddings.weight", "token_embd.weight",
)  # fmt: skip
ENCODER_EMBEDDINGS = (
    "embeddings.word_embeddings.weight",
    "word_embeddings.weight",
    "shared.weight",
    "token_embd.weight",
)
ENCODER_PART = re.compile(r"(^|\.)(attention\.self\.query|encoder\.layer|cls\.predictions|token_types\.weight)")
PROJECTED = ("word_embed_proj_dim", "embedding_size")  # widths of a matrix that stands behind a projection
# Between brackets: "unused" and "reserved" alone are words.
PLACEHOLDER = re.compile(r"[\[<]\W*(unused|reserved|extra_id|extra_token|dummy)\w*\W*[\]>]|madeupword\d+", re.I)


@dataclass(frozen=True, eq=False)
class Head:
    """One unembedding matrix.

    Parameters
    ----------
    name : str
        The model as the user named it.
    tensor, why : str
        Which tensor, and why this one.
    W : ndarray, shape (n, m)
        Rows as stored (bf16, fp16, fp32 or fp64), often mapped from the file.
    hidden_size : int or None
        The model's width by its config; differs from m where a projection stands before the head.
    n_tokens : int or None
        Rows that the tokenizer names; rows beyond are padding.
    placeholders : ndarray of int
        Rows of tokens named as unused or reserved.
    notes : tuple of str
    """

    name: str
    tensor: str
    why: str
    W: np.ndarray
    hidden_size: int | None = None
    n_tokens: int | None = None
    placeholders: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    notes: tuple[str, ...] = ()


def load_head(
    model: str | Path, tensor: str | None = None, encoder: bool = False, follow_links: bool = False,
    *, transpose: bool = False,
) -> Head:  # fmt: skip
    """Find and read the unembedding matrix of a model, and nothing else of it.

    Parameters
    ----------
    model : str or Path
        A model folder, a file of tensors (.safetensors, .gguf, .npy, .npz, .bin, .pt) or a hub id.
    tensor : str, optional
        The tensor to use; found by name when None.
    encoder : bool
        Take the word embeddings of an encoder, which has no head.
    follow_links : bool
        Follow links out of the model's folder.
    transpose : bool
        Take the matrix as width by tokens.

    Raises
    ------
    InputError
        When there is no head, the tensor is no matrix, or the config contradicts it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "W.npy", np.eye(3, 2, dtype=np.float32))
    >>> head = load_head(folder / "W.npy")
    >>> head.tensor, head.W.shape, head.why
    ('W', (3, 2), 'the only tensor of the file')
    """
    found = open_checkpoint(model, follow_links)
    name, why = choose_tensor(found, tensor, encoder)
    W = found.tensors[name]()
    if W.ndim != 2 or 0 in W.shape or not (W.dtype.kind == "f" or W.dtype.name == "bfloat16"):
        raise InputError(
            f"{model}: {short(name)} of shape {W.shape} and type {W.dtype}",
            "a matrix of floating-point numbers, tokens by width", "choose another with --tensor",
        )  # fmt: skip
    W, why = _turned(W, why, transpose)
    hidden, notes = _check_config(found, name, W, tensor is not None)
    n_tokens, placeholders = _vocabulary(found, len(W))
    return Head(str(model), name, why, W, hidden, n_tokens, placeholders, notes)


def load_raw(place: str | RawMatrix, *, transpose: bool = False) -> Head:
    """Read a head that lies at a known place of any file.

    Parameters
    ----------
    place : str or RawMatrix
        ``FILE:DTYPE:ROWS:COLS:OFFSET``, the offset of the first byte; FILE may be ``A+B``, files read as one.
    transpose : bool
        Take the matrix as width by tokens.

    Raises
    ------
    InputError
        When the text is not of that form, a file is missing, or the files end before the matrix does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.bin"
    >>> _ = path.write_bytes(b"header" + np.eye(3, 2, dtype=np.float16).tobytes())
    >>> load_raw(f"{path}:f16:3:2:6").W.sum()
    np.float16(2.0)
    """
    place = RawMatrix.parse(place) if isinstance(place, str) else place
    W, why = _turned(place.read(), "named by --raw", transpose)
    return Head(place.name, f"{place.dtype.lower()} {place.rows} x {place.cols} at byte {place.offset}", why, W)


def _turned(W: np.ndarray, why: str, transpose: bool) -> tuple[np.ndarray, str]:
    """The matrix, or its columns as rows, and why this one."""
    return (np.ascontiguousarray(W.T), f"{why}, transposed") if transpose else (W, why)


def choose_tensor(found: Checkpoint, tensor: str | None = None, encoder: bool = False) -> tuple[str, str]:
    """Name of the tensor to read, and why: the head, else the input embedding that stands in for it.

    Examples
    --------
    >>> tied = Checkpoint("m", {"transformer.wte.weight": None, "transformer.wpe.weight": None}, {})
    >>> choose_tensor(tied)
    ('transformer.wte.weight', 'input embedding, tied to the head: the checkpoint has no head of its own')
    """
    names = list(found.tensors)
    if tensor is not None:
        if tensor not in names:
            raise InputError(f"--tensor {tensor}, not in {found.name}", "a tensor of it", _suggest(tensor, names))
        return tensor, "named by --tensor"
    if encoder:
        if word := _first(names, ENCODER_EMBEDDINGS):
            return word, "word embeddings of an encoder"
        raise InputError(f"{found.name}, without word embeddings", "--tensor NAME", _suggest("", names))
    if head := _first(names, HEADS):
        return head, "the head of the checkpoint"
    if len(names) == 1 and found.config is None:
        return names[0], "the only tensor of the file"
    if (word := _first(names, ENCODER_EMBEDDINGS)) and any(ENCODER_PART.search(name) for name in names):
        raise InputError(
            f"{found.name}, an encoder without a language-model head", "a decoder",
            f"--encoder measures its word embeddings ({short(word)})",
        )  # fmt: skip
    if embedding := _first(names, INPUT_EMBEDDINGS):
        if flat_config(found.config).get("tie_word_embeddings") is False:
            raise InputError(
                f"{found.name}, whose config says that its head is not tied, and which has none",
                "a checkpoint with its head", f"--tensor {embedding} measures its input embedding",
            )  # fmt: skip
        return embedding, "input embedding, tied to the head: the checkpoint has no head of its own"
    raise InputError(f"{found.name}, without a head among {len(names)} tensors", "--tensor NAME", _suggest("", names))


def _first(names: list[str], endings: tuple[str, ...]) -> str | None:
    """The first ending that some name has; the shortest such name."""
    for ending in endings:
        matches = [name for name in names if name == ending or name.endswith(f".{ending}")]
        if matches:
            return min(matches, key=len)
    return None


def _suggest(tensor: str, names: list[str]) -> str:
    if tensor and (suggestion := closest(tensor, names)):
        return suggestion
    some = ", ".join(short(name) for name in sorted(names)[:4])
    return f"it has {some}" + (", ..." if len(names) > 4 else "")


def _check_config(found: Checkpoint, name: str, W: np.ndarray, chosen: bool) -> tuple[int | None, tuple[str, ...]]:
    """The config's width, and notes; a config that contradicts the tensor is refused."""
    config = flat_config(found.config)
    whole = {key: value for key, value in config.items() if type(value) is int and value > 0}
    n, m = W.shape
    widths = {key: whole[key] for key in (*WIDTHS, *PROJECTED) if key in whole}
    hidden = next((widths[key] for key in WIDTHS if key in widths), None)
    if chosen:  # any matrix may be looked at, whatever the config says of the head
        return hidden, ()
    do = "the config or the weights belong to another model; --tensor measures it all the same"
    if n < (vocabulary := whole.get("vocab_size", 0)):
        got = f"{found.name}: {short(name)} of {n} rows, with a config of {vocabulary} tokens"
        raise InputError(got, "a row for every token", do)
    if widths and m not in widths.values():
        stated = ", ".join(f"{key} = {value}" for key, value in widths.items())
        raise InputError(f"{found.name}: {short(name)} of width {m}, with a config of {stated}", "the same width", do)
    if hidden and hidden != m:
        return hidden, (f"a projection stands between the hidden size {hidden} and this matrix of width {m}",)
    return hidden, ()


def _vocabulary(found: Checkpoint, n: int) -> tuple[int | None, np.ndarray]:
    """Rows named by the tokenizer, and rows of placeholder tokens; (None, none) without a tokenizer."""
    record = found.tokenizer or {}
    model = record["model"] if isinstance(record.get("model"), dict) else {}
    vocabulary = model.get("vocab")
    ids: dict[str, int] = {}
    if isinstance(vocabulary, dict):
        ids = {token: i for token, i in vocabulary.items() if type(i) is int}
    elif isinstance(vocabulary, list):  # Unigram: a list of [token, score]
        ids = {str(pair[0]): i for i, pair in enumerate(vocabulary) if isinstance(pair, list) and pair}
    added = record.get("added_tokens")
    for token in added if isinstance(added, list) else ():
        if isinstance(token, dict) and type(token.get("id")) is int:
            ids[str(token.get("content"))] = token["id"]
    inside = {token: i for token, i in ids.items() if 0 <= i < n}
    if not inside:
        return None, np.empty(0, np.int64)
    rows = sorted(i for token, i in inside.items() if PLACEHOLDER.fullmatch(token))
    return max(inside.values()) + 1, np.array(rows, dtype=np.int64)
