"""Files and folders of runs, written by the libraries that people log with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

SHAPES = [(width, depth) for width in (64, 128, 256, 512) for depth in (2, 4, 8)]


def loss_of(width: float, depth: float, step: float = np.inf) -> float:
    """Of the law that all runs here follow."""
    return 1.7 + 8 / width**0.5 + 0.6 / depth + 20 / step


def run_table() -> pd.DataFrame:
    """A row for each shape."""
    rows = [{"d_model": w, "n_layers": d, "kind": "ab"[d > 2], "val_loss": loss_of(w, d)} for w, d in SHAPES]
    return pd.DataFrame(rows)


def trainer_folder(folder: Path, shapes=SHAPES, steps=(100, 200, 300)) -> Path:
    """A folder of the Trainer for each shape, two checkpoints in each, as transformers writes them."""
    from transformers import LlamaConfig
    from transformers.trainer_callback import TrainerState

    for width, depth in shapes:
        for last in steps[1:]:
            home = folder / f"w{width}-l{depth}" / f"checkpoint-{last}"
            home.mkdir(parents=True)
            config = LlamaConfig(hidden_size=width, num_hidden_layers=depth, intermediate_size=16, vocab_size=100)
            config.save_pretrained(home)
            log = []
            for step in steps:
                if step <= last:
                    loss = loss_of(width, depth, step)
                    log += [{"loss": loss + 0.1, "learning_rate": 1e-3, "epoch": 1.0, "step": step},
                            {"eval_loss": loss, "eval_runtime": 1.0, "epoch": 1.0, "step": step}]  # fmt: skip
            state = TrainerState(global_step=last, max_steps=last, log_history=log, num_input_tokens_seen=last * 1000)
            state.save_to_json(str(home / "trainer_state.json"))
    return folder


def event_folder(folder: Path, shapes=SHAPES, steps=(100, 200, 300)) -> Path:
    """A folder of event files for each shape, as TensorBoard's own writer writes them, with hyperparameters."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for width, depth in shapes:
        writer = EventFileWriter(str(folder / f"width={width},depth={depth}"))
        started = HParamsPluginData()
        started.session_start_info.hparams["hidden_size"].number_value = width
        started.session_start_info.hparams["optimizer"].string_value = "adamw"
        started.session_start_info.hparams["tied"].bool_value = True
        plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name="hparams", content=started.SerializeToString())
        value = summary_pb2.Summary.Value(tag="_hparams_/session_start_info",
                                          metadata=summary_pb2.SummaryMetadata(plugin_data=plugin))  # fmt: skip
        writer.add_event(event_pb2.Event(wall_time=1.0, summary=summary_pb2.Summary(value=[value])))
        for step in steps:
            values = [summary_pb2.Summary.Value(tag="eval/loss", simple_value=loss_of(width, depth, step))]
            if step % 200 == 0:
                values.append(summary_pb2.Summary.Value(tag="train/lr", simple_value=1e-3))
            writer.add_event(
                event_pb2.Event(wall_time=1.0 + step, step=step, summary=summary_pb2.Summary(value=values))
            )
        writer.close()
    return folder


def lm_eval_folder(folder: Path, shapes=SHAPES) -> Path:
    """A results file for each shape, in the form of lm-eval's --output_path."""
    for width, depth in shapes:
        home = folder / f"a__m{width}x{depth}"
        home.mkdir(parents=True)
        record = {
            "results": {
                "wikitext": {"alias": "wikitext", "bits_per_byte,none": loss_of(width, depth), "words,none": 30.0},
                "lambada": {"alias": "lambada", "acc,none": 0.5, "acc_stderr,none": 0.01},
            },
            "config": {"model": "hf", "model_args": f"pretrained=a/m{width}x{depth},revision=step1000",
                       "model_num_parameters": 12 * width**2 * depth},
            "model_name": f"a/m{width}x{depth}",
        }  # fmt: skip
        (home / "results_2026-01-01T00-00-00.json").write_text(json.dumps(record))
    return folder


def open_lm_folder(folder: Path, shapes=SHAPES) -> Path:
    """A model's file for each shape, in the form of open_lm's published results."""
    folder.mkdir(parents=True)
    for width, depth in shapes:
        name = f"c4-d={width}_l={depth}_h=4-1.0"
        evaluation = {"loss": loss_of(width, depth), "loss_sequences_lower_95": 1.0, "loss_sequences_upper_95": 9.0,
                      "sequences": 120, "tokens": 245760, "checkpoint_path": f"{name}/checkpoints/epoch_8.pt",
                      "val_data": ["training/eval_data/c4_val/shard-0000000.tar"], "model": name}  # fmt: skip
        other = evaluation | {
            "val_data": ["training/eval_data/paloma_ptb/00000001.tar"],
            "loss_sequences_lower_95": -1.0,
        }
        record = {"name": name, "dataset_name": "c4", "results": [evaluation, other],
                  "hyperparameters": {"params": 12 * width**2 * depth, "tokens": 240 * width**2 * depth, "lr": 3e-3,
                                      "fsdp_flags": ["--fsdp"]}}  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(record))
    return folder


def history_folder(folder: Path, shapes=SHAPES, steps=(100, 200, 300)) -> Path:
    """A CSV for each shape in the form of W&B's export of a history: empty where a column was not logged."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, depth in shapes:
        rows = [{"_step": s, "train/loss": loss_of(width, depth, s) + 0.1,
                 "eval/c4/CrossEntropyLoss": loss_of(width, depth, s) if s % 200 else None,
                 "throughput/total_tokens": s * 1000} for s in steps]  # fmt: skip
        pd.DataFrame(rows).to_csv(folder / f"width={width}_depth={depth}.csv", index=False)
    return folder
