"""The paper's central result, trained live: loss against width with weak and strong superposition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from superlaw.errors import InputError
from superlaw.files import write_atomically
from superlaw.sweeps.execute import Report, execute
from superlaw.sweeps.store import Store
from superlaw.sweeps.widths import WidthScan, scan_widths
from superlaw.theory.weak import unlearned_loss
from superlaw.toy.frequencies import read_text
from superlaw.toy.spec import RunSpec

WIDTHS = (10, 15, 25, 39, 63, 100)  # the published ones
REGIMES = {"weak": 1.0, "strong": -1.0}  # weight decay gamma
STEPS = 5000
FEATURES = 1000
WARMUP_SHARE = 0.1  # of the steps, as in the published protocol


@dataclass(frozen=True)
class Demo:
    """What the demo found, and where it is stored."""

    source: str
    frequencies: np.ndarray
    steps: int
    seed: int
    regimes: dict[str, WidthScan]
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
        Folder for the run files and ``demo.png``. Runs already there are not trained again.
    report : callable
        Progress; see sweeps.execute.

    Returns
    -------
    Demo
    """
    base, source = _features(text, n_features, steps, seed)
    widths = tuple(m for m in WIDTHS if m < base.n_features)
    specs = {(name, m): base.change(width=m, weight_decay=g) for name, g in REGIMES.items() for m in widths}
    store = Store(out)
    tally = execute(specs.values(), store, workers, report=report)
    if tally.failed:
        raise InputError(
            f"{len(tally.failed)} failed runs ({next(iter(tally.failed.values()))})", "all runs", "run again"
        )
    regimes = {name: scan_widths([store.load(specs[name, m].id) for m in widths]) for name in REGIMES}
    p = np.sort(base.probabilities)[::-1]
    at_width = np.array([unlearned_loss(p, m) for m in widths])
    found = Demo(source, p, steps, seed, regimes, at_width, tally.trained, tally.stored, Path(out), ())
    found = replace(found, sentences=tuple(_sentences(found)))
    # matplotlib takes half a second to load, and only this line of the study needs it
    from superlaw.figures import demo as figure

    title = f"{source}; {steps} steps, seed {seed}"
    write_atomically(found.folder / "demo.png", figure.draw(figure.data(title, regimes, at_width)))
    return found


def _features(text: str | Path | None, n_features: int | None, steps: int, seed: int) -> tuple[RunSpec, str]:
    """The run that all twelve share, and where its features come from."""
    shared = {"steps": steps, "warmup": max(1, int(WARMUP_SHARE * steps)), "seed": seed}
    if text is None:
        base = RunSpec(n_features=n_features or FEATURES, **shared)
        source = f"p_i proportional to 1/i, n = {base.n_features}"
    else:
        p = read_text(text, n_features)[: n_features or FEATURES]
        base = RunSpec(frequencies=p / p.sum(), **shared)
        source = f"the {base.n_features} most frequent words of {Path(text).name}"
    least = 2 * min(WIDTHS)
    if base.n_features < least:
        raise InputError(f"{base.n_features} features", f"at least {least}", "use more features or a longer text")
    return base, source


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
