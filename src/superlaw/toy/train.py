"""train: RunSpec -> Run, on a named engine."""

from __future__ import annotations

from dataclasses import replace

from superlaw.errors import InputError, closest
from superlaw.files.progress import notebook_line
from superlaw.toy.measures import measure_run
from superlaw.toy.protocol import Engine, Watch
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

ENGINES = ("auto", "fused", "dense")
DEFAULT_ENGINE = "auto"


def make_engine(name: str, threads: int = 1) -> Engine:
    """The engine of that name, ``fused`` or ``dense``, which may be followed by a PyTorch device: ``dense:cuda:1``.

    Examples
    --------
    >>> make_engine("fused").name
    'fused'
    """
    if name == "fused":
        from superlaw.toy.fused import Fused  # loads the compiled extension

        return Fused(threads)
    dense, _, device = name.partition(":")
    if dense == "dense" and not name.endswith(":"):
        from superlaw.toy.dense import Dense  # loads PyTorch, an optional extra

        return Dense(threads, device or "cpu")
    raise InputError(f"engine = {name!r}", f"one of {', '.join(ENGINES)}, dense:DEVICE", closest(name, ENGINES))


def engine_for(spec: RunSpec, engine: str = DEFAULT_ENGINE, threads: int = 1) -> Engine:
    """The engine that will train the spec; InputError where it cannot. ``auto``: fused where it can, else dense.

    Examples
    --------
    >>> engine_for(RunSpec()).name
    'fused'
    """
    name = ("dense" if why_dense(spec) else "fused") if engine == "auto" else engine
    chosen = make_engine(name, threads)
    chosen.check(spec)
    return chosen


def why_dense(spec: RunSpec) -> str:
    """What the engine fused does not train of a spec, as ``field = value``; empty where it trains it."""
    return make_engine("fused").lacks(spec)


def train(spec: RunSpec, engine: str = DEFAULT_ENGINE, threads: int = 1, watch: Watch | None = None) -> Run:
    """Train one toy model.

    Parameters
    ----------
    spec : RunSpec
    engine : {"auto", "fused", "dense", "dense:DEVICE"}
        auto: fused where it trains the spec, else dense; the run's provenance says which. A device is PyTorch's, as
        in dense:cuda; without one it is the processor.
    threads : int
        For one large model; sweeps run one model a core.
    watch : callable, optional
        Called now and then with (spec, steps done, current loss); a true answer stops the run. Without one a
        notebook shows how far it is.

    Returns
    -------
    Run
        With its measures. A diverged run is returned too, with that status.

    Examples
    --------
    >>> run = train(RunSpec(n_features=50, width=5, weight_decay=-1, steps=200, warmup=20, batch=256))
    >>> run.status, len(run.losses), run.W.shape
    ('ok', 200, (50, 5))
    """
    (run,) = engine_for(spec, engine, threads).train([spec], watch or _notebook_watch(spec))
    return replace(run, measures=measure_run(run).to_dict())


def _notebook_watch(spec: RunSpec) -> Watch | None:
    line = notebook_line(f"m = {spec.width}", "steps")
    return None if line is None else lambda spec, done, loss: line.update(done, spec.steps, f"loss {loss:.4g}")
