"""One training step: `fused` against the published loop and against an engine of an older commit, one core each.

Pieces of all are interleaved in one run, so that a change in the machine's speed meets them alike, and timed by
the processor time of their process; a cell's ratio is the median over rounds of the ratio within a round. A step's
cost depends on how many outputs are active, so a cell is timed at the initial state and at the states that the
published run reaches after 2,000 and 10,000 of its 20,000 steps (n = 10,240: 2,000 of 40,000), trained once by
`fused` and kept in --states (the first run takes 10 to 15 minutes more). The older engine is built from its
commit into --before-build on first use.

    python benchmarks/step.py [--rounds 9] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import time
from pathlib import Path

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

import numpy as np

WIDTHS = (10, 15, 25, 39, 63, 100)
BEFORE = "5af120d"  # the engine before sparse gradients
BUILD = Path("build")


def timed(function, *arguments) -> float:
    begin = time.process_time()
    function(*arguments)
    return time.process_time() - begin


def make_training(module, W, b, p, batch: int, seed: int, loss_scale: float, weight_decay: float):
    """A trainer of one thread, of an extension now or of one before it had Settings."""
    if not hasattr(module, "Settings"):
        return module.Training(
            W, b, p, batch, seed, loss_scale, 0.9, 0.999, 1e-8, weight_decay, 1, "", "automatic"
        )  # fmt: skip
    settings = module.Settings()
    settings.loss_scale, settings.weight_decay = loss_scale, weight_decay
    return module.Training(W, b, None, module.Distribution(p, batch, seed), settings)


class Steps:
    """A trainer of the extension ``module``, held at one state (its rates are 0, a step's work is the same)."""

    def __init__(self, module, state: str):
        with np.load(state) as file:
            W, b, p, numbers = (file[key] for key in ("W", "b", "p", "numbers"))
        batch, loss_scale, weight_decay = numbers
        self.training = make_training(module, W, b, p, int(batch), 7, float(loss_scale), float(weight_decay))
        self.seconds(20 if len(b) < 5000 else 2)
        self.piece = max(1, round(0.05 / max(self.seconds(3), 1e-6)))  # about 0.05 s of steps

    def seconds(self, count: int) -> float:
        rates = np.zeros(count)
        return timed(self.training.advance, rates, rates, np.empty(count, np.float32)) / count


def serve(path: str) -> None:
    """A process of its own for the extension at ``path``: two of them do not fit in one. Lines in: a state's file,
    or nothing for another piece; lines out: seconds a step."""
    spec = importlib.util.spec_from_file_location("engine._fused", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    steps = None
    for line in sys.stdin:
        if line.strip():
            steps = Steps(module, line.strip())
        print(steps.seconds(steps.piece), flush=True)


class Engine:
    """The other end of :func:`serve`."""

    def __init__(self, path: Path):
        command = [sys.executable, __file__, "--serve", str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, state: Path | None = None) -> float:
        self.process.stdin.write(f"{state or ''}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def engine_before(folder: Path) -> Path:
    """The extension of the older commit, built into a folder of its own."""
    found = list(folder.glob("site/superlaw/toy/fused/_fused*.so"))
    if not found:
        print(f"building the engine of {BEFORE} into {folder}", file=sys.stderr)
        archive = subprocess.run(["git", "archive", BEFORE], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder / "source", filter="data")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*pip, str(folder / "site"), str(folder / "source")], check=True)
        found = list(folder.glob("site/superlaw/toy/fused/_fused*.so"))
    return found[0]


def trained(spec, steps: int, folder: Path) -> Path:
    """The file of the spec's state after so many of its steps, with what a trainer needs."""
    from superlaw.toy.fused import _fused
    from superlaw.toy.protocol import initial_state, schedule

    file = folder / f"{spec.id}-{steps}.npz"
    if not file.exists():
        state = initial_state(spec)
        W, b = state.W, state.b
        training = make_training(
            _fused, W, b, spec.probabilities, spec.batch, spec.seed, spec.loss_scale, spec.weight_decay
        )
        rates = [np.ascontiguousarray((peak * schedule(spec))[:steps]) for peak in spec.peak_learning_rates]
        training.advance(*rates, np.empty(steps, np.float32))
        training.state(W, b, None)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = np.array([spec.batch, spec.loss_scale, spec.weight_decay])
        np.savez(file, W=W, b=b, p=spec.probabilities, numbers=numbers)
    return file


def active_share(file: Path) -> float:
    """Outputs with z > 0, of the samples that have an active feature."""
    from superlaw.toy.fused import sample

    with np.load(file) as state:
        W, b, p, batch = state["W"], state["b"], state["p"], int(state["numbers"][0])
    start, which, value = sample(p, batch, 7, 0)
    x = np.zeros((batch, len(p)), np.float32)
    x[which, np.repeat(np.arange(len(p)), np.diff(start))] = value
    x = x[(x > 0).any(axis=1)][:1000]
    return float(np.mean(x @ W @ W.T + b > 0))


def compare(spec, after: tuple[int, ...], rounds: int, engines: dict[str, Engine], states: Path) -> dict:
    from published_loop import PublishedLoop

    loop = PublishedLoop(spec.n_features, spec.width, spec.batch, spec.probabilities, spec.weight_decay)
    loop.step()
    cells = {}
    for steps in after:
        file = trained(spec, steps, states)
        times = {name: [] for name in ("loop", *engines)}
        for engine in engines.values():
            engine.seconds(file)
        for r in range(rounds):
            if steps == after[0]:  # the loop's step costs the same at any state
                times["loop"].append(timed(loop.step))
            for name, engine in engines.items() if r % 2 else reversed(engines.items()):
                times[name].append(engine.seconds())
        if steps == after[0]:
            loop_times = np.array(times["loop"])
        now, before = np.array(times["now"]), np.array(times["before"])
        cells[steps] = {
            "loop_ms": 1e3 * float(np.median(loop_times)),
            "before_ms": 1e3 * float(np.median(before)),
            "now_ms": 1e3 * float(np.median(now)),
            "faster": float(np.median(before / now)),
            "faster_range": [float(q) for q in np.percentile(before / now, (10, 90))],
            "times_the_loop": float(np.median(loop_times) / np.median(now)),
            "active": active_share(file),
        }
    return cells


def cells(quick: bool):
    """(alpha and gamma, spec, states) of every row of the table."""
    from superlaw.toy.spec import RunSpec

    for alpha, gamma in ((1.0, -1.0), (0.0, -1.0), (1.0, 1.0)):
        for m in WIDTHS:
            spec = RunSpec(width=m, data_exponent=alpha, weight_decay=gamma)
            yield f"n = 1000, alpha = {alpha:g}, gamma = {gamma:g}", spec, (0, 2000, 10_000)
    for m in () if quick else (64, 256):
        spec = RunSpec(n_features=10_240, width=m, data_exponent=1.2, batch=8192, weight_decay=-1.0, loss_scale=100.0)
        yield "n = 10240, alpha = 1.2, gamma = -1", spec, (0, 2000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="leave out n = 10,240")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--states", type=Path, default=BUILD / "step-states")
    parser.add_argument("--before-build", type=Path, default=BUILD / f"engine-{BEFORE}")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    import torch

    from superlaw.toy.fused import _fused, variants

    torch.set_num_threads(1)
    engines = {"before": Engine(engine_before(options.before_build)), "now": Engine(Path(_fused.__file__))}
    groups: dict[tuple[str, int], list[dict]] = {}
    for group, spec, after in cells(options.quick):
        rounds = options.rounds if spec.n_features == 1000 else max(3, options.rounds // 3)
        for steps, cell in compare(spec, after, rounds, engines, options.states).items():
            groups.setdefault((group, steps), []).append({"m": spec.width} | cell)
        print(f"{group}, m = {spec.width}: done", file=sys.stderr)
    if options.json:
        print(json.dumps([{"group": group, "steps": steps, "cells": rows} for (group, steps), rows in groups.items()]))
        return None
    print(f"{processor()}, kernels {variants()[0]}, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}\n")
    print(f"| cell | steps | active outputs | published loop, ms | engine {BEFORE}, ms | fused, ms "
          "| faster than before (10-90 %) | times the loop |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for (group, steps), rows in groups.items():
        for r in rows:
            low, high = r["faster_range"]
            print(f"| {group}, m = {r['m']} | {steps} | {100 * r['active']:.1f} % | {r['loop_ms']:.1f} "
                  f"| {r['before_ms']:.3f} | {r['now_ms']:.3f} | {r['faster']:.2f} ({low:.2f}-{high:.2f}) "
                  f"| {r['times_the_loop']:.1f} |")  # fmt: skip
    print("\n| geometric means | steps | faster than before | times the loop |\n|---|---|---|---|")
    for (group, steps), rows in groups.items():
        means = [np.exp(np.mean([np.log(r[key]) for r in rows])) for key in ("faster", "times_the_loop")]
        print(f"| {group} | {steps} | {means[0]:.2f} | {means[1]:.1f} |")
    return None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
