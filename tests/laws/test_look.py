"""law look: what a table holds, against what was put into it, and its verdicts against fits."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from run_folders import history_folder

import superlaw
from superlaw.laws.decide import ERROR, EXPONENT, IRREDUCIBLE, decidable
from superlaw.laws.fit import fit_law
from superlaw.laws.quantities import quantity_of


def grid(rows: int = 48, seed: int = 0) -> pd.DataFrame:
    """N and D drawn independently over three decades each."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"N": 10 ** rng.uniform(6, 9, rows), "D": 10 ** rng.uniform(8, 11, rows)})


NAMES = {
    "parameters N": "N params n_params num_params parameter_count model_num_parameters params_no_embed "
    "non_embedding_params Non_vocab_parameters total_parameter_count params_active_precise stats/n_params model_size "
    "nParams",
    "tokens D": "D tokens num_tokens n_tokens total_tokens train_tokens throughput/total_tokens num_input_tokens_seen "
    "tokens_seen",
    "width": "width d_model model.hidden_dim hidden_size n_embd embed_dim config.model.d_model dModel",
    "depth": "depth n_layers n_layer num_hidden_layers model.num_layers num_blocks nLayers",
    "loss": "loss final_loss eval_loss val_loss eval/loss train/loss eval/paloma/macro_loss loss_c4_val smooth_loss "
    "eval/c4_en-validation/CrossEntropyLoss cross_entropy CrossEntropy",
    "steps": "step steps _step trainer/global_step trainer.num_train_steps max_steps",
    "batch size": "batch batch_size bs trainer.train_batch_size global_batch_size",
    "learning rate": "lr learning_rate peak_lr optim/learning_rate",
    "unique tokens": "U unique_tokens",
    "compute": "C flops FLOPs total_flos training_flop",
}
NONE = (
    "n d c h numl D/N x loss_scale aux_loss z_loss router_z_loss loss_std loss_stderr tokens_per_second "
    "tokens_per_parameter throughput/tokens_per_second param_norm grad_norm unique params_ratio eval_runtime epoch "
    "accuracy lossu Lossu "
    "total_gflops loss_sequences_lower_95"
)


@pytest.mark.parametrize("quantity", NAMES)
def test_obvious_names_are_what_they_say(quantity):
    assert {name: quantity_of(name) for name in NAMES[quantity].split()} == dict.fromkeys(
        NAMES[quantity].split(), quantity
    )


def test_names_that_say_something_else_say_nothing():
    assert {name for name in NONE.split() if quantity_of(name)} == set()
    assert quantity_of("Model Size") == "parameters N" and quantity_of("Training FLOP") == "compute"


def test_columns_ranges_and_what_they_could_be():
    table = pd.DataFrame({"run_name": list("abcd"), "n_params": ["70M", "160M", None, "1.4B"], "flag": [True] * 4,
                          "note": ["", "x", "x", "y"], "val_loss": [4.0, 3.5, np.nan, 3.0]})  # fmt: skip
    seen = superlaw.look(table)
    columns = {column.name: column for column in seen.columns}
    assert (columns["n_params"].kind, columns["n_params"].low, columns["n_params"].high) == ("numbers", 7e7, 1.4e9)
    assert (columns["n_params"].filled, columns["n_params"].distinct) == (3, 3)
    assert (columns["note"].kind, columns["note"].filled, columns["note"].distinct) == ("text", 3, 2)
    assert columns["flag"].kind == "truth values"
    assert [column.could_be for column in seen.columns] == ["run", "parameters N", None, None, "loss"]
    assert seen.taken == {"N": "n_params", "loss": "val_loss"}
    assert "rows with empty cells: n_params 1, val_loss 1 (--missing drop leaves them out)" in seen.remarks


def test_what_several_columns_could_be_is_taken_by_none():
    seen = superlaw.look(
        {"params": [1.0, 2], "params_no_embed": [1.0, 1], "train_loss": [3.0, 2], "val_loss": [3.0, 2.5]}
    )
    assert seen.unclear == {"N": ["params", "params_no_embed"], "loss": ["train_loss", "val_loss"]}
    assert seen.taken == {} and seen.laws == ()


def test_whether_two_sizes_vary_independently():
    table, rng = grid(400), np.random.default_rng(1)
    correlated = lambda r: np.exp(r * np.log(table["N"]) + np.sqrt(1 - r**2) * 2 * rng.normal(size=400))  # noqa: E731
    for r, vary in ((0.0, "independently"), (0.88, "partly together"), (0.995, "together")):
        (pair,) = superlaw.look(table.assign(D=correlated(r))).pairs
        assert pair.vary == vary
        assert pair.condition == pytest.approx(np.linalg.cond([[1, pair.correlation], [pair.correlation, 1]]))
    (pair,) = superlaw.look(table.assign(D=20 * table["N"])).pairs
    assert pair.ratio == pytest.approx(20) and "D is 20 N in every row" in str(pair)


def test_checkpoints_of_one_run_are_found_and_runs_of_one_row_are_none():
    table = grid(12).loc[np.repeat(np.arange(12), 5)].reset_index(drop=True)
    table = table.assign(
        run_name=[f"r{i}" for i in np.repeat(np.arange(12), 5)], D=np.tile(10.0 ** np.arange(7, 12), 12)
    )
    (remark,) = [r for r in superlaw.look(table).remarks if "checkpoints" in r]
    assert remark.startswith("60 rows are of 12 runs of 'run_name', 5 each along D")
    assert remark.endswith("--cluster run_name")
    other_shapes = table.assign(N=grid(60)["N"])
    for free in (other_shapes, table.assign(run_name=[f"r{i}" for i in range(60)])):
        assert not [r for r in superlaw.look(free).remarks if "checkpoints" in r]


def test_rows_and_sizes_that_repeat_are_counted():
    table = grid(10).loc[[*range(10), 0, 1]].assign(seed=[0] * 11 + [1])
    remarks = superlaw.look(table).remarks
    assert "1 row repeats another in every column" in remarks
    assert any(r.startswith("10 different sets of N, D in 12 rows") for r in remarks)


def test_compute_is_compared_with_6_n_d():
    table = grid().assign(flops=lambda t: 1.5 * 6 * t["N"] * t["D"])
    assert "C is 1.5 times 6 N D (5 to 95 % of the rows: 1.5 to 1.5)" in superlaw.look(table).remarks


@pytest.mark.parametrize(("decades", "verdict"), [(3, "yes"), (1.4, "poorly"), (0.5, "no")])
def test_the_verdict_on_a_law_falls_with_the_range_of_its_sizes(decades, verdict):
    x = np.linspace(0, 1, 7)
    N, D = (10 ** (8 + decades * z.ravel()) for z in np.meshgrid(x, x))
    found = {law.law: law for law in superlaw.look({"N": N, "D": D, "loss": N}).laws}
    assert found["chinchilla:N,D"].verdict == verdict


def test_what_a_table_would_tell_is_what_fits_to_it_tell():
    """The half-width that look announces is the standard deviation of fitted exponents times t."""
    table = grid(60, seed=3)
    (found,) = [law for law in decidable(table, ["N", "D"]) if law.law == "chinchilla:N,D"]
    share, rng, alphas = (1 - IRREDUCIBLE) / 2, np.random.default_rng(4), []
    terms = [share * (table[c] / np.exp(np.log(table[c]).mean())) ** -EXPONENT for c in ("N", "D")]
    for _ in range(60):
        loss = (IRREDUCIBLE + sum(terms)) * np.exp(ERROR * rng.normal(size=60))
        alphas.append(fit_law(table.assign(loss=loss), "chinchilla", interval="none", starts=1)["alpha"].value)
    spread = np.std(alphas, ddof=1) * 2.004 / EXPONENT  # t of 55 degrees of freedom
    assert found.known_to["alpha"] == pytest.approx(spread, rel=0.4)  # 60 fits: 9 %, and the law is not linear


def test_laws_that_cannot_be_fitted_say_why():
    reasons = {law.law: law.reason for law in superlaw.look({"N": [1.0, 2, 3, 4], "D": [1.0, 2, 3, 5]}).laws}
    assert reasons["chinchilla:N,D"] == "4 points for 5 parameters"
    two = pd.DataFrame({"width": [64.0, 128] * 10, "depth": np.arange(20) + 2.0, "steps": 10.0 ** np.arange(20)})
    reasons = {law.law: law.reason for law in superlaw.look(two).laws}
    assert reasons["additive:width,depth,steps"] == "fewer than 3 values of width"
    proportional = grid().assign(D=lambda t: 20 * t["N"])
    assert {law.law: law.reason for law in superlaw.look(proportional).laws}[
        "chinchilla:N,D"
    ] == "N and D vary together"


def test_a_grouped_law_is_offered_where_a_text_has_few_names():
    seen = superlaw.look(grid().assign(corpus=["c4", "pile"] * 24))
    assert "grouped:N,corpus" in [law.law for law in seen.laws]


def test_the_command_prints_the_report_or_one_json_object(tmp_path, command):
    history_folder(tmp_path / "runs")
    code, out, err = command("law", "look", tmp_path / "runs", "--let", "kind = width > 100")
    assert (code, err) == (0, "")
    assert out.startswith("12 rows of 8 columns, read as histories of runs\n")
    assert "the parts width, depth of the names are columns\n" in out
    assert "loss is the column" not in out  # two could be
    assert "several could be loss, and none is taken unasked: train/loss, eval/c4/CrossEntropyLoss\n" in out
    record = json.loads(command("law", "look", tmp_path / "runs", "--along-steps", "--json")[1])
    assert record["rows"] == 36
    assert {"rows", "kind", "read", "columns", "taken", "unclear", "pairs", "remarks", "laws"} <= set(record)


def test_a_store_of_our_own_runs_is_looked_at(tmp_path, command):
    plan = "seeds = [0]\n[base]\nn_features = 20\nsteps = 20\nbatch = 8\nwarmup = 2\n[axes]\nwidth = [2, 3, 4, 5, 6]\n"
    (tmp_path / "plan.toml").write_text(plan)
    superlaw.sweep(tmp_path / "plan.toml", store=tmp_path / "store", workers=1)
    record = json.loads(command("law", "look", tmp_path / "store", "--json")[1])
    assert record["rows"] == 5 and record["taken"]["width"] == "width"


def test_gemstones_vary_width_and_depth_independently_along_checkpoints(published, monkeypatch, command):
    monkeypatch.setenv("SUPERLAW_DATA", str(published))
    record = json.loads(command("law", "look", "gemstones", "--json")[1])
    vary = {(pair["first"], pair["second"]): pair["vary"] for pair in record["pairs"]}
    assert vary["width", "depth"] == "independently" and vary["N", "D"] == "independently"
    assert any("20 runs of 'run_name', 9 to 10 each along D" in remark for remark in record["remarks"])
