"""The trained model in NumPy: what it answers, and which features it never answers.

The same equations as the engines' (docs/science.md#variants), for a Run that is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from superlaw.errors import InputError
from superlaw.theory.values import Values, values_named
from superlaw.toy.run import Run


def _gelu(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr  # a tenth of a second: only this activation needs it

    return z * ndtr(z)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "gelu": _gelu,  # z Phi(z)
}


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """y = f(W h + b), h = V^T x.

    Parameters
    ----------
    W : ndarray, shape (n, m)
        The decoder.
    b : ndarray, shape (n,)
    encoder : ndarray, shape (n, m)
        V; W itself where the model is tied.
    activation : str
        The name of f.
    """

    W: np.ndarray
    b: np.ndarray
    encoder: np.ndarray
    activation: str

    def logits(self, h: np.ndarray) -> np.ndarray:
        """z = W h + b, shape (B, n), of hidden states h (B, m)."""
        z = h @ self.W.T
        z += self.b
        return z

    def answers(self, h: np.ndarray) -> np.ndarray:
        """y = f(z), shape (B, n), of hidden states h (B, m).

        Examples
        --------
        >>> W = np.array([[1.0], [-1.0]])
        >>> TrainedModel(W, np.zeros(2), W, "relu").answers(np.array([[0.5]]))
        array([[0.5, 0. ]])
        """
        return self.f(self.logits(h))

    def f(self, z: np.ndarray) -> np.ndarray:
        """The activation."""
        return ACTIVATIONS[self.activation](z)

    @property
    def finite(self) -> bool:
        """Whether every weight is."""
        return all(bool(np.isfinite(part).all()) for part in (self.W, self.b, self.encoder))

    @property
    def own_response(self) -> np.ndarray:
        """s_i = V_i . W_i, shape (n,), float64: alone, feature i of value v has the logit s_i v + b_i."""
        return np.einsum("ij,ij->i", self.encoder, self.W, dtype=np.float64)

    def silent(self, values: Values) -> np.ndarray | None:
        """Which features never answer their own input alone, shape (n,); None for activations that have no threshold.

        ReLU: s_i v + b_i is at most 0 for every v. It is linear in v, so both ends of the distribution decide (its
        99.9 % quantile where it has no end). linear: none.

        Examples
        --------
        >>> W = np.array([[1.0], [0.5]])
        >>> TrainedModel(W, np.array([0.0, -0.5]), W, "relu").silent(values_named("uniform"))
        array([False,  True])
        """
        if self.activation == "linear":
            return np.zeros(len(self.b), dtype=bool)
        if self.activation != "relu":
            return None
        ends = np.array([[values.smallest], [values.practical_largest]])
        return np.all(ends * self.own_response + self.b <= 0, axis=0, keepdims=True)[0]


def trained_model(run: Run) -> TrainedModel:
    """The model of a run.

    Raises
    ------
    InputError
        For a run that was stored without its weights.
    """
    if run.W is None or run.b is None:
        raise InputError(f"the run {run.id}, stored without its weights", "a run with weights")
    return TrainedModel(run.W, run.b, run.W if run.encoder is None else run.encoder, run.spec.activation)


def silent_features(run: Run) -> np.ndarray | None:
    """Which features never answer their own input alone, shape (n,) (see TrainedModel.silent).

    None where the question has no answer: GELU, cross-entropy, weights that are not finite or not there.
    """
    if run.W is None or run.spec.loss_function == "cross-entropy":
        return None
    model = trained_model(run)
    return model.silent(values_named(run.spec.values)) if model.finite else None
