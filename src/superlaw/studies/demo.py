"""The paper's central result, trained live: loss against width with weak and strong superposition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from superlaw.errors import InputError
from superlaw.laws.slope import Slope, fit_slope
from superlaw.sweeps.execute import Report, execute
from superlaw.sweeps.store import Store
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.frequencies import read_text
from superlaw.toy.run import Run, write_atomically
from superlaw.toy.spec import RunSpec

WIDTHS = (10, 15, 25, 39, 63, 100)  # the published ones
REGIMES = {"weak": 1.0, "strong": -1.0}  # weight decay gamma
STEPS = 5000
FEATURES = 1000
WARMUP_SHARE = 0.1  # of the steps, as in the published protocol


@dataclass(frozen=True)
class RegimeResult:
    """One regime over all widths; every array has shape (widths,)."""

    weight_decay: float
    widths: np.ndarray
    loss: np.ndarray
    loss_std: np.ndarray
    represented_fraction: np.ndarray
    mean_square_overlap: np.ndarray
    square_overlap_welch: np.ndarray
    unlearned_own: np.ndarray  # sum over features the run itself does not represent
    diverged: tuple[int, ...]
    slope: Slope | None


@dataclass(frozen=True)
class Demo:
    """What the demo found, and where it is stored."""

    source: str
    frequencies: np.ndarray
    steps: int
    seed: int
    regimes: dict[str, RegimeResult]
    unlearned_at_width: np.ndarray  # exact sum over unlearned features with k = m, shape (widths,)
    trained: int
    stored: int
    folder: Path
    sentences: tuple[str, ...]


def demo(
    text: str | Path | None = None,
    n_features: int | None = None,
    steps: int = STEPS,
    workers: int | None = None,
    out: str | Path = "demo",
    seed: int = 0,
    report: Report = lambda tally: None,
) -> Demo:
    """Train both regimes at the six published widths, and say what was seen.

    Parameters
    ----------
    text : path, optional
        Features are this text's most frequent words; otherwise p_i is proportional to 1/i.
    n_features : int, optional
        1000, or as many words as a shorter text has.
    steps, workers, seed : int
    out : path
        Folder for the run files, ``demo.png`` and ``demo.json``. Runs already there are not trained again.
    report : callable
        Progress; see sweeps.execute.

    Returns
    -------
    Demo
    """
    if text is None:
        base = RunSpec(
            n_features=n_features or FEATURES,
            steps=steps,
            warmup=max(1, int(WARMUP_SHARE * steps)),
            seed=seed,
        )
        source = f"p_i proportional to 1/i, n = {base.n_features}"
    else:
        p = read_text(text, n_features)[: n_features or FEATURES]
        if p.size < 2 * min(WIDTHS):
            raise InputError(
                f"{text} with {p.size} different words",
                f"at least {2 * min(WIDTHS)} features",
                "use a longer text",
            )
        base = RunSpec(frequencies=p / p.sum(), steps=steps, warmup=max(1, int(WARMUP_SHARE * steps)), seed=seed)
        source = f"the {base.n_features} most frequent words of {Path(text).name}"
    widths = tuple(m for m in WIDTHS if m < base.n_features)
    specs = {(name, m): base.change(width=m, weight_decay=g) for name, g in REGIMES.items() for m in widths}
    store = Store(out)
    tally = execute(specs.values(), store, workers, report=report)
    if tally.failed:
        raise InputError(
            f"{len(tally.failed)} failed runs ({next(iter(tally.failed.values()))})", "all runs", "run again"
        )
    regimes = {name: _regime(g, [store.load(specs[name, m].id) for m in widths]) for name, g in REGIMES.items()}
    p = np.sort(base.probabilities)[::-1]
    at_width = np.array([unlearned_loss(p, m) for m in widths])
    result = Demo(
        source, p, steps, seed, regimes, at_width, tally.trained, tally.stored, Path(out), (),
    )  # fmt: skip
    result = Demo(**{**result.__dict__, "sentences": tuple(_sentences(result))})
    _write(result)
    return result


def _regime(weight_decay: float, runs: list[Run]) -> RegimeResult:
    column = lambda name: np.array([_number(run.measures[name]) for run in runs])  # noqa: E731
    widths, loss = np.array([run.spec.width for run in runs]), column("loss")
    good = np.isfinite(loss)
    return RegimeResult(
        weight_decay=weight_decay,
        widths=widths,
        loss=loss,
        loss_std=column("loss_std"),
        represented_fraction=column("represented_fraction"),
        mean_square_overlap=column("mean_square_overlap"),
        square_overlap_welch=column("welch"),
        unlearned_own=column("unlearned_loss"),
        diverged=tuple(int(m) for m in widths[~good]),
        slope=fit_slope(widths[good], loss[good]) if good.sum() > 1 else None,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _sentences(demo: Demo) -> list[str]:
    """What was seen, each claim made only where the numbers of this very run carry it."""
    weak, strong = demo.regimes["weak"], demo.regimes["strong"]
    said = [
        f"{name.capitalize()} superposition: diverged at width {', '.join(map(str, regime.diverged))}; "
        "those runs are left out."
        for name, regime in demo.regimes.items()
        if regime.diverged
    ]
    silence = 4 / 3 * float(demo.frequencies.sum())
    for name, regime in demo.regimes.items():
        untrained = regime.widths[regime.loss > silence]
        if untrained.size:
            said.append(
                f"{name.capitalize()} superposition at width {', '.join(map(str, untrained))}: the loss is above "
                f"{silence:.2f}, that of answering 0 to everything: these runs are too short to read a law from."
            )
    phi = weak.represented_fraction
    share = phi * len(demo.frequencies) / weak.widths  # represented features per dimension
    said.append(
        f"Weak superposition (weight decay {weak.weight_decay:g}): {_range(phi * len(demo.frequencies), 'g')} of "
        f"{len(demo.frequencies)} features have a norm above 1/2, {_range(share, '.2f')} a dimension; "
        + _against_theory(demo)
    )
    phi = strong.represented_fraction
    ratio = strong.mean_square_overlap * strong.widths
    said.append(
        f"Strong superposition (weight decay {strong.weight_decay:g}): {_range(100 * phi, '.0f')} % of the features "
        f"have a norm above 1/2, and their mean squared overlap is {_range(ratio, '.2f')} times 1/m: "
        + ("all features share the space, and interference is what is left." if np.nanmin(phi) > 0.9 else
           "not all features are represented, so this is not (yet) fully strong superposition.")
    )  # fmt: skip
    if strong.slope:
        away = abs(strong.slope.exponent - 1)
        compatible = away <= 2 * strong.slope.stderr
        said.append(
            f"Its loss falls as 1/m^{strong.slope.exponent:.2f} ± {strong.slope.stderr:.2f}; geometry predicts 1 in a "
            f"long run, {'within' if compatible else 'more than'} two standard errors"
            f"{'' if compatible else ' away'}."
        )
    if weak.slope and strong.slope:
        said.append(
            "From the narrowest to the widest model the loss falls by a factor "
            f"{weak.loss[0] / weak.loss[-1]:.2f} with weak and {strong.loss[0] / strong.loss[-1]:.1f} with strong "
            "superposition."
        )
    said.append(
        f"One seed ({demo.seed}), {demo.steps} steps (the study: 20,000); seeds differ by 10 to 20 % at the wide end, "
        "and the slopes' errors come from six widths and are not seed-to-seed errors."
    )
    return said


def _against_theory(demo: Demo) -> str:
    weak = demo.regimes["weak"]
    k, n = weak.represented_fraction * len(demo.frequencies), len(demo.frequencies)
    over = weak.loss / demo.unlearned_at_width
    text = f"the loss is {_range(over, '.2f')} times the exact sum over the features beyond rank m"
    if np.all(k < 0.75 * weak.widths):
        text += ", because so short a run represents fewer features than it has dimensions"
    elif np.all(k <= 1.25 * weak.widths) and np.nanmax(over) < 1.3:
        text += ": the model keeps about the top m features and drops the tail"
    if n and weak.slope:
        text += f". Its local slope is {weak.slope.exponent:.2f} ± {weak.slope.stderr:.2f}"
        text += "; at alpha = 1 (and for words) theory has no power law here, only that sum"
    return text + "."


def _range(values: np.ndarray, form: str) -> str:
    low, high = np.nanmin(values), np.nanmax(values)
    low, high = format(round(low, 6), form), format(round(high, 6), form)
    return low if low == high else f"{low} to {high}"


def _write(result: Demo) -> None:
    # matplotlib takes half a second to load, and only this line of the study needs it
    from superlaw.figures import demo as figure

    write_atomically(result.folder / "demo.png", figure.draw(figure.data(result)))
