"""train: RunSpec -> Run, on a named engine."""

from __future__ import annotations

from dataclasses import replace

from superlaw.errors import InputError, nearest
from superlaw.toy.measures import measure_run
from superlaw.toy.protocol import Engine, Watch
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

ENGINES = ("fused", "dense")


def make_engine(name: str = "fused", threads: int = 1) -> Engine:
    """The engine of that name.

    Examples
    --------
    >>> make_engine().name
    'fused'
    """
    if name == "fused":
        from superlaw.toy.fused import Fused  # loads the compiled extension

        return Fused(threads)
    if name == "dense":
        from superlaw.toy.dense import Dense  # loads PyTorch, an optional extra

        return Dense(threads)
    raise InputError(f"engine = {name!r}", f"one of {', '.join(ENGINES)}", nearest(name, ENGINES))


def train(spec: RunSpec, engine: str = "fused", threads: int = 1, watch: Watch | None = None) -> Run:
    """Train one toy model.

    Parameters
    ----------
    spec : RunSpec
    engine : {"fused", "dense"}
    threads : int
        For one large model; sweeps run one model a core.
    watch : callable, optional
        Called now and then with (spec, steps done, current loss); a true answer stops the run.

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
    chosen = make_engine(engine, threads)
    chosen.check(spec)
    (run,) = chosen.train([spec], watch)
    return replace(run, measures=measure_run(run).to_dict())
