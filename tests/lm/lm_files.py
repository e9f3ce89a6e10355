"""Model folders for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_model(folder: Path, tensors: dict[str, np.ndarray], config: dict | None = None, shards: int = 1) -> Path:
    """A model folder: one safetensors file, or an index and shards of a tensor or more each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or {}))
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return folder
    placed = {}
    for i in range(shards):
        part = dict(list(tensors.items())[i::shards])
        name = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        save_file(part, folder / name)
        placed |= dict.fromkeys(part, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    return folder
