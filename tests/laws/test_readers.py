"""Every format that a law is fitted to: files that the libraries themselves wrote, and published ones."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from run_folders import (
    SHAPES,
    event_folder,
    history_folder,
    lm_eval_folder,
    loss_of,
    open_lm_folder,
    run_table,
    trainer_folder,
)

from superlaw.laws.fit import fit_law
from superlaw.laws.origin import origin_of
from superlaw.laws.tables import load_table

TRUTH = {"a_width": 0.5, "a_depth": 1.0, "L_0": 1.7}


def law_of_the_runs(table, loss="loss", law="additive:width,depth", **options):
    """The law that all runs of these tests follow is found, whatever they were read from."""
    fit = fit_law(table, law, loss, interval="none", **options)
    assert fit.n == len(SHAPES)
    for name, value in TRUTH.items():
        assert fit[name].value == pytest.approx(value, rel=1e-4)
    return fit


WRITTEN = {
    "runs.csv": lambda t, path: t.to_csv(path, index=False),
    "runs.csv.gz": lambda t, path: t.to_csv(path, index=False),
    "runs.parquet": lambda t, path: t.to_parquet(path),
    "indexed.parquet": lambda t, path: t.set_index("d_model").to_parquet(path),
    "runs.jsonl": lambda t, path: t.to_json(path, orient="records", lines=True, double_precision=15),
    "runs.jsonl.gz": lambda t, path: t.to_json(path, orient="records", lines=True, double_precision=15),
    "records.json": lambda t, path: t.to_json(path, orient="records", double_precision=15),
    "columns.json": lambda t, path: t.to_json(path, double_precision=15),
    "split.json": lambda t, path: t.to_json(path, orient="split", double_precision=15),
    "schema.json": lambda t, path: t.to_json(path, orient="table", double_precision=15),
    "lists.json": lambda t, path: path.write_text(json.dumps(t.to_dict("list"))),
    "wrapped.json.gz": lambda t, path: path.write_bytes(
        gzip.compress(json.dumps({"runs": t.to_dict("records"), "by": "me"}).encode())),
    "by_name.json": lambda t, path: path.write_text(json.dumps({f"r{i}": row for i, row in t.T.to_dict().items()})),
    "nested.json": lambda t, path: path.write_text(
        json.dumps([{"config": {"d_model": r["d_model"], "n_layers": r["n_layers"]},
                     "summary": {"val_loss": r["val_loss"]}, "tags": ["a"]} for r in t.to_dict("records")])),
    "runs.xlsx": lambda t, path: t.to_excel(path, index=False),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_is_read_whatever_it_was_saved_as(tmp_path, name):
    WRITTEN[name](run_table(), tmp_path / name)
    fit = law_of_the_runs(tmp_path / name)
    prefix = {"nested.json": ("config.", "summary.")}.get(name, ("", ""))
    assert [note for note in fit.notes if " is the column " in note] == [
        f"loss is the column '{prefix[1]}val_loss'",
        f"width is the column '{prefix[0]}d_model'",
        f"depth is the column '{prefix[0]}n_layers'",
    ]


def test_a_workbook_of_several_sheets_is_read_by_the_sheet_that_is_named(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        run_table().to_excel(book, sheet_name="runs", index=False, startrow=2)
        run_table().to_excel(book, sheet_name="old", index=False)
    with pytest.raises(ValueError, match=r"2 sheets \(runs, old\).*a\.xlsx#runs"):
        load_table(tmp_path / "a.xlsx")
    assert len(load_table(tmp_path / "a.xlsx#runs")) == len(SHAPES)
    with pytest.raises(ValueError, match=r"without the sheet 'run'.*did you mean runs"):
        load_table(tmp_path / "a.xlsx#run")


def test_dates_of_a_workbook_are_texts(tmp_path):
    table = run_table().assign(created=pd.Timestamp("2026-01-02"))
    table.to_excel(tmp_path / "a.xlsx", index=False)
    assert load_table(tmp_path / "a.xlsx")["created"].iloc[0] == "2026-01-02 00:00:00"


def test_trainer_states_are_a_row_a_run_with_its_config(tmp_path):
    table = load_table(trainer_folder(tmp_path / "runs"))
    assert len(table) == len(SHAPES)
    row = table[table["run"] == "w128-l4"].iloc[0]
    assert (row["step"], row["hidden_size"], row["num_hidden_layers"]) == (300, 128, 4)
    assert row["num_input_tokens_seen"] == 300_000
    assert row["eval_loss"] == pytest.approx(loss_of(128, 4, 300))
    assert "architectures" not in table and "learning_rate" in table
    law_of_the_runs(table.assign(eval_loss=table["eval_loss"] - 20 / 300), "eval_loss")


def test_trainer_states_along_their_steps_are_a_row_a_logged_step(tmp_path):
    table = load_table(trainer_folder(tmp_path / "runs", SHAPES[:2]), along_steps=True)
    assert table.groupby("run")["step"].apply(list).tolist() == [[100, 200, 300]] * 2
    assert table["eval_loss"].iloc[0] == pytest.approx(loss_of(64, 2, 100))
    assert any("cluster by run" in note for note in origin_of(table).notes)


def test_one_trainer_state_is_read_along_its_steps(tmp_path):
    trainer_folder(tmp_path, SHAPES[:1])
    for source in (tmp_path, tmp_path / "w64-l2" / "checkpoint-300" / "trainer_state.json"):
        table = load_table(source)
        assert table["step"].tolist() == [100, 200, 300]
        assert set(table["run"]) == {"w64-l2"}
        assert (table["hidden_size"] == 64).all()


def test_event_files_are_a_row_a_run_with_hyperparameters_and_parts_of_their_names(tmp_path):
    table = load_table(event_folder(tmp_path / "logs"))
    assert len(table) == len(SHAPES)
    row = table[table["run"] == "width=256,depth=8"].iloc[0]
    assert (row["width"], row["depth"], row["hidden_size"], row["optimizer"], row["step"]) == (
        256,
        8,
        256,
        "adamw",
        300,
    )
    assert row["eval/loss"] == pytest.approx(loss_of(256, 8, 300), rel=1e-6)  # float32
    fit = fit_law(table, "additive:width,depth", interval="none")
    assert fit["a_width"].value == pytest.approx(0.5, rel=1e-3)
    assert "the parts width, depth of the names are columns" in fit.notes


def test_event_files_along_their_steps(tmp_path):
    table = load_table(event_folder(tmp_path / "logs", SHAPES[:2]), along_steps=True)
    assert table["step"].tolist() == [100, 200, 300] * 2
    assert table["train/lr"].isna().sum() == 4
    (one,) = (tmp_path / "logs" / "width=64,depth=2").iterdir()
    assert load_table(one)["step"].tolist() == [100, 200, 300]


def test_scalars_that_tensorflow_2_writes_as_tensors_are_read(tmp_path):
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = EventFileWriter(str(tmp_path / "run"))
    for step in (1, 2):
        values = [summary_pb2.Summary.Value(tag="loss", tensor=make_tensor_proto(np.float32(3 / step))),
                  summary_pb2.Summary.Value(tag="text", tensor=make_tensor_proto("hello")),
                  summary_pb2.Summary.Value(tag="many", tensor=make_tensor_proto(np.ones(3, np.float32)))]  # fmt: skip
        writer.add_event(event_pb2.Event(wall_time=1.0, step=step, summary=summary_pb2.Summary(value=values)))
    writer.close()
    table = load_table(tmp_path)
    assert table.columns.tolist() == ["run", "step", "loss"]
    assert table["loss"].tolist() == [3.0, 1.5]


def test_hyperparameters_that_pytorch_writes_beside_a_run_are_the_runs(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    for width in (64, 128):
        writer = SummaryWriter(str(tmp_path / f"w{width}"))
        writer.add_scalar("loss", loss_of(width, 2), 10)
        writer.add_hparams({"width": width, "tied": True}, {"final": 1.0}, run_name="hparams")
        writer.close()
    table = load_table(tmp_path)
    assert table["run"].tolist() == ["w128", "w64"]
    assert table["width"].tolist() == [128, 64]
    assert table["final"].tolist() == [1.0, 1.0]


def test_an_event_file_that_is_still_written_is_read_up_to_there_and_says_so(tmp_path):
    event_folder(tmp_path, SHAPES[:1])
    (file,) = tmp_path.rglob("*tfevents*")
    file.write_bytes(file.read_bytes()[:-5])
    table = load_table(tmp_path)
    assert table["step"].tolist() == [100, 200]
    assert any("ends within a record" in note for note in origin_of(table).notes)


def test_a_record_that_claims_more_bytes_than_the_file_has_ends_it(tmp_path):
    event_folder(tmp_path, SHAPES[:1])
    (file,) = tmp_path.rglob("*tfevents*")
    for length in (2**31, 2**62, 2**64 - 1):
        file.write_bytes(file.read_bytes() + length.to_bytes(8, "little") + bytes(100))
        assert load_table(tmp_path)["step"].tolist() == [100, 200, 300]


def test_lm_eval_results_are_a_row_a_model(tmp_path):
    table = load_table(lm_eval_folder(tmp_path / "results"))
    assert len(table) == len(SHAPES)
    row = table[table["run"] == "a/m512x8"].iloc[0]
    assert row["model_num_parameters"] == 12 * 512**2 * 8
    assert row["lambada/acc"] == 0.5 and row["revision"] == "step1000"
    fit = fit_law(table, "power:N", "wikitext/bits_per_byte", interval="none")
    assert "N is the column 'model_num_parameters'" in fit.notes


def test_results_of_the_first_lm_eval_are_read(tmp_path):
    arguments = "pretrained=EleutherAI/pythia-70m,revision=step143000"
    old = {"results": {"lambada_openai": {"ppl": 142.4, "ppl_stderr": 6.0, "acc": 0.18}},
           "config": {"model": "hf-causal", "model_args": arguments}}  # fmt: skip
    for name in ("70m_step1000", "70m_step143000"):
        (tmp_path / f"{name}.json").write_text(json.dumps(old))
    table = load_table(tmp_path)
    assert table["run"].tolist() == ["70m_step1000", "70m_step143000"]
    assert table["lambada_openai/ppl"].tolist() == [142.4, 142.4]


def test_open_lm_models_are_a_row_each_with_a_loss_for_each_corpus(tmp_path):
    table = load_table(open_lm_folder(tmp_path / "models"))
    assert {"params", "tokens", "lr", "d", "l", "h", "c4_val/loss", "c4_val/low", "paloma_ptb/loss"} <= set(table)
    assert "paloma_ptb/low" not in table  # -1: not computed
    fit = fit_law(table, "additive:d,l", "c4_val/loss", interval="none")
    assert fit["a_d"].value == pytest.approx(0.5, rel=1e-4)
    assert fit_law(table, "power:N", "c4_val/loss", interval="none").n == len(SHAPES)


def test_lines_of_open_lm_evaluations_do_not_pass_validation_tokens_for_training(tmp_path):
    open_lm_folder(tmp_path / "models", SHAPES[:1])
    (model,) = (tmp_path / "models").iterdir()
    lines = json.loads(model.read_text())["results"]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = load_table(tmp_path / "results.jsonl")
    assert table["validation_tokens"].tolist() == [245760] * 2 and "tokens" not in table
    assert table["val_data"].tolist() == ["c4_val", "paloma_ptb"]


def test_a_folder_of_histories_is_a_row_a_run_and_says_what_ended_early(tmp_path):
    folder = history_folder(tmp_path / "histories", steps=(100, 200, 300, 500))
    table = load_table(folder)
    assert len(table) == len(SHAPES)
    row = table[table["run"] == "width=64_depth=2"].iloc[0]
    assert (row["_step"], row["width"], row["depth"]) == (500, 64, 2)
    assert row["eval/c4/CrossEntropyLoss"] == pytest.approx(loss_of(64, 2, 500))
    early = history_folder(tmp_path / "early", steps=(100, 200))
    notes = origin_of(load_table(early)).notes
    assert "last logged before the last step of the run: eval/c4/CrossEntropyLoss (in 12)" in notes
    along = load_table(folder, along_steps=True)
    assert len(along) == 4 * len(SHAPES)
    fit = fit_law(along, "additive:width,depth,_step", "eval/c4/CrossEntropyLoss", interval="none", missing="drop")
    assert fit.n == 3 * len(SHAPES)
    assert fit.dropped["by_missing"] == {"rows": len(SHAPES), "columns": {"eval/c4/CrossEntropyLoss": len(SHAPES)}}
    assert fit["a__step"].value == pytest.approx(1.0, rel=1e-4)


def test_flat_json_files_in_a_folder_are_a_run_each(tmp_path):
    for width, depth in SHAPES:
        record = {"config": {"width": width, "n_layer": depth}, "loss": loss_of(width, depth), "tags": ["a"]}
        (tmp_path / f"m{width}-{depth}.json").write_text(json.dumps(record))
    law_of_the_runs(tmp_path)


def test_a_trainers_own_event_files_are_passed_over_and_that_is_said(tmp_path):
    trainer_folder(tmp_path, SHAPES[:2])
    event_folder(tmp_path / "w64-l2" / "runs", SHAPES[:1])
    table = load_table(tmp_path)
    assert len(table) == 2
    assert any(note.startswith("beside them, not read: 1 event files") for note in origin_of(table).notes)


def test_what_was_found_is_said_in_the_report_and_kept_in_its_json(tmp_path, command):
    run_table().to_csv(tmp_path / "runs.csv", index=False)
    line = ("law", "fit", tmp_path / "runs.csv", "--law", "additive:width,depth", "--interval", "none")
    out = command(*line, "-o", tmp_path / "fit.json")[1]
    found = "loss is the column 'val_loss'; width is the column 'd_model'; depth is the column 'n_layers'"
    assert f"table: {found}\n" in out
    assert json.loads((tmp_path / "fit.json").read_text())["notes"] == found.split("; ")
    from superlaw.laws.result import load_fit

    assert found in str(load_fit(tmp_path / "fit.json"))


def test_expressions_name_columns_by_what_they_are_too(tmp_path):
    run_table().to_csv(tmp_path / "runs.csv", index=False)
    table = load_table(tmp_path / "runs.csv", ["N = 12 * width**2 * depth"])
    assert table["N"].iloc[0] == 12 * 64**2 * 2
    fit = fit_law(table, "power:N", where="width > 64 and loss < 100", interval="none")
    assert fit.n == 9 and "width is the column 'd_model'" in fit.notes


def test_a_table_with_its_origin_can_be_saved_and_is_read_anew(tmp_path):
    run_table().to_csv(tmp_path / "runs.csv", index=False)
    table = load_table(tmp_path / "runs.csv")
    table.to_parquet(tmp_path / "again.parquet")
    assert origin_of(load_table(tmp_path / "again.parquet")).kind == "Parquet"


PUBLISHED = {
    "a W&B table export": ("marin2026_isoflop_nemotron.csv", "chinchilla", "loss", 96, None),
    "dotted and slashed columns as they are": (
        "marin2026_isoflop_nemotron.csv", "additive:model.hidden_dim,throughput/total_tokens", "eval/paloma/macro_loss",
        87, "`model.hidden_dim` > 600"),
    "a W&B history": ("olmo_ladder_190M-2xC_wandb_history.csv", "power:throughput/total_tokens",
                      "eval/c4_en-validation/CrossEntropyLoss", 73, None),
    "a JSON object of names and numbers": ("gadre2024_grid.json", "additive:d,l,name_5", "loss", 435, None),
    "a packed CSV": ("routing2022_curves.csv.gz", "power:dense_parameter_count", "loss_c4", 0, "step == 200000"),
    "numbers with their scale": ("olmo_ladder_final.csv", "additive:size,tokens", "c4_en", 24, "size > 2e8"),
    "names of parameters and tokens": ("datablations2023_c4_val_losses.csv", "chinchilla", "loss", 296, None),
}  # fmt: skip


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_tables_are_read_as_they_are(published, case):
    name, law, loss, count, where = PUBLISHED[case]
    fit = fit_law(published / "tables" / name, law, loss, where=where, interval="none", starts=4, missing="drop")
    assert fit.n == (count or fit.n) > 20
    assert np.isfinite(fit.values).all()
