"""superlaw: what sets a neural scaling law, and when will it hold?"""

from __future__ import annotations

import importlib
from typing import Any

# Names of the public interface and where they live; loaded on first use, so that importing the
# package (and `superlaw --help`) stays quick.
_PUBLIC = {
    "RunSpec": "superlaw.toy.spec",
    "Run": "superlaw.toy.run",
    "load_run": "superlaw.toy.run",
    "train": "superlaw.toy.train",
    "Measures": "superlaw.toy.measures",
    "measure": "superlaw.toy.measures",
    "represented_fraction": "superlaw.toy.measures",
    "GroupOverlaps": "superlaw.geometry.groups",
    "overlaps_by_norm": "superlaw.geometry.groups",
    "overlaps_by_rank": "superlaw.geometry.groups",
    "compare_with_random": "superlaw.geometry.frames",
    "dimensionality": "superlaw.geometry.spectrum",
    "participation_ratio": "superlaw.geometry.spectrum",
    "PredictedExponents": "superlaw.theory.regimes",
    "predicted_exponents": "superlaw.theory.regimes",
    "unlearned_losses": "superlaw.theory.weak",
    "best_random_frame": "superlaw.theory.interference",
    "rivals": "superlaw.theory.rivals",
    "Plan": "superlaw.sweeps.plan",
    "load_plan": "superlaw.sweeps.plan",
    "Sweep": "superlaw.sweeps.sweep",
    "sweep": "superlaw.sweeps.sweep",
    "Store": "superlaw.sweeps.store",
    "gather": "superlaw.sweeps.table",
    "exponents": "superlaw.findings.exponents",
    "figure": "superlaw.studies.figure",
    "reproduce": "superlaw.studies.reproduce",
    "Slope": "superlaw.laws.slope",
    "fit_slope": "superlaw.laws.slope",
    "AdditiveLaw": "superlaw.laws.forms.additive",
    "PowerLaw": "superlaw.laws.forms.power",
    "GroupedPowerLaw": "superlaw.laws.forms.grouped",
    "Chinchilla": "superlaw.laws.forms.chinchilla",
    "Kaplan": "superlaw.laws.forms.kaplan",
    "BrokenPowerLaw": "superlaw.laws.forms.broken",
    "FunctionLaw": "superlaw.laws.function",
    "Objective": "superlaw.laws.objective",
    "Fit": "superlaw.laws.result",
    "fit_law": "superlaw.laws.fit",
    "load_fit": "superlaw.laws.result",
    "load_table": "superlaw.laws.tables",
    "compare_laws": "superlaw.laws.compare",
    "sensitivity": "superlaw.laws.sensitivity",
    "optimum": "superlaw.laws.optimum",
    "required": "superlaw.laws.optimum",
    "fetch_table": "superlaw.laws.published",
    "published_table": "superlaw.laws.published",
    "Head": "superlaw.lm.head",
    "load_head": "superlaw.lm.head",
    "HeadMeasures": "superlaw.lm.measure",
    "measure_head": "superlaw.lm.measure",
    "Corpus": "superlaw.lm.corpora",
    "count_tokens": "superlaw.lm.tokens",
    "load_tokenizer": "superlaw.lm.tokens",
    "ZipfFit": "superlaw.lm.zipf",
    "fit_zipf": "superlaw.lm.zipf",
    "LossOptions": "superlaw.lm.loss_table",
    "measure_losses": "superlaw.lm.loss",
    "load_family": "superlaw.lm.families",
    "Shape": "superlaw.theory.shape",
    "Architecture": "superlaw.theory.shape",
    "required_activity": "superlaw.theory.sensing",
    "sensing_capacity": "superlaw.theory.sensing",
    "packing_bounds": "superlaw.theory.packing",
    "overlap_bounds": "superlaw.theory.packing",
    "compare_shapes": "superlaw.studies.shape",
    "best_shape": "superlaw.findings.best_shape",
    "capacity": "superlaw.studies.capacity",
    "relative_errors": "superlaw.toy.recovery",
    "SuperlawError": "superlaw.errors",
    "InputError": "superlaw.errors",
    "DamagedFileError": "superlaw.errors",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'superlaw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
