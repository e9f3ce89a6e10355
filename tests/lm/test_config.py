"""Shapes and parameter counts from configs."""

from __future__ import annotations

import json

import pytest

from superlaw import InputError
from superlaw.lm.config import config_architecture, config_shape, flat_config, read_config

LLAMA_3 = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False,
}  # fmt: skip
OPT = {
    "model_type": "opt", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "ffn_dim": 3072,
    "vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 768,
}  # fmt: skip
PYTHIA = {
    "model_type": "gpt_neox", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072, "vocab_size": 50304, "tie_word_embeddings": False,
}  # fmt: skip
QWEN = {
    "model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14,
    "num_key_value_heads": 2, "intermediate_size": 4864, "vocab_size": 151936, "tie_word_embeddings": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "params"),
    [(LLAMA_3, 8_030_261_248), (OPT, 125_239_296), (PYTHIA, 162_322_944), (QWEN, 494_032_768)],
    ids=["llama-3-8b", "opt-125m", "pythia-160m", "qwen2.5-0.5b"],
)
def test_a_known_family_is_counted_exactly(config, params):
    assert config_architecture(config).params == params


def test_what_departs_from_its_family_or_says_too_little_is_not_counted():
    assert config_architecture({**OPT, "word_embed_proj_dim": 512}) is None  # OPT-350m
    assert config_architecture({k: v for k, v in LLAMA_3.items() if k != "vocab_size"}) is None
    assert config_architecture({**LLAMA_3, "num_attention_heads": "many"}) is None
    assert (
        config_architecture({"model_type": "mixtral", **{k: v for k, v in LLAMA_3.items() if k != "model_type"}})
        is None
    )


def test_the_shape_of_the_text_model_counts_in_a_model_of_several():
    assert config_shape({"hidden_size": 1, "text_config": LLAMA_3}).width == 4096


def test_what_the_text_model_leaves_out_is_said_by_the_whole():
    whole = {"hidden_size": 64, "num_hidden_layers": 2, "text_config": {"vocab_size": 100}}
    assert (config_shape(whole).width, config_shape(whole).depth) == (64, 2)
    split = {**LLAMA_3, "text_config": {key: LLAMA_3[key] for key in ("model_type", "vocab_size")}}
    assert config_architecture(split) == config_architecture(LLAMA_3)
    other_name = {"hidden_size": 1024, "num_hidden_layers": 3, "text_config": {"n_embd": 768, "n_layer": 12}}
    assert (config_shape(other_name).width, config_shape(other_name).depth) == (768, 12)
    assert flat_config(other_name) == {"n_embd": 768, "n_layer": 12, "text_config": other_name["text_config"]}
    with pytest.raises(InputError, match="encoder"):
        config_shape({"is_encoder_decoder": True, "text_config": LLAMA_3})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "without a width"),
        ({"hidden_size": 8}, "without a depth"),
        ({"hidden_size": -8, "n_layer": 2}, "hidden_size = -8"),
        ({"hidden_size": "8", "n_layer": 2}, "hidden_size = '8'"),
        ({"hidden_size": 8.5, "n_layer": 2}, "hidden_size = 8.5"),
        ({"hidden_size": True, "n_layer": 2}, "hidden_size = True"),
        ({"hidden_size": 8, "n_layer": 10**12}, "depth"),
        ({"hidden_size": 8, "n_layer": 2, "is_encoder_decoder": True}, "encoder"),
    ],
)
def test_a_config_without_a_usable_shape_is_refused(config, said):
    with pytest.raises(InputError, match=said):
        config_shape(config)


def test_a_config_is_read_from_a_file_a_folder_or_the_hub(tmp_path, hub):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(QWEN))
    assert read_config(tmp_path / "model") == read_config(tmp_path / "model" / "config.json") == QWEN
    files = hub.folder / "org" / "qwen"
    files.mkdir(parents=True)
    (files / "config.json").write_text(json.dumps(QWEN))
    assert read_config("org/qwen") == QWEN
    with pytest.raises(InputError, match="not found"):
        read_config("org/other")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_config_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InputError, match="need a config"):
        read_config(tmp_path / "config.json")


def test_a_path_that_does_not_exist_is_not_taken_for_a_hub_id(tmp_path):
    for missing in (tmp_path / "none" / "config.json", "gone.json", "./gone"):
        with pytest.raises(InputError, match="does not exist"):
            read_config(missing)
