"""What published tables must give: values known from outside this code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from superlaw.errors import DamagedFileError, InputError
from superlaw.laws import published
from superlaw.laws.bootstrap import bootstrap, resampled_weights
from superlaw.laws.compare import compare_laws
from superlaw.laws.fit import fit_law
from superlaw.laws.forms.additive import AdditiveLaw
from superlaw.laws.forms.chinchilla import Chinchilla
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import solve
from superlaw.laws.tables import Choice, select

# The optimum on 240 points, and Epoch AI's standard errors (arXiv:2404.10102).
BEST = {"E": 1.81722, "A": 477.83, "alpha": 0.347311, "B": 2143.4, "beta": 0.367172}
OBJECTIVE = 0.0010182741
HOFFMANN = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}
SHAPE = AdditiveLaw(["d_model", "n_layers", "num_tokens"])


def assert_chinchilla_optimum(fit):
    assert fit.n == 240
    assert fit.objective_value <= OBJECTIVE
    assert fit.certificate.gradient < 1e-9
    for name, value in BEST.items():
        assert fit[name].value == pytest.approx(value, rel=5e-5), name


def huber(table, **options):
    options = {"objective": "log-huber", "drop_highest": 5, "interval": "none"} | options
    return fit_law(table, Chinchilla("N", "D"), **options)


def test_chinchilla_ends_at_the_optimum_from_200_random_starts(chinchilla):
    fit = huber(chinchilla, starts=200)
    assert_chinchilla_optimum(fit)
    assert fit.certificate.starts == 200
    assert fit.certificate.agreement == 1


def test_chinchilla_ends_at_the_optimum_from_the_published_values(chinchilla):
    fit = huber(chinchilla, starts=0, start=HOFFMANN)
    assert fit.certificate.starts == 1
    assert_chinchilla_optimum(fit)


def test_chinchilla_ends_at_the_optimum_from_200_random_values_of_all_five_parameters(chinchilla):
    rng = np.random.default_rng(5)
    low = [0.1, 1, 0.05, 1, 0.05]
    high = [2.5, 1e5, 1.5, 1e5, 1.5]
    rows = np.exp(rng.uniform(np.log(low), np.log(high), (200, 5)))
    fit = huber(chinchilla, starts=0, start=[dict(zip(BEST, row, strict=True)) for row in rows])
    assert_chinchilla_optimum(fit)
    assert fit.certificate.agreement == 1


def test_the_sum_of_huber_is_240_times_its_mean(chinchilla):
    mean = huber(chinchilla, objective=Objective("log-huber", reduction="mean"))
    assert mean.objective_value * 240 == pytest.approx(huber(chinchilla).objective_value, rel=1e-12)
    assert mean.objective_name == "mean of Huber's loss (delta 0.001) of log L"


def test_epochs_bootstrap_standard_errors_are_reproduced_within_a_tenth(chinchilla):
    # 4000 replicates: the standard error of a standard error is 1.1 %, so a tenth is 9 of them beyond
    # the 1 to 3 % by which the two bootstraps differ.
    fit = huber(chinchilla, interval="bootstrap", replicates=4000)
    assert fit.interval["failed"] == 0
    for name, stderr in {"alpha": 0.0154, "beta": 0.0206, "E": 0.0257}.items():
        assert fit[name].stderr == pytest.approx(stderr, rel=0.1), name
    assert fit["A"].low < 482.01 < fit["A"].high  # Epoch's own optimum is inside


def test_bootstrap_replicates_are_at_their_own_optimum(chinchilla):
    """Refits from many starts of the first replicates find nothing lower than the batch did."""
    law, objective = Chinchilla("N", "D"), Objective("log-huber")
    problem = Problem.of(law, select(chinchilla, law, Choice(drop_highest=5)), objective)
    theta = solve(problem).theta[0]
    values, count, failed = bootstrap(problem, theta, 40, seed=3)
    drawn = resampled_weights(240, 40, np.random.default_rng(3), None)
    assert (count, failed) == (40, 0)
    batch = replace(problem, weights=drawn).assemble(problem.model.thetas(values))[0]
    for b in range(40):
        best = solve(replace(problem, weights=drawn[b]), starts=12, seed=b).value[0]
        assert batch[b] <= best * (1 + 1e-9)


def test_width_depth_and_tokens_on_203_points(width_depth):
    fit = fit_law(width_depth, SHAPE, drop_highest=40, starts=100)
    assert (fit.n, fit.dropped["rows"]) == (203, 42)
    assert fit.rms_error**2 <= 3.0274e-5
    assert fit.objective_value == pytest.approx(203 * fit.rms_error**2)
    assert fit.certificate.agreement == 1
    assert fit["a_num_tokens"].value == pytest.approx(0.299, abs=5e-4)
    assert fit["L_0"].value == pytest.approx(1.75, abs=5e-3)


def test_the_report_says_first_that_the_depth_exponent_is_poorly_determined(width_depth):
    fit = fit_law(width_depth, SHAPE, drop_highest=40, interval="profile")
    assert fit.certificate.flat == {"a_n_layers": "poorly"}
    assert fit["a_n_layers"].low == pytest.approx(0.93, abs=0.01)
    assert fit["a_n_layers"].high == pytest.approx(1.75, abs=0.03)
    warning, correlated = fit.warnings[:2]
    assert warning.startswith("a_n_layers is poorly determined")
    assert "interval 0.935 to 1.74" in warning
    assert "a_d_model and a_n_layers are strongly correlated (-0.86)" in correlated
    assert str(fit).splitlines()[1] == f"WARNING: {warning}"


@pytest.mark.parametrize("highest, left", [(40, 203), (5, 240)])
def test_drop_highest_takes_ties_along(chinchilla, highest, left):
    fit = fit_law(chinchilla, Chinchilla("N", "D"), drop_highest=highest, interval="none")
    assert fit.n == left
    assert fit.dropped["by_drop_highest"] == 245 - left
    assert max(fit.data.losses) < np.sort(chinchilla["loss"])[-highest]


GEMSTONES = AdditiveLaw(["width", "depth", "tokens"])


@pytest.mark.parametrize(
    "where, values", [(None, (0.331, 0.173, 0.502, 0.787)), ("width >= 512", (0.562, 0.378, 0.501, 1.697))]
)
def test_gemstones(gemstones, where, values):
    fit = fit_law(gemstones, GEMSTONES, "final_loss", where=where)
    found = [fit[name].value for name in ("a_width", "a_depth", "a_tokens", "L_0")]
    np.testing.assert_allclose(found, values, atol=5e-4)
    assert fit.certificate.agreement == 1


def test_gemstones_prefer_the_additive_law_by_more_than_100_in_aic(gemstones):
    laws = [GEMSTONES, Chinchilla("N", "tokens"), AdditiveLaw(["width*depth", "tokens"])]
    found = compare_laws(gemstones, laws, "final_loss", cluster="run_name", folds=5)
    assert found.best.fit.law == GEMSTONES
    for other in found.laws[1:]:
        assert other.fit.aic - found.best.fit.aic > 100
        assert other.cross_validation > found.best.cross_validation


@pytest.mark.parametrize("method", ["bootstrap", "sandwich"])
def test_intervals_by_clusters_stand_beside_the_naive_ones(gemstones, method):
    fit = fit_law(gemstones, GEMSTONES, "final_loss", cluster="run_name", interval=method)
    naive = fit_law(gemstones, GEMSTONES, "final_loss", interval="none")
    assert fit.interval["clusters"] == 20
    for name in fit.params:
        assert fit[name].naive_stderr == pytest.approx(naive[name].stderr)
    assert fit["a_width"].stderr > 1.3 * fit["a_width"].naive_stderr
    assert "naive stderr" in str(fit)
    assert any("20 clusters" in warning for warning in fit.warnings)


def test_published_tables_are_read_by_name_and_checksum(data_folder, monkeypatch):
    monkeypatch.setenv("SUPERLAW_DATA", str(data_folder))
    sizes = {name: len(published.load_published(name)) for name in published.TABLES}
    assert sizes == {
        "chinchilla": 245, "chinchilla-width-depth": 245, "gemstones": 199, "gemstones-hot": 220, "xlstm-llama": 317,
        "olmo-ladder": 30, "gadre-models": 104, "datablations": 296, "porian-isoflop": 1264, "marin-isoflop": 96,
        "isoflops": 947, "step-law": 1911, "vocabulary": 1200,
        "gadre-grid": 435, "routing-curves": 5799,
        "llg-fig1b": 24, "llg-fig1d": 24, "llg-fig3b": 170, "llg-fig4b": 170,
    }  # fmt: skip


def test_derived_tables_come_with_the_package(monkeypatch):
    monkeypatch.delenv("SUPERLAW_DATA", raising=False)
    derived = [name for name, table in published.TABLES.items() if getattr(table, "derived", "")]
    assert {published.fetch_table(name).parent.name for name in derived} == {"derived"} and len(derived) == 5


def test_an_altered_table_is_refused(data_folder, tmp_path, monkeypatch):
    content = (data_folder / "gemstones_cool_end.jsonl").read_bytes()
    (tmp_path / "gemstones_cool_end.jsonl").write_bytes(content.replace(b"3.0146", b"3.0147", 1))
    monkeypatch.setenv("SUPERLAW_DATA", str(tmp_path))
    with pytest.raises(DamagedFileError, match="SHA-256"):
        published.fetch_table("gemstones")
    with pytest.raises(InputError, match="unset SUPERLAW_DATA"):
        published.fetch_table("chinchilla")


def test_an_unknown_table_names_the_nearest():
    with pytest.raises(InputError, match="did you mean gemstones"):
        published.fetch_table("gemstone")
