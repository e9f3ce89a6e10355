"""A run file made to harm, its checksums right, is damage with a name: it stops no command on its store."""

from __future__ import annotations

import hashlib
import json
import os

import numpy as np
import pytest
from safetensors.numpy import save

from superlaw import DamagedFileError, RunSpec, train
from superlaw.toy.run import DIGEST_KEY, METADATA_KEY, checksum, load_run, read_header

SPEC = RunSpec(n_features=20, width=2, steps=5, batch=8)


def crafted(tensors: dict[str, np.ndarray] | None = None, text: str = "", **changes: object) -> bytes:
    """A run file with changes of its header, or with ``text`` as it, under its right checksums."""
    shape = {"W": (20, 2), "b": (20,), "losses": (5,)}
    tensors = tensors or {name: np.ones(size, np.float32) for name, size in shape.items()}
    header = {"format": 1, "id": SPEC.id, "status": "ok", "spec": SPEC.to_dict(), "provenance": {"engine": "fused"},
              "measures": {"loss": 1.0}, "tensors": checksum(tensors)}  # fmt: skip
    text = text or json.dumps(header | changes)
    return save(tensors, {METADATA_KEY: text, DIGEST_KEY: hashlib.sha256(text.encode()).hexdigest()})


ONLY_LOSSES = {"losses": np.ones(5, np.float32)}
WRONG = {
    "nested": crafted(text='{"a":' * 5000 + "1" + "}" * 5000),
    "nested lists": crafted(text="[" * 100_000),
    "a list": crafted(text="[1]"),
    "no spec": crafted(spec=None),
    "a list as spec": crafted(spec=[1]),
    "frequencies of numbers": crafted(spec=SPEC.to_dict() | {"frequencies": 3}),
    "frequencies it lacks": crafted(spec=SPEC.to_dict() | {"frequencies": {"sha256": "0"}}),
    "a width of text": crafted(spec=SPEC.to_dict() | {"width": "2"}),
    "a width of lists": crafted(spec=SPEC.to_dict() | {"width": [2]}),
    "a width beyond all": crafted(spec=SPEC.to_dict() | {"width": 10**30}),
    "another width": crafted(spec=SPEC.to_dict() | {"width": 3}),
    "a field of nobody": crafted(spec=SPEC.to_dict() | {"colour": 3}),
    "measures of text": crafted(measures={"loss": "low"}),
    "measures of lists": crafted(measures=[1, 2]),
    "nested measures": crafted(measures={"loss": {"a": 1}}),
    "provenance of text": crafted(provenance="here"),
    "nested provenance": crafted(provenance={"engine": [1]}),
    "a status of nobody": crafted(status="fine"),
    "a status of lists": crafted(status=["ok"]),
    "a number as id": crafted(id=3),
    "nothing": crafted(text="{}"),
    "another format": crafted(format=[2]),
    "losses of two dimensions": crafted({"losses": np.ones((5, 2), np.float32)}),
    "losses of whole numbers": crafted({"losses": np.ones(5, np.int64)}),
    "no losses": crafted({"W": np.ones((20, 2), np.float32)}),
    "two billion features": crafted(
        {"losses": np.ones(5, np.float32)}, spec=SPEC.to_dict() | {"n_features": 2**31 - 1}
    ),
    "a header beyond the file": b"\xff\xff\xff\x00\x00\x00\x00\x00{}",
    "a header beyond all": b"\xff" * 8 + b"{}",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_crafted_header_is_damage_that_names_the_file(tmp_path, name):
    path = tmp_path / f"{SPEC.id}.safetensors"
    path.write_bytes(WRONG[name])
    for read in (read_header, load_run):
        with pytest.raises(DamagedFileError, match=path.name) as raised:
            read(path)
        assert "\n" not in str(raised.value)


def test_the_same_file_uncrafted_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(crafted())
    assert read_header(path)["id"] == load_run(path).id == SPEC.id


PLAN = 'name = "p"\n[base]\nn_features = 20\nsteps = 5\nbatch = 8\n[axes]\nwidth = [2, 3]\n'


def test_a_store_with_bad_files_is_told_of_run_by_run(tmp_path, command):
    (tmp_path / "plan.toml").write_text(PLAN)
    store = tmp_path / "store"
    whole = train(RunSpec(n_features=20, width=3, steps=5, batch=8))
    store.mkdir()
    whole.save(store / f"{whole.id}.safetensors")
    for i, content in enumerate(WRONG.values()):
        (store / f"{i:016x}.safetensors").write_bytes(content)
    (store / f"{SPEC.id}.safetensors").write_bytes(WRONG["nested"])
    (store / f"{'d' * 16}.safetensors").mkdir()
    (store / f"{'e' * 16}.safetensors").symlink_to(store / "nothing")
    os.mkfifo(store / f"{'f' * 16}.safetensors")
    code, out, err = command("sweep", "status", tmp_path / "plan.toml", "--store", store, "--json")
    assert (code, err) == (0, "") or code == 1, err
    assert json.loads(out)["damaged"] == 1
    code, _, err = command("sweep", "gather", store, "-o", tmp_path / "runs.csv")
    assert code == 0, err
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert sum(",ok," in line or ",ok" in line for line in lines) == 1
    assert sum("damaged" in line for line in lines) == len(WRONG) + 4
    code, out, err = command("sweep", "verify", "--store", store)
    assert code == 1
    assert out.count(".safetensors") + err.count(".safetensors") >= len(WRONG) + 4
