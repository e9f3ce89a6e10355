"""What a worker process does: train one run and write it to the store itself.

Nothing heavy is imported at the top: a fresh worker must pin its thread pools first.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

_stop: Any = None  # multiprocessing.Event of the local executor; None elsewhere (Dask)

POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def start(stop: Any) -> None:
    """Initialiser of local workers: one BLAS thread, deaf to Ctrl-C (the coordinator tells us), and
    gone when the coordinator is gone, however it went."""
    global _stop
    _stop = stop
    for pool in POOLS:
        os.environ[pool] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    assert parent is not None, "workers are started by a coordinator"

    def follow_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()


def work(
    record: dict[str, Any], frequencies: Any, store_path: str, engine: str, keep_weights: bool, token: str = ""
) -> dict[str, Any]:
    """Train one run unless it is stored or claimed, and store it, with the token of who asked in its provenance.

    Returns
    -------
    dict
        ``outcome`` (``trained``, ``stored`` already, ``claimed`` by another process, or ``stopped``), and
        for a trained run ``status``, ``loss`` and ``seconds``.
    """
    from dataclasses import replace

    from superlaw.sweeps.store import Store
    from superlaw.toy.spec import RunSpec
    from superlaw.toy.train import train

    spec = RunSpec.from_dict({**record, **({"frequencies": frequencies} if frequencies is not None else {})})
    store = Store(store_path)
    if store.has(spec.id):
        return {"outcome": "stored"}
    with store.claim(spec.id) as mine:
        if not mine:
            return {"outcome": "claimed"}
        if store.has(spec.id):  # stored between our look and our claim
            return {"outcome": "stored"}
        run = train(spec, engine, watch=lambda *_: _stop is not None and _stop.is_set())
        if run.status == "stopped":
            return {"outcome": "stopped"}
        run = replace(run, provenance={**run.provenance, "sweep": token})
        store.add(run if keep_weights else replace(run, W=None, b=None))
    seconds = run.provenance["wall_seconds"]
    return {"outcome": "trained", "status": run.status, "loss": run.loss, "seconds": seconds}
