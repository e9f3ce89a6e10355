"""A good example of every format, each written into an empty folder."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from harness import Case, cold

sys.path.append(str(Path(__file__).parents[1]))  # the folders of runs that other tests read too

import run_folders

FEW = run_folders.SHAPES[:6]


def points(count: int = 12) -> dict[str, list]:
    """Twelve runs with a law and a little noise."""
    rng = np.random.default_rng(0)
    width = np.geomspace(16, 512, count).round()
    tokens = np.tile([1e8, 4e8, 2e9], count)[:count]
    loss = 3 / width**0.5 + 40 / tokens**0.3 + 1
    return {
        "width": width.tolist(),
        "tokens": tokens.tolist(),
        "loss": (loss * np.exp(0.01 * rng.normal(size=count))).tolist(),
        "family": [["a", "b"][i % 2] for i in range(count)],
        "weight": [1.0 + i % 3 for i in range(count)],
        "cell": [f"run {i // 3}" for i in range(count)],
    }


def frame():
    import pandas as pd

    return pd.DataFrame(points())


def write_store(folder: Path) -> None:
    """Six tiny runs in a store, their plan, their table, and one of them beside."""
    import superlaw

    (folder / "plan.toml").write_text(
        "seeds = [0]\n[base]\nn_features = 60\nsteps = 1000\nbatch = 128\nwarmup = 50\n"
        "[axes]\nweight_decay = [-1, 0.5]\nwidth = [2, 4, 6]\n"
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


def write_plan(folder: Path) -> None:
    """A plan, and an empty store."""
    (folder / "s" / ".claims").mkdir(parents=True)
    (folder / "plan.toml").write_text(
        'name = "p"\nabout = "a plan"\nseeds = [0, 1]\nkeep = "weights"\n'
        "[base]\nn_features = 20\nsteps = 12\nbatch = 8\nwarmup = 2\n"
        '[axes]\nfrequencies = ["power", "linear"]\nweight_decay = { start = -1, stop = 1, num = 3 }\nwidth = [2, 3]\n'
    )


def write_gathered(folder: Path) -> None:
    """A table of runs as gather writes it."""
    write_store(folder)
    found = cold(Case(("sweep", "gather", "store", "-o", "runs.csv"), folder, seconds=60))
    assert found.code == 0, found.err
    shutil.rmtree(folder / "store")


def write_fits(folder: Path) -> None:
    """A fit of each kind as law fit -o writes it."""
    import superlaw

    data = {**points(), "depth": [2, 4, 8, 3] * 3}
    laws = {
        "power": superlaw.PowerLaw("width"),
        "additive": superlaw.AdditiveLaw(["width", "depth", "tokens"]),
        "chinchilla": superlaw.Chinchilla("width", "tokens"),
        "grouped": superlaw.GroupedPowerLaw("width", "family"),
    }
    for name, law in laws.items():
        fit = superlaw.fit_law(data, law, interval="bootstrap", replicates=20)
        (folder / "fit.json").write_text(json.dumps(fit.to_dict()))
        shutil.copy(folder / "fit.json", folder / f"{name}.json")
    shutil.copy(folder / "power.json", folder / "fit2.json")


def write_counts(folder: Path) -> None:
    """Counts in every form that is read, a head whose tokens they count, and prose."""
    counts = {str(i): 100 // (i + 1) for i in range(12)}
    (folder / "counts.json").write_text(json.dumps({"format": 1, "tokenizer": "t", "vocabulary": 12, "counts": counts}))
    (folder / "list.json").write_text(json.dumps({"probabilities": [0.5, 0.25, 0.125]}))
    (folder / "counts.csv").write_text("word,count\n" + "\n".join(f"w{i},{c}" for i, c in counts.items()) + "\n")
    (folder / "prose.txt").write_text("the cat and the dog and the bird\n" * 5)
    np.save(folder / "head.npy", np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32))


def write_heads(folder: Path) -> None:
    """Heads in .npy, .safetensors and a folder of two shards with config and tokenizer."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    W = rng.normal(size=(20, 4)).astype(np.float32)
    np.save(folder / "head.npy", W)
    save_file(
        {"lm_head.weight": W, "model.embed_tokens.weight": W[::-1].copy()},
        folder / "head.safetensors",
        {"format": "pt"},
    )
    np.savez(folder / "head.npz", W=W)
    model = folder / "model"
    model.mkdir()
    save_file({"lm_head.weight": W}, model / "model-00001-of-00002.safetensors")
    save_file({"model.embed_tokens.weight": W}, model / "model-00002-of-00002.safetensors")
    weight_map = {
        "lm_head.weight": "model-00001-of-00002.safetensors",
        "model.embed_tokens.weight": "model-00002-of-00002.safetensors",
    }
    (model / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 640}, "weight_map": weight_map})
    )
    (model / "config.json").write_text(
        json.dumps(
            {
                "model_type": "llama",
                "hidden_size": 4,
                "num_hidden_layers": 2,
                "vocab_size": 20,
                "intermediate_size": 8,
                "num_attention_heads": 2,
                "num_key_value_heads": 2,
                "tie_word_embeddings": False,
            }
        )
    )
    write_tokenizer(model / "tokenizer.json")


def write_gguf(folder: Path) -> None:
    """A model in GGUF: quantised head, tokens, and the head again in f16."""
    import gguf

    W = np.random.default_rng(0).normal(size=(20, 32)).astype(np.float32)
    kind = gguf.GGMLQuantizationType.Q8_0
    made = gguf.GGUFWriter(folder / "head.gguf", "llama")
    made.add_embedding_length(32)
    made.add_vocab_size(20)
    made.add_token_list([*(f"t{i}" for i in range(10)), *(f"[unused{i}]" for i in range(8)), "[PAD18]", "[PAD19]"])
    made.add_token_types([1] * 18 + [5] * 2)
    made.add_array("tokenizer.ggml.merges", ["a b", "b c"])
    made.add_float32("llama.rope.freq_base", 1e4)
    made.add_tensor("token_embd.weight", gguf.quants.quantize(W, kind), raw_dtype=kind)
    made.add_tensor("output.weight", W.astype(np.float16))
    made.write_header_to_file()
    made.write_kv_data_to_file()
    made.write_tensors_to_file()
    made.close()


def write_tokenizer(path: Path) -> None:
    """A tokenizer of words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = [
        "[UNK]",
        "[unused1]",
        *[
            "the",
            "cat",
            "and",
            "dog",
            "bird",
            "sat",
            "on",
            "mat",
            "a",
            "big",
            "red",
            "ran",
            "to",
            "it",
            "was",
            "not",
            "so",
            "very",
        ],
    ]
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.save(str(path))


def write_family(folder: Path) -> None:
    """A family of two heads, a corpus, and the study of it."""
    write_heads(folder)
    shutil.copy(folder / "model" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "family.toml").write_text(
        "".join(
            f'[[model]]\nname = "m{w}"\nfamily = "f"\nwidth = {w}\ndepth = 2\nsource = "./nowhere{w}"\n' for w in (4, 8)
        )
    )
    (folder / "a.txt").write_text("the cat sat on the mat and the dog ran to it\n" * 20)


def write_losses(folder: Path) -> None:
    """A table of losses of two models that need not be there, since their losses are known."""
    write_family(folder)
    found = cold(Case(("lm", "loss", "./m4", "./m8", "--corpus", "a=a.txt", "-o", "losses.csv"), folder, seconds=60))
    assert found.code == 1, found.err
    rows = list(csv.DictReader((folder / "losses.csv").open()))
    for i, row in enumerate(rows):
        row |= {
            "status": "ok",
            "loss": 3.5 - i / 10,
            "stderr": 0.01,
            "bits_per_byte": 1.1,
            "tokens": 200,
            "message": "",
        }
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
            vocab_size=made.get_vocab_size(),
            hidden_size=width,
            num_hidden_layers=1,
            intermediate_size=8,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=32,
        )
        LlamaForCausalLM(config).save_pretrained(folder / f"m{width}")
        PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]").save_pretrained(folder / f"m{width}")
    (folder / "family.toml").write_text((folder / "family.toml").read_text().replace("./nowhere", "./m"))
    found = cold(Case(("lm", "study", "family.toml", "--corpus", "a=a.txt", "-o", "study"), folder, seconds=60))
    assert found.code == 0, found.err


def write_corpora(folder: Path) -> None:
    """The same text as prose, JSON lines and Parquet, with a tokenizer."""
    import pandas as pd

    text = "the cat sat on the mat and the dog ran to it\n" * 20
    (folder / "a.txt").write_text(text)
    (folder / "a.jsonl").write_text(
        "".join(json.dumps({"text": line, "n": i}) + "\n" for i, line in enumerate(text.splitlines()))
    )
    pd.DataFrame({"text": text.splitlines()}).to_parquet(folder / "a.parquet")
    write_tokenizer(folder / "tokenizer.json")


def write_expressions(folder: Path) -> None:
    write_gathered(folder)
    frame().to_csv(folder / "t.csv", index=False)


def write_typed(folder: Path) -> None:
    write_store(folder)
    frame().to_csv(folder / "t.csv", index=False)
    write_fits(folder)
    write_heads(folder)


def write_tables(folder: Path) -> None:
    """The same runs in further forms of tables."""
    table = frame()
    table.to_csv(folder / "t.csv.gz", index=False)
    table.to_excel(folder / "t.xlsx", index=False)
    table.to_csv(folder / "t.csv", index=False)
    table.to_json(folder / "t.jsonl", orient="records", lines=True)
    table.to_parquet(folder / "t.parquet")


def write_json_tables(folder: Path) -> None:
    """JSON of rows, columns, cells, names and numbers, runs by name."""
    rows = frame().to_dict("records")
    (folder / "rows.json").write_text(json.dumps([row | {"more": {"a": 1.0, "tags": ["x"]}} for row in rows]))
    (folder / "columns.json").write_text(json.dumps(points()))
    (folder / "cells.json").write_text(json.dumps({"columns": list(rows[0]), "data": [list(r.values()) for r in rows]}))
    (folder / "named.json").write_text(json.dumps({f"run {i}": row for i, row in enumerate(rows)}))
    grid = {f"width={row['width']:g}_l={i % 4}-0.1": row["loss"] for i, row in enumerate(rows)}
    (folder / "grid.json").write_text(json.dumps(grid))


def write_trainer(folder: Path) -> None:
    """Runs of a Trainer, two checkpoints each."""
    run_folders.trainer_folder(folder / "runs", FEW)


def write_events(folder: Path) -> None:
    """Event files of TensorBoard."""
    run_folders.event_folder(folder / "runs", FEW)


def write_histories(folder: Path) -> None:
    """Histories as CSV, one a run."""
    run_folders.history_folder(folder / "runs", FEW)


def write_results(folder: Path) -> None:
    """Results of lm-eval and of open_lm."""
    run_folders.lm_eval_folder(folder / "harness", FEW)
    run_folders.open_lm_folder(folder / "models", FEW)
    first = json.loads(sorted((folder / "models").iterdir())[0].read_text())
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in first["results"]))
