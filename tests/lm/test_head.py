"""Heads: published numbers, brute force, the choice of the tensor, and checkpoints that mean harm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import ml_dtypes
import numpy as np
import pytest
from lm_files import write_model
from safetensors.numpy import save, save_file

from superlaw.errors import InputError
from superlaw.geometry import blocks
from superlaw.lm.head import Head, load_head
from superlaw.lm.measure import measure_head

# Peak resident kilobytes of a process of its own: getrusage would count its parent's before the start.
PEAK = "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"


def brute_force(W: np.ndarray) -> dict[str, float]:
    w = W.astype(np.float64)
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    overlaps = (w @ w.T)[~np.eye(len(w), dtype=bool)]
    return {"square": np.mean(overlaps**2), "abs": np.abs(overlaps).mean(), "std": np.abs(overlaps).std()}


def test_the_trained_minilm_has_the_published_numbers(minilm, command):
    code, out, _ = command("lm", "head", minilm, "--encoder", "--json")
    shown = json.loads(out)["models"][0]
    assert code == 0
    assert (shown["n"], shown["m"]) == (30522, 384)
    five = lambda x: float(f"{x:.5g}")  # noqa: E731
    assert five(shown["mean_square_overlap"]) == five(0.0087258)
    assert five(shown["mean_abs_overlap"]) == five(0.0615141)
    assert five(shown["inverse_width"]) == five(0.0026042)
    assert [five(shown["norms"][k]) for k in ("mean", "min", "max")] == [five(1.06565), 0.24488, 1.694]
    assert shown["mean_abs_overlap_stderr"] == 0
    assert "strong superposition" in shown["verdict"]


def measured(minilm) -> tuple[float, float, float]:
    """Seconds of the second moment and of all pairs, and the peak in kB, in a process of their own."""
    code = (
        "import sys, time\n"
        "from superlaw.lm.head import load_head\nfrom superlaw.geometry import blocks\n"
        + PEAK
        + "W = load_head(sys.argv[1], encoder=True).W\n"
        "a = time.perf_counter(); blocks.scan_rows(W); blocks.unit_moment(W).mean_square_overlap\n"
        "b = time.perf_counter(); blocks.mean_abs_overlap(W)\n"
        "print(b - a, time.perf_counter() - b, peak())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=True)
    moment, pairs, kilobytes = map(float, done.stdout.split())
    return moment, pairs, kilobytes


def test_minilm_is_measured_in_little_memory(minilm):
    assert measured(minilm)[2] < 400_000


@pytest.mark.slow  # a timing: by hand, on a quiet machine
def test_minilm_is_measured_in_little_time(minilm):
    moment, pairs, _ = measured(minilm)
    assert moment < 2 and pairs < 6


@pytest.mark.parametrize("name", ["head.npy", "HEAD.NPY", "HEAD.NPZ", "Model.SafeTensors", "MODEL.PT"])
def test_the_ending_of_a_file_counts_in_capitals_too(tmp_path, name):
    W, path = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32), tmp_path / name
    kind = path.suffix.lower()
    with path.open("wb") as file:
        if kind == ".npy":
            np.save(file, W)
        elif kind == ".npz":
            np.savez(file, W=W)
        elif kind == ".safetensors":
            file.write(save({"W": W}))
        else:
            torch = pytest.importorskip("torch")
            torch.save({"W": torch.from_numpy(W)}, file)
    np.testing.assert_array_equal(load_head(path).W, W)


def test_a_file_that_is_not_there_is_no_hub_id_in_capitals_either(monkeypatch):
    monkeypatch.setattr("superlaw.lm.checkpoint.HubModel.parse", lambda text: pytest.fail(f"asks a hub for {text}"))
    with pytest.raises(InputError, match=r"HEAD\.NPY, which does not exist"):
        load_head("HEAD.NPY")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("shape", [(300, 24), (20, 50), (1500, 3)])
def test_measures_are_those_of_all_pairs(dtype, shape):
    W = (np.random.default_rng(3).normal(size=shape) + 0.3).astype(dtype)
    shown = measure_head(Head("m", "W", "", W), centre=True, pairs="exact")
    truth, moved = brute_force(W), W.astype(np.float64) - W.astype(np.float64).mean(axis=0)
    assert shown.overlaps.mean_square == pytest.approx(truth["square"], rel=2e-6)
    assert shown.overlaps.mean_abs == pytest.approx(truth["abs"], rel=2e-6)
    assert shown.overlaps.std == pytest.approx(truth["std"], rel=2e-5)
    assert shown.centred.mean_square == pytest.approx(brute_force(moved)["square"], rel=2e-6)
    values = np.linalg.svd(W.astype(np.float64) / np.linalg.norm(W.astype(np.float64), axis=1)[:, None])[1] ** 2
    assert shown.overlaps.participation_ratio == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-5)
    np.testing.assert_allclose(shown.overlaps.spectrum[: len(values)], values / values.sum(), atol=1e-6)


def test_sampled_pairs_agree_with_all_pairs_within_their_error(gaussian):
    exact = measure_head(Head("m", "W", "", gaussian), pairs="exact").overlaps
    errors = []
    for seed in range(20):
        sampled = measure_head(Head("m", "W", "", gaussian), pairs="sampled", seed=seed).overlaps
        errors.append((sampled.mean_abs - exact.mean_abs) / sampled.mean_abs_stderr)
    assert sampled.pairs == 400_000
    assert 0.4 < np.std(errors) < 1.7
    assert abs(np.mean(errors)) < 1


def test_a_sampled_pair_is_never_a_row_with_itself():
    assert np.abs(blocks.sample_overlaps(np.eye(3, dtype=np.float32), 10_000)).max() == 0


def test_overlaps_weighted_by_frequency_are_those_of_all_pairs(gaussian):
    p = np.random.default_rng(0).dirichlet(np.ones(len(gaussian)))
    w = gaussian / np.linalg.norm(gaussian, axis=1)[:, None]
    pairs = np.outer(p, p) * (1 - np.eye(len(p)))
    truth = (pairs * (w @ w.T) ** 2).sum() / pairs.sum()
    assert blocks.weighted_mean_square_overlap(gaussian, p) == pytest.approx(truth, rel=1e-5)


def test_hygiene_counts_zero_duplicate_padded_and_untrained_rows(tmp_path):
    random = np.random.default_rng(0)
    W = random.normal(size=(200, 16)).astype(np.float32)
    W[3] = 0
    W[10] = W[11] = W[12]
    lost = random.normal(size=16) * 3
    W[150:] = (lost + 0.1 * random.normal(size=(50, 16))).astype(np.float32)  # never trained: 20 named, 30 padded
    vocab = {f"t{i}": i for i in range(150)} | {f"[unused{i}]": 150 + i for i in range(10)}
    vocab |= {f"word{i}": 160 + i for i in range(10)}
    write_model(tmp_path, {"lm_head.weight": W}, {"vocab_size": 200})
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}}))
    shown = measure_head(load_head(tmp_path))
    counts = shown.hygiene
    assert (counts["zero"], counts["duplicate"], counts["padded"]) == (1, 2, 30)
    assert 43 <= counts["untrained"] <= 50
    kept = measure_head(load_head(tmp_path), leave_out=("padded", "untrained", "duplicate"), pairs="exact")
    assert kept.n == pytest.approx(200 - 2 - 50, abs=3)
    assert kept.overlaps.mean_square < shown.overlaps.mean_square


def test_several_widths_give_the_slope_of_random_directions(tmp_path, command):
    files = []
    for m in (16, 32, 64, 128):
        files.append(tmp_path / f"{m}.npy")
        np.save(files[-1], np.random.default_rng(m).normal(size=(3000, m)).astype(np.float32))
    code, out, _ = command("lm", "head", *files, "--json", "--plot", tmp_path / "out.png")
    record = json.loads(out)
    assert code == 0
    assert record["slope"] == pytest.approx(1, abs=0.01)
    assert 0 < record["slope_stderr"] < 0.01
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"
    code, out, _ = command("lm", "head", *files)
    assert re.search(r"1/m\^\((0\.99|1\.00)\d* ± ", out)


W = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
X = np.ones((40, 8), np.float32)


@pytest.mark.parametrize(
    "tensors, config, chosen",
    [
        ({"lm_head.weight": W, "model.embed_tokens.weight": X}, {"hidden_size": 8, "vocab_size": 40}, "lm_head.weight"),
        ({"embed_out.weight": W, "gpt_neox.embed_in.weight": X}, {}, "embed_out.weight"),
        (
            {"model.embed_tokens.weight": W, "model.norm.weight": X},
            {"tie_word_embeddings": True},
            "model.embed_tokens.weight",
        ),
        ({"wte.weight": W, "wpe.weight": X}, {"n_embd": 8}, "wte.weight"),
        ({"transformer.wte.weight": W, "transformer.h.0.attn.c_attn.weight": X}, {}, "transformer.wte.weight"),
        (
            {"model.decoder.embed_tokens.weight": W, "model.decoder.project_out.weight": np.ones((8, 16), np.float32)},
            {"hidden_size": 16, "word_embed_proj_dim": 8, "vocab_size": 38},
            "model.decoder.embed_tokens.weight",
        ),
        (
            {"language_model.model.embed_tokens.weight": W, "v": X},
            {"text_config": {"hidden_size": 8}},
            "language_model.model.embed_tokens.weight",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shards", [1, 2])
def test_the_head_is_found(tmp_path, tensors, config, chosen, shards):
    head = load_head(write_model(tmp_path, tensors, config, shards))
    assert head.tensor == chosen
    np.testing.assert_array_equal(head.W, W)
    assert bool(head.notes) == (config.get("hidden_size") == 16)


def test_torch_files_are_read_through_the_weights_only_loader(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "config.json").write_text("{}")
    for legacy in (False, True):
        tensors = {"lm_head.weight": torch.from_numpy(W).bfloat16()}
        torch.save(tensors, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
        head = load_head(tmp_path)
        assert head.W.dtype.name == "bfloat16"
        np.testing.assert_array_equal(head.W, W.astype(ml_dtypes.bfloat16))


def refused(command, *arguments: object) -> str:
    code, out, err = command("lm", "head", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert "; need " in err
    return err


@pytest.mark.parametrize("ending", ["bin", "pt", "npy"])
def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path, command, ending):
    canary = tmp_path / "canary"

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {canary}",)

    path = tmp_path / f"model.{ending}"
    if ending == "npy":
        np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    else:
        pytest.importorskip("torch").save({"lm_head.weight": Bomb()}, path)
    refused(command, path)
    assert not canary.exists()


def test_hostile_folders_are_refused_in_one_line(tmp_path, command):
    whole = write_model(tmp_path / "whole", {"lm_head.weight": W, "b": X}, {}, shards=2)
    index = json.loads((whole / "model.safetensors.index.json").read_text())
    outside = tmp_path / "outside.safetensors"
    save_file({"lm_head.weight": W}, outside)
    for shard, said in [("../outside.safetensors", "inside the model's folder"), (str(outside), "inside"),
                        ("C:\\x.safetensors", "inside"), ("..\\outside.safetensors", "inside"), ("", "inside"),
                        ("missing.safetensors", "missing shard"), ("\0", "inside")]:  # fmt: skip
        index["weight_map"]["lm_head.weight"] = shard
        (whole / "model.safetensors.index.json").write_text(json.dumps(index))
        assert said in refused(command, whole)
    for content in ("{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "[" * 50000, "\x00"):
        (whole / "model.safetensors.index.json").write_text(content)
        refused(command, whole)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "without weights" in refused(command, empty)
    assert "does not exist" in refused(command, "./nowhere")
    assert "does not exist" in refused(command, tmp_path / "nowhere.npy")
    assert "without a head" in refused(command, write_model(tmp_path / "none", {"a": W, "b": X}))
    bert = {"bert.embeddings.word_embeddings.weight": W, "bert.encoder.layer.0.attention.self.query.weight": X}
    assert "--encoder" in refused(command, write_model(tmp_path / "bert", bert, {"vocab_size": 40}))
    untied = write_model(tmp_path / "untied", {"model.embed_tokens.weight": W}, {"tie_word_embeddings": False})
    assert "not tied" in refused(command, untied)


@pytest.mark.parametrize(
    "tensor, config, said",
    [
        (W, {"vocab_size": 41}, "with a config of 41 tokens"),
        (W, {"hidden_size": 9}, "hidden_size = 9"),
        (np.ones(8, np.float32), {}, "a matrix"),
        (np.ones((0, 8), np.float32), {}, "a matrix"),
        (np.ones((4, 8), np.int32), {}, "quantised"),
        (np.zeros((4, 8), np.float32), {}, "rows with a direction"),
        (np.full((4, 8), np.nan, np.float32), {}, "4 rows (first: row 0)"),
        (np.full((4, 8), 1e300), {}, "too large"),
    ],
)
def test_a_matrix_that_cannot_be_a_head_is_refused(tmp_path, command, tensor, config, said):
    assert said in refused(command, write_model(tmp_path, {"lm_head.weight": tensor}, config))


def test_cut_files_are_refused(tmp_path, command):
    torch = pytest.importorskip("torch")
    write_model(tmp_path / "m", {"lm_head.weight": W})
    np.save(tmp_path / "w.npy", W)
    torch.save({"lm_head.weight": torch.from_numpy(W)}, tmp_path / "w.bin")
    for path in (tmp_path / "m" / "model.safetensors", tmp_path / "w.npy", tmp_path / "w.bin"):
        content = path.read_bytes()
        for length in (0, 5, 60, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            refused(command, path)


def test_links_out_of_the_folder_need_permission_and_a_hub_cache_does_not(tmp_path, command):
    blobs = tmp_path / "hub" / "models--a--b" / "blobs"
    snapshot = blobs.parent / "snapshots" / "abc"
    write_model(blobs, {"lm_head.weight": W})
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/model.safetensors")
    assert load_head(snapshot).tensor == "lm_head.weight"
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").symlink_to(blobs / "model.safetensors")
    assert "--follow-links" in refused(command, other)
    assert load_head(other, follow_links=True).tensor == "lm_head.weight"


def test_wrong_options_are_refused(tmp_path, command, gaussian):
    np.save(tmp_path / "w.npy", gaussian)
    (tmp_path / "out.png").write_text("mine")
    assert "exists" in refused(command, tmp_path / "w.npy", "--plot", tmp_path / "out.png")
    assert ".png" in refused(command, tmp_path / "w.npy", "--plot", tmp_path / "out.exe")
    assert "no folder" in refused(command, tmp_path / "w.npy", "--plot", tmp_path / "no" / "out.png")
    assert "pairs" in refused(command, tmp_path / "w.npy", "--pairs", "some")
    assert "leave_out" in refused(command, tmp_path / "w.npy", "--leave-out", "all")
    assert "no way to tell" in refused(command, tmp_path / "w.npy", "--leave-out", "padded")
    assert "did you mean w?" in refused(command, tmp_path / "w.npy", "--tensor", "ww")
    assert "counts file" in refused(command, tmp_path / "w.npy", "--tokens", tmp_path / "none.json")
    assert (tmp_path / "out.png").read_text() == "mine"


def test_without_torch_a_bin_file_names_the_extra(tmp_path):
    (tmp_path / "w.bin").write_bytes(b"x")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"sys.argv = ['superlaw', 'lm', 'head', {str(tmp_path / 'w.bin')!r}]\n"
        "from superlaw.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'superlaw[torch]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_matrix_in_bf16_costs_its_own_bytes_and_little_more(tmp_path):
    head = np.random.default_rng(0).normal(size=(20_000, 512)).astype(ml_dtypes.bfloat16)
    write_model(tmp_path, {"a": X, "lm_head.weight": head}, {}, shards=2)
    code = (
        "import sys\nfrom superlaw.lm.head import load_head\nfrom superlaw.geometry import blocks\n"
        + PEAK
        + "W = load_head(sys.argv[1]).W\nbefore = peak(); shown = blocks.unit_moment(W).mean_square_overlap\n"
        "print(shown, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    shown, kilobytes = map(float, done.stdout.split())
    assert shown == pytest.approx(1 / 512, rel=0.01)
    assert kilobytes * 1024 < 3 * head.nbytes + 60e6


@pytest.mark.slow  # a timing: by hand, on a quiet machine
def test_time_of_the_second_moment_is_that_of_one_product(minilm):
    W = np.ascontiguousarray(load_head(minilm, encoder=True).W)
    start = time.perf_counter()
    for _ in range(3):
        W.T @ np.copy(W)
    product = (time.perf_counter() - start) / 3
    times = []
    for _ in range(3):
        start = time.perf_counter()
        blocks.unit_moment(W)
        times.append(time.perf_counter() - start)
    assert min(times) < 3 * product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [np.random.default_rng(5).normal(size=(200, 16)), np.eye(5, 8)])
def test_rows_of_one_length_are_measured(tmp_path, command, dtype, rows):
    np.save(tmp_path / "w.npy", (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(dtype))
    code, out, err = command("lm", "head", tmp_path / "w.npy", "--json", "--centre", "--plot", tmp_path / "p.png")
    assert (code, err) == (0, "")
    assert sum(json.loads(out)["models"][0]["norms"]["histogram"]) == len(rows)


@pytest.mark.parametrize("shape", [(3, 40_000), (2100, 16_000)])
def test_wide_rows_cost_their_own_bytes_and_little_more(tmp_path, shape):
    W = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.save(tmp_path / "w.npy", W)
    code = (
        "import sys\nfrom superlaw.lm.head import load_head\nfrom superlaw.geometry import blocks\n"
        + PEAK
        + "W = load_head(sys.argv[1]).W\nbefore = peak(); blocks.unit_moment(W)\n"
        "blocks.sample_overlaps(W, 1000); blocks.scan_rows(W); print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.npy")], capture_output=True, text=True)
    assert int(done.stdout) * 1024 < W.nbytes + 3 * 8 * min(shape) ** 2 + 250e6, done.stderr


def test_a_head_of_few_wide_rows_is_measured_in_little_time_and_memory(tmp_path):
    np.save(tmp_path / "w.npy", np.random.default_rng(0).normal(size=(3, 40_000)).astype(np.float32))
    code = (
        "import sys\nfrom superlaw.lm.head import load_head\nfrom superlaw.lm.measure import measure_head\n"
        + PEAK
        + "head = load_head(sys.argv[1]); before = peak()\n"
        "measure_head(head, centre=True).to_dict(); print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "w.npy")], capture_output=True, text=True, timeout=60
    )
    assert int(done.stdout) < 100_000, done.stderr


def test_a_name_in_a_file_does_not_steer_the_terminal(tmp_path, command):
    code, out, _ = command("lm", "head", write_model(tmp_path / "m", {"\x1b[2Jmodel.lm_head.weight": W, "b": X}))
    assert code == 0
    assert out.replace("\n", "").isprintable()
    assert "\\x1b[2Jmodel.lm_head.weight" in out
