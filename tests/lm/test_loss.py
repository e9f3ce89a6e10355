"""Losses: by hand, by plain unbatched evaluation, whatever the batch; failures recorded, work resumed."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from made_model import make_model

from superlaw.errors import InputError
from superlaw.lm.corpora import Corpus, documents
from superlaw.lm.loss import batches, evaluate, load_model, measure_losses
from superlaw.lm.loss_table import Loss, LossOptions, losses_in, read_losses, write_losses

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


WORDS = [f"w{i}" for i in range(30)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("small"), WORDS)


@pytest.fixture
def text(tmp_path):
    random = np.random.default_rng(0)
    lines = [" ".join(random.choice(WORDS, size)) for size in random.integers(1, 100, 40)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def plain(folder, path) -> float:
    """As anyone would write it: one document at a time, the library's own loss."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    total = count = 0
    for document in documents(Corpus("x", str(path)), "line"):
        ids = tokenizer(document, return_tensors="pt")["input_ids"][:, :64]
        if ids.shape[1] > 1:
            with torch.no_grad():
                total += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
            count += ids.shape[1] - 1
    return total / count


@pytest.mark.parametrize("batch_tokens", [2, 100, 500, 100_000])
def test_the_loss_is_that_of_plain_evaluation_whatever_the_batch(small, text, batch_tokens):
    options = LossOptions(document="line", batch_tokens=batch_tokens)
    shown = evaluate(load_model(str(small), options), Corpus("x", str(text)), options)
    assert shown.loss == pytest.approx(plain(small, text), abs=1e-5)
    assert shown.context == 64
    assert shown.cut > 0
    assert shown.tokens + shown.n_documents <= 64 * shown.n_documents


def test_the_order_of_documents_does_not_matter(small, text, tmp_path):
    options = LossOptions(document="line", batch_tokens=300)
    other = tmp_path / "other.txt"
    other.write_text("\n".join(reversed(text.read_text().splitlines())))
    loaded = load_model(str(small), options)
    first, second = (evaluate(loaded, Corpus("x", str(path)), options) for path in (text, other))
    assert first.loss == pytest.approx(second.loss, abs=1e-6)
    assert first.stderr == pytest.approx(second.stderr, abs=1e-6)


def test_a_two_token_model_has_the_cross_entropy_of_its_logits_by_hand(tmp_path):
    def constant(model):
        with torch.no_grad():
            model.gpt_neox.final_layer_norm.weight.zero_()
            model.gpt_neox.final_layer_norm.bias.zero_()
            model.gpt_neox.final_layer_norm.bias[0] = 1
            model.get_output_embeddings().weight[:, 0] = torch.tensor(
                [0.3, 1.5]
            )  # the logits of a and b, whatever came before

    folder = make_model(tmp_path / "m", ["a", "b"], change=constant)
    (tmp_path / "t.txt").write_text("a a b\nb a\na\n")
    options = LossOptions(document="line")
    shown = evaluate(load_model(str(folder), options), Corpus("x", str(tmp_path / "t.txt")), options)
    a, b = (math.log(math.exp(0.3) + math.exp(1.5)) - logit for logit in (0.3, 1.5))
    assert shown.loss == pytest.approx((a + b + a) / 3, abs=1e-6)
    assert (shown.tokens, shown.n_documents, shown.short) == (3, 2, 1)
    assert shown.bytes == 4 + 2  # " a b" and " a"
    assert shown.bits_per_byte == pytest.approx((a + b + a) / math.log(2) / 6, abs=1e-6)
    assert shown.bos == "none added"
    residuals = np.array([a + b, a]) - shown.loss * np.array([2, 1])
    assert shown.stderr == pytest.approx(math.sqrt(2 * residuals @ residuals) / 3, abs=1e-6)


def test_encoders_are_failures_and_not_numbers(small, text, tmp_path, command):
    import shutil

    def message(folder) -> str:
        code, shown, _ = command("lm", "loss", folder, "--corpus", f"t={text}", "-o", tmp_path / "l.csv", "--json")
        (row,) = json.loads(shown)["losses"]
        assert (code, row["status"], row["loss"]) == (1, "failed", None)
        return row["message"]

    config = transformers.BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                                     intermediate_size=32, initializer_range=0.5)  # fmt: skip
    for kind, said in ((transformers.BertModel, "without"), (transformers.BertForMaskedLM, "sees the tokens")):
        folder = tmp_path / kind.__name__
        shutil.copytree(small, folder)
        torch.manual_seed(0)
        kind(config).save_pretrained(folder)
        assert said in message(folder)


def test_batches_hold_every_document_once_within_their_size():
    lengths = np.random.default_rng(0).integers(1, 90, 200).tolist()
    found = list(batches(lengths, 256))
    assert sorted(i for batch in found for i in batch) == list(range(200))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 256 for batch in found)


def test_a_failure_is_recorded_and_the_others_go_on_and_a_second_call_resumes(
    small, text, tmp_path, command, monkeypatch
):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    out = tmp_path / "losses.csv"
    arguments = ("lm", "loss", broken, small, "--corpus", f"t={text}", "--document", "line", "-o", out)
    code, shown, _ = command(*arguments, "--json")
    rows = json.loads(shown)["losses"]
    assert code == 1
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["message"]
    assert rows[1]["loss"] == pytest.approx(plain(small, text), abs=1e-5)
    monkeypatch.setattr("superlaw.lm.loss.evaluate", lambda *a: pytest.fail("computed again"))
    code, shown, _ = command("lm", "loss", small, "--corpus", f"t={text}", "--document", "line", "-o", out)
    assert code == 0
    assert f"{rows[1]['loss']:.2f}" in shown
    with out.open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["failed", "ok"]
    code, _, err = command("lm", "loss", small, "--corpus", f"t={text}", "--document", "blank", "-o", out)
    assert (code, err.count("\n")) == (2, 1)
    assert "made with document = line" in err


def test_a_pickle_with_code_is_not_run(small, text, tmp_path, command):
    import os
    import shutil

    folder, canary = tmp_path / "bomb", tmp_path / "canary"
    shutil.copytree(small, folder)
    (folder / "model.safetensors").unlink()

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {canary}",)

    torch.save({"embed_out.weight": Bomb()}, folder / "pytorch_model.bin")
    code, _, _ = command("lm", "loss", folder, "--corpus", f"t={text}", "-o", tmp_path / "l.csv")
    assert code == 1
    assert not canary.exists()


@pytest.mark.parametrize(
    "wrong, said",
    [({"document": "page"}, "words:N"), ({"document": "words:0"}, "words:N"), ({"max_length": 1}, "max_length"),
     ({"documents": 0}, "documents"), ({"batch_tokens": 0}, "batch_tokens"), ({"dtype": "int8"}, "--dtype")],
)  # fmt: skip
def test_wrong_options_are_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        LossOptions(**wrong)


def test_a_table_that_is_not_ours_is_left_alone(small, text, tmp_path, command):
    out = tmp_path / "mine.csv"
    out.write_text("a,b\n1,2\n")
    code, _, err = command("lm", "loss", small, "--corpus", f"t={text}", "-o", out)
    assert (code, err.count("\n")) == (2, 1)
    assert out.read_text() == "a,b\n1,2\n"


def test_without_transformers_the_extra_is_named(text, tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['transformers'] = None\n"
        f"sys.argv = ['superlaw', 'lm', 'loss', 'x/y', '--corpus', 't={text}', '-o', {str(tmp_path / 'l.csv')!r}]\n"
        "from superlaw.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'superlaw[lm]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_without_a_tokenizer_is_told_so_and_not_that_its_texts_are_short(small, text, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(small, folder, ignore=shutil.ignore_patterns("token*"))
    with pytest.raises(InputError, match="whose tokenizer makes no token"):
        load_model(str(folder), LossOptions())


@pytest.mark.parametrize("name", ["nothere", "models/small", "./nothere", "a/b/c"])
def test_where_no_hub_answers_a_name_that_is_no_folder_fails_at_once(name, text, tmp_path, monkeypatch):
    import time

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    begin = time.monotonic()
    (row,) = measure_losses([name], [Corpus("t", str(text))], LossOptions(), tmp_path / "l.csv")
    assert time.monotonic() - begin < 3
    assert row.status == "failed"
    assert ("no answer" if "./" not in name and name.count("/") < 2 else "no folder") in row.message


def test_a_model_that_the_hub_lacks_fails_at_once(hub, text, tmp_path):
    (row,) = measure_losses(["owner/none"], [Corpus("t", str(text))], LossOptions(), tmp_path / "l.csv")
    assert "config.json: not found" in row.message


def test_a_table_of_losses_comes_back_as_it_was(tmp_path):
    options, corpus = LossOptions(document="line"), Corpus("nan", "a, b.txt")
    made = [
        Loss("NA", "nan", corpus.source, "ok", 0.1 + 0.2, float("nan"), 1 / 3, 5, 6, 1, 0, 0, 64, "none added",
             **asdict(options)),
        Loss("1e5", "other", "x", "failed", *[float("nan")] * 3, 0, 0, 0, 0, 0, 0, "", **asdict(options),
             message='"quoted", and\nbroken'),
    ]  # fmt: skip
    write_losses(tmp_path / "l.csv", made)
    assert str(read_losses(tmp_path / "l.csv", options, [corpus])) == str(made)  # NaN is not itself
    with pytest.raises(InputError, match="made with document = line"):
        read_losses(tmp_path / "l.csv", LossOptions(), [corpus])
    with pytest.raises(InputError, match="a new name for"):
        read_losses(tmp_path / "l.csv", options, [Corpus("nan", "c.txt")])


def test_measuring_anew_replaces_a_table_of_losses_and_no_other_file(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("a text")
    (tmp_path / "mine.csv").write_text("loss,width\n1,2\n")
    anew = ("lm", "loss", "./no-such-model", "--corpus", "wiki=t.txt", "--overwrite", "-o")
    code, _, err = command(*anew, "mine.csv")
    assert code == 2 and "no table of losses" in err and (tmp_path / "mine.csv").read_text() == "loss,width\n1,2\n"
    old = Loss("m", "c", "s", "ok", 0.3, 0.3, 0.3, 5, 6, 1, 0, 0, 64, "none", **asdict(LossOptions(document="line")))
    write_losses(tmp_path / "l.csv", [old])
    assert command(*anew, "l.csv")[0] == 1  # recorded: there is no such model
    assert [row.model for row in losses_in(tmp_path / "l.csv")] == ["./no-such-model"]


DAMAGES = {
    "cut": lambda t: t[:-4], "no number": lambda t: t.replace("0.3", "x3"), "a short row": lambda t: t + "1,2\n",
    "another column": lambda t: t.replace("model,", "model,model,", 1), "nothing": lambda t: "",
    "no text": lambda t: "\xff", "half a token": lambda t: t.replace(",5,6,", ",5.5,6,"),
    "a long row": lambda t: t.replace("ok", "ok,ok"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_table_of_losses_is_named_and_kept(tmp_path, damage):
    path, options = tmp_path / "l.csv", LossOptions()
    write_losses(path, [Loss("m", "c", "s", "ok", 0.3, 0.3, 0.3, 5, 6, 1, 0, 0, 64, "none", **asdict(options))])
    content = damage(path.read_text()).encode("latin-1")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"l\.csv"):
        read_losses(path, options, [])
    assert path.read_bytes() == content
