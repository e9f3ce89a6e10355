"""What is known of parameters: fixed, tied, bounded, and with priors; and what contradicts itself."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from superlaw import Fit, FunctionLaw, InputError, compare_laws, fit_law, load_fit, optimum
from superlaw.laws.known import Known
from superlaw.laws.objective import Objective
from superlaw.laws.problems.problem import Problem
from superlaw.laws.solve import descend, solve
from superlaw.laws.tables import Choice, select

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 900.0, "beta": 0.31}


def made(n: int = 80, noise: float = 0.004, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    N, D = 10 ** rng.uniform(7, 10, n), 10 ** rng.uniform(9, 11.5, n)
    loss = TRUTH["E"] + TRUTH["A"] / N ** TRUTH["alpha"] + TRUTH["B"] / D ** TRUTH["beta"]
    return {"N": N, "D": D, "run": np.arange(n) // 4, "loss": loss * np.exp(noise * rng.normal(size=n))}


TABLE = made()


@pytest.mark.parametrize("objective", ["log-ls", "log-huber", "ls", "asymmetric:5"])
@pytest.mark.parametrize("name, value", [("E", 1.6), ("A", 300.0), ("alpha", 0.3), ("beta", 0.35)])
def test_a_fixed_parameter_is_the_profile_at_that_value(name, value, objective):
    """The profile as the intervals have it: the whole problem, one coordinate pinned, everything else descended."""
    fixed = fit_law(TABLE, "chinchilla", objective=objective, known=Known(fixed={name: value}), interval="none")
    rows = select(TABLE, fixed.law, Choice(), True)
    problem = Problem.of(fixed.law, rows, fixed.objective)
    k = problem.names.index(name)
    free, pinned = solve(problem).theta[:1], problem.pinned(k)
    start = pinned.model.thetas(problem.model.values(free))
    start[:, k] = np.log(value) if name == "A" else value
    held = descend(pinned, start, np.arange(5) == k, most=1000)
    profile = pinned.model.values(held.theta)[0]
    assert fixed.objective_value == pytest.approx(fixed.objective.stated(held.value[0], 80), rel=1e-9)
    np.testing.assert_allclose(fixed.values, profile, rtol=1e-6 if objective == "log-huber" else 1e-7)
    assert fixed[name].value == value
    assert (fixed[name].stderr, fixed.dof) == (0, 76)


def test_a_tie_of_both_exponents_is_the_law_with_one():
    tied = fit_law(TABLE, "chinchilla", known=Known(tied={"alpha": "beta"}))
    coupled = fit_law(TABLE, "coupled")
    assert tied.objective_value == pytest.approx(coupled.objective_value, rel=1e-12)
    assert tied.aic == pytest.approx(coupled.aic) and tied.dof == coupled.dof
    for name, of in (("alpha", "alpha"), ("beta", "alpha"), ("A", "A"), ("E", "E")):
        for part in ("value", "stderr", "low", "high"):
            assert getattr(tied[name], part) == pytest.approx(getattr(coupled[of], part), rel=1e-6), (name, part)


@pytest.mark.parametrize("said", [["alpha=1.2*beta"], ["A=2*B"], ["alpha=1.2*beta", "beta=0.3"], ["A=350", "B=800"]])
def test_ties_and_several_fixed_values_hold_and_are_optimal(said):
    """Against SciPy over the parameters that are left."""
    from scipy import optimize

    known = Known.said(fix=said)
    fit = fit_law(TABLE, "chinchilla", known=known, interval="none")
    names = list(fit.params)
    assert known.kept(fit.values, names) == pytest.approx(fit.values, rel=1e-14)
    free = [names.index(name) for name in fit.estimated]

    def squares(x):
        values = fit.values.copy()
        values[free] = x * fit.values[free]
        E, A, alpha, B, beta = known.kept(values, names)
        f = np.maximum(E + A / TABLE["N"] ** alpha + B / TABLE["D"] ** beta, 1e-9)
        return float(np.sum(np.log(f / TABLE["loss"]) ** 2))

    assert squares(np.ones(len(free))) == pytest.approx(fit.objective_value, rel=1e-9)
    for seed in range(3):
        start = np.exp(0.02 * np.random.default_rng(seed).normal(size=len(free)))
        found = optimize.minimize(squares, start, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-15})
        assert fit.objective_value <= found.fun * (1 + 1e-9)


def test_noise_free_data_give_back_what_is_left_of_the_law():
    exact = made(noise=0)
    for known in (Known(fixed={"B": 900.0, "alpha": 0.34}), Known(tied={"alpha": ("beta", 0.34 / 0.31)}),
                  Known(bounds={"A": (100.0, 500.0), "beta": (0.2, 0.4)})):  # fmt: skip
        fit = fit_law(exact, "chinchilla", known=known, interval="none")
        np.testing.assert_allclose(fit.values, list(TRUTH.values()), rtol=1e-9)


def test_a_bound_that_holds_is_an_end_of_the_interval_and_is_said():
    fit = fit_law(TABLE, "chinchilla", known=Known(bounds={"alpha": (0.2, 0.3), "A": (10.0, 1e4)}), interval="profile")
    assert fit["alpha"].value == fit["alpha"].high == 0.3
    assert fit["alpha"].low < 0.3
    assert fit.certificate.converged and fit.certificate.at_bounds == ("alpha",)
    assert any("alpha is at the bound that it was given (0.3)" in warning for warning in fit.warnings)
    fixed = fit_law(TABLE, "chinchilla", known=Known(fixed={"alpha": 0.3}), interval="none")
    assert fit.objective_value == pytest.approx(fixed.objective_value, rel=1e-9)
    wide = fit_law(TABLE, "chinchilla", known=Known(bounds={"alpha": (0.1, 0.9), "A": (1.0, 1e6)}))
    free = fit_law(TABLE, "chinchilla")
    for name in TRUTH:  # bounds that do not hold change nothing
        assert wide[name].value == pytest.approx(free[name].value, rel=1e-7)
        assert wide[name].low == pytest.approx(free[name].low, rel=1e-4)


LINE = FunctionLaw(lambda x, a, b: a + b * x, "x", {"a": 1.0, "b": 1.0})


def test_a_prior_is_a_weighted_observation_beside_the_losses():
    """A straight line, in closed form: the variance of an error by which the prior is weighed is that without it."""
    rng = np.random.default_rng(4)
    x = np.linspace(0, 1, 12)
    y = 2 + 3 * x + 0.2 * rng.normal(size=12)
    mean, sigma = 2.5, 0.15
    fit = fit_law(
        {"x": x, "loss": y}, LINE, objective="ls", known=Known(priors={"b": (mean, sigma)}), interval="profile"
    )
    X = np.column_stack([np.ones(12), x])
    plain = np.linalg.lstsq(X, y, rcond=None)[0]
    variance = float(np.sum((y - X @ plain) ** 2)) / 10
    P = np.diag([0.0, variance / sigma**2])
    bread = np.linalg.inv(X.T @ X + P)
    found = bread @ (X.T @ y + P @ [0.0, mean])
    np.testing.assert_allclose(fit.values, found, rtol=1e-7)
    np.testing.assert_allclose(fit.covariance, variance * bread, rtol=1e-6)
    alone = fit_law({"x": x, "loss": y}, LINE, objective="ls", interval="profile")
    assert fit["b"].stderr < min(alone["b"].stderr, sigma)
    assert fit.objective_value == pytest.approx(float(np.sum((y - X @ found) ** 2)), rel=1e-9)  # of the losses alone


@pytest.mark.parametrize("interval", ["profile", "sandwich", "bootstrap"])
@pytest.mark.parametrize("objective", ["log-ls", "log-huber"])
def test_a_prior_sure_of_a_value_is_that_value_and_a_wide_one_nothing(interval, objective):
    options = {"interval": interval, "objective": objective, "replicates": 40}
    if objective == "log-huber" and interval == "bootstrap":
        options["replicates"] = 20
    free = fit_law(TABLE, "chinchilla", **options)
    alpha, A = free["alpha"].value + 1e-4, free["A"].value
    sure = fit_law(TABLE, "chinchilla", known=Known(priors={"alpha": (alpha, 1e-5), "A": (A, 1e-3)}), **options)
    assert sure["alpha"].value == pytest.approx(alpha, abs=1e-5) and sure["A"].value == pytest.approx(A, rel=1e-5)
    assert sure["alpha"].stderr == pytest.approx(1e-5, rel=0.5)
    assert any("alpha is decided by its prior" in warning for warning in sure.warnings)
    wide = fit_law(TABLE, "chinchilla", known=Known(priors={"alpha": (0.9, 1e4)}), **options)
    np.testing.assert_allclose(wide.values, free.values, rtol=1e-5)
    if interval != "bootstrap":
        for name in TRUTH:
            assert wide[name].stderr == pytest.approx(free[name].stderr, rel=1e-3)


def test_priors_that_the_losses_contradict_are_said_to_be():
    wrong = fit_law(TABLE, "chinchilla", known=Known(priors={"E": (1.2, 0.01)}))
    assert any(w.startswith("the losses and the prior of E are ") for w in wrong.warnings)
    right = fit_law(TABLE, "chinchilla", known=Known(priors={"E": (1.7, 0.01)}))
    assert not any("prior of E" in w for w in right.warnings)


def test_with_priors_fewer_points_than_parameters_are_enough():
    few = {name: column[::16] for name, column in made(80, 0.01).items()}
    priors = {"alpha": (0.34, 0.02), "beta": (0.31, 0.02), "E": (1.7, 0.1)}
    fit = fit_law(few, "chinchilla", known=Known(priors=priors))
    assert fit.n == 5 and fit.dof >= 1
    assert fit["alpha"].stderr < 0.021
    four = {name: column[:4] for name, column in few.items()}
    with pytest.raises(InputError, match="4 points for the 5 parameters"):
        fit_law(four, "chinchilla")
    with pytest.raises(InputError, match="leave no errors for priors to be weighed against"):
        fit_law(four, "chinchilla", known=Known(priors={"alpha": (0.34, 5.0)}))


@pytest.mark.slow
def test_intervals_with_a_prior_cover_where_the_prior_is_true():
    """24 sets whose priors are drawn about the truth: 95 % intervals. 16 of 24 or fewer: chance below 2e-5."""
    hits = dict.fromkeys(("E", "alpha", "beta"), 0)
    for seed in range(24):
        rng = np.random.default_rng([7, seed])
        known = Known(priors={"E": (rng.normal(1.7, 0.02), 0.02)})
        fit = fit_law(made(24, 0.004, 100 + seed), "chinchilla", known=known, interval="sandwich")
        for name in hits:
            hits[name] += fit[name].low <= TRUTH[name] <= fit[name].high
    assert min(hits.values()) > 16, hits


KNOWN = Known(
    fixed={"E": 1.69}, tied={"alpha": ("beta", 1.1)}, bounds={"A": (100.0, np.inf)}, priors={"beta": (0.31, 0.02)}
)


@pytest.mark.parametrize("interval", ["sandwich", "bootstrap", "profile", "none"])
def test_a_stored_fit_carries_what_was_given_and_predicts_alike(interval, tmp_path):
    fit = fit_law(TABLE, "chinchilla", known=KNOWN, interval=interval, replicates=40)
    (tmp_path / "fit.json").write_text(json.dumps(fit.to_dict()))
    back = load_fit(tmp_path / "fit.json")
    assert back.known == KNOWN and back.estimated == ("A", "B", "beta")
    assert back.to_dict() == fit.to_dict() and str(back) == str(fit)
    at = {"N": [1e8, 1e12], "D": [1e10, 1e13]}
    for part in ("loss", "low", "high"):
        np.testing.assert_array_equal(getattr(back.predict(at), part), getattr(fit.predict(at), part))
    drawn, _ = back.draws(100, seed=1)
    E, A, alpha, _, beta = drawn.T
    assert (E == 1.69).all() and (alpha == 1.1 * beta).all() and (A >= 100).all()
    assert beta.std() > 0 or interval == "none"
    assert optimum(back, 1e22).sizes["N"][0] == optimum(fit, 1e22).sizes["N"][0]


def test_an_old_record_has_nothing_given_and_a_new_one_says_it_only_where_it_is():
    plain = fit_law(TABLE, "chinchilla", interval="none").to_dict()
    assert "known" not in plain and "difference" not in plain and "asymmetry" not in plain["loss"]
    assert Fit.from_dict(json.loads(json.dumps(plain))).known == Known()


def test_held_out_points_are_scored_by_fits_with_the_same_given():
    """compare takes no --fix, but a law whose parameters are held would be judged by refits that hold them."""
    from superlaw.laws.compare import _held_out

    fit = fit_law(TABLE, "chinchilla", known=Known(fixed={"beta": 0.2}), interval="none")
    rows = select(TABLE, fit.law, Choice(), True)
    used = np.arange(80) % 2 == 0
    held = _held_out(fit, rows, used, 0)
    half = fit_law(pd.DataFrame(TABLE)[used], "chinchilla", known=Known(fixed={"beta": 0.2}), interval="none")
    f = half.loss_at({"N": TABLE["N"][~used], "D": TABLE["D"][~used]})[0]
    np.testing.assert_allclose(held, np.log(f / TABLE["loss"][~used]) ** 2, rtol=1e-5)


def test_clusters_and_weights_go_with_what_is_given():
    table = {**TABLE, "w": np.random.default_rng(1).uniform(0.5, 2, 80)}
    fit = fit_law(table, "chinchilla", weights="w", cluster="run", known=Known(tied={"alpha": "beta"}))
    coupled = fit_law(table, "coupled", weights="w", cluster="run")
    assert fit["alpha"].stderr == pytest.approx(coupled["alpha"].stderr, rel=1e-6)
    assert fit["alpha"].naive_stderr == pytest.approx(coupled["alpha"].naive_stderr, rel=1e-6)


def test_the_report_says_beside_each_parameter_what_was_given():
    fit = fit_law(TABLE, "chinchilla", known=KNOWN)
    lines = {line.split()[0]: line for line in str(fit).splitlines() if line.split()}
    assert lines["E"].endswith("= 1.69") and lines["alpha"].endswith("= 1.1 beta")
    assert lines["A"].endswith("within 100 or more") and lines["beta"].endswith("prior 0.31 ± 0.02")


BAD = {
    "an unknown name lists the parameters": ("--fix Z=1", "'Z'", "one of E, A, alpha, B, beta"),
    "a misspelt name": ("--fix alfa=0.3", "did you mean alpha?"),
    "a tie to an unknown name": ("--fix alpha=gamma", "'gamma'", "one of E, A"),
    "a tie to itself": ("--fix alpha=alpha", "alpha = alpha"),
    "a ring of ties": ("--fix alpha=beta --fix beta=alpha", "alpha = beta = alpha"),
    "a tie of two kinds": ("--fix A=alpha", "two coefficients, two exponents or two offsets"),
    "a tie with a factor of 0": ("--fix alpha=0*beta", "a factor above 0"),
    "a tie with a negative factor": ("--fix alpha=-1*beta", "a factor above 0"),
    "a tie without a name": ("--fix alpha=2*", "NAME=FACTOR*NAME"),
    "no value": ("--fix E=", "NAME=VALUE"),
    "no name": ("--fix =3", "NAME=VALUE"),
    "no equals": ("--fix E", "NAME=VALUE"),
    "fixed twice": ("--fix E=1 --fix E=2", "twice"),
    "not a number": ("--fix E=nan", "E = nan"),
    "infinite": ("--fix E=inf", "E = inf"),
    "a negative coefficient": ("--fix A=-3", "a value from 0"),
    "a negative offset": ("--fix E=-1", "a value from 0"),
    "an exponent out of range": ("--fix alpha=30", "0 to 20"),
    "everything fixed": ("--fix E=1 --fix A=1 --fix alpha=1 --fix B=1 --fix beta=1", "one at least that is fitted"),
    "a fixed value outside its bounds": ("--fix alpha=0.3 --bound alpha=0.4:0.5", "a value within its bounds"),
    "bounds of a tie that leave nothing": ("--fix alpha=beta --bound alpha=0.1:0.2 --bound beta=0.3:0.4",
                                           "nothing of alpha and beta"),
    "bounds the wrong way round": ("--bound alpha=0.5:0.3", "a lower bound below the upper one"),
    "bounds that are one point": ("--bound alpha=0.3:0.3", "a lower bound below"),
    "bounds outside what the law has": ("--bound alpha=-3:-1", "bounds that leave some of 0 to 20"),
    "bounds that bound nothing": ("--bound alpha=:", "no bound of alpha"),
    "bounds without a colon": ("--bound alpha=0.3", "NAME=LOW:HIGH"),
    "bounds that are no numbers": ("--bound alpha=a:b", "NAME=LOW:HIGH"),
    "bounds of an unknown name": ("--bound gamma=0:1", "'gamma'"),
    "a prior of sigma 0": ("--prior E=1.7+-0", "sigma 0", "--fix E=1.7"),
    "a prior of negative sigma": ("--prior E=1.7+--0.1", "sigma -0.1"),
    "a prior without sigma": ("--prior E=1.7", "NAME=MEAN+-SIGMA"),
    "a prior that is no number": ("--prior E=x+-y", "NAME=MEAN+-SIGMA"),
    "a prior of a coefficient below 0": ("--prior A=-4+-1", "a mean above 0"),
    "a prior of what is fixed": ("--fix E=1.7 --prior E=1.7+-0.1", "one of the two"),
    "a prior of what is tied to a value": ("--fix alpha=beta --fix beta=0.3 --prior alpha=0.3+-0.1", "one of the two"),
    "a prior of an unknown name": ("--prior e=1.7+-0.1", "one of E, A"),
    "an asymmetry that is no number": ("--objective asymmetric:x", "asymmetric:10"),
    "an asymmetry of 0": ("--objective asymmetric:0", "a number above 0"),
    "an asymmetry below 0": ("--objective asymmetric:-3", "a number above 0"),
    "a misspelt envelope": ("--objective envelop", "did you mean envelope?"),
    "recipes without parameters": ("--by run", "--by without --separate"),
    "parameters without recipes": ("--separate A", "--separate without --by"),
    "a separate parameter that is none": ("--by run --separate C", "'C'", "one of E, A, alpha, B, beta"),
    "recipes of no column": ("--by recipe --separate A", "without the column 'recipe'"),
    "recipes by a size": ("--by N --separate A", "a size of the law"),
    "a rule of counting that is none": ("--count bodi", "body, head"),
    "a rule that lacks its columns": ("--count body", "the column 'width'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_contradicts_itself_is_refused_in_one_line(command, case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(TABLE).to_csv("runs.csv", index=False)
    options, *words = BAD[case]
    code, out, err = command("law", "fit", "runs.csv", "--law", "chinchilla", *options.split(), "-o", "fit.json")
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    for word in words:
        assert word in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_the_command_line_and_python_mean_the_same(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(TABLE).to_csv("runs.csv", index=False)
    said = "--fix E=1.69 --fix alpha=1.1*beta --bound A=100: --prior beta=0.31±0.02"
    code, out, err = command("law", "fit", "runs.csv", "--law", "chinchilla", *said.split(), "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    fit = fit_law(pd.read_csv("runs.csv"), "chinchilla", known=KNOWN)
    assert record["known"] == fit.to_dict()["known"]
    assert record["params"]["A"]["value"] == pytest.approx(fit["A"].value, rel=1e-9)


def test_a_record_that_contradicts_itself_is_refused():
    record = json.loads(json.dumps(fit_law(TABLE, "chinchilla", known=KNOWN).to_dict()))
    for change in ({"fixed": {"Z": 1.0}}, {"fixed": "E"}, {"tied": {"alpha": {"to": "beta"}}},
                   {"priors": {"beta": {"mean": 0.3, "sigma": -1.0}}}, {"fixed": {"E": 1.0, "A": 2.0}}):  # fmt: skip
        with pytest.raises(InputError):
            Fit.from_dict(record | {"known": change})


# -- one-sided objectives -------------------------------------------------------------------------------------------
CONSTANT = FunctionLaw(lambda x, a: a + 0 * x, "x", {"a": 1.0})


@pytest.mark.parametrize("K", [0.2, 1.0, 3.0, 10.0])
def test_an_asymmetric_fit_of_a_constant_is_its_expectile(K):
    """sum K (a - y)+ = sum (y - a)+ by definition [Newey and Powell], solved by bisection."""
    from scipy import optimize

    y = np.random.default_rng(3).gamma(2.0, size=50)
    root = optimize.brentq(
        lambda a: K * np.maximum(a - y, 0).sum() - np.maximum(y - a, 0).sum(), y.min(), y.max(), xtol=1e-14
    )
    fit = fit_law({"x": np.arange(50.0), "loss": y}, CONSTANT, objective=Objective("ls", asymmetry=K), interval="none")
    assert fit["a"].value == pytest.approx(root, rel=1e-9)


def test_a_huber_fit_with_asymmetry_is_a_quantile():
    y = np.sort(np.random.default_rng(3).gamma(2.0, size=101))
    objective = Objective("plain-huber", delta=1e-6, asymmetry=9.0)
    fit = fit_law({"x": np.arange(101.0), "loss": y}, CONSTANT, objective=objective, interval="none")
    assert fit["a"].value == pytest.approx(np.quantile(y, 0.1), abs=2e-6)


def test_no_run_lies_below_an_envelope_and_it_has_no_intervals():
    rng = np.random.default_rng(5)
    table = made(60, 0)
    table["loss"] = table["loss"] * np.exp(np.abs(0.05 * rng.normal(size=60)))  # tuned too little: above the frontier
    fit = fit_law(table, "chinchilla", objective="envelope")
    below = np.log(fit.loss_at(table)[0] / table["loss"])
    assert below.max() < 2e-3 and (np.abs(below) < 2e-3).sum() >= 4
    assert fit.interval["method"] == "none"
    middle = fit_law(table, "chinchilla", objective="asymmetric:10")
    assert fit.predict({"N": [1e9], "D": [1e11]}).loss[0] < middle.predict({"N": [1e9], "D": [1e11]}).loss[0]
    assert middle.predict({"N": [1e9], "D": [1e11]}).loss[0] < fit_law(table, "chinchilla").predict(
        {"N": [1e9], "D": [1e11]}).loss[0]  # fmt: skip


@pytest.mark.slow
def test_the_sandwich_of_an_expectile_covers_it():
    """Normal errors of log L have an expectile that is log f + m: E, A and B scale by e^m, exponents stay.

    24 sets; 16 or fewer hits at 95 %: chance below 2e-5.
    """
    from scipy import optimize, stats

    K, sigma = 10.0, 0.004
    m = sigma * optimize.brentq(  # of a standard normal variable: K E(m - z)+ = E(z - m)+
        lambda a: K * (a * stats.norm.cdf(a) + stats.norm.pdf(a)) - (stats.norm.pdf(a) - a * stats.norm.sf(a)), -5, 5
    )
    truth = {name: value * (np.exp(m) if name in "EAB" else 1.0) for name, value in TRUTH.items()}
    hits = dict.fromkeys(truth, 0)
    for seed in range(24):
        fit = fit_law(made(60, sigma, 500 + seed), "chinchilla", objective="asymmetric:10")
        for name in hits:
            hits[name] += fit[name].low <= truth[name] <= fit[name].high
    assert min(hits.values()) > 16, hits


def test_compare_still_takes_laws_alone():
    assert compare_laws(TABLE, ["chinchilla", "coupled"], folds=3).best.name in ("chinchilla", "coupled")
