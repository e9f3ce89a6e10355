"""config.json of a model: its width and depth, and what its parameters are counted from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superlaw.errors import InputError
from superlaw.files.records import parse_json, read_json
from superlaw.lm.hub import HubModel, NotOnHubError
from superlaw.theory.shape import Architecture, Shape

WIDTHS = ("hidden_size", "n_embd", "d_model", "dim")
DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
CONFIG, DOWNLOAD = "a config.json, or another JSON object of a model", "download it again"


def read_config(model: str | Path) -> dict[str, Any]:
    """The config of a model folder, of a JSON file, or of a hub id.

    Raises
    ------
    InputError
        When there is none, or it is no JSON object.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "config.json"
    if path.is_file():
        return read_config_file(path)
    if path.suffix.lower() == ".json" or is_path(model):
        raise InputError(f"{path}, which does not exist", "a config.json, a model folder or a hub id", "check the path")
    hub = HubModel.parse(str(model))
    try:
        return parse_config(hub.text("config.json"), hub.url("config.json"))
    except NotOnHubError as error:
        raise InputError(error.got, "a model with a config.json", "check the name") from None


def is_path(model: str | Path) -> bool:
    """Whether a model's name can only be a path, so that no hub is asked for it.

    Examples
    --------
    >>> is_path("./gpt2"), is_path("runs/small/1"), is_path("openai/gpt2"), is_path("gpt2")
    (True, True, False, False)
    """
    text = str(model)
    return isinstance(model, Path) or text[:1] in tuple("./\\~") or text.count("/") > 1 or text.endswith("/")


def read_config_file(path: Path) -> dict[str, Any]:
    """A JSON object from a model's folder: its config, its tokenizer, an index of shards."""
    return _object(read_json(path, CONFIG, DOWNLOAD, finite=False), str(path))


def parse_config(content: bytes, where: str) -> dict[str, Any]:
    """The same from its bytes."""
    return _object(parse_json(content, where, CONFIG, DOWNLOAD, finite=False), where)


def _object(record: Any, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise InputError(f"{where}, whose JSON is not an object", CONFIG, DOWNLOAD)
    return record


def flat_config(config: dict[str, Any] | None) -> dict[str, Any]:
    """A config with the fields of a text model inside a larger one at the top, where they count before the others.

    Examples
    --------
    >>> flat_config({"vocab_size": 9, "hidden_size": 1024, "text_config": {"n_embd": 64}})
    {'vocab_size': 9, 'text_config': {'n_embd': 64}, 'n_embd': 64}
    """
    config = dict(config or {})
    text = config.get("text_config")
    if not isinstance(text, dict):
        return config
    for names in (WIDTHS, DEPTHS):  # one thing by another name: that of the whole is another part's
        if any(text.get(name) is not None for name in names):
            config = {key: value for key, value in config.items() if key not in names}
    return {**config, **text}


def config_shape(config: dict[str, Any], name: str = "the config") -> Shape:
    """Width and depth by the names that families use; of the text model in a model of several.

    Examples
    --------
    >>> config_shape({"n_embd": 768, "n_layer": 12})
    Shape(width=768, depth=12)
    """
    config = flat_config(config)
    if config.get("is_encoder_decoder"):
        raise InputError(f"{name}, an encoder with a decoder", "a model of one stack of layers")
    found = []
    for what, names in (("width", WIDTHS), ("depth", DEPTHS)):
        key = next((key for key in names if config.get(key) is not None), None)
        if key is None:
            raise InputError(f"{name} without a {what}", f"one of {', '.join(names)} in it", "give width=M,depth=L")
        value = config[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{name}: {key} = {value!r}", "a whole number of 1 or more")
        found.append(value)
    return Shape(*found)


def config_architecture(config: dict[str, Any]) -> Architecture | None:
    """What the parameters of a known family are counted from; None for a family that is not known here.

    Known: gpt2, gpt_neox, opt, llama, mistral, qwen2. None too where a config departs from its family
    (OPT-350m's factored embedding, say).

    Examples
    --------
    >>> config_architecture({"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12,
    ...                      "vocab_size": 50257, "n_positions": 1024}).params
    124439808
    >>> config_architecture({"model_type": "mamba"}) is None
    True
    """
    config = flat_config(config)
    reader = _FAMILIES.get(str(config.get("model_type")))
    try:
        return reader(config) if reader else None
    except (KeyError, TypeError, InputError):  # a config that does not say all of it
        return None


def _gpt2(c: dict[str, Any]) -> Architecture:
    return Architecture(
        c["n_embd"], c["n_layer"], c["n_head"], feed_forward=c.get("n_inner"), attention_bias="all",
        feed_forward_bias=True, norm="scale and shift", vocabulary=c["vocab_size"],
        tied=c.get("tie_word_embeddings", True), positions=c["n_positions"],
    )  # fmt: skip


def _gpt_neox(c: dict[str, Any]) -> Architecture:
    return Architecture(
        c["hidden_size"], c["num_hidden_layers"], c["num_attention_heads"], feed_forward=c["intermediate_size"],
        attention_bias="all" if c.get("attention_bias", True) else "none", feed_forward_bias=True,
        norm="scale and shift", vocabulary=c["vocab_size"], tied=c.get("tie_word_embeddings", False),
    )  # fmt: skip


def _opt(c: dict[str, Any]) -> Architecture | None:
    if c.get("word_embed_proj_dim", c["hidden_size"]) != c["hidden_size"] or not c.get("do_layer_norm_before", True):
        return None
    biased = c.get("enable_bias", True)
    return Architecture(
        c["hidden_size"], c["num_hidden_layers"], c["num_attention_heads"], feed_forward=c["ffn_dim"],
        attention_bias="all" if biased else "none", feed_forward_bias=biased, norm="scale and shift",
        vocabulary=c["vocab_size"], tied=c.get("tie_word_embeddings", True),
        positions=c["max_position_embeddings"] + 2,  # two rows that OPT keeps before the first position
    )  # fmt: skip


def _llama(c: dict[str, Any]) -> Architecture:
    biased = "qkv" if c["model_type"] == "qwen2" else "all" if c.get("attention_bias") else "none"
    return Architecture(
        c["hidden_size"], c["num_hidden_layers"], c["num_attention_heads"], c.get("num_key_value_heads"),
        c.get("head_dim"), c["intermediate_size"], gated=True, attention_bias=biased,
        feed_forward_bias=bool(c.get("mlp_bias")), norm="scale", vocabulary=c["vocab_size"],
        tied=c.get("tie_word_embeddings", False),
    )  # fmt: skip


_FAMILIES = {"gpt2": _gpt2, "gpt_neox": _gpt_neox, "opt": _opt, "llama": _llama, "mistral": _llama, "qwen2": _llama}
