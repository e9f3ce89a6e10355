"""The shape of a transformer: what width m and depth l say of parameters, neurons and features.

[Katta], docs/science.md#shape. A neuron here is a dimension of the residual stream, m of
them a layer; a model that represents F features, each in one layer, holds F/l of them in a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from superlaw.errors import InputError
from superlaw.theory.sensing import RequiredActivity, required_activity

LARGEST = 2**31 - 1  # width, depth or vocabulary: beyond it a number is a slip


def _whole(name: str, value: object, least: int = 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise InputError(f"{name} = {value!r}", f"a whole number from {least} to {LARGEST}")


def _positive(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InputError(f"{name} = {value}", "a positive number")


@dataclass(frozen=True)
class Shape:
    """Width and depth of a model.

    Parameters
    ----------
    width, depth : int
        m and l.

    Examples
    --------
    >>> a, b = Shape(1600, 48), Shape(3200, 12)
    >>> a.params, b.params
    (1474560000, 1474560000)
    >>> b.aspect_ratio / a.aspect_ratio, b.neurons / a.neurons, b.degree(1e6) / a.degree(1e6)
    (8.0, 0.5, 2.0)
    """

    width: int
    depth: int

    def __post_init__(self):
        _whole("width", self.width)
        _whole("depth", self.depth)

    @property
    def params(self) -> int:
        """12 m^2 l: weights of attention (4 m^2) and of a feed-forward layer of 4 m (8 m^2), no embeddings."""
        return 12 * self.width**2 * self.depth

    @property
    def aspect_ratio(self) -> float:
        """m / l."""
        return self.width / self.depth

    @property
    def neurons(self) -> int:
        """m l: neurons of all layers together."""
        return self.width * self.depth

    def features_per_layer(self, features: float, layers_per_feature: int = 1) -> float:
        """k F / l: features of which a layer holds a part, each feature spread over k layers.

        Examples
        --------
        >>> Shape(100, 10).features_per_layer(5000), Shape(100, 10).features_per_layer(5000, 2)
        (500.0, 1000.0)
        """
        _positive("features", features)
        _whole("layers_per_feature", layers_per_feature)
        if layers_per_feature > self.depth:
            raise InputError(f"layers_per_feature = {layers_per_feature}", f"at most the depth, {self.depth}")
        return layers_per_feature * features / self.depth

    def features_per_neuron(self, features: float) -> float:
        """F / (m l): all features over all neurons, and so a layer's features over its own."""
        _positive("features", features)
        return features / self.neurons

    def degree(self, features: float, layers_per_feature: int = 1) -> float:
        """Degree of superposition n/m: n features recovered together from m neurons.

        With each feature in one layer n = F/l and the layer's m neurons recover them: F / (m l), the
        features per neuron. Spread over k layers, the k F/l features of a group of k layers are recovered
        from its k m neurons: the same for every k. That is why spreading alone is no way out of the
        argument of [Katta]; the number of features held has to grow faster than linearly in k.

        Examples
        --------
        >>> Shape(100, 10).degree(5000), Shape(100, 10).degree(5000, 5)
        (5.0, 5.0)
        """
        held = self.features_per_layer(features, layers_per_feature)
        return held / (self.width * layers_per_feature)

    def required_activity(self, features: float, power: int = 1) -> RequiredActivity:
        """Activity 1 - S that F features require: from n/m, or from n/m^2 with ``power`` 2.

        With ``power`` 2 the ratio is F / (m^2 l) = 12 F / N: shapes of equal parameters require the same.

        Examples
        --------
        >>> a, b = Shape(1600, 48), Shape(3200, 12)
        >>> a.required_activity(1e9, 2) == b.required_activity(1e9, 2)
        True
        """
        if power not in (1, 2):
            raise InputError(f"power = {power}", "1 for n = m f(1 - S), or 2 for n = m^2 f(1 - S)")
        return required_activity(self.features_per_layer(features) / self.width**power)


@dataclass(frozen=True)
class Architecture:
    """A transformer in enough detail to count its parameters exactly. Left at its defaults it is 12 m^2 l.

    Parameters
    ----------
    width, depth : int
        m and l.
    heads, key_value_heads, head_width : int, optional
        Query heads H [1], key and value heads K [H], width of a head d [m/H].
    feed_forward : int, optional
        Width of the feed-forward layer [4 m].
    gated : bool
        Three feed-forward matrices instead of two (SwiGLU and its like).
    attention_bias : {"none", "qkv", "all"}
    feed_forward_bias : bool
    norm : {"none", "scale", "scale and shift"}
        What two norms a layer and a last one hold: 0, m or 2 m parameters each.
    vocabulary : int
        V; 0 leaves embeddings out.
    tied : bool
        Whether the head is the input embedding.
    positions : int
        Rows of learned position embeddings; 0 where positions are rotary or fixed.

    Examples
    --------
    >>> Architecture(1600, 48).params == Shape(1600, 48).params
    True
    >>> gpt2 = Architecture(768, 12, heads=12, attention_bias="all", feed_forward_bias=True,
    ...                     norm="scale and shift", vocabulary=50257, positions=1024)
    >>> gpt2.params, gpt2.embedding_params
    (124439808, 39383808)
    """

    width: int
    depth: int
    heads: int = 1
    key_value_heads: int | None = None
    head_width: int | None = None
    feed_forward: int | None = None
    gated: bool = False
    attention_bias: str = "none"
    feed_forward_bias: bool = False
    norm: str = "none"
    vocabulary: int = 0
    tied: bool = True
    positions: int = 0

    def __post_init__(self):
        fill = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        for name in ("width", "depth", "heads"):
            _whole(name, getattr(self, name))
        if self.key_value_heads is None:
            fill("key_value_heads", self.heads)
        if self.head_width is None:
            if self.width % self.heads:
                raise InputError(f"{self.heads} heads of a width {self.width}", "a number of heads that divides it")
            fill("head_width", self.width // self.heads)
        for name, least in (("key_value_heads", 1), ("head_width", 1), ("vocabulary", 0), ("positions", 0)):
            _whole(name, getattr(self, name), least)
        if self.feed_forward is None:
            fill("feed_forward", 4 * self.width)  # which may pass what a typed number may not
        else:
            _whole("feed_forward", self.feed_forward)
        if self.heads % self._filled[0]:
            raise InputError(f"{self.key_value_heads} key-value heads for {self.heads} heads", "a divisor of the heads")
        for name, known in (("attention_bias", ("none", "qkv", "all")), ("norm", ("none", "scale", "scale and shift"))):
            if getattr(self, name) not in known:
                raise InputError(f"{name} = {getattr(self, name)!r}", f"one of {', '.join(known)}")

    @property
    def _filled(self) -> tuple[int, int, int]:
        """Key-value heads, width of a head, width of the feed-forward layer: numbers once made."""
        return cast(tuple[int, int, int], (self.key_value_heads, self.head_width, self.feed_forward))

    @property
    def layer_params(self) -> int:
        """Of one layer: attention, feed-forward, two norms."""
        m, (key_value_heads, head_width, f) = self.width, self._filled
        queries, pair = self.heads * head_width, key_value_heads * head_width
        attention = 2 * m * queries + 2 * m * pair
        attention += queries + 2 * pair if self.attention_bias != "none" else 0
        attention += m if self.attention_bias == "all" else 0
        feed_forward = (3 if self.gated else 2) * m * f
        feed_forward += (2 if self.gated else 1) * f + m if self.feed_forward_bias else 0
        return attention + feed_forward + 2 * self._norm_params

    @property
    def embedding_params(self) -> int:
        """Token embedding, the head where it is not tied, positions."""
        return self.width * (self.vocabulary * (1 if self.tied else 2) + self.positions)

    @property
    def params(self) -> int:
        """All of them, a last norm included."""
        return self.depth * self.layer_params + self._norm_params + self.embedding_params

    @property
    def shape(self) -> Shape:
        """Width and depth alone."""
        return Shape(self.width, self.depth)

    @property
    def _norm_params(self) -> int:
        return {"none": 0, "scale": 1, "scale and shift": 2}[self.norm] * self.width
