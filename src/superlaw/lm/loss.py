"""Next-token cross-entropy of causal models on texts: nats a token, bits a byte, with an error.

A text of T tokens has T - 1 predicted ones, and texts are weighted by these. Texts are cut at the smaller
of ``max_length`` and the model's context, batched by length, padded on the right under a mask. Special
tokens are those that the model's own tokenizer adds ([LLG-code] does the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from superlaw.errors import InputError, MissingExtraError, SuperlawError
from superlaw.files.columns import printable
from superlaw.lm.config import is_path
from superlaw.lm.corpora import Corpus, documents
from superlaw.lm.hub import HubModel
from superlaw.lm.loss_table import Loss, LossOptions, losses_in, read_losses, write_losses

CONTEXTS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
Watch = Callable[[int, int], None]


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
    InputError
        When there is no such model, it lacks weights or a tokenizer, or it is not causal.
    MissingExtraError
        Without torch or transformers.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtraError("losses", "lm")
    place, revision = _place(name)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = options.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    tokenizer = AutoTokenizer.from_pretrained(place, revision=revision, trust_remote_code=False)
    if not tokenizer("a text", add_special_tokens=False)["input_ids"]:  # the library makes an empty one of no files
        raise InputError(f"{name}, whose tokenizer makes no token of a text", "a tokenizer.json beside the weights")
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        place, revision=revision, dtype=getattr(torch, dtype), trust_remote_code=False, output_loading_info=True
    )
    model, info = loaded
    if missing := sorted(info["missing_keys"]):  # the library would fill them with random numbers
        raise InputError(f"{name} without {len(missing)} weights of a causal model ({missing[0]}, ...)", "all of them")
    model = model.to(device).eval()
    check_causal(model, name, device)
    config = model.config.get_text_config()
    context = next((getattr(config, key) for key in CONTEXTS if isinstance(getattr(config, key, None), int)), None)
    return LoadedModel(str(name), model, tokenizer, context, dtype, device)


def _place(name: str) -> tuple[str, str]:
    """A folder, or a hub id and its revision, from a hub that has it: the library would try for minutes."""
    if Path(name).is_dir():
        return name, "main"
    if is_path(name):
        raise InputError(f"{name}, which is no folder", "a model folder or a hub id")
    model = HubModel.parse(name)
    model.text("config.json")
    return model.repository, model.revision


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
    anew: bool = False,
) -> list[Loss]:
    """Losses of every model on every corpus, written to ``out`` as each is known.

    What ``out`` already holds is not computed again, unless ``anew``: then the first loss that is known replaces the
    table, whatever it was made with. A failure is recorded and the others go on.

    Raises
    ------
    InputError
        When ``out`` was made with other options or is no such table.
    """
    models = list(models)
    done: dict[tuple[str, str], Loss] = {}
    if anew:
        losses_in(out)  # no other file is replaced by losses
    else:
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
    """One line of what a library, a server or a file says, none of which steers a terminal."""
    text = printable(" ".join(str(error).split())[:300])
    return text if isinstance(error, SuperlawError) else f"{type(error).__name__}: {text}"
