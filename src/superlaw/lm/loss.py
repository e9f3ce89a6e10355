"""Next-token cross-entropy of causal models on texts: nats a token, bits a byte, with an error.

A text of T tokens has T - 1 predicted ones, and texts are weighted by these. Texts are cut at the smaller
of ``max_length`` and the model's context, batched by length, padded on the right under a mask. Special
tokens are those that the model's own tokenizer adds ([LLG-code] does the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError, MissingExtraError, SuperlawError
from superlaw.lm.corpora import Corpus, check_rule, documents

CONTEXTS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
DTYPES = ("auto", "float32", "bfloat16")
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class LossOptions:
    """How texts are cut and models run.

    Parameters
    ----------
    document : str
        How plain text is cut into documents: line, blank, words:N or file.
    max_length : int
        Tokens of a document, at most; the model's context where that is smaller.
    documents : int
        The first so many documents of each corpus.
    batch_tokens : int
        Tokens of a batch, padding included; a longer document is a batch of its own.
    dtype : {"auto", "float32", "bfloat16"}
        auto is bfloat16 on a GPU and float32 elsewhere.
    device : str
        auto, cpu, cuda, ...
    """

    document: str = "words:1024"
    max_length: int = 2048
    documents: int = 1000
    batch_tokens: int = 4096
    dtype: str = "auto"
    device: str = "auto"

    def __post_init__(self):
        check_rule(self.document)
        for name, least in (("max_length", 2), ("documents", 1), ("batch_tokens", 2)):
            if getattr(self, name) < least:
                raise InputError(f"{name} = {getattr(self, name)}", f"{least} or more")
        if self.dtype not in DTYPES:
            raise InputError(f"--dtype {self.dtype}", f"one of {', '.join(DTYPES)}")


@dataclass(frozen=True)
class Loss:
    """The loss of one model on one corpus; ``status`` is ok, or failed with the reason in ``message``.

    ``loss`` is in nats a predicted token; ``stderr`` treats documents as independent (NaN with one);
    ``tokens`` counts predicted tokens and ``bytes`` the text they stand for; ``cut`` documents were longer
    than ``context`` (the smaller of max_length and the model's), ``short`` ones had no token to predict.
    """

    model: str
    corpus: str
    source: str
    status: str
    loss: float
    stderr: float
    bits_per_byte: float
    tokens: int
    bytes: int
    n_documents: int
    cut: int
    short: int
    context: int
    bos: str
    document: str
    max_length: int
    documents: int
    batch_tokens: int
    dtype: str
    device: str
    message: str = ""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model ready to be evaluated, with its tokenizer."""

    name: str
    model: Any
    tokenizer: Any
    context: int | None
    dtype: str
    device: str


def load_model(name: str, options: LossOptions) -> LoadedModel:
    """Load a causal model and its tokenizer; code that comes with a checkpoint is never run.

    Raises
    ------
    MissingExtraError
        Without torch or transformers.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError:
        raise MissingExtraError("losses", "lm") from None
    logging.disable_progress_bar()
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = options.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    if str(name)[:1] in "./~" and not Path(name).is_dir():
        raise InputError(f"{name}, which is no folder", "a model folder or a hub id")
    tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    model, info = AutoModelForCausalLM.from_pretrained(
        name, dtype=getattr(torch, dtype), trust_remote_code=False, output_loading_info=True
    )
    if missing := sorted(info["missing_keys"]):  # the library would fill them with random numbers
        raise InputError(f"{name} without {len(missing)} weights of a causal model ({missing[0]}, ...)", "all of them")
    model = model.to(device).eval()
    check_causal(model, name, device)
    config = model.config.get_text_config()
    context = next((getattr(config, key) for key in CONTEXTS if isinstance(getattr(config, key, None), int)), None)
    return LoadedModel(str(name), model, tokenizer, context, dtype, device)


def check_causal(model: Any, name: str, device: str = "cpu") -> None:
    """Refuse a model whose prediction changes with the tokens that come after it: an encoder, say."""
    import torch

    with torch.inference_mode():
        first, other = (model(input_ids=torch.tensor([[1, 0, last]], device=device)).logits[0, :2] for last in (0, 1))
    if (first - other).abs().max() > 1e-2 * first.abs().max():
        raise InputError(f"{name}, which sees the tokens it should predict", "a causal model")


def evaluate(loaded: LoadedModel, corpus: Corpus, options: LossOptions, watch: Watch | None = None) -> Loss:
    """Loss of a loaded model on a corpus.

    Raises
    ------
    InputError
        When no document has a token to predict, or the loss is not finite.
    """
    context = min(options.max_length, loaded.context or options.max_length)
    texts, short, cut = [], 0, 0
    for text in islice(documents(corpus, options.document), options.documents):
        ids, size, longer = _tokenise(loaded.tokenizer, text, context)
        if len(ids) < 2:
            short += 1
            continue
        texts.append((ids, size))
        cut += longer
    if not texts:
        raise InputError(f"{corpus.source} without a document of two tokens", "a text to predict")
    vocabulary = loaded.model.get_input_embeddings().weight.shape[0]
    largest = max(max(ids) for ids, _ in texts)
    if largest >= vocabulary:
        raise InputError(f"{loaded.name}: the token {largest} and {vocabulary} embeddings", "its own tokenizer")
    sums, predicted = np.zeros(len(texts)), np.array([len(ids) - 1 for ids, _ in texts], dtype=np.float64)
    done = 0
    for batch in batches([len(ids) for ids, _ in texts], options.batch_tokens):
        sums[batch] = document_nats(loaded.model, [texts[i][0] for i in batch], loaded.device)
        done += len(batch)
        if watch:
            watch(done, len(texts))
    total, loss = predicted.sum(), sums.sum() / predicted.sum()
    if not np.isfinite(loss):
        raise InputError(f"{loaded.name}: a loss of {loss} on {corpus.name}", "a finite loss", "try --dtype float32")
    residual, n = sums - loss * predicted, len(texts)
    stderr = float(np.sqrt(n / (n - 1) * residual @ residual) / total) if n > 1 else float("nan")
    size = sum(size for _, size in texts)
    bits = float(sums.sum() / np.log(2) / size) if size else float("nan")
    return Loss(
        loaded.name, corpus.name, corpus.source, "ok", float(loss), stderr, bits, int(total), size, n, cut, short,
        context, bos_handling(loaded.tokenizer), **{**asdict(options), "dtype": loaded.dtype, "device": loaded.device},
    )  # fmt: skip


def batches(lengths: list[int], batch_tokens: int) -> Iterator[list[int]]:
    """Places of documents, longest first, in batches of at most ``batch_tokens`` with padding.

    Examples
    --------
    >>> list(batches([3, 9, 4, 4], 10))
    [[1], [2, 3], [0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batch: list[int] = []
    for i in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def document_nats(model: Any, documents: list[list[int]], device: str = "cpu") -> np.ndarray:
    """Sum of -log p of the predicted tokens of each document, shape (documents,), in float32 or better."""
    import torch

    longest = max(map(len, documents))
    ids = torch.zeros((len(documents), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, document in enumerate(documents):
        ids[row, : len(document)] = torch.tensor(document)
        mask[row, : len(document)] = 1
    ids, mask = ids.to(device), mask.to(device)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        found = []
        for row in range(len(documents)):  # one document at a time: its float32 logits are the largest array
            length = int(mask[row].sum())
            each = torch.nn.functional.cross_entropy(
                logits[row, : length - 1].float(), ids[row, 1:length], reduction="none"
            )
            found.append(float(each.double().sum()))
    return np.array(found)


def bos_handling(tokenizer: Any) -> str:
    """Which special tokens the tokenizer puts around a text, in words."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    extra = len(full) - len(plain)
    if not extra:
        return "none added"
    before = next((i for i in range(extra + 1) if full[i : i + len(plain)] == plain), 0)
    return f"{before} before, {extra - before} after the text"


def _tokenise(tokenizer: Any, text: str, context: int) -> tuple[list[int], int, bool]:
    """Ids of a text cut at the context, bytes of the text that is predicted, and whether it was cut."""
    fast = getattr(tokenizer, "is_fast", False)
    encoded = tokenizer(text, truncation=False, return_offsets_mapping=fast, verbose=False)
    ids = encoded["input_ids"]
    size = 0
    if fast and len(ids) > 1:
        ends = np.maximum.accumulate([end for _, end in encoded["offset_mapping"]][:context])
        size = len(text[ends[0] : ends[-1]].encode("utf-8", "surrogatepass"))
    return list(ids[:context]), size, len(ids) > context


def measure_losses(
    models: Iterable[str],
    corpora: list[Corpus],
    options: LossOptions,
    out: Path,
    watch: Callable[[str, str, int, int], None] | None = None,
) -> list[Loss]:
    """Losses of every model on every corpus, written to ``out`` as each is known.

    What ``out`` already holds is not computed again; a failure is recorded and the others go on.

    Raises
    ------
    InputError
        When ``out`` was made with other options or is no such table.
    """
    from superlaw.lm.loss_table import read_losses, write_losses

    models = list(models)
    done = {(row.model, row.corpus): row for row in read_losses(out, options, corpora)}
    for name in models:
        missing = [one for one in corpora if (name, one.name) not in done or done[name, one.name].status != "ok"]
        if not missing:
            continue
        loaded, reason = None, ""
        try:
            loaded = load_model(name, options)
        except MissingExtraError:
            raise
        except Exception as error:  # transformers and the disk raise what they like; it is recorded
            reason = _reason(error)
        for one in missing:
            row = None
            if loaded is not None:
                report = (lambda d, t, n=name, c=one.name: watch(n, c, d, t)) if watch else None
                try:
                    row = evaluate(loaded, one, options, report)
                except Exception as error:  # out of memory on one corpus leaves the others
                    reason = _reason(error)
            done[name, one.name] = row or _failed(name, one, options, reason)
            write_losses(out, done.values())
    return [done[name, one.name] for name in models for one in corpora]


def _failed(name: str, corpus: Corpus, options: LossOptions, reason: str) -> Loss:
    nan = float("nan")
    return Loss(name, corpus.name, corpus.source, "failed", nan, nan, nan, 0, 0, 0, 0, 0, 0, "", **asdict(options),
                message=reason)  # fmt: skip


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] if isinstance(error, SuperlawError) else f"{type(error).__name__}: {text[:300]}"
