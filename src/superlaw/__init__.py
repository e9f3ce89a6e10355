"""superlaw: what sets a neural scaling law, and when will it hold?

Start here
----------
A toy model, trained, and what it shows::

    run = superlaw.train(superlaw.RunSpec(n_features=1000, width=25, weight_decay=-1, steps=3000))
    superlaw.measure_run(run)

A grid of them, and the exponent of every cell::

    runs = superlaw.sweep("weight-decay-grid-small", "runs")
    superlaw.exponents(runs)

A law fitted to runs of your own, with its errors and warnings::

    print(superlaw.fit_law("runs.csv", "additive:width,tokens"))

The head of a language model::

    superlaw.measure_head(superlaw.load_head("model-folder"))

Names
-----
What acts is a verb, with its object where there are several: ``train``, ``sweep``, ``gather``, ``reproduce``,
``load_run``, ``load_head``, ``fit_law``, ``fit_zipf``, ``measure_run``, ``measure_head``, ``compare_laws``.
What is computed from arguments is a noun: ``exponents``, ``optimum``, ``best_shape``, ``packing_bounds``.
``dir(superlaw)`` lists all, ``help(superlaw.fit_law)`` explains one; ``superlaw --help`` is the command line, and
docs/science.md has the symbols and equations.
"""

from __future__ import annotations

import warnings
from typing import Any

import lazy_loader

# Loaded on first use, so that importing the package (and `superlaw --help`) stays quick; __init__.pyi has the names.
# There is no __all__: with one, help(superlaw) is every docstring of the package.
_load, _names, _ = lazy_loader.attach_stub(__name__, __file__)

# Old name -> new: kept for one release.
_RENAMED = {
    "measure": "measure_run",
    "capacity": "measure_capacity",
    "required": "required_size",
    "published_table": "load_published",
    "Prediction": "PredictedExponents",
    "best_random_frame": "best_frame",
    "RandomFrame": "BestFrame",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # slow to import, seldom asked for

        return version("superlaw")
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(f"superlaw.{name} is now superlaw.{new}; the old name goes with the next release",
                      DeprecationWarning, stacklevel=2)  # fmt: skip
        return _load(new)
    return _load(name)


def __dir__() -> list[str]:
    return [*_names(), "__version__"]
