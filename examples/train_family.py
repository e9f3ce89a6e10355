"""Train a family of small causal transformers of fixed depth on a text of your own.

    python examples/train_family.py TEXT OUT            # about 10 minutes on 2 cores
    python examples/train_family.py TEXT OUT --tiny     # seconds, to see that everything works
    superlaw lm study OUT/family.toml --corpus NAME=HELD_OUT_TEXT -o STUDY

OUT gets one Hugging Face folder a width (config, safetensors, tokenizer) and family.toml. A width whose
folder is whole is not trained again. Everything is GPT-NeoX with an output matrix of its own (not tied).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import time
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

logging.disable_progress_bar()
END = "<|endoftext|>"


def make_tokenizer(text: Path, vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE trained on the text."""
    bpe = ByteLevelBPETokenizer()
    bpe.train([str(text)], vocab_size=vocabulary, special_tokens=[END], show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token=END, model_max_length=context)


def train(
    model: GPTNeoXForCausalLM, tokens: torch.Tensor, steps: int, batch: int, context: int, seed: int
) -> list[float]:
    """AdamW on random windows of the text; warm-up over a tenth of the steps, then a cosine to a tenth."""
    width = model.config.hidden_size
    peak = 3e-3 * math.sqrt(64 / width)
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95), weight_decay=0.1)
    random = torch.Generator().manual_seed(seed)
    losses = []
    for step in range(steps):
        warm, phase = (step + 1) / max(1, steps // 10), math.pi * step / steps
        for group in optimiser.param_groups:
            group["lr"] = peak * min(warm, 0.55 + 0.45 * math.cos(phase))
        starts = torch.randint(len(tokens) - context, (batch,), generator=random)
        windows = torch.stack([tokens[i : i + context] for i in starts]).to(model.device)
        loss = model(input_ids=windows, labels=windows).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64, 128, 192])
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--vocabulary", type=int, default=1024)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="Widths 8 to 24, 20 steps.")
    options = parser.parse_args()
    if options.tiny:
        options.widths, options.steps, options.vocabulary, options.context = [8, 12, 16, 20, 24], 20, 300, 32
    if not options.text.is_file():
        parser.error(f"{options.text} is no file; give a text to train on")
    if any(width < 4 or width % 4 for width in options.widths):
        parser.error("widths are multiples of 4 (heads of 4 or more dimensions)")

    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(options.text, options.vocabulary, options.context)
    tokens = torch.tensor(tokenizer(options.text.read_text(encoding="utf-8"), verbose=False)["input_ids"])
    if len(tokens) <= options.context:
        parser.error(f"{options.text} has {len(tokens)} tokens; the context is {options.context}")
    print(f"{options.text.name}: {len(tokens)} tokens of {len(tokenizer)}; "
          f"{options.steps} steps of {options.batch * options.context} tokens")  # fmt: skip
    for width in options.widths:
        folder = options.out / f"width-{width}"
        if folder.is_dir():
            print(f"width {width}: stored")
            continue
        torch.manual_seed(options.seed)
        heads = max(1, width // 32)
        model = GPTNeoXForCausalLM(GPTNeoXConfig(
            vocab_size=len(tokenizer), hidden_size=width, num_hidden_layers=options.depth, num_attention_heads=heads,
            intermediate_size=4 * width, max_position_embeddings=options.context, tie_word_embeddings=False,
            bos_token_id=0, eos_token_id=0, use_cache=False,
        )).to(options.device)  # fmt: skip
        start = time.perf_counter()
        losses = train(model, tokens, options.steps, options.batch, options.context, options.seed)
        part = options.out / f".width-{width}.{os.getpid()}"
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        record = {"steps": options.steps, "batch": options.batch, "context": options.context, "seed": options.seed,
                  "losses": losses, "seconds": time.perf_counter() - start}  # fmt: skip
        (part / "training.json").write_text(json.dumps(record))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        last = losses[-max(1, options.steps // 10) :]
        print(f"width {width}: training loss {sum(last) / len(last):.4f}, {record['seconds']:.0f} s", flush=True)
    lines = ["# Made by examples/train_family.py: paths are relative to this file."]
    for width in options.widths:
        lines += ["", "[[model]]", f'name = "width-{width}"', 'family = "own"', f"width = {width}",
                  f"depth = {options.depth}", f'source = "./width-{width}"']  # fmt: skip
    (options.out / "family.toml").write_text("\n".join(lines) + "\n")
    print(f"{options.out / 'family.toml'}")


if __name__ == "__main__":
    main()
