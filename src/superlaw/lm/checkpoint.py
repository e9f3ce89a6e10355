"""A checkpoint as a set of named tensors, each read alone: folders, single files, hub ids.

Nothing is unpickled but through PyTorch's weights-only loader. Paths that an index file names stay
inside the checkpoint; links out of it are followed only on request (links within one entry of the hub's
cache are how its snapshots are made, and are followed).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError, MissingExtraError
from superlaw.files.tensors import map_tensor, read_tensor_header, short
from superlaw.lm.arrays import read_npy, read_npz
from superlaw.lm.config import is_path, parse_config, read_config_file
from superlaw.lm.gguf import open_gguf
from superlaw.lm.hub import HubModel, NotOnHubError

SAFETENSORS, SAFETENSORS_INDEX = "model.safetensors", "model.safetensors.index.json"
TORCH, TORCH_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
TORCH_ENDINGS = (".bin", ".pt", ".pth")
ENDINGS = (".safetensors", ".gguf", ".npy", ".npz", *TORCH_ENDINGS)
Reader = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """Names of tensors with the means to read each; ``config`` and ``tokenizer`` where a folder has them."""

    name: str
    tensors: dict[str, Reader] = field(repr=False)
    config: dict[str, Any] | None = field(default=None, repr=False)
    tokenizer: dict[str, Any] | None = field(default=None, repr=False)


def open_checkpoint(model: str | Path, follow_links: bool = False) -> Checkpoint:
    """Find the tensors of a model folder, of a .safetensors, .gguf, .npy, .npz, .bin or .pt file, or of a hub id.

    Raises
    ------
    InputError
        When there is no such model, or a file of it lies, is cut short, or points outside it.
    """
    path = Path(model)
    if path.is_dir():
        return _folder(path, follow_links)
    if path.is_file() and path.suffix.lower() == ".gguf":
        header, tensors = open_gguf(path)
        return Checkpoint(str(model), dict(tensors), header.config, header.tokenizer)
    if path.is_file():
        return Checkpoint(str(model), _file_tensors(path))
    if path.suffix.lower() in ENDINGS or is_path(model):
        raise InputError(f"{model}, which does not exist", "a model folder, a file of tensors or a hub id")
    return _hub(HubModel.parse(str(model)), str(model))


def _folder(folder: Path, follow_links: bool) -> Checkpoint:
    inside = _Inside(folder, follow_links)
    config, tokenizer = inside.json("config.json"), inside.json("tokenizer.json")
    for single, index in ((SAFETENSORS, SAFETENSORS_INDEX), (TORCH, TORCH_INDEX)):
        if inside.has(single):
            return Checkpoint(str(folder), _file_tensors(inside.path(single)), config, tokenizer)
        if inside.has(index):
            shards = _weight_map(inside.json(index), str(folder / index))
            files = {shard: inside.shard(shard, index) for shard in sorted(set(shards.values()))}
            tensors = {name: partial(_from_shard, files[shard], name) for name, shard in shards.items()}
            return Checkpoint(str(folder), tensors, config, tokenizer)
    others = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".safetensors", ".gguf"))
    do = f"name one file: {', '.join(others[:4])}" if others else "check the folder"
    raise InputError(f"{folder}, a folder without weights", f"{SAFETENSORS}, {TORCH} or an index of shards in it", do)


class _Inside:
    """Files of one folder; links that lead out of it are refused."""

    def __init__(self, folder: Path, follow_links: bool):
        self.folder, self.follow_links = folder, follow_links
        real = folder.resolve()
        cache = real.parent.name == "snapshots" and real.parent.parent.name.startswith("models--")
        self.limit = real.parent.parent if cache else real

    def has(self, name: str) -> bool:
        return (self.folder / name).exists() or (self.folder / name).is_symlink()

    def path(self, name: str) -> Path:
        path = self.folder / name
        real = path.resolve()
        if not self.follow_links and not real.is_relative_to(self.limit):
            raise InputError(
                f"{path}, a link to another place", "files inside the model's folder", "allow it with --follow-links"
            )
        return path

    def shard(self, name: str, index: str) -> Path:
        _check_shard_name(name, str(self.folder / index))
        path = self.path(name)
        if not path.is_file():
            raise InputError(
                f"{self.folder / index}, which names the missing shard {short(name)}",
                "every shard beside its index", "download the model again",
            )  # fmt: skip
        return path

    def json(self, name: str) -> dict[str, Any] | None:
        return read_config_file(self.path(name)) if self.has(name) else None


def _weight_map(index: dict[str, Any] | None, where: str) -> dict[str, str]:
    shards = (index or {}).get("weight_map")
    if not isinstance(shards, dict) or not shards or not all(isinstance(shard, str) for shard in shards.values()):
        raise InputError(f"{where} without a weight_map", "an object of tensor names and file names")
    return shards


def _check_shard_name(name: str, where: str) -> None:
    """A shard is a plain relative name: nothing that climbs out of the folder, on any system."""
    windows = PureWindowsPath(name)
    parts = (*PurePosixPath(name).parts, *windows.parts)
    if not name or "\0" in name or ".." in parts or name.startswith("/") or windows.drive or windows.root:
        raise InputError(f"{where}, which names the shard {short(name)}", "names inside the model's folder")


def _from_shard(path: Path, name: str) -> np.ndarray:
    tensors = _file_tensors(path)
    if name not in tensors:
        raise InputError(f"{path} without {short(name)}, which its index places there", "a shard that fits its index")
    return tensors[name]()


def _file_tensors(path: Path) -> dict[str, Reader]:
    kind = path.suffix.lower()
    if kind == ".npy":
        return {path.stem: lambda: read_npy(path)}
    if kind == ".npz":
        return read_npz(path)
    if kind in TORCH_ENDINGS:
        return _torch(path)
    if kind == ".safetensors":
        return {name: partial(map_tensor, path, entry) for name, entry in read_tensor_header(path).tensors.items()}
    raise InputError(f"{path}", f"a file of tensors ({', '.join(ENDINGS)}), a model folder or a hub id",
                     "--raw reads a matrix at a known place of any file")  # fmt: skip


def _torch(path: Path) -> dict[str, Reader]:
    """Tensors of a PyTorch file, through its weights-only loader and no other."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "torch") from None
    try:
        try:
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:  # the format before PyTorch 1.6 cannot be mapped; a broken file fails again below
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except pickle.UnpicklingError:
        raise DamagedFileError(
            f"{path}, a pickle with more in it than weights", "tensors only",
            "nothing in it was run; ask for a safetensors file",
        ) from None  # fmt: skip
    except Exception as error:  # the loader raises whatever a broken archive makes its parts raise
        why = f"which PyTorch cannot read ({type(error).__name__})"
        raise DamagedFileError(f"{path}, {why}", "a whole file of weights", "download it again") from None
    if isinstance(found, torch.Tensor):
        found = {path.stem: found}
    tensors = {k: v for k, v in found.items() if isinstance(v, torch.Tensor)} if isinstance(found, dict) else {}
    if not tensors:
        raise InputError(f"{path}, which holds no named tensors", "a state dict")
    return {str(name): (lambda n=str(name), t=tensor: _torch_array(t, n, path)) for name, tensor in tensors.items()}


def _torch_array(tensor: Any, name: str, path: Path) -> np.ndarray:
    import ml_dtypes
    import torch

    if tensor.layout is not torch.strided or not tensor.is_floating_point() or tensor.element_size() == 1:
        raise InputError(f"{path}: {short(name)} of type {tensor.dtype}", "a dense tensor of floating-point numbers")
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def _hub(model: HubModel, name: str) -> Checkpoint:
    """A model of the hub: its config, then headers; a tensor only when it is read."""
    if kept := model.kept(SAFETENSORS) or model.kept(SAFETENSORS_INDEX):
        return replace(_folder(kept.parent, False), name=name)
    config, index = _optional(model, "config.json"), _optional(model, SAFETENSORS_INDEX)
    if index is None:
        try:
            entries = model.header(SAFETENSORS)
        except NotOnHubError:
            raise InputError(
                f"{name}, which has no safetensors on the hub", "safetensors, of which parts can be read",
                f"download it (hf download {model.repository}) and give its folder",
            ) from None  # fmt: skip
        return Checkpoint(name, {n: partial(model.tensor, SAFETENSORS, e) for n, e in entries.items()}, config)
    shards = _weight_map(index, f"{name}: {SAFETENSORS_INDEX}")
    for shard in set(shards.values()):
        _check_shard_name(shard, f"{name}: {SAFETENSORS_INDEX}")

    def read(tensor: str, shard: str) -> np.ndarray:
        try:
            entries = model.header(shard)
        except NotOnHubError:
            raise InputError(f"{name}, whose index names the missing shard {short(shard)}", "every shard") from None
        if tensor not in entries:
            raise InputError(f"{name}: {short(shard)} without {short(tensor)}", "a shard that fits its index")
        return model.tensor(shard, entries[tensor])

    return Checkpoint(name, {n: partial(read, n, shard) for n, shard in shards.items()}, config)


def _optional(model: HubModel, file: str) -> dict[str, Any] | None:
    try:
        return parse_config(model.text(file), model.url(file))
    except NotOnHubError:
        return None
