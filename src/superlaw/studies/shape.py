"""Shapes side by side: the argument of [Katta] for any two or more models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from superlaw.errors import InputError
from superlaw.files.numbers import in_short
from superlaw.findings.width_depth import WidthDepthLaw
from superlaw.theory.losses import EPOCH, chinchilla_loss, kaplan_loss
from superlaw.theory.shape import Architecture, Shape

EQUAL = 0.05  # parameters that differ by less count as equal: Kaplan's loss then differs by 0.4 %


@dataclass(frozen=True)
class ShapeRow:
    """One shape's numbers; None for what was not asked (features) or cannot be had (a loss).

    Parameters
    ----------
    params : int
        12 m^2 l, and V m more with a vocabulary (2 V m where the head is not tied).
    features_per_neuron : float or None
        F/(m l).
    degree : float or None
        Degree of superposition n/m, n = F/l the features of a layer and m its neurons: with each feature in
        one layer the same number as the features per neuron.
    activity_required : float or None
        Largest 1 - S at which the compressed-sensing scale lets a layer tell its features apart; None also
        below a degree of e, where nothing is required.
    losses : dict
        ``kaplan``, ``chinchilla`` and ``chinchilla_refit`` (blind to shape), ``width_depth`` (not blind).
    """

    width: int
    depth: int
    params: int
    aspect_ratio: float
    neurons: int
    features_per_neuron: float | None
    degree: float | None
    activity_required: float | None
    losses: dict[str, float | None]


@dataclass(frozen=True)
class ShapeComparison:
    """Rows by the shapes' names, and what the argument concludes for them."""

    rows: dict[str, ShapeRow]
    features: float | None
    tokens: float | None
    conclusion: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"shapes": [asdict(row) for row in self.rows.values()], "conclusion": " ".join(self.conclusion)}


def compare_shapes(
    shapes: Mapping[str, Shape],
    features: float | None = None,
    tokens: float | None = None,
    vocabulary: int = 0,
    tied: bool = True,
    law: WidthDepthLaw | None = None,
) -> ShapeComparison:
    """Parameters, features and predicted losses of two shapes or more, and the argument in words.

    Parameters
    ----------
    shapes : mapping of name to Shape
        The first is the one that others are compared with.
    features : float, optional
        F: features that every one of the models represents.
    tokens : float, optional
        D; losses are with unlimited data otherwise.
    vocabulary : int
        V: adds the embedding to the parameters. Kaplan's law always counts without it.
    tied : bool
        Whether the head shares the embedding.
    law : WidthDepthLaw, optional
        Without it the loss ``width_depth`` is None.

    Examples
    --------
    >>> found = compare_shapes({"A": Shape(1600, 48), "B": Shape(3200, 12)}, features=1e6)
    >>> [round(row.activity_required, 4) for row in found.rows.values()]
    [0.0195, 0.0079]
    """
    if len(shapes) < 2:
        raise InputError(f"{len(shapes)} shape", "two or more to compare")
    if tokens is not None and not 1 <= tokens < math.inf:
        raise InputError(f"tokens = {tokens}", "a number of 1 or more")
    if tokens is not None and law is not None and law.tokens is None:
        raise InputError(f"tokens = {tokens:g} for a law without tokens", "a law that has them", "leave --tokens out")
    rows = {name: _row(shape, features, tokens, vocabulary, tied, law) for name, shape in shapes.items()}
    said = _conclusion(shapes, rows, features, tokens, law)
    return ShapeComparison(rows, features, tokens, tuple(said))


def _row(
    shape: Shape, features: float | None, tokens: float | None, vocabulary: int, tied: bool, law: WidthDepthLaw | None
) -> ShapeRow:
    params = Architecture(shape.width, shape.depth, vocabulary=vocabulary, tied=tied).params
    data = math.inf if tokens is None else tokens
    return ShapeRow(
        width=shape.width, depth=shape.depth, params=params, aspect_ratio=shape.aspect_ratio, neurons=shape.neurons,
        features_per_neuron=None if features is None else shape.features_per_neuron(features),
        degree=None if features is None else shape.degree(features),
        activity_required=None if features is None else shape.required_activity(features).sparse,
        losses={
            "kaplan": kaplan_loss(shape.params, data),
            "chinchilla": chinchilla_loss(params, data),
            "chinchilla_refit": chinchilla_loss(params, data, **EPOCH),
            "width_depth": None if law is None else float(law.losses(shape.width, shape.depth, tokens)[0, 0]),
        },
    )  # fmt: skip


def _conclusion(
    shapes: Mapping[str, Shape],
    rows: dict[str, ShapeRow],
    features: float | None,
    tokens: float | None,
    law: WidthDepthLaw | None,
) -> list[str]:
    (first, a), *others = rows.items()
    said = []
    for name, b in others:
        said.append(_shapes_in_words(first, a, name, b))
        said.append(_losses_in_words(first, a, name, b))
        if features is not None:
            said.append(_features_in_words(first, a, name, b))
    if law is not None:
        outside = law.extrapolations({name: (row.width, row.depth) for name, row in rows.items()})
        said.append(
            f"The width-depth law is {law.source}." + (f" Extrapolated: {'; '.join(outside)}." if outside else "")
        )
    data = "with unlimited data" if tokens is None else f"at {in_short(tokens)} tokens"
    said.append(f"Losses are in nats per token, {data}.")
    if features is None:
        said.append("Without --features nothing is said of superposition.")
    else:
        said += _argument(shapes, rows)
    return said


def _shapes_in_words(first: str, a: ShapeRow, name: str, b: ShapeRow) -> str:
    share = b.params / a.params
    equal = "as many parameters as" if b.params == a.params else f"{share:.4g} times the parameters of"
    return (
        f"{name} has {equal} {first}, {_times(b.width / a.width)} its width, {_times(b.depth / a.depth)} its depth, "
        f"{_times(b.aspect_ratio / a.aspect_ratio)} its aspect ratio and {_times(b.neurons / a.neurons)} its neurons."
    )


def _losses_in_words(first: str, a: ShapeRow, name: str, b: ShapeRow) -> str:
    both = {law: (old, b.losses[law]) for law, old in a.losses.items()}
    change = {law: new / old - 1 for law, (old, new) in both.items() if old is not None and new is not None}
    blind = change["kaplan"]
    said = f"Kaplan's law, blind to shape, gives {name} " + (
        f"the same loss as {first}" if abs(blind) < 1e-12 else f"a loss {_percent(blind)} {first}'s"
    )
    if "width_depth" in change:
        said += f"; the width-depth law, which is not, one {_percent(change['width_depth'])} {first}'s"
    return said + "."


def _features_in_words(first: str, a: ShapeRow, name: str, b: ShapeRow) -> str:
    assert a.degree is not None and b.degree is not None  # with features every shape has one
    ratio = b.degree / a.degree
    said = (
        f"With the same features in both, each in one layer, a layer of {name} holds {_times(ratio)} the features a "
        f"neuron that one of {first} does ({b.degree:.4g} against {a.degree:.4g})"
    )
    few, many = (first, name) if a.degree <= b.degree else (name, first)
    low, high = (a, b) if a.degree <= b.degree else (b, a)
    if high.activity_required is None:
        return f"{said}; both are below e = 2.718, where compressed sensing requires nothing of the features."
    if low.activity_required is None:
        return (
            f"{said}; compressed sensing requires nothing of them in {few}, and in {many} that a feature be active at "
            f"most with probability {high.activity_required:.4g}."
        )
    if low.activity_required == high.activity_required:
        return f"{said}, and the same activity is allowed: at most {low.activity_required:.4g}."
    factor = low.activity_required / high.activity_required
    return (
        f"{said}; compressed sensing lets a feature be active at most with probability {low.activity_required:.4g} in "
        f"{few} and {high.activity_required:.4g} in {many}: {many} needs them {factor:.4g} times sparser."
    )


def _argument(shapes: Mapping[str, Shape], rows: dict[str, ShapeRow]) -> list[str]:
    params = [shape.params for shape in shapes.values()]
    required = {row.activity_required for row in rows.values()}
    if max(params) > (1 + EQUAL) * min(params):
        return [
            "The argument of arXiv:2407.01459 does not apply: it needs equal parameters (and so, by Kaplan's law, "
            "equal losses), embeddings not counted, and these differ."
        ]
    if len({row.degree for row in rows.values()}) == 1:
        return ["The argument of arXiv:2407.01459 says nothing here: the degrees of superposition are equal."]
    if required == {None}:
        return ["The argument of arXiv:2407.01459 says nothing here: so few features need no sparsity in either shape."]
    return [
        "Sparsity belongs to the data, not to the model, so that not all of these shapes can be as full as the bound "
        "allows: if one layer's superposition is the whole of how features are represented, models of equal loss and "
        "different shape do not represent the same features.",
        "What carries this is the assumption that equal loss means the same (universal) features, each within one "
        "layer, and that a layer holds n = m f(1-S) of them: compressed sensing's scale, its unknown constant set to 1 "
        "in all shapes.",
        "If a layer can hold n = m^2 f(1-S) instead, shapes of equal parameters require the same sparsity; if features "
        "are spread over layers, the number held must grow faster than linearly with the layers.",
    ]


def _times(ratio: float) -> str:
    """A ratio in words a person would use.

    Examples
    --------
    >>> _times(2.0), _times(0.25), _times(1.0), _times(0.3)
    ('2 times', '1/4 of', 'exactly', '0.3 times')
    """
    if ratio == 1:
        return "exactly"
    inverse = 1 / ratio
    if ratio < 1 and abs(inverse - round(inverse)) < 1e-9:
        return f"1/{round(inverse)} of"
    return f"{ratio:.4g} times"


def _percent(change: float) -> str:
    if abs(change) < 5e-5:
        return "equal to"
    return f"{abs(change):.2%} {'above' if change > 0 else 'below'}"
