"""Run files: whole or refused."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from superlaw import DamagedFileError, InputError, RunSpec, load_run, measure_run, train
from superlaw.toy.run import read_header


@pytest.fixture(scope="module")
def run():
    return train(RunSpec(n_features=40, width=4, weight_decay=-1, steps=50, warmup=5, batch=64))


def test_a_run_comes_back_as_it_was(run, tmp_path):
    back = load_run(run.save(tmp_path / "a.safetensors"))
    assert back.spec == run.spec and back.status == run.status == "ok"
    for name in ("W", "b", "losses"):
        assert np.array_equal(getattr(back, name), getattr(run, name))
    assert back.loss == run.loss and back.provenance == run.provenance
    assert measure_run(back) == measure_run(run)


def test_explicit_frequencies_come_back_bit_for_bit(tmp_path):
    spec = RunSpec(frequencies=np.array([0.3, 0.1, 0.7]) / 3, width=2, steps=5, batch=16, weight_decay=0.1)
    assert load_run(train(spec).save(tmp_path / "a.safetensors")).spec == spec


def test_the_file_is_plain_safetensors_for_others_too(run, tmp_path):
    from safetensors.numpy import load_file

    tensors = load_file(run.save(tmp_path / "a.safetensors"))
    assert np.array_equal(tensors["W"], run.W)


def test_the_header_alone_has_the_measures(run, tmp_path):
    header = read_header(run.save(tmp_path / "a.safetensors"))
    assert header["id"] == run.id and header["measures"]["loss"] == run.loss


def test_a_file_is_not_overwritten_unless_asked(run, tmp_path):
    path = run.save(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="which exists"):
        run.save(path)
    run.save(path, overwrite=True)


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 1000, -1])
def test_a_truncated_file_is_named_and_refused(run, tmp_path, kept):
    path = run.save(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match=r"a\.safetensors"):
        load_run(path)
    with pytest.raises(DamagedFileError, match=r"a\.safetensors"):
        read_header(path)


def test_any_flipped_bit_is_found(run, tmp_path):
    path = run.save(tmp_path / "a.safetensors")
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for position in random.integers(0, len(content), 300):
        altered = bytearray(content)
        altered[position] ^= 1 << random.integers(8)
        path.write_bytes(altered)
        try:
            back = load_run(path)
        except DamagedFileError:
            continue
        # safetensors pads its header with spaces and orders its keys freely: an altered file that is
        # accepted must mean the same
        assert back.spec == run.spec and np.array_equal(back.W, run.W) and np.array_equal(back.losses, run.losses)
        assert back.measures == run.measures


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps({"W": 1}), json.dumps({"a": 1}).encode() * 10])
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "b.safetensors"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"b\.safetensors"):
        load_run(path)


def test_safetensors_of_others_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"W": np.zeros((2, 2), np.float32)}, tmp_path / "c.safetensors")
    with pytest.raises(DamagedFileError, match="no header of ours"):
        load_run(tmp_path / "c.safetensors")


def test_a_header_for_other_arrays_is_refused(run, tmp_path):
    from dataclasses import replace

    wrong = replace(run, W=run.W[:-1])
    with pytest.raises(DamagedFileError, match="do not fit"):
        load_run(wrong.save(tmp_path / "a.safetensors"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_run(tmp_path / "none.safetensors")


def test_saving_leaves_nothing_but_the_file(run, tmp_path):
    run.save(tmp_path / "a.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    with pytest.raises(InputError):
        run.save(tmp_path / "no" / "a.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
