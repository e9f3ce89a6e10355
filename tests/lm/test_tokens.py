"""Token counts: of a real tokenizer on real texts, from every kind of corpus, and usable everywhere."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from lm_files import write_model

from superlaw.lm.corpora import Corpus, documents
from superlaw.lm.head import load_head
from superlaw.lm.tokens import count_tokens, load_tokenizer

pytest.importorskip("tokenizers")


@pytest.fixture
def words(tmp_path):
    """A folder with a tokenizer of single words, and truncation left on by its maker."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2, "c": 3, "d": 4}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    folder = tmp_path / "words"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def count(folder, path, **options) -> np.ndarray:
    return count_tokens(load_tokenizer(folder), Corpus("x", str(path)), **options).counts


def test_counts_are_those_of_a_hand_count_whatever_truncation_the_file_carries(words, tmp_path):
    (tmp_path / "t.txt").write_text("a b a c\n\na b z\n")
    np.testing.assert_array_equal(count(words, tmp_path / "t.txt"), [1, 3, 2, 1, 0])
    np.testing.assert_array_equal(count(words, tmp_path / "t.txt", max_tokens=3), [0, 2, 1, 0, 0])


def test_every_kind_of_corpus_gives_the_same_counts(words, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    texts = ["a b a c", "a b z d"] * 700
    (tmp_path / "t.txt").write_text("\n".join(texts))
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    (tmp_path / "set").mkdir()
    pandas.DataFrame({"text": texts}).to_parquet(tmp_path / "set" / "t.parquet")
    truth = count(words, tmp_path / "t.txt")
    np.testing.assert_array_equal(count(words, tmp_path / "t.jsonl"), truth)
    np.testing.assert_array_equal(count(words, tmp_path / "set" / "t.parquet"), truth)
    if pytest.importorskip("datasets"):
        np.testing.assert_array_equal(count(words, f"datasets:{tmp_path / 'set'}"), truth)


def test_the_mark_that_editors_put_before_utf_8_is_no_part_of_a_corpus(words, tmp_path):
    texts = ["a b a c", "a b z d"]
    (tmp_path / "t.txt").write_text("\n".join(texts), encoding="utf-8-sig")
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8-sig")
    for name in ("t.txt", "t.jsonl"):
        assert list(documents(Corpus("x", str(tmp_path / name)), "line")) == texts
        np.testing.assert_array_equal(count(words, tmp_path / name), [1, 3, 2, 1, 1])


def test_minilm_on_real_texts(minilm, published, tmp_path, command):
    arguments = [f"--corpus={name}={published / file}" for name, file in
                 (("wiki", "wikitext2-valid.txt"), ("shakespeare", "tinyshakespeare.txt"))]  # fmt: skip
    out = tmp_path / "counts.json"
    code, shown, _ = command("lm", "tokens", "--tokenizer", minilm, *arguments, "-o", out, "--json")
    assert code == 0
    from tokenizers import Tokenizer

    plain = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    plain.no_truncation()
    plain.no_padding()
    text = (published / "wikitext2-valid.txt").read_text()
    truth = Counter(plain.encode(text, add_special_tokens=False).ids)
    record = json.loads(out.read_text())
    assert {int(k): v for k, v in record["corpora"]["wiki"]["counts"].items()} == truth
    for one in json.loads(shown)["corpora"].values():
        assert one["whole_corpus"]
        assert 0.9 < one["split_half"]["exponent"] < 1.2
    # The file is a valid --frequencies of the toy model, and weighs the head.
    small = ("--n-features", 50, "--width", 4, "--steps", 10, "--batch", 32, "--out", tmp_path)
    code, _, err = command("train", "--frequencies", out, *small)
    assert code == 0, err
    code, shown, _ = command("lm", "head", minilm, "--encoder", "--tokens", out, "--pairs", "sampled", "--json")
    measured = json.loads(shown)["models"][0]
    weighted = measured["weighted"]
    assert code == 0
    assert weighted["tokens_counted"] == sum(record["counts"].values())
    import pandas

    counts = pandas.Series(record["counts"])
    norms = np.linalg.norm(load_head(minilm, encoder=True).W.astype(np.float64)[counts.index.astype(int)], axis=1)
    truth = pandas.Series(norms, counts.index).corr(counts, method="spearman")
    assert weighted["norm_frequency_rank_correlation"] == pytest.approx(truth, abs=1e-9)
    assert [bucket["ranks"] for bucket in measured["buckets"]] == [[1, 306], [307, 3053], [3054, 30522]]
    top = counts.sort_values(ascending=False, kind="stable").index[:306].astype(int)
    norms = np.linalg.norm(load_head(minilm, encoder=True).W.astype(np.float64)[top], axis=1)
    assert measured["buckets"][0]["mean_norm"] == pytest.approx(norms.mean(), rel=1e-2)  # ties at the edge


def test_documents_are_cut_as_asked(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("one two\n three\n\n  \nfour five six\nseven")
    cut = lambda rule: list(documents(Corpus("x", str(path)), rule))  # noqa: E731
    assert cut("line") == ["one two", " three", "four five six", "seven"]
    assert cut("blank") == ["one two\n three\n", "four five six\nseven"]
    assert cut("file") == [path.read_text()]
    assert cut("words:3") == ["one two\n three\n", "\n  \nfour five six\n", "seven"]


def test_wrong_things_are_refused_in_one_line_and_nothing_is_written(words, tmp_path, command):
    (tmp_path / "t.txt").write_text("a b")
    (tmp_path / "one.txt").write_text("a a")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes(b"a \xff b")
    (tmp_path / "bad.jsonl").write_text('{"text": "a b"}\n{"x": 1}\n')
    (tmp_path / "bad.parquet").write_bytes(b"PAR1nonsense")
    (tmp_path / "bad.json").write_text("{}")
    good, out = f"w={tmp_path / 't.txt'}", tmp_path / "out.json"

    def refused(said: str, *arguments: object) -> None:
        code, shown, err = command("lm", "tokens", *arguments)
        assert (code, shown, err.count("\n")) == (2, "", 1), err
        assert said in err
        assert not out.exists()

    for corpus, said in [("w", "NAME=FILE"), ("=x", "NAME=FILE"), (f"w={tmp_path / 'none.txt'}", "does not exist"),
                         (f"w={tmp_path / 'one.txt'}", "different"), (f"w={tmp_path / 'empty.txt'}", "different"),
                         (f"w={tmp_path / 'latin.txt'}", "UTF-8"), (f"w={tmp_path / 'bad.jsonl'}", "line 2"),
                         (f"w={tmp_path / 'bad.parquet'}", "Parquet")]:  # fmt: skip
        refused(said, "--tokenizer", words, "--corpus", corpus, "-o", out)
    refused("twice", "--tokenizer", words, "--corpus", good, "--corpus", good, "-o", out)
    refused("2 or more", "--tokenizer", words, "--corpus", good, "-o", out, "--max-tokens", 0)
    refused("tokenizer.json", "--tokenizer", tmp_path, "--corpus", good, "-o", out)
    refused("no tokenizer", "--tokenizer", tmp_path / "bad.json", "--corpus", good, "-o", out)
    refused("no folder", "--tokenizer", words, "--corpus", good, "-o", tmp_path / "no" / "out.json")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"counts": [1, 2]}', '{"counts": {"a": 1}}', '{"counts": {"1": -1}}',
                '{"counts": {"1": true}}', '{"counts": {"99999999": 1}}', '{"counts": {"5000": 3, "1": 2}}',
                '{"counts": {"1": 2}}'],
)  # fmt: skip
def test_counts_that_do_not_fit_the_head_are_refused(tmp_path, command, gaussian, content):
    (tmp_path / "c.json").write_text(content)
    write_model(tmp_path / "m", {"lm_head.weight": gaussian})
    code, out, err = command("lm", "head", tmp_path / "m", "--tokens", tmp_path / "c.json")
    assert (code, out, err.count("\n")) == (2, "", 1)
