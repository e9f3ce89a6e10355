"""Exponents: seeds are replicates, errors count widths, the scaling range is a rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_runs import made
from scipy import stats

from superlaw import InputError, Plan, RunSpec, Store
from superlaw.findings.exponents import RULE, exponent, exponents, outside
from superlaw.findings.regimes import predicted, regime, sum_exponent
from superlaw.sweeps.sweep import Sweep
from superlaw.theory.weak import unlearned_loss


def runs(widths, losses, seeds=None, **more):
    table = {"width": widths, "loss": losses, "seed": seeds if seeds is not None else np.zeros(len(widths), int),
             "n_features": 1000, "density": 1.0, "status": "ok", **more}  # fmt: skip
    return pd.DataFrame(table)


def noisy(random, seeds=3, bend=0.0, widths=(10, 15, 25, 39, 63, 100)):
    m = np.repeat(widths, seeds)
    x = np.log(m)
    noise = 0.1 * random.standard_normal(len(m))
    return runs(m, np.exp(-x + bend * (x - x.mean()) ** 2 + noise), np.tile(np.arange(seeds), len(widths)))


def test_an_exact_power_law_has_its_exponent_and_no_error():
    m = np.array([10, 20, 40, 80])
    found = exponent(runs(m, 0.7 * m**-1.3))
    assert found.exponent == pytest.approx(1.3, abs=1e-12)
    assert found.coefficient == pytest.approx(0.7, abs=1e-12)
    assert found.stderr == pytest.approx(0, abs=1e-9)


def test_the_error_is_that_of_a_line_through_the_widths_means():
    table = noisy(np.random.default_rng(0))
    found = exponent(table)
    means = np.log(table["loss"]).groupby(table["width"]).mean()
    line = stats.linregress(np.log(means.index), means)
    assert found.exponent == pytest.approx(-line.slope)
    assert found.stderr == pytest.approx(line.stderr)
    assert found.seeds == 3 and found.n == 18


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(1)
    trials = 2000
    held = 0
    for _ in range(trials):
        found = exponent(noisy(random))
        held += found.low <= 1 <= found.high
    low, high = stats.binom.ppf([5e-6, 1 - 5e-6], trials, 0.95)  # false alarm 1e-5
    assert low <= held <= high


def test_untrained_is_a_loss_of_ignoring_the_input_by_values_and_loss_function():
    """<v^2> E for answering 0, log n for answering evenly: as RunSpec says of each run, and 4/3 E of a bare table."""
    specs = [
        RunSpec(values=values, loss_function=loss, activation_density=1.5, batch=512)
        for values in ("uniform", "exponential", "half-normal", "constant")
        for loss in ("squared-error", "cross-entropy")
    ]
    limits = np.array([spec.untrained_loss for spec in specs])
    table = runs(np.full(8, 10), limits * 0.999, density=1.5, values=[spec.values for spec in specs],
                 loss_function=[spec.loss_function for spec in specs])  # fmt: skip
    assert outside(table).tolist() == [""] * 8
    assert outside(table.assign(loss=limits)).tolist() == ["untrained"] * 8
    assert sorted({round(limit, 6) for limit in limits}) == pytest.approx(
        [1.5, 2, 0.75 * np.pi, 3, np.log(1000)], abs=1e-6
    )
    bare = table.drop(columns=["values", "loss_function"])
    assert outside(bare.assign(loss=1.999)).tolist() == [""] * 8
    assert outside(bare.assign(loss=2.0)).tolist() == ["untrained"] * 8
    assert "⟨v²⟩ E" in RULE and "log n" in RULE


def test_a_straight_line_is_called_curved_as_rarely_as_stated_and_a_bent_one_nearly_always():
    random = np.random.default_rng(2)
    chances = [exponent(noisy(random)).lack_of_fit for _ in range(1000)]
    assert stats.kstest(chances, "uniform").pvalue > 1e-5
    bent = [exponent(noisy(random, bend=0.4)).curved for _ in range(200)]
    assert np.mean(bent) > 0.95


def test_seeds_alone_can_tell_a_bend():
    assert np.isnan(exponent(noisy(np.random.default_rng(0), seeds=1)).lack_of_fit)


def test_the_scaling_range_ends_at_a_tenth_of_the_features_and_at_untrained_runs():
    table = runs([10, 20, 50, 100, 101, 30], [0.5, 0.3, 0.1, 0.05, 0.01, 1.4])
    assert outside(table).tolist() == ["", "", "", "", "beyond n/10", "untrained"]
    assert exponent(table).left_out == {"beyond n/10": 1, "untrained": 1}
    assert exponent(table).widths == (10, 20, 50, 100)


def test_diverged_and_missing_runs_are_left_out_by_name():
    table = runs([10, 20, 50, 70], [0.5, 0.3, 0.2, np.nan], status=["ok", "ok", "ok", "diverged"])
    assert exponent(table).left_out == {"diverged": 1}


def test_two_widths_make_no_exponent():
    assert exponent(runs([10, 20], [0.5, 0.25])) is None


@pytest.mark.parametrize(
    ("represented", "width", "named"), [(900, 10, "strong"), (15, 10, "weak"), (16, 10, "between"), (9, 1000, "none")]
)
def test_the_regime_is_what_the_runs_represent(represented, width, named):
    table = runs([width], [0.5], represented=represented, represented_fraction=represented / 1000)
    assert regime(table) == named


def test_theory_has_an_exponent_only_where_it_holds():
    assert predicted("strong", "power", 2.0) == 2 and predicted("strong", "linear", 2.0) == 1
    assert predicted("weak", "power", 1.5) == 0.5
    assert np.isnan([predicted("weak", "power", 1.0), predicted("weak", "linear", 2.0)]).all()
    assert np.isnan(predicted("between", "power", 2.0))


def test_every_cell_has_a_row_even_without_an_exponent():
    m = np.array([10, 20, 40, 80])
    more = {"frequencies": "power", "data_exponent": 1.0, "represented": 1000, "represented_fraction": 1.0}
    good = runs(m, 1 / m, weight_decay=-1.0, **more)
    bad = runs(m[:2], 1 / m[:2], weight_decay=1.0, **more)
    found = exponents(pd.concat([good, bad]), ["weight_decay"])
    assert found["exponent"].tolist()[0] == pytest.approx(1) and np.isnan(found["exponent"][1])
    assert found["left_out"].tolist() == [0, 2]


def test_a_finding_names_the_runs_on_the_line_and_why_others_are_not():
    table = made(width=(10, 20, 40, 200), weight_decay=(-1.0,))
    (row,) = exponents(table).to_dict("records")
    assert row["runs"] == tuple(table.loc[table["width"] < 100, "id"])
    assert row["why"] == {"beyond n/10": 1} and row["left_out"] == 1
    (few,) = exponents(table[table["width"] != 20]).to_dict("records")
    assert few["why"] == {"beyond n/10": 1, "fewer than 3 widths": 2} and few["runs"] == ()


def test_cells_are_told_apart_by_what_varies():
    table = made(data_exponent=(0.0, 1.0), steps=3000)
    found = exponents(table)
    assert list(found)[:2] == ["data_exponent", "weight_decay"] and len(found) == 4
    pd.testing.assert_frame_equal(found, exponents(table, ["data_exponent", "weight_decay"]))
    assert len(exponents(made(weight_decay=(-1.0,)))) == 1


def test_one_column_may_be_given_by_its_name():
    table = made(activation_density=(1.0, 2.0), weight_decay=(-1.0,))
    pd.testing.assert_frame_equal(
        exponents(table, by="activation_density"), exponents(table, by=["activation_density"])
    )


def test_a_cell_of_several_protocols_has_no_exponent():
    with pytest.raises(InputError, match="whose runs differ in weight_decay; need runs that differ in width and seed"):
        exponents(made(data_exponent=(0.0, 1.0)), by="data_exponent")


def test_runs_of_a_store_and_of_its_table_are_one_cell(tmp_path):
    table = made(weight_decay=(-5 / 9,), seed=(0, 1))
    table.loc[table["seed"] == 1, "weight_decay"] = -0.55555556  # as a table of eight figures has it
    assert exponents(table)["n"].tolist() == [8]


@pytest.mark.parametrize(
    ("source", "by", "said"),
    [
        (made(), "activation_densty", "did you mean activation_density"),
        (made(), ["weight_decay", "width"], "over which the line runs"),
        (made().drop(columns=["density", "seed"]), None, "a table without seed, density"),
        (3, None, "runs as int"),
        ({"width": [1]}, None, "runs as dict"),
        ("nowhere", None, "which does not exist"),
        ("nowhere.csv", None, "which does not exist"),
    ],
)
def test_what_is_no_run_table_is_refused_in_one_line(source, by, said):
    with pytest.raises(InputError, match=said) as error:
        exponents(source, by)
    assert "\n" not in str(error.value)


def made_store(folder, phi=1.0, alpha=1.0) -> Sweep:
    """Runs with loss 3 m^-0.8, 5 % up or down by seed and by a bend over the widths."""
    from superlaw import Run

    plan = Plan("made", {"n_features": 1000, "steps": 100}, {"data_exponent": (alpha,), "width": (10, 20, 40)}, (0, 1))
    store = Store(folder)
    noise, bend = {0: 1.05, 1: 1 / 1.05}, {10: 1.02, 20: 1 / 1.04, 40: 1.02}
    for cell, spec in zip(plan.cells, plan.specs, strict=True):
        loss = 3 * cell["width"] ** -0.8 * noise[cell["seed"]] * bend[cell["width"]]
        measures = {"loss": loss, "loss_std": 0.0, "represented_fraction": phi, "represented": int(phi * 1000)}
        store.add(Run(spec, "ok", np.full(100, loss, np.float32), None, None,
                      {"engine": "made", "wall_seconds": 1.0}, measures))  # fmt: skip
    return Sweep(plan, store)


@pytest.mark.parametrize(
    ("phi", "alpha", "named", "theory"),
    [(1.0, 1.0, "strong", 1.0), (1.0, 2.0, "strong", 2.0), (0.005, 1.5, "weak", 0.5), (0.005, 1.0, "weak", np.nan),
     (0.5, 1.0, "between", np.nan)],
)  # fmt: skip
def test_a_sweeps_exponents_are_those_of_the_losses_with_theory_for_the_regime(tmp_path, phi, alpha, named, theory):
    (row,) = exponents(made_store(tmp_path, phi, alpha)).to_dict("records")
    assert row["exponent"] == pytest.approx(0.8, abs=1e-12) and row["data_exponent"] == alpha
    log_m, residual = np.log([10, 20, 40]), np.log([1.02, 1 / 1.04, 1.02])
    residual = residual - residual.mean()  # orthogonal to log m: symmetric about the middle width
    by_hand = np.sqrt(np.sum(residual**2) / 1 / np.sum((log_m - log_m.mean()) ** 2))
    assert row["stderr"] == pytest.approx(by_hand, rel=1e-9)
    assert (row["n"], row["widths"], row["seeds"], row["left_out"]) == (6, (10, 20, 40), 2, 0)
    assert row["regime"] == named and row["theory"] == pytest.approx(theory, nan_ok=True)


def test_a_missing_run_is_left_out_and_counted(tmp_path):
    sweep = made_store(tmp_path)
    sweep.store.file(sweep.plan.specs[0].id).unlink()
    (row,) = exponents(sweep).to_dict("records")
    assert row["n"] == 5 and row["why"] == {"missing": 1}


def test_a_sweep_its_store_and_its_folder_have_one_exponent(tmp_path):
    sweep = made_store(tmp_path)
    found = [exponents(source)["exponent"].tolist() for source in (sweep, sweep.store, tmp_path, str(tmp_path))]
    assert all(one == found[0] for one in found)


def test_damaged_runs_of_unknown_spec_are_told(tmp_path):
    sweep = made_store(tmp_path)
    path = sweep.store.file(sweep.plan.specs[0].id)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match="1 damaged runs of unknown spec"):
        assert exponents(sweep.store)["n"].tolist() == [5]
    assert exponents(sweep)["why"].tolist() == [{"damaged": 1}]


def test_the_exact_sum_has_the_exponent_of_its_own_losses():
    p = np.arange(1, 1001.0) ** -1.5
    p /= p.sum()
    at = np.array([10, 100])
    by_hand = np.log(unlearned_loss(p, 10) / unlearned_loss(p, 100)) / np.log(10)
    assert sum_exponent(p, at) == pytest.approx(by_hand)
    assert np.isnan(sum_exponent(p, np.array([10])))
