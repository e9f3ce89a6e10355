"""Ranged reads cost the tensor and its headers; a server that misbehaves ends in one clear line."""

from __future__ import annotations

import numpy as np
import pytest
from lm_files import write_model

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


@pytest.mark.parametrize("model", ["owner/none", "no-such-model", "owner/model@x/y", "a/../b", "owner/mo del"])
def test_a_model_that_is_nowhere_is_named(hub, published_head, command, model):
    code, _, err = command("lm", "head", model)
    assert (code, err.count("\n")) == (2, 1)
    assert model.split("@")[0] in err


def test_a_hub_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="no answer"):
        load_head("owner/model")
