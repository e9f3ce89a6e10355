"""Shapes: the note's case by hand, and parameter counts of published models."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superlaw import InputError
from superlaw.theory.losses import EPOCH, additive_loss, chinchilla_loss, kaplan_loss
from superlaw.theory.packing import packing_bounds
from superlaw.theory.shape import Architecture, Shape

A, B = Shape(1600, 48), Shape(3200, 12)
FULL = 76_800 * 2 / math.log(2)  # F at which A's layers hold 2/ln 2 features a neuron: 1 - S = 1/4 by hand


def test_double_the_width_at_equal_parameters():
    """12 m^2 l fixed: depth / 4, aspect ratio x 8, neurons / 2, features a neuron of a layer x 2."""
    assert A.params == B.params == 1_474_560_000
    assert A.depth / B.depth == 4
    assert B.aspect_ratio / A.aspect_ratio == pytest.approx(8, rel=1e-12)
    assert A.neurons / B.neurons == 2 and A.neurons == 76_800
    assert B.features_per_neuron(FULL) / A.features_per_neuron(FULL) == pytest.approx(2, rel=1e-12)
    assert B.features_per_layer(FULL) / A.features_per_layer(FULL) == pytest.approx(4, rel=1e-12)


def test_the_required_activity_falls_by_the_factor_the_bound_gives():
    """n/m = 2/ln 2 is -x ln x at x = 1/4; twice that is -x ln x at x = 1/16: four times sparser, not two."""
    a, b = A.required_activity(FULL).sparse, B.required_activity(FULL).sparse
    assert (a, b) == (pytest.approx(1 / 4, rel=1e-12), pytest.approx(1 / 16, rel=1e-12))
    # and in general by d ln x / d ln d = -y/(y - 1), y = -ln x: always more than the factor in n/m
    a, b = A.required_activity(1e9).sparse, B.required_activity(1e9).sparse
    assert a * math.log(a) / (b * math.log(b)) == pytest.approx(2, rel=1e-12) and a / b > 2


@given(st.integers(1, 10_000), st.integers(1, 100), st.floats(1.0, 1e12))
def test_with_room_for_m_squared_features_shape_no_longer_matters(width, depth, features):
    """n = m^2 f(1 - S): F/(m^2 l) = 12 F/N, so that shapes of equal N require the same activity."""
    deep, wide = Shape(width, 4 * depth), Shape(2 * width, depth)
    assert deep.params == wide.params
    assert deep.required_activity(features, 2).sparse == wide.required_activity(features, 2).sparse


@given(st.integers(1, 5000), st.integers(1, 100), st.data())
def test_spreading_features_over_layers_fills_the_layers_and_leaves_the_degree(width, depth, data):
    k = data.draw(st.integers(1, depth))
    shape = Shape(width, depth)
    assert shape.features_per_layer(1e6, k) == pytest.approx(k * shape.features_per_layer(1e6), rel=1e-12)
    assert shape.degree(1e6, k) == pytest.approx(shape.features_per_neuron(1e6), rel=1e-12)


def test_fewer_features_than_neurons_need_no_superposition():
    few = Shape(1000, 1)
    assert few.degree(999) < 1 and not few.required_activity(999).constrained
    assert few.features_per_layer(999) == 999  # depth 1: one layer holds all


@pytest.mark.parametrize(
    ("model", "params"),
    [
        # GPT-2 small and XL: learned positions, biases everywhere, tied
        (Architecture(768, 12, 12, attention_bias="all", feed_forward_bias=True, norm="scale and shift",
                      vocabulary=50257, positions=1024), 124_439_808),
        (Architecture(1600, 48, 25, attention_bias="all", feed_forward_bias=True, norm="scale and shift",
                      vocabulary=50257, positions=1024), 1_557_611_200),
        # Pythia 70m: rotary, untied
        (Architecture(512, 6, 8, attention_bias="all", feed_forward_bias=True, norm="scale and shift",
                      vocabulary=50304, tied=False), 70_426_624),
        # Llama 2 7B, Llama 3 8B and Mistral 7B: gated, grouped queries in the last two, no biases, untied
        (Architecture(4096, 32, 32, feed_forward=11008, gated=True, norm="scale", vocabulary=32000, tied=False),
         6_738_415_616),
        (Architecture(4096, 32, 32, 8, feed_forward=14336, gated=True, norm="scale", vocabulary=128256, tied=False),
         8_030_261_248),
        (Architecture(4096, 32, 32, 8, feed_forward=14336, gated=True, norm="scale", vocabulary=32000, tied=False),
         7_241_732_096),
        # Qwen2.5 0.5B: grouped queries with biases, tied
        (Architecture(896, 24, 14, 2, feed_forward=4864, gated=True, attention_bias="qkv", norm="scale",
                      vocabulary=151936), 494_032_768),
    ],
    ids=["gpt2", "gpt2-xl", "pythia-70m", "llama-2-7b", "llama-3-8b", "mistral-7b", "qwen2.5-0.5b"],
)  # fmt: skip
def test_published_models_have_the_published_number_of_parameters(model, params):
    assert model.params == params


@given(st.integers(1, 10**5), st.integers(1, 200))
def test_the_plain_architecture_is_12_m_squared_l(width, depth):
    assert Architecture(width, depth).params == Shape(width, depth).params == 12 * width**2 * depth
    whole = Architecture(width, depth, vocabulary=1000, positions=10, tied=False)
    assert whole.params - whole.embedding_params == 12 * width**2 * depth
    assert whole.embedding_params == width * 2010


@pytest.mark.parametrize("wrong", [0, -1, 1.5, 1600.0, True, "7", None, 2**31, math.nan])
def test_widths_and_depths_are_positive_whole_numbers(wrong):
    for make in (lambda: Shape(wrong, 2), lambda: Shape(2, wrong), lambda: Architecture(wrong, 2)):
        with pytest.raises(InputError, match="whole number"):
            make()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"heads": 3}, "divides"),
        ({"heads": 4, "key_value_heads": 3}, "divisor"),
        ({"norm": "layer"}, "one of"),
        ({"attention_bias": True}, "one of"),
        ({"vocabulary": -1}, "whole number"),
    ],
)
def test_an_impossible_architecture_is_refused(options, said):
    with pytest.raises(InputError, match=said):
        Architecture(64, 2, **options)


@pytest.mark.parametrize("features", [0, -5.0, math.nan, math.inf])
def test_features_are_a_positive_number(features):
    with pytest.raises(InputError, match="features"):
        A.degree(features)


def test_layers_of_a_feature_are_layers_of_the_model():
    with pytest.raises(InputError, match="at most the depth"):
        Shape(10, 4).features_per_layer(100, 5)


def test_kaplan_and_chinchilla_do_not_see_shape_and_the_additive_law_does():
    assert kaplan_loss(A.params, 1e11) == kaplan_loss(B.params, 1e11)
    assert chinchilla_loss(A.params, 1e11) == chinchilla_loss(B.params, 1e11)
    c, a = {"width": 300.0, "depth": 6.0}, {"width": 1.0, "depth": 1.0}
    deep, wide = (additive_loss({"width": s.width, "depth": s.depth}, c, a, 1.7) for s in (A, B))
    assert deep == pytest.approx(300 / 1600 + 6 / 48 + 1.7) and wide == pytest.approx(300 / 3200 + 6 / 12 + 1.7)


def test_the_published_laws_at_hand_computed_points():
    assert kaplan_loss(6.4e13) == 1.0  # N = N_c with unlimited data
    assert kaplan_loss(1e300, 1.8e13) == pytest.approx(1, abs=1e-12)  # D = D_c in an unlimited model
    assert kaplan_loss(6.4e10) == pytest.approx(1000**0.076, rel=1e-14)
    assert chinchilla_loss(1e100, 1e100) == pytest.approx(1.69)
    assert chinchilla_loss(10.0**9, **EPOCH) == pytest.approx(1.8172 + 482.01 / 10 ** (9 * 0.3478), rel=1e-14)


@pytest.mark.parametrize("wrong", [0, -1e9, math.nan])
def test_losses_need_positive_sizes(wrong):
    for law in (kaplan_loss, chinchilla_loss):
        with pytest.raises(InputError, match="positive"):
            law(wrong)
        with pytest.raises(InputError, match="positive"):
            law(1e9, wrong)
    with pytest.raises(InputError, match="each size"):
        additive_loss({"steps": 5.0}, {"width": 1.0}, {"width": 1.0})


def test_packing_is_no_limit_at_the_overlaps_that_layers_have():
    """A layer of 1600 neurons has room for over 10^8 directions at |overlap| <= 0.15: sparsity limits, not room."""
    assert packing_bounds(A.width, 0.15).lower > 1e8
