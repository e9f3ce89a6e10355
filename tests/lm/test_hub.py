"""Ranged reads cost the tensor and its headers; a server that misbehaves ends in one clear line."""

from __future__ import annotations

import json
import shutil
import struct
import time

import numpy as np
import pytest
from lm_files import Hub, write_model

from superlaw.errors import InputError
from superlaw.lm.head import load_head


@pytest.fixture
def published_head(hub) -> np.ndarray:
    W = np.random.default_rng(0).normal(size=(4000, 64)).astype(np.float32)
    other = np.zeros((3000, 64), np.float32)
    tensors = {"model.layers.0.a": other, "lm_head.weight": W, "model.layers.1.a": other, "model.norm": other[:1]}
    write_model(hub.folder / "owner" / "model", tensors, {"vocab_size": 4000, "hidden_size": 64}, shards=2)
    return W


def test_the_head_of_a_sharded_model_costs_less_than_one_percent_above_its_bytes(hub, published_head):
    head = load_head("owner/model")
    np.testing.assert_array_equal(head.W, published_head)
    assert head.tensor == "lm_head.weight"
    assert published_head.nbytes <= hub.sent < 1.01 * published_head.nbytes


def test_a_redirection_is_followed_and_a_token_stays_with_its_host(hub, published_head, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.mode = "redirect"
    np.testing.assert_array_equal(load_head("owner/model").W, published_head)
    assert {token for path, _, token in hub.seen if path.startswith("/elsewhere")} == {None}
    assert {token for path, _, token in hub.seen if not path.startswith("/elsewhere")} == {"Bearer secret"}


@pytest.mark.parametrize(
    "mode, said",
    [("no ranges", "knows ranges"), ("truncated", "a reply of"), ("other part", "not the one asked for"),
     ("loop", "redirects"), ("file", "file://")],
)  # fmt: skip
def test_a_server_that_misbehaves_ends_in_one_line(hub, published_head, command, mode, said):
    hub.mode = mode
    code, out, err = command("lm", "head", "owner/model", "--json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize(
    "mode, said",
    [("busy", "429; need a local file or folder, or a hub that answers; try again in 3600 s"), ("failing", "503"),
     ("slow", "bytes in 3 s"), ("silent", "a reply of 0 bytes"), ("hanging", "no answer (ReadTimeout"),
     ("wrong length", "a reply of"), ("endless", "more than"), ("private", "401"), ("other size", "long, its header"),
     ("coloured", "red")],
)  # fmt: skip
def test_a_hub_that_is_busy_slow_or_lies_ends_in_one_line_before_long(hub, published_head, command, mode, said):
    hub.mode = mode
    begin = time.monotonic()
    code, out, err = command("lm", "head", "owner/model", "--json")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert said in err
    assert err.strip().isprintable(), "no text of a server steers the terminal"
    assert time.monotonic() - begin < 8
    assert hub.sent < 100e6


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(hub, published_head):
    hub.mode = "busy twice"
    np.testing.assert_array_equal(load_head("owner/model").W, published_head)


def test_a_tensor_said_to_have_400_gb_is_refused_from_its_header(hub, command):
    folder = hub.folder / "owner" / "model"
    folder.mkdir(parents=True)
    size = 400 * 10**9
    header = {"lm_head.weight": {"dtype": "F32", "shape": [10**8, 1000], "data_offsets": [0, size]}}
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text
    (folder / "model.safetensors").write_bytes(content)
    hub.size = len(content) + size
    code, _, err = command("lm", "head", "owner/model")
    assert (code, err.count("\n")) == (2, 1)
    assert "400000000000 bytes; need a tensor of at most" in err
    assert hub.sent < 10_000


def test_a_tensor_of_a_hub_is_no_more_memory_than_a_file_of_a_disk(hub, published_head):
    assert isinstance(load_head("owner/model").W, np.memmap)


def test_a_token_is_not_sent_to_a_second_host_nor_shown(hub, tmp_path, published_head, monkeypatch, command):
    second = Hub(hub.folder)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.mode, hub.second = "second host", second.address
    np.testing.assert_array_equal(load_head("owner/model").W, published_head)
    assert second.seen and {token for _, _, token in second.seen} == {None}
    second.mode = "failing"
    _, out, err = command("lm", "head", "owner/model")
    assert "503" in err and "hf_secret" not in out + err
    second.server.shutdown()
    second.server.server_close()


def test_a_saved_token_is_used_as_one_of_the_environment(hub, published_head, monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    (tmp_path / "token").write_text("hf_saved\n")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    load_head("owner/model")
    assert {token for _, _, token in hub.seen} == {"Bearer hf_saved"}


def test_offline_the_cache_of_the_hub_is_read_and_nothing_is_asked(hub, published_head, monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    cache = tmp_path / "cache" / "models--owner--model"
    snapshot = cache / "snapshots" / ("a" * 40)
    shutil.copytree(hub.folder / "owner" / "model", snapshot)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("a" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    head = load_head("owner/model")
    np.testing.assert_array_equal(head.W, published_head)
    assert (head.name, hub.seen) == ("owner/model", [])
    with pytest.raises(InputError, match="HF_HUB_OFFLINE set, and not in the hub's cache"):
        load_head("owner/other")


@pytest.mark.parametrize("model", ["owner/none", "no-such-model", "owner/model@x/y", "a/../b", "owner/mo del"])
def test_a_model_that_is_nowhere_is_named(hub, published_head, command, model):
    code, _, err = command("lm", "head", model)
    assert (code, err.count("\n")) == (2, 1)
    assert model.split("@")[0] in err


def test_a_hub_that_does_not_answer_is_said_at_once(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    begin = time.monotonic()
    with pytest.raises(InputError, match="no answer"):
        load_head("owner/model")
    assert time.monotonic() - begin < 2
