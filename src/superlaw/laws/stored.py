"""What a fit looks like as JSON (see Fit.to_dict), and its parts read back."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.shapes import COUNT, NUMBER, WHOLE, Number, misfit
from superlaw.laws.certificate import Certificate
from superlaw.laws.estimate import Estimate
from superlaw.laws.forms import law_from
from superlaw.laws.kin import Kin
from superlaw.laws.known import Known
from superlaw.laws.law import Law, Points
from superlaw.laws.objective import Objective
from superlaw.laws.separate import SeparateLaw
from superlaw.laws.tables import Selection

FORMAT, FORMATS = 2, (1, 2)  # written, and read: 1 is without points
MOST_POINTS = 200_000  # more are not kept: the file would be larger than what is read
UNKNOWN = (None, NUMBER)  # null: not a number, or without end
PARAMETER = {"value": NUMBER, **dict.fromkeys(("stderr?", "low?", "high?", "naive_stderr?"), UNKNOWN)}
CERTIFICATE = {
    **dict.fromkeys(("gradient", "smallest_curvature", "condition"), UNKNOWN),
    "agreement": NUMBER,
    "starts": COUNT,
    "places?": (None, COUNT),
    "converged": bool,
    "exact?": bool,
    "derivatives?": str,
    "at_bounds": [str],
    "correlation": {str: UNKNOWN},
    "flat": {str: ("poorly", "not")},
}
INTERVAL = {
    "method": ("profile", "bootstrap", "sandwich", "none"),
    "level": Number(1e-9, 1 - 1e-9),
    "dof?": [NUMBER],
    "cluster?": str,
}
POSITIVE = Number(sys.float_info.min)
POINTS = {
    "sizes": {str: [NUMBER]},
    "losses": [NUMBER],
    "rows": [COUNT],
    "group?": [str],
    "weights?": [POSITIVE],
    "clusters?": [str],
}
FIT = {
    "law": str,
    "columns": {str: (str, [str])},
    "offset": bool,
    "labels": [str],
    "params": {str: PARAMETER},
    "covariance": [[UNKNOWN]],
    "log_covariance": [[UNKNOWN]],
    "replicates?": [[NUMBER]],
    **dict.fromkeys(("objective", "rms_error", "log_likelihood"), UNKNOWN),
    "loss": {"name": str, "delta": NUMBER, "reduction": str, "asymmetry?": NUMBER},
    "n": COUNT,
    "dof": WHOLE,
    "ranges": {str: [NUMBER]},
    "dropped": {
        "by_missing?": {"rows": COUNT, "columns": {str: COUNT}},
        "where": (None, str),
        **dict.fromkeys(("rows", "by_where", "drop_highest", "by_drop_highest"), COUNT),
    },
    "interval": INTERVAL,
    "certificate": CERTIFICATE,
    "warnings": [str],
    "points?": POINTS,
    "notes?": [str],
    "prior_strength?": Number(1e-300),
    "separate?": {"by": [str], "parameters": [str]},
    "known?": {
        "fixed?": {str: NUMBER},
        "tied?": {str: {"to": str, "factor": NUMBER}},
        "bounds?": {str: {"low": UNKNOWN, "high": UNKNOWN}},
        "priors?": {str: {"mean": NUMBER, "sigma": NUMBER}},
    },
}


def law_of_record(record: Mapping[str, Any]) -> Law:
    """The law of a stored fit."""
    law, columns = law_from(record["law"], record["columns"], record["offset"]), record["columns"]
    if any(isinstance(columns[part.field], list) != part.several for part in law.parts):
        raise ValueError("its columns are not those of its law")
    separate = record.get("separate")
    return law if separate is None else SeparateLaw(law, separate["by"], separate["parameters"])


def number(value: float | None) -> float:
    """Null as NaN."""
    return math.nan if value is None else value


def rows_of(rows: list[list[float | None]], shape: tuple[int, int]) -> np.ndarray:
    """Rows of numbers as an array of this shape."""
    found = np.array(rows, dtype=float)
    if found.shape != shape:
        raise ValueError(f"{found.shape} numbers for {shape}")
    return found


def estimate_of(entry: Mapping[str, float | None], interval: Mapping[str, Any]) -> Estimate:
    """An estimate from JSON, where an end that is null is open, if there are ends."""
    open_end = math.nan if interval["method"] == "none" else math.inf
    null = {"low": -open_end, "high": open_end}
    read = {field.name: entry.get(field.name) for field in fields(Estimate)}
    return Estimate(**{name: null.get(name, math.nan) if value is None else value for name, value in read.items()})


def points_record(law: Law, used: Selection) -> dict[str, Any]:
    """The points of a fit as JSON: columns of sizes, losses, rows of the table, and what else they were weighed by."""
    points = used.points
    return {
        "sizes": dict(zip(law.sizes, points.sizes, strict=True)),
        "losses": used.losses,
        "rows": used.rows,
        **({"group": [points.labels[g] for g in points.group]} if points.labels else {}),
        **({} if used.weights is None else {"weights": used.weights}),
        **({} if used.clusters is None else {"clusters": used.clusters}),
    }


def points_of_record(record: Mapping[str, Any], law: Law, logarithmic: bool) -> Selection | None:
    """The points of a stored fit; None of one that has none."""
    found = record.get("points")
    if found is None:
        return None
    labels, losses = tuple(record["labels"]), np.array(found["losses"], dtype=float)
    sizes = np.array([found["sizes"][column] for column in law.sizes], dtype=float)
    group = np.array([labels.index(label) for label in found["group"]] if labels else np.zeros(len(losses)), dtype=int)
    weights, clusters = found.get("weights"), found.get("clusters")
    if any(
        len(column) != record["n"]
        for column in (*sizes, losses, group, found["rows"], *(x for x in (weights, clusters) if x is not None))
    ):
        raise ValueError(f"its points are not {record['n']}")
    unfit = [c for c, row in zip(law.sizes, sizes, strict=True) if law.positive_size(c) and (row <= 0).any()]
    if unfit or (logarithmic and (losses <= 0).any()):
        raise ValueError(f"{' and '.join(unfit) or 'a loss'} of its points is not above 0")
    return Selection(
        points=Points(sizes, group, labels),
        losses=losses,
        weights=None if weights is None else np.array(weights, dtype=float),
        clusters=None if clusters is None else np.array(clusters, dtype=object),
        rows=np.array(found["rows"], dtype=int),
        dropped=record["dropped"],
        kin=Kin({}, {}, {}, 0),
    )


def parts_of(record: Mapping[str, Any], law: Law | None = None) -> dict[str, Any]:
    """What a fit is made of, from its record, which may be anyone's.

    Raises
    ------
    DamagedFileError
        For a record that is none.
    """
    try:
        if record["format"] not in FORMATS:
            raise InputError(f"a fit of format {record['format']}", f"format {FORMAT} or before", "fit again")
        if wrong := misfit(record, FIT):
            raise ValueError(wrong)
        law = law_of_record(record) if law is None else law
        names = law.names(record["labels"])  # of the covariance's rows; keys of JSON have no order
        if set(record["params"]) != set(names):
            raise ValueError("its parameters are not those of its law")
        params = {name: estimate_of(record["params"][name], record["interval"]) for name in names}
        known = Known.from_dict(record.get("known"))
        known.check(tuple(params))
        estimated = known.free(tuple(params))
        dof = record["interval"].get("dof", estimated)
        if len(dof) != len(estimated):
            raise ValueError("its parameters are not those of its law")
        values = np.array([estimate.value for estimate in params.values()])
        if not np.allclose(known.kept(values, list(params)), values, rtol=1e-9, atol=0):
            raise ValueError("its parameters are not as they were given")
        p, drawn, ends = len(params), record.get("replicates"), [record["ranges"][column] for column in law.sizes]
        objective = Objective(**record["loss"])
        return {name: record[name] for name in ("n", "dof", "dropped", "interval", "columns")} | {
            "law": law,
            "params": params,
            "covariance": rows_of(record["covariance"], (p, p)),
            "log_covariance": rows_of(record["log_covariance"], (p, p)),
            "objective": objective,
            "objective_value": number(record["objective"]),
            "certificate": Certificate.from_dict(record["certificate"]),
            "warnings": tuple(record["warnings"]),
            "rms_error": number(record["rms_error"]),
            "log_likelihood": number(record["log_likelihood"]),
            "ranges": dict(zip(law.sizes, map(tuple, rows_of(ends, (len(ends), 2)).tolist()), strict=True)),
            "labels": tuple(record["labels"]),
            "data": points_of_record(record, law, objective.logarithmic),
            "notes": tuple(record.get("notes", ())),
            "replicates": None if drawn is None else rows_of(drawn, (max(2, len(drawn)), p)),
            "known": known,
            "prior_strength": record["prior_strength"] if known.priors else None,
            "difference": record.get("difference"),
        }  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise DamagedFileError(
            f"a record that is not a fit ({type(error).__name__}: {error})",
            "the JSON of superlaw law fit -o",
            "fit again",
        ) from None
